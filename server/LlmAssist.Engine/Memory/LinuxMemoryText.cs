// The text that Linux puts into /proc and into control groups, turned into numbers. Pure functions; MemoryProbe.Linux reads.
// Formats: the kernel's Documentation/filesystems/proc.rst, accounting/psi.rst, admin-guide/cgroup-v2.rst,
// admin-guide/cgroup-v1/memory.rst, proc_pid_mountinfo(5) and proc_pid_stat(5).
using System.Buffers.Text;

namespace LlmAssist.Engine.Memory;

/// <summary>A control group that may limit memory.</summary>
/// <param name="Folder">The absolute path of its folder.</param>
/// <param name="Unified">Whether it belongs to cgroup v2.</param>
internal readonly record struct MemoryGroup(string Folder, bool Unified);

internal static class LinuxMemoryText
{
    /// <summary>
    /// Total and available memory of the machine from /proc/meminfo; null when even the total is missing. Kernels before
    /// 3.14 have no MemAvailable; free memory and what the page cache could give back stand in for it.
    /// </summary>
    public static SystemMemory? Machine(ReadOnlySpan<byte> meminfo)
    {
        if (Number(meminfo, "MemTotal:"u8) is not { } total || total <= 0)
        {
            return null;
        }

        if (Number(meminfo, "MemAvailable:"u8) is not { } available)
        {
            if (Number(meminfo, "MemFree:"u8) is not { } free)
            {
                return null;
            }

            // Cached includes tmpfs and shared memory, which can be swapped but not dropped.
            var cache = (Number(meminfo, "Buffers:"u8) ?? 0) + (Number(meminfo, "Cached:"u8) ?? 0)
                + (Number(meminfo, "SReclaimable:"u8) ?? 0) - (Number(meminfo, "Shmem:"u8) ?? 0);
            available = free + Math.Max(0, cache);
        }

        // In units of 1024 bytes, whatever their name "kB" says.
        return new(ByteSize.KiB(total), ByteSize.KiB(Math.Clamp(available, 0, total)), LimitedByGroup: false);
    }

    /// <summary>
    /// Our own process from /proc/self/statm, which counts pages: size, resident, shared, … Private is resident minus
    /// shared, which is the kernel's RssAnon. Null for anything else.
    /// </summary>
    // Not from smaps_rollup, which would also tell the share of shared pages: it walks every page, and took 5.6 ms for a
    // process of 96 MB (November 2026) where a whole reading takes 0.09 ms.
    public static ProcessMemory? Process(ReadOnlySpan<byte> statm, int pageSize)
    {
        return Field(statm, 1) is { } resident && Field(statm, 2) is { } shared
            ? new(new(resident * pageSize), new(Math.Max(0, resident - shared) * pageSize))
            : null;
    }

    /// <summary>
    /// What a limit file of a control group says, in bytes; null for none ("max", the huge number by which v1 says
    /// "unlimited", an empty or torn file).
    /// </summary>
    public static long? Limit(ReadOnlySpan<byte> text) =>
        // v1 says long.MaxValue rounded down to a page, and no page is larger than 64 KiB.
        Field(text, 0) is { } limit && limit < long.MaxValue - 0x1_0000 ? limit : null;

    /// <summary>The number that a file holds, or null.</summary>
    public static long? Usage(ReadOnlySpan<byte> text) => Field(text, 0);

    /// <summary>
    /// The file pages of a group that the kernel drops first, in bytes, from its memory.stat. Zero when it does not tell.
    /// They count as used but are available: docker and the kubelet take them off in the same way.
    /// </summary>
    public static long InactiveFile(ReadOnlySpan<byte> memoryStat, bool unified) =>
        // In v1 the name without "total_" leaves the groups below out, while usage counts them.
        Number(memoryStat, unified ? "inactive_file"u8 : "total_inactive_file"u8) ?? 0;

    /// <summary>
    /// How much was waited for memory in the last ten seconds, from /proc/pressure/memory or a group's memory.pressure. Null
    /// unless both lines are there: "some avg10=0.00 avg60=…" and "full avg10=…".
    /// </summary>
    public static MemoryPressure? Pressure(ReadOnlySpan<byte> text) =>
        Average(text, "some "u8) is { } some && Average(text, "full "u8) is { } full ? new(some, full) : null;

    /// <summary>
    /// When a process began, from its /proc/PID/stat, in ticks since the machine began: with its id it names a process, which
    /// the id alone does not. Null for anything else.
    /// </summary>
    public static long? StartOf(ReadOnlySpan<byte> stat)
    {
        // pid (name) state …: the name may have blanks and parentheses of its own. The start is field 22, and 20th after it.
        var end = stat.LastIndexOf((byte)')');
        return end < 0 ? null : Field(stat[(end + 1)..], 19);
    }

    /// <summary>
    /// The control groups around a process, innermost first, from its /proc/self/cgroup and /proc/self/mountinfo. Each of
    /// them may limit it. A machine may have both hierarchies; which of the groups limit memory only their files tell.
    /// </summary>
    public static IReadOnlyList<MemoryGroup> Groups(string cgroup, string mountinfo)
    {
        var groups = new List<MemoryGroup>();
        foreach (var line in cgroup.Split('\n'))
        {
            // hierarchy-id:controllers:path; in v2 the line is 0::path. A path may contain colons.
            var parts = line.Split(':', 3);
            if (parts.Length < 3)
            {
                continue;
            }

            var unified = parts[1].Length == 0;
            if ((unified || parts[1].Split(',').Contains("memory")) && MountOf(mountinfo, unified) is { } mount)
            {
                AddUpwards(groups, mount, parts[2], unified);
            }
        }

        return groups;
    }

    private static double? Average(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (line.StartsWith(name) && line[name.Length..] is var rest && rest.StartsWith("avg10="u8))
            {
                return Utf8Parser.TryParse(rest["avg10="u8.Length..], out double percent, out _) && double.IsFinite(percent)
                    ? Math.Clamp(percent, 0, 100)
                    : null;
            }
        }

        return null;
    }

    // From the group's folder up to the folder where the hierarchy is mounted. A container may see only a part of the
    // hierarchy: its mount then shows some group as root, and the process's path is told from the real root.
    private static void AddUpwards(List<MemoryGroup> groups, (string Root, string Point) mount, string path, bool unified)
    {
        var root = mount.Root.TrimEnd('/');
        var below = path == root ? ""
            : path.StartsWith(root + '/', StringComparison.Ordinal) ? path[root.Length..].TrimEnd('/')
            : "";

        // "/../x": the process was moved out of what its namespace shows; only the mount's own group is known to be above it.
        if (below.Split('/').Contains(".."))
        {
            below = "";
        }

        while (true)
        {
            groups.Add(new(mount.Point + below, unified));
            if (below.Length == 0)
            {
                return;
            }

            below = below[..below.LastIndexOf('/')];
        }
    }

    // 36 35 98:0 /root /mount/point rw,noatime master:1 - cgroup2 cgroup2 rw,nsdelegate
    private static (string Root, string Point)? MountOf(string mountinfo, bool unified)
    {
        foreach (var line in mountinfo.Split('\n'))
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            if (separator < 6 || fields.Length < separator + 4)
            {
                continue;
            }

            var type = fields[separator + 1];
            if (unified ? type == "cgroup2" : type == "cgroup" && fields[separator + 3].Split(',').Contains("memory"))
            {
                return (Unescaped(fields[3]), Unescaped(fields[4]));
            }
        }

        return null;
    }

    // Blank, tab, line feed and backslash are written as three octal digits.
    private static string Unescaped(string path) =>
        path.Replace("\\040", " ").Replace("\\011", "\t").Replace("\\012", "\n").Replace("\\134", "\\");

    // The first number behind a name at the start of a line; null when there is none.
    private static long? Number(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (line.StartsWith(name) && name.Length < line.Length && line[name.Length] is (byte)' ' or (byte)'\t')
            {
                return Field(line[name.Length..], 0);
            }
        }

        return null;
    }

    private static long? Field(ReadOnlySpan<byte> text, int index)
    {
        var rest = text.TrimStart(" \t\n"u8);
        for (var skipped = 0; skipped < index; skipped++)
        {
            var blank = rest.IndexOfAny(" \t\n"u8);
            if (blank < 0)
            {
                return null;
            }

            rest = rest[blank..].TrimStart(" \t\n"u8);
        }

        return Utf8Parser.TryParse(rest, out long number, out var length)
            && 0 <= number
            && (length == rest.Length || rest[length] is (byte)' ' or (byte)'\t' or (byte)'\n')
                ? number
                : null;
    }
}
