// The scenarios for which memory is governed at all, as a user meets them: the whole server behind a pipe, the stand-in behind a socket,
// and a machine whose memory is what the stand-in's models leave of it.
using System.Text.Json;
using LlmAssist.Engine.Memory;
using LlmAssist.FakeOllama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Handlers;

public sealed class MemoryScenarioTests
{
    private const string Seven = "codellama:7b";
    private const string OtherSeven = "mistral:7b";
    private const string Small = "qwen2.5-coder:1.5b";
    private const string OtherSmall = "starcoder2:3b";
    internal const string Huge = "llama2:13b";

    // Times are the server's. A step of the clock is what they can be off by.
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(20);
    private const string PollSetting = "\"memory.pollSeconds\":20";

    [Fact]
    public async Task A_model_that_is_loaded_is_seen_with_what_it_takes()
    {
        await using var play = new MemoryPlay(Scene());
        await play.BeginAsync(PollSetting);
        var message = await play.LoadAsync(Seven);
        Assert.Equal($"{Seven} is loaded: {Size(play)} of RAM, 8000 tokens of context.", message);
        var bytes = play.Ollama.RamBytes;
        Assert.Equal(Gigabytes(4) + (8000L << 17), bytes);

        var memory = await play.CommandAsync("memory.status");
        Check(memory);
        var suited = Assert.Single(memory.GetProperty("presets").EnumerateArray(), preset => preset.GetProperty("suits").GetBoolean());
        Assert.Equal(("medium", MemoryPlay.Limit.Bytes), (suited.GetProperty("name").GetString(), suited.GetProperty("limitBytes").GetInt64()));
        await play.UntilAsync(() => play.StatusModels.Count == 1);
        Check(play.Status);
        Assert.False(play.Status.TryGetProperty("presets", out _));
        Assert.Empty(play.Shown);

        void Check(JsonElement memory)
        {
            var model = Assert.Single(memory.GetProperty("models").EnumerateArray());
            Assert.Equal(
                ($"ollama:{Seven}", bytes, 8000, false),
                (model.GetProperty("id").GetString(), model.GetProperty("bytes").GetInt64(), model.GetProperty("contextTokens").GetInt32(), model.GetProperty("pinned").GetBoolean()));
            Assert.Equal((bytes, MemoryPlay.Limit.Bytes), (memory.GetProperty("modelsBytes").GetInt64(), memory.GetProperty("limitBytes").GetInt64()));
            Assert.Equal(
                (MemoryPlay.Total.Bytes, MemoryPlay.Free.Bytes - bytes),
                (memory.GetProperty("systemTotalBytes").GetInt64(), memory.GetProperty("systemAvailableBytes").GetInt64()));
        }
    }

    [Fact]
    public async Task Where_two_do_not_fit_the_second_takes_the_place_of_the_first()
    {
        await using var play = new MemoryPlay(Scene());
        await play.BeginAsync(PollSetting);
        await play.LoadAsync(Seven);
        var first = play.Ollama.RamBytes;
        var message = await play.LoadAsync(OtherSeven);
        var second = play.Ollama.RamBytes;
        Assert.Equal(Gigabytes(4.1) + (8000L << 17), second);
        Assert.Equal($"{OtherSeven} is loaded: {Size(play)} of RAM, 8000 tokens of context. Taken out of memory for it: {Seven} ({MemoryPlay.Written(first)}).", message);

        var memory = await play.CommandAsync("memory.status");
        Assert.Equal([$"ollama:{OtherSeven}"], MemoryPlay.Ids(memory));
        Assert.Equal(MemoryPlay.Free.Bytes - second, memory.GetProperty("systemAvailableBytes").GetInt64());
        await play.UntilAsync(() => play.StatusModels is [$"ollama:{OtherSeven}"]);

        // The answer has said it.
        Assert.Empty(play.Shown);
        NoDelete(play);
    }

    [Fact]
    public async Task Five_large_models_in_a_row_never_take_more_than_the_limit()
    {
        var models = Enumerable.Range(0, 5).Select(static index => Model($"coder{index}:7b", "llama", 3.5 + (index * 0.15), 17)).ToList();
        await using var play = new MemoryPlay(Scene() with { Models = models });
        await play.BeginAsync(PollSetting);
        foreach (var model in models)
        {
            Assert.Contains(" is loaded: 4.", await play.LoadAsync(model.Name), StringComparison.Ordinal);
            Assert.InRange(play.Ollama.RamBytes, Gigabytes(4), ByteSize.GiB(5).Bytes);
        }

        Assert.InRange(play.Ollama.PeakRamBytes, 1, MemoryPlay.Limit.Bytes);
        Assert.Equal(1, play.Ollama.MostLoadsInFlight);
        var expected = models.SelectMany((model, index) => index == 0
            ? [("load", $"ollama:{model.Name}", "It was asked for, with 8000 tokens of context.")]
            : new[]
            {
                ("evict", $"ollama:{models[index - 1].Name}", $"To make room for {model.Name}."),
                ("load", $"ollama:{model.Name}", "It was asked for, with 8000 tokens of context."),
            });
        Assert.Equal(expected, await play.EventsAsync());
        NoDelete(play);
    }

    [Fact]
    public async Task Unloading_takes_less_than_two_seconds_and_the_status_shows_it_within_one_more()
    {
        await using var play = new MemoryPlay(Scene() with { UnloadMilliseconds = 700 });
        await play.BeginAsync(PollSetting);
        await play.LoadAsync(Seven);
        await play.UntilAsync(() => play.StatusModels.Count == 1);
        (play.Time.Stride, play.Time.Rest) = (Step, TimeSpan.FromMilliseconds(2));
        var begun = play.Time.GetTimestamp();
        await play.CommandAsync("models.unload", MemoryPlay.Id(Seven));
        Assert.InRange(play.Time.GetElapsedTime(begun), TimeSpan.FromMilliseconds(700), TimeSpan.FromSeconds(2));
        Assert.Equal(0, play.Ollama.RamBytes);
        Assert.InRange(await play.UntilAsync(() => play.StatusModels.Count == 0), TimeSpan.Zero, TimeSpan.FromSeconds(1) + Step);
    }

    [Fact]
    public async Task What_others_load_beyond_the_limit_leaves_within_one_poll_and_is_told_once()
    {
        await using var play = new MemoryPlay(Scene());
        await play.BeginAsync(PollSetting);
        await play.CommandAsync("models.list");
        play.Ollama.LoadByOther(Huge);
        var bytes = play.Ollama.RamBytes;
        Assert.True(MemoryPlay.Limit.Bytes < bytes);
        Assert.InRange(await play.UntilAsync(() => play.Ollama.RamBytes == 0 && play.Shown.Count != 0), TimeSpan.Zero, Poll + TimeSpan.FromSeconds(3)); // what is seen is acted upon within a second, and then it takes its time to leave
        await play.PassAsync(Poll * 3);
        Assert.Equal([$"LLM Assist took {Huge} ({MemoryPlay.Written(bytes)}) out of memory. Models were above the limit."], play.Shown);
        Assert.Equal([("load", Huge), ("evict", Huge)], (await play.EventsAsync()).Select(static happened => (happened.Kind, happened.Model["ollama:".Length..])));
        NoDelete(play);
    }

    [Fact]
    public async Task What_others_load_stays_where_only_ours_may_be_taken_out_and_there_is_advice_instead()
    {
        await using var play = new MemoryPlay(Scene());
        await play.BeginAsync($"{PollSetting},\"memory.evict\":\"ours\"");
        await play.CommandAsync("models.list");
        play.Ollama.LoadByOther(Huge);
        await play.PassAsync(Poll * 3);
        Assert.NotEqual(0, play.Ollama.RamBytes);
        Assert.Empty(play.Shown);
        var advice = Advice(await play.CommandAsync("memory.status"));
        Assert.Contains(advice, line => line.StartsWith($"Models take {Size(play)}, more than the limit of 6.0 GB.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pinned_model_is_never_taken_out_and_who_is_refused_learns_of_it()
    {
        await using var play = new MemoryPlay(Scene());
        await play.BeginAsync(PollSetting);
        await play.LoadAsync(Seven);
        await play.CommandAsync("models.pin", MemoryPlay.Id(Seven));
        var bytes = play.Ollama.RamBytes;
        var refusal = await play.RefusalAsync("models.load", MemoryPlay.Id(OtherSeven));
        Assert.StartsWith($"{OtherSeven} was not loaded: it needs ", refusal, StringComparison.Ordinal);
        Assert.Contains($"of the limit of 6.0 GB no more than {MemoryPlay.Written(MemoryPlay.Limit.Bytes - bytes)} can be had. ", refusal, StringComparison.Ordinal);
        Assert.Contains($"unpin {Seven}, or raise llmAssist.memory.limit", refusal, StringComparison.Ordinal);

        // Others are not to be refused; but not for their sake either does it leave.
        play.Ollama.LoadByOther(OtherSeven);
        await play.UntilAsync(() => play.Ollama.RamBytes == bytes);
        await play.PassAsync(Poll * 2);
        Assert.Equal([$"ollama:{Seven}"], MemoryPlay.Ids(await play.CommandAsync("memory.status")));
        Assert.Equal(1, play.Ollama.Loads);

        await play.CommandAsync("models.unpin", MemoryPlay.Id(Seven));
        Assert.EndsWith($"Taken out of memory for it: {Seven} ({MemoryPlay.Written(bytes)}).", await play.LoadAsync(OtherSeven), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en", @"^codellama:7b was not loaded: it needs 4\.\d GB, and of the limit of 6\.0 GB no more than 1\.9 GB can be had\. Choose a smaller model or quantization, unpin qwen2\.5-coder:1\.5b, starcoder2:3b, or raise llmAssist\.memory\.limit\.$")]
    [InlineData("es", @"^codellama:7b no se cargó: necesita 4[.,]\d GB y del límite de 6[.,]0 GB no se pueden obtener más de 1[.,]9 GB\. Elija un modelo o una cuantización más pequeños, quite la fijación de qwen2\.5-coder:1\.5b, starcoder2:3b o aumente llmAssist\.memory\.limit\.$")]
    public async Task Two_that_are_pinned_leave_no_room_and_the_refusal_has_the_numbers(string locale, string expected)
    {
        await using var play = new MemoryPlay(Scene());
        await play.BeginAsync($"{PollSetting},\"memory.pinned\":[\"ollama:{Small}\",\"ollama:{OtherSmall}\"]", locale);
        await play.LoadAsync(Small);
        await play.LoadAsync(OtherSmall);
        var refusal = await play.RefusalAsync("models.load", MemoryPlay.Id(Seven));
        Assert.True(System.Text.RegularExpressions.Regex.IsMatch(refusal, expected), refusal);
        Assert.Equal(2, play.Ollama.Loads);
        var (kind, model, reason) = (await play.EventsAsync())[^1];
        Assert.Equal(("refuse", $"ollama:{Seven}"), (kind, model));
        Assert.Matches(expected, reason);
    }

    [Fact]
    public async Task Off_means_that_nothing_is_refused_and_nothing_is_taken_out()
    {
        await using var play = new MemoryPlay(Scene());
        await play.BeginAsync($"{PollSetting},\"memory.enabled\":false");
        await play.LoadAsync(Seven);
        Assert.EndsWith("6000 tokens of context.", await play.LoadAsync(OtherSeven), StringComparison.Ordinal);
        play.Ollama.LoadByOther(Huge);
        await play.PassAsync(Poll * 2);
        var memory = await play.CommandAsync("memory.status");
        Assert.Equal(3, MemoryPlay.Ids(memory).Count);
        Assert.Contains(Advice(memory), static line => line.StartsWith("Memory is only shown", StringComparison.Ordinal));
        Assert.DoesNotContain(await play.EventsAsync(), static happened => happened.Kind is "evict" or "refuse");
        Assert.Empty(play.Shown);
    }

    [Theory]
    [InlineData("Unload", false)]
    [InlineData("Keep", false)]
    [InlineData(null, false)]
    [InlineData("Always Unload", false)]
    [InlineData("Always Unload", true)]
    public async Task A_minute_after_another_model_was_chosen_the_user_is_asked_what_becomes_of_the_former(string? answer, bool updatesSettings)
    {
        await using var play = new MemoryPlay(Scene());
        await play.BeginAsync(PollSetting, updatesSettings: updatesSettings);
        await play.LoadAsync(Small);
        var bytes = play.Ollama.RamBytes;
        await play.LoadAsync(OtherSmall);
        Assert.InRange(await play.UntilAsync(() => play.Questions.Count != 0), TimeSpan.FromSeconds(55), TimeSpan.FromSeconds(65));
        var question = Assert.Single(play.Questions);
        Assert.Equal("window/showMessageRequest", question.GetProperty("method").GetString());
        var parameters = question.GetProperty("params");
        Assert.Equal($"{Small} is no longer asked and takes {MemoryPlay.Written(bytes)} of memory. Unload it?", parameters.GetProperty("message").GetString());
        Assert.Equal(["Unload", "Keep", "Always Unload"], parameters.GetProperty("actions").EnumerateArray().Select(static action => action.GetProperty("title").GetString()!));

        await play.AnswerAsync(answer is null ? "null" : $$"""{"title":"{{answer}}"}""");
        if (updatesSettings)
        {
            await play.UntilAsync(() => play.Questions.Count != 0);
            var update = Assert.Single(play.Questions);
            Assert.Equal("llmAssist/updateSetting", update.GetProperty("method").GetString());
            Assert.Equal("""{"key":"memory.onModelSwitch","value":"unload"}""", update.GetProperty("params").GetRawText());
            await play.AnswerAsync("null");
        }

        if (answer is null or "Keep")
        {
            await play.PassAsync(Poll);
            Assert.Equal(2, MemoryPlay.Ids(await play.CommandAsync("memory.status")).Count);
            return;
        }

        await play.UntilAsync(() => play.StatusModels is [$"ollama:{OtherSmall}"]);
        var choices = play[Path.Combine("state", "choices.json")];
        var isAlways = answer == "Always Unload";
        Assert.Equal(isAlways && !updatesSettings ? """{"memory.onModelSwitch":"unload"}""" : "", File.Exists(choices) ? File.ReadAllText(choices) : "");

        // Whoever has said 'always' is not asked again.
        await play.LoadAsync(Small);
        await play.UntilAsync(() => play.Questions.Count != 0 || play.StatusModels is [$"ollama:{Small}"]);
        Assert.Equal(isAlways ? 0 : 1, play.Questions.Count);
        if (!isAlways)
        {
            await play.AnswerAsync("null");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_the_session_has_loaded_leaves_with_it_if_the_user_wants_that(bool unloads)
    {
        await using var play = new MemoryPlay(Scene() with { UnloadMilliseconds = 300 });
        play.Ollama.LoadByOther(OtherSmall);
        var others = play.Ollama.RamBytes;
        await play.BeginAsync($"{PollSetting},\"memory.unloadOnExit\":{(unloads ? "true" : "false")}");
        await play.LoadAsync(Small);
        var all = play.Ollama.RamBytes;
        Assert.NotEqual(others, all);
        await play.EndAsync();
        Assert.Equal(unloads ? others : all, play.Ollama.RamBytes);
        NoDelete(play);
    }

    [Fact]
    public async Task Of_a_server_that_tells_nothing_our_own_loads_are_counted()
    {
        await using var play = new MemoryPlay(Scene() with { WithoutRunning = true, Version = "0.1.30" });
        await play.BeginAsync(PollSetting);
        await play.LoadAsync(Seven);
        Assert.Contains($"Taken out of memory for it: {Seven}", await play.LoadAsync(OtherSeven), StringComparison.Ordinal);
        var memory = await play.CommandAsync("memory.status");
        Assert.Equal([$"ollama:{OtherSeven}"], MemoryPlay.Ids(memory));
        Assert.Contains(Advice(memory), static line => line.StartsWith("This Ollama is too old to tell what it has in memory", StringComparison.Ordinal));
        await play.CommandAsync("models.pin", MemoryPlay.Id(OtherSeven));
        Assert.Contains($"unpin {OtherSeven}", await play.RefusalAsync("models.load", MemoryPlay.Id(Seven)), StringComparison.Ordinal);
        Assert.InRange(play.Ollama.PeakRamBytes, 1, MemoryPlay.Limit.Bytes);
        NoDelete(play);
    }

    [Fact]
    public async Task A_model_whose_process_has_died_is_told_of_once()
    {
        var runners = new StagedRunners();
        await using var play = new MemoryPlay(Scene(), runners);
        await play.BeginAsync(PollSetting);
        await play.LoadAsync(Small);
        runners.Seen = [new(4711, $"/var/lib/ollama/blobs/sha256-{new string('a', 64)}", ByteSize.GiB(2))];
        await play.UntilAsync(() => play.Server.Statuses.Count != 0 && play.Status.GetProperty("modelsBytes").GetInt64() == ByteSize.GiB(2).Bytes);

        play.Ollama.Crash(Small);
        runners.Seen = [];
        Assert.InRange(await play.UntilAsync(() => play.Shown.Count != 0), TimeSpan.Zero, Poll);
        await play.PassAsync(Poll);
        Assert.Equal([$"{Small} has died. Its process has died; Ollama still lists it. Load it again; if that happens often, look into Ollama's log."], play.Shown);
        var memory = await play.CommandAsync("memory.status");
        Assert.Equal(0, memory.GetProperty("modelsBytes").GetInt64());
        Assert.Contains(Advice(memory), static line => line.StartsWith($"The process of {Small} has died; it takes no memory", StringComparison.Ordinal));
    }

    // In a process of its own, where no other test allocates.
    [Fact]
    public void Eight_hours_of_switching_models_leave_nothing_behind()
    {
        const int Hours = 8;
        using var child = ChildProcess.Start("hours", $"{Hours}");
        var (exitCode, said) = child.End();
        Assert.True(exitCode == 0, said);
        var hours = said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(MemoryHours.Hour.Parse).ToList();
        Assert.Equal(Hours, hours.Count);
        Assert.All(hours, static hour =>
        {
            Assert.InRange(hour.PeakRamBytes, 1, MemoryPlay.Limit.Bytes);
            Assert.InRange(hour.SharedFiles, 1, MemoryHours.MostSharedFiles);
            Assert.Equal((0, 0), (hour.Deletes, hour.Refusals));
            Assert.True(0 < hour.Evictions && 0 < hour.Expiries && 0 < hour.Completions, $"{hour}");
        });
        Assert.NotEqual(0, hours.Sum(static hour => hour.Questions));
        var switches = hours.Skip(1).Sum(static hour => hour.Switches);
        Assert.InRange(switches, 300, int.MaxValue);

        // A kilobyte that each switch left behind would be four times that.
        Assert.True(hours[^1].ManagedBytes - hours[0].ManagedBytes < switches * 256, said);
    }

    // Sizes are fiction, the context's share as these architectures have it: 128 KiB a token of a large model, 28 KiB of a small one.
    internal static Scenario Scene() => new()
    {
        LoadMilliseconds = 1500,
        Models =
        [
            Model(Seven, "llama", 4, 17),
            Model(OtherSeven, "llama", 4.1, 17),
            Model(Small, "qwen2", 1.8, 14) with { Blob = new string('a', 64) },
            Model(OtherSmall, "starcoder2", 2.3, 14),
            Model(Huge, "llama", 7.4, 17),
        ],
    };

    private static FakeModel Model(string name, string family, double gigabytes, int kvShift) => new()
    {
        Name = name,
        Family = family,
        ParameterSize = "7B",
        SizeBytes = Gigabytes(gigabytes * 0.9),
        LoadedBytes = Gigabytes(gigabytes),
        KvBytesPerToken = 1L << kvShift,
        Reply = "unit_price * quantity\n",
    };

    private static long Gigabytes(double number) => (long)(number * 1e9);

    // All that models take, as the product writes it.
    private static string Size(MemoryPlay play) => MemoryPlay.Written(play.Ollama.RamBytes);

    private static IReadOnlyList<string> Advice(JsonElement memory) => [.. memory.GetProperty("advice").EnumerateArray().Select(static line => line.GetString()!)];

    private static void NoDelete(MemoryPlay play) => Assert.DoesNotContain(play.Ollama.Asked, static asked => asked.Method == "DELETE");

    private sealed class StagedRunners : IRunnerProbe
    {
        public IReadOnlyList<RunnerProcess> Seen { get; set; } = [];

        public IReadOnlyList<RunnerProcess> Read(bool rescan) => Seen;
    }
}
