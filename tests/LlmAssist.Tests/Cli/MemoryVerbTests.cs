// 'memory', 'models pin' and what a load costs others: with a history on the disk, a stand-in for Ollama, and a screen.
using System.Text.Json;
using System.Xml.Linq;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Sharing;
using LlmAssist.FakeOllama;

namespace LlmAssist.Tests.Cli;

public sealed class MemoryVerbTests : IAsyncLifetime
{
    private const string Coder = "qwen2.5-coder:1.5b";
    private const string Chat = "llama3.2:3b";
    private const string Large = "codellama:34b";

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60); // only a hang takes so long
    private static readonly ModelId CoderId = new(ModelSource.Ollama, Coder);
    private static readonly Scenario Usual = new()
    {
        Models =
        [
            new() { Name = Coder },
            new() { Name = Chat, Family = "llama", SizeBytes = 4_000_000_000, LoadedBytes = 5_000_000_000, Capabilities = ["completion", "tools"] },
            new() { Name = Large, Family = "llama", SizeBytes = 19_000_000_000, LoadedBytes = 20_000_000_000 },
        ],
    };

    private FakeServer _server = new(Usual, TimeProvider.System);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _server.DisposeAsync().AsTask();

    [Theory]
    [InlineData(Speech.English, "taken out for room", "To make room.", "models at most", "1.4 GB", "machine at least")]
    [InlineData(Speech.Spanish, "sacado por falta de sitio", "Para hacer sitio.", "modelos, máximo")]
    public async Task TellsWhatHasHappened(Speech speech, params string[] expected)
    {
        using var bench = Bench();
        Remember(bench);
        var result = await bench.RunAsync(speech, CancellationToken.None, "memory", "--history");
        Assert.Equal(0, result.ExitCode);
        Assert.All([Coder, .. expected], text => Assert.Contains(text, result.Output, StringComparison.Ordinal));
    }

    // The same names as llmAssist.memory.history has, which clients read.
    [Fact]
    public async Task AnswersTheHistoryInTheShapeOfTheProtocol()
    {
        using var bench = Bench();
        Remember(bench);
        var json = (await bench.RunAsync("memory", "--history", "--json")).Json;
        Assert.Equal(NamesOf(typeof(Server.Lsp.HistoryAnswer)), NamesIn(json));
        Assert.Equal(NamesOf(typeof(Server.Lsp.HistorySample)), NamesIn(json.GetProperty("samples")[0]));
        Assert.Equal(NamesOf(typeof(Server.Lsp.HistoryShare)), NamesIn(json.GetProperty("samples")[0].GetProperty("models")[0]));
        Assert.Equal(NamesOf(typeof(Server.Lsp.HistoryEvent)), NamesIn(json.GetProperty("events")[0]));
        Assert.Equal("evict", json.GetProperty("events")[0].GetProperty("kind").GetString());
    }

    [Theory]
    [InlineData("", 2)]
    [InlineData("--hours 3", 1)]
    [InlineData("--hours 0.01", 0)]
    public async Task LooksBackAsFarAsItIsTold(string option, int samples)
    {
        using var bench = Bench();
        Remember(bench);
        var result = await RunAsync(bench, $"memory --history --json {option}".TrimEnd());
        Assert.Equal(samples, result.Json.GetProperty("samples").GetArrayLength());
    }

    [Fact]
    public async Task DrawsTheHistory()
    {
        using var bench = Bench();
        Remember(bench);
        var path = bench.PathTo("memory.svg");
        var result = await bench.RunAsync("memory", "--plot", path);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("samples: 2, events: 1", result.Output, StringComparison.Ordinal);
        Assert.Contains(Coder, XDocument.Load(path).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SaysThatItCannotWriteThere()
    {
        using var bench = Bench();
        var result = await bench.RunAsync("memory", "--plot", bench.PathTo("nowhere/memory.svg"));
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("nowhere", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TellsLimitUseAndAdvice()
    {
        using var bench = Bench();
        Configure(bench, """{ "memory": { "limit": 7 } }""");
        Assert.Equal(0, (await RunAsync(bench, $"models load ollama:{Coder}")).ExitCode);
        Assert.Equal(0, (await RunAsync(bench, $"models pin ollama:{Coder}")).ExitCode);
        var json = (await RunAsync(bench, "memory --json")).Json;
        var model = json.GetProperty("models")[0];
        Assert.Equal(7L << 30, json.GetProperty("limitBytes").GetInt64());
        Assert.True(model.GetProperty("pinned").GetBoolean());
        Assert.NotEqual(JsonValueKind.Null, model.GetProperty("lastUsed").ValueKind);
        Assert.Equal(8000, model.GetProperty("contextTokens").GetInt32());
        var shown = (await RunAsync(bench, "memory")).Output;
        Assert.All(["limit 7.0 GB", "just now", "pinned"], text => Assert.Contains(text, shown, StringComparison.Ordinal));
        Assert.Equal(0, (await RunAsync(bench, $"models unload ollama:{Coder}")).ExitCode);
        Assert.Contains($"Fits now: {Coder} with 8000 tokens", (await RunAsync(bench, "memory")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("old", "too old to tell what it has in memory")]
    [InlineData("off", "Memory is only shown")]
    public async Task AdvisesWhatTheEditorAdvises(string what, string expected)
    {
        using var bench = Bench();
        if (what == "old")
        {
            await PlayAsync(bench, Usual with { WithoutRunning = true });
        }
        else
        {
            Configure(bench, """{ "memory.enabled": false }""");
        }

        Assert.Contains(expected, (await RunAsync(bench, "memory")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ollama:")]
    public async Task PinsAndUnpins(string prefix)
    {
        using var bench = await Bench().TrainedAsync();
        var name = prefix.Length == 0 ? "shop" : prefix + Coder;
        Assert.True((await RunAsync(bench, $"models pin {name} --json")).Json.GetProperty("pinned").GetBoolean());
        Assert.True(await IsListedAsPinned());
        Assert.Contains("pinned, ", (await RunAsync(bench, "models list")).Output, StringComparison.Ordinal);
        Assert.False((await RunAsync(bench, $"models unpin {name} --json")).Json.GetProperty("pinned").GetBoolean());
        Assert.False(await IsListedAsPinned());

        async Task<bool> IsListedAsPinned() => (await RunAsync(bench, "models list --json")).Json.EnumerateArray()
            .Single(row => row.GetProperty("source").GetString() == (prefix.Length == 0 ? "pattern" : "ollama") && !row.GetProperty("name").GetString()!.Contains("llama", StringComparison.Ordinal))
            .GetProperty("pinned").GetBoolean();
    }

    [Fact]
    public async Task UnpinsWhatIsNoLongerThere()
    {
        using var bench = Bench();
        Assert.Equal(0, (await RunAsync(bench, "models pin ollama:gone:1b")).ExitCode);
        var result = await RunAsync(bench, "models unpin gone:1b");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("may be taken out", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SaysThatASettingPinsItStill()
    {
        using var bench = Bench();
        Configure(bench, $$"""{ "memory.pinned": ["ollama:{{Coder}}"] }""");
        Assert.Contains("stays pinned", (await RunAsync(bench, $"models unpin ollama:{Coder}")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListsWhatFits()
    {
        using var bench = Bench();
        Assert.Equal(0, (await RunAsync(bench, $"models load ollama:{Coder}")).ExitCode);
        var rows = (await RunAsync(bench, "models list --json")).Json.EnumerateArray().ToDictionary(row => row.GetProperty("name").GetString()!);
        Assert.Equal(JsonValueKind.Null, rows[Coder].GetProperty("fit").ValueKind);
        Assert.Equal("afterEvicting", rows[Chat].GetProperty("fit").GetString());
        Assert.Equal($"ollama:{Coder}", rows[Chat].GetProperty("fitEvicts")[0].GetString());
        Assert.Equal("no", rows[Large].GetProperty("fit").GetString());
        Assert.True(18_000_000_000 < rows[Large].GetProperty("predictedBytes").GetInt64());
        var shown = (await RunAsync(bench, "models list")).Output;
        Assert.All(["loaded", "if 1 leaves", "~"], text => Assert.Contains(text, shown, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Speech.English, "Taken out of memory for it: qwen2.5-coder:1.5b (")]
    [InlineData(Speech.Spanish, "Se sacó de la memoria para ello: qwen2.5-coder:1.5b (")]
    public async Task TellsWhatWasTakenOutForALoad(Speech speech, string expected)
    {
        using var bench = Bench();
        Assert.Equal(0, (await RunAsync(bench, $"models load ollama:{Coder}")).ExitCode);
        var result = await RunAsync(bench, $"models load ollama:{Chat}", speech);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains(expected, result.Output, StringComparison.Ordinal);
        Assert.Contains("evict", (await RunAsync(bench, "memory --history --json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnswersWhatWasTakenOutForALoad()
    {
        using var bench = Bench();
        Assert.Equal(0, (await RunAsync(bench, $"models load ollama:{Coder}")).ExitCode);
        var result = await RunAsync(bench, $"models load ollama:{Chat} --json");
        Assert.Equal($"ollama:{Coder}", Assert.Single(result.Json.GetProperty("evicted").EnumerateArray()).GetString());
    }

    [Fact]
    public async Task SaysThatAnotherWindowLoads()
    {
        using var interruption = new CancellationTokenSource();
        using var bench = Bench();
        bench.Said = text =>
        {
            if (text.Contains("Waiting: process", StringComparison.Ordinal))
            {
                interruption.Cancel();
            }
        };
        await using var lease = await LoadLease.AcquireAsync(bench.Folders.Shared, CoderId, TimeProvider.System, null, CancellationToken.None);
        var result = await RunAsync(bench, $"models load ollama:{Chat}", Speech.English, interruption.Token).WaitAsync(Hang);
        Assert.Equal(130, result.ExitCode);
        Assert.Contains($"Waiting: process {Environment.ProcessId}, perhaps an editor window, is loading {Coder}", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("warn", "The limit of 15.0 GB leaves little", """{ "memory.limit": 15 }""")]
    [InlineData("ok", "6.0 GB (medium); for 16.0 GB medium is recommended", "{}")]
    [InlineData("warn", "off: nothing is refused", """{ "memory.enabled": false }""")]
    public async Task DoctorJudgesTheLimit(string state, string expected, string config)
    {
        using var bench = Bench();
        Configure(bench, config);
        var row = RowOf(await RunAsync(bench, "doctor --json"), "memory limit");
        Assert.Equal(state, row.GetProperty("state").GetString());
        Assert.Contains(expected, row.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DoctorTellsWhatIsInMemoryAndThatOllamaIsOld()
    {
        using var bench = Bench();
        Assert.Equal(0, (await RunAsync(bench, $"models load ollama:{Coder}")).ExitCode);
        var result = await RunAsync(bench, "doctor --json");
        Assert.Contains($"in memory: {Coder} (", RowOf(result, "memory").GetRawText(), StringComparison.Ordinal);
        Assert.Equal("ok", RowOf(result, "shared state").GetProperty("state").GetString());
        Assert.Contains("PSI", RowOf(result, "memory figures").GetRawText(), StringComparison.Ordinal);
        await PlayAsync(bench, Usual with { WithoutRunning = true });
        Assert.Contains("too old to tell", RowOf(await RunAsync(bench, "doctor --json"), "ollama").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DoctorWarnsThatNothingCanBeShared()
    {
        using var bench = Bench();
        await File.WriteAllTextAsync(bench.Folders.Home, "a file where the folder should be");
        Assert.Equal("warn", RowOf(await RunAsync(bench, "doctor --json"), "shared state").GetProperty("state").GetString());
    }

    // Without a screen pictures follow each other; on one they replace each other.
    [Theory]
    [InlineData(null, "models in RAM", 3, false)]
    [InlineData(100, "Memory of models", 3, true)]
    public async Task WatchesUntilInterrupted(int? screen, string mark, int times, bool moves)
    {
        using var interruption = new CancellationTokenSource();
        using var bench = new VerbBench { Time = new ThirdPauseCancels(interruption), Screen = screen };
        Configure(bench, """{ "ollama": { "enabled": false } }""");
        Remember(bench);
        var result = await bench.RunAsync(Speech.English, interruption.Token, "memory", "--watch");
        Assert.Equal(130, result.ExitCode);
        Assert.InRange(result.Output.Split(mark).Length - 1, times, times + 1); // the last is shown once more when it ends
        Assert.Equal(moves, result.Output.Contains('\u001b'));
        if (moves)
        {
            Assert.All(["█", "░", "9.0 GB of 16.0 GB left", "of 6.0 GB", "To make room.", "Ctrl+C ends this.", "\u001b[?25h"], text => Assert.Contains(text, result.Output, StringComparison.Ordinal));
        }
    }

    private VerbBench Bench() => new() { OllamaHost = _server.Endpoint.ToString() };

    private async Task PlayAsync(VerbBench bench, Scenario scenario)
    {
        await _server.DisposeAsync();
        _server = new(scenario, TimeProvider.System);
        bench.OllamaHost = _server.Endpoint.ToString();
    }

    private static Task<VerbResult> RunAsync(VerbBench bench, string arguments, Speech speech = Speech.English, CancellationToken cancellation = default) =>
        bench.RunAsync(speech, cancellation, arguments.Split(' '));

    private static void Configure(VerbBench bench, string config)
    {
        Directory.CreateDirectory(bench.Folders.Home);
        File.WriteAllText(Path.Combine(bench.Folders.Home, "config.json"), config);
    }

    // Ten hours ago and one hour ago, and an eviction.
    private static void Remember(VerbBench bench)
    {
        var now = TimeProvider.System.GetUtcNow();
        var history = new MemoryHistory(bench.Folders.Shared, TimeProvider.System);
        foreach (var hours in new[] { 10, 1 })
        {
            history.Add(new MemorySample(now.AddHours(-hours), ByteSize.GiB(16), ByteSize.GiB(9), ByteSize.GiB(6), [new(CoderId, ByteSize.GiB(1.4))]));
        }

        history.Add(new MemoryEvent(now.AddHours(-2), MemoryEventKind.Evict, CoderId, ByteSize.GiB(1.4), new("To make room.", "Para hacer sitio.")));
    }

    private static JsonElement RowOf(VerbResult result, string check) =>
        result.Json.GetProperty("checks").EnumerateArray().Single(row => row.GetProperty("check").GetString() == check);

    private static IEnumerable<string> NamesOf(Type record) => record.GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Order(StringComparer.Ordinal);

    private static IEnumerable<string> NamesIn(JsonElement json) => json.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal);

    // Two seconds, which is how long pictures stay, pass at once; Ctrl+C is pressed while the third picture is shown.
    private sealed class ThirdPauseCancels(CancellationTokenSource interruption) : TimeProvider
    {
        private int _pauses;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != TimeSpan.FromSeconds(2))
            {
                return System.CreateTimer(callback, state, dueTime, period);
            }

            if (Interlocked.Increment(ref _pauses) == 3)
            {
                interruption.Cancel();
                return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
            }

            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
