// Lays out the counted contexts in the file: first the plan (what is kept), then the sections Slots and Entries, streamed.
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>Which contexts are kept, and how many that are.</summary>
/// <param name="Prune">Contexts seen fewer times are dropped.</param>
/// <param name="Contexts">How many are kept.</param>
internal sealed record ContextTablePlan(int Prune, long Contexts)
{
    private const int MostPruned = 1 << 16;
    private const long MostContexts = int.MaxValue / 16;

    /// <summary>
    /// Keeps what was seen at least <paramref name="prune"/> times, and less if that is needed to stay below
    /// <paramref name="maximumBytes"/>.
    /// </summary>
    /// <param name="ids">By number of a symbol, its id in the file.</param>
    /// <param name="mostSuccessors">How many of a context's successors are kept at the most.</param>
    /// <exception cref="UserException">Even the most frequent contexts alone are too many.</exception>
    public static ContextTablePlan For(PatternCounter counter, uint[] ids, int mostSuccessors, int prune, long maximumBytes, CancellationToken cancellation)
    {
        // By how often a context was seen (all from MostPruned on together): how many contexts, and the bytes of their successors.
        var contexts = new long[MostPruned + 1];
        var bytes = new long[MostPruned + 1];
        counter.Merge(
            (_, total, successors) =>
            {
                var seen = (int)Math.Min(total, MostPruned);
                var known = ContextTableWriter.Translate(successors, ids, ContextTableWriter.LeastCount(total, mostSuccessors));
                contexts[seen] += known.Length == 0 ? 0 : 1;
                bytes[seen] += ContextTableWriter.BytesOf(total, known, mostSuccessors);
            },
            cancellation);

        // From the most frequent down, as long as there is room and rarer ones are wanted.
        var (kept, keptBytes) = (0L, 0L);
        var threshold = MostPruned + 1;
        for (; Math.Clamp(prune, 1, MostPruned) < threshold; threshold--)
        {
            var (more, moreBytes) = (kept + contexts[threshold - 1], keptBytes + bytes[threshold - 1]);
            if (MostContexts < more || maximumBytes < moreBytes + ContextTableWriter.SlotBytes(more))
            {
                break;
            }

            (kept, keptBytes) = (more, moreBytes);
        }

        if (threshold <= MostPruned)
        {
            return new(threshold, kept);
        }

        var least = ((bytes[MostPruned] + ContextTableWriter.SlotBytes(contexts[MostPruned])) / 1_000_000) + 1;
        throw new UserException(new(
            $"The model does not fit: its most frequent patterns alone take {least} MB, allowed are {Math.Max(0, maximumBytes / 1_000_000)} MB beside its vocabulary. Allow more with --max-megabytes, or train on fewer files.",
            $"El modelo no cabe: solo sus patrones más frecuentes ocupan {least} MB y se permiten {Math.Max(0, maximumBytes / 1_000_000)} MB aparte del vocabulario. Permita más con --max-megabytes o entrene con menos archivos."));
    }
}

/// <summary>
/// Writes the table. Contexts arrive in ascending order of hash, which is the order of their slots, so the table is written from its
/// beginning to its end; the entries go to a scratch file meanwhile and follow it.
/// </summary>
internal sealed class ContextTableWriter(PatternModelWriter writer, uint[] ids, int mostSuccessors, string scratchFolder)
{
    private const int Chunk = 1 << 13;

    private readonly List<PatternSlot> _slots = new(Chunk);
    private readonly List<PatternEntry> _entries = new(Chunk);
    private FileStream? _scratch;
    private long _slotsWritten;
    private long _entriesWritten;

    /// <summary>What a context's successors cost in the file.</summary>
    public static long BytesOf(uint total, ReadOnlySpan<PatternEntry> successors, int mostSuccessors) =>
        successors.Length == 0 || IsLone(total, successors) ? 0 : 8L * (1 + Math.Min(successors.Length, mostSuccessors));

    /// <summary>How often a successor must have come to be kept: where there is little room, a share of the context that is worth it.</summary>
    public static uint LeastCount(uint total, int mostSuccessors) => mostSuccessors < PatternFormat.MaximumSuccessors ? Math.Max(3, total / 40) : 1;

    /// <summary>What the slots of that many contexts cost in the file.</summary>
    public static long SlotBytes(long contexts) => 8L * (CapacityFor(contexts) + PatternModel.SlotOverflow);

    /// <summary>Writes both sections.</summary>
    /// <returns>How many (context, successor) pairs they hold.</returns>
    public long Write(PatternCounter counter, ContextTablePlan plan, CancellationToken cancellation)
    {
        var capacity = CapacityFor(plan.Contexts);
        var stored = 0L;
        using var scratch = PatternStore.CreateScratch(scratchFolder);
        _scratch = scratch;
        writer.Begin<PatternSlot>(PatternSection.Slots);
        counter.Merge(
            (context, total, successors) =>
            {
                if (total < plan.Prune)
                {
                    return;
                }

                var known = Translate(successors, ids, LeastCount(total, mostSuccessors));
                if (known.Length == 0)
                {
                    return;
                }

                stored += Math.Min(known.Length, mostSuccessors);
                SkipTo(PatternSlot.Home(context, capacity));
                Add(SlotFor(context, total, known));
            },
            cancellation);
        SkipTo(capacity + PatternModel.SlotOverflow);
        if (capacity + PatternModel.SlotOverflow < _slotsWritten + _slots.Count)
        {
            // Readers derive the capacity from the number of slots. At this load a run of a thousand slots does not occur.
            Bug.Report("The last contexts did not fit behind the table's capacity.");
        }

        FlushSlots();
        writer.End();

        FlushEntries();
        writer.Begin<PatternEntry>(PatternSection.Entries);
        scratch.Position = 0;
        var buffer = new PatternEntry[Chunk];
        while (scratch.ReadAtLeast(MemoryMarshal.AsBytes(buffer.AsSpan()), Chunk * 8, throwOnEndOfStream: false) is var read && read != 0)
        {
            writer.Append<PatternEntry>(buffer.AsSpan(0, read / 8));
        }

        writer.End();
        return stored;
    }

    private static bool IsLone(uint total, ReadOnlySpan<PatternEntry> successors) => successors.Length == 1 && successors[0].Count == total;

    private static uint CapacityFor(long contexts) => (uint)Math.Max(16, contexts / PatternFormat.SlotLoad);

    /// <summary>Puts ids of the file in the place of numbers; what has none goes, and what is too rare.</summary>
    public static Span<PatternEntry> Translate(Span<PatternEntry> successors, uint[] ids, uint least)
    {
        var known = 0;
        foreach (var successor in successors)
        {
            var id = successor.Symbol < PatternFormat.FirstSlotSymbol ? ids[successor.Symbol] : successor.Symbol;
            if (id != Vocabulary.Forgotten && least <= successor.Count)
            {
                successors[known++] = new(id, successor.Count);
            }
        }

        return successors[..known];
    }

    private PatternSlot SlotFor(ulong context, uint total, Span<PatternEntry> successors)
    {
        if (IsLone(total, successors))
        {
            return PatternSlot.OfSingle(context, successors[0].Symbol, successors[0].Count);
        }

        // The most frequent first; ties in the order of ids, so that the same corpus makes the same file.
        successors.Sort(static (left, right) => right.Count.CompareTo(left.Count) is not 0 and var order ? order : left.Symbol.CompareTo(right.Symbol));
        var index = (uint)(_entriesWritten + _entries.Count);

        // Readers take as many as there were different ones, up to what a list can have.
        var distinct = mostSuccessors < PatternFormat.MaximumSuccessors ? Math.Min(successors.Length, mostSuccessors) : successors.Length;
        _entries.Add(new(total, (uint)distinct));
        _entries.AddRange(successors[..Math.Min(successors.Length, mostSuccessors)]);
        if (Chunk <= _entries.Count)
        {
            FlushEntries();
        }

        return PatternSlot.OfSeveral(context, index);
    }

    private void SkipTo(long position)
    {
        while (_slotsWritten + _slots.Count < position)
        {
            Add(default);
        }
    }

    private void Add(PatternSlot slot)
    {
        _slots.Add(slot);
        if (_slots.Count == Chunk)
        {
            FlushSlots();
        }
    }

    private void FlushSlots()
    {
        writer.Append<PatternSlot>(CollectionsMarshal.AsSpan(_slots));
        _slotsWritten += _slots.Count;
        _slots.Clear();
    }

    private void FlushEntries()
    {
        _scratch!.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_entries)));
        _entriesWritten += _entries.Count;
        _entries.Clear();
    }
}
