using LlmAssist.Engine;
using LlmAssist.Server.Cli;

namespace LlmAssist.Tests.Cli;

public sealed class ServeVerbTests
{
    [Theory]
    [InlineData("serve", true)]
    [InlineData("serve --stdio", true)]
    [InlineData("serve --stdio --clientProcessId=7", true)]
    [InlineData("serve --stdio --show-answers", true)]
    [InlineData("--stdio", true)]
    [InlineData("serve --help", false)]
    [InlineData("serve -h", false)]
    [InlineData("--stdio --json", false)]
    [InlineData("train serve", false)]
    [InlineData("", false)]
    public void IsRecognized(string arguments, bool expected) =>
        Assert.Equal(expected, ServeVerb.IsMeantBy(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Theory]
    [InlineData(null, null, null, Speech.English)]
    [InlineData(null, null, "es_ES.UTF-8", Speech.Spanish)]
    [InlineData(null, "es", "en_US", Speech.Spanish)]
    [InlineData("C", "es", "es", Speech.English)]
    [InlineData("", "", "es_MX", Speech.Spanish)]
    public void SpeaksTheLanguageOfTheEnvironment(string? all, string? messages, string? lang, Speech expected) =>
        Assert.Equal(expected, ServeVerb.SpeechOf(name => name switch { "LC_ALL" => all, "LC_MESSAGES" => messages, _ => lang }));
}
