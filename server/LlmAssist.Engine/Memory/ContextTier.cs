// How much context a model is loaded with. Arithmetic only: who loads asks once, at the load.
namespace LlmAssist.Engine.Memory;

/// <summary>
/// Context sizes in steps. A server loads a model anew when its context changes, so a size is chosen for a whole stay in memory and
/// not for each request.
/// </summary>
public static class ContextTier
{
    /// <summary>The size where nobody knows how much memory there is.</summary>
    public const int Unknown = 2000;

    private const int Least = 1000;

    private static readonly (ByteSize Available, int Tokens)[] Steps =
    [
        (ByteSize.GiB(8), 8000),
        (ByteSize.GiB(4), 6000),
        (ByteSize.GiB(2), 4000),
        (ByteSize.GiB(1), 2000),
    ];

    /// <summary>Tokens of context for a model that is loaded while this much memory is available.</summary>
    public static int TokensFor(ByteSize available)
    {
        foreach (var (least, tokens) in Steps)
        {
            if (least <= available)
            {
                return tokens;
            }
        }

        return Least;
    }

    /// <summary>All sizes, the largest first, for a model that was trained for at most <paramref name="trained"/> tokens.</summary>
    public static IReadOnlyList<int> Ladder(int trained) =>
        [.. Steps.Select(step => Math.Min(step.Tokens, trained)).Append(Math.Min(Least, trained)).Distinct()];
}
