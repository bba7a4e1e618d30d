// Reads the small files of /proc and of control groups. What they say is turned into numbers elsewhere.
namespace LlmAssist.Engine.Memory;

internal static class LinuxFile
{
    /// <summary>
    /// The beginning of a file, as much of it as the buffer holds. Empty when it cannot be read: for all of these files that
    /// means the same as an empty one.
    /// </summary>
    public static ReadOnlySpan<byte> BytesOf(string path, Span<byte> buffer)
    {
        try
        {
            // Shared for writing too, or .NET would ask for a lock that these file systems may not have.
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            var length = 0;
            while (length < buffer.Length && RandomAccess.Read(file, buffer[length..], length) is var read && 0 < read)
            {
                length += read;
            }

            return buffer[..length];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>All of a file; empty when it cannot be read.</summary>
    public static string TextOf(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
