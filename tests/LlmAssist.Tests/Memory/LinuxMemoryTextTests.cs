// Every variant of the kernel's texts that we know of is a row.
using System.Text;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Tests.Memory;

public sealed class LinuxMemoryTextTests
{
    private const string Modern = """
        MemTotal:       16310904 kB
        MemFree:          934528 kB
        MemAvailable:    8041234 kB
        Buffers:          310000 kB
        Cached:          7000000 kB
        SwapCached:            0 kB
        Shmem:            500000 kB
        SReclaimable:     400000 kB

        """;

    private const string BeforeMemAvailable = """
        MemTotal:       4000000 kB
        MemFree:         500000 kB
        Buffers:         100000 kB
        Cached:         1000000 kB
        Shmem:           200000 kB
        SReclaimable:     50000 kB
        """;

    [Theory]
    [InlineData(Modern, 16310904L, 8041234L)]
    [InlineData(BeforeMemAvailable, 4000000L, 1450000L)] // 500000 + 100000 + 1000000 + 50000 - 200000
    [InlineData("MemTotal: 1000 kB\nMemFree: 400 kB\n", 1000L, 400L)] // user-mode kernels and sandboxes tell no more
    [InlineData("MemTotal: 1000 kB\nMemFree: 400 kB\nCached: 10 kB\nShmem: 90 kB\n", 1000L, 400L)]
    [InlineData("MemTotal: 1000 kB\nMemAvailable: 1200 kB\n", 1000L, 1000L)] // the two are not counted at one instant
    [InlineData("MemTotal:\t1000 kB\nMemAvailable:\t600 kB", 1000L, 600L)]
    [InlineData("", null, null)]
    [InlineData("MemTotal: 1000 kB\n", null, null)]
    [InlineData("MemTotal: 0 kB\nMemAvailable: 0 kB\n", null, null)]
    [InlineData("MemTotal: many kB\nMemAvailable: 0 kB\n", null, null)]
    [InlineData("MemTotalOfAll: 5 kB\nMemAvailable: 5 kB\n", null, null)]
    public void Machine(string meminfo, long? totalKiB, long? availableKiB)
    {
        var machine = LinuxMemoryText.Machine(Encoding.UTF8.GetBytes(meminfo));
        Assert.Equal(totalKiB * 1024, machine?.Total.Bytes);
        Assert.Equal(availableKiB * 1024, machine?.Available.Bytes);
        Assert.False(machine?.LimitedByGroup ?? false);
    }

    [Theory]
    [InlineData("70000 5000 3000 20 0 9000 0\n", 4096, 20_480_000L, 8_192_000L)]
    [InlineData("70000 5000 3000 20 0 9000 0\n", 16384, 81_920_000L, 32_768_000L)]
    [InlineData("70000 3000 3001 20 0 9000 0\n", 4096, 12_288_000L, 0L)] // the counters are not exact to the page
    [InlineData("70000 5000", 4096, null, null)]
    [InlineData("", 4096, null, null)]
    [InlineData("a b c", 4096, null, null)]
    public void Process(string statm, int pageSize, long? resident, long? own)
    {
        var process = LinuxMemoryText.Process(Encoding.UTF8.GetBytes(statm), pageSize);
        Assert.Equal(resident, process?.Resident.Bytes);
        Assert.Equal(own, process?.Private.Bytes);
    }

    [Theory]
    [InlineData("max\n", null)]
    [InlineData("8589934592\n", 8_589_934_592)]
    [InlineData("0\n", 0L)]
    [InlineData("9223372036854771712\n", null)] // v1, pages of 4 KiB
    [InlineData("9223372036854710272\n", null)] // v1, pages of 64 KiB
    [InlineData("-1\n", null)]
    [InlineData("99999999999999999999\n", null)]
    [InlineData("12cat\n", null)]
    [InlineData("", null)]
    public void Limit(string text, long? expected) => Assert.Equal(expected, LinuxMemoryText.Limit(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("anon 10\nfile 20\ninactive_file 7\nactive_file 13\n", true, 7)]
    [InlineData("inactive_file 3\ntotal_inactive_file 9\n", false, 9)]
    [InlineData("inactive_file 3\n", false, 0)]
    [InlineData("inactive_file_dirty 3\n", true, 0)]
    [InlineData("", true, 0)]
    public void Inactive_file(string stat, bool unified, long expected) =>
        Assert.Equal(expected, LinuxMemoryText.InactiveFile(Encoding.UTF8.GetBytes(stat), unified));

    [Theory]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 0.0, 0.0)]
    [InlineData("some avg10=12.34 avg60=5.00 avg300=1.00 total=99\nfull avg10=3.50 avg60=0.10 avg300=0.00 total=7\n", 12.34, 3.5)]
    [InlineData("full avg10=1.00\nsome avg10=2", 2.0, 1.0)]
    [InlineData("some avg10=100.01 avg60=0\nfull avg10=100.00 avg60=0\n", 100.0, 100.0)] // averages are not exact
    [InlineData("some avg10=-1.00 avg60=0\nfull avg10=0.00\n", 0.0, 0.0)]
    [InlineData("some avg10=1.00 avg60=0.00 avg300=0.00 total=0\n", null, null)] // as for processors before Linux 5.13
    [InlineData("some avg60=1.00\nfull avg60=1.00\n", null, null)]
    [InlineData("some avg10=NaN\nfull avg10=0.00\n", null, null)]
    [InlineData("some avg10=\nfull avg10=0.00\n", null, null)]
    [InlineData("someavg10=1\nfull avg10=1\n", null, null)]
    [InlineData("", null, null)]
    public void Pressure(string text, double? some, double? full)
    {
        var pressure = LinuxMemoryText.Pressure(Encoding.UTF8.GetBytes(text));
        Assert.Equal((some, full), (pressure?.Some, pressure?.Full));
    }

    [Theory]
    [InlineData("41 (llama-server) S 1 41 41 0 -1 4194560 9 8 7 6 5 4 3 2 20 0 31 0 987654 1048576 200 18446744073709551615 0\n", 987654L)]
    [InlineData("41 (a) S) R (b c) S 1 41 41 0 -1 4194560 9 8 7 6 5 4 3 2 20 0 31 0 12 1048576\n", 12L)] // a name may be anything
    [InlineData("41 (sh) S 1 41 41 0\n", null)]
    [InlineData("41 sh S 1 41 41 0 -1 4194560 9 8 7 6 5 4 3 2 20 0 31 0 12 1048576\n", null)]
    [InlineData("", null)]
    public void Start(string stat, long? expected) => Assert.Equal(expected, LinuxMemoryText.StartOf(Encoding.UTF8.GetBytes(stat)));

    private const string UnifiedMount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    private const string LegacyMounts = """
        33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:10 - cgroup cgroup rw,cpu,cpuacct
        34 32 0:30 / /sys/fs/cgroup/memory rw,relatime shared:11 - cgroup cgroup rw,memory

        """;

    [Theory]
    // cgroup v2 on a desktop: every slice above may limit us.
    [InlineData("0::/user.slice/app.slice/code.scope\n", UnifiedMount,
        "/sys/fs/cgroup/user.slice/app.slice/code.scope /sys/fs/cgroup/user.slice/app.slice /sys/fs/cgroup/user.slice /sys/fs/cgroup")]
    // v2 in a container with its own cgroup namespace.
    [InlineData("0::/\n", UnifiedMount, "/sys/fs/cgroup")]
    // Moved outside of what the namespace shows.
    [InlineData("0::/../other\n", UnifiedMount, "/sys/fs/cgroup")]
    // v2 in a container without a namespace: the mount shows our group as its root.
    [InlineData("0::/docker/abc\n", "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup")]
    [InlineData("0::/docker/abc/job\n", "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/job /sys/fs/cgroup")]
    [InlineData("0::/docker/abcd\n", "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup")]
    // v1.
    [InlineData("4:cpu,cpuacct:/a\n3:memory:/b/c\n1:name=systemd:/d\n", LegacyMounts,
        "/sys/fs/cgroup/memory/b/c:1 /sys/fs/cgroup/memory/b:1 /sys/fs/cgroup/memory:1")]
    [InlineData("3:hugetlb,memory:/b\n", "34 32 0:30 / /cg rw - cgroup cgroup rw,memory,hugetlb\n", "/cg/b:1 /cg:1")]
    // Both: memory is limited in v1, and v2 only tracks processes.
    [InlineData("4:memory:/m\n0::/u\n", LegacyMounts + "35 32 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        "/sys/fs/cgroup/memory/m:1 /sys/fs/cgroup/memory:1 /sys/fs/cgroup/unified/u /sys/fs/cgroup/unified")]
    // Names with blanks are escaped in one file and not in the other; colons in neither.
    [InlineData("0::/a:b\n", "30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n", "/my_groups/a:b /my_groups")]
    // Nothing to find.
    [InlineData("0::/a\n", LegacyMounts, "")]
    [InlineData("", UnifiedMount, "")]
    [InlineData("0::/a\n", "", "")]
    [InlineData("nonsense\n0:\n", UnifiedMount, "")]
    [InlineData("0::/a\n", "30 23 - cgroup2\n- cgroup2\n30 23 0:26 / /sys/fs/cgroup rw shared:4 -\n", "")]
    public void Groups(string cgroup, string mountinfo, string expected)
    {
        var groups = LinuxMemoryText.Groups(cgroup, mountinfo);
        Assert.Equal(expected, string.Join(' ', groups.Select(group => group.Folder.Replace(' ', '_') + (group.Unified ? "" : ":1"))));
    }
}
