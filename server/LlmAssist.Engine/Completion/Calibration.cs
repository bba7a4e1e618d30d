namespace LlmAssist.Engine.Completion;

/// <summary>From what the mixture says to how often it is right.</summary>
/// <remarks>
/// A monotone curve through points measured by 'llm-assist eval' on development corpora: for continuations to which the mixture
/// gave this probability, the share that was entirely right. See docs/pattern-model.md.
/// </remarks>
public static class Calibration
{
    private static readonly (double Probability, double Right)[] Curve =
        [(0, 0), (0.1, 0.15), (0.25, 0.33), (0.55, 0.53), (0.65, 0.6), (0.75, 0.68), (0.85, 0.76), (0.91, 0.805), (0.95, 0.835), (0.97, 0.875), (0.994, 0.93), (1, 0.97)];

    /// <summary>The share of continuations of this probability that are entirely right, 0..1.</summary>
    public static double Confidence(double probability)
    {
        for (var index = 1; index < Curve.Length; index++)
        {
            var (end, right) = Curve[index];
            if (probability <= end)
            {
                var (start, left) = Curve[index - 1];
                return left + ((right - left) * (probability - start) / (end - start));
            }
        }

        return 1;
    }
}
