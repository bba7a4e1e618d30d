// What a model costs before it is loaded, as arithmetic. Where the numbers come from is not known here.
namespace LlmAssist.Engine.Memory;

/// <summary>What a model takes in memory, by its context.</summary>
/// <param name="Fixed">What it takes whatever the context: weights, buffers, the process.</param>
/// <param name="BytesPerToken">What each token of context adds.</param>
/// <param name="BytesPerWindowToken">What each token adds in layers that see a sliding window only.</param>
/// <param name="WindowTokens">How many tokens such layers hold at most.</param>
public readonly record struct Footprint(ByteSize Fixed, double BytesPerToken, double BytesPerWindowToken = 0, int WindowTokens = 0)
{
    /// <summary>What it takes with this many tokens of context.</summary>
    public ByteSize At(int contextTokens) =>
        Fixed + new ByteSize((long)Math.Ceiling((BytesPerToken * contextTokens) + (BytesPerWindowToken * Math.Min(contextTokens, WindowTokens))));
}
