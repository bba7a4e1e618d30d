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
    private const uint NoSpace = uint.MaxValue;

    private readonly ContextView _view = new();
    private ContextCounts _counts = new();
    private Reading _counted = new();
    private Reading _incoming = new();

    /// <summary>The counts, as of the last update.</summary>
    public IContextSource Source => _counts;

    /// <summary>Bytes of memory; an estimate.</summary>
    public long Bytes => _counts.Bytes + ((long)(_counted.Symbols.Capacity + _incoming.Symbols.Capacity) * 48);

    /// <summary>Brings the counts up to date with a text. Costs one reading of it and the counting of what changed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="tokens">Its tokens, which tile it.</param>
    public void Update(ReadOnlySpan<char> text, List<Token> tokens)
    {
        SymbolSequence.Read(text, tokens, _incoming.Symbols);
        if (_incoming.Symbols.Count + MaximumDeadSymbols < _counts.SymbolCount)
        {
            _counts = new();
            _counted = new();
        }

        _incoming.Ids.Clear();
        _incoming.Spaces.Clear();
        var read = CollectionsMarshal.AsSpan(_incoming.Symbols);
        for (var index = 0; index < read.Length; index++)
        {
            _incoming.Ids.Add(_counts.Intern(read[index].Hash, read[index].Kind, text.Slice(read[index].Start, read[index].Length)));
            _incoming.Spaces.Add(SymbolSequence.TryGetSpace(text, read, index, out var space)
                ? _counts.Intern(Symbol.SpaceHash(space), TokenKind.Whitespace, space)
                : NoSpace);
        }

        var (old, changed) = (_counted.Symbols.Count, _incoming.Symbols.Count);
        var same = 0;
        while (same < Math.Min(old, changed) && CountAlike(same, same))
        {
            same++;
        }

        var tail = 0;
        while (tail < Math.Min(old, changed) - same && CountAlike(old - tail - 1, changed - tail - 1))
        {
            tail++;
        }

        // Symbols behind the change have parts of it in their contexts.
        Count(_counted, same, Math.Min(old, old - tail + ContextView.Reach), add: false);
        Count(_incoming, same, Math.Min(changed, changed - tail + ContextView.Reach), add: true);
        (_counted, _incoming) = (_incoming, _counted);
    }

    /// <summary>The index of the first symbol that begins at <paramref name="offset"/> or behind it.</summary>
    public int IndexAt(int offset)
    {
        var low = 0;
        var high = _counted.Symbols.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_counted.Symbols[middle].Start < offset)
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

    /// <summary>The symbols before <paramref name="index"/>, the nearest last. Valid until the next update.</summary>
    public ReadOnlySpan<Symbol> Before(int index) => CollectionsMarshal.AsSpan(_counted.Symbols)[..index];

    /// <summary>
    /// The index just behind the line that the symbol at <paramref name="index"/> stands on, its end included: where a line is being
    /// written, that it ends there is no habit.
    /// </summary>
    public int EndOfLine(int index)
    {
        while (index < _counted.Symbols.Count && _counted.Symbols[index].Kind != TokenKind.Newline)
        {
            index++;
        }

        return Math.Min(index + 1, _counted.Symbols.Count);
    }

    /// <summary>
    /// Does <paramref name="act"/> while the symbols in [<paramref name="first"/>, <paramref name="beyond"/>) are not counted: what stands right of the
    /// cursor must not suggest itself.
    /// </summary>
    public T Without<T>(int first, int beyond, Func<T> act)
    {
        Count(_counted, first, beyond, add: false);
        try
        {
            return act();
        }
        finally
        {
            Count(_counted, first, beyond, add: true);
        }
    }

    private void Count(Reading reading, int first, int beyond, bool add)
    {
        Span<ulong> contexts = stackalloc ulong[Contexts.Kinds];
        Span<uint> successors = stackalloc uint[Contexts.Kinds];
        Span<ulong> spacing = stackalloc ulong[Contexts.SpacingKinds];
        var symbols = CollectionsMarshal.AsSpan(reading.Symbols);
        for (var index = first; index < beyond; index++)
        {
            Contexts.Fill(_view, symbols, index, reading.Ids[index], contexts, successors);
            for (var kind = 0; kind < contexts.Length; kind++)
            {
                Count(contexts[kind], successors[kind], add);
            }

            if (reading.Spaces[index] != NoSpace)
            {
                SymbolSequence.FillSpacing(symbols, index, spacing);
                foreach (var context in spacing)
                {
                    Count(context, reading.Spaces[index], add);
                }
            }
        }
    }

    private void Count(ulong context, uint symbol, bool add)
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

    // Offsets may differ: an edit above moves everything below it. The same text may be of another kind (a document's language
    // can change, and all that is withheld has one id), and contexts and spaces go by the kind.
    private bool CountAlike(int counted, int incoming) =>
        _counted.Ids[counted] == _incoming.Ids[incoming]
        && _counted.Spaces[counted] == _incoming.Spaces[incoming]
        && _counted.Symbols[counted].Kind == _incoming.Symbols[incoming].Kind;

    // A text as it was counted: symbols, their ids, and the ids of the spaces before them.
    private sealed class Reading
    {
        public List<Symbol> Symbols { get; } = [];

        public List<uint> Ids { get; } = [];

        public List<uint> Spaces { get; } = [];
    }
}
