// What the open documents teach: counts of a text that is being edited, kept up to date by difference.
using System.Runtime.InteropServices;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// Counts of one document, or of the part of it around the cursor. Touched by one thread at a time.
/// </summary>
internal sealed class DocumentCounts
{
    // Every word half typed leaves a symbol behind; beyond this many unused ones the counts are made anew.
    private const int MaximumDeadSymbols = 20_000;

    private ContextCounts _counts = new();
    private List<Counted> _symbols = [];
    private List<Counted> _incoming = [];
    private readonly List<Symbol> _read = [];

    /// <summary>The counts, as of the last update.</summary>
    public IContextSource Source => _counts;

    /// <summary>Bytes of memory; an estimate.</summary>
    public long Bytes => _counts.Bytes + ((long)(_symbols.Capacity + _incoming.Capacity) * 48);

    /// <summary>Brings the counts up to date with a text. Costs one reading of it and the counting of what changed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="tokens">Its tokens, which tile it.</param>
    public void Update(ReadOnlySpan<char> text, List<Token> tokens)
    {
        SymbolSequence.Read(text, tokens, _read);
        if (_read.Count + MaximumDeadSymbols < _counts.SymbolCount)
        {
            _counts = new();
            _symbols.Clear();
        }

        _incoming.Clear();
        var read = CollectionsMarshal.AsSpan(_read);
        for (var index = 0; index < read.Length; index++)
        {
            var hasSpace = SymbolSequence.TryGetSpace(text, read, index, out var space);
            _incoming.Add(new(
                read[index],
                _counts.Intern(read[index].Hash, read[index].Kind, text.Slice(read[index].Start, read[index].Length)),
                hasSpace ? _counts.Intern(Symbol.SpaceHash(space), TokenKind.Whitespace, space) : Counted.NoSpace));
        }

        var old = CollectionsMarshal.AsSpan(_symbols);
        var changed = CollectionsMarshal.AsSpan(_incoming);
        var same = 0;
        while (same < Math.Min(old.Length, changed.Length) && old[same].CountsAs(changed[same]))
        {
            same++;
        }

        var tail = 0;
        while (tail < Math.Min(old.Length, changed.Length) - same && old[^(tail + 1)].CountsAs(changed[^(tail + 1)]))
        {
            tail++;
        }

        // Symbols behind the change have parts of it in their contexts.
        Count(old, same, Math.Min(old.Length, old.Length - tail + Contexts.MaximumOrder), add: false);
        Count(changed, same, Math.Min(changed.Length, changed.Length - tail + Contexts.MaximumOrder), add: true);
        (_symbols, _incoming) = (_incoming, _symbols);
    }

    /// <summary>The index of the first symbol that begins at <paramref name="offset"/> or behind it.</summary>
    public int IndexAt(int offset)
    {
        var low = 0;
        var high = _symbols.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_symbols[middle].Symbol.Start < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>The symbols before <paramref name="index"/>, the nearest last, as many as contexts need.</summary>
    public Symbol[] HistoryBefore(int index) =>
        [.. CollectionsMarshal.AsSpan(_symbols)[Math.Max(0, index - Contexts.MaximumOrder)..index].ToArray().Select(counted => counted.Symbol)];

    /// <summary>
    /// The index just behind the line that the symbol at <paramref name="index"/> stands on, its end included: where a line is being
    /// written, that it ends there is no habit.
    /// </summary>
    public int EndOfLine(int index)
    {
        while (index < _symbols.Count && _symbols[index].Symbol.Kind != TokenKind.Newline)
        {
            index++;
        }

        return Math.Min(index + 1, _symbols.Count);
    }

    /// <summary>
    /// Does <paramref name="act"/> while the symbols in [<paramref name="first"/>, <paramref name="beyond"/>) are not counted: what stands right of the
    /// cursor must not suggest itself.
    /// </summary>
    public T Without<T>(int first, int beyond, Func<T> act)
    {
        Count(CollectionsMarshal.AsSpan(_symbols), first, beyond, add: false);
        try
        {
            return act();
        }
        finally
        {
            Count(CollectionsMarshal.AsSpan(_symbols), first, beyond, add: true);
        }
    }

    private void Count(ReadOnlySpan<Counted> symbols, int first, int beyond, bool add)
    {
        Span<ulong> history = stackalloc ulong[Contexts.MaximumOrder];
        Span<ulong> contexts = stackalloc ulong[Contexts.Kinds];
        Span<ulong> spacing = stackalloc ulong[Contexts.SpacingKinds];
        for (var index = first; index < beyond; index++)
        {
            for (var back = 1; back <= Contexts.MaximumOrder; back++)
            {
                history[^back] = back <= index ? symbols[index - back].Symbol.Hash : Symbol.NewlineHash;
            }

            Contexts.Fill(history, contexts);
            Count(contexts, symbols[index].Id, add);
            if (symbols[index].Space != Counted.NoSpace)
            {
                Contexts.FillSpacing(
                    1 < index ? symbols[index - 2].Symbol.Shape : Symbol.NewlineShape,
                    symbols[index - 1].Symbol.Shape,
                    symbols[index].Symbol.Shape,
                    spacing);
                Count(spacing, symbols[index].Space, add);
            }
        }
    }

    private void Count(ReadOnlySpan<ulong> contexts, uint symbol, bool add)
    {
        foreach (var context in contexts)
        {
            if (add)
            {
                _counts.Add(context, symbol);
            }
            else
            {
                _counts.Remove(context, symbol);
            }
        }
    }

    private readonly record struct Counted(Symbol Symbol, uint Id, uint Space)
    {
        public const uint NoSpace = uint.MaxValue;

        // Offsets may differ: an edit above moves everything below it. The same text may be of another kind (a document's language
        // can change, and all that is withheld has one id), and the spaces beside it are counted by kind.
        public bool CountsAs(Counted other) => Id == other.Id && Space == other.Space && Symbol.Kind == other.Symbol.Kind;
    }
}
