// The vocabulary while a model is being trained. In the file it is the sections Symbols, SymbolText and NamesInOrder.
using System.Buffers;
using System.Text;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>Symbols of a corpus, numbered in the order of their first occurrence, with their texts and counts.</summary>
internal sealed class Vocabulary
{
    /// <summary>The id of what is not in the file.</summary>
    public const uint Forgotten = uint.MaxValue;

    private readonly Dictionary<ulong, uint> _ids = [];
    private readonly List<Entry> _entries = [];
    private readonly ArrayBufferWriter<byte> _texts = new(1 << 16);

    public int Count => _entries.Count;

    /// <summary>Counts an occurrence and answers the symbol's number.</summary>
    /// <remarks>A vocabulary that is full counts everything new as withheld.</remarks>
    public uint Observe(ulong hash, TokenKind kind, ReadOnlySpan<char> text, long occurrences = 1)
    {
        if (!_ids.TryGetValue(hash, out var id))
        {
            if (PatternFormat.MaximumSymbols <= _entries.Count)
            {
                return Observe(Symbol.WithheldHash, TokenKind.String, "", occurrences);
            }

            id = (uint)_entries.Count;
            _ids.Add(hash, id);
            var start = _texts.WrittenCount;
            if (hash != Symbol.WithheldHash)
            {
                Encoding.UTF8.GetBytes(kind == TokenKind.Newline ? "\n" : text, _texts);
            }

            _entries.Add(new(hash, kind, (uint)start, _texts.WrittenCount - start, 0));
        }

        var entry = _entries[(int)id];
        _entries[(int)id] = entry with { Occurrences = entry.Occurrences + occurrences };
        return id;
    }

    /// <summary>Every symbol's number and count, in the order of numbers; spaces are left out.</summary>
    public IEnumerable<(uint Symbol, long Occurrences)> Occurrences()
    {
        for (var index = 0; index < _entries.Count; index++)
        {
            if (_entries[index].Kind != TokenKind.Whitespace)
            {
                yield return ((uint)index, _entries[index].Occurrences);
            }
        }
    }

    /// <summary>Writes the vocabulary's sections.</summary>
    /// <param name="leastOccurrences">What occurred less often is left out.</param>
    /// <returns>By number here, the id in the file, or <see cref="Forgotten"/>.</returns>
    public uint[] Write(PatternModelWriter writer, long leastOccurrences = 1)
    {
        int[] byHash = [.. Enumerable.Range(0, _entries.Count).Where(index => leastOccurrences <= _entries[index].Occurrences)];
        Array.Sort(byHash, (left, right) => _entries[left].Hash.CompareTo(_entries[right].Hash));
        var ids = new uint[_entries.Count];
        Array.Fill(ids, Forgotten);
        var symbols = new PatternSymbol[byHash.Length];
        var texts = new ArrayBufferWriter<byte>(Math.Max(1, _texts.WrittenCount));
        var names = new List<uint>();
        for (var id = 0; id < byHash.Length; id++)
        {
            var entry = _entries[byHash[id]];
            ids[byHash[id]] = (uint)id;
            symbols[id] = new(entry.Hash, entry.Kind, (uint)texts.WrittenCount, entry.TextLength, entry.Occurrences);
            texts.Write(_texts.WrittenSpan.Slice((int)entry.TextStart, entry.TextLength));
            if (entry.Kind is TokenKind.Identifier or TokenKind.Keyword && entry.TextLength != 0)
            {
                names.Add((uint)id);
            }
        }

        names.Sort((left, right) => TextOf(texts, symbols[left]).SequenceCompareTo(TextOf(texts, symbols[right])));
        writer.Section<PatternSymbol>(PatternSection.Symbols, symbols);
        writer.Section(PatternSection.SymbolText, texts.WrittenSpan);
        writer.Section<uint>(PatternSection.NamesInOrder, names.ToArray());
        return ids;
    }

    private static ReadOnlySpan<byte> TextOf(ArrayBufferWriter<byte> texts, PatternSymbol symbol) => texts.WrittenSpan.Slice((int)symbol.TextOffset, symbol.TextLength);

    private readonly record struct Entry(ulong Hash, TokenKind Kind, uint TextStart, int TextLength, long Occurrences);
}
