// What a mapped file really costs in RAM. Sees an address range, never what is in it.
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Memory;

/// <summary>Counts the pages of a mapping that are in memory, and lets go of them.</summary>
public static partial class MappedPages
{
    // One byte tells one page: this much covers 16 MiB a call with pages of 4 KiB.
    private const int PagesPerCall = 4096;

    /// <summary>
    /// How many bytes of a mapping are in RAM now, whichever process brought them in: all windows that map the file share
    /// them, so they are to be counted once per machine. Whole pages. Costs about a millisecond per 100 MiB.
    /// Null where the system does not tell (anything but Linux), and when the range is not mapped.
    /// </summary>
    /// <param name="start">The first address of the mapping; on a page boundary, as every mapping is.</param>
    /// <param name="length">The length of the mapping in bytes.</param>
    public static ByteSize? Resident(nint start, long length)
    {
        if (!OperatingSystem.IsLinux() || length < 0)
        {
            return null;
        }

        Span<byte> pages = stackalloc byte[PagesPerCall];
        var pageSize = Environment.SystemPageSize;
        var resident = 0L;
        for (var offset = 0L; offset < length; offset += (long)PagesPerCall * pageSize)
        {
            var piece = Math.Min(length - offset, (long)PagesPerCall * pageSize);
            if (mincore(start + (nint)offset, (nuint)piece, pages) != 0)
            {
                return null;
            }

            foreach (var page in pages[..(int)((piece + pageSize - 1) / pageSize)])
            {
                // mincore(2): the lowest bit says resident, the others are undefined.
                resident += page & 1;
            }
        }

        return new(resident * pageSize);
    }

    /// <summary>
    /// Lets go of a mapping's pages in this process. They stay in the system's page cache as long as there is room, and come
    /// back at the next touch. Does nothing where the system cannot (anything but Linux).
    /// </summary>
    /// <param name="start">The first address of the mapping, which must be of a file, not written to, and stay mapped during the call.</param>
    /// <param name="length">The length of the mapping in bytes.</param>
    public static void Release(nint start, long length)
    {
        const int DontNeed = 4; // MADV_DONTNEED
        if (OperatingSystem.IsLinux() && 0 < length)
        {
            // An advice: if it is refused, nothing is lost.
            _ = madvise(start, (nuint)length, DontNeed);
        }
    }

    [LibraryImport("libc")]
    private static partial int madvise(nint start, nuint length, int advice);

    [LibraryImport("libc")]
    private static partial int mincore(nint start, nuint length, Span<byte> pages);
}
