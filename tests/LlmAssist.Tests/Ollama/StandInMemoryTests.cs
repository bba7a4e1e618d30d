// The stand-in's memory and scheduler: what models take and when, who leaves for whom, who waits, and what other clients do to them.
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using LlmAssist.Engine.Ollama;
using LlmAssist.FakeOllama;
using LlmAssist.Tests.Completion;

namespace LlmAssist.Tests.Ollama;

public sealed class StandInMemoryTests
{
    private const long Alone = 1_400_000_000;

    private static readonly TimeSpan Load = TimeSpan.FromSeconds(7);
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Evaluation = TimeSpan.FromSeconds(9);

    [Theory]
    [InlineData(0, 0, 1, 4096, 1000, 0)]
    [InlineData(10, 0, 1, 4096, 41_960, 0)]
    [InlineData(10, 0, 1, 100_000, 328_680, 0)]
    [InlineData(10, 0, 4, 4096, 164_840, 0)]
    [InlineData(10, 400, 1, 4096, 41_960, 400)]
    [InlineData(10, 1000, 1, 4096, 41_960, 41_960)]
    public async Task A_model_takes_what_its_weights_and_its_context_take(long perToken, long vram, int parallel, int context, long size, long sizeVram)
    {
        await using var play = new Play(new Scenario { Models = [new() { LoadedBytes = 1000, KvBytesPerToken = perToken, VramBytes = vram }], Parallel = parallel });
        await play.Client.LoadAsync(Play.Model, context, null, default);
        var running = Assert.Single(await play.Client.RunningAsync(default));
        Assert.Equal((size, sizeVram, size - sizeVram), (running.SizeBytes, running.VramBytes, play.Server.RamBytes));
    }

    [Theory]
    [InlineData(false, "null", "null")]
    [InlineData(true, "[2,0,2]", "[\"!\",\"\\\"\",\"#\"]")]
    public async Task Lists_of_metadata_are_shown_on_demand(bool verbose, string heads, string words)
    {
        await using var play = new Play(Cast with
        {
            Models = [new(), new() { Name = "hybrid", Metadata = new() { ["general.architecture"] = "h", ["h.block_count"] = 3, ["h.attention.head_count_kv"] = new JsonArray(2, 0, 2) } }],
        });
        for (var round = 0; round < 2; round++)
        {
            var shown = await ShowAsync(play, "hybrid", verbose);
            Assert.Equal($$"""{"general.architecture":"h","h.block_count":3,"h.attention.head_count_kv":{{heads}}}""", shown["model_info"]!.ToJsonString());
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(words), (await ShowAsync(play, Play.Model, verbose))["model_info"]!["tokenizer.ggml.tokens"]));
        }
    }

    [Theory]
    [InlineData("qwen2", "1.5B", 1_543_714_304, 28, 2)]
    [InlineData("llama", "7.2B", 7_200_000_000, 32, 8)]
    [InlineData("starcoder2", "494.03M", 494_030_000, 30, 2)]
    [InlineData("of-the-future", "odd", 0, 28, 2)]
    public async Task Metadata_goes_with_the_family(string family, string size, long parameters, long layers, long keyHeads)
    {
        await using var play = new Play(new Scenario { Models = [new() { Family = family, ParameterSize = size }] });
        var facts = await play.Client.ShowAsync(Play.Model, default);
        Assert.Equal((family, layers, keyHeads), (facts.Architecture, facts.Number("block_count"), facts.Number("attention.head_count_kv")));
        Assert.Equal(parameters, (await ShowAsync(play, Play.Model))["model_info"]!["general.parameter_count"]!.GetValue<long>());
    }

    [Fact]
    public async Task What_is_shown_tells_the_weights_and_the_tensors()
    {
        var blob = new string('b', 64);
        await using var play = new Play(Cast with
        {
            Models = [new() { Name = "a", Blob = blob, Tensors = [new("output.weight", "Q4_K", [2, 3])] }, new() { Name = "b", Tensors = [] }],
        });
        var shown = await ShowAsync(play, "a");
        Assert.Contains($"FROM /var/lib/ollama/blobs/sha256-{blob}", shown["modelfile"]!.ToString().Split('\n'));
        Assert.Equal("""[{"name":"output.weight","type":"Q4_K","shape":[2,3]}]""", shown["tensors"]!.ToJsonString());
        Assert.False((await ShowAsync(play, "b")).ContainsKey("tensors"));
    }

    [Fact]
    public async Task A_scenario_in_json_tells_what_a_model_is_made_of()
    {
        var scenario = Scenario.Parse("""
            {"maxLoaded":1,"maxQueued":2,"unloadMilliseconds":3,"tellsFigures":true,"models":[{"name":"a","blob":"ff","kvBytesPerToken":10,
              "metadata":{"general.architecture":"x","x.heads":[1,2],"x.none":null},"tensors":[{"name":"t","type":"F16","shape":[4,5]}]}]}
            """);
        Assert.Equal((1, 2, 3, true), (scenario.MaxLoaded, scenario.MaxQueued, scenario.UnloadMilliseconds, scenario.TellsFigures));
        await using var play = new Play(scenario);
        var shown = await ShowAsync(play, "a", verbose: true);
        Assert.Equal("""{"general.architecture":"x","x.heads":[1,2],"x.none":null} [{"name":"t","type":"F16","shape":[4,5]}]""", $"{shown["model_info"]!.ToJsonString()} {shown["tensors"]!.ToJsonString()}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_names_of_the_same_weights_are_one_model_in_memory(bool byDigest)
    {
        var same = new string('c', 64);
        var model = byDigest ? new FakeModel { Digest = same } : new FakeModel { Blob = same };
        await using var play = new Play(new Scenario { Models = [model with { Name = "first" }, model with { Name = "second" }] });
        await play.Client.LoadAsync("first", null, null, default);
        Assert.Null((await play.GenerateAsync(new("second", "p"))).Failure);
        Assert.Equal(("first", 1), (await ListedAsync(play), play.Server.Loads));
        await play.Client.UnloadAsync("second", default);
        Assert.Equal(("", 0), (await ListedAsync(play), play.Server.RamBytes));
    }

    // Blobs are in the order of the names; zero minutes are for ever, which goes last and is no protection.
    [Theory]
    [InlineData("a10 b5 c20", 0, "a c d")]
    [InlineData("c5 b5 a5", 0, "b c d")]
    [InlineData("a0 b5 c20", 0, "a c d")]
    [InlineData("a9 b0", 1, "d")]
    [InlineData("a1 b2 c3", 4, "a b c d")]
    public async Task The_one_with_the_shortest_duration_makes_room(string loaded, int most, string left)
    {
        await using var play = new Play(Cast with { MaxLoaded = most });
        foreach (var entry in loaded.Split(' '))
        {
            var minutes = int.Parse(entry[1..], CultureInfo.InvariantCulture);
            await play.Client.LoadAsync(entry[..1], null, TimeSpan.FromMinutes(minutes == 0 ? -1 : minutes), default);
        }

        await play.Client.LoadAsync("d", null, null, default);
        Assert.Equal(left, string.Join(' ', (await ListedAsync(play)).Split(' ').Order()));
    }

    [Fact]
    public async Task Where_all_are_busy_a_load_waits_for_one()
    {
        await using var play = new Play(Cast with { MaxLoaded = 2 });
        play.Server.LoadByOther("a", keepAlive: TimeSpan.FromMinutes(1));
        play.Server.LoadByOther("b", keepAlive: TimeSpan.FromMinutes(2));
        var uses = new[] { play.Server.UseByOther("a"), play.Server.UseByOther("b") };
        var loading = play.Client.LoadAsync("c", null, null, default);
        await play.Server.AskedAsync("/api/generate").WaitAsync(Play.Hang);
        await LanePlay.UntilAsync(() => play.Server.LoadsInFlight == 1);
        Assert.Equal("a b", string.Join(' ', (await ListedAsync(play)).Split(' ').Order()));
        Assert.False(loading.IsCompleted);
        uses[0].Dispose();
        uses[0].Dispose();
        await loading.WaitAsync(Play.Hang);
        Assert.Equal("b c", string.Join(' ', (await ListedAsync(play)).Split(' ').Order()));
        uses[1].Dispose();
        Assert.Equal("load a, loaded a, load b, loaded b, evict a, load c, loaded c", Told(play));
    }

    [Fact]
    public async Task Loads_run_one_at_a_time_in_the_order_in_which_they_came()
    {
        await using var play = new Play(Cast with { LoadMilliseconds = (int)Load.TotalMilliseconds });
        var loads = new List<Task>();
        foreach (var name in new[] { "c", "a", "b" })
        {
            loads.Add(play.Client.LoadAsync(name, null, null, default));
            await LanePlay.UntilAsync(() => play.Server.LoadsInFlight == loads.Count);
        }

        for (var done = 1; done <= 3; done++)
        {
            await play.ServerTime.ArmedAsync(Load).WaitAsync(Play.Hang);
            Assert.Equal((done * Alone, 4 - done), (play.Server.RamBytes, play.Server.LoadsInFlight));
            play.ServerTime.Advance(Load);
            await loads[done - 1].WaitAsync(Play.Hang);
        }

        Assert.Equal("load c, loaded c, load a, loaded a, load b, loaded b", Told(play));
        Assert.Equal((0, 3, 3), (play.Server.LoadsInFlight, play.Server.MostLoadsInFlight, play.Server.Loads));
        play.Server.ResetPeaks();
        await play.Client.LoadAsync("a", null, null, default);
        Assert.Equal((0, 3 * Alone), (play.Server.MostLoadsInFlight, play.Server.PeakRamBytes));
    }

    // Whoever loads again only when the last answer is there, or when he has let go of it, never has two under way.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_load_after_the_other_is_one_in_flight(bool letsGo)
    {
        await using var play = new Play(Cast with { LoadMilliseconds = letsGo ? (int)Load.TotalMilliseconds : 0, MaxLoaded = 1 });
        for (var round = 0; round < 20; round++)
        {
            using var cancel = new CancellationTokenSource();
            var loading = play.Client.LoadAsync(round % 2 == 0 ? "a" : "b", null, null, cancel.Token);
            if (letsGo)
            {
                await play.Server.AskedAsync("/api/generate", round + 1).WaitAsync(Play.Hang);
                await cancel.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loading.WaitAsync(Play.Hang));
            }
            else
            {
                await loading.WaitAsync(Play.Hang);
            }
        }

        await LanePlay.UntilAsync(() => play.Server.LoadsInFlight == 0 && (!letsGo || play.Server.RamBytes == 0));
        Assert.Equal(1, play.Server.MostLoadsInFlight);
        Assert.Equal((letsGo ? 0 : 20, true), (play.Server.Loads, play.Server.PeakRamBytes <= Alone));
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_refused()
    {
        await using var play = new Play(Cast with { LoadMilliseconds = (int)Load.TotalMilliseconds, MaxQueued = 1 });
        _ = play.Client.LoadAsync("a", null, null, default);
        await LanePlay.UntilAsync(() => play.Server.LoadsInFlight == 1);
        _ = play.Client.LoadAsync("b", null, null, default);
        await LanePlay.UntilAsync(() => play.Server.LoadsInFlight == 2);
        Assert.Equal((503, """{"error":"server busy, please try again.  maximum pending requests exceeded"}"""), await AskAsync(play, "POST /api/generate", """{"model":"c"}"""));
        Assert.Equal(2, play.Server.MostLoadsInFlight);
    }

    [Theory]
    [InlineData("unload")]
    [InlineData("expire")]
    [InlineData("evict")]
    [InlineData("reload")]
    public async Task A_model_that_leaves_keeps_its_memory_until_it_is_gone(string reason)
    {
        await using var play = new Play(Cast with { UnloadMilliseconds = (int)Leaving.TotalMilliseconds, MaxLoaded = 1, Running = ["a"] });
        if (reason == "expire")
        {
            play.ServerTime.Advance(TimeSpan.FromMinutes(5));
        }
        else if (reason == "unload")
        {
            await play.Client.UnloadAsync("a", default);
        }

        // Also the same one, with the same options, is loaded anew.
        var next = reason is "evict" ? "b" : "a";
        var loading = play.Client.LoadAsync(next, reason == "reload" ? 2048 : null, null, default);
        await play.ServerTime.ArmedAsync(Leaving).WaitAsync(Play.Hang);
        Assert.Equal(("a", Alone, false), (await ListedAsync(play), play.Server.RamBytes, loading.IsCompleted));
        play.ServerTime.Advance(Leaving);
        await loading.WaitAsync(Play.Hang);
        Assert.Equal((next, Alone, Alone), (await ListedAsync(play), play.Server.RamBytes, play.Server.PeakRamBytes));
        Assert.Equal($"load a, loaded a, {reason} a, load {next}, loaded {next}", Told(play));
    }

    [Fact]
    public async Task Loads_that_do_not_end_give_their_memory_back()
    {
        await using var play = new Play(Cast with
        {
            LoadMilliseconds = (int)Load.TotalMilliseconds,
            Faults = [new() { Kind = FaultKind.LoadCrash, Path = "/api/generate", From = 2, Times = 1 }],
        });
        using var cancel = new CancellationTokenSource();
        var leaving = play.Client.LoadAsync("a", null, null, cancel.Token);
        await play.ServerTime.ArmedAsync(Load).WaitAsync(Play.Hang);
        Assert.Equal((Alone, ""), (play.Server.RamBytes, await ListedAsync(play)));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.WaitAsync(Play.Hang));
        await LanePlay.UntilAsync(() => play.Server.RamBytes == 0);
        var failing = play.Client.LoadAsync("b", null, null, default);
        await play.ServerTime.ArmedAsync(Load).WaitAsync(Play.Hang);
        Assert.Equal(Alone, play.Server.RamBytes);
        play.ServerTime.Advance(Load);
        await Assert.ThrowsAsync<OllamaException>(() => failing.WaitAsync(Play.Hang));
        Assert.Equal((0, Alone, 0), (play.Server.RamBytes, play.Server.PeakRamBytes, play.Server.Loads));
        Assert.Equal("load a, abort a, load b, abort b", Told(play));
    }

    [Fact]
    public async Task What_was_due_is_told_under_its_time_and_in_its_order()
    {
        await using var play = new Play(Cast with { UnloadMilliseconds = (int)Leaving.TotalMilliseconds });
        var begun = play.ServerTime.GetTimestamp();
        play.Server.LoadByOther("a", keepAlive: TimeSpan.FromMinutes(2));
        play.Server.LoadByOther("b", keepAlive: TimeSpan.FromMinutes(1));
        play.Server.LoadByOther("c", keepAlive: Timeout.InfiniteTimeSpan);
        play.ServerTime.Advance(TimeSpan.FromHours(1));
        Assert.Equal([(63.0, "expire", "b:latest", 2 * Alone), (123.0, "expire", "a:latest", Alone)], play.Server.MemoryLog
            .Where(entry => entry.What == "expire")
            .Select(entry => (play.ServerTime.GetElapsedTime(begun, entry.At).TotalSeconds, entry.What, entry.Model, entry.RamBytes)));
        Assert.Equal("c", await ListedAsync(play));
    }

    [Fact]
    public async Task Other_programs_read_the_figures_where_the_scenario_says_so()
    {
        await using var quiet = new Play(Cast);
        Assert.Equal(404, (await AskAsync(quiet, "GET /fake/figures", "")).Status);
        await using var play = new Play(Cast with { TellsFigures = true, Running = ["a"] });
        await play.Client.UnloadAsync("a", default);
        play.ServerTime.Advance(TimeSpan.FromSeconds(2));
        await play.Client.LoadAsync("b", null, TimeSpan.FromMinutes(1), default);
        await play.Client.UnloadAsync("b", default);
        Assert.Equal((0, Alone, 1, 1), await FiguresAsync("GET /fake/figures"));
        Assert.Equal((0, 0, 1, 0), await FiguresAsync("POST /fake/reset-figures"));
        Assert.Equal(3, play.Server.Asked.Count);
        var log = JsonNode.Parse((await AskAsync(play, "GET /fake/figures", "")).Text)!["memoryLog"]!.AsArray();
        Assert.Equal($$"""{"milliseconds":2000,"what":"load","model":"b:latest","ramBytes":{{Alone}}}""", log[3]!.ToJsonString());

        async Task<(long, long, int, int)> FiguresAsync(string request)
        {
            var figures = JsonNode.Parse((await AskAsync(play, request, "")).Text)!;
            return (figures["ramBytes"]!.GetValue<long>(), figures["peakRamBytes"]!.GetValue<long>(), figures["loads"]!.GetValue<int>(), figures["mostLoadsInFlight"]!.GetValue<int>());
        }
    }

    [Fact]
    public async Task Others_load_use_and_unload()
    {
        await using var play = new Play(Cast with { MaxLoaded = 2 });
        play.Server.LoadByOther("a", 8192, TimeSpan.FromMinutes(1));
        Assert.Equal((8192, play.ServerTime.GetUtcNow().AddMinutes(1)), await OneAsync(play));
        using (play.Server.UseByOther("a"))
        {
            play.ServerTime.Advance(TimeSpan.FromMinutes(2));
            Assert.Equal((8192, play.ServerTime.GetUtcNow().AddMinutes(-1)), await OneAsync(play));
            play.Server.LoadByOther("a", 2048); // which would have to wait
            play.Server.UnloadByOther("a");
            Assert.Equal((8192, play.ServerTime.GetUtcNow()), await OneAsync(play));
        }

        Assert.Equal("", await ListedAsync(play));
        play.Server.UseByOther("b").Dispose();
        play.Server.LoadByOther("b", 2048);
        Assert.Equal((2048, play.ServerTime.GetUtcNow().AddMinutes(5)), await OneAsync(play));
        play.Server.LoadByOther("c", keepAlive: TimeSpan.FromMinutes(9));
        play.Server.LoadByOther("d");
        Assert.Equal("c d", string.Join(' ', (await ListedAsync(play)).Split(' ').Order()));
        Assert.Equal((2 * Alone, 0, 0), (play.Server.RamBytes, play.Server.Loads, play.Server.MostLoadsInFlight));
        Assert.Throws<ArgumentException>(() => play.Server.LoadByOther("nobody"));
    }

    [Fact]
    public async Task Others_load_as_the_scenario_says()
    {
        var scenario = Scenario.Parse("""{"others":[{"before":1,"model":"qwen2.5-coder:1.5b","load":true,"contextTokens":8192,"keepAliveSeconds":60},{"before":2,"model":"qwen2.5-coder:1.5b","load":true}]}""");
        await using var play = new Play(scenario);
        Assert.Equal((8192, play.ServerTime.GetUtcNow().AddMinutes(1)), await OneAsync(play));
        Assert.Equal((4096, play.ServerTime.GetUtcNow().AddMinutes(5)), await OneAsync(play));
    }

    [Fact]
    public async Task A_model_that_has_died_is_found_out_by_who_wants_it()
    {
        await using var play = new Play(Cast with { Running = ["a", "b"], FirstFrameMilliseconds = (int)Evaluation.TotalMilliseconds });
        var generating = play.GenerateAsync(new("a", "p"));
        await play.ServerTime.ArmedAsync(Evaluation).WaitAsync(Play.Hang);
        play.Server.Crash("a");
        Assert.Equal((Alone, "a b"), (play.Server.RamBytes, string.Join(' ', (await ListedAsync(play)).Split(' ').Order())));
        Assert.NotNull((await generating.WaitAsync(Play.Hang)).Failure);
        Assert.Equal(500, (await AskAsync(play, "POST /api/generate", """{"model":"a"}""")).Status);
        Assert.Equal("b", await ListedAsync(play));
        Assert.Equal(200, (await AskAsync(play, "POST /api/generate", """{"model":"a"}""")).Status);
        Assert.Equal("load a, loaded a, load b, loaded b, crash a, load a, loaded a", Told(play));
    }

    [Fact]
    public async Task After_a_restart_nothing_is_left_in_memory()
    {
        await using var play = new Play(Cast with { Running = ["a"], LoadMilliseconds = (int)Load.TotalMilliseconds, FirstFrameMilliseconds = (int)Evaluation.TotalMilliseconds });
        var generating = play.GenerateAsync(new("a", "p"));
        await play.ServerTime.ArmedAsync(Evaluation).WaitAsync(Play.Hang);
        var loading = new List<Task>();
        foreach (var name in new[] { "b", "c" })
        {
            loading.Add(play.Client.LoadAsync(name, null, null, default));
            await LanePlay.UntilAsync(() => play.Server.LoadsInFlight == loading.Count);
        }

        await play.ServerTime.ArmedAsync(Load).WaitAsync(Play.Hang);
        play.Server.Restart();
        Assert.Equal((0, 0), (play.Server.RamBytes, play.Server.LoadsInFlight));
        Assert.NotNull((await generating.WaitAsync(Play.Hang)).Failure);
        foreach (var load in loading)
        {
            await Assert.ThrowsAsync<OllamaException>(() => load.WaitAsync(Play.Hang));
        }

        Assert.Equal(("", "load a, loaded a, load b, restart "), (await ListedAsync(play), Told(play)));
    }

    // Many clients at once, by a real clock: whatever the order, no more is in memory than may be, and the log adds up.
    [Fact]
    public async Task Whatever_clients_do_the_figures_add_up()
    {
        const int Most = 2;
        await using var server = new FakeServer(Cast with { MaxLoaded = Most, LoadMilliseconds = 1, UnloadMilliseconds = 1 }, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(PlayAsync)).WaitAsync(Play.Hang);
        await LanePlay.UntilAsync(() => server.LoadsInFlight == 0 && server.MemoryLog.Count(entry => entry.What == "load") == server.MemoryLog.Count(entry => entry.What is "loaded" or "abort"));
        var here = new HashSet<string>();
        foreach (var (_, what, model, bytes) in server.MemoryLog)
        {
            Assert.True(what switch { "load" => here.Add(model), "loaded" => here.Contains(model), _ => here.Remove(model) }, $"{what} {model}");
            Assert.Equal(here.Count * Alone, bytes);
            Assert.True(here.Count <= Most);
        }

        Assert.Equal(server.Loads, server.MemoryLog.Count(entry => entry.What == "loaded"));
        Assert.Equal((Most * Alone, true), (server.PeakRamBytes, 1 < server.MostLoadsInFlight));

        async Task PlayAsync(int seed)
        {
            var random = new Random(seed);
            using var client = new OllamaClient(server.Endpoint, TimeProvider.System);
            for (var turn = 0; turn < 25; turn++)
            {
                var model = $"{"abcd"[random.Next(4)]}";
                using var cancel = new CancellationTokenSource();
                var acting = random.Next(4) switch
                {
                    0 => client.UnloadAsync(model, default),
                    1 => client.LoadAsync(model, null, null, cancel.Token),
                    2 => client.LoadAsync(model, 2048, TimeSpan.FromSeconds(random.Next(1, 9)), default),
                    _ => Play.ReadAsync(client.GenerateAsync(new(model, "p"), default)),
                };
                if (random.Next(2) == 0)
                {
                    await cancel.CancelAsync();
                }

                await Task.WhenAny(acting); // failed or not
            }
        }
    }

    private static Scenario Cast => new() { Models = [.. "abcd".Select(letter => new FakeModel { Name = $"{letter}", Digest = new string(letter, 64) }), new()] };

    private static string Told(Play play) => string.Join(", ", play.Server.MemoryLog.Select(entry => $"{entry.What} {entry.Model.Split(':')[0]}"));

    private static async Task<string> ListedAsync(Play play) => string.Join(' ', (await play.Client.RunningAsync(default)).Select(model => model.Name.Split(':')[0]));

    private static async Task<(int, DateTimeOffset)> OneAsync(Play play)
    {
        var running = Assert.Single(await play.Client.RunningAsync(default));
        return (running.ContextTokens!.Value, running.ExpiresAt!.Value);
    }

    private static async Task<JsonObject> ShowAsync(Play play, string model, bool verbose = false) =>
        JsonNode.Parse((await AskAsync(play, "POST /api/show", new JsonObject { ["model"] = model, ["verbose"] = verbose }.ToJsonString())).Text)!.AsObject();

    private static async Task<(int Status, string Text)> AskAsync(Play play, string request, string body)
    {
        using var http = new HttpClient();
        var words = request.Split(' ');
        using var message = new HttpRequestMessage(new(words[0]), new Uri(play.Server.Endpoint, words[1]));
        message.Content = body.Length == 0 ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(message).WaitAsync(Play.Hang);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync().WaitAsync(Play.Hang));
    }
}
