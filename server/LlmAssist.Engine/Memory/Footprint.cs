// What a model costs before it is loaded, as arithmetic. Where the numbers come from is not known here.
namespace LlmAssist.Engine.Memory;

/// <summary>What a model takes in memory, by its context.</summary>
/// <param name="Fixed">What it takes whatever the context: weights, buffers, the process.</param>
/// <param name="BytesPerToken">What each token of context adds.</param>
/// <param name="BytesPerWindowToken">What each token adds in layers that see a sliding window only.</param>
/// <param name="WindowTokens">How many tokens such layers hold at most.</param>
public readonly record struct Footprint(ByteSize Fixed, double BytesPerToken, double BytesPerWindowToken = 0, int WindowTokens = 0)
{
    /// <summary>Tokens come in blocks of so many, of which the last is paid whole; 0 and 1 for single tokens.</summary>
    public int BlockTokens { get; init; }

    /// <summary>What larger contexts add at once, because longer prompts are read with larger buffers; null for nothing.</summary>
    public IReadOnlyList<FootprintStep>? Steps { get; init; }

    /// <summary>What it takes with this many tokens of context.</summary>
    public ByteSize At(int contextTokens)
    {
        long block = Math.Max(1, BlockTokens);
        var tokens = (contextTokens + block - 1) / block * block;
        var size = Fixed + new ByteSize((long)Math.Ceiling((BytesPerToken * tokens) + (BytesPerWindowToken * Math.Min(tokens, WindowTokens))));
        foreach (var step in Steps ?? [])
        {
            size += step.Above < tokens ? step.Added : ByteSize.Zero;
        }

        return size;
    }
}

/// <summary>What contexts above some length add at once.</summary>
/// <param name="Above">The longest context, in tokens, without it.</param>
/// <param name="Added">What it takes.</param>
public readonly record struct FootprintStep(int Above, ByteSize Added);
