using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Patterns;

public class PassageTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void GoesOnAndBack(int seed)
    {
        var random = new Random(seed);
        var passage = new Passage();
        var naive = new List<Symbol>();
        for (var step = 0; step < 2_000; step++)
        {
            switch (random.Next(100))
            {
                case 0:
                    naive = [.. Enumerable.Range(0, random.Next(20)).Select(_ => Some(random))];
                    passage.Restart(naive.ToArray());
                    break;
                case < 45 when 0 < naive.Count:
                    naive.RemoveAt(naive.Count - 1);
                    passage.TakeBack();
                    break;
                default:
                    naive.Add(Some(random));
                    passage.Append(naive[^1]);
                    break;
            }

            Assert.Equal(naive, passage.Symbols.ToArray());
            for (var hash = 1UL; hash <= 10; hash++)
            {
                var occurrence = passage.Of(hash);
                Assert.Equal(naive.Count(symbol => symbol.Hash == hash), occurrence.Count);
                Assert.True(occurrence.Count == 0 || naive.FindLastIndex(symbol => symbol.Hash == hash) == occurrence.Last);
            }
        }
    }

    private static Symbol Some(Random random) => new((ulong)random.Next(1, 10), TokenKind.Identifier, 0, 1, SymbolTraits.Of(TokenKind.Identifier, "a"));
}
