namespace LlmAssist.Engine.Memory;

/// <summary>What the governor says to a load.</summary>
public abstract record Verdict
{
    private Verdict()
    {
    }

    /// <summary>It fits: load it so.</summary>
    public sealed record Admit(ContextChoice Choice) : Verdict;

    /// <summary>It fits when these have left; then ask again.</summary>
    /// <param name="Victims">In the order in which they should go.</param>
    /// <param name="Choice">How it can be loaded then.</param>
    public sealed record EvictFirst(IReadOnlyList<ModelId> Victims, ContextChoice Choice) : Verdict;

    /// <summary>It does not fit, whatever leaves.</summary>
    /// <param name="Needed">What the smallest choice takes.</param>
    /// <param name="Room">What can be had at the most, everything evictable gone; never negative.</param>
    /// <param name="IsByLimit">Whether the limit is what forbids it; if not, the machine has too little left.</param>
    public sealed record Refuse(ByteSize Needed, ByteSize Room, bool IsByLimit) : Verdict;
}
