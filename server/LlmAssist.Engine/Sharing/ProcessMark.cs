// Which process wrote something, such that it can be told later whether that very process still lives. Asks the system; sends no signal.
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace LlmAssist.Engine.Sharing;

/// <summary>Whether a process lives.</summary>
internal enum ProcessLife
{
    Alive,
    Dead,

    /// <summary>The system does not tell, or it is a process that we cannot see: in another container, say.</summary>
    Unknown,
}

/// <summary>A process, and not a later one with its number.</summary>
/// <param name="ProcessId">Its number.</param>
/// <param name="StartedAt">
/// When it began, in a unit of the system's that does not follow the clock: on Linux ticks since boot, because the time of day that the
/// runtime makes of them is another after each change of the clock. Zero if not known.
/// </param>
/// <param name="Space">In which space of numbers; empty where there is only one.</param>
internal readonly record struct ProcessMark(int ProcessId, long StartedAt, string Space)
{
    // Fields of /proc/PID/stat, counted behind the name, which may contain anything.
    private const int StateField = 0;
    private const int StartField = 19;

    /// <summary>This process.</summary>
    public static ProcessMark Own { get; } = new(Environment.ProcessId, Look(Environment.ProcessId).StartedAt, OwnSpace());

    /// <summary>The process that has this number now, here.</summary>
    public static ProcessMark Of(int processId) => new(processId, Look(processId).StartedAt, Own.Space);

    /// <summary>Whether it lives now.</summary>
    public ProcessLife Life()
    {
        if (Space != Own.Space || ProcessId <= 0)
        {
            return ProcessLife.Unknown;
        }

        var (life, startedAt) = Look(ProcessId);
        return life == ProcessLife.Alive && startedAt != StartedAt && startedAt != 0 && StartedAt != 0 ? ProcessLife.Dead : life;
    }

    private static (ProcessLife Life, long StartedAt) Look(int processId)
    {
        try
        {
            return OperatingSystem.IsLinux() ? LookInProc(processId) : LookByRuntime(processId);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or Win32Exception or InvalidOperationException or NotSupportedException)
        {
            return (ProcessLife.Unknown, 0);
        }
    }

    private static (ProcessLife Life, long StartedAt) LookInProc(int processId)
    {
        string text;
        try
        {
            text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return (Directory.Exists("/proc/self") ? ProcessLife.Dead : ProcessLife.Unknown, 0);
        }

        var fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length <= StartField || !long.TryParse(fields[StartField], CultureInfo.InvariantCulture, out var startedAt))
        {
            return (ProcessLife.Unknown, 0);
        }

        // Dead, but its parent has not asked how it ended.
        return (fields[StateField] is "Z" or "X" ? ProcessLife.Dead : ProcessLife.Alive, startedAt);
    }

    private static (ProcessLife Life, long StartedAt) LookByRuntime(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.HasExited ? (ProcessLife.Dead, 0) : (ProcessLife.Alive, process.StartTime.ToUniversalTime().Ticks);
        }
        catch (ArgumentException)
        {
            return (ProcessLife.Dead, 0);
        }
    }

    private static string OwnSpace()
    {
        try
        {
            return OperatingSystem.IsLinux() ? new FileInfo("/proc/self/ns/pid").LinkTarget ?? "" : "";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
