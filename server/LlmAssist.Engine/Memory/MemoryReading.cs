// What a probe found at one moment: plain numbers, no machine. What could not be found is null and said in words.
namespace LlmAssist.Engine.Memory;

/// <summary>The memory that this process may use together with its neighbors.</summary>
/// <param name="Total">
/// Physical memory, or the smallest limit of the control groups (containers, systemd slices) around this process; above zero.
/// </param>
/// <param name="Available">
/// What new programs could use without pushing others into swap, as the system estimates it, or what the tightest control
/// group leaves, whichever is smaller; from zero to <paramref name="Total"/>.
/// </param>
/// <param name="LimitedByGroup">Whether a control group is smaller than the machine and made the figures smaller.</param>
public readonly record struct SystemMemory(ByteSize Total, ByteSize Available, bool LimitedByGroup)
{
    public ByteSize Used => Total - Available;

    /// <summary>0 to 100.</summary>
    public double UsedPercent => 100 * (Used / Total);
}

/// <summary>The memory of our own process.</summary>
/// <param name="Resident">
/// Bytes in RAM, mapped model files included; pages shared with other processes count in full.
/// </param>
/// <param name="Private">
/// Bytes that nobody else could share and that go away with the process: anonymous resident memory on Linux, committed
/// private bytes on Windows, the physical footprint on macOS.
/// </param>
public readonly record struct ProcessMemory(ByteSize Resident, ByteSize Private);

/// <summary>The memory of the machine and of this process at one moment.</summary>
/// <param name="System">Null when the system does not tell.</param>
/// <param name="Process">Null when the system does not tell.</param>
/// <param name="Missing">One sentence for each null, with the reason and what to do; empty when all is known.</param>
public sealed record MemoryReading(SystemMemory? System, ProcessMemory? Process, IReadOnlyList<Phrase> Missing)
{
    /// <summary>How much the system waits for memory; null where it does not tell (anything but Linux with PSI).</summary>
    public MemoryPressure? Pressure { get; init; }
}
