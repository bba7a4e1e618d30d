// Small files that other processes may read, replace, delete or damage at any moment. What can go wrong with them ends here, in a
// null or a false. Knows nothing of what is in them, and excludes nobody: FileGuard does.
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LlmAssist.Engine.Sharing;

/// <summary>What tells two versions of a file apart without reading it.</summary>
internal readonly record struct FileStamp(DateTime ChangedAt, long Length)
{
    // File systems count time in steps of up to two seconds; within one step a file can change and keep its stamp.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    /// <summary>The stamp of a file; null if there is none, or nobody may know.</summary>
    public static FileStamp? Of(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.Exists ? new(file.LastWriteTimeUtc, file.Length) : null;
        }
        catch (Exception exception) when (SharedFile.IsRefusal(exception))
        {
            return null;
        }
    }

    /// <summary>Whether any later change gives another stamp. Never true of a file from the future: it is then read once more than needed.</summary>
    public bool IsSettled(DateTimeOffset now) => Settling <= now.UtcDateTime - ChangedAt;
}

/// <summary>Reads, replaces and deletes small files that are shared.</summary>
internal static class SharedFile
{
    /// <summary>Beyond this a file is not one of ours, or not sane: it is not read.</summary>
    public const int MostBytes = 1 << 20;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // What other processes hold open on Windows, they hold for less.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);

    /// <summary>Whether the system did not let us, rather than a mistake of ours.</summary>
    /// <remarks>Out of range is what the runtime makes of a file that has reached its limit.</remarks>
    public static bool IsRefusal(Exception exception) => exception is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" };

    /// <summary>Whether another process or thread has the file in a way that excludes us.</summary>
    public static bool IsInUse(Exception exception) => exception is IOException && (uint)exception.HResult is
        0x80070020 or 0x80070021 // Windows: sharing and lock violation
        or 11 or 35; // EWOULDBLOCK of Linux and of macOS

    /// <summary>Creates a folder, readable by its owner only, if it does not exist.</summary>
    public static bool TryCreateFolder(string folder)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
            }
            else
            {
                Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
            }

            return true;
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            return false;
        }
    }

    /// <summary>Opens a file for writing, made for its owner only.</summary>
    public static FileStream OpenForWriting(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        return new(path, options);
    }

    /// <summary>Opens a file for reading that may be replaced and deleted meanwhile.</summary>
    public static FileStream OpenForReading(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Open,
        Access = FileAccess.Read,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
    });

    /// <summary>All of a file; null if it is missing, cannot be read or is larger than <see cref="MostBytes"/>.</summary>
    public static byte[]? TryRead(string path)
    {
        byte[]? content = null;
        return Insist(() =>
        {
            using var file = OpenForReading(path);
            if (file.Length <= MostBytes)
            {
                content = new byte[file.Length];
                Array.Resize(ref content, file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false));
            }
        }) ? content : null;
    }

    /// <summary>Gives a file new content in place: whoever may read it must be excluded. Needs no room on the disk beyond what it has.</summary>
    public static bool TryOverwrite(string path, byte[] content) => Insist(() =>
    {
        using var file = OpenForWriting(path, FileMode.OpenOrCreate, FileShare.ReadWrite | FileShare.Delete);
        file.Write(content);
        file.SetLength(content.Length);
    });

    /// <summary>Gives a file new content in one step: others see the old or the new. Whoever calls it at the same time for the same file spoils it.</summary>
    /// <param name="isLasting">Whether it must be on the disk before it has its name, so that it survives a power cut.</param>
    public static bool TryReplace(string path, byte[] content, bool isLasting)
    {
        var draft = path + ".tmp";
        var isReplaced = Insist(() =>
        {
            using (var file = OpenForWriting(draft, FileMode.Create, FileShare.ReadWrite | FileShare.Delete))
            {
                file.Write(content);
                if (isLasting)
                {
                    file.Flush(flushToDisk: true);
                }
            }

            File.Move(draft, path, overwrite: true);
        });
        if (!isReplaced)
        {
            // Half a draft takes room that a full disk needs.
            TryDelete(draft);
        }

        return isReplaced;
    }

    /// <summary>Deletes a file, if it is there.</summary>
    public static void TryDelete(string path) => Insist(() => File.Delete(path));

    /// <summary>The value that some JSON is; null for anything that is not one.</summary>
    public static T? TryParse<T>(ReadOnlySpan<byte> content, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(content, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Insist(Action act)
    {
        var begun = TimeProvider.System.GetTimestamp();
        for (var wait = default(SpinWait); ; wait.SpinOnce(sleep1Threshold: 1))
        {
            try
            {
                act();
                return true;
            }
            catch (Exception exception) when (IsRefusal(exception))
            {
                // Windows also refuses access to what is being replaced or deleted.
                var mayPass = IsInUse(exception) || (OperatingSystem.IsWindows() && exception is UnauthorizedAccessException);
                if (!mayPass || Patience <= TimeProvider.System.GetElapsedTime(begun))
                {
                    return false;
                }
            }
        }
    }
}
