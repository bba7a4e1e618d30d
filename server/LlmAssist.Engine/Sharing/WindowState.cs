// What a window tells the other windows. Plain data, compared by content.
using System.Collections.ObjectModel;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Engine.Sharing;

/// <summary>What a window does with models. Compared by content; what was given to it must not be changed afterwards.</summary>
public sealed record WindowState
{
    /// <summary>When this window last used a model.</summary>
    public IReadOnlyDictionary<ModelId, DateTimeOffset> Uses { get; init; } = ReadOnlyDictionary<ModelId, DateTimeOffset>.Empty;

    /// <summary>Models that this window's settings want to stay, in any order.</summary>
    public IReadOnlyList<ModelId> Pinned { get; init; } = [];

    /// <summary>Pattern models that it has mapped, and what they take.</summary>
    public IReadOnlyList<ModelShare> Patterns { get; init; } = [];

    public bool Equals(WindowState? other) =>
        other is not null && Contents.Same(Uses, other.Uses) && Pinned.SequenceEqual(other.Pinned) && Patterns.SequenceEqual(other.Patterns);

    public override int GetHashCode() => HashCode.Combine(Uses.Count, Pinned.Count, Patterns.Count);
}

/// <summary>Compares collections by what is in them.</summary>
internal static class Contents
{
    public static bool Same<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> left, IReadOnlyDictionary<TKey, TValue> right) =>
        left.Count == right.Count && left.All(pair => right.TryGetValue(pair.Key, out var value) && EqualityComparer<TValue>.Default.Equals(value, pair.Value));
}
