// Every way in which Ollama fails, as a user meets it: the whole server behind a pipe, the stand-in behind a socket.
using System.Text.Json;
using LlmAssist.FakeOllama;
using LlmAssist.Tests.Ollama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Handlers;

public sealed class OllamaFaultProductTests
{
    private const string Uri = "file:///w/shop.py";
    private const string Habit = "total_price = unit_price * quantity\n";
    private const int Speed = 5;

    // What goes wrong with which request to generate (the first is the load), once; after which it is as before. Each is told by one change of
    // the status, and heals.
    [Theory]
    [InlineData("""{"kind":"reset","from":3}""")]
    [InlineData("""{"kind":"reset","from":3,"frame":2}""")]
    [InlineData("""{"kind":"stall","from":3,"frame":1}""")]
    [InlineData("""{"kind":"error","from":3,"status":500}""")]
    [InlineData("""{"kind":"error","from":3,"status":503,"text":"server busy, please try again.  maximum pending requests exceeded"}""")]
    [InlineData("""{"kind":"error","from":3,"status":404,"text":"model 'qwen2.5-coder:1.5b' not found"}""")]
    [InlineData("""{"kind":"error","from":3,"status":500,"text":"model requires more system memory (21.5 GiB) than is available (12.0 GiB)"}""")]
    [InlineData("""{"kind":"error","from":3,"status":403,"text":""}""")]
    [InlineData("""{"kind":"body","from":3,"status":502,"text":"<html>Bad Gateway</html>","contentType":"text/html"}""")]
    [InlineData("""{"kind":"body","from":3,"status":200,"text":"not json"}""")]
    [InlineData("""{"kind":"redirect","from":3,"text":"http://example.invalid/"}""")]
    [InlineData("""{"kind":"errorLine","from":3}""")]
    [InlineData("""{"kind":"errorLine","from":3,"frame":2}""")]
    [InlineData("""{"kind":"torn","from":3,"frame":2}""")]
    [InlineData("""{"kind":"longLine","from":3,"frame":2}""")]
    [InlineData("""{"kind":"deadRunner","from":3}""")]
    [InlineData("""{"kind":"loadCrash","from":1}""")]
    [InlineData("""{"kind":"error","from":1,"status":500,"text":"timed out waiting for llama-server to start - progress 0.00"}""")]
    [InlineData("""{"kind":"raw","from":3,"raw":"U1NILTIuMC1PcGVuU1NIDQo="}""")]
    public async Task Degrades_to_the_pattern_lane_and_heals(string fault)
    {
        await using var play = new Session($$"""{"models":[{"reply":"unit_price * 2\n"}],"faults":[{"path":"/api/generate","times":1,{{fault[1..]}}]}""");
        await play.BeginAsync();
        if (fault.Contains("\"from\":1", StringComparison.Ordinal))
        {
            await play.AskAsync();
        }
        else
        {
            await play.UntilAsync(() => play.Outcomes[^1] is "failed" or "late", play.AskAsync);
        }

        // It may be over as soon as it is told.
        await play.UntilAsync(() => play.States.Contains("degraded"), play.Server.SettleAsync);
        Assert.NotEqual("", play.Server.Statuses.First(status => status.GetProperty("state").GetString() == "degraded").GetProperty("message").GetString());
        await play.UntilAsync(() => play.Outcomes[^1] is "answered" or "joined", play.AskAsync);
        await play.UntilAsync(() => play.States[^1] == "ready", play.Server.SettleAsync);
        Assert.Single(play.States, state => state == "degraded");
        Assert.StartsWith("Completions are asked of qwen2.5-coder:1.5b too.", play.Server.Logged[^1], StringComparison.Ordinal);

        // Nothing was shown to the user, and all that was asked was answered: Session sees to it.
        Assert.DoesNotContain(play.Ollama.Asked, asked => asked.Method == "DELETE");
    }

    // What is odd and no failure: completions come from the model, and the status says nothing of it.
    [Theory]
    [InlineData("""{"loadMilliseconds":200,"frameMilliseconds":5}""")]
    [InlineData("""{"fractionDigits":9,"offsetHours":-5.5}""")]
    [InlineData("""{"fractionDigits":0}""")]
    [InlineData("""{"withoutContextLength":true}""")]
    [InlineData("""{"withoutRunning":true,"version":"0.1.30"}""")]
    [InlineData("""{"errorsAsLines":true,"version":"0.12.5"}""")]
    [InlineData("""{"unknownMembers":true,"version":"99.0.0-rc7+build"}""")]
    [InlineData("""{"keepAliveSeconds":0.2}""")]
    [InlineData("""{"faults":[{"path":"/api/generate","kind":"noDone","from":3,"frame":3,"times":1}]}""")]
    [InlineData("""{"others":[{"before":12,"model":"qwen2.5-coder:1.5b","evict":true}]}""")]
    [InlineData("""{"others":[{"before":10,"model":"qwen2.5-coder:1.5b","keepAliveSeconds":1800}]}""")]
    [InlineData("""{"running":["qwen2.5-coder:1.5b"]}""")]
    public async Task Takes_what_is_odd_as_it_comes(string scenario)
    {
        await using var play = new Session($$"""{"models":[{"reply":"unit_price < 2 && 3 > 1\n","familiesNull":true,"vramBytes":1400000000}],{{scenario[1..]}}""");
        await play.BeginAsync();
        await play.UntilAsync(() => 5 <= play.Outcomes.Count(outcome => outcome is "answered" or "joined"), play.AskAsync);
        await play.UntilAsync(() => play.States[^1] == "ready", play.Server.SettleAsync);
        Assert.DoesNotContain("degraded", play.States);
        Assert.DoesNotContain("failed", play.Outcomes);
    }

    [Fact]
    public async Task An_Ollama_that_comes_late_and_goes_for_a_while_is_found_again()
    {
        // A port that nobody uses at present.
        var first = new FakeServer(Scenario.Parse("""{"models":[{"reply":"unit_price * 2\n"}]}"""), TimeProvider.System);
        var port = first.Endpoint.Port;
        await first.DisposeAsync();
        await using var play = new Session("{}", new Uri($"http://127.0.0.1:{port}"));
        await play.BeginAsync();
        await play.UntilAsync(() => play.States is [.., "degraded"], play.AskAsync);
        await using (new FakeServer(Scenario.Parse("""{"models":[{"reply":"unit_price * 2\n"}]}"""), TimeProvider.System, port))
        {
            await play.UntilAsync(() => play.Outcomes[^1] is "answered" or "joined", play.AskAsync);
            await play.UntilAsync(() => play.States[^1] == "ready", play.Server.SettleAsync);
        }

        await play.UntilAsync(() => play.States[^1] == "degraded", play.AskAsync);
        await using (new FakeServer(Scenario.Parse("""{"models":[{"reply":"unit_price * 2\n"}]}"""), TimeProvider.System, port))
        {
            await play.UntilAsync(() => play.States[^1] == "ready", play.AskAsync);
        }
    }

    // One editor at the whole server. Every answer must have something in it, from whichever lane, and nothing may be shown.
    private sealed class Session : IAsyncDisposable
    {
        private int _row;

        public Session(string scenario, Uri? endpoint = null)
        {
            Ollama = new(Scenario.Parse(scenario), TimeProvider.System);
            Server = new(new TempFolder(), endpoint ?? Ollama.Endpoint, new QuickTime(Speed));
        }

        public FakeServer Ollama { get; }

        public TestServer Server { get; }

        public List<string> Outcomes { get; } = [""];

        /// <summary>The states that the status has told, without repetitions.</summary>
        public IReadOnlyList<string> States
        {
            get
            {
                var states = new List<string>();
                foreach (var status in Server.Statuses)
                {
                    var state = status.GetProperty("state").GetString()!;
                    if (states.Count == 0 || states[^1] != state)
                    {
                        states.Add(state);
                    }
                }

                return states.Count == 0 ? [""] : states;
            }
        }

        public async Task BeginAsync()
        {
            await Server.InitializeAsync("""{"textDocument":{"inlineCompletion":{} } }""", ",\"initializationOptions\":{\"ollama.model\":\"qwen2.5-coder:1.5b\",\"completion.minConfidence\":0.2}");
            await Server.NotifyAsync("textDocument/didOpen", JsonSerializer.Serialize(new { textDocument = new { uri = Uri, languageId = "python", version = 1, text = "" } }));
        }

        /// <summary>The user begins another line of their habit, and asks for its end.</summary>
        public async Task AskAsync()
        {
            var text = string.Concat(Enumerable.Repeat(Habit, 20)) + $"row{++_row} = {_row}\ntotal_price = ";
            await Server.NotifyAsync("textDocument/didChange", JsonSerializer.Serialize(new { textDocument = new { uri = Uri, version = _row + 1 }, contentChanges = new[] { new { text } } }));
            var id = await Server.RequestAsync("textDocument/inlineCompletion", JsonSerializer.Serialize(new
            {
                textDocument = new { uri = Uri },
                position = new { line = 21, character = "total_price = ".Length },
                context = new { triggerKind = 1 },
            }));
            var result = await Server.ResultAsync(id);
            Assert.NotEqual(0, result.GetProperty("items").GetArrayLength());
            var explained = await Server.ResultAsync(await Server.RequestAsync("workspace/executeCommand", """{"command":"llmAssist.completion.explain"}"""));
            Outcomes.Add(explained.GetProperty("ollama").GetProperty("outcome").GetString()!);
        }

        public async Task UntilAsync(Func<bool> holds, Func<Task> act)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            while (!holds())
            {
                Assert.True(clock.Elapsed < Play.Hang, $"It never came about. States: {string.Join(' ', States)}. Outcomes: {string.Join(' ', Outcomes.TakeLast(20))}.");
                await act();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await Ollama.DisposeAsync();
        }
    }
}
