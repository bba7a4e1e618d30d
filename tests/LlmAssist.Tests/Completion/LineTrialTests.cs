// Lines with their end hidden: which places are asked, and how answers are counted.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Completion;

public sealed class LineTrialTests
{
    // Every '|' is a place worth asking at.
    [Theory]
    [InlineData("total |= |price |* count\n")]
    [InlineData("x |= 12345\n")]
    [InlineData("x = 12\n")]
    [InlineData("value = compute() # the sum\n")]
    [InlineData("# nothing but a comment here\n")]
    [InlineData("\n    return |self|.|total_price\n\n")]
    public void AsksBetweenTokensOfCode(string marked)
    {
        var code = marked.Replace("|", "", StringComparison.Ordinal);
        var places = HiddenLine.In(FileOf("a.py"), new(code), seed: 1).Select(place => place.Offset).Order();
        Assert.Equal(marked, places.Reverse().Aggregate(code, (text, place) => text.Insert(place, "|")));
    }

    [Fact]
    public void HidesTheRestOfTheLineOnly()
    {
        var hidden = new HiddenLine(FileOf("a.py"), new("one = 1\ntotal = price  \nlast = 3\n"), 16);
        Assert.Equal(("total = ", "price"), (hidden.Before, hidden.Actual));
        var query = hidden.Query("shop", isExplicit: true);
        Assert.Equal("one = 1\ntotal = \nlast = 3\n", query.Text.Content);
        Assert.Equal((16, "a.py", "shop"), (query.Offset, query.Path, query.Repository));
    }

    [Fact]
    public void SamplesTheSamePlacesForASeedAndSpreadsThem()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "a.py", "b.py", "c.py" })
        {
            File.WriteAllText(Path.Combine(folder.Path, name), string.Concat(Enumerable.Range(0, 30).Select(number => $"total_{number} = price_{number} * count\n")));
        }

        var files = CorpusWalker.Walk([folder.Path], new(), CancellationToken.None).Files;
        var (first, again, other) = (Sample(7, 1), Sample(7, 1), Sample(7, 2));
        Assert.Equal(7, first.Count);
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Equal([2, 2, 3], first.GroupBy(place => place.File).Select(group => group.Count()).Order());

        // File by file: what was left is not come back to.
        Assert.Equal(3, first.Zip(first.Skip(1)).Count(pair => pair.First.File != pair.Second.File) + 1);
        Assert.Equal(["a.py", "b.py"], Sample(2, 1).Concat(Sample(3, 1)).Select(place => place.File).Distinct().Order().Take(2));

        List<(string File, int Offset)> Sample(int count, int seed) =>
            [.. HiddenLine.Sample(files, count, seed, CancellationToken.None).Select(place => (place.File.RelativePath, place.Offset))];
    }

    // What was said ('-' for nothing) against what the line has: shown, exact, right, share of the characters saved.
    [Theory]
    [InlineData("-", "price * count", 0, 0, 0, 0.0)]
    [InlineData("price * count", "price * count", 1, 1, 1, 12.0 / 13)]
    [InlineData("price * count\nnext = 1", "price * count", 1, 1, 1, 12.0 / 13)]
    [InlineData("price ", "price * count", 1, 0, 1, 4.0 / 13)]
    [InlineData("pri", "price * count", 1, 0, 0, 0.0)]
    [InlineData("cost", "price * count", 1, 0, 0, 0.0)]
    [InlineData("\nnext = 1", "price * count", 0, 0, 0, 0.0)]
    public void CountsFirstLines(string said, string actual, int shown, int exact, int right, double saved)
    {
        var tally = new LineTally();
        tally.Add(new(said == "-" ? null : said, 0.8, CompletionLane.Ollama, TimeSpan.FromMilliseconds(40)), actual);
        var figures = tally.Figures();
        Assert.Equal((1, shown, right), (tally.Places, tally.Shown, tally.Right));
        Assert.Equal((shown, exact, saved), (figures.Shown, figures.Exact, figures.KeystrokesSaved));
        Assert.Equal(exact, figures.Similarity == 1 ? 1 : 0);
        Assert.Equal(40, figures.LatencyMilliseconds.P50);
    }

    private static CorpusFile FileOf(string name) => new($"/code/{name}", name, Language.ByPath(name), 0, 0);
}
