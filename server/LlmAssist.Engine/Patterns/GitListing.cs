// Asks git which files of a folder belong to it. Runs a program; judges no file.
using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>The files that git tracks or would track: git's own reading of every ignore file, global ones included.</summary>
internal static class GitListing
{
    // As "git rev-parse --local-env-vars" lists them.
    private static readonly string[] RepositoryVariables =
    [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE",
        "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR",
    ];

    /// <summary>
    /// The files under <paramref name="folder"/>, relative to it and with slashes, in no particular order. A file may
    /// appear twice (during a merge) or be gone; a submodule appears as its folder. Null if git is not installed, the folder
    /// is in no work tree, or git refuses to say, for example because the work tree belongs to another user.
    /// </summary>
    /// <exception cref="OperationCanceledException">Canceled; git has been killed.</exception>
    public static IReadOnlyCollection<string>? TryList(string folder, CancellationToken cancellation)
    {
        using var git = TryStart(folder);
        if (git is null)
        {
            return null;
        }

        using var killing = cancellation.Register(() => Kill(git));
        try
        {
            // The inherited standard input would be the client's side of the protocol.
            git.StandardInput.Close();

            // Its complaints must be read so that the pipe never fills, and interest nobody: the caller walks instead.
            git.BeginErrorReadLine();
            var files = Read(git.StandardOutput.BaseStream);
            git.WaitForExit();
            cancellation.ThrowIfCancellationRequested();
            return git.ExitCode == 0 ? files : null;
        }
        catch (IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
        finally
        {
            Kill(git);
        }
    }

    private static Process? TryStart(string folder)
    {
        var start = new ProcessStartInfo("git")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };

        // A file-system monitor is a program that the repository names; opening a folder must not run it.
        string[] arguments = ["-c", "core.fsmonitor=false", "-C", folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // Set where git itself started the editor; they would point at another repository.
        foreach (var name in RepositoryVariables)
        {
            start.Environment.Remove(name);
        }

        start.Environment["GIT_OPTIONAL_LOCKS"] = "0";
        start.Environment["GIT_NO_LAZY_FETCH"] = "1";
        try
        {
            return Process.Start(start);
        }
        catch (Exception exception) when (exception is Win32Exception or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static HashSet<string> Read(Stream output)
    {
        var files = new HashSet<string>(StringComparer.Ordinal);
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        var filled = 0;
        while (output.Read(buffer, filled, buffer.Length - filled) is var count && 0 < count)
        {
            filled += count;
            var start = 0;
            while (buffer.AsSpan(start, filled - start).IndexOf((byte)0) is var length && 0 <= length)
            {
                files.Add(Encoding.UTF8.GetString(buffer, start, length));
                start += length + 1;
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
            if (filled == buffer.Length)
            {
                throw new IOException("a path of 64 KB: this is not git");
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return files;
    }

    private static void Kill(Process git)
    {
        try
        {
            if (!git.HasExited)
            {
                git.Kill();
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            // It ended by itself in between.
        }
    }
}
