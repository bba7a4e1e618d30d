// What the windows of a machine remember together. Plain data, compared by content.
using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Globalization;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Engine.Sharing;

/// <summary>A load that one of our windows or the command line has made.</summary>
/// <param name="Key">What was loaded, as its maker tells it from other loads.</param>
/// <param name="Bytes">What it takes.</param>
/// <param name="ContextTokens">The context it was loaded with.</param>
/// <param name="At">When it was loaded.</param>
/// <param name="LastUsed">When it was last used.</param>
/// <param name="KeepAlive">How long it stays after a use; negative for ever, null if that was left to the server.</param>
public sealed record LoadNote(string Key, ByteSize Bytes, int ContextTokens, DateTimeOffset At, DateTimeOffset LastUsed, TimeSpan? KeepAlive);

/// <summary>What a load was seen to take.</summary>
/// <param name="Ram">Of the machine's memory.</param>
/// <param name="Vram">Of the graphics card's.</param>
/// <param name="At">When.</param>
public sealed record SizeNote(ByteSize Ram, ByteSize Vram, DateTimeOffset At);

/// <summary>What windows remember together. Compared by content; what was given to it must not be changed afterwards.</summary>
public sealed record Notes
{
    /// <summary>How many sizes are remembered: the newest.</summary>
    public const int MostSizes = 200;

    /// <summary>Models that the user has pinned.</summary>
    public IReadOnlySet<ModelId> Pinned { get; init; } = ImmutableHashSet<ModelId>.Empty;

    /// <summary>The loads that were made by us: whether a model in memory is ours, and all there is to know about servers that do not tell what runs.</summary>
    public IReadOnlyDictionary<ModelId, LoadNote> Loads { get; init; } = ReadOnlyDictionary<ModelId, LoadNote>.Empty;

    /// <summary>What loads were seen to take, by <see cref="SizeKey"/>; after a change at most <see cref="MostSizes"/>.</summary>
    public IReadOnlyDictionary<string, SizeNote> Sizes { get; init; } = ReadOnlyDictionary<string, SizeNote>.Empty;

    /// <summary>The key of a model's size with a context: <c>DIGEST@TOKENS</c>.</summary>
    public static string SizeKey(string digest, int contextTokens) => string.Create(CultureInfo.InvariantCulture, $"{digest}@{contextTokens}");

    public bool Equals(Notes? other) =>
        other is not null && Pinned.SetEquals(other.Pinned) && Contents.Same(Loads, other.Loads) && Contents.Same(Sizes, other.Sizes);

    public override int GetHashCode() => HashCode.Combine(Pinned.Count, Loads.Count, Sizes.Count);
}

/// <summary>Reads lists of ids.</summary>
internal static class ModelNames
{
    /// <summary>Those that name a model.</summary>
    public static IEnumerable<ModelId> Known(IEnumerable<string?>? texts)
    {
        foreach (var text in texts ?? [])
        {
            if (ModelId.TryParse(text, out var id))
            {
                yield return id;
            }
        }
    }
}
