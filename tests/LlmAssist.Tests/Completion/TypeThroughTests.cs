using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Completion;

public sealed class TypeThroughTests
{
    // The cursor is '|'. Null: what was remembered does not hold any more.
    [Theory]
    [InlineData("x = |\ny", "x = |\ny", "")]
    [InlineData("x = |\ny", "x = ab|\ny", "ab")]
    [InlineData("x = |", "x = ab|", "ab")]
    [InlineData("|", "ab|", "ab")]
    [InlineData("x = |\r\ny", "x = a\r\n  b|\r\ny", "a\n  b")] // line ends are LF
    [InlineData("x = |\ny", "x = a|b\ny", null)] // text put behind the cursor
    [InlineData("x = a|\ny", "x = |\ny", null)] // deleted
    [InlineData("x = |\ny", "z = a|\ny", null)] // changed before
    [InlineData("x = |\ny", "x = a|\nz", null)] // changed behind
    [InlineData("x = |\ny", "zx = a|\ny", null)]
    [InlineData("f|\ny", "f(|)\ny", "(")] // the editor closes what the user opens
    [InlineData("f|\ny", "f(a, [|])\ny", "(a, [")]
    [InlineData("f|\ny", "f(a)|\ny", "(a)")]
    [InlineData("f|\ny", "f(\"|\")\ny", "(\"")]
    [InlineData("f|\ny", "f(|]\ny", null)]
    [InlineData("f|)\ny", "f(|))\ny", "(")]
    [InlineData("😀|\n", "😀𝒳|\n", "𝒳")]
    public void What_was_typed_since(string then, string now, string? typed)
    {
        var place = then.IndexOf('|', StringComparison.Ordinal);
        var cursor = now.IndexOf('|', StringComparison.Ordinal);
        var (before, after) = (new SourceText(then.Remove(place, 1)), new SourceText(now.Remove(cursor, 1)));
        Assert.Equal(typed, TypeThrough.TypedSince(before, place, after, cursor));

        // An edit tells no cursor: closers may then be the user's or the editor's, and what is certain is what stands before them.
        if (typed is not null)
        {
            Assert.StartsWith(TypeThrough.TypedSince(before, place, after, cursor: null)!, typed, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Never_fails_whatever_the_texts_are()
    {
        var random = new Random(7);
        for (var round = 0; round < 20_000; round++)
        {
            var (then, now) = (Text(), Text());
            var place = random.Next(then.Length + 1);
            if (TypeThrough.TypedSince(new(then), place, new(now), round % 2 == 0 ? null : random.Next(now.Length + 1)) is { } typed)
            {
                Assert.StartsWith(then[..place] + typed, now, StringComparison.Ordinal);
            }
        }

        string Text() => new([.. Enumerable.Range(0, random.Next(8)).Select(_ => "ab()[]\"'\n"[random.Next(9)])]);
    }
}
