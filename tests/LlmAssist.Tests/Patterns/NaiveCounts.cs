// The most naive counts that can be right: a dictionary. What every table of contexts is compared with.
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Patterns;

/// <summary>Counts of (context, hash of successor).</summary>
internal sealed class NaiveCounts : Dictionary<(ulong Context, ulong Symbol), int>
{
    /// <summary>Counts a text; of symbols with an index in [skipFirst, skipBeyond) only the part in others' contexts.</summary>
    public NaiveCounts Add(string text, Language language, int skipFirst = 0, int skipBeyond = 0)
    {
        var symbols = SymbolsOf(text, language).ToArray();
        var view = new ContextView();
        var contexts = new ulong[Contexts.Kinds];
        var spacing = new ulong[Contexts.SpacingKinds];
        for (var index = 0; index < symbols.Length; index++)
        {
            view.Read(symbols.AsSpan(0, index));
            Contexts.Fill(view, contexts);
            if (skipFirst <= index && index < skipBeyond)
            {
                continue;
            }

            for (var kind = 0; kind < contexts.Length; kind++)
            {
                var slot = symbols[index].Traits.IsCommon ? -1 : view.Slots.IndexOf(symbols[index].Hash);
                Add(contexts[kind], 0 <= slot && Contexts.All[kind].IsRenamed ? SlotHash((uint)slot) : symbols[index].Hash);
            }

            if (SymbolSequence.TryGetSpace(text, symbols, index, out var space))
            {
                SymbolSequence.FillSpacing(symbols, index, spacing);
                foreach (var context in spacing)
                {
                    Add(context, Symbol.SpaceHash(space));
                }
            }
        }

        return this;
    }

    /// <summary>Stands here for a successor that is counted by its number.</summary>
    public static ulong SlotHash(uint slot) => SymbolHash.Finish(1 + slot);

    public void Add(ulong context, ulong symbol, int count = 1) => this[(context, symbol)] = this.GetValueOrDefault((context, symbol)) + count;

    /// <summary>
    /// Holds a source against these counts: for each of <paramref name="contexts"/> the same successors with the same counts, most frequent
    /// first, and the same totals.
    /// </summary>
    /// <param name="source">What is tested.</param>
    /// <param name="contexts">Contexts to look at; those that are not counted here must be unknown there.</param>
    /// <param name="kept">How many successors of a context the source keeps.</param>
    public void CheckAgainst(IContextSource source, IEnumerable<ulong> contexts, int kept = int.MaxValue)
    {
        var expected = this.Where(pair => pair.Value != 0).ToLookup(pair => pair.Key.Context, pair => (pair.Key.Symbol, pair.Value));
        PatternEntry single = default;
        foreach (var context in contexts)
        {
            var found = source.Find(context, ref single);
            var counts = expected[context].ToDictionary(pair => pair.Symbol, pair => (uint)pair.Value);
            Assert.Equal((uint)counts.Values.Sum(count => count), found.Total);
            Assert.Equal((uint)counts.Count, found.Distinct);
            Assert.Equal(Math.Min(kept, counts.Count), found.Entries.Length);
            var least = uint.MaxValue;
            foreach (var entry in found.Entries)
            {
                Assert.True(entry.Count <= least, "Not the most frequent first.");
                least = entry.Count;
                var hash = PatternFormat.FirstSlotSymbol <= entry.Symbol ? SlotHash(entry.Symbol - PatternFormat.FirstSlotSymbol) : source.HashOf(entry.Symbol);
                Assert.True(counts.Remove(hash, out var count) && count == entry.Count, $"Counted {entry.Count}, expected {count}.");
            }

            Assert.True(counts.Values.All(count => count <= least), "A more frequent successor was left out.");
        }
    }

    /// <summary>The contexts counted here.</summary>
    public HashSet<ulong> AllContexts() => [.. Keys.Select(key => key.Context)];

    public static List<Symbol> SymbolsOf(string text, Language language)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text, language, tokens);
        var symbols = new List<Symbol>();
        SymbolSequence.Read(text, tokens, symbols);
        return symbols;
    }
}
