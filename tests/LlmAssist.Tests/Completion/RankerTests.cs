using System.Globalization;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Completion;

public sealed class RankerTests
{
    // Each lane's text and confidence, '-' for none; what is shown, the first to be shown first.
    [Theory]
    [InlineData("-", "-", "")]
    [InlineData("abc 0.7", "-", "pattern abc 0.70")]
    [InlineData("-", "xyz 0.6", "ollama xyz 0.60")]
    [InlineData("abc 0.7", "xyz 0.6", "pattern abc 0.70, ollama xyz 0.60")]
    [InlineData("abc 0.6", "xyz 0.7", "ollama xyz 0.70, pattern abc 0.60")]
    [InlineData("abc 0.6", "abcdef 0.6", "ollama abcdef 0.84")] // agreement
    [InlineData("abcdef 0.6", "abc 0.6", "pattern abcdef 0.84")]
    [InlineData("abc 0.6", "abc 0.6", "pattern abc 0.84")]
    [InlineData("abc 0.4", "abcdef 0.4", "ollama abcdef 0.64")] // neither would be sure enough alone
    [InlineData("abc 0.4", "xyz 0.6", "ollama xyz 0.60")]
    [InlineData("abc 0.4", "xyz 0.4", "")]
    [InlineData("abc 0.6", "xyz 0.6", "ollama xyz 0.60, pattern abc 0.60")]
    public void Orders(string pattern, string ollama, string expected)
    {
        var ranked = Ranker.Rank(Candidate(pattern, CompletionLane.Pattern), Candidate(ollama, CompletionLane.Ollama), 0.5);
        Assert.Equal(expected, string.Join(", ", ranked.Select(candidate =>
            string.Create(CultureInfo.InvariantCulture, $"{candidate.Lane.ToString().ToLowerInvariant()} {candidate.Text} {candidate.Confidence:F2}"))));
    }

    // Bits a symbol, lines that the model had right and wrong.
    [Theory]
    [InlineData(null, 0, 0, 0.6)]
    [InlineData(0.0, 0, 0, 0.65)]
    [InlineData(4.0, 0, 0, 0.62)]
    [InlineData(16.0, 0, 0, 0.2)]
    [InlineData(0.0, 100, 0, 0.95)] // not surer than that
    [InlineData(0.0, 8, 12, 0.65)] // as was assumed
    [InlineData(0.0, 0, 30, 0.325)] // below what is shown
    [InlineData(8.0, 30, 0, 0.7875)]
    public void Surprise_and_a_bad_record_lower_confidence(double? bits, int right, int wrong, double expected) =>
        Assert.Equal(expected, Ranker.Confidence(bits, new(right, wrong)), 6);

    [Fact]
    public void Confidence_never_rises_with_surprise()
    {
        var curve = Enumerable.Range(0, 200).Select(step => Ranker.Confidence(step / 10.0, default)).ToList();
        Assert.Equal(curve.OrderDescending(), curve);
    }

    private static Candidate? Candidate(string text, CompletionLane lane) =>
        text.Split(' ') is [var words, var confidence] ? new(words, 0, double.Parse(confidence, CultureInfo.InvariantCulture), lane, TokenKind.Identifier, IsLine: true) : null;
}
