// Counts (context, symbol) pairs of a corpus of any size in bounded memory: sort, spill, merge. Knows nothing of text.
using System.Buffers;
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>One context of the merged counts, in ascending order of context.</summary>
/// <param name="context">The context's hash.</param>
/// <param name="total">How often it occurred.</param>
/// <param name="successors">Every successor once, in ascending order of symbol. Valid until the next context.</param>
internal delegate void CountedContext(ulong context, uint total, Span<PatternEntry> successors);

/// <summary>
/// Counts what follows what. Pairs are collected in a buffer; a full buffer is sorted and summed into a run, on another thread
/// while the next one fills; runs beyond the allowance are merged into a file. The runs are then read together in the order of contexts, as
/// often as needed.
/// </summary>
internal sealed class PatternCounter : IDisposable
{
    private const int BufferRecords = 1 << 21;
    private const int SpillRecords = 1 << 12;
    private const int RecentRecords = 1 << 16; // a megabyte: what lies in the processor's cache

    private readonly string _scratchFolder;
    private readonly long _memoryAllowance;
    private readonly List<Record[]> _runs = [];
    private readonly List<FileStream> _spilled = [];
    private Record[] _filling;
    private Record[] _spare;
    private readonly Record[] _scratch;
    private readonly Record[] _recent = new Record[RecentRecords]; // by hash; not in a buffer yet
    private int _filled;
    private Task _sorting = Task.CompletedTask;

    /// <summary>A counter that spills into <paramref name="scratchFolder"/>.</summary>
    /// <param name="scratchFolder">An existing folder.</param>
    /// <param name="memoryAllowance">Bytes of sorted runs to keep in memory.</param>
    /// <param name="bufferRecords">Pairs sorted at once; 48 bytes of memory each.</param>
    public PatternCounter(string scratchFolder, long memoryAllowance, int bufferRecords = BufferRecords)
    {
        _scratchFolder = scratchFolder;
        _memoryAllowance = memoryAllowance;
        _filling = new Record[bufferRecords];
        _spare = new Record[bufferRecords];
        _scratch = new Record[bufferRecords];
    }

    /// <summary>Pairs added so far, each with its count.</summary>
    public long Observed { get; private set; }

    /// <summary>Counts <paramref name="symbol"/> behind <paramref name="context"/>, <paramref name="count"/> times.</summary>
    /// <remarks>
    /// Code repeats itself within a few lines: a pair is summed up as long as no other one wants its place, and only then goes into the buffer,
    /// where each record costs sorting.
    /// </remarks>
    public void Add(ulong context, uint symbol, uint count = 1)
    {
        Observed += count;
        ref var recent = ref _recent[(int)((context ^ (symbol * 0x9E37_79B9_7F4A_7C15UL)) >> 32) & (RecentRecords - 1)];
        if (recent.Context == context && recent.Symbol == symbol && recent.Count != 0)
        {
            recent.Count += count;
            return;
        }

        if (recent.Count != 0)
        {
            Append(recent);
        }

        recent = new() { Context = context, Symbol = symbol, Count = count };
    }

    /// <summary>Hands every context to <paramref name="receive"/>, in ascending order. May be called again for another pass.</summary>
    public void Merge(CountedContext receive, CancellationToken cancellation)
    {
        foreach (ref var recent in _recent.AsSpan())
        {
            if (recent.Count != 0)
            {
                Append(recent);
                recent = default;
            }
        }

        Flush();
        Wait(_sorting);
        var cursors = new List<Cursor>();
        try
        {
            foreach (var run in _runs)
            {
                cursors.Add(new(run));
            }

            foreach (var file in _spilled)
            {
                file.Position = 0;
                cursors.Add(new(file));
            }

            Merge(cursors, receive, cancellation);
        }
        finally
        {
            cursors.ForEach(cursor => cursor.Dispose());
        }
    }

    /// <summary>Frees the runs and removes the files.</summary>
    public void Dispose()
    {
        try
        {
            Wait(_sorting);
        }
        finally
        {
            _runs.Clear();
            foreach (var file in _spilled)
            {
                file.Dispose();
            }
        }
    }

    private void Append(Record record)
    {
        if (_filled == _filling.Length)
        {
            Flush();
        }

        _filling[_filled++] = record;
    }

    private void Flush()
    {
        if (_filled == 0)
        {
            return;
        }

        Wait(_sorting);
        if (_memoryAllowance < _runs.Sum(run => (long)run.Length) * Record.Size)
        {
            Spill();
        }

        var full = _filling;
        var length = _filled;
        _filling = _spare;
        _spare = full;
        _filled = 0;

        // From here until the next Wait the sorting task alone touches _spare, _scratch and _runs.
        _sorting = Task.Run(() => _runs.Add(SortAndSum(_spare.AsSpan(0, length), _scratch)));
    }

    private void Spill()
    {
        var file = PatternStore.CreateScratch(_scratchFolder);
        _spilled.Add(file);
        var cursors = _runs.ConvertAll(run => new Cursor(run));
        var piece = new List<Record>(SpillRecords);
        Merge(
            cursors,
            (context, _, successors) =>
            {
                foreach (var successor in successors)
                {
                    piece.Add(new() { Context = context, Symbol = successor.Symbol, Count = successor.Count });
                }

                if (SpillRecords <= piece.Count)
                {
                    file.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(piece)));
                    piece.Clear();
                }
            },
            CancellationToken.None);
        file.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(piece)));
        _runs.Clear();
    }

    // The task is awaited by blocking: training owns its thread and has nothing else to do.
    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    private static Record[] SortAndSum(Span<Record> records, Record[] scratch)
    {
        SortByContext(records, scratch);
        var distinct = 0;
        for (var start = 0; start < records.Length;)
        {
            var end = start + 1;
            while (end < records.Length && records[end].Context == records[start].Context)
            {
                end++;
            }

            if (1 < end - start)
            {
                records[start..end].Sort(static (left, right) => left.Symbol.CompareTo(right.Symbol));
            }

            for (var index = start; index < end; index++)
            {
                if (index != start && records[distinct - 1].Symbol == records[index].Symbol)
                {
                    records[distinct - 1].Count += records[index].Count;
                }
                else
                {
                    records[distinct++] = records[index];
                }
            }

            start = end;
        }

        return records[..distinct].ToArray();
    }

    // Least significant digit first over the upper 33 bits, which are all but unique; the rest of the hash decides the few ties.
    // Three passes of counting beat a comparison sort of the whole by an order of magnitude.
    private static void SortByContext(Span<Record> records, Record[] scratch)
    {
        const int DigitBits = 11;
        const int Digits = 1 << DigitBits;
        Span<int> starts = stackalloc int[Digits];
        var from = records;
        var to = scratch.AsSpan(0, records.Length);
        for (var shift = 64 - (3 * DigitBits); shift < 64; shift += DigitBits)
        {
            starts.Clear();
            foreach (ref readonly var record in from)
            {
                starts[(int)(record.Context >> shift) & (Digits - 1)]++;
            }

            var sum = 0;
            foreach (ref var start in starts)
            {
                (start, sum) = (sum, sum + start);
            }

            foreach (ref readonly var record in from)
            {
                to[starts[(int)(record.Context >> shift) & (Digits - 1)]++] = record;
            }

            var swap = from;
            from = to;
            to = swap;
        }

        // Three passes: the result lies in the scratch.
        from.CopyTo(records);
        for (var index = 1; index < records.Length; index++)
        {
            var record = records[index];
            var hole = index;
            for (; 0 < hole && record.Context < records[hole - 1].Context; hole--)
            {
                records[hole] = records[hole - 1];
            }

            records[hole] = record;
        }
    }

    private static void Merge(List<Cursor> cursors, CountedContext receive, CancellationToken cancellation)
    {
        var queue = new PriorityQueue<Cursor, ulong>();
        foreach (var cursor in cursors)
        {
            if (cursor.MoveNext())
            {
                queue.Enqueue(cursor, cursor.Current.Context);
            }
        }

        var group = new List<PatternEntry>();
        var steps = 0;
        while (queue.TryPeek(out var first, out var context))
        {
            if ((++steps & 0xFFFF) == 0)
            {
                cancellation.ThrowIfCancellationRequested();
            }

            group.Clear();
            var sources = 0;
            while (queue.TryPeek(out first, out var next) && next == context)
            {
                sources++;
                var more = true;
                while (more && first.Current.Context == context)
                {
                    group.Add(new(first.Current.Symbol, first.Current.Count));
                    more = first.MoveNext();
                }

                if (more)
                {
                    queue.DequeueEnqueue(first, first.Current.Context);
                }
                else
                {
                    queue.Dequeue();
                }
            }

            var successors = CollectionsMarshal.AsSpan(group);
            if (1 < sources)
            {
                successors = successors[..Sum(successors)];
            }

            var total = 0u;
            foreach (var successor in successors)
            {
                total += successor.Count;
            }

            receive(context, total, successors);
        }
    }

    private static int Sum(Span<PatternEntry> successors)
    {
        successors.Sort(static (left, right) => left.Symbol.CompareTo(right.Symbol));
        var distinct = 0;
        foreach (var successor in successors)
        {
            if (0 < distinct && successors[distinct - 1].Symbol == successor.Symbol)
            {
                successors[distinct - 1] = new(successor.Symbol, successors[distinct - 1].Count + successor.Count);
            }
            else
            {
                successors[distinct++] = successor;
            }
        }

        return distinct;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Record
    {
        public const int Size = 16;
        public ulong Context;
        public uint Symbol;
        public uint Count;
    }

    // Reads a run from memory or from a file.
    private sealed class Cursor : IDisposable
    {
        private const int FileBufferRecords = 1 << 14;
        private readonly FileStream? _file;
        private Record[] _records;
        private int _length;
        private int _next;

        public Cursor(Record[] run)
        {
            _records = run;
            _length = run.Length;
        }

        public Cursor(FileStream file)
        {
            _file = file;
            _records = ArrayPool<Record>.Shared.Rent(FileBufferRecords);
        }

        public Record Current { get; private set; }

        public bool MoveNext()
        {
            if (_next == _length && !Refill())
            {
                return false;
            }

            Current = _records[_next++];
            return true;
        }

        public void Dispose()
        {
            if (_file is not null)
            {
                ArrayPool<Record>.Shared.Return(_records);
                _records = [];
            }
        }

        private bool Refill()
        {
            if (_file is null)
            {
                return false;
            }

            var bytes = MemoryMarshal.AsBytes(_records.AsSpan(0, FileBufferRecords));
            var read = _file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            _length = read / Record.Size;
            _next = 0;
            return _length != 0;
        }
    }
}
