// Which of two lanes is shown. Pure; what it goes by is measured by others.
namespace LlmAssist.Engine.Completion;

/// <summary>Weighs what pattern models say against what a model of Ollama says.</summary>
internal static class Ranker
{
    private const double Most = 0.95;

    // From bits a symbol, by which the pattern models are surprised at a text, to confidence in it. Code that users keep costs
    // held-out models 2 to 4 bits a symbol (docs/pattern-model.md); a name from nowhere counts 10. A line may well have a new name or
    // two in it; one of nothing else is nonsense. That a text does not surprise makes it plausible, not right: what was copied from
    // a few lines above never does. So the curve is flat at its beginning, and a pattern model that is surer, whose confidence was
    // measured, wins. Between these the curve is a judgment, not a measurement.
    private static readonly (double Bits, double Confidence)[] Curve = [(0, 0.65), (4, 0.62), (6, 0.57), (8, 0.45), (10, 0.2)];

    // What to think of a text that nobody can judge.
    private const double Unjudged = 0.6;

    /// <summary>The confidence in a text of Ollama's model.</summary>
    /// <param name="bitsPerSymbol">By how many bits a symbol it surprises the pattern models; null where they cannot judge.</param>
    /// <param name="record">How the model has done so far.</param>
    public static double Confidence(double? bitsPerSymbol, LaneRecord record) =>
        Math.Min(Most, (bitsPerSymbol is { } bits ? Plausibility(bits) : Unjudged) * record.Trust / LaneRecord.Usual);

    private static double Plausibility(double bits)
    {
        for (var index = 1; index < Curve.Length; index++)
        {
            var (end, low) = Curve[index];
            if (bits <= end)
            {
                var (start, high) = Curve[index - 1];
                return high + ((low - high) * (bits - start) / (end - start));
            }
        }

        return Curve[^1].Confidence;
    }

    /// <summary>
    /// The suggestions that are sure enough, the one to show first. Two that agree, one beginning with the other, become the longer
    /// one, and surer than either: they have come to the same from different ends.
    /// </summary>
    public static IReadOnlyList<Candidate> Rank(Candidate? pattern, Candidate? ollama, double minConfidence)
    {
        if (pattern is not null && ollama is not null && pattern.ReplaceStart == ollama.ReplaceStart)
        {
            var (longer, shorter) = pattern.Text.Length < ollama.Text.Length ? (ollama, pattern) : (pattern, ollama);
            if (longer.Text.StartsWith(shorter.Text, StringComparison.Ordinal))
            {
                return Sure([longer with { Confidence = 1 - ((1 - pattern.Confidence) * (1 - ollama.Confidence)) }], minConfidence);
            }
        }

        Candidate?[] both = [ollama, pattern];
        return Sure(both.OfType<Candidate>().OrderByDescending(candidate => candidate.Confidence), minConfidence);
    }

    private static IReadOnlyList<Candidate> Sure(IEnumerable<Candidate> candidates, double minConfidence) =>
        [.. candidates.Where(candidate => minConfidence <= candidate.Confidence)];
}
