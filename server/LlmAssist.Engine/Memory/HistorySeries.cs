// The samples of a history as a picture needs them: cut at gaps, thinned out, stacked by model. Knows nothing of pixels.
namespace LlmAssist.Engine.Memory;

/// <summary>One moment of a stretch.</summary>
/// <param name="At">When.</param>
/// <param name="Layers">Bytes of each layer, in their order; none is negative.</param>
/// <param name="Used">Bytes of the machine that were in use, models among them; null if not told.</param>
/// <param name="Limit">What models were allowed to take, in bytes.</param>
internal readonly record struct HistoryPoint(DateTimeOffset At, IReadOnlyList<double> Layers, double? Used, double Limit)
{
    /// <summary>What all models took.</summary>
    public double Models => Layers.Sum();

    /// <summary>The height of everything: models, and what else was in use.</summary>
    public double Top => Math.Max(Models, Used ?? 0);
}

/// <summary>A history, ready to be drawn.</summary>
/// <param name="Layers">The models that have a layer of their own, the largest first.</param>
/// <param name="Others">How many models share one more layer, the last; 0 if there is none.</param>
/// <param name="Stretches">Times without gaps, in order; each has at least one point.</param>
/// <param name="Total">The largest memory that the machine had, in bytes; null if not told.</param>
internal sealed record HistorySeries(IReadOnlyList<ModelId> Layers, int Others, IReadOnlyList<IReadOnlyList<HistoryPoint>> Stretches, double? Total)
{
    /// <summary>Samples come every 30 s; where none came for longer than this, nobody was there to take them.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(150);

    private const int MostLayers = 6;
    private const int Buckets = 400; // of each, two points stay: about 800 for a day

    /// <summary>Prepares the samples of a span of time.</summary>
    public static HistorySeries Of(IReadOnlyList<MemorySample> samples, DateTimeOffset from, DateTimeOffset to)
    {
        var within = samples.Where(sample => from <= sample.At && sample.At <= to).OrderBy(static sample => sample.At).ToList();
        var peaks = new Dictionary<ModelId, long>();
        foreach (var share in within.SelectMany(static sample => sample.Models).Where(static share => 0 < share.Bytes.Bytes))
        {
            peaks[share.Id] = Math.Max(share.Bytes.Bytes, peaks.GetValueOrDefault(share.Id));
        }

        var ranked = peaks.OrderByDescending(static pair => pair.Value).ThenBy(static pair => pair.Key.ToString(), StringComparer.Ordinal).Select(static pair => pair.Key).ToList();

        // A layer for the others that holds only one has no advantage over that one's own.
        var own = ranked.Count <= MostLayers + 1 ? ranked.Count : MostLayers;
        var layers = ranked.Take(own).ToList();
        var others = ranked.Count - own;
        var places = layers.Select(static (id, index) => (id, index)).ToDictionary(static pair => pair.id, static pair => pair.index);
        var points = within.Select(sample => PointOf(sample, places, others == 0 ? own : own + 1)).ToList();
        return new(
            layers,
            others,
            [.. Cut(points).Select(stretch => Thinned(stretch, from, to - from))],
            within.Max(static sample => (double?)sample.Total?.Bytes));
    }

    private static HistoryPoint PointOf(MemorySample sample, Dictionary<ModelId, int> places, int count)
    {
        var layers = new double[count];
        foreach (var share in sample.Models.Where(static share => 0 < share.Bytes.Bytes))
        {
            layers[places.GetValueOrDefault(share.Id, count - 1)] += share.Bytes.Bytes;
        }

        double? used = sample is { Total: { } total, Available: { } available } ? Math.Max(0, (double)total.Bytes - available.Bytes) : null;
        return new(sample.At, layers, used, Math.Max(0, sample.Limit.Bytes));
    }

    private static IEnumerable<List<HistoryPoint>> Cut(IReadOnlyList<HistoryPoint> points)
    {
        var stretch = new List<HistoryPoint>();
        foreach (var point in points)
        {
            if (stretch.Count != 0 && LongestPause < point.At - stretch[^1].At)
            {
                yield return stretch;
                stretch = [];
            }

            stretch.Add(point);
        }

        if (stretch.Count != 0)
        {
            yield return stretch;
        }
    }

    // Of each piece of the time, the moment in which models took most and that in which most was in use: what is thinned out must not
    // hide how high it went. The ends stay too, or gaps would be drawn longer than they were.
    private static List<HistoryPoint> Thinned(List<HistoryPoint> stretch, DateTimeOffset from, TimeSpan span)
    {
        if (stretch.Count <= 2)
        {
            return stretch;
        }

        var kept = new List<HistoryPoint>();
        foreach (var bucket in stretch[1..^1].GroupBy(point => (int)((point.At - from) / span * Buckets)))
        {
            var models = bucket.MaxBy(static point => point.Models);
            var used = bucket.MaxBy(static point => point.Top);
            kept.AddRange(models.At == used.At ? [models] : models.At < used.At ? [models, used] : [used, models]);
        }

        return [stretch[0], .. kept, stretch[^1]];
    }
}
