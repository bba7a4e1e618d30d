// What the machine's memory did in the last day: one file of lines for all windows. Draws and concludes nothing.
using System.Text.Json;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Engine.Sharing;

/// <summary>
/// The history of memory that windows share. Safe on any thread. What cannot be saved is remembered by this process alone, the latest of it.
/// Holds nothing of the file in memory.
/// </summary>
/// <param name="folder">The folder that windows share, <see cref="DataFolders.Shared"/>; created as needed.</param>
/// <param name="time">Tells what is old.</param>
public sealed class MemoryHistory(string folder, TimeProvider time)
{
    private const int MostBytes = SharedFile.MostBytes;
    private const int BytesAfterCut = MostBytes * 3 / 4; // not the whole, or every line from there on would cut again
    private const int TailBytes = 64 << 10; // has a sample in it, unless hundreds of events came within half a minute
    private const int MostUnsaved = 256;

    private static readonly TimeSpan Spacing = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan SeenWithin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Kept = TimeSpan.FromHours(24);
    private static readonly TimeSpan OldestLine = TimeSpan.FromHours(48);

    private readonly string _path = Path.Combine(folder, "memory-history.jsonl");
    private readonly string _guard = Path.Combine(folder, "memory-history.guard");
    private readonly Lock _gate = new();
    private readonly Queue<HistoryWire> _unsaved = new(); // guarded by _gate

    /// <summary>Adds a sample, unless one of any window's is less than 25 s away from it: every window may sample at its own pace. May wait up to two seconds for another process.</summary>
    /// <param name="isNews">A model has come or gone: then it is added all the same, unless the last sample has the same models.</param>
    /// <returns>Whether it was added.</returns>
    public bool Add(MemorySample sample, bool isNews = false) => Append(ToWire(sample), isNews: isNews);

    /// <summary>Adds an event. May wait up to two seconds for another process.</summary>
    public void Add(MemoryEvent happened) => Append(ToWire(happened));

    /// <summary>
    /// Adds an event that this window has only seen, unless a window has added it within the last minute: all see the same, and what leaves
    /// may have been told to by one of them.
    /// </summary>
    /// <returns>Whether it was added.</returns>
    public bool AddSeen(MemoryEvent happened) => Append(ToWire(happened), isSeen: true);

    /// <summary>What was added in the last time, the oldest first.</summary>
    /// <param name="last">How long ago at most; beyond 24 h there may be nothing.</param>
    public (IReadOnlyList<MemorySample> Samples, IReadOnlyList<MemoryEvent> Events) Read(TimeSpan last)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var samples = new List<MemorySample>();
        var events = new List<MemoryEvent>();
        foreach (var wire in Lines(MostBytes * 2).Select(Parsed).Concat(Unsaved()))
        {
            // From the future is what was written before the clock was set back.
            if (wire is null || (long)last.TotalMilliseconds < now - wire.At || (long)Spacing.TotalMilliseconds < wire.At - now)
            {
                continue;
            }

            if (ToSample(wire) is { } sample)
            {
                samples.Add(sample);
            }
            else if (ToEvent(wire) is { } happened)
            {
                events.Add(happened);
            }
        }

        return ([.. samples.OrderBy(sample => sample.At)], [.. events.OrderBy(happened => happened.At)]);
    }

    private bool Append(HistoryWire wire, bool isSeen = false, bool isNews = false)
    {
        using var guard = FileGuard.TryEnter(_guard, FileGuard.Patience, out _);
        if ((wire.Limit is not null && IsTooSoon(wire, isNews)) || (isSeen && IsKnown(wire)))
        {
            return false;
        }

        if (guard is not null && TryAppend(wire))
        {
            CutIfNeeded();
            return true;
        }

        lock (_gate)
        {
            _unsaved.Enqueue(wire);
            if (MostUnsaved < _unsaved.Count)
            {
                _unsaved.Dequeue();
            }
        }

        return true;
    }

    // Compared with the sample that was added last, not with the latest: one from the future, written before the clock was set back, must
    // not keep out what follows.
    private bool IsTooSoon(HistoryWire sample, bool isNews)
    {
        var last = Enumerable.Reverse(Lines(TailBytes)).Select(Parsed).FirstOrDefault(static wire => wire?.Limit is not null);
        var lastUnsaved = Unsaved().LastOrDefault(static wire => wire.Limit is not null);
        return IsNear(last) || IsNear(lastUnsaved);

        bool IsNear(HistoryWire? other) =>
            other is not null && Distance(sample.At, other.At) < Spacing.TotalMilliseconds && !(isNews && !NamesOf(other).SetEquals(NamesOf(sample)));

        static HashSet<string> NamesOf(HistoryWire sample) => [.. (sample.Shares ?? []).Keys];
    }

    private bool IsKnown(HistoryWire seen) => Lines(TailBytes).Select(Parsed).Concat(Unsaved()).Any(wire =>
        wire is not null && IsSame(wire.Kind, seen.Kind) && wire.Model == seen.Model && Distance(wire.At, seen.At) < SeenWithin.TotalMilliseconds);

    private static bool IsSame(MemoryEventKind? known, MemoryEventKind? seen) =>
        known == seen || (seen == MemoryEventKind.Expire && known is MemoryEventKind.Evict or MemoryEventKind.Unload);

    private List<HistoryWire> Unsaved()
    {
        lock (_gate)
        {
            return [.. _unsaved];
        }
    }

    private bool TryAppend(HistoryWire wire)
    {
        try
        {
            using var file = SharedFile.OpenForWriting(_path, FileMode.OpenOrCreate, FileShare.ReadWrite | FileShare.Delete);
            var length = file.Length;
            var line = LineOf(wire);
            var last = new byte[1];
            if (0 < length)
            {
                file.Position = length - 1;
                file.ReadExactly(last);

                // Whoever wrote the last line was killed within it.
                line = last[0] == '\n' ? line : [(byte)'\n', .. line];
            }

            try
            {
                file.Position = length;
                file.Write(line);
                return true;
            }
            catch (Exception exception) when (SharedFile.IsRefusal(exception))
            {
                // The disk is full, and what fitted on it is half a line.
                file.SetLength(length);
                return false;
            }
        }
        catch (Exception exception) when (SharedFile.IsRefusal(exception))
        {
            return false;
        }
    }

    private void CutIfNeeded()
    {
        if (FileStamp.Of(_path) is not { } stamp)
        {
            return;
        }

        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var isOld = FirstLine() is not { } first || OldestLine.TotalMilliseconds <= Distance(now, first.At);
        if (stamp.Length <= MostBytes && !isOld)
        {
            return;
        }

        var kept = Lines(MostBytes * 2).Select(Parsed).OfType<HistoryWire>()
            .Where(wire => Distance(now, wire.At) <= Kept.TotalMilliseconds)
            .Select(wire => (wire.Limit is not null, Line: LineOf(wire)))
            .ToList();
        var excess = kept.Sum(line => line.Line.Length);
        excess = excess <= MostBytes ? 0 : excess - BytesAfterCut;
        excess = Drop(kept, isSample: true, excess);
        Drop(kept, isSample: false, excess);
        SharedFile.TryReplace(_path, [.. kept.SelectMany(line => line.Line)], isLasting: false);
    }

    // The oldest first, until that many bytes are gone.
    private static int Drop(List<(bool IsSample, byte[] Line)> lines, bool isSample, int excess)
    {
        lines.RemoveAll(line =>
        {
            if (line.IsSample != isSample || excess <= 0)
            {
                return false;
            }

            excess -= line.Line.Length;
            return true;
        });
        return excess;
    }

    private HistoryWire? FirstLine()
    {
        try
        {
            using var file = SharedFile.OpenForReading(_path);
            var beginning = new byte[TailBytes];
            var span = beginning.AsSpan(0, file.ReadAtLeast(beginning, beginning.Length, throwOnEndOfStream: false));
            var end = span.IndexOf((byte)'\n');
            return end < 0 ? null : Parsed(span[..end].ToArray());
        }
        catch (Exception exception) when (SharedFile.IsRefusal(exception))
        {
            return null;
        }
    }

    // The lines at the end of the file, within so many bytes.
    private List<byte[]> Lines(int mostBytes)
    {
        var lines = new List<byte[]>();
        try
        {
            using var file = SharedFile.OpenForReading(_path);
            var skipped = Math.Max(0, file.Length - mostBytes);
            file.Position = skipped;
            var content = new byte[file.Length - skipped];
            var rest = content.AsSpan(0, file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false));
            if (skipped != 0)
            {
                rest = rest[(rest.IndexOf((byte)'\n') + 1)..];
            }

            foreach (var range in rest.Split((byte)'\n'))
            {
                if (!rest[range].IsEmpty)
                {
                    lines.Add(rest[range].ToArray());
                }
            }
        }
        catch (Exception exception) when (SharedFile.IsRefusal(exception))
        {
            // Then there is nothing to read.
        }

        return lines;
    }

    private static byte[] LineOf(HistoryWire wire) => [.. JsonSerializer.SerializeToUtf8Bytes(wire, SharingJson.Default.HistoryWire), (byte)'\n'];

    private static HistoryWire? Parsed(byte[] line) =>
        SharedFile.TryParse(line, SharingJson.Default.HistoryWire) is { } wire && (wire.Limit is not null ? ToSample(wire) : (object?)ToEvent(wire)) is not null ? wire : null;

    private static double Distance(long left, long right) => Math.Abs((double)left - right);

    private static HistoryWire ToWire(MemorySample sample)
    {
        var shares = new Dictionary<string, long>();
        foreach (var share in sample.Models)
        {
            shares[share.Id.ToString()] = share.Bytes.Bytes;
        }

        return new()
        {
            At = sample.At.ToUnixTimeMilliseconds(),
            Total = sample.Total?.Bytes,
            Available = sample.Available?.Bytes,
            Limit = sample.Limit.Bytes,
            Shares = shares,
        };
    }

    private static HistoryWire ToWire(MemoryEvent happened) => new()
    {
        At = happened.At.ToUnixTimeMilliseconds(),
        Kind = happened.Kind,
        Model = happened.Id.ToString(),
        Bytes = happened.Bytes.Bytes,
        English = happened.Reason.English,
        Spanish = happened.Reason.Spanish,
    };

    private static MemorySample? ToSample(HistoryWire wire)
    {
        if (wire.Limit is not { } limit || ToTime(wire.At) is not { } at)
        {
            return null;
        }

        var shares = new List<ModelShare>();
        foreach (var (text, bytes) in wire.Shares ?? [])
        {
            if (ModelId.TryParse(text, out var id))
            {
                shares.Add(new(id, new(bytes)));
            }
        }

        return new(at, ToSize(wire.Total), ToSize(wire.Available), new(limit), shares);
    }

    private static MemoryEvent? ToEvent(HistoryWire wire) =>
        wire is { Kind: { } kind, English: { } english, Spanish: { } spanish } && ToTime(wire.At) is { } at && ModelId.TryParse(wire.Model, out var id)
            ? new(at, kind, id, new(wire.Bytes ?? 0), new(english, spanish))
            : null;

    private static ByteSize? ToSize(long? bytes) => bytes is { } number ? new(number) : null;

    private static DateTimeOffset? ToTime(long milliseconds) =>
        DateTimeOffset.MinValue.ToUnixTimeMilliseconds() <= milliseconds && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
}
