// Everything that goes wrong with Ollama, over sockets: each ends as one OllamaException with the right reason, or as less text.
using System.Net;
using System.Net.Sockets;
using LlmAssist.Engine;
using LlmAssist.Engine.Ollama;
using LlmAssist.FakeOllama;

namespace LlmAssist.Tests.Ollama;

public sealed class OllamaFaultTests
{
    private const string Reply = "a b c d";

    private static readonly OllamaDeadlines Deadlines = new();

    [Theory]
    [InlineData(FaultKind.Reset, 0, "", OllamaReason.Unreachable)]
    [InlineData(FaultKind.Reset, 2, "a b", OllamaReason.Interrupted)]
    [InlineData(FaultKind.Torn, 0, "", OllamaReason.Interrupted)]
    [InlineData(FaultKind.Torn, 2, "a b", OllamaReason.Interrupted)]
    [InlineData(FaultKind.ErrorLine, 0, "", OllamaReason.Failed)]
    [InlineData(FaultKind.ErrorLine, 2, "a b", OllamaReason.Failed)]
    [InlineData(FaultKind.LongLine, 0, "", OllamaReason.BadReply)]
    [InlineData(FaultKind.LongLine, 2, "a b", OllamaReason.BadReply)]
    [InlineData(FaultKind.LoadCrash, 0, "", OllamaReason.Failed)]
    [InlineData(FaultKind.DeadRunner, 0, "", OllamaReason.Failed)]
    [InlineData(FaultKind.Redirect, 0, "", OllamaReason.BadReply)]
    [InlineData(FaultKind.NoDone, 0, "", null)]
    [InlineData(FaultKind.NoDone, 2, "a b", null)]
    public async Task A_generation_ends_early(FaultKind kind, int frame, string text, OllamaReason? reason)
    {
        await using var play = new Play(new Scenario
        {
            Models = [new() { Reply = Reply }],
            Faults = [new() { Kind = kind, Frame = frame, Times = 1, Text = kind == FaultKind.Redirect ? "http://example.invalid/" : new Fault { Kind = kind }.Text }],
        });
        var generated = await play.GenerateAsync().WaitAsync(Play.Hang);
        Assert.Equal(text, generated.Text);
        Assert.Equal(reason, generated.Failure?.Reason);
        Assert.Equal(reason is null ? EndReason.Truncated : null, generated.End?.Reason);

        // And heals by itself.
        Assert.Equal(Reply, (await play.GenerateAsync().WaitAsync(Play.Hang)).Text);
    }

    [Theory]
    [InlineData(FaultKind.Torn, OllamaReason.Interrupted)]
    [InlineData(FaultKind.ErrorLine, OllamaReason.Failed)]
    [InlineData(FaultKind.LongLine, OllamaReason.BadReply)]
    [InlineData(FaultKind.NoDone, null)]
    public async Task A_conversation_ends_early_in_the_same_ways(FaultKind kind, OllamaReason? reason)
    {
        await using var play = new Play(new Scenario { Models = [new() { Reply = Reply }], Faults = [new() { Kind = kind, Frame = 2 }] });
        var generated = await Play.ReadAsync(play.Client.ChatAsync(new(Play.Model, [new("user", "p")]), default)).WaitAsync(Play.Hang);
        Assert.Equal(("a b", reason), (generated.Text, generated.Failure?.Reason));
        Assert.Equal(reason is null ? EndReason.Truncated : null, generated.End?.Reason);
    }

    [Theory]
    [InlineData(404, "model 'x' not found", OllamaReason.ModelMissing)]
    [InlineData(400, "invalid model name", OllamaReason.Unsupported)]
    [InlineData(400, "registry.ollama.ai/library/yi-coder:latest does not support insert", OllamaReason.Unsupported)]
    [InlineData(400, "time: missing unit in duration \"300\"", OllamaReason.Unsupported)]
    [InlineData(500, "option \"num_ctx\" must be of type integer", OllamaReason.Unsupported)]
    [InlineData(500, "model requires more system memory (21.5 GiB) than is available (12.0 GiB)", OllamaReason.OutOfMemory)]
    [InlineData(500, "llama runner process has terminated: cudaMalloc failed: out of memory", OllamaReason.OutOfMemory)]
    [InlineData(500, "llama runner process has terminated: signal: killed", OllamaReason.OutOfMemory)]
    [InlineData(500, "timed out waiting for llama-server to start - progress 0.00", OllamaReason.Failed)]
    [InlineData(500, "llama-server process has terminated: exit status 1: error", OllamaReason.Failed)]
    [InlineData(503, "server busy, please try again.  maximum pending requests exceeded", OllamaReason.Busy)]
    public async Task An_error_has_the_same_reason_however_it_comes(int status, string text, OllamaReason reason)
    {
        foreach (var old in new[] { false, true })
        {
            await using var play = new Play(new Scenario { ErrorsAsLines = old, Faults = [new() { Kind = FaultKind.Error, Status = status, Text = text }] });
            Assert.Equal(reason, (await play.GenerateAsync()).Failure!.Reason);
            Assert.Equal(reason, (await Failure(() => play.Client.LoadAsync(Play.Model, 4096, null, default))).Reason);
            Assert.Equal(reason, (await Failure(() => play.Client.ShowAsync(Play.Model, default))).Reason);
        }
    }

    [Theory]
    [InlineData(200, "<html>hello</html>", OllamaReason.BadReply)]
    [InlineData(200, "", OllamaReason.BadReply)]
    [InlineData(200, "null", OllamaReason.BadReply)]
    [InlineData(200, "[]", OllamaReason.BadReply)]
    [InlineData(200, "{\"version\":", OllamaReason.BadReply)]
    [InlineData(200, "{\"error\":\"model 'x' not found\"}", OllamaReason.ModelMissing)]
    [InlineData(200, "{\"error\":{\"message\":\"x\"}}", OllamaReason.Failed)]
    [InlineData(404, "404 page not found", OllamaReason.Unsupported)]
    [InlineData(405, "405 method not allowed", OllamaReason.Unsupported)]
    [InlineData(403, "", OllamaReason.Forbidden)]
    [InlineData(401, "{\"error\":\"unauthorized\"}", OllamaReason.Forbidden)]
    [InlineData(500, "", OllamaReason.BadReply)]
    [InlineData(502, "<h1>Bad Gateway \u001b[31m</h1>", OllamaReason.BadReply)]
    [InlineData(204, "", OllamaReason.BadReply)]
    public async Task Replies_that_are_none_of_ollama_are_told_apart(int status, string body, OllamaReason reason)
    {
        await using var play = new Play(new Fault { Kind = FaultKind.Body, Status = status, Text = body, ContentType = "text/plain" });
        var exception = await Failure(() => play.Client.VersionAsync(default));
        Assert.Equal(reason, exception.Reason);
        Assert.DoesNotContain(exception.Phrase.English, char.IsControl);
        Assert.NotEqual(exception.Phrase.English, exception.Phrase.Spanish);
        Assert.Equal(exception.Phrase.English, exception.Message);
    }

    [Fact]
    public async Task Nobody_follows_a_redirection()
    {
        await using var elsewhere = new Play(new Scenario());
        await using var play = new Play(new Fault { Kind = FaultKind.Redirect, Text = new Uri(elsewhere.Server.Endpoint, "/api/generate").ToString() });
        Assert.Equal(OllamaReason.BadReply, (await play.GenerateAsync()).Failure!.Reason);
        Assert.Empty(elsewhere.Server.Asked);
        Assert.Single(play.Server.Asked);
    }

    [Fact]
    public async Task Nobody_listening_is_unreachable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var client = new OllamaClient(new($"http://127.0.0.1:{port}"), TimeProvider.System);
        var exception = await Failure(() => client.VersionAsync(default));
        Assert.Equal(OllamaReason.Unreachable, exception.Reason);
        Assert.True(exception.ConcernsServer);
        Assert.Contains($"127.0.0.1:{port}", exception.Phrase.In(Speech.Spanish), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_servers_have_no_list_of_what_runs()
    {
        await using var play = new Play(new Scenario { WithoutRunning = true });
        Assert.Equal(OllamaReason.Unsupported, (await Failure(() => play.Client.RunningAsync(default))).Reason);
    }

    [Fact]
    public async Task A_dead_runner_is_listed_until_it_is_used()
    {
        await using var play = new Play(new Scenario { Running = [Play.Model], Faults = [new() { Kind = FaultKind.DeadRunner, Path = "/api/generate", Times = 1 }] });
        Assert.Single(await play.Client.RunningAsync(default));
        Assert.Equal(OllamaReason.Failed, (await play.GenerateAsync()).Failure!.Reason);
        Assert.Empty(await play.Client.RunningAsync(default));
        Assert.Null((await play.GenerateAsync()).Failure);
    }

    // What stalls where, and which deadline ends it. The connection is closed then.
    [Theory]
    [InlineData("version", 0, nameof(OllamaDeadlines.Answer))]
    [InlineData("version", 1, nameof(OllamaDeadlines.Answer))]
    [InlineData("generate", 0, nameof(OllamaDeadlines.Load))]
    [InlineData("generate", 2, nameof(OllamaDeadlines.Silence))]
    [InlineData("load", 0, nameof(OllamaDeadlines.Load))]
    [InlineData("unload", 0, nameof(OllamaDeadlines.Unload))]
    [InlineData("pull", 1, nameof(OllamaDeadlines.PullSilence))]
    public async Task Silence_has_an_end(string call, int frame, string deadline)
    {
        var span = deadline switch
        {
            nameof(OllamaDeadlines.Answer) => Deadlines.Answer,
            nameof(OllamaDeadlines.Load) => Deadlines.Load,
            nameof(OllamaDeadlines.Unload) => Deadlines.Unload,
            nameof(OllamaDeadlines.PullSilence) => Deadlines.PullSilence,
            _ => Deadlines.Silence,
        };
        await using var play = new Play(new Fault { Kind = FaultKind.Stall, Frame = frame });
        var calling = Failure(() => CallAsync(play, call));
        var asked = await play.Server.AskedAsync($"/api/{call switch { "version" => "version", "pull" => "pull", _ => "generate" }}").WaitAsync(Play.Hang);
        await asked.FramesAsync(call == "version" ? 0 : frame).WaitAsync(Play.Hang);
        await play.Time.ArmedAsync(span).WaitAsync(Play.Hang);

        // The first to end may be the deadline for the beginning of the reply; the one for its rest is then as long.
        while (!calling.IsCompleted)
        {
            await Task.WhenAny(calling, play.Time.ArmedAsync()).WaitAsync(Play.Hang);
            play.Time.Advance(span);
        }

        Assert.Equal(OllamaReason.TimedOut, (await calling).Reason);
        Assert.Equal(Outcome.ClientLeft, await asked.Ended.WaitAsync(Play.Hang));
    }

    [Theory]
    [InlineData(FaultKind.NoDone, OllamaReason.Interrupted)]
    [InlineData(FaultKind.Torn, OllamaReason.Interrupted)]
    [InlineData(FaultKind.ErrorLine, OllamaReason.Failed)]
    [InlineData(FaultKind.LongLine, OllamaReason.BadReply)]
    [InlineData(FaultKind.LoadCrash, OllamaReason.Failed)]
    public async Task A_load_that_fails_says_so(FaultKind kind, OllamaReason reason)
    {
        await using var play = new Play(new Fault { Kind = kind });
        Assert.Equal(reason, (await Failure(() => play.Client.LoadAsync(Play.Model, 4096, null, default))).Reason);
    }

    [Fact]
    public async Task A_model_without_the_ability_is_refused()
    {
        await using var play = new Play(new Scenario { Models = [new() { Capabilities = ["completion"] }, new() { Name = "nomic", Capabilities = ["embedding"] }] });
        Assert.Equal(OllamaReason.Unsupported, (await play.GenerateAsync(new(Play.Model, "p") { Suffix = "s" })).Failure!.Reason);
        Assert.Equal(OllamaReason.Unsupported, (await play.GenerateAsync(new("nomic", "p"))).Failure!.Reason);
        Assert.Equal(OllamaReason.ModelMissing, (await play.GenerateAsync(new("nope", "p"))).Failure!.Reason);
        Assert.Equal(["completion"], (await play.Client.ShowAsync(Play.Model, default)).Capabilities);
    }

    private static async Task<OllamaException> Failure(Func<Task> call) => await Assert.ThrowsAsync<OllamaException>(call).WaitAsync(Play.Hang);

    private static async Task CallAsync(Play play, string call)
    {
        switch (call)
        {
            case "version":
                await play.Client.VersionAsync(default);
                break;
            case "load":
                await play.Client.LoadAsync(Play.Model, 4096, null, default);
                break;
            case "unload":
                await play.Client.UnloadAsync(Play.Model, default);
                break;
            case "pull":
                await foreach (var step in play.Client.PullAsync(Play.Model, default))
                {
                    Assert.NotNull(step);
                }

                break;
            default:
                await foreach (var piece in play.Client.GenerateAsync(new(Play.Model, "int a"), default))
                {
                    Assert.Null(piece.End);
                }

                break;
        }
    }
}
