// The client against the stand-in, over sockets: what it asks, what it understands, and when it lets go.
using System.Diagnostics;
using LlmAssist.Engine.Ollama;
using LlmAssist.FakeOllama;

namespace LlmAssist.Tests.Ollama;

public sealed class OllamaClientTests
{
    private static readonly OllamaDeadlines Deadlines = new();

    [Fact]
    public async Task It_tells_what_there_is()
    {
        await using var play = new Play(new Scenario
        {
            Models =
            [
                new() { Digest = new string('a', 64) },
                new() { Name = "nomic-embed-text", Capabilities = ["embedding"], FamiliesNull = true },
                new() { Name = "big:cloud", RemoteHost = "https://ollama.com" },
            ],
            Running = [Play.Model],
            UnknownMembers = true,
        });

        Assert.True((await play.Client.VersionAsync(default)).Has(0, 33, 0));
        var installed = await play.Client.ListAsync(default);
        Assert.Equal([Play.Model, "nomic-embed-text:latest", "big:cloud"], installed.Select(model => model.Name));
        Assert.Equal(
            new InstalledModel(Play.Model, new('a', 64), 986_062_089, play.ServerTime.GetUtcNow(), "qwen2", "1.5B", "Q4_K_M", 32768, installed[0].Capabilities, null),
            installed[0]);
        Assert.Equal(["completion", "tools", "insert"], installed[0].Capabilities);
        Assert.Equal("https://ollama.com", installed[2].RemoteHost);

        var running = Assert.Single(await play.Client.RunningAsync(default));
        Assert.Equal(installed[0].Key, running.Key);
        Assert.Equal(new RunningModel(Play.Model, new('a', 64), 1_400_000_000, 0, 4096, play.ServerTime.GetUtcNow().AddMinutes(5)), running);

        var facts = await play.Client.ShowAsync("QWEN2.5-coder:1.5b", default);
        Assert.Equal("qwen2", facts.Architecture);
        Assert.Equal(28, facts.Number("block_count"));
        Assert.Null(facts.Number("sliding_window"));
        Assert.Equal([1536, 151936], Assert.Single(facts.Tensors).Shape);
        Assert.Contains(".Suffix", facts.Template, StringComparison.Ordinal);
        Assert.Equal(["completion", "tools", "insert"], facts.Capabilities);
    }

    [Fact]
    public async Task Looking_touches_no_model()
    {
        await using var play = new Play(new Scenario { Running = [Play.Model] });
        play.ServerTime.Advance(TimeSpan.FromMinutes(4));
        await play.Client.VersionAsync(default);
        await play.Client.ListAsync(default);
        await play.Client.RunningAsync(default);
        await play.Client.ShowAsync(Play.Model, default);
        play.ServerTime.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(await play.Client.RunningAsync(default));
    }

    [Fact]
    public async Task It_generates_what_the_model_says()
    {
        const string Reply = "if (a < b && c > d) { return \"ñ€\"; }";
        await using var play = new Play(new Scenario { Models = [new() { Reply = Reply }], UnknownMembers = true });
        var generated = await play.GenerateAsync();
        Assert.Equal(Reply, generated.Text);
        Assert.Equal(EndReason.Stop, generated.End!.Reason);
        Assert.Equal(TimeSpan.FromMilliseconds(90), generated.End.PromptTime);
        Assert.Equal(generated.End.GeneratedTokens + 1, play.Server.Asked[0].Frames);
        Assert.Equal(Outcome.Answered, await play.Server.Asked[0].Ended.WaitAsync(Play.Hang));
    }

    [Fact]
    public async Task The_same_prompt_is_continued_the_same_way_with_code()
    {
        await using var play = new Play(new Scenario());
        var request = new GenerateRequest(Play.Model, "<|fim_prefix|>foreach (var item in it<|fim_suffix|>\n}<|fim_middle|>") { Raw = true, MaxTokens = 6, Stop = ["\n\n"] };
        var first = await play.GenerateAsync(request);
        Assert.StartsWith("ems)", first.Text, StringComparison.Ordinal);
        Assert.Equal(EndReason.Length, first.End!.Reason);
        Assert.Equal(6, first.End.GeneratedTokens);
        Assert.Equal(first.Text, (await play.GenerateAsync(request)).Text);
    }

    [Fact]
    public async Task It_goes_on_with_a_conversation()
    {
        const string Reply = "use a < b && c";
        await using var play = new Play(new Scenario { Models = [new() { Reply = Reply }], UnknownMembers = true });
        var messages = new ChatMessage[] { new("system", "Be brief."), new("user", "How?") };
        var generated = await Play.ReadAsync(play.Client.ChatAsync(
            new(Play.Model, messages) { KeepAlive = Timeout.InfiniteTimeSpan, ContextTokens = 4000, Temperature = 0, Stop = ["\n"] }, default));
        Assert.Equal((Reply, EndReason.Stop), (generated.Text, generated.End!.Reason));
        Assert.Equal(
            """{"model":"qwen2.5-coder:1.5b","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"How?"}],"keep_alive":-1,"options":{"num_ctx":4000,"temperature":0,"stop":["\n"]}}""",
            Assert.Single(play.Server.Asked).Body!.ToJsonString());
        Assert.Equal(4000, Assert.Single(await play.Client.RunningAsync(default)).ContextTokens);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_asks_exactly_what_it_means(bool all)
    {
        await using var play = new Play(new Scenario());
        await play.GenerateAsync(all
            ? new(Play.Model, "p<") { Suffix = "s", KeepAlive = TimeSpan.FromMinutes(10), ContextTokens = 4000, MaxTokens = 8, Temperature = 0.1, TopK = 40, TopP = 0.9, RepeatPenalty = 1.1, Seed = 7, Stop = ["\n"] }
            : new(Play.Model, "p") { Suffix = "", Raw = true });
        var asked = Assert.Single(play.Server.Asked);
        Assert.Equal("POST", asked.Method);
        Assert.Equal("application/json", asked.Headers["Content-Type"]);
        Assert.False(asked.Headers.ContainsKey("Origin"));
        Assert.Equal(
            all
                ? """{"model":"qwen2.5-coder:1.5b","prompt":"p<","suffix":"s","keep_alive":600,"options":{"num_ctx":4000,"num_predict":8,"temperature":0.1,"top_k":40,"top_p":0.9,"repeat_penalty":1.1,"seed":7,"stop":["\n"]}}"""
                : """{"model":"qwen2.5-coder:1.5b","prompt":"p","raw":true,"options":{}}""",
            asked.Body!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public async Task Nothing_goes_out_that_means_something_else()
    {
        await using var play = new Play(new Scenario());
        Assert.Throws<ArgumentException>(() => play.Client.GenerateAsync(new(Play.Model, ""), default));
        Assert.Throws<ArgumentException>(() => play.Client.ChatAsync(new(Play.Model, []), default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => play.Client.LoadAsync(Play.Model, 4096, TimeSpan.Zero, default));
        Assert.Throws<ArgumentException>(() => new OllamaClient(new("ftp://127.0.0.1"), TimeProvider.System));
        Assert.Empty(play.Server.Asked);
    }

    [Fact]
    public async Task Models_come_stay_and_go_as_told()
    {
        await using var play = new Play(new Scenario());
        var start = play.ServerTime.GetUtcNow();
        await play.Client.LoadAsync(Play.Model, 8192, TimeSpan.FromMinutes(15), default);
        var loaded = Assert.Single(await play.Client.RunningAsync(default));
        Assert.Equal((8192, start.AddMinutes(15)), (loaded.ContextTokens!.Value, loaded.ExpiresAt!.Value));

        // The duration changes without a reload, because the context is the same; and then sticks.
        await play.Client.LoadAsync(Play.Model, 8192, Timeout.InfiniteTimeSpan, default);
        Assert.True(Assert.Single(await play.Client.RunningAsync(default)).IsKeptForever(start));
        Assert.False(loaded.IsKeptForever(start));
        await play.GenerateAsync(new(Play.Model, "p") { ContextTokens = 8192 });
        Assert.True(Assert.Single(await play.Client.RunningAsync(default)).IsKeptForever(start));
        Assert.Equal(1, play.Server.Loads);

        // No context at all is another context.
        await play.GenerateAsync(new(Play.Model, "p"));
        Assert.Equal(2, play.Server.Loads);

        await play.Client.UnloadAsync("registry.ollama.ai/library/qwen2.5-coder:1.5b", default);
        Assert.Empty(await play.Client.RunningAsync(default));
        Assert.Single(await play.Client.ListAsync(default));
        await play.Client.UnloadAsync(Play.Model, default); // not loaded: no error

        Assert.Equal(
            [
                """{"model":"qwen2.5-coder:1.5b","keep_alive":900,"options":{"num_ctx":8192}}""",
                """{"model":"qwen2.5-coder:1.5b","keep_alive":-1,"options":{"num_ctx":8192}}""",
                """{"model":"registry.ollama.ai/library/qwen2.5-coder:1.5b","keep_alive":0}""",
                """{"model":"qwen2.5-coder:1.5b","keep_alive":0}""",
            ],
            play.Server.Asked.Where(asked => asked.Body is not null && !asked.Body.ContainsKey("prompt")).Select(asked => asked.Body!.ToJsonString()));
        Assert.All(play.Server.Asked, asked => Assert.Contains(asked.Method, new[] { "GET", "POST" }));
    }

    [Fact]
    public async Task An_unload_waits_for_what_is_being_generated()
    {
        await using var play = new Play(new Scenario { FrameMilliseconds = 100, Models = [new() { Reply = "a b" }] });
        var generating = play.GenerateAsync();
        await play.ServerTime.ArmedAsync(TimeSpan.FromMilliseconds(100)).WaitAsync(Play.Hang);
        await play.Client.UnloadAsync(Play.Model, default);
        Assert.Single(await play.Client.RunningAsync(default));
        for (var frame = 1; frame <= 3; frame++)
        {
            await play.ServerTime.ArmedAsync(TimeSpan.FromMilliseconds(100)).WaitAsync(Play.Hang);
            play.ServerTime.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal("a b", (await generating.WaitAsync(Play.Hang)).Text);
        await play.Server.Asked[0].Ended.WaitAsync(Play.Hang);
        Assert.Empty(await play.Client.RunningAsync(default));
    }

    [Fact]
    public async Task A_model_that_will_not_go_stays_in_the_list()
    {
        await using var play = new Play(new Scenario { StuckStopping = true, Running = [Play.Model] });
        await play.Client.UnloadAsync(Play.Model, default);
        play.ServerTime.Advance(TimeSpan.FromSeconds(30));
        Assert.True(Assert.Single(await play.Client.RunningAsync(default)).ExpiresAt < play.ServerTime.GetUtcNow());
    }

    [Fact]
    public async Task Other_clients_evict_and_prolong()
    {
        await using var play = new Play(new Scenario
        {
            Models = [new(), new() { Name = "mistral:7b", LoadedBytes = 5_000_000_000, VramBytes = 5_000_000_000 }],
            Running = [Play.Model, "mistral:7b"],
            Others = [new() { Before = 2, Model = Play.Model, Evict = true }, new() { Before = 3, Model = "mistral:7b", KeepAliveSeconds = 1800 }],
        });
        Assert.Equal(2, (await play.Client.RunningAsync(default)).Count);
        var left = Assert.Single(await play.Client.RunningAsync(default));
        Assert.Equal(("mistral:7b", 0L, play.ServerTime.GetUtcNow().AddMinutes(5)), (left.Name, left.RamBytes, left.ExpiresAt!.Value));
        Assert.Equal(play.ServerTime.GetUtcNow().AddMinutes(30), Assert.Single(await play.Client.RunningAsync(default)).ExpiresAt);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(6, -7.5)]
    [InlineData(9, 5.75)]
    public async Task Times_are_understood_in_every_form(int digits, double offset)
    {
        await using var play = new Play(new Scenario { FractionDigits = digits, OffsetHours = offset, Running = [Play.Model], WithoutContextLength = true });
        var running = Assert.Single(await play.Client.RunningAsync(default));
        Assert.Equal(play.ServerTime.GetUtcNow().AddMinutes(5), running.ExpiresAt);
        Assert.Null(running.ContextTokens);
    }

    [Fact]
    public async Task A_pull_reports_each_layer_and_goes_on_where_it_stopped()
    {
        var model = new FakeModel { Name = "mistral:7b", SizeBytes = 4000 };
        await using var play = new Play(new Scenario { Registry = [model], FrameMilliseconds = 10 });
        var ended = new CancellationTokenSource();
        var seen = new List<long>();
        var first = Task.Run(async () =>
        {
            await foreach (var progress in play.Client.PullAsync("mistral:7b", ended.Token))
            {
                seen.Add(progress.CompletedBytes);
                if (progress.CompletedBytes == 2000)
                {
                    await ended.CancelAsync();
                }
            }
        });
        for (var frame = 1; frame <= 4; frame++)
        {
            await play.ServerTime.ArmedAsync(TimeSpan.FromMilliseconds(10)).WaitAsync(Play.Hang);
            play.ServerTime.Advance(TimeSpan.FromMilliseconds(10));
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Play.Hang));
        Assert.Equal([0, 0, 1000, 2000], seen);
        Assert.Equal(Outcome.ClientLeft, await play.Server.Asked[0].Ended.WaitAsync(Play.Hang));
        Assert.Single(await play.Client.ListAsync(default));
    }

    [Fact]
    public async Task A_pull_ends_when_the_model_is_there()
    {
        await using var play = new Play(new Scenario { Registry = [new() { Name = "mistral:7b", SizeBytes = 4000 }] });
        var steps = await PullAsync(play, "mistral:7b");
        Assert.Equal([0, 1000, 2000, 3000, 4000], steps.Where(step => step.TotalBytes == 4000).Select(step => step.CompletedBytes));
        Assert.Equal(64, Assert.Single(steps.Select(step => step.Digest).Where(digest => digest.Length != 0).Distinct()).Length);
        Assert.Equal("success", steps[^1].Status);
        Assert.Equal(2, (await play.Client.ListAsync(default)).Count);
        Assert.Equal([4000], (await PullAsync(play, "mistral:7b")).Where(step => step.TotalBytes != 0).Select(step => step.CompletedBytes));
    }

    [Theory]
    [InlineData("nope", FaultKind.DeadRunner, OllamaReason.ModelMissing)]
    [InlineData(Play.Model, FaultKind.NoDone, OllamaReason.Interrupted)]
    [InlineData(Play.Model, FaultKind.Torn, OllamaReason.Interrupted)]
    [InlineData(Play.Model, FaultKind.ErrorLine, OllamaReason.Failed)]
    public async Task A_pull_that_fails_says_so(string model, FaultKind kind, OllamaReason reason)
    {
        await using var play = new Play(new Fault { Kind = kind, Frame = 2 });
        var exception = await Assert.ThrowsAsync<OllamaException>(() => PullAsync(play, model));
        Assert.Equal(reason, exception.Reason);
    }

    // The usual way of disposing an HTTP reply reads on for two seconds; Ollama would generate all the while.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Letting_go_closes_the_stream_at_once(bool byToken)
    {
        await using var play = new Play(new Fault { Kind = FaultKind.Stall, Frame = 3 });
        using var cancel = new CancellationTokenSource();
        var count = 0;
        var reading = Task.Run(async () =>
        {
            await foreach (var piece in play.Client.GenerateAsync(new(Play.Model, "int a"), cancel.Token))
            {
                count++;
                if (count == 3 && !byToken)
                {
                    break;
                }
            }
        });
        var asked = await play.Server.AskedAsync("/api/generate").WaitAsync(Play.Hang);
        await asked.FramesAsync(3).WaitAsync(Play.Hang);
        var begun = Stopwatch.GetTimestamp();
        if (byToken)
        {
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Play.Hang));
        }
        else
        {
            await reading.WaitAsync(Play.Hang);
        }

        Assert.Equal(Outcome.ClientLeft, await asked.Ended.WaitAsync(Play.Hang));
        var elapsed = Stopwatch.GetElapsedTime(begun);
        Assert.True(elapsed < TimeSpan.FromSeconds(1), $"It took {elapsed}.");
    }

    [Fact]
    public async Task Cancelling_aborts_a_load_and_a_call_that_waits()
    {
        await using var play = new Play(new Scenario { LoadMilliseconds = 5000, Faults = [new() { Kind = FaultKind.Stall, Path = "/api/tags" }] });
        using var cancel = new CancellationTokenSource();
        var loading = play.Client.LoadAsync(Play.Model, 4096, null, cancel.Token);
        var listing = play.Client.ListAsync(cancel.Token);
        await play.ServerTime.ArmedAsync(TimeSpan.FromSeconds(5)).WaitAsync(Play.Hang);
        var asked = await play.Server.AskedAsync("/api/tags").WaitAsync(Play.Hang);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loading.WaitAsync(Play.Hang));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listing.WaitAsync(Play.Hang));
        Assert.Equal(Outcome.ClientLeft, await asked.Ended.WaitAsync(Play.Hang));
        Assert.Equal(Outcome.ClientLeft, await (await play.Server.AskedAsync("/api/generate")).Ended.WaitAsync(Play.Hang));
        Assert.Equal(0, play.Server.Loads);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => play.Client.VersionAsync(cancel.Token));
        Assert.Equal(2, play.Server.Asked.Count);
    }

    // Who takes time between two pieces is the caller; the deadline does not run then.
    [Fact]
    public async Task A_slow_reader_is_no_silent_server()
    {
        await using var play = new Play(new Scenario { Models = [new() { Reply = "a b c" }] });
        var text = "";
        await foreach (var piece in play.Client.GenerateAsync(new(Play.Model, "p"), default))
        {
            text += piece.Text;
            play.Time.Advance(Deadlines.Silence * 2);
        }

        Assert.Equal("a b c", text);
    }

    [Fact]
    public async Task A_whole_stream_leaves_its_connection_usable()
    {
        await using var play = new Play(new Scenario());
        await play.GenerateAsync();
        await play.GenerateAsync();
        await play.Client.UnloadAsync(Play.Model, default);
        Assert.Equal(1, play.Server.Connections);
    }

    private static async Task<List<PullProgress>> PullAsync(Play play, string model)
    {
        var steps = new List<PullProgress>();
        await foreach (var step in play.Client.PullAsync(model, CancellationToken.None))
        {
            steps.Add(step);
        }

        return steps;
    }
}
