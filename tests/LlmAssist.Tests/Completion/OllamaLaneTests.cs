// The lane over real HTTP: when a model is asked, who gets what it says, and when its stream is closed.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Models;
using LlmAssist.FakeOllama;
using LlmAssist.Tests.Ollama;

namespace LlmAssist.Tests.Completion;

public sealed class OllamaLaneTests
{
    private const string Code = "def area(w, h):\n    return $0\n";
    private static readonly TimeSpan Frame = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task What_the_model_says_is_shown()
    {
        await using var play = Saying("w * h\n");
        var report = await play.AskAsync(Code);
        Assert.Equal("w * h", LanePlay.Shown(report, Code));
        Assert.Equal((CompletionLane.Ollama, LaneOutcome.Answered, Play.Model), (report.Lane, report.Ollama!.Outcome, report.Ollama.Model));

        var asked = Assert.Single(play.Generations).Body!;
        Assert.Equal("<|fim_prefix|>def area(w, h):\n    return <|fim_suffix|>\n<|fim_middle|>", asked["prompt"]!.ToString());
        Assert.Equal("true", asked["raw"]!.ToString());
        Assert.Equal(128, asked["options"]!["num_predict"]!.GetValue<int>());
        Assert.Null(asked["keep_alive"]);
    }

    [Fact]
    public async Task Every_request_has_the_same_context_and_no_other_option_of_the_runner()
    {
        await using var play = Saying("w * h\n");
        string[] runnerOptions = ["num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread"];
        for (var row = 0; row < 5; row++)
        {
            await play.AskAsync($"def f{row}(w, h):\n    return $0\n");
        }

        var bodies = play.Server.Asked.Where(asked => asked.Path == "/api/generate").Select(asked => asked.Body!["options"]!.AsObject()).ToList();
        Assert.Equal(6, bodies.Count); // the load too
        Assert.All(bodies, options => Assert.Equal(4000, options["num_ctx"]!.GetValue<int>())); // 3 GiB are free
        Assert.All(bodies, options => Assert.DoesNotContain(options, option => runnerOptions.Contains(option.Key)));
        Assert.Equal(1, play.Server.Loads);
    }

    [Fact]
    public async Task A_text_that_comes_too_late_answers_the_next_query_that_it_fits()
    {
        await using var play = Saying("width * height\n", frameMilliseconds: 1000);
        var asking = play.AskAsync(Code);
        await play.Server.AskedAsync("/api/generate", 2).WaitAsync(Play.Hang);
        await play.Time.ArmedAsync(play.Settings.Patience.Asked);
        play.Time.Advance(play.Settings.Patience.Asked);
        var first = await asking;
        Assert.Equal((0, LaneOutcome.Late), (first.Items.Count, first.Ollama!.Outcome));

        await PlayOnAsync(play, play.Generations[0]);
        const string Typed = "def area(w, h):\n    return wid$0\n";
        play.Edit(Typed);
        var second = await play.AskAsync(Typed, isExplicit: false);
        Assert.Equal("th * height", LanePlay.Shown(second, Typed));
        Assert.Equal(LaneOutcome.Joined, second.Ollama!.Outcome);
        Assert.Single(play.Generations);
    }

    [Fact]
    public async Task The_pattern_lane_answers_alone_within_its_patience_and_is_upgraded()
    {
        await using var play = Saying("total_price(items)\n", frameMilliseconds: 1000);
        play.Learn(string.Concat(Enumerable.Repeat("value = total_price\n", 20)));
        play.Settings = play.Settings with { MinConfidence = 0.2 };
        const string Before = "value = $0\n";
        var asking = play.AskAsync(Before, isExplicit: false);
        await play.Time.ArmedAsync(play.Settings.Patience.Beside);
        play.Time.Advance(play.Settings.Patience.Beside);
        var first = await asking;
        Assert.Equal((CompletionLane.Pattern, LaneOutcome.Late), (first.Lane, first.Ollama!.Outcome));
        Assert.Equal("total_price", LanePlay.Shown(first, Before));

        // It was still held back, in case the user types on.
        await play.Time.ArmedAsync(first.Ollama.Delay).WaitAsync(Play.Hang);
        play.Time.Advance(first.Ollama.Delay);
        await PlayOnAsync(play, await play.Server.AskedAsync("/api/generate", 2).WaitAsync(Play.Hang));
        const string Typed = "value = tot$0\n";
        play.Edit(Typed);
        CompletionReport second = null!;
        await LanePlay.UntilAsync(() => (second = play.AskAsync(Typed, isExplicit: false).Result).Lane == CompletionLane.Ollama);
        Assert.Equal("al_price(items)", LanePlay.Shown(second, Typed));

        // Two that agree are surer than either.
        Assert.True(first.Items[0].Confidence < second.Items[0].Confidence);
        Assert.Single(play.Generations);
    }

    [Fact]
    public async Task A_stream_is_joined_while_the_user_types_what_it_produces_or_is_ahead_of_it()
    {
        await using var play = Saying("width * height\n", frameMilliseconds: 1000);
        var asking = new List<Task<CompletionReport>>();
        foreach (var typed in new[] { "", "w", "wi", "width", "width *" })
        {
            play.Edit($"def area(w, h):\n    return {typed}$0\n");
            asking.Add(play.AskAsync($"def area(w, h):\n    return {typed}$0\n"));
            await play.Server.AskedAsync("/api/generate", 2).WaitAsync(Play.Hang);
        }

        await PlayOnAsync(play, play.Generations[0]);
        var reports = await Task.WhenAll(asking).WaitAsync(Play.Hang);
        Assert.Equal(["width * height", "idth * height", "dth * height", " * height", " height"], reports.Select(report => report.Ollama!.Text));
        Assert.Single(play.Generations);
    }

    [Theory]
    [InlineData(true)] // the user is ahead of the model
    [InlineData(false)]
    public async Task Typing_something_else_closes_the_stream_at_once(bool isFirst)
    {
        await using var play = Saying("width * height\n", frameMilliseconds: 1000);
        var asking = play.AskAsync(Code);
        var asked = await play.Server.AskedAsync("/api/generate", 2).WaitAsync(Play.Hang);
        if (isFirst)
        {
            play.Edit("def area(w, h):\n    return x$0\n");
        }

        await FramesAsync(play, asked, 1);
        if (!isFirst)
        {
            play.Edit("def area(w, h):\n    return x$0\n");
        }

        Assert.Equal(Outcome.ClientLeft, await asked.Ended.WaitAsync(Play.Hang));
        Assert.Equal(LaneOutcome.Superseded, (await asking.WaitAsync(Play.Hang)).Ollama!.Outcome);
    }

    [Fact]
    public async Task The_model_is_asked_anew_where_it_goes_another_way_than_the_user_who_was_ahead_of_it()
    {
        await using var play = Saying("width * height\n", frameMilliseconds: 1000);
        var asking = play.AskAsync(Code);
        var asked = await play.Server.AskedAsync("/api/generate", 2).WaitAsync(Play.Hang);
        const string Typed = "def area(w, h):\n    return 2 * $0\n";
        play.Edit(Typed);
        var joining = play.AskAsync(Typed);
        Assert.Single(play.Generations);

        // No further query comes: the editor waits for this one.
        await FramesAsync(play, asked, 1);
        Assert.Equal(Outcome.ClientLeft, await asked.Ended.WaitAsync(Play.Hang));
        await PlayOnAsync(play, await play.Server.AskedAsync("/api/generate", 3).WaitAsync(Play.Hang));
        Assert.Equal("width * height", LanePlay.Shown(await joining.WaitAsync(Play.Hang), Typed));
        Assert.Equal(LaneOutcome.Superseded, (await asking.WaitAsync(Play.Hang)).Ollama!.Outcome);
        Assert.Equal(2, play.Generations.Count);
    }

    [Fact]
    public async Task A_canceled_query_closes_the_stream_unless_the_user_is_typing_on()
    {
        await using var play = Saying("width * height\n", frameMilliseconds: 1000);
        using var first = new CancellationTokenSource();
        var asking = play.AskAsync(Code, cancellation: first.Token);
        var asked = await play.Server.AskedAsync("/api/generate", 2).WaitAsync(Play.Hang);

        // An edit that goes along, then the editor takes its request back: another one is on its way.
        const string Typed = "def area(w, h):\n    return w$0\n";
        play.Edit(Typed);
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        play.Time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.False(asked.Ended.IsCompleted);
        using var second = new CancellationTokenSource();
        var joining = play.AskAsync(Typed, cancellation: second.Token);
        Assert.Single(play.Generations);

        // Without an edit nobody will ask again.
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joining);
        play.Time.Advance(TimeSpan.FromMilliseconds(25));
        Assert.Equal(Outcome.ClientLeft, await asked.Ended.WaitAsync(Play.Hang));
    }

    [Fact]
    public async Task A_query_that_is_canceled_behind_the_next_ones_answer_closes_nothing()
    {
        await using var play = Saying("width * height\n", frameMilliseconds: 1000);
        using var first = new CancellationTokenSource();
        var asking = play.AskAsync(Code, cancellation: first.Token);
        var asked = await play.Server.AskedAsync("/api/generate", 2).WaitAsync(Play.Hang);

        // The next one is answered before the work for the first has noticed that it is canceled.
        const string Typed = "def area(w, h):\n    return w$0\n";
        play.Edit(Typed);
        play.Settings = play.Settings with { Patience = new() { Alone = TimeSpan.Zero } };
        Assert.Equal(LaneOutcome.Late, (await play.AskAsync(Typed, isExplicit: false)).Ollama!.Outcome);
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        play.Time.Advance(TimeSpan.FromSeconds(1));
        await PlayOnAsync(play, asked);
        Assert.Equal(Outcome.Answered, await asked.Ended);
    }

    [Fact]
    public async Task A_suggestion_is_not_held_back_for_a_model_that_is_known_to_be_slow()
    {
        await using var play = Saying("total_price(items)\n", frameMilliseconds: 1000);
        play.Learn(string.Concat(Enumerable.Repeat("value = total_price\n", 20)));
        play.Settings = play.Settings with { MinConfidence = 0.2 };

        // One that is given up before its first text.
        var asking = play.AskAsync("other = $0\n");
        var asked = await play.Server.AskedAsync("/api/generate", 2).WaitAsync(Play.Hang);
        play.Time.Advance(TimeSpan.FromSeconds(3));
        play.Edit("nothing = $0\n");
        await asking.WaitAsync(Play.Hang);
        await asked.Ended.WaitAsync(Play.Hang);

        // No clock moves.
        var report = await play.AskAsync("value = $0\n", isExplicit: false).WaitAsync(Play.Hang);
        Assert.Equal((CompletionLane.Pattern, LaneOutcome.Late), (report.Lane, report.Ollama!.Outcome));
    }

    [Fact]
    public async Task Of_a_hundred_superseded_queries_each_is_answered_and_one_generation_runs()
    {
        await using var play = Saying("width * height\n", frameMilliseconds: 1000);
        var asking = Enumerable.Range(0, 100).Select(row => play.AskAsync($"def area{row}(w, h):\n    return $0\n")).ToList();
        await LanePlay.UntilAsync(() => asking.Count(task => task.IsCompleted) == 99);
        var running = play.Generations.Where(asked => !asked.Ended.IsCompleted).ToList();
        Assert.True(running.Count <= 1, $"{running.Count} generations run.");
        await LanePlay.UntilAsync(() => play.Generations.Count(asked => !asked.Ended.IsCompleted) == 1);
        var last = play.Generations.Single(asked => !asked.Ended.IsCompleted);
        await PlayOnAsync(play, last);
        var reports = await Task.WhenAll(asking).WaitAsync(Play.Hang);
        Assert.Equal(1, reports.Count(report => report.Items.Count != 0));
        Assert.Equal(99, reports.Count(report => report.Ollama!.Outcome == LaneOutcome.Superseded));
        Assert.All(play.Generations.Where(asked => asked != last), asked => Assert.Equal(Outcome.ClientLeft, asked.Ended.Result));
    }

    [Theory]
    [InlineData("# the area of a rec$0\n", "tangle\n", "tangle")] // comments, which pattern models leave alone
    [InlineData("x = f($0)\n", "a, b)\n", "a, b")] // the bracket is there already
    [InlineData("def f():\n$0", "    a = 1\n    b = 2\n    return a + b\n\ndef g():\n    pass\n", "    a = 1\n    b = 2\n    return a + b\n\ndef g():\n    pass")]
    [InlineData("x = $0\n", "", null)]
    [InlineData("x = $0\n", "   \n", null)]
    public async Task Texts_pass_the_filters_that_both_lanes_share(string code, string says, string? shown)
    {
        await using var play = Saying(says);
        Assert.Equal(shown, LanePlay.Shown(await play.AskAsync(code), code));
    }

    [Fact]
    public async Task Line_ends_are_those_of_the_document()
    {
        await using var play = Saying("    a = 1\n    return a\n");
        const string Dos = "def f():\r\n$0\r\n";
        Assert.Equal("    a = 1\r\n    return a", LanePlay.Shown(await play.AskAsync(Dos), Dos));
        Assert.DoesNotContain('\r', Assert.Single(play.Generations).Body!["prompt"]!.ToString());
    }

    [Fact]
    public async Task Files_of_secrets_are_shown_to_no_model()
    {
        await using var play = Saying("x\n");
        var report = await play.Engine.CompleteAsync(LanePlay.Query("KEY=$0") with { Path = "deploy/.env", IsExplicit = true }, play.Settings, default);
        Assert.Equal(LaneOutcome.Declined, report.Ollama!.Outcome);
        play.Engine.Observe("file:///w/.env", new("TOKEN=abc"), Engine.Text.Language.PlainText, ".env");
        play.Engine.Observe("file:///w/other.py", new("other = 1"), Engine.Text.Language.ById("python"), "other.py");
        await play.AskAsync(Code);
        var prompt = Assert.Single(play.Generations).Body!["prompt"]!.ToString();
        Assert.Contains("other = 1", prompt, StringComparison.Ordinal);
        Assert.DoesNotContain("TOKEN", prompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prompt_begins_as_the_one_before_it_while_the_user_types()
    {
        await using var play = Saying("w * h\n");
        play.Engine.Observe("file:///w/other.py", new("other = 1"), Engine.Text.Language.ById("python"), "other.py");
        await play.AskAsync("def area(w, h):\n    return $0\n");
        await play.AskAsync("def area(w, h):\n    return w * h\n\narea(1, 2)\nx = $0\n");
        var prompts = play.Generations.Select(asked => asked.Body!["prompt"]!.ToString()).ToList();
        var first = prompts[0][..prompts[0].IndexOf("<|fim_suffix|>", StringComparison.Ordinal)];
        Assert.Contains("<|file_sep|>other.py", first, StringComparison.Ordinal);
        Assert.StartsWith(first, prompts[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_fills_no_middle_is_asked_with_the_text_above_only_where_the_user_named_it()
    {
        var scenario = new Scenario { Models = [new() { Name = "mistral:7b", Family = "llama", Capabilities = ["completion"], Reply = "w * h\n" }], Running = ["mistral:7b"] };
        await using (var named = new LanePlay(scenario, "mistral:7b"))
        {
            Assert.Equal(OllamaCondition.Ready, await named.ReadyAsync());
            Assert.Equal("w * h", LanePlay.Shown(await named.AskAsync(Code), Code));
            Assert.Equal("def area(w, h):\n    return ", Assert.Single(named.Generations).Body!["prompt"]!.ToString());
        }

        await using var unnamed = new LanePlay(scenario, "");
        Assert.Null(unnamed.Host.TryUse());
        await LanePlay.UntilAsync(() => unnamed.Host.State.Condition == OllamaCondition.Idle);
        Assert.Equal(LaneOutcome.Unavailable, (await unnamed.AskAsync(Code)).Ollama!.Outcome);
        Assert.DoesNotContain(unnamed.Server.Asked, asked => asked.Path == "/api/generate");
    }

    [Fact]
    public async Task A_text_at_which_the_pattern_models_are_astonished_is_not_shown()
    {
        await using var play = Saying("qux zork blarg fnord wibble\n");
        play.Learn(string.Concat(Enumerable.Range(0, 200).Select(row => $"value{row % 7} = total_price + count\n")));
        var report = await play.AskAsync("value1 = total_price + $0\n");
        Assert.DoesNotContain(report.Items, item => item.Lane == CompletionLane.Ollama);
        Assert.Equal("confidence", Assert.Single(report.Filtered).Filter);
        Assert.True(7 < report.Ollama!.BitsPerSymbol);
    }

    [Theory]
    [InlineData(true, true, CompletionLane.Ollama)]
    [InlineData(false, true, CompletionLane.Ollama)]
    [InlineData(true, false, CompletionLane.Pattern)]
    [InlineData(false, false, CompletionLane.None)]
    public async Task Only_the_sources_that_may_answer_do(bool patterns, bool ollama, CompletionLane lane)
    {
        await using var play = Saying("total_price + count + 1\n");
        play.Learn(string.Concat(Enumerable.Repeat("value = total_price + count\n", 30)));
        play.Settings = play.Settings with { AsksPatterns = patterns, AsksOllama = ollama, MinConfidence = 0.2 };
        Assert.Equal(lane, (await play.AskAsync("value = $0\n")).Lane);
        Assert.Equal(ollama ? 1 : 0, play.Generations.Count);
    }

    [Fact]
    public async Task Clients_without_ghost_text_get_the_line_first_in_their_list()
    {
        await using var play = Saying("w * h\n");
        var asking = play.AskAsync(Code, surface: CompletionSurface.List);
        Assert.Equal("w * h", LanePlay.Shown(await asking, Code));
    }

    [Fact]
    public async Task Where_Ollama_is_switched_off_nobody_connects()
    {
        await using var play = Saying("w * h\n", isReady: false);
        play.Host.Configure(play.Options with { Endpoint = null });
        var report = await play.AskAsync(Code);
        Assert.Equal(LaneOutcome.Unavailable, report.Ollama!.Outcome);
        Assert.Equal(0, play.Server.Connections);
    }

    [Fact]
    public async Task Suggestions_that_are_turned_down_make_the_model_be_asked_later()
    {
        await using var play = Saying("w * h\n");
        var row = 0;
        foreach (var delay in new[] { 300, 300, 300, 500, 1000, 2000 })
        {
            var code = $"def f{row++}(w, h):\n    return $0\n";
            var asking = play.AskAsync(code, isExplicit: false);
            var heldBack = TimeSpan.FromMilliseconds(delay);
            await play.Time.ArmedAsync(heldBack).WaitAsync(Play.Hang);
            play.Time.Advance(heldBack);
            if (heldBack < play.Settings.Patience.Alone)
            {
                Assert.Equal("w * h", LanePlay.Shown(await asking, code));
            }

            // It stands there for a while, and then something else is typed.
            play.Time.Advance(TimeSpan.FromSeconds(1));
            play.Edit(code.Replace("$0", "nothing of it$0", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("w * h", true)] // as the model said
    [InlineData("w + h", false)]
    public async Task A_model_is_trusted_by_what_users_write_in_place_of_it(string written, bool isRight)
    {
        await using var play = Saying("w * h\n");
        var confidence = new List<double>();
        for (var row = 0; row < 12; row++)
        {
            var code = $"def area{row}(w, h):\n    return $0\n";
            var report = await play.AskAsync(code);
            if (report.Items.FirstOrDefault(item => item.Lane == CompletionLane.Ollama) is { } said)
            {
                confidence.Add(said.Confidence);
            }

            for (var typed = 1; typed <= written.Length; typed++)
            {
                play.Edit(code.Replace("$0", written[..typed] + "$0", StringComparison.Ordinal));
            }
        }

        // A model that is wrong all the time is not shown any more, though it is asked: it may do better.
        Assert.Equal(isRight ? 12 : 6, confidence.Count);
        Assert.Equal(isRight ? confidence.Order() : confidence.OrderDescending(), confidence);
        Assert.Equal(12, play.Generations.Count);
    }

    private static LanePlay Saying(string reply, int frameMilliseconds = 0, bool isReady = true)
    {
        var play = new LanePlay(new() { Models = [new() { Reply = reply }], FrameMilliseconds = frameMilliseconds });
        if (isReady)
        {
            Assert.Equal(OllamaCondition.Ready, play.ReadyAsync().GetAwaiter().GetResult());
        }

        return play;
    }

    // Lets the stand-in send frame after frame.
    private static async Task PlayOnAsync(LanePlay play, Asked asked)
    {
        while (!asked.Ended.IsCompleted)
        {
            await Task.WhenAny(asked.Ended, play.ServerTime.ArmedAsync(Frame)).WaitAsync(Play.Hang);
            play.ServerTime.Advance(Frame);
        }
    }

    private static async Task FramesAsync(LanePlay play, Asked asked, int count)
    {
        while (asked.Frames < count)
        {
            await play.ServerTime.ArmedAsync(Frame).WaitAsync(Play.Hang);
            play.ServerTime.Advance(Frame);
            await asked.FramesAsync(count).WaitAsync(Play.Hang);
        }
    }
}
