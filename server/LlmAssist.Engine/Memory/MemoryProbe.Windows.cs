// Memory on Windows, from two calls of kernel32. Job objects are seen only through the commit limit that Windows reports.
// Layouts: learn.microsoft.com/windows/win32/api, pages sysinfoapi/ns-sysinfoapi-memorystatusex and
// psapi/ns-psapi-process_memory_counters_ex.
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Memory;

public static partial class MemoryProbe
{
    internal sealed partial class Windows : IMemoryProbe
    {
        private static readonly Phrase SystemRefused = NoSystem("GlobalMemoryStatusEx");
        private static readonly Phrase ProcessRefused = NoProcess("GetProcessMemoryInfo");

        public MemoryReading Read() => ReadingOf(System(), Process(), SystemRefused, ProcessRefused);

        private static SystemMemory? System()
        {
            var status = new MemoryStatus { Length = (uint)Marshal.SizeOf<MemoryStatus>() };
            return GlobalMemoryStatusEx(ref status) ? SystemOf(status) : null;
        }

        private static ProcessMemory? Process()
        {
            var counters = new ProcessCounters { Size = (uint)Marshal.SizeOf<ProcessCounters>() };
            return K32GetProcessMemoryInfo(GetCurrentProcess(), ref counters, counters.Size)
                ? new(new((long)counters.WorkingSetSize), new((long)counters.PrivateUsage))
                : null;
        }

        /// <summary>
        /// Physical memory, bounded by what may still be committed: with a small page file or inside a job object an
        /// allocation fails by the commit limit while physical memory is still free.
        /// </summary>
        internal static SystemMemory? SystemOf(in MemoryStatus status)
        {
            if (status.TotalPhys == 0)
            {
                return null;
            }

            var available = Math.Min(status.AvailPhys, status.AvailPageFile);
            return new(new((long)status.TotalPhys), new((long)Math.Min(available, status.TotalPhys)), LimitedByGroup: false);
        }

        [LibraryImport("kernel32.dll")]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static partial bool GlobalMemoryStatusEx(ref MemoryStatus status);

        // The name under which kernel32 exports GetProcessMemoryInfo since Windows 7; psapi.dll need not be loaded.
        [LibraryImport("kernel32.dll")]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static partial bool K32GetProcessMemoryInfo(nint process, ref ProcessCounters counters, uint size);

        // A pseudo handle: nothing to close.
        [LibraryImport("kernel32.dll")]
        private static partial nint GetCurrentProcess();

#pragma warning disable CS0649 // The system fills the fields.

        /// <summary>MEMORYSTATUSEX.</summary>
        internal struct MemoryStatus
        {
            public uint Length;         // bytes of this structure, set before the call
            public uint MemoryLoad;     // percent
            public ulong TotalPhys;     // bytes, as all that follow
            public ulong AvailPhys;     // standby, free and zeroed pages
            public ulong TotalPageFile; // the commit limit of the system or of this process, the smaller
            public ulong AvailPageFile; // what this process may still commit
            public ulong TotalVirtual;
            public ulong AvailVirtual;
            public ulong AvailExtendedVirtual;
        }

        /// <summary>PROCESS_MEMORY_COUNTERS_EX; SIZE_T is as wide as a pointer.</summary>
        internal struct ProcessCounters
        {
            public uint Size;                // bytes of this structure, set before the call
            public uint PageFaultCount;
            public nuint PeakWorkingSetSize; // bytes, as all that follow
            public nuint WorkingSetSize;
            public nuint QuotaPeakPagedPoolUsage;
            public nuint QuotaPagedPoolUsage;
            public nuint QuotaPeakNonPagedPoolUsage;
            public nuint QuotaNonPagedPoolUsage;
            public nuint PagefileUsage;      // always 0 up to Windows 7
            public nuint PeakPagefileUsage;
            public nuint PrivateUsage;       // the commit charge
        }

#pragma warning restore CS0649
    }
}
