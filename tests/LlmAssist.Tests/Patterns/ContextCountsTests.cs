using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Patterns;

public class ContextCountsTests
{
    [Theory]
    [InlineData(1, 40, 8, false)]
    [InlineData(2, 3, 300, false)] // more successors than a trained model keeps
    [InlineData(3, 5_000, 4, false)] // grows and rehashes
    [InlineData(4, 200, 6, true)] // all contexts begin to probe at the same slot
    public void CountsLikeADictionary(int seed, int contexts, int symbols, bool collide)
    {
        var random = new Random(seed);
        var counts = new ContextCounts();
        var naive = new NaiveCounts();
        var live = new List<(ulong Context, uint Symbol)>();
        for (var step = 0; step < 10_000; step++)
        {
            // Grows at first, shrinks at the end, so that slots and blocks are freed and used again.
            if (live.Count == 0 || random.Next(100) < (step < 6_000 ? 65 : 30))
            {
                var number = (ulong)random.Next(1, contexts + 1);
                var context = collide ? number << 52 : SymbolHash.Finish(number);
                var id = (uint)random.Next(random.Next(1, symbols + 1)); // small ids more often
                Assert.Equal(counts.Intern(id + 1UL, TokenKind.Identifier, $"name{id}"), counts.Intern(id + 1UL, TokenKind.Identifier, ""));
                var symbol = counts.Intern(id + 1UL, TokenKind.Identifier, $"name{id}");
                counts.Add(context, symbol);
                naive.Add(context, counts.HashOf(symbol));
                live.Add((context, symbol));
            }
            else
            {
                var index = random.Next(live.Count);
                var (context, symbol) = live[index];
                live[index] = live[^1];
                live.RemoveAt(live.Count - 1);
                counts.Remove(context, symbol);
                naive.Add(context, counts.HashOf(symbol), -1);
            }

            if (step % 500 == 0)
            {
                naive.CheckAgainst(counts, naive.AllContexts());
            }
        }

        naive.CheckAgainst(counts, naive.AllContexts());
        foreach (var (context, symbol) in live)
        {
            counts.Remove(context, symbol);
        }

        new NaiveCounts().CheckAgainst(counts, naive.AllContexts());
    }

    [Theory]
    [InlineData(1, 1)] // never added
    [InlineData(2, 1)] // the context is there, the symbol is not
    [InlineData(3, 9)]
    public void ReportsARemovalOfWhatWasNeverAdded(ulong context, uint symbol)
    {
        var counts = new ContextCounts();
        counts.Add(2UL << 32, 0);
        counts.Add(3UL << 32, 0);
        counts.Add(3UL << 32, 1);
        Assert.Throws<InvalidOperationException>(() => counts.Remove(context << 32, symbol));
    }
}
