// The host over real HTTP: which model is asked, what brings it in, what takes it out, and how failures show and heal.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.FakeOllama;
using LlmAssist.Tests.Completion;
using LlmAssist.Tests.Ollama;

namespace LlmAssist.Tests.Models;

public sealed class OllamaHostTests
{
    private const string Code = "def area(w, h):\n    return $0\n";

    private static readonly FakeModel Coder = new() { Reply = "w * h\n" };
    private static readonly FakeModel Other = new() { Name = "starcoder2:3b", Family = "starcoder2", Reply = "w * h\n" };
    private static readonly FakeModel Chat = new() { Name = "mistral:7b", Family = "llama", Capabilities = ["completion"], LoadedBytes = 5_000_000_000, SizeBytes = 4_100_000_000 };
    private static readonly FakeModel Embedding = new() { Name = "nomic-embed-text", Family = "nomic-bert", Capabilities = ["embedding"] };
    private static readonly FakeModel Cloud = new() { Name = "big-coder:cloud", RemoteHost = "ollama.com" };

    // Which models are installed, run and named; what is asked then, '-' for none; how things stand.
    [Theory]
    [InlineData("coder", "", "", "-", OllamaCondition.Idle)] // what is not named is never loaded
    [InlineData("coder", "coder", "", "qwen2.5-coder:1.5b", OllamaCondition.Ready)]
    [InlineData("coder chat", "chat", "", "-", OllamaCondition.Idle)] // it runs, and does not fill in the middle
    [InlineData("coder other chat", "chat other", "", "starcoder2:3b", OllamaCondition.Ready)]
    [InlineData("cloud", "cloud", "", "-", OllamaCondition.Idle)] // code is not sent anywhere unasked
    [InlineData("coder", "", "coder", "qwen2.5-coder:1.5b", OllamaCondition.Ready)]
    [InlineData("chat", "", "chat", "mistral:7b", OllamaCondition.Ready)]
    [InlineData("coder other", "other", "coder", "qwen2.5-coder:1.5b", OllamaCondition.Ready)]
    [InlineData("coder", "", "other", "-", OllamaCondition.Degraded)] // not installed
    [InlineData("embedding", "", "embedding", "-", OllamaCondition.Degraded)]
    public async Task The_model_that_is_asked(string installed, string running, string named, string asked, OllamaCondition condition)
    {
        await using var play = new LanePlay(new() { Models = [.. Models(installed)], Running = [.. Models(running).Select(model => model.Name)] }, Models(named).FirstOrDefault()?.Name ?? "");
        play.Probe.Available = ByteSize.GiB(12);
        await LanePlay.UntilAsync(() => play.Host.TryUse() is not null || play.Host.State.Condition == condition);
        Assert.Equal((asked, condition), (play.Host.TryUse()?.Name ?? "-", play.Host.State.Condition));
        Assert.Equal(condition != OllamaCondition.Ready, play.Host.State.Message.English?.Length > 0);
        var loads = named.Length != 0 && asked != "-" && !running.Split(' ').Contains(named) ? 1 : 0;
        Assert.Equal(loads, play.Server.Loads);

        // Looking at models is not using them: only the load is a request to a model.
        Assert.Equal(loads, play.Server.Asked.Count(request => request.Path == "/api/generate"));
    }

    [Theory]
    [InlineData(null, 32768, 4000)] // 3 GiB are free
    [InlineData(null, 2048, 2048)] // not more than it was trained for
    [InlineData(6000, 32768, 6000)]
    [InlineData(6000, 2048, 2048)]
    public async Task The_context_of_a_load(int? setting, int trained, int expected)
    {
        await using var play = new LanePlay(new() { Models = [Coder with { ContextTokens = trained }] }, options: new() { ContextTokens = setting, KeepAlive = TimeSpan.FromMinutes(10) });
        Assert.Equal(OllamaCondition.Ready, await play.ReadyAsync());
        Assert.Equal(expected, play.Host.TryUse()!.ContextTokens);
        var load = play.Server.Asked.Single(asked => asked.Path == "/api/generate").Body!;
        Assert.Equal(expected, load["options"]!["num_ctx"]!.GetValue<int>());
        Assert.Equal(600, load["keep_alive"]!.GetValue<double>());
        Assert.Equal(expected, Assert.Single(play.Host.Residents).ContextTokens);
    }

    [Fact]
    public async Task A_model_that_expired_and_was_loaded_by_others_is_not_ours()
    {
        await using var play = new LanePlay(new() { Models = [Coder], KeepAliveSeconds = 60 });
        await play.ReadyAsync();
        Assert.Equal([Coder.Name], play.Host.LoadedByUs());
        Assert.True(Assert.Single(((IModelHost)play.Host).Residents).IsOurs);
        play.ServerTime.Advance(TimeSpan.FromMinutes(2));
        play.Time.Advance(TimeSpan.FromMinutes(2));
        await play.Host.ListAsync(default);
        play.Server.LoadByOther(Coder.Name);
        await play.Host.ListAsync(default);
        Assert.Empty(play.Host.LoadedByUs());
        Assert.False(Assert.Single(((IModelHost)play.Host).Residents).IsOurs);
    }

    [Fact]
    public async Task Nobody_looks_often_for_one_who_does_not_type()
    {
        await using var play = new LanePlay(new() { Models = [Coder], KeepAliveSeconds = 3600 });
        await play.ReadyAsync();
        using var ending = new CancellationTokenSource();
        var watching = play.Host.WatchAsync(ending.Token);
        for (var passed = 0; passed < 120; passed += 5)
        {
            await play.Time.ArmedAsync(TimeSpan.FromSeconds(5)).WaitAsync(Play.Hang);
            play.Time.Advance(TimeSpan.FromSeconds(5));
        }

        await play.Time.ArmedAsync(TimeSpan.FromSeconds(30)).WaitAsync(Play.Hang);
        play.Host.TryUse();
        play.Time.Advance(TimeSpan.FromSeconds(30));
        await play.Time.ArmedAsync(TimeSpan.FromSeconds(5)).WaitAsync(Play.Hang);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    // The memory that is free from some time after a load with 4000 tokens on, and the contexts of all loads.
    [Theory]
    [InlineData(12, "4000 8000")]
    [InlineData(5, "4000 6000")]
    [InlineData(1.7, "4000")] // what the load has left
    [InlineData(0.3, "4000")] // with less it would not fit either; that it should leave is for the governor to say
    public async Task The_context_follows_free_memory_when_nobody_uses_the_model(double free, string loads)
    {
        await using var play = new LanePlay(new() { Models = [Coder], KeepAliveSeconds = 3600 }, memory: new() { Poll = TimeSpan.FromSeconds(5) });
        await play.ReadyAsync();
        play.Probe.Available = ByteSize.GiB(free);
        using var ending = new CancellationTokenSource();
        var watching = play.Host.WatchAsync(ending.Token);
        var poll = TimeSpan.FromSeconds(5);
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(7); passed += poll)
        {
            // A use begins the waiting anew: the first minute is over when it has been quiet for one.
            await play.Time.ArmedAsync(poll).WaitAsync(Play.Hang);
            if (passed < TimeSpan.FromMinutes(6))
            {
                Assert.Equal(1, play.Server.Loads);
            }

            play.ServerTime.Advance(poll);
            play.Time.Advance(poll);
        }

        await play.Time.ArmedAsync(poll).WaitAsync(Play.Hang);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
        var contexts = play.Server.Asked.Where(asked => asked.Path == "/api/generate").Select(asked => asked.Body!["options"]!["num_ctx"]!.GetValue<int>());
        Assert.Equal(loads, string.Join(' ', contexts));
        Assert.Equal(int.Parse(loads.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture), play.Host.TryUse()!.ContextTokens);
    }

    [Fact]
    public async Task A_model_that_runs_is_used_with_the_context_it_has()
    {
        await using var play = new LanePlay(new() { Models = [Coder], Running = [Coder.Name] });
        await play.ReadyAsync();
        await play.AskAsync(Code);
        Assert.Equal(4096, Assert.Single(play.Generations).Body!["options"]!["num_ctx"]!.GetValue<int>());
        Assert.Equal(0, play.Server.Loads);
    }

    [Fact]
    public async Task Unloading_waits_until_the_model_is_gone_and_typing_does_not_bring_it_back()
    {
        await using var play = new LanePlay(new() { Models = [Coder] });
        await play.ReadyAsync();
        Assert.True(await play.Host.UnloadAsync("QWEN2.5-coder:1.5b", default));
        Assert.Empty(play.Host.Residents);
        Assert.Null(play.Host.TryUse());
        Assert.Equal(OllamaCondition.Idle, play.Host.State.Condition);
        await play.AskAsync(Code);
        Assert.Equal(1, play.Server.Loads);
        Assert.False(await play.Host.UnloadAsync(Coder.Name, default));

        Assert.Equal(Coder.Name, (await play.Host.LoadAsync(Coder.Name, default)).Name);
        Assert.Equal("w * h", LanePlay.Shown(await play.AskAsync(Code), Code));
        Assert.DoesNotContain(play.Server.Asked, asked => asked.Method == "DELETE");
    }

    // Ollama would load it again for a request that was held back, and nobody would have judged that.
    [Fact]
    public async Task A_model_that_was_taken_out_is_not_asked_for_what_was_begun_before()
    {
        await using var play = new LanePlay(new() { Models = [Coder, Other] });
        await play.ReadyAsync();
        var use = play.Host.TryUse()!;
        Assert.True(await ((IModelHost)play.Host).EvictAsync(OllamaHost.IdOf(Coder.Name), default));
        await Assert.ThrowsAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in play.Host.GenerateAsync(use, new(use.Name, "int a"), default))
            {
                Assert.Fail("It was asked.");
            }
        });
        Assert.Equal((1, 0), (play.Server.Loads, play.Server.Generations));

        // Who types brings it back, judged.
        await play.ReadyAsync();
        Assert.Equal((2, 2), (play.Server.Loads, play.Server.MemoryLog.Count(static entry => entry.What == "load")));
    }

    [Fact]
    public async Task A_model_that_does_not_leave_is_told_of()
    {
        await using var play = new LanePlay(new() { Models = [Coder], StuckStopping = true });
        await play.ReadyAsync();
        var unloading = play.Host.UnloadAsync(Coder.Name, default);
        var polling = TimeSpan.FromMilliseconds(100);
        while (!unloading.IsCompleted)
        {
            await Task.WhenAny(unloading, play.Time.ArmedAsync(polling)).WaitAsync(Play.Hang);
            play.Time.Advance(polling);
        }

        Assert.Contains("still in memory", (await Assert.ThrowsAsync<UserException>(() => unloading)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_expired_is_brought_in_again_when_it_is_asked()
    {
        await using var play = new LanePlay(new() { Models = [Coder], KeepAliveSeconds = 60 });
        await play.ReadyAsync();
        play.ServerTime.Advance(TimeSpan.FromMinutes(2));
        play.Time.Advance(TimeSpan.FromMinutes(2));
        await LanePlay.UntilAsync(() =>
        {
            play.Host.TryUse();
            return play.Server.Loads == 2;
        });
        await play.ReadyAsync();
        var contexts = play.Server.Asked.Where(asked => asked.Path == "/api/generate").Select(asked => asked.Body!["options"]!["num_ctx"]!.GetValue<int>());
        Assert.Equal([4000, 4000], contexts);
    }

    [Fact]
    public async Task Who_loads_another_model_does_not_wait_for_what_the_former_one_says()
    {
        await using var play = new LanePlay(
            new() { Models = [Coder with { Reply = new string('x', 400) }, Other with { LoadedBytes = 1_400_000_000 }], FrameMilliseconds = 1000 },
            memory: new() { Limit = ByteSize.GiB(2.5) });
        await play.ReadyAsync();
        var asking = play.AskAsync(Code);
        await LanePlay.UntilAsync(() => play.Generations.Count == 1);
        Assert.Equal(Other.Name, (await play.Host.LoadAsync(Other.Name, default).WaitAsync(Play.Hang)).Name);
        Assert.Equal(Outcome.ClientLeft, await play.Generations[0].Ended.WaitAsync(Play.Hang));
        Assert.Equal([OllamaHost.IdOf(Other.Name)], play.Host.Residents.Select(resident => resident.Id));
        play.Time.Advance(TimeSpan.FromSeconds(5));
        await asking.WaitAsync(Play.Hang);
    }

    [Fact]
    public async Task A_load_beyond_the_limit_is_refused_with_the_numbers()
    {
        await using var play = new LanePlay(
            new() { Models = [Coder, Chat], Running = [Chat.Name] },
            memory: new() { Limit = ByteSize.GiB(5), Scope = EvictionScope.Ours });
        await LanePlay.UntilAsync(() => play.Host.TryUse() is null && play.Host.State.Condition == OllamaCondition.Degraded);
        Assert.Matches(@"needs 1\.\d GB, and of the limit of 5\.0 GB no more than 352 MB can be had", play.Host.State.Message.English);
        Assert.Equal(0, play.Server.Loads);
        var exception = await Assert.ThrowsAsync<RefusedException>(() => play.Host.LoadAsync(Coder.Name, default));
        Assert.Contains("llmAssist.memory.limit", exception.Message, StringComparison.Ordinal);

        play.Keeper.Configure(new() { Limit = ByteSize.GiB(8), Scope = EvictionScope.Ours });
        Assert.Equal(Coder.Name, (await play.Host.LoadAsync(Coder.Name, default)).Name);
        Assert.Equal(OllamaCondition.Ready, play.Host.State.Condition);
    }

    [Fact]
    public async Task Canceling_a_load_aborts_it_and_the_former_model_stays_in_use()
    {
        await using var play = new LanePlay(new() { Models = [Coder, Other], Running = [Coder.Name], LoadMilliseconds = 60_000 });
        await play.ReadyAsync();
        using var canceled = new CancellationTokenSource();
        var loading = play.Host.LoadAsync(Other.Name, canceled.Token);
        var load = await play.Server.AskedAsync("/api/generate").WaitAsync(Play.Hang);
        await LanePlay.UntilAsync(() => play.Host.State is { Condition: OllamaCondition.Loading, Model: "starcoder2:3b" });
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loading);
        Assert.Equal(Outcome.ClientLeft, await load.Ended.WaitAsync(Play.Hang));
        Assert.Equal((OllamaCondition.Ready, Coder.Name), (play.Host.State.Condition, play.Host.TryUse()?.Name));
        Assert.Equal("w * h", LanePlay.Shown(await play.AskAsync(Code), Code));
    }

    [Fact]
    public async Task Another_client_that_loads_the_model_with_another_context_is_followed_not_fought()
    {
        await using var play = new LanePlay(new() { Models = [Coder] });
        await play.ReadyAsync();
        using (var others = new Engine.Ollama.OllamaClient(play.Server.Endpoint, play.Time))
        {
            await others.LoadAsync(Coder.Name, 8192, null, default);
        }

        await play.Host.ListAsync(default);
        await play.AskAsync(Code);
        Assert.Equal(8192, Assert.Single(play.Generations).Body!["options"]!["num_ctx"]!.GetValue<int>());
        Assert.Equal(2, play.Server.Loads);
    }

    [Fact]
    public async Task Lists_say_what_each_model_can_do_and_touch_none()
    {
        await using var play = new LanePlay(new() { Models = [Coder, Chat, Embedding, Cloud], Running = [Coder.Name] });
        await play.ReadyAsync();
        var models = await play.Host.ListAsync(default);
        Assert.Equal(
            ["qwen2.5-coder:1.5b True True True", "mistral:7b False False False", "nomic-embed-text:latest False False False", "big-coder:cloud False False"],
            models.Select(model => $"{model.Installed.Name} {model.Running is not null} {model.IsInUse} {model.FillsMiddle}".Replace("big-coder:cloud False False True", "big-coder:cloud False False", StringComparison.Ordinal)));
        Assert.Equal("ollama.com", models[3].Installed.RemoteHost);
        Assert.DoesNotContain(play.Server.Asked, asked => asked.Path == "/api/generate");
    }

    [Fact]
    public async Task Where_code_will_go_is_told_before_a_model_elsewhere_is_asked()
    {
        await using var play = new LanePlay(new() { Models = [Cloud with { Reply = "w * h\n" }] }, Cloud.Name);
        var told = new List<(string, string, int)>();
        play.Host.GoesElsewhere += (model, host) => told.Add((model, host, play.Server.Asked.Count(asked => asked.Path == "/api/generate")));
        Assert.Equal(OllamaCondition.Ready, await play.ReadyAsync());
        Assert.Equal(("big-coder:cloud", "ollama.com", 0), Assert.Single(told));
    }

    [Fact]
    public async Task A_download_tells_each_layer_and_goes_on_where_it_was_interrupted()
    {
        await using var play = new LanePlay(new() { Models = [], Registry = [Coder], FrameMilliseconds = 1000 }, "");
        using var canceled = new CancellationTokenSource();
        var first = PullAsync(3);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var second = PullAsync(int.MaxValue);
        var steps = await second;
        Assert.True(0 < steps.First(step => step.TotalBytes != 0).CompletedBytes);
        Assert.Equal("success", steps[^1].Status);
        Assert.Equal(Coder.Name, Assert.Single(await play.Host.ListAsync(default)).Installed.Name);

        async Task<List<Engine.Ollama.PullProgress>> PullAsync(int most)
        {
            var steps = new List<Engine.Ollama.PullProgress>();
            var enumerating = Task.Run(async () =>
            {
                await foreach (var step in play.Host.PullAsync(Coder.Name, most == int.MaxValue ? default : canceled.Token))
                {
                    steps.Add(step);
                    if (steps.Count == most)
                    {
                        await canceled.CancelAsync();
                    }
                }
            });
            while (!enumerating.IsCompleted)
            {
                await Task.WhenAny(enumerating, play.ServerTime.ArmedAsync(TimeSpan.FromSeconds(1)));
                play.ServerTime.Advance(TimeSpan.FromSeconds(1));
            }

            await enumerating;
            return steps;
        }
    }

    [Fact]
    public async Task A_server_too_old_to_tell_what_runs_is_asked_all_the_same()
    {
        await using var play = new LanePlay(new() { Models = [Coder], WithoutRunning = true });
        Assert.Equal(OllamaCondition.Ready, await play.ReadyAsync());
        Assert.Equal("w * h", LanePlay.Shown(await play.AskAsync(Code), Code));
    }

    [Fact]
    public async Task Ollama_that_is_not_there_is_no_trouble_unless_a_model_of_it_was_named()
    {
        await using var play = new LanePlay(new());
        var nobody = new Uri("http://127.0.0.1:9");
        play.Host.Configure(play.Options with { Endpoint = nobody, Model = "" });
        Assert.Equal(OllamaCondition.Absent, await play.ReadyAsync());
        play.Host.Configure(play.Options with { Endpoint = nobody });
        play.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(OllamaCondition.Degraded, await play.ReadyAsync());
        play.Host.Configure(play.Options with { Endpoint = null });
        Assert.Equal(OllamaCondition.Off, play.Host.State.Condition);
    }

    private static IEnumerable<FakeModel> Models(string names) => names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => name switch
    {
        "coder" => Coder,
        "other" => Other,
        "chat" => Chat,
        "embedding" => Embedding,
        _ => Cloud,
    });
}
