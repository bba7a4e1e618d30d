// Which contexts are counted and looked up. A new kind of context is a row here and nowhere else.
namespace LlmAssist.Engine.Patterns;

/// <summary>
/// The contexts of a position: hashes of what stands before it, one for each kind. Kinds salt their hashes, so all of them
/// share one table, and a model that was trained without a kind simply has no answer for it.
/// </summary>
/// <remarks>Kinds now: the last 0 to 6 symbols (n-grams of order 1 to 7); two kinds for the space between symbols.</remarks>
internal static class Contexts
{
    /// <summary>The longest n-gram context, in symbols.</summary>
    public const int MaximumOrder = 6;

    /// <summary>How many contexts predict the next symbol; kind k looks at the last k symbols.</summary>
    public const int Kinds = MaximumOrder + 1;

    /// <summary>How many contexts predict the space before a symbol, the more general last.</summary>
    public const int SpacingKinds = 2;

    /// <summary>Names of the kinds, kept in the file so that one can see what a model was trained with.</summary>
    public static readonly IReadOnlyList<string> Names =
        ["symbols0", "symbols1", "symbols2", "symbols3", "symbols4", "symbols5", "symbols6", "spacing3", "spacing2"];

    private const ulong SpacingSalt = 64;

    /// <summary>
    /// Writes the <see cref="Kinds"/> context hashes of the position behind <paramref name="history"/>. Before the beginning of the
    /// text stand line ends.
    /// </summary>
    /// <param name="history">Symbol hashes, the nearest last; only the last <see cref="MaximumOrder"/> count.</param>
    /// <param name="into">Receives the hashes; kind k at index k.</param>
    public static void Fill(ReadOnlySpan<ulong> history, Span<ulong> into)
    {
        var running = 0UL;
        into[0] = Salted(running, 0);
        for (var order = 1; order <= MaximumOrder; order++)
        {
            running = SymbolHash.Add(running, order <= history.Length ? history[^order] : Symbol.NewlineHash);
            into[order] = Salted(running, (ulong)order);
        }
    }

    /// <summary>Writes the <see cref="SpacingKinds"/> contexts of the space between two symbols.</summary>
    /// <param name="beforePrevious"><see cref="Symbol.Shape"/> of the symbol before the previous one.</param>
    /// <param name="previous">Shape of the symbol before the space.</param>
    /// <param name="next">Shape of the symbol behind the space.</param>
    public static void FillSpacing(ulong beforePrevious, ulong previous, ulong next, Span<ulong> into)
    {
        var pair = SymbolHash.Add(SymbolHash.Add(0, previous), next);
        into[0] = Salted(SymbolHash.Add(pair, beforePrevious), SpacingSalt);
        into[1] = Salted(pair, SpacingSalt + 1);
    }

    private static ulong Salted(ulong hash, ulong kind) => SymbolHash.Finish(hash ^ ((kind + 1) * 0xC2B2AE3D27D4EB4FUL));
}
