// Which of two lanes is shown. Pure; what it goes by is measured by others.
namespace LlmAssist.Engine.Completion;

/// <summary>Weighs what pattern models say against what a model of Ollama says.</summary>
internal static class Ranker
{
    /// <summary>How sure a text of Ollama's model is taken to be when nobody can judge it.</summary>
    public const double Unjudged = 0.6;

    // From bits a symbol, by which the pattern models are surprised at a text, to confidence in it. Code that users keep costs
    // held-out models 2 to 4 bits a symbol (docs/pattern-model.md); a name from nowhere counts 10. A line may well have a new name or
    // two in it; one of nothing else is nonsense. Between these the curve is a judgment, not a measurement.
    private static readonly (double Bits, double Confidence)[] Curve = [(0, 0.85), (3, 0.75), (6, 0.6), (8, 0.45), (10, 0.2)];

    /// <summary>The confidence in a text at which the pattern models are surprised by so many bits a symbol; null where they cannot judge.</summary>
    public static double Confidence(double? bitsPerSymbol)
    {
        if (bitsPerSymbol is not { } bits)
        {
            return Unjudged;
        }

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
