// What models may take, as arithmetic on a reading and the settings.
namespace LlmAssist.Engine.Memory;

/// <summary>What models may take of the machine at one moment.</summary>
/// <param name="Limit">What all models together may take: above it, models are taken out.</param>
/// <param name="Available">What the machine has left; null if it does not tell, and then only the limit counts.</param>
/// <param name="Reserve">What must be left after a load, for the user's other programs.</param>
public sealed record MemoryBudget(ByteSize Limit, ByteSize? Available, ByteSize Reserve)
{
    // One mark only, and models would come and go around it.
    private const double LowShare = 0.9;
    private const double ReserveShare = 1.0 / 16;

    private static readonly ByteSize LeastReserve = ByteSize.MiB(512);
    private static readonly ByteSize MostReserve = ByteSize.GiB(2);

    /// <summary>Presets of the limit by name, and the machine that each is made for, by its memory.</summary>
    public static IReadOnlyList<(string Name, ByteSize Limit, ByteSize Machine)> Presets { get; } =
    [
        ("low", ByteSize.GiB(2), ByteSize.GiB(8)),
        ("medium", ByteSize.GiB(6), ByteSize.GiB(16)),
        ("high", ByteSize.GiB(12), ByteSize.GiB(32)),
        ("veryHigh", ByteSize.GiB(24), ByteSize.GiB(64)),
    ];

    /// <summary>Where taking out stops: 90 % of <see cref="Limit"/>.</summary>
    public ByteSize LowMark => Limit * LowShare;

    /// <summary>Below this much available memory models are taken out: half the reserve, so that what was just let in is not taken out again.</summary>
    public ByteSize Scarce => Reserve * 0.5;

    /// <summary>Which models may be taken out.</summary>
    public EvictionScope Scope { get; init; }

    /// <summary>How much the system waits for memory; null if it does not tell.</summary>
    public MemoryPressure? Pressure { get; init; }

    /// <summary>The budget that follows from a reading. The reserve is a sixteenth of the machine's memory, at least 512 MiB and at most 2 GiB.</summary>
    public static MemoryBudget Of(MemoryReading reading, ByteSize limit, EvictionScope scope) => new(
        limit,
        reading.System?.Available,
        reading.System is { } system ? ByteSize.Min(MostReserve, ByteSize.Max(LeastReserve, system.Total * ReserveShare)) : ByteSize.Zero)
    {
        Scope = scope,
        Pressure = reading.Pressure,
    };

    /// <summary>The preset that suits a machine: the largest that is no more than half of its memory, and the smallest for machines below.</summary>
    public static string PresetFor(ByteSize total) =>
        Presets.LastOrDefault(preset => preset.Limit <= total * 0.5, Presets[0]).Name;
}
