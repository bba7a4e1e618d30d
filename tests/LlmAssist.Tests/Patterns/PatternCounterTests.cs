using LlmAssist.Engine.Patterns;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Patterns;

public class PatternCounterTests
{
    [Theory]
    [InlineData(1, 20_000, 300, 40, long.MaxValue, 1 << 21)] // one run, in memory
    [InlineData(2, 20_000, 300, 40, long.MaxValue, 512)] // many runs, in memory
    [InlineData(3, 20_000, 300, 40, 0, 512)] // everything spilled
    [InlineData(4, 20_000, 20_000, 3, 20_000, 1_000)] // some of both
    [InlineData(5, 5_000, 1, 5_000, 0, 64)] // one context
    [InlineData(7, 5_000, 1, 2, 0, 64)] // so often the same that nothing has to be sorted
    [InlineData(8, 300_000, 100_000, 3, 0, 4_096)] // more than is summed up on the way
    [InlineData(6, 0, 1, 1, 0, 64)] // nothing at all
    public void CountsLikeADictionary(int seed, int pairs, int contexts, int symbols, long allowance, int buffer)
    {
        using var folder = new TempFolder();
        using (var counter = new PatternCounter(folder.Path, allowance, buffer))
        {
            var random = new Random(seed);
            var expected = new SortedDictionary<(ulong Context, uint Symbol), uint>();
            for (var pair = 0; pair < pairs; pair++)
            {
                var number = (ulong)random.Next(contexts);

                // A third of the contexts differ in their lowest bits only, which the digits of the sort do not reach.
                var key = (number % 3 == 0 ? 0xABCD_0000_0000_0000 + number : SymbolHash.Finish(number), (uint)random.Next(symbols));
                var count = random.Next(10) == 0 ? (uint)random.Next(1, 1_000) : 1;
                counter.Add(key.Item1, key.Item2, count);
                expected[key] = expected.GetValueOrDefault(key) + count;
            }

            Assert.Equal(expected.Values.Sum(count => count), counter.Observed);
            Check(counter, expected);
            Check(counter, expected); // another pass
            if (allowance == 0 && buffer < expected.Count)
            {
                Assert.NotEmpty(Directory.EnumerateFiles(folder.Path));
            }
        }

        Assert.Empty(Directory.EnumerateFiles(folder.Path));
    }

    [Fact]
    public void ACanceledMergeLeavesNothing()
    {
        using var folder = new TempFolder();
        using (var counter = new PatternCounter(folder.Path, 0, 1 << 12))
        {
            for (var index = 0UL; index < 200_000; index++)
            {
                counter.Add(SymbolHash.Finish(index), 1);
            }

            Assert.Throws<OperationCanceledException>(() => counter.Merge((_, _, _) => { }, new CancellationToken(canceled: true)));
        }

        Assert.Empty(Directory.EnumerateFiles(folder.Path));
    }

    private static void Check(PatternCounter counter, SortedDictionary<(ulong Context, uint Symbol), uint> expected)
    {
        var merged = new List<KeyValuePair<(ulong, uint), uint>>();
        counter.Merge(
            (context, total, successors) =>
            {
                var sum = 0u;
                foreach (var successor in successors)
                {
                    merged.Add(new((context, successor.Symbol), successor.Count));
                    sum += successor.Count;
                }

                Assert.Equal(sum, total);
            },
            CancellationToken.None);
        Assert.Equal(expected, merged); // the order too: ascending by context, then by symbol
    }
}
