// Both lanes on stage: the engine over a folder of pattern models and a stand-in for Ollama, each with a clock of its own.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Text;
using LlmAssist.FakeOllama;
using LlmAssist.Tests.Ollama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Completion;

/// <summary>A user who types into one document, and what answers.</summary>
internal sealed class LanePlay : IAsyncDisposable
{
    public const string Uri = "file:///w/main.py";

    private readonly TempFolder _folder = new();
    private readonly ModelHost _patterns;

    /// <param name="model">The model to ask; empty for one that runs.</param>
    /// <param name="memory">What all models may take, and which may leave.</param>
    public LanePlay(Scenario scenario, string model = Play.Model, OllamaOptions? options = null, MemoryOptions? memory = null)
    {
        Server = new(scenario, ServerTime);
        _patterns = new(new(_folder["models"], TimeProvider.System), Time);
        Keeper = new(_folder["shared"], Probe, Time);
        Keeper.Add(_patterns);
        Keeper.Configure(memory ?? new());
        Host = new(Keeper, Runners, Time, CompletionEngine.FillsMiddle);
        Engine = new(_patterns, Time, Host);
        Options = (options ?? new()) with { Endpoint = Server.Endpoint, Model = model };
        Host.Configure(Options);
    }

    public ArmedTime Time { get; } = new();

    public ArmedTime ServerTime { get; } = new();

    public FakeServer Server { get; }

    /// <summary>What the machine has: 16 GiB, of which 3 are free, unless a test says otherwise.</summary>
    public StagedMemory Probe { get; } = new();

    /// <summary>The processes of models that can be seen.</summary>
    public StagedRunners Runners { get; } = new();

    public MemoryKeeper Keeper { get; }

    public OllamaHost Host { get; }

    public OllamaOptions Options { get; }

    public CompletionEngine Engine { get; }

    public CompletionSettings Settings { get; set; } = new();

    /// <summary>The requests that asked for text.</summary>
    public IReadOnlyList<Asked> Generations => [.. Server.Asked.Where(asked => asked.Path == "/api/generate" && asked.Body?["prompt"] is not null)];

    /// <summary>Puts the model into use, and waits until it is, or until it is known that it cannot be.</summary>
    public async Task<OllamaCondition> ReadyAsync()
    {
        await UntilAsync(() => Host.TryUse() is not null || Host.State.Condition is OllamaCondition.Degraded or OllamaCondition.Absent);
        return Host.State.Condition;
    }

    /// <summary>Waits for something that the host's or the server's progress brings about.</summary>
    public static async Task UntilAsync(Func<bool> holds)
    {
        // What moves comes by way of the pool, and of sockets.
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(clock.Elapsed < Play.Hang, "It never came about.");
            await Task.Yield();
        }
    }

    /// <summary>Asks at <c>$0</c>.</summary>
    public Task<CompletionReport> AskAsync(string text, bool isExplicit = true, CancellationToken cancellation = default, CompletionSurface surface = CompletionSurface.Inline) =>
        Engine.CompleteAsync(Query(text) with { IsExplicit = isExplicit, Surface = surface, WithLine = surface == CompletionSurface.List }, Settings, cancellation).AsTask();

    /// <summary>The document becomes this text; the cursor, at <c>$0</c>, is the user's own affair.</summary>
    public void Edit(string text) => Engine.Edited(Uri, Query(text).Text);

    public static CompletionQuery Query(string text)
    {
        var offset = text.IndexOf("$0", StringComparison.Ordinal);
        return new()
        {
            Uri = Uri,
            Path = "main.py",
            Repository = "w",
            Language = Language.ById("python"),
            Text = new(text.Remove(offset, 2)),
            Offset = offset,
            Surface = CompletionSurface.Inline,
        };
    }

    /// <summary>What would be inserted behind the cursor; null for nothing.</summary>
    public static string? Shown(CompletionReport report, string text)
    {
        var cursor = text.IndexOf("$0", StringComparison.Ordinal);
        return report.Items.Count == 0 ? null : report.Items[0].Text[(cursor - report.Items[0].ReplaceStart)..];
    }

    /// <summary>Learns a text as a pattern model.</summary>
    public void Learn(string text)
    {
        _folder.Write(Path.Combine("src", "learned.py"), text);
        _patterns.Load(TinyCorpus.Train(new(_folder["models"], TimeProvider.System), _folder["src"]).Stored);
    }

    public async ValueTask DisposeAsync()
    {
        Engine.Dispose();
        Host.Dispose();
        Keeper.Dispose();
        await Server.DisposeAsync().AsTask().WaitAsync(Play.Hang);
        _patterns.Dispose();
        _folder.Dispose();
    }

    internal sealed class StagedMemory : IMemoryProbe
    {
        public ByteSize Available { get; set; } = ByteSize.GiB(3);

        public MemoryPressure? Pressure { get; set; }

        public MemoryReading Read() => new(new SystemMemory(ByteSize.GiB(16), Available, LimitedByGroup: false), null, []) { Pressure = Pressure };
    }

    internal sealed class StagedRunners : IRunnerProbe
    {
        public IReadOnlyList<RunnerProcess> Seen { get; set; } = [];

        public IReadOnlyList<RunnerProcess> Read(bool rescan) => Seen;
    }
}
