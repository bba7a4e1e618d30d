// A file mapped read-only. The only unsafe code of the engine's pattern side: everything else goes through Slice.
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// A whole file mapped into memory, read-only. Pages are shared with every other process that maps the file and are
/// read from disk when first touched.
/// </summary>
/// <remarks>Reading is safe on any thread. Disposing while a span is in use is not: a lease must outlive its spans.</remarks>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _start;

    private MappedFile(MemoryMappedFile? map, MemoryMappedViewAccessor? view, long length)
    {
        _map = map;
        _view = view;
        Length = length;
        if (view is not null)
        {
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
            _start += view.PointerOffset;
        }
    }

    /// <summary>Length of the file in bytes at the time of opening.</summary>
    public long Length { get; }

    /// <summary>Where the mapping begins, for asking the operating system how much of it is resident.</summary>
    public nint Address => (nint)_start;

    /// <summary>Maps the file at <paramref name="path"/>. Others may go on reading, replacing or deleting it.</summary>
    /// <exception cref="IOException">The file cannot be opened or mapped.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static MappedFile Open(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var length = stream.Length;
        if (length == 0)
        {
            // An empty file cannot be mapped; it has no valid slice either.
            return new(null, null, 0);
        }

        var map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            return new(map, map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read), length);
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    /// <summary>The bytes in [offset, offset + length).</summary>
    /// <exception cref="ArgumentOutOfRangeException">They do not lie in the file.</exception>
    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_start is null && Length != 0, this);

        // Compared unsigned so that negatives fail too; subtracted rather than added so that nothing can wrap.
        if (length < 0 || (ulong)Length < (ulong)offset || (ulong)(Length - offset) < (ulong)length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} lie outside a file of {Length} bytes.");
        }

        return new(_start + offset, length);
    }

    /// <summary>The <paramref name="count"/> values of <typeparamref name="T"/> at <paramref name="offset"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They do not lie in the file.</exception>
    /// <exception cref="OverflowException">They need more bytes than a span can hold.</exception>
    public ReadOnlySpan<T> Slice<T>(long offset, long count)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Slice(offset, checked((int)(count * sizeof(T)))));

    /// <summary>Unmaps the file and closes its handle.</summary>
    public void Dispose()
    {
        if (_start is null)
        {
            return;
        }

        _start = null;
        _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map!.Dispose();
    }
}
