// A critical section across processes, a few milliseconds long. For what lasts longer there is LoadLease.
using System.Collections.Concurrent;

namespace LlmAssist.Engine.Sharing;

/// <summary>How an attempt to enter a guard ended.</summary>
internal enum GuardEntry
{
    /// <summary>We are in, alone.</summary>
    Entered,

    /// <summary>Somebody else was in all the time.</summary>
    Busy,

    /// <summary>There is no folder, or nothing may be written there.</summary>
    Unusable,
}

/// <summary>
/// An exclusive lock on a file, which the system gives back when its process dies. To be left on the thread that entered, so
/// never across an await. The file stays: deleting it would let two in.
/// </summary>
internal sealed class FileGuard : IDisposable
{
    // The system's lock may be one per process: on network file systems it is.
    private static readonly ConcurrentDictionary<string, Lock> Gates = new();

    private readonly Lock _gate;
    private readonly FileStream _file;

    private FileGuard(Lock gate, FileStream file)
    {
        _gate = gate;
        _file = file;
    }

    /// <summary>How long an attempt lasts that does not say otherwise.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Enters, trying for as long as <paramref name="patience"/> while somebody else is in. Creates file and folder as needed.</summary>
    /// <returns>What leaves when disposed; null unless <paramref name="entry"/> is <see cref="GuardEntry.Entered"/>.</returns>
    public static FileGuard? TryEnter(string path, TimeSpan patience, out GuardEntry entry)
    {
        var gate = Gates.GetOrAdd(Path.GetFullPath(path), static _ => new());
        entry = GuardEntry.Busy;
        if (!gate.TryEnter(patience))
        {
            return null;
        }

        var file = TryLock(path, patience, out entry);
        if (file is null)
        {
            gate.Exit();
            return null;
        }

        return new(gate, file);
    }

    public void Dispose()
    {
        _file.Dispose();
        _gate.Exit();
    }

    private static FileStream? TryLock(string path, TimeSpan patience, out GuardEntry entry)
    {
        // The system's clock: it is other processes that are waited for, and they live by no other.
        var begun = TimeProvider.System.GetTimestamp();
        var isCreated = false;
        for (var wait = default(SpinWait); ; wait.SpinOnce(sleep1Threshold: 1))
        {
            try
            {
                entry = GuardEntry.Entered;
                return SharedFile.OpenForWriting(path, FileMode.OpenOrCreate, FileShare.None);
            }
            catch (DirectoryNotFoundException) when (!isCreated)
            {
                isCreated = true;
                if (!SharedFile.TryCreateFolder(Path.GetDirectoryName(path)!))
                {
                    entry = GuardEntry.Unusable;
                    return null;
                }
            }
            catch (Exception exception) when (SharedFile.IsRefusal(exception))
            {
                entry = SharedFile.IsInUse(exception) ? GuardEntry.Busy : GuardEntry.Unusable;
                if (entry == GuardEntry.Unusable || patience <= TimeProvider.System.GetElapsedTime(begun))
                {
                    return null;
                }
            }
        }
    }
}
