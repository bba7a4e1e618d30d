// How much memory a process has, as the system counts it. Linux tells shared from private; elsewhere there is one number.
using System.Diagnostics;

namespace LlmAssist.Bench;

/// <summary>Memory of a process, in bytes.</summary>
/// <param name="Resident">All of its pages that are in memory.</param>
/// <param name="Proportional">Shared pages divided by their sharers (PSS); null where the system does not tell.</param>
/// <param name="Private">Pages that nobody else has; null where the system does not tell.</param>
/// <param name="Anonymous">Pages that no file stands behind; null where the system does not tell.</param>
internal readonly record struct ProcessMemory(long Resident, long? Proportional, long? Private, long? Anonymous)
{
    /// <summary>Reads it for a living process.</summary>
    public static ProcessMemory Of(int processId)
    {
        if (!OperatingSystem.IsLinux())
        {
            using var process = Process.GetProcessById(processId);
            return new(process.WorkingSet64, null, null, null);
        }

        var fields = Fields($"/proc/{processId}/smaps_rollup");
        return new(fields["Rss"], fields["Pss"], fields["Private_Clean"] + fields["Private_Dirty"], fields["Anonymous"]);
    }

    /// <summary>The most that this process ever had, in bytes.</summary>
    public static long PeakOfThis()
    {
        if (OperatingSystem.IsLinux())
        {
            return Fields("/proc/self/status")["VmHWM"];
        }

        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    // Lines such as "Pss:    1234 kB".
    private static Dictionary<string, long> Fields(string path) => File.ReadLines(path)
        .Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words is [_, _, "kB"])
        .ToDictionary(words => words[0].TrimEnd(':'), words => long.Parse(words[1]) * 1024);
}
