using System.Diagnostics;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Memory;

public sealed class MemoryProbeTests
{
    private const string Machine = "proc/meminfo|MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n"; // 16 GiB, half of it in use
    private const string Unified = "proc/self/mountinfo|30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    private const string Nested = "proc/self/cgroup|0::/user/app\n";
    private const string MachinePressure = "proc/pressure/memory|some avg10=1.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=0\n";
    private const string GroupPressure = "sys/fs/cgroup/user/app/memory.pressure|some avg10=2.00\nfull avg10=0.00\n";
    private const string Legacy = "proc/self/mountinfo|34 32 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

    [Theory]
    // No groups at all.
    [InlineData(16, 8, false, Machine)]
    // Groups without a limit.
    [InlineData(16, 8, false, Machine, Unified, Nested, "sys/fs/cgroup/user/app/memory.max|max\n", "sys/fs/cgroup/user/memory.max|max\n")]
    // The inner group: 4 GiB, of which 3 are used and 1 of these can be dropped.
    [InlineData(4, 2, true, Machine, Unified, Nested,
        "sys/fs/cgroup/user/app/memory.max|4294967296\n",
        "sys/fs/cgroup/user/app/memory.current|3221225472\n",
        "sys/fs/cgroup/user/app/memory.stat|anon 1\ninactive_file 1073741824\n")]
    // The outer group is larger but fuller.
    [InlineData(4, 1, true, Machine, Unified, Nested,
        "sys/fs/cgroup/user/app/memory.max|4294967296\n",
        "sys/fs/cgroup/user/app/memory.current|0\n",
        "sys/fs/cgroup/user/memory.max|8589934592\n",
        "sys/fs/cgroup/user/memory.current|7516192768\n")]
    // memory.high throttles before memory.max kills.
    [InlineData(2, 1, true, Machine, Unified, Nested,
        "sys/fs/cgroup/user/app/memory.max|max\n",
        "sys/fs/cgroup/user/app/memory.high|2147483648\n",
        "sys/fs/cgroup/user/app/memory.current|1073741824\n")]
    // A group larger than the machine limits nothing, however full the kernel says it is.
    [InlineData(16, 8, false, Machine, Unified, Nested,
        "sys/fs/cgroup/user/app/memory.max|68719476736\n",
        "sys/fs/cgroup/user/app/memory.current|68719476736\n")]
    // The group leaves more than the machine has.
    [InlineData(12, 8, true, Machine, Unified, Nested,
        "sys/fs/cgroup/user/app/memory.max|12884901888\n",
        "sys/fs/cgroup/user/app/memory.current|1073741824\n")]
    // Over the limit for a moment, and dropping more than is used: neither below zero nor above the limit.
    [InlineData(1, 0, true, Machine, Unified, Nested,
        "sys/fs/cgroup/user/app/memory.max|1073741824\n",
        "sys/fs/cgroup/user/app/memory.current|2147483648\n")]
    [InlineData(1, 1, true, Machine, Unified, Nested,
        "sys/fs/cgroup/user/app/memory.max|1073741824\n",
        "sys/fs/cgroup/user/app/memory.current|536870912\n",
        "sys/fs/cgroup/user/app/memory.stat|inactive_file 1073741824\n")]
    // cgroup v1, "unlimited" inside and limited outside.
    [InlineData(2, 1.5, true, Machine, Legacy, "proc/self/cgroup|3:memory:/docker/abc\n",
        "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes|9223372036854771712\n",
        "sys/fs/cgroup/memory/docker/memory.limit_in_bytes|2147483648\n",
        "sys/fs/cgroup/memory/docker/memory.usage_in_bytes|1073741824\n",
        "sys/fs/cgroup/memory/docker/memory.stat|inactive_file 5\ntotal_inactive_file 536870912\n")]
    public void On_linux_the_tightest_bound_holds(double totalGiB, double availableGiB, bool limited, params string[] files)
    {
        var (total, available) = (ByteSize.GiB(totalGiB), ByteSize.GiB(availableGiB));
        Check(files, reading =>
        {
            Assert.Equal(new SystemMemory(total, available, limited), reading.System);
            Assert.Equal(100 * (1 - (availableGiB / totalGiB)), reading.System!.Value.UsedPercent, precision: 9);
        });
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1.0, Machine, MachinePressure)]
    [InlineData(null, Machine, "proc/pressure/memory|")] // switched off: it is there and cannot be read
    // The machine waits, and the group does not limit us: its own waiting is part of the machine's.
    [InlineData(1.0, Machine, MachinePressure, Unified, Nested, GroupPressure, "sys/fs/cgroup/user/app/memory.max|max\n")]
    [InlineData(2.0, Machine, MachinePressure, Unified, Nested, GroupPressure, "sys/fs/cgroup/user/app/memory.max|1073741824\n")]
    // The innermost that limits.
    [InlineData(3.0, Machine, MachinePressure, Unified, Nested, GroupPressure, "sys/fs/cgroup/user/app/memory.max|max\n",
        "sys/fs/cgroup/user/memory.max|1073741824\n", "sys/fs/cgroup/user/memory.pressure|some avg10=3.00\nfull avg10=0.00\n")]
    [InlineData(2.0, Machine, MachinePressure, Unified, Nested, GroupPressure, "sys/fs/cgroup/user/app/memory.max|2147483648\n",
        "sys/fs/cgroup/user/memory.max|1073741824\n", "sys/fs/cgroup/user/memory.pressure|some avg10=3.00\nfull avg10=0.00\n")]
    // A group without pressure, as all of v1 are.
    [InlineData(1.0, Machine, MachinePressure, Unified, Nested, "sys/fs/cgroup/user/app/memory.max|1073741824\n")]
    [InlineData(1.0, Machine, MachinePressure, Legacy, "proc/self/cgroup|3:memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes|1073741824\n")]
    public void On_linux_waiting_is_told_where_memory_is_limited(double? some, params string[] files) =>
        Check(files, reading => Assert.Equal(some, reading.Pressure?.Some));

    [Theory]
    [InlineData(new string[0], "/proc/meminfo /proc/self/statm")]
    [InlineData(new[] { Machine }, "/proc/self/statm")]
    [InlineData(new[] { "proc/self/statm|9 8 7 6 5 4 3\n" }, "/proc/meminfo")]
    [InlineData(new[] { Machine, "proc/self/statm|9 8 7 6 5 4 3\n" }, "")]
    public void What_cannot_be_read_is_said_and_never_thrown(string[] files, string missing)
    {
        var sources = missing.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Check(files, reading =>
        {
            Assert.Equal(sources.Length, reading.Missing.Count);
            Assert.Equal(sources.Contains("/proc/meminfo"), reading.System is null);
            Assert.Equal(sources.Contains("/proc/self/statm"), reading.Process is null);
            for (var index = 0; index < sources.Length; index++)
            {
                Assert.Contains(sources[index], reading.Missing[index].In(Speech.English));
                Assert.Contains(sources[index], reading.Missing[index].In(Speech.Spanish));
            }
        });
    }

    [Fact]
    public void Reads_this_machine()
    {
        var probe = MemoryProbe.ForThisMachine();
        var reading = probe.Read();
        Assert.Empty(reading.Missing);
        var system = Assert.NotNull(reading.System);
        var process = Assert.NotNull(reading.Process);
        Assert.InRange(system.Available.Bytes, 1, system.Total.Bytes);
        Assert.InRange(system.UsedPercent, 0, 100);
        Assert.InRange(process.Resident.Bytes, 1, system.Total.Bytes);
        Assert.True(ByteSize.MiB(1) < process.Private);

        // The runtime asks the same system in its own way.
        using var self = Process.GetCurrentProcess();
        Assert.InRange(process.Resident / new ByteSize(self.WorkingSet64), 0.5, 2);
    }

    // In a process of its own: here other tests take and free memory at the same time.
    [Fact]
    public void Sees_memory_come()
    {
        using var child = ChildProcess.Start("grow", "192");
        var (exitCode, said) = child.End();
        Assert.Equal(0, exitCode);
        Assert.InRange(long.Parse(said, CultureInfo.InvariantCulture), 180L << 20, 250L << 20);
    }

    [Fact]
    public void A_reading_allocates_little()
    {
        var probe = MemoryProbe.ForThisMachine();
        probe.Read();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 10; round++)
        {
            probe.Read();
        }

        // The reading itself and a handle for each file.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 10, 0, 4096);
    }

    [Fact]
    public void Counts_the_resident_pages_of_a_mapping()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Null(MappedPages.Resident(0, 1));
            return;
        }

        // Anonymous, so that no file system or other process has a say in what is resident.
        const int Pages = 10_000;
        var pageSize = Environment.SystemPageSize;
        using var file = MemoryMappedFile.CreateNew(null, (long)Pages * pageSize);
        using var view = file.CreateViewAccessor();
        var start = view.SafeMemoryMappedViewHandle.DangerousGetHandle();
        Assert.Equal(ByteSize.Zero, MappedPages.Resident(start, (long)Pages * pageSize));

        // On both sides of the border between two calls, and at the very end.
        foreach (var page in new[] { 0, 4095, 4096, 9_999 })
        {
            view.Write((long)page * pageSize, (byte)1);
        }

        Assert.Equal(new ByteSize(4L * pageSize), MappedPages.Resident(start, (long)Pages * pageSize));
        Assert.Equal(new ByteSize(2L * pageSize), MappedPages.Resident(start, (4095L * pageSize) + 1));
        Assert.Equal(ByteSize.Zero, MappedPages.Resident(start, 0));
        Assert.Null(MappedPages.Resident(start + 1, pageSize));
        Assert.Null(MappedPages.Resident(start, -1));
        Assert.Null(MappedPages.Resident(0, pageSize));
    }

    [Theory]
    [InlineData(16, 8, 20, 8)]
    [InlineData(16, 8, 3, 3)] // the commit limit is reached before physical memory is
    [InlineData(16, 17, 20, 16)]
    public void On_windows_commit_bounds_what_is_available(ulong totalGiB, ulong physicalGiB, ulong commitGiB, double expectedGiB)
    {
        var system = MemoryProbe.Windows.SystemOf(new() { TotalPhys = totalGiB << 30, AvailPhys = physicalGiB << 30, AvailPageFile = commitGiB << 30 });
        Assert.Equal(new SystemMemory(ByteSize.GiB(totalGiB), ByteSize.GiB(expectedGiB), false), system);
    }

    [Theory]
    [InlineData(100, 20, 30, 10, 60)]  // used: 100 - 20 + 30 + 10 = 120 of 180 pages
    [InlineData(20, 25, 30, 10, 140)]  // more purgeable than anonymous pages: read at different moments
    [InlineData(200, 0, 30, 10, 0)]
    public void On_macos_used_is_what_activity_monitor_shows(uint anonymous, uint purgeable, uint wired, uint compressor, long availablePages)
    {
        const long PageSize = 16384;
        var system = MemoryProbe.MacOS.SystemOf(180 * PageSize, PageSize, new()
        {
            InternalPageCount = anonymous,
            PurgeableCount = purgeable,
            WireCount = wired,
            CompressorPageCount = compressor,
        });
        Assert.Equal(new ByteSize(availablePages * PageSize), system.Available);
        Assert.Equal(new ByteSize(180 * PageSize), system.Total);
    }

    // The offsets a C compiler gives these structures on 64-bit systems, worked out from the documents named in the probes.
    [Theory]
    [InlineData(typeof(MemoryProbe.Windows.MemoryStatus), null, 64)]
    [InlineData(typeof(MemoryProbe.Windows.MemoryStatus), "TotalPhys", 8)]
    [InlineData(typeof(MemoryProbe.Windows.MemoryStatus), "AvailPhys", 16)]
    [InlineData(typeof(MemoryProbe.Windows.MemoryStatus), "AvailPageFile", 32)]
    [InlineData(typeof(MemoryProbe.Windows.ProcessCounters), null, 80)]
    [InlineData(typeof(MemoryProbe.Windows.ProcessCounters), "WorkingSetSize", 16)]
    [InlineData(typeof(MemoryProbe.Windows.ProcessCounters), "PrivateUsage", 72)]
    [InlineData(typeof(MemoryProbe.MacOS.VmStatistics64), null, 152)]
    [InlineData(typeof(MemoryProbe.MacOS.VmStatistics64), "WireCount", 12)]
    [InlineData(typeof(MemoryProbe.MacOS.VmStatistics64), "PurgeableCount", 88)]
    [InlineData(typeof(MemoryProbe.MacOS.VmStatistics64), "CompressorPageCount", 128)]
    [InlineData(typeof(MemoryProbe.MacOS.VmStatistics64), "InternalPageCount", 140)]
    [InlineData(typeof(MemoryProbe.MacOS.RusageInfo), null, 96)]
    [InlineData(typeof(MemoryProbe.MacOS.RusageInfo), "ResidentSize", 64)]
    [InlineData(typeof(MemoryProbe.MacOS.RusageInfo), "PhysFootprint", 72)]
    public void Structures_are_laid_out_as_the_systems_want(Type structure, string? field, int expected) =>
        Assert.Equal(expected, field is null ? Marshal.SizeOf(structure) : (int)Marshal.OffsetOf(structure, field));

    // Files are "path|content" under a root of their own.
    private static void Check(string[] files, Action<MemoryReading> expect)
    {
        var root = Directory.CreateTempSubdirectory("llm-assist-probe-").FullName;
        try
        {
            foreach (var file in files)
            {
                var (path, content) = (file[..file.IndexOf('|')], file[(file.IndexOf('|') + 1)..]);
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
                File.WriteAllText(Path.Combine(root, path), content);
            }

            expect(new MemoryProbe.Linux(root).Read());
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
