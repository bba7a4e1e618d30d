// The part of a document that is read around the cursor: typing must not move its far end over the text.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Completion;

public sealed class CompletionWindowTests
{
    private static readonly string Lines = string.Concat(Enumerable.Range(0, 12_000).Select(line => $"first{line} = second{line}\n"));

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    [InlineData(19_999)]
    [InlineData(20_000)]
    [InlineData(150_001)]
    [InlineData(240_000)]
    public void TypingLeavesWhatStandsBehindTheCursorAsItWas(int offset)
    {
        var text = new SourceText(Lines);
        var (_, end) = CompletionContext.WindowOf(text, offset);
        var behind = text.Content[offset..end];
        for (var typed = 1; typed <= 60; typed++)
        {
            text = text.With(new(offset + typed - 1, offset + typed - 1, "x"));

            var (start, newEnd) = CompletionContext.WindowOf(text, offset + typed);

            Assert.InRange(start, 0, offset);
            Assert.Equal(behind, text.Content[(offset + typed)..newEnd]);
        }
    }

    [Fact]
    public void HoldsEnoughOnBothSidesAndNotTheWholeText()
    {
        var text = new SourceText(Lines);
        for (var offset = 0; offset <= text.Length; offset += 997)
        {
            var (start, end) = CompletionContext.WindowOf(text, offset);

            Assert.True(start <= Math.Max(0, offset - CompletionContext.WindowBefore + 100), $"{offset}: begins at {start}");
            Assert.True(Math.Min(text.Length, offset + CompletionContext.WindowAfter) <= end, $"{offset}: ends at {end}");
            Assert.True(end - start <= 160_000, $"{offset}: {end - start} long");
        }
    }
}
