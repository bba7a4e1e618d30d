// Which contexts are counted and looked up. A new kind of context is a row here and nowhere else.
namespace LlmAssist.Engine.Patterns;

/// <summary>A kind of context.</summary>
/// <param name="Name">Kept in the file, so that one can see what a model was trained with. It salts the hashes.</param>
/// <param name="Of">What the context consists of.</param>
internal sealed record ContextKind(string Name, Func<ContextView, ulong> Of)
{
    /// <summary>Whether what follows is counted by its number (<see cref="ContextView.Slots"/>) where it has one.</summary>
    public bool IsRenamed { get; init; }

    /// <summary>How many of the most frequent successors compete; the others only where they compete already.</summary>
    public int Candidates { get; init; } = 12;

    /// <summary>How many symbols it names in a row; 0 if it is not that simple.</summary>
    public int Run { get; init; }

    internal ulong Salt { get; } = SymbolHash.Of(Name);
}

/// <summary>
/// The contexts of a position: hashes, one for each kind. Kinds salt their hashes, so all of them share one table, and a model that was
/// trained without a kind simply has no answer for it.
/// </summary>
internal static class Contexts
{
    /// <summary>The kinds that predict the next symbol, the most specific first: the order in which candidates are gathered.</summary>
    public static readonly IReadOnlyList<ContextKind> All =
    [
        Run(6), Renamed(16), Renamed(10), Run(4),
        new("call", view => Hash(view.Call, (ulong)view.Argument, view.Symbol(1))),
        Run(3), Renamed(6),
        new("firstWords", view => Hash(view.Traits(1).FirstWord, view.Traits(2).FirstWord, view.Traits(3).FirstWord)),
        new("names", view => Hash(view.Name, view.PreviousName, view.Symbol(1))),
        new("previous", view => Hash(view.PreviousFirst, view.PreviousSecond, (ulong)Math.Min(view.StatementLength, 4), view.Symbol(1))),
        new("statement", view => Hash(view.StatementFirst, view.StatementSecond, view.Symbol(1))),
        new("words2", view => Hash(view.Traits(1).LastWord, view.Traits(2).LastWord)),
        Run(2),
        Renamed(3), Shape(6), Shape(4),
        Run(1) with { Candidates = 24 },
        new("argument", view => Hash(view.Call, (ulong)view.Argument)) { Candidates = 24 },
        new("skip2", view => view.Symbol(2)) { Candidates = 24 },
        Run(0) with { Candidates = 16 },
    ];

    /// <summary>How many contexts predict the next symbol.</summary>
    public static readonly int Kinds = All.Count;

    /// <summary>The index of the kind that names nothing: how often each symbol occurs.</summary>
    public static readonly int Nothing = Kinds - 1;

    /// <summary>How many contexts predict the space before a symbol, the more general last.</summary>
    public const int SpacingKinds = 2;

    /// <summary>Names of the kinds, kept in the file so that one can see what a model was trained with.</summary>
    public static readonly IReadOnlyList<string> Names = [.. All.Select(kind => kind.Name), "spacing3", "spacing2"];

    private const ulong SpacingSalt = 64;

    /// <summary>Writes the context hashes of a position.</summary>
    /// <param name="view">The position.</param>
    /// <param name="into">Receives <see cref="Kinds"/> hashes, in the order of <see cref="All"/>.</param>
    public static void Fill(ContextView view, Span<ulong> into)
    {
        for (var kind = 0; kind < into.Length; kind++)
        {
            into[kind] = SymbolHash.Finish(SymbolHash.Add(All[kind].Salt, All[kind].Of(view)));
        }
    }

    /// <summary>Writes the contexts of a symbol of a text, and what it is counted as behind each.</summary>
    /// <param name="view">Reads the position.</param>
    /// <param name="symbols">The text.</param>
    /// <param name="index">Where in it.</param>
    /// <param name="id">The symbol's id among those that are counted.</param>
    /// <param name="contexts">Receives <see cref="Kinds"/> hashes, in the order of <see cref="All"/>.</param>
    /// <param name="successors">Receives for each the id, or what stands for the symbol's number.</param>
    public static void Fill(ContextView view, ReadOnlySpan<Symbol> symbols, int index, uint id, Span<ulong> contexts, Span<uint> successors)
    {
        view.Read(symbols[..index]);
        Fill(view, contexts);
        var slot = symbols[index].Traits.IsCommon ? -1 : view.SlotOf(symbols[index].Hash);
        for (var kind = 0; kind < successors.Length; kind++)
        {
            successors[kind] = 0 <= slot && All[kind].IsRenamed ? PatternFormat.FirstSlotSymbol + (uint)slot : id;
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

    private static ContextKind Run(int length) => new($"symbols{length}", view => view.Run(length)) { Run = length };

    private static ContextKind Renamed(int length) => new($"renamed{length}", view => view.Renamed(length)) { IsRenamed = true };

    private static ContextKind Shape(int length) => new($"shape{length}", view => view.Shape(length));

    private static ulong Hash(ulong first, ulong second) => SymbolHash.Add(SymbolHash.Add(0, first), second);

    private static ulong Hash(ulong first, ulong second, ulong third) => SymbolHash.Add(Hash(first, second), third);

    private static ulong Hash(ulong first, ulong second, ulong third, ulong fourth) => SymbolHash.Add(Hash(first, second, third), fourth);

    private static ulong Salted(ulong hash, ulong kind) => SymbolHash.Finish(hash ^ ((kind + 1) * 0xC2B2AE3D27D4EB4FUL));
}
