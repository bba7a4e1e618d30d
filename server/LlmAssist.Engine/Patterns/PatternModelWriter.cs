// Writes the sections of a new pattern file, the real header last. What goes into them is the trainer's business.
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// Writes a pattern file: sections one after another, each streamed. Until <see cref="Finish"/> the file says of itself that
/// it is unfinished.
/// </summary>
internal sealed class PatternModelWriter
{
    private const int FirstSection = PatternFormat.HeaderLength + (16 * PatternFormat.SectionRecordLength);

    private readonly FileStream _file;
    private readonly List<SectionRecord> _sections = [];
    private SectionRecord? _open;

    /// <summary>Starts a file on <paramref name="file"/>, which must be empty, writable and seekable; the caller owns it.</summary>
    public PatternModelWriter(FileStream file)
    {
        _file = file;
        Span<byte> header = stackalloc byte[FirstSection];
        header.Clear();
        BitConverter.TryWriteBytes(header, PatternFormat.UnfinishedMagic);
        _file.Write(header);
    }

    /// <summary>Bytes written so far.</summary>
    public long Length => _file.Position;

    /// <summary>Writes a whole section.</summary>
    public void Section<T>(PatternSection kind, ReadOnlySpan<T> elements)
        where T : unmanaged
    {
        Begin<T>(kind);
        Append(elements);
        End();
    }

    /// <summary>Begins a section that is written piece by piece; one at a time.</summary>
    public void Begin<T>(PatternSection kind)
        where T : unmanaged
    {
        if (_open is not null)
        {
            Bug.Report($"Section {kind} was begun before the one before it ended.");
        }

        var padding = (int)(-_file.Position & (PatternFormat.Alignment - 1));
        _file.Write(stackalloc byte[padding]);
        _open = new((uint)kind, (uint)Marshal.SizeOf<T>(), (ulong)_file.Position, 0, 0, 0);
    }

    /// <summary>Adds elements to the section that was begun.</summary>
    /// <exception cref="UserException">The section would not fit into what readers can map.</exception>
    public void Append<T>(ReadOnlySpan<T> elements)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(elements);
        var section = _open!.Value;
        section = section with
        {
            Count = section.Count + (ulong)elements.Length,
            Checksum = PatternFormat.Checksum(bytes, section.Checksum),
        };
        if (int.MaxValue < section.Count * section.ElementSize)
        {
            throw new UserException(new(
                "The model grows beyond 2 GiB in one part, which no reader can map. Train with --max-megabytes or a larger --prune.",
                "El modelo supera los 2 GiB en una de sus partes y no se podría cargar. Entrene con --max-megabytes o con un --prune mayor."));
        }

        _open = section;
        _file.Write(bytes);
    }

    /// <summary>Ends the section that was begun.</summary>
    public void End()
    {
        _sections.Add(_open!.Value);
        _open = null;
    }

    /// <summary>Writes the section table, flushes, writes the real header, and flushes to the disk itself.</summary>
    public void Finish()
    {
        Span<byte> head = stackalloc byte[FirstSection];
        head.Clear();
        var length = (ulong)_file.Position;
        var table = head[PatternFormat.HeaderLength..];
        MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_sections)).CopyTo(table);
        BitConverter.TryWriteBytes(head, PatternFormat.Magic);
        BitConverter.TryWriteBytes(head[8..], PatternFormat.Version);
        BitConverter.TryWriteBytes(head[12..], (uint)_sections.Count);
        BitConverter.TryWriteBytes(head[16..], length);
        var covered = head[..(PatternFormat.HeaderLength + (_sections.Count * PatternFormat.SectionRecordLength))];
        BitConverter.TryWriteBytes(head[24..], PatternFormat.Checksum(covered));

        // What the header promises must be on the disk before the header is.
        _file.Flush(flushToDisk: true);
        _file.Position = 0;
        _file.Write(head);
        _file.Flush(flushToDisk: true);
        _file.Position = (long)length;
    }
}
