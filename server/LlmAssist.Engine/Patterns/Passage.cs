// The text before a cursor, as far as predicting in it needs: the symbols, and where each was last.
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>Where a symbol was last in a passage, and how often it is in it.</summary>
/// <param name="Last">Index of its last occurrence.</param>
/// <param name="Count">Occurrences; 0 for a symbol that is not in it.</param>
internal readonly record struct Occurrence(int Last, int Count);

/// <summary>The symbols before a cursor; one can go on from it, and back. Touched by one thread at a time.</summary>
internal sealed class Passage
{
    private readonly List<Symbol> _symbols = [];
    private readonly List<int> _earlier = []; // for each symbol, where the same one was before; -1 if nowhere
    private readonly Dictionary<ulong, Occurrence> _occurrences = [];

    /// <summary>The symbols, the nearest last. Valid until the passage changes.</summary>
    public ReadOnlySpan<Symbol> Symbols => CollectionsMarshal.AsSpan(_symbols);

    /// <summary>Begins anew with these symbols.</summary>
    public void Restart(ReadOnlySpan<Symbol> symbols)
    {
        _symbols.Clear();
        _earlier.Clear();
        _occurrences.Clear();
        foreach (ref readonly var symbol in symbols)
        {
            Append(symbol);
        }
    }

    /// <summary>Goes on by a symbol.</summary>
    public void Append(Symbol symbol)
    {
        ref var occurrence = ref CollectionsMarshal.GetValueRefOrAddDefault(_occurrences, symbol.Hash, out _);
        _earlier.Add(occurrence.Count == 0 ? -1 : occurrence.Last);
        occurrence = new(_symbols.Count, occurrence.Count + 1);
        _symbols.Add(symbol);
    }

    /// <summary>Goes back by one symbol.</summary>
    public void TakeBack()
    {
        ref var occurrence = ref CollectionsMarshal.GetValueRefOrAddDefault(_occurrences, _symbols[^1].Hash, out _);
        occurrence = new(_earlier[^1], occurrence.Count - 1);
        _symbols.RemoveAt(_symbols.Count - 1);
        _earlier.RemoveAt(_earlier.Count - 1);
    }

    /// <summary>Where a symbol was last.</summary>
    public Occurrence Of(ulong hash) => _occurrences.GetValueOrDefault(hash);
}
