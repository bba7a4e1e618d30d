// Hashes that are part of the file format: they must be the same on every machine, for ever.
using System.Runtime.CompilerServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// Hashes of symbols and contexts. Contexts are built from the hashes of texts, not from vocabulary numbers, so that the same
/// context has the same hash in every model and in the open documents.
/// </summary>
internal static class SymbolHash
{
    /// <summary>The hash of a text: FNV-1a over its UTF-16 code units, then the finalizer of MurmurHash3 (64 bits).</summary>
    public static ulong Of(ReadOnlySpan<char> text)
    {
        var hash = 14695981039346656037UL;
        foreach (var unit in text)
        {
            hash = (hash ^ unit) * 1099511628211UL;
        }

        return Finish(hash);
    }

    /// <summary>Adds <paramref name="value"/> to a running hash; the order of additions matters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Add(ulong hash, ulong value)
    {
        var mixed = (hash ^ (value + 0x9E3779B97F4A7C15UL)) * 0xFF51AFD7ED558CCDUL;
        return mixed ^ (mixed >> 32);
    }

    /// <summary>The finalizer of MurmurHash3: spreads every bit over all 64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Finish(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDUL;
        hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53UL;
        return hash ^ (hash >> 33);
    }
}
