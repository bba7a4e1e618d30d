// Values measured several times, and what is said of them.
using System.Globalization;

namespace LlmAssist.Bench;

/// <summary>One figure, measured several times.</summary>
/// <param name="Values">At least one.</param>
internal sealed record Sample(IReadOnlyList<double> Values)
{
    public double Median => Percentile(50);

    public double Least => Values.Min();

    public double Most => Values.Max();

    /// <summary>Measures <paramref name="runs"/> times, after as many unmeasured ones as <paramref name="warmUps"/>.</summary>
    public static Sample Of(int runs, int warmUps, Func<double> measure)
    {
        for (var run = 0; run < warmUps; run++)
        {
            measure();
        }

        return new([.. Enumerable.Range(0, runs).Select(_ => measure())]);
    }

    /// <summary>The value below or at which <paramref name="percent"/> of a hundred lie; the median of an even number is the mean of the middle two.</summary>
    /// <param name="percent">In (0, 100].</param>
    public double Percentile(double percent)
    {
        var ordered = Values.Order().ToArray();
        var place = percent / 100 * ordered.Length;
        var index = Math.Clamp((int)Math.Ceiling(place) - 1, 0, ordered.Length - 1);
        return percent == 50 && ordered.Length % 2 == 0 ? (ordered[index] + ordered[index + 1]) / 2 : ordered[index];
    }

    /// <summary>A number with three digits that mean something.</summary>
    public static string Text(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("F0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("F1", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("F2", CultureInfo.InvariantCulture),
        _ => value.ToString("F3", CultureInfo.InvariantCulture),
    };
}
