// The layout of a .pattern file, in one place. Reading is PatternModel, writing is PatternModelWriter.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// The layout of a pattern model file. Little-endian; refused on machines that are not.
/// </summary>
/// <remarks>
/// <code>
///   0  magic            8 bytes   "LLMPAT\r\n"; "UNFINISH" while the file is being written
///   8  version          uint32
///  12  section count    uint32
///  16  file length      uint64    a truncated file is recognized without reading it
///  24  header checksum  uint32    CRC-32C of bytes 0..64 (this field as zero) and of the section table
///  28  reserved         36 bytes, zero
///  64  section table    32 bytes a section: kind u32, element size u32, offset u64, count u64, CRC-32C u32, reserved u32
///      sections         each at a multiple of 64, at most 2 GiB, in any order; unknown kinds are ignored
/// </code>
/// A section kind is never reused for other contents. A change that old readers would misread raises <see cref="Version"/>;
/// a new optional section does not.
/// </remarks>
internal static class PatternFormat
{
    /// <summary>Read as a little-endian number: the eight bytes "LLMPAT\r\n". CR LF reveals a file mangled by a text transfer.</summary>
    public static readonly ulong Magic = BitConverter.ToUInt64("LLMPAT\r\n"u8);

    /// <summary>Written first, replaced last.</summary>
    public static readonly ulong UnfinishedMagic = BitConverter.ToUInt64("UNFINISH"u8);

    /// <summary>Readers accept exactly this version.</summary>
    public const uint Version = 2;

    public const int HeaderLength = 64;
    public const int SectionRecordLength = 32;
    public const int Alignment = 64;

    /// <summary>More than any version of ours writes; bounds what a damaged header can make a reader do.</summary>
    public const int MaximumSections = 64;

    /// <summary>Ids of symbols have 24 bits; the top 256 are kept for symbols that mean something else than a text.</summary>
    public const int MaximumSymbols = (1 << 24) - 256;

    /// <summary>
    /// Where contexts rename rare symbols, what follows is counted by its number among the rare symbols before it, the nearest being 0:
    /// as this plus the number.
    /// </summary>
    public const uint FirstSlotSymbol = MaximumSymbols;

    /// <summary>How many successors of one context are kept, the most frequent first.</summary>
    public const int MaximumSuccessors = 64;

    /// <summary>Share of slots in use; linear probing needs air.</summary>
    public const double SlotLoad = 0.75;

    /// <summary>CRC-32C (Castagnoli) of <paramref name="bytes"/>, continuing from <paramref name="seed"/>.</summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes, uint seed = 0)
    {
        var crc = ~seed;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (var tail in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, tail);
        }

        return ~crc;
    }
}

/// <summary>What a section holds. The numbers are part of the format.</summary>
internal enum PatternSection : uint
{
    /// <summary><see cref="PatternSlot"/>s, the contexts: ordered by hash, linear probing, never wrapping around.</summary>
    Slots = 1,

    /// <summary><see cref="PatternEntry"/>s, the successors of contexts that have more than one.</summary>
    Entries = 2,

    /// <summary><see cref="PatternSymbol"/>s in ascending order of hash; a symbol's id is its index here.</summary>
    Symbols = 3,

    /// <summary>UTF-8 texts of the symbols, back to back.</summary>
    SymbolText = 4,

    /// <summary>Ids (uint32) of the symbols that are names, in ordinal order of their UTF-8 text, for look-up by prefix.</summary>
    NamesInOrder = 5,

    /// <summary>Statistics, UTF-8 JSON: <see cref="PatternStatistics"/>.</summary>
    Statistics = 6,

    /// <summary>Training parameters, UTF-8 JSON: <see cref="PatternParameters"/>.</summary>
    Parameters = 7,

    /// <summary>Where the model comes from, UTF-8 JSON: <see cref="PatternProvenance"/>.</summary>
    Provenance = 8,

    /// <summary>The files learned from, UTF-8 JSON lines: one <see cref="LearnedFile"/> a line.</summary>
    LearnedFiles = 9,

    /// <summary>Kept for weights of a learned mixture.</summary>
    MixerWeights = 10,

    /// <summary>Kept for symbol vectors.</summary>
    Vectors = 11,
}

/// <summary>
/// One context and what follows it, in eight bytes. The upper half of the context's hash says where the slot lies, the
/// lower half is its check. All zero means empty.
/// </summary>
/// <remarks>
/// Value: bit 31 clear, one successor: bits 24–30 its count (saturating at 127), bits 0–23 its symbol.
/// Bit 31 set, several: bits 0–30 the index of a header entry (total, distinct), followed by the successors.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PatternSlot(uint Check, uint Value)
{
    public const int MaximumSingleCount = 127;
    private const uint Several = 1u << 31;

    public bool IsEmpty => Check == 0 && Value == 0;

    public bool IsSingle => (Value & Several) == 0;

    public uint SingleSymbol => Value & 0xFF_FFFF;

    public uint SingleCount => Value >> 24;

    public uint EntryIndex => Value & ~Several;

    public static PatternSlot OfSingle(ulong context, uint symbol, uint count) =>
        new((uint)context, (Math.Min(count, MaximumSingleCount) << 24) | symbol);

    public static PatternSlot OfSeveral(ulong context, uint entryIndex) => new((uint)context, Several | entryIndex);

    /// <summary>Where the search for <paramref name="context"/> begins in a table made for <paramref name="capacity"/> slots.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Home(ulong context, uint capacity) => (int)(((context >> 32) * capacity) >> 32);
}

/// <summary>
/// A successor and how often it followed. As the header of a list: how often the context occurred, and how many different
/// successors it had.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PatternEntry(uint Symbol, uint Count)
{
    public uint Total => Symbol;

    public uint Distinct => Count;
}

/// <summary>A symbol: its hash, where its text begins, and how often it occurred in training.</summary>
/// <param name="Hash"><see cref="SymbolHash.Of"/> its text.</param>
/// <param name="KindAndOffset">Bits 0–31 the offset of its text; bits 32–39 its <see cref="Text.TokenKind"/>; bits 40–63 the text's length in bytes.</param>
/// <param name="Count">Occurrences in the training corpus.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PatternSymbol(ulong Hash, ulong KindAndOffset, ulong Count)
{
    public PatternSymbol(ulong hash, Text.TokenKind kind, uint textOffset, int textLength, long count)
        : this(hash, textOffset | ((ulong)kind << 32) | ((ulong)textLength << 40), (ulong)count)
    {
    }

    public uint TextOffset => (uint)KindAndOffset;

    public Text.TokenKind Kind => (Text.TokenKind)(byte)(KindAndOffset >> 32);

    public int TextLength => (int)(KindAndOffset >> 40);
}

/// <summary>A row of the section table.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct SectionRecord(uint Kind, uint ElementSize, ulong Offset, ulong Count, uint Checksum, uint Reserved);
