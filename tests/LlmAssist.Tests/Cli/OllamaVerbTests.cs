// Verbs against a stand-in for Ollama, over real HTTP: what people read, the JSON that scripts rely on, and which sockets are opened.
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.FakeOllama;

namespace LlmAssist.Tests.Cli;

public sealed class OllamaVerbTests : IAsyncLifetime
{
    private const string Model = "qwen2.5-coder:1.5b";
    private const string NewFile = "class Order99:\n    def save_order(self, connection):\n        connection.\n";

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60); // only a hang takes so long
    private static readonly FakeModel Chat = new() { Name = "llama3.2:3b", Family = "llama", Capabilities = ["completion", "tools"] };
    private static readonly FakeModel Cloud = new() { Name = "big:cloud", RemoteHost = "https://ollama.com:443", Capabilities = ["completion"] };
    private static readonly FakeModel Coder = new() { Name = Model, VramBytes = 400_000_000, Reply = "execute(\"insert\", self.customer_name, self.total_price)\n" };
    private static readonly Scenario Usual = new() { Models = [Coder, Chat, Cloud], Registry = [new() { Name = "starcoder2:3b", Family = "starcoder2" }] };

    private FakeServer _server = new(Usual, TimeProvider.System);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _server.DisposeAsync().AsTask();

    [Theory]
    [InlineData("models list", Speech.English, "pattern", "1.5B, Q4_K_M, fills in the middle", "runs at https://ollama.com:443: code is sent there")]
    [InlineData("models list", Speech.Spanish, "patrones", "rellena huecos", "no rellena huecos")]
    [InlineData("models load ollama:MODEL", Speech.English, "is in Ollama's memory", "RAM", "381 MB", "8 000 tokens")]
    [InlineData("models load qwen2.5-coder:1.5b", Speech.Spanish, "está en la memoria de Ollama", "tardó")]
    [InlineData("models load shop", Speech.English, "opens", "mapped memory")]
    [InlineData("models unload ollama:MODEL", Speech.English, "was not in Ollama's memory")]
    [InlineData("models inspect ollama:MODEL", Speech.English, "32 768 tokens", "yes, asked in the layout 'qwen'", "fim_prefix")]
    [InlineData("models inspect llama3.2:3b", Speech.Spanish, "no: ", "completion, tools")]
    [InlineData("models pull starcoder2:3b", Speech.English, "starcoder2:3b is installed", "models load starcoder2:3b")]
    [InlineData("models pull starcoder2:3b", Speech.Spanish, "está instalado")]
    [InlineData("models pull llama3.2:3b", Speech.English, "does not fill in the middle")]
    [InlineData("complete CODE/new.py:3:20 --source auto --ollama-model MODEL", Speech.English, "pattern: confidence", "ollama: confidence", "first text after", "Both agree", "Model of Ollama: qwen2.5-coder:1.5b")]
    [InlineData("complete CODE/new.py:3:20 --ollama-model MODEL", Speech.Spanish, "patrones: confianza", "primer texto a los", "Ambos coinciden", "Modelo de Ollama")]
    [InlineData("complete CODE/order_3.py:10:20 --source ollama --ollama-model MODEL", Speech.English, "filtered out: duplicateSuffix")]
    [InlineData("eval CODE --source auto --positions 4 --holdout 30 --ollama-model MODEL", Speech.English, "both (auto)", "keystrokes saved", "381 MB")]
    [InlineData("eval CODE --source ollama --positions 4 --holdout 30 --ollama-model MODEL", Speech.Spanish, "ambos (auto)", "respuesta a los, p50")]
    [InlineData("tour CODE --ollama-model MODEL", Speech.English, "At 12 places: the pattern model suggested", "qwen2.5-coder:1.5b suggested", "->")]
    [InlineData("tour CODE --ollama-model MODEL", Speech.Spanish, "En 12 lugares", "->")]
    [InlineData("doctor", Speech.English, "0.33.0 at http://127.0.0.1", "3 models", "fill in the middle: qwen2.5-coder:1.5b", "in memory: none")]
    [InlineData("doctor", Speech.Spanish, "3 modelos", "rellenan huecos")]
    public async Task TellsPeople(string arguments, Speech speech, params string[] expected)
    {
        using var bench = await Bench().TrainedAsync();
        await File.WriteAllTextAsync(Path.Combine(bench.Code, "new.py"), NewFile);
        var result = await RunAsync(bench, arguments, speech);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.All(expected, text => Assert.Contains(text, result.Output.Replace('\u00a0', ' '), StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', result.Output + result.Error);
    }

    // The properties are a contract: exactly these, in any order. A path leads to the object that is meant.
    [Theory]
    [InlineData("models list", "[1]", "name source sizeBytes modifiedAt loaded family parameterSize quantization capabilities fillsMiddle contextTokens ramBytes vramBytes remoteHost pinned predictedBytes fit fitContextTokens fitEvicts")]
    [InlineData("models list", "[0]", "name source sizeBytes createdAt modifiedAt loaded patternsStored memoryKb sparsity pinned")]
    [InlineData("models load ollama:MODEL", "", "message name source ramBytes vramBytes contextTokens elapsedSeconds evicted")]
    [InlineData("models unload ollama:MODEL", "", "message name source unloaded ramBytes vramBytes")]
    [InlineData("models pull starcoder2:3b", "", "message name source sizeBytes elapsedSeconds")]
    [InlineData("models inspect ollama:MODEL", "", "name source digest sizeBytes family parameterSize quantization trainedContextTokens capabilities layout whyNoLayout templateStart loaded contextTokens ramBytes vramBytes remoteHost")]
    [InlineData("complete CODE/order_3.py:10:20 --ollama-model MODEL", "ollama", "model firstTextMilliseconds elapsedMilliseconds")]
    [InlineData("eval CODE --source auto --positions 4 --holdout 30 --ollama-model MODEL", "", "positions seed lanes model contextTokens")]
    [InlineData("eval CODE --source auto --positions 4 --holdout 30 --ollama-model MODEL", "lanes[2]", "lane shown exact precision similarity keystrokesSaved latencyMilliseconds memoryBytes vramBytes")]
    [InlineData("tour CODE --ollama-model MODEL", "places[0].ollama", "model suggestion verdict confidence firstTextMilliseconds elapsedMilliseconds shown")]
    public async Task AnswersJson(string arguments, string path, string properties)
    {
        using var bench = await Bench().TrainedAsync();
        var result = await RunAsync(bench, arguments + " --json");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(
            properties.Split(' ').Order(StringComparer.Ordinal),
            At(result.Json, path).EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("models load nope", 1, "There is no model 'nope'", "has no model 'nope'", "models pull nope")]
    [InlineData("models load ollama:nope", 1, "Ollama does not have the model nope")]
    [InlineData("models unload ollama:nope", 1, "has no model 'nope'")]
    [InlineData("models delete ollama:MODEL", 1, "ollama rm qwen2.5-coder:1.5b")]
    [InlineData("models delete llama3.2:3b --yes", 1, "ollama rm llama3.2:3b")]
    [InlineData("models pull nope", 1, "Ollama's registry has no model nope")]
    [InlineData("complete CODE/order_3.py:10:20 --source auto", 1, "none is named", "installed are: qwen2.5-coder:1.5b")]
    [InlineData("eval CODE --source auto", 1, "none is named")]
    [InlineData("tour CODE --ollama URL", 1, "none is named")]
    [InlineData("complete CODE/order_3.py:10:20 --ollama 127.0.0.1:9", 1, "Ollama does not answer at http://127.0.0.1:9/")]
    [InlineData("models load ollama:MODEL --ollama 127.0.0.1:9", 1, "Ollama does not answer at http://127.0.0.1:9/")]
    public async Task SaysWhatIsWrong(string arguments, int exitCode, params string[] expected)
    {
        using var bench = await Bench().TrainedAsync();
        var result = await RunAsync(bench, arguments);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.All(expected, text => Assert.Contains(text, result.Error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task MemoryTellsOfWhatOllamaHasInMemory()
    {
        using var bench = await Bench().TrainedAsync();
        Assert.DoesNotContain("ollama:", (await RunAsync(bench, "memory")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(bench, "models load ollama:MODEL")).ExitCode);
        var result = await RunAsync(bench, "memory");
        Assert.Contains("ollama:qwen2.5-coder:1.5b", result.Output, StringComparison.Ordinal);
        Assert.Contains("381 MB", result.Output.Replace('\u00a0', ' '), StringComparison.Ordinal);
        var model = At((await RunAsync(bench, "memory --json")).Json, "models[1]");
        Assert.Equal(("ollama", true), (model.GetProperty("source").GetString(), 0 < model.GetProperty("bytes").GetInt64()));
    }

    // What must not talk to Ollama unasked, by the requests that come there.
    [Theory]
    [InlineData("complete CODE/order_3.py:10:20", 0)]
    [InlineData("eval CODE --holdout 30", 0)]
    [InlineData("tour CODE", 0)]
    [InlineData("memory", 1)]
    [InlineData("models inspect shop", 0)]
    [InlineData("models load shop", 0)]
    [InlineData("models list", 1)]
    public async Task OpensNoSocketUnasked(string arguments, int least)
    {
        using var bench = await Bench().TrainedAsync();
        Assert.Equal(0, (await RunAsync(bench, arguments)).ExitCode);
        Assert.Equal(least, Math.Min(1, _server.Connections));
    }

    [Theory]
    [InlineData("models list", "shop_", "ollama")]
    [InlineData("doctor", "switched off", "warn none")]
    public async Task LeavesOllamaAloneWhereItIsSwitchedOff(string arguments, string expected, string unexpected)
    {
        using var bench = await Bench().TrainedAsync();
        await File.WriteAllTextAsync(Path.Combine(bench.Folders.Home, "config.json"), "{ \"ollama\": { \"enabled\": false } }");
        var result = await RunAsync(bench, arguments);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains(expected, result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(unexpected, result.Output, StringComparison.Ordinal);
        Assert.Equal(0, _server.Connections);
        Assert.Equal(0, (await RunAsync(bench, "models list --ollama URL")).ExitCode);
        Assert.NotEqual(0, _server.Connections);
    }

    // The option, then the file, then the environment.
    [Theory]
    [InlineData("models list --ollama URL", "{ \"ollama.endpoint\": \"127.0.0.1:9\" }", true)]
    [InlineData("models list", "{ \"llmAssist.ollama.endpoint\": \"127.0.0.1:9\" }", false)]
    [InlineData("models list", "{ \"ollama.endpoint\": \"\" }", true)]
    [InlineData("models list", "{ \"ollama.endpoint\": 5 }", true)]
    [InlineData("models list", "{ not json", true)]
    public async Task FindsTheAddress(string arguments, string config, bool isFound)
    {
        using var bench = await Bench().TrainedAsync();
        await File.WriteAllTextAsync(Path.Combine(bench.Folders.Home, "config.json"), config);
        var result = await RunAsync(bench, arguments);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("shop_", result.Output, StringComparison.Ordinal);
        Assert.Equal(isFound, result.Output.Contains(Model, StringComparison.Ordinal));
        Assert.Equal(!isFound, result.Output.Contains("Only pattern models are listed: Ollama does not answer", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1:9", "", "warn", "Ollama does not answer at http://127.0.0.1:9/")]
    [InlineData("ftp://host", "--ollama URL", "warn", "0.33.0 at http://127.0.0.1")]
    [InlineData("127.0.0.1:9", "--ollama URL", "ok", "0.33.0 at http://127.0.0.1")]
    public async Task DoctorFinds(string variable, string option, string state, string found)
    {
        using var bench = new VerbBench { OllamaHost = variable };
        var result = await RunAsync(bench, $"doctor --json {option}".TrimEnd());
        Assert.Equal(0, result.ExitCode);
        var row = result.Json.GetProperty("checks").EnumerateArray().Single(row => row.GetProperty("check").GetString() == "ollama");
        Assert.Equal(state, row.GetProperty("state").GetString());
        Assert.Contains(found, row.GetProperty("found").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TellsThatACloudModelIsSentTheCode()
    {
        using var bench = Bench();
        var result = await RunAsync(bench, "complete CODE/order_3.py:10:20 --ollama-model big:cloud");
        Assert.Contains("big:cloud runs at https://ollama.com:443: the code around the cursor is sent there.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListsWithoutOllamaThatHangs()
    {
        await PlayAsync(Usual with { Faults = [new() { Kind = FaultKind.Stall }] });
        using var bench = await new VerbBench { OllamaHost = _server.Endpoint.ToString(), Time = new NoPatience() }.TrainedAsync();
        var result = await RunAsync(bench, "models list");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("shop_", result.Output, StringComparison.Ordinal);
        Assert.Contains("Only pattern models are listed", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnloadsAndTellsWhatCameBack()
    {
        using var bench = Bench();
        Assert.Equal(0, (await RunAsync(bench, "models load ollama:MODEL")).ExitCode);
        var listed = (await RunAsync(bench, "models list --json")).Json[0];
        Assert.True(listed.GetProperty("loaded").GetBoolean());
        Assert.Equal((1_000_000_000, 400_000_000, 8000), (listed.GetProperty("ramBytes").GetInt64(), listed.GetProperty("vramBytes").GetInt64(), listed.GetProperty("contextTokens").GetInt32()));
        Assert.Contains("381 MB", (await RunAsync(bench, "models list")).Output.Replace('\u00a0', ' '), StringComparison.Ordinal);
        var unloaded = (await RunAsync(bench, "models unload ollama:MODEL --json")).Json;
        Assert.True(unloaded.GetProperty("unloaded").GetBoolean());
        Assert.Equal((1_000_000_000, 400_000_000), (unloaded.GetProperty("ramBytes").GetInt64(), unloaded.GetProperty("vramBytes").GetInt64()));
        Assert.False((await RunAsync(bench, "models list --json")).Json[0].GetProperty("loaded").GetBoolean());
    }

    // Ctrl+C while the server works: the load is aborted there, the download can be gone on with.
    [Theory]
    [InlineData("models load ollama:MODEL", "/api/generate", "Canceled")]
    [InlineData("models pull starcoder2:3b", "/api/pull", "goes on from here")]
    [InlineData("complete CODE/order_3.py:10:20 --ollama-model MODEL", "/api/generate", "Canceled")]
    public async Task CanBeInterrupted(string arguments, string path, string expected)
    {
        await PlayAsync(Usual with { LoadMilliseconds = 3_600_000, Faults = [new() { Kind = FaultKind.Stall, Path = "/api/pull", Frame = 2 }] });
        using var bench = Bench();
        using var interruption = new CancellationTokenSource();
        var running = RunAsync(bench, arguments, Speech.English, interruption.Token);
        var asked = await _server.AskedAsync(path).WaitAsync(Hang);
        await interruption.CancelAsync();
        var result = await running.WaitAsync(Hang);
        Assert.Equal(130, result.ExitCode);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.Equal(Outcome.ClientLeft, await asked.Ended.WaitAsync(Hang));
    }

    [Theory]
    [InlineData("--source ollama", "ollama")]
    [InlineData("--source auto", "pattern")] // both have come to the same
    [InlineData("--source pattern", "pattern")]
    [InlineData("", "pattern")]
    public async Task CompletesFromWhoIsAsked(string source, string expected)
    {
        using var bench = await Bench().TrainedAsync();
        Assert.Equal(0, (await RunAsync(bench, "models load ollama:MODEL")).ExitCode);
        await File.WriteAllTextAsync(Path.Combine(bench.Code, "new.py"), NewFile);
        var items = (await RunAsync(bench, $"complete CODE/new.py:3:20 --inline --json {source}".TrimEnd())).Json.GetProperty("items").EnumerateArray().ToList();
        Assert.Contains(items, item => item.GetProperty("source").GetString() == expected);
        Assert.All(items.Where(item => item.GetProperty("source").GetString() == "ollama"), item =>
            Assert.StartsWith("execute(\"insert\"", item.GetProperty("text").GetString(), StringComparison.Ordinal));
        Assert.All(items, item => Assert.Equal("inline", item.GetProperty("surface").GetString()));
    }

    [Fact]
    public async Task ComparesTheLanesAtTheSamePlaces()
    {
        using var bench = Bench();
        var first = await Lanes();
        var second = await Lanes();
        Assert.Equal(["pattern", "ollama", "auto"], first.Select(lane => lane.GetProperty("lane").GetString()));
        Assert.All(first.Zip(second), pair => Assert.All(
            new[] { "shown", "exact", "precision", "similarity", "keystrokesSaved" },
            name => Assert.Equal(pair.First.GetProperty(name).GetDouble(), pair.Second.GetProperty(name).GetDouble())));
        Assert.Equal(1_000_000_000, first[1].GetProperty("memoryBytes").GetInt64());
        Assert.Equal(400_000_000, first[2].GetProperty("vramBytes").GetInt64());
        Assert.True(first[1].GetProperty("memoryBytes").GetInt64() < first[2].GetProperty("memoryBytes").GetInt64());

        // The warming up asks nobody, and every place costs one generation.
        Assert.Equal(2 * 6, _server.Asked.Count(asked => asked.Path == "/api/generate" && asked.Body?["prompt"]?.ToString() is { Length: > 0 }));

        async Task<List<JsonElement>> Lanes() =>
            [.. (await RunAsync(bench, "eval CODE --source auto --positions 6 --holdout 30 --seed 3 --ollama-model MODEL --json")).Json.GetProperty("lanes").EnumerateArray()];
    }

    [Theory]
    [InlineData("eval CODE --source auto --positions 6 --holdout 30 --ollama-model MODEL", "The comparison ended at place 2 of 6")]
    [InlineData("tour CODE --ollama-model MODEL", "The comparison ended at place 2 of 12")]
    public async Task EndsAComparisonThatOllamaDoesNotSurvive(string arguments, string expected)
    {
        await PlayAsync(Usual with { Faults = [new() { Kind = FaultKind.Error, Path = "/api/generate", From = 3 }] });
        using var bench = Bench();
        var result = await RunAsync(bench, arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
    }

    private VerbBench Bench() => new() { OllamaHost = _server.Endpoint.ToString() };

    private async Task PlayAsync(Scenario scenario)
    {
        await _server.DisposeAsync();
        _server = new(scenario, TimeProvider.System);
    }

    private Task<VerbResult> RunAsync(VerbBench bench, string arguments, Speech speech = Speech.English, CancellationToken cancellation = default) =>
        bench.RunAsync(speech, cancellation, [.. arguments.Split(' ').Select(argument => argument
            .Replace("CODE", bench.Code, StringComparison.Ordinal)
            .Replace("MODEL", Model, StringComparison.Ordinal)
            .Replace("URL", _server.Endpoint.ToString(), StringComparison.Ordinal))]);

    // "lanes[2]", "places[0].ollama", "[1]", or nothing.
    private static JsonElement At(JsonElement element, string path)
    {
        foreach (var part in path.Split(['.', '['], StringSplitOptions.RemoveEmptyEntries))
        {
            element = part.EndsWith(']') ? element[int.Parse(part[..^1], System.Globalization.CultureInfo.InvariantCulture)] : element.GetProperty(part);
        }

        return element;
    }

    // Two seconds pass at once; longer deadlines do not.
    private sealed class NoPatience : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, dueTime == TimeSpan.FromSeconds(2) ? TimeSpan.FromMilliseconds(1) : dueTime, period);
    }
}
