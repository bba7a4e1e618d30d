using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Server.Session;

namespace LlmAssist.Tests.Session;

public sealed class ServerSettingsTests
{
    [Theory]
    [InlineData("""{"completion":{"minConfidence":0.25}}""", "0.25")]
    [InlineData("""{"completion.minConfidence":0.25}""", "0.25")]
    [InlineData("""{"llmAssist":{"completion":{"minConfidence":0.25}}}""", "0.25")]
    [InlineData("""{"llmAssist":{"completion.minConfidence":0.25}}""", "0.25")]
    [InlineData("""{"llmAssist.completion.minConfidence":0.25}""", "0.25")]
    [InlineData("""{"llmAssist.completion":{"minConfidence":0.25}}""", "0.25")]
    [InlineData("""{"completion":{"minConfidence":null}}""", "0.5")]
    [InlineData("""{"completion":{"completion":{"minConfidence":0.25}}}""", "0.5")]
    [InlineData("""{"minConfidence":0.25,"other":{"a":{"b":[]}},"other2":{"model":7}}""", "0.5")]
    [InlineData("""{"completion":7,"memory":[],"training":null}""", "0.5")]
    [InlineData("[]", "0.5")]
    [InlineData("null", "0.5")]
    [InlineData("7", "0.5")]
    public void Are_found_in_every_shape(string json, string expected) =>
        Check(json, settings => settings.MinConfidence.ToString(System.Globalization.CultureInfo.InvariantCulture), expected);

    [Theory]
    [InlineData("completion.source", "\"off\"", "Off")]
    [InlineData("completion.source", "\"pattern\"", "Pattern")]
    [InlineData("completion.list", "false", "False")]
    [InlineData("completion.inline", "false", "False")]
    [InlineData("completion.languages", """{"*":false,"go":true}""", "go")]
    [InlineData("completion.languages", """{"go":false}""", "c#")]
    [InlineData("completion.languages", "{}", "go c#")]
    [InlineData("completion.minConfidence", "1", "1")]
    [InlineData("ollama.enabled", "false", "False")]
    [InlineData("ollama.endpoint", "\"\"", "")]
    [InlineData("ollama.endpoint", "\"localhost:8080\"", "http://localhost:8080/")]
    [InlineData("ollama.endpoint", "\"https://example.org/ollama\"", "https://example.org/ollama")]
    [InlineData("ollama.model", "\" qwen2.5-coder:1.5b \"", "qwen2.5-coder:1.5b")]
    [InlineData("ollama.model", "\"\"", "")]
    [InlineData("ollama.layout", "\"deepseek\"", "deepseek")]
    [InlineData("ollama.layout", "\"none\"", "none")]
    [InlineData("ollama.layout", "\"\"", "")]
    [InlineData("ollama.keepAlive", "\"10m\"", "00:10:00")]
    [InlineData("ollama.keepAlive", "\"1h30m\"", "01:30:00")]
    [InlineData("ollama.keepAlive", "\"-1m\"", "-00:00:00.0010000")]
    [InlineData("ollama.keepAlive", "\"300\"", "00:05:00")]
    [InlineData("ollama.keepAlive", "-1", "-00:00:00.0010000")]
    [InlineData("ollama.keepAlive", "0.5", "00:00:00.5000000")]
    [InlineData("ollama.keepAlive", "\"\"", "")]
    [InlineData("ollama.maxTokens", "1", "1")]
    [InlineData("ollama.temperature", "0", "0")]
    [InlineData("ollama.topK", "0", "0")]
    [InlineData("ollama.topP", "1", "1")]
    [InlineData("ollama.repeatPenalty", "1.5", "1.5")]
    [InlineData("memory.context", "\"auto\"", "")]
    [InlineData("memory.context", "4096", "4096")]
    [InlineData("memory.enabled", "false", "False")]
    [InlineData("memory.pollSeconds", "5", "00:00:05")]
    [InlineData("memory.pinned", """["ollama:Llama3","pattern:net"]""", "ollama:llama3:latest|pattern:net")]
    [InlineData("memory.pinned", """["net"]""", "ollama:net:latest|pattern:net")]
    [InlineData("memory.pinned", "[]", "")]
    [InlineData("memory.evict", "\"ours\"", "Ours")]
    [InlineData("memory.evict", "\"all\"", "All")]
    [InlineData("memory.unloadOnExit", "true", "True")]
    [InlineData("memory.onModelSwitch", "\"unload\"", "Unload")]
    [InlineData("memory.onModelSwitch", "\"keep\"", "Keep")]
    [InlineData("memory.onModelSwitch", "\"ask\"", "Ask")]
    [InlineData("memory.limit", "\"low\"", "2147483648")]
    [InlineData("memory.limit", "\"medium\"", "6442450944")]
    [InlineData("memory.limit", "\"high\"", "12884901888")]
    [InlineData("memory.limit", "\"veryHigh\"", "25769803776")]
    [InlineData("memory.limit", "0.5", "536870912")]
    [InlineData("training.auto", "false", "False")]
    [InlineData("training.folders", """["/a","/b"]""", "/a|/b")]
    [InlineData("training.exclude", "[]", "")]
    [InlineData("training.maxFileKilobytes", "64", "64")]
    public void Are_taken(string name, string value, string expected) => Check($$"""{"{{name}}":{{value}}}""", settings => Shown(settings, name), expected);

    [Theory]
    [InlineData("completion.source", "\"Auto\"", "\"auto\", \"pattern\", \"ollama\" or \"off\"")]
    [InlineData("completion.source", "7", "\"auto\", \"pattern\", \"ollama\" or \"off\"")]
    [InlineData("completion.source", "\"\\ud800\"", "\"auto\", \"pattern\", \"ollama\" or \"off\"")]
    [InlineData("completion.list", "1", "true or false")]
    [InlineData("completion.languages", "[\"go\"]", "an object")]
    [InlineData("completion.languages", "{\"go\":1}", "an object")]
    [InlineData("completion.minConfidence", "1.01", "a number from 0 to 1")]
    [InlineData("completion.minConfidence", "-0.1", "a number from 0 to 1")]
    [InlineData("completion.minConfidence", "\"NaN\"", "a number from 0 to 1")]
    [InlineData("completion.minConfidence", "1e999", "a number from 0 to 1")]
    [InlineData("ollama.enabled", "\"yes\"", "true or false")]
    [InlineData("ollama.endpoint", "\"ftp://example.org\"", "an address such as")]
    [InlineData("ollama.endpoint", "\"http://user:secret@example.org\"", "an address such as")]
    [InlineData("ollama.endpoint", "7", "an address such as")]
    [InlineData("ollama.model", "7", "a model's name")]
    [InlineData("ollama.layout", "\"gpt\"", "nothing or one of codegemma")]
    [InlineData("ollama.keepAlive", "0", "a duration such as")]
    [InlineData("ollama.keepAlive", "\"0\"", "a duration such as")]
    [InlineData("ollama.keepAlive", "\"10\\u0000m\"", "a duration such as")]
    [InlineData("ollama.keepAlive", "\"10 m\"", "a duration such as")]
    [InlineData("ollama.keepAlive", "\"ten\"", "a duration such as")]
    [InlineData("ollama.keepAlive", "true", "a duration such as")]
    [InlineData("ollama.keepAlive", "1e300", "a duration such as")]
    [InlineData("ollama.maxTokens", "0", "a whole number from 1 to 2048")]
    [InlineData("ollama.maxTokens", "1.5", "a whole number from 1 to 2048")]
    [InlineData("ollama.temperature", "-0.1", "a number from 0 to 2")]
    [InlineData("ollama.topK", "\"40\"", "a whole number from 0 to 1000")]
    [InlineData("ollama.topP", "1.1", "a number from 0 to 1")]
    [InlineData("ollama.repeatPenalty", "3", "a number from 0 to 2")]
    [InlineData("memory.context", "255", "\"auto\" or a whole number of tokens")]
    [InlineData("memory.context", "\"4096\"", "\"auto\" or a whole number of tokens")]
    [InlineData("memory.enabled", "1", "true or false")]
    [InlineData("memory.pollSeconds", "0", "a whole number of seconds from 1 to 3600")]
    [InlineData("memory.pollSeconds", "3601", "a whole number of seconds from 1 to 3600")]
    [InlineData("memory.pinned", "\"net\"", "a list of models")]
    [InlineData("memory.evict", "\"none\"", "\"all\" or \"ours\"")]
    [InlineData("memory.onModelSwitch", "\"never\"", "\"ask\", \"unload\" or \"keep\"")]
    [InlineData("memory.limit", "0", "\"low\", \"medium\", \"high\", \"veryHigh\" or a number of GiB")]
    [InlineData("memory.limit", "-1", "\"low\", \"medium\", \"high\", \"veryHigh\" or a number of GiB")]
    [InlineData("memory.limit", "1e300", "\"low\", \"medium\", \"high\", \"veryHigh\" or a number of GiB")]
    [InlineData("memory.limit", "\"huge\"", "\"low\", \"medium\", \"high\", \"veryHigh\" or a number of GiB")]
    [InlineData("training.folders", "\"/a\"", "a list of strings")]
    [InlineData("training.folders", "[1]", "a list of strings")]
    [InlineData("training.exclude", "[\"\\ud800\"]", "a list of strings")]
    [InlineData("memory.limit", "\"\\ud800\"", "\"low\", \"medium\", \"high\", \"veryHigh\" or a number of GiB")]
    [InlineData("training.maxFileKilobytes", "0", "a number of kilobytes")]
    public void That_cannot_be_used_are_told_and_left_as_they_were(string name, string value, string expected)
    {
        var complaints = new List<Phrase>();
        var settings = Read($$"""{"{{name}}":{{value}}}""", complaints);
        var complaint = Assert.Single(complaints);
        Assert.Contains($"llmAssist.{name} is {value}; expected is {expected}", complaint.English, StringComparison.Ordinal);
        Assert.Contains($"llmAssist.{name} es {value}; se espera", complaint.Spanish, StringComparison.Ordinal);
        Assert.Equal(Shown(new ServerSettings(), name), Shown(settings, name));
    }

    [Fact]
    public void Every_setting_has_a_test_here()
    {
        var tested = GetType().GetMethod(nameof(Are_taken))!.GetCustomAttributes(typeof(InlineDataAttribute), inherit: false)
            .SelectMany(attribute => ((InlineDataAttribute)attribute).GetData(null!))
            .Select(row => (string)row[0]!)
            .Distinct();
        Assert.Equal(ServerSettings.Names, tested);
    }

    [Fact]
    public void A_long_bad_value_is_cut_and_the_good_ones_beside_it_count()
    {
        var complaints = new List<Phrase>();
        var settings = Read($$$"""{"completion":{"source":"{{{new string('x', 10_000)}}}","list":false} }""", complaints);
        Assert.False(settings.List);
        Assert.InRange(Assert.Single(complaints).English.Length, 1, 300);
    }

    [Fact]
    public void Later_layers_overlay_earlier_ones()
    {
        var (settings, problems) = ServerSettings.Parse(
            default,
            JsonElement.Parse("""{"completion":{"list":false,"minConfidence":0.1}}"""),
            JsonElement.Parse("null"),
            JsonElement.Parse("""{"completion.minConfidence":0.9,"completion.inline":null}"""));
        Assert.Empty(problems);
        Assert.Equal((false, true, 0.9), (settings.List, settings.Inline, settings.MinConfidence));
    }

    private static void Check(string json, Func<ServerSettings, string> show, string expected)
    {
        var complaints = new List<Phrase>();
        Assert.Equal(expected, show(Read(json, complaints)));
        Assert.Empty(complaints);
    }

    private static ServerSettings Read(string json, List<Phrase> complaints)
    {
        var (settings, problems) = ServerSettings.Parse(JsonElement.Parse(json));
        complaints.AddRange(problems);
        return settings;
    }

    private static string Shown(ServerSettings settings, string name) => name switch
    {
        "completion.source" => $"{settings.Source}",
        "completion.list" => $"{settings.List}",
        "completion.inline" => $"{settings.Inline}",
        "completion.languages" => string.Join(' ', new[] { "go", "c#" }.Where(settings.Serves)),
        "completion.minConfidence" => $"{settings.MinConfidence}",
        "ollama.enabled" => $"{settings.OllamaEnabled}",
        "ollama.endpoint" => $"{settings.OllamaEndpoint}",
        "ollama.model" => settings.OllamaModel,
        "ollama.layout" => settings.Sampling.Layout,
        "ollama.keepAlive" => $"{settings.OllamaKeepAlive}",
        "ollama.maxTokens" => $"{settings.Sampling.MaxTokens}",
        "ollama.temperature" => $"{settings.Sampling.Temperature}",
        "ollama.topK" => $"{settings.Sampling.TopK}",
        "ollama.topP" => $"{settings.Sampling.TopP}",
        "ollama.repeatPenalty" => $"{settings.Sampling.RepeatPenalty}",
        "memory.context" => $"{settings.MemoryContext}",
        "memory.enabled" => $"{settings.MemoryEnabled}",
        "memory.pollSeconds" => $"{settings.MemoryPoll}",
        "memory.pinned" => string.Join('|', settings.MemoryPinned),
        "memory.evict" => $"{settings.MemoryEvict}",
        "memory.unloadOnExit" => $"{settings.MemoryUnloadOnExit}",
        "memory.onModelSwitch" => $"{settings.MemoryOnModelSwitch}",
        "memory.limit" => $"{settings.MemoryLimit}",
        "training.auto" => $"{settings.TrainingAuto}",
        "training.folders" => string.Join('|', settings.TrainingFolders),
        "training.exclude" => string.Join('|', settings.TrainingExclude),
        "training.maxFileKilobytes" => $"{settings.TrainingMaxFileKilobytes}",
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "A setting without a test."),
    };
}
