// What the governor decides about: plain records. Ids and byte counts, never models.
namespace LlmAssist.Engine.Memory;

/// <summary>A model in memory, whoever loaded it.</summary>
/// <param name="Id">Which.</param>
/// <param name="Bytes">What it takes of the machine's memory, and what comes back when it leaves.</param>
/// <param name="LastUsed">When it last answered anybody, as well as that is known.</param>
public sealed record Resident(ModelId Id, ByteSize Bytes, DateTimeOffset LastUsed)
{
    /// <summary>Whether the user wants it to stay.</summary>
    public bool IsPinned { get; init; }

    /// <summary>Whether it answers somebody, or may at any moment: it is then never taken away.</summary>
    public bool IsBusy { get; init; }

    /// <summary>Whether it was told to leave and will soon be gone: worth waiting for. It is busy until then.</summary>
    public bool IsLeaving { get; init; }

    /// <summary>Whether one of our windows has loaded it, rather than another program.</summary>
    public bool IsOurs { get; init; }

    /// <summary>The part of <see cref="Bytes"/> that the system takes back by itself when memory is short: pages of a mapped file. Counts towards the limit, not as memory that leaving frees.</summary>
    public ByteSize Mapped { get; init; }

    /// <summary>What becomes available when it leaves.</summary>
    public ByteSize Freed => Bytes - Mapped;
}

/// <summary>A model that is to be loaded.</summary>
/// <param name="Id">Which.</param>
/// <param name="Choices">The contexts it may be loaded with and what it then takes; the largest first, at least one. A model without a context has one choice of zero tokens.</param>
public sealed record Newcomer(ModelId Id, IReadOnlyList<ContextChoice> Choices)
{
    /// <summary>What it takes already, if it is in memory with another context: that comes back in the same moment.</summary>
    public ByteSize Replaces { get; init; }

    /// <summary>Whether the context goes by free memory; if not, the largest choice is what the user has fixed.</summary>
    public bool IsContextFree { get; init; }
}

/// <summary>One way to load a model.</summary>
/// <param name="Tokens">Its context.</param>
/// <param name="Bytes">What it takes of the machine's memory with it.</param>
public readonly record struct ContextChoice(int Tokens, ByteSize Bytes);

/// <summary>Which models may be taken out of memory to make room.</summary>
public enum EvictionScope
{
    /// <summary>All that are idle and not pinned.</summary>
    All,

    /// <summary>Only those that our windows have loaded.</summary>
    Ours,
}

/// <summary>How much of the last ten seconds the system spent waiting for memory: the kernel's pressure stall information.</summary>
/// <param name="Some">Percent of the time in which at least one task waited; 0 to 100.</param>
/// <param name="Full">Percent of the time in which all tasks waited; 0 to 100.</param>
public readonly record struct MemoryPressure(double Some, double Full);

/// <summary>Why memory must come back.</summary>
public enum ReliefCause
{
    /// <summary>Models take more than the limit.</summary>
    AboveLimit,

    /// <summary>The machine has less left than it needs.</summary>
    LowMemory,

    /// <summary>The system waits for memory.</summary>
    Pressure,
}

/// <summary>What should leave, and why.</summary>
/// <param name="Cause">Why memory must come back.</param>
/// <param name="Victims">In the order in which they should go; empty if nothing can.</param>
public sealed record Relief(ReliefCause Cause, IReadOnlyList<ModelId> Victims);

/// <summary>What the machine had at one moment, and what models took of it.</summary>
/// <param name="At">When.</param>
/// <param name="Total">Memory of the machine; null if not told.</param>
/// <param name="Available">What was left of it; null if not told.</param>
/// <param name="Limit">What models were allowed to take.</param>
/// <param name="Models">What each took.</param>
public sealed record MemorySample(DateTimeOffset At, ByteSize? Total, ByteSize? Available, ByteSize Limit, IReadOnlyList<ModelShare> Models);

/// <summary>What one model took.</summary>
public readonly record struct ModelShare(ModelId Id, ByteSize Bytes);

/// <summary>What can happen to a model's memory.</summary>
public enum MemoryEventKind
{
    /// <summary>It was loaded, by us or by others.</summary>
    Load,

    /// <summary>It left because somebody said so.</summary>
    Unload,

    /// <summary>We took it out to make room.</summary>
    Evict,

    /// <summary>It was not let in.</summary>
    Refuse,

    /// <summary>It left by itself: its time was over, or the server needed the room.</summary>
    Expire,

    /// <summary>It died.</summary>
    Crash,
}

/// <summary>Something that happened to a model's memory.</summary>
/// <param name="At">When.</param>
/// <param name="Kind">What.</param>
/// <param name="Id">To which model.</param>
/// <param name="Bytes">What it took or would have taken; zero if not known.</param>
/// <param name="Reason">Why, for the user.</param>
public sealed record MemoryEvent(DateTimeOffset At, MemoryEventKind Kind, ModelId Id, ByteSize Bytes, Phrase Reason);
