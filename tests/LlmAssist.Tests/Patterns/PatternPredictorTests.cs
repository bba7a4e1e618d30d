using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Patterns;

public class PatternPredictorTests
{
    private static readonly Language Python = Language.ById("python");

    [Theory]
    [InlineData("a = g(x)\nb = f(x)\nc = f(x)\nd = f(x)\ne = f(x)\n", "k = ", "", "f")]
    [InlineData("a = f(x)\nb = g(x)\nc = g(x)\n", "d = ", "", "g f")]
    [InlineData("a = f(x)\nb = g(x)\nc = g(x)\n", "a = ", "", "f")] // the longer context knows better
    [InlineData("a.open()\na.read()\na.read()\na.read()\na.read()\na.read()\na.read()\nb.seek()\n", "x\na.", "", "read open")]
    [InlineData("a.open()\na.read()\na.read()\na.close()\nb.seek()\n", "b.", "", "seek")]
    [InlineData("a.open()\na.read()\na.read()\na.close()\nb.seek()\n", "a.", "c", "close")]
    [InlineData("a.open()\na.read()\na.read()\na.reset()\n", "a.", "res", "reset")]
    [InlineData("a.open()\n", "a.", "x", "")] // nothing begins like that
    [InlineData("a.open()\n", "a.", "open", "open")] // typed to its end
    [InlineData("Total = total\ntotal = 1\n", "x = ", "T", "Total")] // case counts
    [InlineData("", "a = ", "", "")] // nothing learned
    public void RanksWhatFollows(string learned, string before, string typed, string expected) => CheckRanks(learned, before, typed, expected);

    [Fact]
    public void ANameAmongHundredsIsOfferedWhenItsBeginningIsTyped()
    {
        var learned = string.Concat(Enumerable.Range(0, 300).Select(index => $"name{index} = {index}\n{(index % 2 == 0 ? $"use(name{index})\n" : "")}"));
        var names = Over(Learned(learned)).Next(NaiveCounts.SymbolsOf("print(", Python).ToArray(), "name29", 100).Select(answer => answer.Text).ToList();
        Assert.Equal(["name290", "name292", "name294", "name296", "name298"], names.Take(5).Order()); // used twice
        Assert.Equal(["name29", "name291", "name293", "name295", "name297", "name299"], names.Skip(5).Order());
    }

    [Theory]
    [InlineData("f(x)\nf(x)\n", "f", "", "(x)", true)]
    [InlineData("f (x)\nf (x)\n", "f", "", " (x)", true)]
    [InlineData("a = b\na = b\n", "a", "", " = b", true)]
    [InlineData("a=b\na=b\n", "a", "", "=b", true)]
    [InlineData("total = price * count\n", "total = ", "pr", "ice * count", true)]
    [InlineData("total = price * count\n", "total =", "", " price * count", true)]
    [InlineData("if a:\n  f(a)\n", "", "i", "f a:", true)] // stops where the line ends
    public void WalksToTheEndOfTheLine(string learned, string before, string typed, string expected, bool endsLine)
    {
        var predictor = Over(Learned(learned));
        var history = NaiveCounts.SymbolsOf(before, Python).ToArray();
        var line = predictor.Line(history, typed, predictor.Next(history, typed, 1)[0], before.Length == 0 || before[^1] == ' ', 0, static probability => probability);
        Assert.Equal((expected, endsLine), (line.Text, line.EndsLine));
        Assert.InRange(line.Probability, 0, 1);
    }

    [Fact]
    public void AWalkStopsWhereItIsNotSureAnyMore()
    {
        var learned = string.Concat(Enumerable.Range(0, 20).Select(index => $"load(part{index})\n"));
        var predictor = Over(Learned(learned));
        var history = NaiveCounts.SymbolsOf("x = 1\n", Python).ToArray();
        var first = predictor.Next(history, "l", 1)[0];
        Assert.Equal("oad(", predictor.Line(history, "l", first, afterSpace: true, 0.3, static probability => probability).Text);
        Assert.Equal("", predictor.Line(history, "l", first with { Kind = TokenKind.Newline }, afterSpace: true, 0, static probability => probability).Text);
    }

    [Fact]
    public void WhatIsWithheldIsNeverInserted()
    {
        var learned = string.Concat(Enumerable.Repeat($"key = \"{new string('k', 200)}\"\n", 9));
        using var folder = new TempFolder();
        using var model = TinyCorpus.Learn(folder, "keys.py", learned);
        var history = NaiveCounts.SymbolsOf("key = ", Python).ToArray();
        foreach (var source in new IContextSource[] { model, Learned(learned) })
        {
            var predictor = Over(source);
            var next = predictor.Next(history, "", 5);
            Assert.Equal((Symbol.WithheldHash, ""), (next[0].Hash, next[0].Text));
            Assert.Equal("", predictor.Line(history, "", next[0], afterSpace: true, 0, static probability => probability).Text);
            Assert.Empty(predictor.Next(history, "\"", 5));
            Assert.Equal(0, predictor.Rate(history, Symbol.WithheldHash).Rank);
            var before = NaiveCounts.SymbolsOf("\n", Python).ToArray();
            Assert.Equal("key =", predictor.Line(before, "", predictor.Next(before, "k", 1)[0], afterSpace: true, 0, static probability => probability).Text);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ProbabilitiesAreNoMoreThanOne(int seed)
    {
        var random = new Random(seed);
        using var folder = new TempFolder();
        string[] words = ["a", "ab", "abc", "f", "(", ")", ".", "=", "\n", "1", "if", "return"];
        string Some(int count) => string.Concat(Enumerable.Range(0, count).Select(_ => words[random.Next(words.Length)] + " "));
        using var model = TinyCorpus.Learn(folder, "some.py", Some(500) + "\n");
        var predictor = new PatternPredictor([model, model], [Learned(Some(100))], [Learned(Some(50))]);
        for (var round = 0; round < 100; round++)
        {
            var history = NaiveCounts.SymbolsOf(Some(random.Next(9)), Python).ToArray();
            foreach (var typed in new[] { "", "a", "ab", "zz" })
            {
                var all = predictor.Next(history, typed, 1_000);
                Assert.All(all, prediction => Assert.InRange(prediction.Probability, 0, 1));
                Assert.All(all, prediction => Assert.StartsWith(typed, prediction.Text, StringComparison.Ordinal));
                Assert.InRange(all.Sum(prediction => prediction.Probability), 0, 1 + 1e-9);
                Assert.Equal(all.OrderByDescending(prediction => prediction.Probability), all);
                Assert.Equal(all.Take(3), predictor.Next(history, typed, 3));
            }

            var ranked = predictor.Next(history, "", 1_000);
            for (var rank = 1; rank <= ranked.Count; rank++)
            {
                var (rated, probability) = predictor.Rate(history, ranked[rank - 1].Hash);
                Assert.InRange(rated, 1, rank); // equals share a rank
                Assert.Equal(ranked[rank - 1].Probability, probability, 1e-12);
            }
        }
    }

    [Fact]
    public void EveryFamilyContributes()
    {
        var predictor = new PatternPredictor([Learned("x.far()\n")], [Learned("x.near()\n")], [Learned("x.here()\n")]);
        var names = predictor.Next(NaiveCounts.SymbolsOf("x.", Python).ToArray(), "", 3).Select(answer => answer.Text);
        Assert.Equal(["far", "here", "near"], names.Order());
    }

    [Fact]
    public void AWalkInCirclesEnds()
    {
        var predictor = Over(Learned("x = 1")); // no line end was ever seen
        var line = predictor.Line([], "", predictor.Next([], "", 1)[0], afterSpace: true, 0, static probability => probability);
        Assert.Equal((40, false), (line.Symbols, line.EndsLine));
    }

    // Names alone are compared; brackets and line ends compete with them but are not the question.
    private static void CheckRanks(string learned, string before, string typed, string expected)
    {
        using var folder = new TempFolder();
        var history = NaiveCounts.SymbolsOf(learned + before, Python).ToArray();
        var answers = Over(Learned(learned)).Next(history, typed, 100);
        var names = answers.Where(answer => answer.Kind is TokenKind.Identifier or TokenKind.Keyword).Select(answer => answer.Text);
        Assert.Equal(expected, string.Join(' ', names.Take(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length)));
        if (expected.Length == 0)
        {
            Assert.Empty(answers);
        }
    }

    private static PatternPredictor Over(IContextSource source) => new([], [], [source]);

    private static IContextSource Learned(string text)
    {
        var counts = new DocumentCounts();
        var tokens = new List<Token>();
        Lexer.Tokenize(text, Python, tokens);
        counts.Update(text, tokens);
        return counts.Source;
    }
}
