// Memory on Linux: /proc and the control groups around us. The texts' meaning is in LinuxMemoryText.
namespace LlmAssist.Engine.Memory;

public static partial class MemoryProbe
{
    internal sealed class Linux : IMemoryProbe
    {
        // meminfo and a memory.stat have about 2 KB; what lies beyond the buffer is not looked at.
        private const int BufferSize = 8192;

        private readonly string _meminfo;
        private readonly string _statm;
        private readonly string? _pressure;      // null where the kernel does not tell
        private readonly GroupFiles[] _groups;   // innermost first
        private readonly Phrase _noSystem;
        private readonly Phrase _noProcess;

        /// <summary>
        /// The machine whose /proc and /sys lie under <paramref name="root"/>. Which groups surround us is found out here,
        /// once: their limits may change while we run, the groups themselves do not.
        /// </summary>
        public Linux(string root = "/")
        {
            var prefix = root.TrimEnd('/');
            _meminfo = prefix + "/proc/meminfo";
            _statm = prefix + "/proc/self/statm";
            _noSystem = NoSystem(_meminfo);
            _noProcess = NoProcess(_statm);
            _groups = LinuxMemoryText.Groups(LinuxFile.TextOf(prefix + "/proc/self/cgroup"), LinuxFile.TextOf(prefix + "/proc/self/mountinfo"))
                .Select(group => GroupFiles.Of(prefix, group))
                .Where(files => File.Exists(files.Limits[0]))
                .ToArray();
            _pressure = Telling(prefix + "/proc/pressure/memory");
        }

        public MemoryReading Read()
        {
            Span<byte> buffer = stackalloc byte[BufferSize];
            var pressure = _pressure;
            var system = LinuxMemoryText.Machine(LinuxFile.BytesOf(_meminfo, buffer));
            if (system is { Total: var physical })
            {
                foreach (var group in _groups)
                {
                    var isFirst = !system.Value.LimitedByGroup;
                    system = Within(group, physical, system.Value, buffer);

                    // Where a group limits us, its tasks may wait while the machine has plenty.
                    pressure = isFirst && system.Value.LimitedByGroup ? group.Pressure ?? pressure : pressure;
                }
            }

            var process = LinuxMemoryText.Process(LinuxFile.BytesOf(_statm, buffer), Environment.SystemPageSize);
            return ReadingOf(system, process, _noSystem, _noProcess) with
            {
                Pressure = pressure is null ? null : LinuxMemoryText.Pressure(LinuxFile.BytesOf(pressure, buffer)),
            };
        }

        // Without PSI the file is missing, or is there and cannot be read; neither changes while the machine runs, and finding it
        // out at every reading would cost an exception.
        private static string? Telling(string path)
        {
            Span<byte> buffer = stackalloc byte[BufferSize];
            return File.Exists(path) && LinuxMemoryText.Pressure(LinuxFile.BytesOf(path, buffer)) is not null ? path : null;
        }

        // What is left of the memory found so far inside one more group.
        private static SystemMemory Within(GroupFiles group, ByteSize physical, SystemMemory found, Span<byte> buffer)
        {
            var limit = long.MaxValue;
            foreach (var file in group.Limits)
            {
                limit = Math.Min(limit, LinuxMemoryText.Limit(LinuxFile.BytesOf(file, buffer)) ?? long.MaxValue);
            }

            // Most groups have no limit, or one beyond the machine; theirs is not worth two more files.
            if (physical.Bytes <= limit)
            {
                return found;
            }

            var used = LinuxMemoryText.Usage(LinuxFile.BytesOf(group.Usage, buffer)) ?? 0;
            var droppable = LinuxMemoryText.InactiveFile(LinuxFile.BytesOf(group.Stat, buffer), group.Unified);
            var left = Math.Clamp(limit - Math.Max(0, used - droppable), 0, limit);
            return new(
                ByteSize.Min(found.Total, new(limit)),
                ByteSize.Min(found.Available, new(left)),
                LimitedByGroup: true);
        }

        private sealed record GroupFiles(string[] Limits, string Usage, string Stat, string? Pressure, bool Unified)
        {
            public static GroupFiles Of(string prefix, MemoryGroup group)
            {
                var folder = prefix + group.Folder;

                // memory.high does not kill, but beyond it the kernel slows a group down until it gives memory back.
                return group.Unified
                    ? new([folder + "/memory.max", folder + "/memory.high"], folder + "/memory.current", folder + "/memory.stat", Telling(folder + "/memory.pressure"), true)
                    : new([folder + "/memory.limit_in_bytes"], folder + "/memory.usage_in_bytes", folder + "/memory.stat", null, false);
            }
        }
    }
}
