using LlmAssist.Engine.Completion;

namespace LlmAssist.Tests.Completion;

public class PostFiltersTests
{
    // '|' is the cursor; lines above and below it are those of the document. The other filters' turn comes in RunsInOrder.
    [Theory]
    [InlineData("midLine", "f(|)", "a, b", "a, b")]
    [InlineData("midLine", "f(|)", "a\nb", "a")]
    [InlineData("midLine", "f(|", "a\nb", "a\nb")]
    [InlineData("midLine", "f(|   ", "a\nb", "a\nb")]
    [InlineData("scope", "  if a|", " {\n    b\n  }", " {\n    b\n  }")]
    [InlineData("scope", "    a|", " = 1\n    b\n  c\n  d", " = 1\n    b")] // leaves the block
    [InlineData("scope", "    a|", " = 1\n  }\nb", " = 1\n  }")] // with its closing line
    [InlineData("scope", "    a|\n  }", " = 1\n  }\nb", " = 1")] // which is there already
    [InlineData("scope", "    a|", " = 1\n  } else {\n    b\n  }", " = 1\n  } else {\n    b\n  }")] // stays in
    [InlineData("scope", "\ta|", "\n    b\n  c", "\n    b")] // a tab is four columns
    [InlineData("repetition", "|", "a\na\nb", "a\na\nb")]
    [InlineData("repetition", "|", "a\na\na\na", "a")]
    [InlineData("repetition", "|", "x\n\n\n\ny", "x\n\n\n\ny")] // blank lines are no sense, but no repetition
    [InlineData("repetition", "|", "ab, ab, ab, ab, ab, ", "ab, ")]
    [InlineData("repetition", "|", "ab, ab, ab, ab, ", "ab, ab, ab, ab, ")]
    [InlineData("repetition", "|", "first_one first_one first_one ", "first_one ")]
    [InlineData("repetition", "|", "f(1)                    ", "f(1)                    ")]
    [InlineData("lineAbove", "total = 1\n|", "total = 1", "")]
    [InlineData("lineAbove", "total = 1\ntot|", "al = 1", "")]
    [InlineData("lineAbove", "  total = 1\n|", "total = 1\nmore", "")]
    [InlineData("lineAbove", "total = 1\n|", "total = 2", "total = 2")]
    [InlineData("lineAbove", "}\n|", "}", "}")] // repeats in good code
    [InlineData("linesBelow", "|\ntotal = 1", "total = 1", "")]
    [InlineData("linesBelow", "to|\n  total = 1", "tal = 1", "")]
    [InlineData("linesBelow", "|\ntotal = 1", "sum = 2\ntotal = 1\nrest", "sum = 2")]
    [InlineData("linesBelow", "|\nother = 1\ntotal = 1", "total = 1", "total = 1")]
    [InlineData("linesBelow", "|\nend", "end", "end")]
    [InlineData("linesBelow", "|", "total = 1", "total = 1")]
    [InlineData("brackets", "f(|)", "a)", "a")]
    [InlineData("brackets", "f(|)", "g(a), b)", "g(a), b")]
    [InlineData("brackets", "f(|", "a)", "a)")]
    [InlineData("brackets", "f([|])", "a])", "a")]
    [InlineData("brackets", "f(|]", "a)", "a)")] // another bracket waits
    [InlineData("duplicateSuffix", "f(|)", "a)", "a")]
    [InlineData("duplicateSuffix", "f(|);", "a);", "a")]
    [InlineData("duplicateSuffix", "f(|)", "g(a)", "g(a)")] // its own
    [InlineData("duplicateSuffix", "f(|, c)", "g(a, c)", "g(a, c)")]
    [InlineData("duplicateSuffix", "f(|;", "g(a;", "g(a")] // open before and after
    [InlineData("duplicateSuffix", "f(| )", "a)", "a")]
    [InlineData("duplicateSuffix", "x = |;", "f();", "f()")]
    [InlineData("duplicateSuffix", "x = |", "f();", "f();")]
    [InlineData("tooShort", "|", ";", "")]
    [InlineData("tooShort", "|", " ) ", "")]
    [InlineData("tooShort", "|", "()", "()")]
    [InlineData("tooShort", "|", "   ", "")]
    public void Filters(string filter, string document, string suggestion, string expected)
    {
        var apply = PostFilters.All.Single(row => row.Name == filter).Apply;
        Assert.Equal(expected, apply(Input(document, suggestion)));
    }

    [Theory]
    [InlineData("f(|)", "a)\nb", "a)", "midLine brackets tooShort")]
    [InlineData("f(|)", "ab)\nb", "ab", "midLine brackets")]
    [InlineData("|\nnext = 1", "total = 2\ntotal = 2\ntotal = 2\nnext = 1", "total = 2", "repetition")]
    [InlineData("x|", " = 1", " = 1", "")]
    public void RunsInOrder(string document, string suggestion, string expected, string changedBy)
    {
        var names = new List<string>();
        var left = PostFilters.Run(Input(document, suggestion), (name, _) => names.Add(name));
        Assert.Equal(changedBy, string.Join(' ', names));
        Assert.Equal(names.Contains("tooShort") ? "" : expected, left);
    }

    [Fact]
    public void WhoAsksGetsTheShortestToo()
    {
        var tooShort = PostFilters.All.Single(row => row.Name == "tooShort").Apply;
        Assert.Equal(";", tooShort(Input("|", ";") with { IsExplicit = true }));
        Assert.Equal("", tooShort(Input("|", " ") with { IsExplicit = true }));
    }

    // Whatever goes in, a filter only takes from the end.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void WhatIsLeftBeginsTheSuggestion(int seed)
    {
        var random = new Random(seed);
        string[] pieces = ["a", "bcde = 1", "(", ")", "{", "}", "\n", "  ", "\t", ";", "😀", "f(x)"];
        string Some() => string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => pieces[random.Next(pieces.Length)]));
        for (var round = 0; round < 3_000; round++)
        {
            var suggestion = Some();
            Assert.StartsWith(PostFilters.Run(Input(Some() + "|" + Some(), suggestion), static (_, _) => { }), suggestion, StringComparison.Ordinal);
        }
    }

    private static FilterInput Input(string document, string suggestion)
    {
        var cursor = document.IndexOf('|', StringComparison.Ordinal);
        var above = document[..cursor].Split('\n');
        var below = document[(cursor + 1)..].Split('\n');
        return new(
            suggestion,
            above[^1],
            below[0],
            above.SkipLast(1).LastOrDefault(line => !string.IsNullOrWhiteSpace(line)) ?? "",
            [.. below.Skip(1).Where(line => !string.IsNullOrWhiteSpace(line))],
            IsExplicit: false);
    }
}
