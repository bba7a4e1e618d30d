using System.Text;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Text;

public sealed class SourceTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("\n", "|")]
    [InlineData("a\nb", "a|b")]
    [InlineData("a\r\nb", "a|b")]
    [InlineData("a\rb", "a|b")]
    [InlineData("a\n\rb", "a||b")]
    [InlineData("a\r\r\nb\r", "a||b|")]
    [InlineData("\r\n\r\n", "||")]
    public void Lines_end_with_LF_CRLF_or_CR(string text, string lines) =>
        Assert.Equal(lines, string.Join('|', LinesOf(new SourceText(text))));

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(0, 1, 1, 0)]
    [InlineData(0, 2, 1, 1)] // inside ñ, which has two bytes
    [InlineData(0, 3, 3, 1)] // behind the emoji | inside it or behind ñ
    [InlineData(0, 6, 4, 3)]
    [InlineData(0, 7, 4, 4)]
    [InlineData(0, 99, 4, 4)]
    [InlineData(1, 0, 6, 6)]
    [InlineData(1, 1, 7, 7)]
    [InlineData(2, 0, 7, 7)]
    [InlineData(99, 0, 7, 7)]
    [InlineData(-1, 5, 0, 0)]
    [InlineData(0, -5, 0, 0)]
    public void Offsets_are_lenient(int line, int character, int utf16, int utf8)
    {
        // Offsets: ñ 0, emoji 1 and 2, b 3, CR 4, LF 5, c 6; bytes: ñ 0, emoji 2, b 6.
        var text = new SourceText("ñ😀b\r\nc");
        Assert.Equal(utf16, text.Offset(new(line, character)));
        Assert.Equal(utf8, text.Offset(new(line, character), PositionEncoding.Utf8));
    }

    [Fact]
    public void Positions_and_offsets_are_inverse()
    {
        var random = new Random(3);
        for (var round = 0; round < 500; round++)
        {
            var text = new SourceText(RandomText(random, pieces: 12, wholePairs: true));
            for (var offset = 0; offset <= text.Length; offset++)
            {
                var splitsPair = 0 < offset && offset < text.Length && char.IsLowSurrogate(text.Content[offset]);
                var splitsCrLf = 0 < offset && offset < text.Length && text.Content[offset - 1] == '\r' && text.Content[offset] == '\n';
                if (!splitsPair && !splitsCrLf)
                {
                    Assert.Equal(offset, text.Offset(text.Position(offset)));
                    Assert.Equal(offset, text.Offset(text.Position(offset, PositionEncoding.Utf8), PositionEncoding.Utf8));
                }
            }
        }
    }

    [Fact]
    public void A_chain_of_edits_equals_the_text_made_anew()
    {
        var random = new Random(5);
        for (var round = 0; round < 200; round++)
        {
            var text = new SourceText(RandomText(random, pieces: 10));
            for (var step = 0; step < 20; step++)
            {
                var start = random.Next(text.Length + 1);
                var end = random.Next(start, Math.Min(text.Length, start + 6) + 1);
                var newText = RandomText(random, pieces: random.Next(4));
                var expected = new SourceText(text.Content[..start] + newText + text.Content[end..]);
                text = text.With(new(start, end, newText));
                Assert.Equal(expected.Content, text.Content);
                Assert.Equal(Starts(expected), Starts(text));
            }
        }
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(2, 1)]
    [InlineData(0, 4)]
    public void An_edit_outside_of_the_text_is_refused(int start, int end) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SourceText("abc").With(new(start, end, "")));

    private static string RandomText(Random random, int pieces, bool wholePairs = false)
    {
        string[] choices = wholePairs ? ["a", "ñ", "😀", "\r", "\n", "\r\n", "  "] : ["a", "ñ", "😀", "\ud83d", "\ude00", "\r", "\n", "\r\n", "  "];
        var text = new StringBuilder();
        for (var piece = 0; piece < pieces; piece++)
        {
            text.Append(choices[random.Next(choices.Length)]);
        }

        return text.ToString();
    }

    private static IEnumerable<string> LinesOf(SourceText text) => Enumerable.Range(0, text.LineCount).Select(line => text.Line(line).ToString());

    private static IEnumerable<int> Starts(SourceText text) => Enumerable.Range(0, text.LineCount).Select(text.LineStart);
}
