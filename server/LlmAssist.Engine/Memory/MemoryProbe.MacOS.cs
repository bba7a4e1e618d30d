// Memory on macOS, from the kernel's counters. Intel and Apple silicon have the same layouts, not the same page size.
// Layouts: xnu's osfmk/mach/vm_statistics.h (vm_statistics64), osfmk/mach/host_info.h (flavors) and
// bsd/sys/resource.h (rusage_info_v0).
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Memory;

public static partial class MemoryProbe
{
    internal sealed partial class MacOS : IMemoryProbe
    {
        private const int HostVmInfo64 = 4;  // HOST_VM_INFO64
        private const int RusageInfoV0 = 0;  // RUSAGE_INFO_V0
        private const int Success = 0;       // KERN_SUCCESS and the return value of BSD calls

        private static readonly Phrase SystemRefused = NoSystem("host_statistics64");
        private static readonly Phrase ProcessRefused = NoProcess("proc_pid_rusage");

        // Every call of mach_host_self takes another reference to the port, so it is called once.
        private readonly uint _host = mach_host_self();
        private readonly long _total = PhysicalMemory();

        public MemoryReading Read() => ReadingOf(System(), Process(), SystemRefused, ProcessRefused);

        private SystemMemory? System()
        {
            // In units of integer_t, 4 bytes. A newer kernel that knows more fields fills no more than this.
            var count = (uint)(Marshal.SizeOf<VmStatistics64>() / sizeof(int));
            return 0 < _total
                && host_page_size(_host, out var pageSize) == Success
                && host_statistics64(_host, HostVmInfo64, out var statistics, ref count) == Success
                    ? SystemOf(_total, (long)pageSize, statistics)
                    : null;
        }

        private static ProcessMemory? Process() =>
            proc_pid_rusage(Environment.ProcessId, RusageInfoV0, out var usage) == Success
                ? new(new((long)usage.ResidentSize), new((long)usage.PhysFootprint))
                : null;

        /// <summary>
        /// What Activity Monitor shows as "Memory Used" is used: app memory (anonymous pages that are not purgeable), wired
        /// memory and the compressor. The rest, free pages and file pages, can be had without compressing anything.
        /// Not summed up from free, inactive, purgeable and speculative: free already includes speculative, purgeable pages
        /// are among the inactive, and inactive has anonymous pages that must be compressed first.
        /// </summary>
        internal static SystemMemory SystemOf(long total, long pageSize, in VmStatistics64 statistics)
        {
            // The counters are not read at one instant, so differences may be slightly negative.
            var app = Math.Max(0L, (long)statistics.InternalPageCount - statistics.PurgeableCount);
            var used = (app + statistics.WireCount + statistics.CompressorPageCount) * pageSize;
            return new(new(total), new(Math.Clamp(total - used, 0, total)), LimitedByGroup: false);
        }

        private static long PhysicalMemory()
        {
            var size = (nuint)sizeof(ulong);
            return sysctlbyname("hw.memsize", out var bytes, ref size, 0, 0) == Success && size == sizeof(ulong) ? (long)bytes : 0;
        }

        [LibraryImport("libSystem.dylib")]
        private static partial uint mach_host_self();

        [LibraryImport("libSystem.dylib")]
        private static partial int host_page_size(uint host, out nuint pageSize);

        [LibraryImport("libSystem.dylib")]
        private static partial int host_statistics64(uint host, int flavor, out VmStatistics64 statistics, ref uint count);

        [LibraryImport("libSystem.dylib")]
        private static partial int proc_pid_rusage(int process, int flavor, out RusageInfo usage);

        [LibraryImport("libSystem.dylib", StringMarshalling = StringMarshalling.Utf8)]
        private static partial int sysctlbyname(string name, out ulong value, ref nuint size, nint newValue, nuint newSize);

#pragma warning disable CS0649 // The system fills the fields.

        /// <summary>struct vm_statistics64, in pages; natural_t is 32 bits wide.</summary>
        internal struct VmStatistics64
        {
            public uint FreeCount;          // includes SpeculativeCount
            public uint ActiveCount;
            public uint InactiveCount;
            public uint WireCount;
            public ulong ZeroFillCount;
            public ulong Reactivations;
            public ulong PageIns;
            public ulong PageOuts;
            public ulong Faults;
            public ulong CowFaults;
            public ulong Lookups;
            public ulong Hits;
            public ulong Purges;
            public uint PurgeableCount;
            public uint SpeculativeCount;
            public ulong Decompressions;
            public ulong Compressions;
            public ulong SwapIns;
            public ulong SwapOuts;
            public uint CompressorPageCount; // pages that the compressor itself occupies
            public uint ThrottledCount;
            public uint ExternalPageCount;   // file-backed
            public uint InternalPageCount;   // anonymous
            public ulong TotalUncompressedPagesInCompressor;
        }

        /// <summary>struct rusage_info_v0.</summary>
        internal struct RusageInfo
        {
            public ulong UuidLow;   // ri_uuid, 16 bytes
            public ulong UuidHigh;
            public ulong UserTime;
            public ulong SystemTime;
            public ulong PackageIdleWakeups;
            public ulong InterruptWakeups;
            public ulong PageIns;
            public ulong WiredSize;     // bytes
            public ulong ResidentSize;  // bytes
            public ulong PhysFootprint; // bytes; what Activity Monitor shows for a process
            public ulong StartTime;
            public ulong ExitTime;
        }

#pragma warning restore CS0649
    }
}
