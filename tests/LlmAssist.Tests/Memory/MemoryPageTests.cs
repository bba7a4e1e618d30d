// The page that lists what users can be told of memory, held against the sentences themselves. UPDATE_GOLDEN=1 rewrites its list.
using System.Text;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Server.Background;
using LlmAssist.Tests.Architecture;

namespace LlmAssist.Tests.Memory;

public sealed class MemoryPageTests
{
    private const string Marker = "## Messages\n";

    private static readonly string Page = Path.Combine(FormatTests.Root, "server/docs/memory.md");
    private static readonly DateTimeOffset Now = new(2026, 11, 20, 20, 0, 0, TimeSpan.Zero);
    private static readonly ModelId Coder = new(ModelSource.Ollama, "qwen2.5-coder:7b");
    private static readonly ModelId Small = new(ModelSource.Ollama, "qwen2.5-coder:1.5b");
    private static readonly ModelId Other = new(ModelSource.Ollama, "mistral:7b");
    private static readonly Resident Idle = new(Other, ByteSize.GiB(4.8), Now - TimeSpan.FromMinutes(42));
    private static readonly ContextChoice[] Choices = [new(8000, ByteSize.GiB(5.6)), new(1000, ByteSize.GiB(5.1))];
    private static readonly MemoryReading Machine = new(new SystemMemory(ByteSize.GiB(16), ByteSize.GiB(6), LimitedByGroup: false), null, []);

    // Headings, when one is told, and what.
    private static readonly (string Heading, (string When, Phrase Text)[] Rows)[] Messages =
    [
        ("Refusals: the answer to a load, or in the status where typing had asked for it",
        [
            ("It alone is beyond the limit", MemoryMessages.Refused(new(Coder, Choices) { IsContextFree = true }, new(Choices[^1].Bytes, ByteSize.GiB(2), true), ByteSize.GiB(2), [])),
            ("The limit forbids it", Refused(isFree: true, byLimit: true)),
            ("The limit forbids it, with a fixed context and a pinned model", Refused(isFree: false, byLimit: true, Other)),
            ("The machine has too little left", Refused(isFree: true, byLimit: false)),
            ("The end of a refusal, where something else fits", MemoryMessages.Instead(new(2000, ByteSize.GiB(5.2)), MemoryAdvice.Fitting([(Small, new Verdict.Admit(new(8000, ByteSize.GiB(1.6))))]))!.Value),
            ("It took more than was predicted", MemoryMessages.UnloadedAgain(Coder, ByteSize.GiB(5.1), ByteSize.GiB(6))),
        ]),
        ("Evictions: shown as a message, unless they belong to a load that was asked for, whose answer then ends with them",
        [
            ("Room was needed for a load", Line(MemoryEventKind.Evict, MemoryMessages.RoomFor(Coder))),
            ("A load took more than was predicted", Line(MemoryEventKind.Evict, MemoryMessages.TakesMore(Coder))),
            ("Above the limit, as after a load by another program", Line(MemoryEventKind.Evict, MemoryMessages.Relieved(ReliefCause.AboveLimit))),
            ("Less than half the reserve was left", Line(MemoryEventKind.Evict, MemoryMessages.Relieved(ReliefCause.LowMemory))),
            ("The system was waiting for memory (Linux)", Line(MemoryEventKind.Evict, MemoryMessages.Relieved(ReliefCause.Pressure))),
            ("The end of an answer to a load", MemoryMessages.TakenOut($"{Other.Name} (4.8 GB)")),
        ]),
        ("Other programs' models, and what leaves by itself: in the log and in the history; a crash also as a message",
        [
            ("Another program has loaded a model", Line(MemoryEventKind.Load, MemoryMessages.LoadedByOthers)),
            ("A model was loaded here", Line(MemoryEventKind.Load, MemoryMessages.AskedWith(6000))),
            ("A model was unloaded here", Line(MemoryEventKind.Unload, MemoryMessages.Asked)),
            ("Its time was over", Line(MemoryEventKind.Expire, MemoryMessages.StayedUnused)),
            ("It left for another reason", Line(MemoryEventKind.Expire, MemoryMessages.LeftOtherwise)),
            ("Its process has died (seen on Linux)", Line(MemoryEventKind.Crash, MemoryMessages.ProcessDied)),
        ]),
        ("While loading and asking: in the status",
        [
            ("Another window is loading", MemoryMessages.Waits(Coder, Other)),
            ("This process was stopped while it loaded", MemoryMessages.Overtaken(Coder)),
            ("A model is to be asked that has just left", MemoryMessages.HasLeft(Coder)),
            ("A model does not leave: the answer to an unload", MemoryMessages.StillThere(Other, TimeSpan.FromSeconds(30))),
        ]),
        ("A minute after another model was chosen: a question",
        [
            ("The former model is idle and not pinned", MemoryMessages.UnloadFormer(Idle)),
            ("First answer", MemoryWork.Unload),
            ("Second answer", MemoryWork.Keep),
            ("Third answer, which is kept as the setting", MemoryWork.Always),
        ]),
        ("Advice: in the tooltip of the status, in `memory.status`, in `llm-assist memory` and `doctor`",
        [
            ("The governor is switched off", MemoryAdvice.OnlyShown),
            ("Models are above the limit and cannot leave", Advice(Machine, ByteSize.GiB(4), Idle with { IsPinned = true })),
            ("Memory is tight, and a model could leave", Advice(Tight, ByteSize.GiB(6), Idle)),
            ("Memory is tight, and models are not the reason", Advice(Tight, ByteSize.GiB(6))),
            ("A model is idle for long", Advice(Machine, ByteSize.GiB(6), Idle)),
            ("The system waits for memory (Linux)", Advice(Machine with { Pressure = new(31, 12) }, ByteSize.GiB(6))),
            ("The limit is too high for the machine", Advice(Machine, ByteSize.GiB(24))),
            ("The limit is low for the machine", Advice(Machine, ByteSize.GiB(2))),
            ("Models that fit now", MemoryAdvice.Fitting([(Coder, new Verdict.Admit(Choices[0]))])!.Value),
            ("An old Ollama, without a list of what runs", MemoryMessages.TooOld),
            ("A model does not leave", MemoryMessages.Stuck(Other, ByteSize.GiB(4.8))),
            ("A model's process has died (Linux)", MemoryMessages.Dead(Other)),
        ]),
    ];

    private static MemoryReading Tight => new(new SystemMemory(ByteSize.GiB(16), ByteSize.MiB(700), LimitedByGroup: false), null, []);

    [Fact]
    public void The_page_lists_every_message_in_both_languages()
    {
        var page = File.ReadAllText(Page);
        var at = page.IndexOf(Marker, StringComparison.Ordinal);
        Assert.True(0 <= at, $"{Page} has no line '{Marker.TrimEnd()}'.");
        var expected = page[..at] + Marker + Listed();
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(Page, expected);
            return;
        }

        Assert.Equal(expected, page);
    }

    [Fact]
    public void Every_sentence_of_memory_is_on_the_page()
    {
        var told = Messages.SelectMany(static section => section.Rows).Count();
        var sentences = typeof(MemoryMessages).GetMembers().Count(static member => member is System.Reflection.PropertyInfo { PropertyType.Name: nameof(Phrase) }
            or System.Reflection.MethodInfo { ReturnType.Name: nameof(Phrase), IsSpecialName: false });
        Assert.True(0 < sentences && sentences <= told, $"MemoryMessages has {sentences} sentences, the page {told}.");
        Assert.All(Messages.SelectMany(static section => section.Rows), static row => Assert.NotEqual(row.Text.English, row.Text.Spanish));
    }

    private static string Listed()
    {
        var text = new StringBuilder("\nNames and figures are examples.\n");
        foreach (var (heading, rows) in Messages)
        {
            text.Append('\n').Append("### ").Append(heading).Append("\n\n| when | English | Spanish |\n|---|---|---|\n");
            foreach (var (when, phrase) in rows)
            {
                text.Append("| ").Append(when).Append(" | ").Append(phrase.English.Trim()).Append(" | ").Append(phrase.Spanish.Trim()).Append(" |\n");
            }
        }

        return text.ToString();
    }

    private static Phrase Refused(bool isFree, bool byLimit, params ModelId[] pinned) => MemoryMessages.Refused(
        new(Coder, isFree ? Choices : [Choices[0]]) { IsContextFree = isFree },
        new(isFree ? Choices[^1].Bytes : Choices[0].Bytes, ByteSize.GiB(1.2), byLimit),
        ByteSize.GiB(6),
        pinned);

    private static Phrase Line(MemoryEventKind kind, Phrase reason) => MemoryMessages.Line(new(Now, kind, Other, ByteSize.GiB(4.8), reason));

    private static Phrase Advice(MemoryReading reading, ByteSize limit, params Resident[] residents) =>
        MemoryAdvice.For(reading, MemoryBudget.Of(reading, limit, EvictionScope.All), residents, Now).First();
}
