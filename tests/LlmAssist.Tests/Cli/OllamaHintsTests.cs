// Where Ollama may be instead, as data: an environment, and a word that the advice must have. No machine is asked.
using LlmAssist.Engine.Ollama;
using LlmAssist.Server.Cli;

namespace LlmAssist.Tests.Cli;

public sealed class OllamaHintsTests
{
    [Theory]
    [InlineData("", "", "127.0.0.1")]
    [InlineData("WSL_DISTRO_NAME=Ubuntu", "", "127.0.0.1", "networkingMode=mirrored")]
    [InlineData("", "/proc/version=Linux version 5.15.90.1-microsoft-standard-WSL2", "127.0.0.1", "networkingMode=mirrored")]
    [InlineData("", "/proc/version=Linux version 6.8.0-generic", "127.0.0.1")]
    [InlineData("", "/.dockerenv=", "127.0.0.1", "host.docker.internal")]
    [InlineData("", "/run/.containerenv=", "127.0.0.1", "host.docker.internal")]
    [InlineData("KUBERNETES_SERVICE_HOST=10.0.0.1", "", "127.0.0.1", "host.docker.internal")]
    [InlineData("SSH_CONNECTION=10.0.0.2 50000 10.0.0.1 22", "", "127.0.0.1", "ssh -R 11434:localhost:11434")]
    [InlineData("VSCODE_IPC_HOOK_CLI=/run/vscode.sock", "", "127.0.0.1", "ssh -R 11434:localhost:11434")]
    [InlineData("VSCODE_IPC_HOOK_CLI=/run/vscode.sock", "/.dockerenv=", "127.0.0.1", "host.docker.internal")]
    [InlineData("WSL_DISTRO_NAME=Ubuntu;SSH_CONNECTION=a", "/.dockerenv=", "127.0.0.1", "networkingMode=mirrored", "host.docker.internal", "ssh -R")]
    [InlineData("WSL_DISTRO_NAME=Ubuntu", "", "build-box:11434", "build-box is another machine")]
    public void SaysWhereElseToLook(string variables, string files, string endpoint, params string[] expected)
    {
        var hints = OllamaHints.WhenUnreachable(World(variables, files), OllamaEndpoint.Parse(endpoint)!).ToList();
        Assert.Equal(expected.Length, hints.Count);
        Assert.All(expected.Zip(hints), pair =>
        {
            Assert.Contains(pair.First, pair.Second.English, StringComparison.Ordinal);
            Assert.NotEqual(pair.Second.English, pair.Second.Spanish);
        });
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("OLLAMA_HOST=", false)]
    [InlineData("OLLAMA_HOST=0.0.0.0", false)]
    [InlineData("OLLAMA_HOST=https://host:443/sub", false)]
    [InlineData("OLLAMA_HOST=ftp://host", true)]
    [InlineData("OLLAMA_HOST=host:port", true)]
    public void TellsAnAddressThatIsNone(string variables, bool isBad) => Assert.Equal(isBad, OllamaHints.BadVariable(World(variables, "")) is not null);

    [Theory]
    [InlineData("localhost", null)]
    [InlineData("[::1]:11434", null)]
    [InlineData("gpu.example.org", "code is sent to gpu.example.org")]
    public void TellsWhereCodeGoes(string endpoint, string? expected) => Assert.Equal(expected, OllamaHints.Remote(OllamaEndpoint.Parse(endpoint)!)?.English);

    // NAME=VALUE;NAME=VALUE
    private static Surroundings World(string variables, string files)
    {
        var (environment, texts) = (Pairs(variables), Pairs(files));
        return new(environment.GetValueOrDefault, texts.ContainsKey, texts.GetValueOrDefault);
    }

    private static Dictionary<string, string> Pairs(string text) => text
        .Split(';', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2))
        .ToDictionary(pair => pair[0], pair => pair[1]);
}
