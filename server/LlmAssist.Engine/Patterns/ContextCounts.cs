// What follows what: the question every model answers, and the answer that the open documents give from memory.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>What was counted behind one context.</summary>
internal readonly ref struct Successors(uint total, uint distinct, uint? last, ReadOnlySpan<PatternEntry> entries)
{
    /// <summary>How often the context occurred; 0 if never.</summary>
    public uint Total { get; } = total;

    /// <summary>How many different symbols followed; at least as many as <see cref="Entries"/>.</summary>
    public uint Distinct { get; } = distinct;

    /// <summary>The successor that was counted last, where that is known.</summary>
    public uint? Last { get; } = last;

    /// <summary>The most frequent successors first. Valid as long as the source is not changed or disposed.</summary>
    public ReadOnlySpan<PatternEntry> Entries { get; } = entries;
}

/// <summary>A table of contexts: a mapped model, or the counts of an open document.</summary>
internal interface IContextSource
{
    /// <summary>What followed <paramref name="context"/>.</summary>
    /// <param name="context">A hash from <see cref="Contexts"/>.</param>
    /// <param name="single">Room for a lone successor; must live as long as the answer.</param>
    Successors Find(ulong context, ref PatternEntry single);

    /// <summary>The hash of a symbol of this source; 0 if there is no such symbol.</summary>
    ulong HashOf(uint symbol);

    /// <summary>What the symbol is.</summary>
    TokenKind KindOf(uint symbol);

    /// <summary>The symbol's text; empty for what must never be inserted.</summary>
    string TextOf(uint symbol);

    /// <summary>The symbol with that hash; null if there is none.</summary>
    uint? SymbolWith(ulong hash);

    /// <summary>How often the symbol occurred in a corpus; 0 where nobody counts.</summary>
    ulong CountOf(uint symbol);
}

/// <summary>
/// Counts of contexts in memory, for a text that changes: what was added can be taken back. Touched by one thread at a time.
/// </summary>
/// <remarks>Open addressing with linear probing; successors in blocks of a pool, the most frequent first.</remarks>
internal sealed class ContextCounts : IContextSource
{
    private const int InitialSlots = 1 << 10;
    private const uint Nobody = uint.MaxValue; // for the last successor, where it was taken back

    private readonly Dictionary<ulong, uint> _ids = [];
    private readonly List<(ulong Hash, TokenKind Kind, string Text)> _symbols = [];
    private readonly int[] _freeBlocks = new int[31]; // by binary logarithm of the block's capacity; -1 is none
    private Slot[] _slots = new Slot[InitialSlots];
    private int _usedSlots;
    private PatternEntry[] _pool = new PatternEntry[InitialSlots];
    private int _poolLength;

    public ContextCounts() => Array.Fill(_freeBlocks, -1);

    /// <summary>How many symbols have an id, unused ones included.</summary>
    public int SymbolCount => _symbols.Count;

    /// <summary>Bytes of memory that the tables take, texts included; an estimate.</summary>
    public long Bytes => ((long)_slots.Length * 20) + ((long)_pool.Length * 8) + ((long)_symbols.Count * 96);

    /// <summary>The id of the symbol with <paramref name="hash"/>, which is given one if it is new.</summary>
    public uint Intern(ulong hash, TokenKind kind, ReadOnlySpan<char> text)
    {
        if (!_ids.TryGetValue(hash, out var id))
        {
            id = (uint)_symbols.Count;
            _ids.Add(hash, id);
            _symbols.Add((hash, kind, hash == Symbol.WithheldHash ? "" : text.ToString()));
        }

        return id;
    }

    /// <summary>Counts one more <paramref name="symbol"/> behind <paramref name="context"/>.</summary>
    public void Add(ulong context, uint symbol)
    {
        if (_slots.Length * 7L < _usedSlots * 10L)
        {
            Rehash();
        }

        ref var slot = ref SlotOf(context);
        if (slot.Total == 0)
        {
            if (slot.Check == 0)
            {
                _usedSlots++;
            }

            slot = new() { Check = CheckOf(context), Total = 1, Distinct = 1, Value = (int)symbol, Last = symbol };
            return;
        }

        slot.Total++;
        slot.Last = symbol;
        if (slot.Capacity == 0)
        {
            if (slot.Value == (int)symbol)
            {
                return;
            }

            var first = new PatternEntry((uint)slot.Value, slot.Total - 1);
            slot.Value = Allocate(2);
            slot.Capacity = 2;
            slot.Distinct = 2;
            _pool[slot.Value] = first;
            _pool[slot.Value + 1] = new(symbol, 1);
            return;
        }

        var entries = _pool.AsSpan(slot.Value, slot.Distinct);
        var index = IndexOf(entries, symbol);
        if (0 <= index)
        {
            var raised = new PatternEntry(symbol, entries[index].Count + 1);
            for (; 0 < index && entries[index - 1].Count < raised.Count; index--)
            {
                entries[index] = entries[index - 1];
            }

            entries[index] = raised;
            return;
        }

        if (slot.Distinct == slot.Capacity)
        {
            var larger = Allocate(slot.Capacity * 2);
            _pool.AsSpan(slot.Value, slot.Capacity).CopyTo(_pool.AsSpan(larger));
            Release(slot.Value, slot.Capacity);
            slot.Value = larger;
            slot.Capacity *= 2;
        }

        _pool[slot.Value + slot.Distinct] = new(symbol, 1);
        slot.Distinct++;
    }

    /// <summary>Takes back one <see cref="Add"/>.</summary>
    public void Remove(ulong context, uint symbol)
    {
        ref var slot = ref SlotOf(context);
        slot.Last = slot.Last == symbol ? Nobody : slot.Last;
        if (slot.Capacity == 0)
        {
            if (slot.Total == 0 || slot.Value != (int)symbol)
            {
                Bug.Report("A count was removed that was never added.");
                return;
            }

            slot.Total--;
            return;
        }

        var entries = _pool.AsSpan(slot.Value, slot.Distinct);
        var index = IndexOf(entries, symbol);
        if (index < 0)
        {
            Bug.Report("A count was removed that was never added.");
            return;
        }

        slot.Total--;
        var lowered = new PatternEntry(symbol, entries[index].Count - 1);
        for (; index + 1 < entries.Length && lowered.Count < entries[index + 1].Count; index++)
        {
            entries[index] = entries[index + 1];
        }

        entries[index] = lowered;
        slot.Distinct -= lowered.Count == 0 ? 1 : 0;
        if (slot.Total == 0)
        {
            // The slot keeps its check, so that probing goes on past it; a rehash sweeps it away.
            Release(slot.Value, slot.Capacity);
            slot = new() { Check = slot.Check };
        }
    }

    public Successors Find(ulong context, ref PatternEntry single)
    {
        ref var slot = ref SlotOf(context);
        if (slot.Total == 0)
        {
            return default;
        }

        if (slot.Capacity == 0)
        {
            single = new((uint)slot.Value, slot.Total);
            return new(slot.Total, 1, LastOf(slot), new ReadOnlySpan<PatternEntry>(in single));
        }

        return new(slot.Total, (uint)slot.Distinct, LastOf(slot), _pool.AsSpan(slot.Value, slot.Distinct));
    }

    public uint? SymbolWith(ulong hash) => _ids.TryGetValue(hash, out var id) ? id : null;

    // A document is no corpus: how often something occurs in it is known from the text before the cursor.
    public ulong CountOf(uint symbol) => 0;

    public ulong HashOf(uint symbol) => _symbols[(int)symbol].Hash;

    public TokenKind KindOf(uint symbol) => _symbols[(int)symbol].Kind;

    public string TextOf(uint symbol) => _symbols[(int)symbol].Text;

    private static int IndexOf(ReadOnlySpan<PatternEntry> entries, uint symbol)
    {
        for (var index = 0; index < entries.Length; index++)
        {
            if (entries[index].Symbol == symbol)
            {
                return index;
            }
        }

        return -1;
    }

    private static uint? LastOf(in Slot slot) => slot.Last == Nobody ? null : slot.Last;

    private static uint CheckOf(ulong context) => Math.Max(1, (uint)(context >> 32));

    // The slot of the context, or the empty one where it would go. Contexts whose checks agree share a slot: one pair in four billion.
    private ref Slot SlotOf(ulong context)
    {
        var check = CheckOf(context);
        var mask = _slots.Length - 1;
        for (var index = (int)check & mask; ; index = (index + 1) & mask)
        {
            ref var slot = ref _slots[index];
            if (slot.Check == check || slot.Check == 0)
            {
                return ref slot;
            }
        }
    }

    private void Rehash()
    {
        var old = _slots;
        var live = 0;
        foreach (ref readonly var slot in old.AsSpan())
        {
            live += slot.Total == 0 ? 0 : 1;
        }

        var size = InitialSlots;
        while (size < live * 2L)
        {
            size *= 2;
        }

        _slots = new Slot[size];
        _usedSlots = live;
        foreach (ref readonly var slot in old.AsSpan())
        {
            if (slot.Total != 0)
            {
                SlotOf((ulong)slot.Check << 32) = slot;
            }
        }
    }

    private int Allocate(int capacity)
    {
        ref var free = ref _freeBlocks[int.Log2(capacity)];
        if (0 <= free)
        {
            var block = free;
            free = (int)_pool[block].Symbol - 1;
            return block;
        }

        if (_pool.Length < _poolLength + capacity)
        {
            Array.Resize(ref _pool, Math.Max(_pool.Length * 2, _poolLength + capacity));
        }

        _poolLength += capacity;
        return _poolLength - capacity;
    }

    // A free block's first entry holds the next free block of its size, plus one.
    private void Release(int block, int capacity)
    {
        ref var free = ref _freeBlocks[int.Log2(capacity)];
        _pool[block] = new((uint)(free + 1), 0);
        free = block;
    }

    // Capacity 0: Value is the only successor. Otherwise Value is where the block lies in the pool and Distinct its length.
    private struct Slot
    {
        private const int DistinctBits = 27;
        private uint _lengths; // how many entries; above them, the binary logarithm of the block's capacity

        public uint Check; // the context's upper half, which decides about the place too; 0 is a slot never used
        public int Value;
        public uint Total;
        public uint Last;

        public int Distinct
        {
            readonly get => (int)(_lengths & ((1u << DistinctBits) - 1));
            set => _lengths = (_lengths & ~((1u << DistinctBits) - 1)) | (uint)value;
        }

        public int Capacity
        {
            readonly get => _lengths >> DistinctBits is var bits && bits == 0 ? 0 : 1 << (int)bits;
            set => _lengths = (_lengths & ((1u << DistinctBits) - 1)) | ((uint)int.Log2(value) << DistinctBits);
        }
    }
}
