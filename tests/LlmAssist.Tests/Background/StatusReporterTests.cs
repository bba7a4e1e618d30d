using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Server.Background;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Background;

public sealed class StatusReporterTests
{
    private static readonly OllamaState Trouble = new(OllamaCondition.Degraded, new("Ollama is silent.", "Ollama no responde."), "a:1b");
    private static readonly OllamaState Well = new(OllamaCondition.Ready, default, "a:1b");

    // What happens to the lane within the pause after a notification, and the states that are told from then on. In truth Ollama is off throughout:
    // whatever is told of a trouble is told of one that is over.
    [Theory]
    [InlineData("well", "ready")]
    [InlineData("trouble", "degraded ready")]
    [InlineData("trouble well", "degraded ready")]
    [InlineData("trouble well trouble well", "degraded ready")]
    public async Task A_trouble_is_told_also_when_it_is_over_by_then(string changes, string told)
    {
        using var folder = new TempFolder();
        await using var server = new TestServer();
        await server.InitializeAsync();
        var time = server.Time;
        var probe = MemoryProbe.ForThisMachine();
        using var host = new ModelHost(new PatternStore(folder.Path, time), time);
        using var keeper = new MemoryKeeper(folder["shared"], probe, time);
        using var ollama = new OllamaHost(keeper, RunnerProcesses.ForThisMachine(), time, CompletionEngine.FillsMiddle);
        using var engine = new CompletionEngine(host, time, ollama);
        var status = new StatusReporter(server.Client, host, ollama, keeper, engine, probe, time);
        using var ending = new CancellationTokenSource();
        var pausing = time.NextTimer();
        var running = status.RunAsync(ending.Token);
        status.Changed();
        Assert.Equal("ready", await NextAsync(server));
        await pausing;

        foreach (var change in changes.Split(' '))
        {
            status.Changed(change == "trouble" ? Trouble : Well);
        }

        foreach (var state in told.Split(' '))
        {
            pausing = time.NextTimer();
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(state, await NextAsync(server));
            await pausing;
        }

        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static async Task<string?> NextAsync(TestServer server) => (await server.ReadAsync("llmAssist/status")).GetProperty("state").GetString();
}
