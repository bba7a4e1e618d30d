// The history of memory as one picture: what models took, the limit, the rest of the machine, and what happened. Text in, text out:
// reads no files and no clock. What is drawn is chosen in HistorySeries.
using System.Globalization;
using System.Text;

namespace LlmAssist.Engine.Memory;

/// <summary>Draws a history.</summary>
public static class HistoryPlot
{
    // In units of the picture, which are pixels at its natural size.
    private const double Width = 960;
    private const double Left = 62;
    private const double Right = 944;
    private const double Top = 104;
    private const double Bottom = 364;
    private const double MarkersBottom = Top - 14;
    private const double MarkerRow = 14;
    private const int MarkerRows = 3;
    private const double LegendTop = 404;
    private const double LegendRow = 20;
    private const double CharacterWidth = 7.2; // of 12 pixels of a sans-serif font, on the average and rather more

    private const int MostEvents = 300;
    private const int LongestName = 40;
    private const int LongestReason = 240;
    private const double GiB = 1L << 30;

    // The palette of Okabe and Ito, which people who do not see all colors tell apart; without its yellow, which is too light here.
    private static readonly string[] Colors = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a5195"];

    private static readonly int[] MinuteSteps = [5, 10, 15, 30, 60, 120, 180, 240, 360];

    // A single sample stands for the time until the next would have come.
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Granule = TimeSpan.FromMinutes(5);

    /// <summary>A self-contained SVG document of 960 pixels' width, some tens of KB for a usual day and below 1 MB whatever it is given.</summary>
    /// <param name="samples">What was measured, in any order; those outside of the span are left out.</param>
    /// <param name="events">What happened, in any order; of those within the span the latest 300 are marked.</param>
    /// <param name="from">Where the span begins.</param>
    /// <param name="to">Where it ends; after <paramref name="from"/>.</param>
    /// <param name="zone">Whose clock the axis shows.</param>
    /// <param name="speech">The language of its texts.</param>
    public static string Svg(IReadOnlyList<MemorySample> samples, IReadOnlyList<MemoryEvent> events, DateTimeOffset from, DateTimeOffset to, TimeZoneInfo zone, Speech speech)
    {
        var series = HistorySeries.Of(samples, from, to);
        var highest = series.Stretches.SelectMany(static stretch => stretch).Select(static point => point.Top).DefaultIfEmpty(0).Max();
        var limits = series.Stretches.SelectMany(static stretch => stretch).Select(static point => point.Limit).DefaultIfEmpty(0).Max();
        var ceiling = Math.Max(series.Stretches.Count == 0 ? 4 * GiB : GiB, Math.Max(highest, series.Total ?? Math.Max(highest, limits) * 1.1));
        var marked = events.Where(happened => from <= happened.At && happened.At <= to).OrderBy(static happened => happened.At).TakeLast(MostEvents).ToList();
        return new Drawing(series, marked, from, to, zone, speech, ceiling).Draw();
    }

    private sealed class Drawing(
        HistorySeries series,
        IReadOnlyList<MemoryEvent> events,
        DateTimeOffset from,
        DateTimeOffset to,
        TimeZoneInfo zone,
        Speech speech,
        double ceiling)
    {
        private readonly StringBuilder _svg = new();

        private int LayerCount => series.Layers.Count + (series.Others == 0 ? 0 : 1);

        private bool IsEmpty => series.Stretches.Count == 0;

        public string Draw()
        {
            var legend = Legend();
            var height = LegendTop + (LegendRow * legend.Rows) + 4;
            var title = Say(new("Memory of models", "Memoria de los modelos"));
            var span = $"{LocalDay(from)} {LocalTime(from)} – {(LocalDay(from) == LocalDay(to) ? "" : LocalDay(to) + " ")}{LocalTime(to)}";
            Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" width="{Width}" height="{height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif" font-size="12" fill="#1f2328">""");
            Add($"<title>{title}, {span}</title>");
            Raw("""<defs><pattern id="gap" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" fill="#f6f8fa"/><rect width="1.5" height="8" fill="#d8dee4"/></pattern></defs>""");
            Add($"""<rect x="0.5" y="0.5" width="{Width - 1}" height="{height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>""");
            Add($"""<text x="16" y="28" font-size="16" font-weight="600">{title}</text>""");
            Add($"""<text x="{Right}" y="28" text-anchor="end" fill="#57606a">{span}</text>""");
            MemoryAxis();
            Gaps();
            Layers();
            Limit();
            TimeAxis();
            Events();
            if (IsEmpty)
            {
                Text((Left + Right) / 2, ((Top + Bottom) / 2) - 4, "middle", new("nothing recorded yet", "todavía no hay nada registrado"), "font-size=\"16\" fill=\"#57606a\"");
                Text((Left + Right) / 2, ((Top + Bottom) / 2) + 18, "middle", new("An editor window records every 30 s while it is open.", "Una ventana del editor registra cada 30 s mientras está abierta."), "fill=\"#57606a\"");
            }

            _svg.Append(legend.Svg);
            Raw("</svg>");
            return _svg.ToString();
        }

        // ---- Axes ----

        private void MemoryAxis()
        {
            var step = 1.0 / 4;
            while (8 < ceiling / GiB / step)
            {
                step *= 2;
            }

            for (var value = 0.0; value * GiB <= ceiling; value += step)
            {
                var y = Y(value * GiB);
                Add($"""<path d="M{Left} {y:F1}H{Right}" stroke="{(value == 0 ? "#57606a" : "#eaeef2")}"/>""");
                Add($"""<text x="{Left - 8}" y="{y + 4:F1}" text-anchor="end" fill="#57606a">{value:0.##} GB</text>""");
            }
        }

        private void TimeAxis()
        {
            var minutes = MinuteSteps.FirstOrDefault(step => (to - from).TotalMinutes / step <= 12, 720);
            var first = new DateTimeOffset((from.UtcTicks + Granule.Ticks - 1) / Granule.Ticks * Granule.Ticks, TimeSpan.Zero);
            for (var at = first; at <= to; at += Granule)
            {
                // Asked of every five minutes, so that days with a change of the clock have round hours too.
                var local = TimeZoneInfo.ConvertTime(at, zone);
                if (((local.Hour * 60) + local.Minute) % minutes != 0)
                {
                    continue;
                }

                var isMidnight = local is { Hour: 0, Minute: 0 };
                Add($"""<path d="M{X(at):F1} {Bottom}v5" stroke="#57606a"/>""");
                Add($"""<text x="{X(at):F1}" y="{Bottom + 19}" text-anchor="middle" fill="{(isMidnight ? "#1f2328" : "#57606a")}"{(isMidnight ? " font-weight=\"600\"" : "")}>{(isMidnight ? LocalDay(at)[5..] : LocalTime(at))}</text>""");
            }
        }

        // ---- What was measured ----

        private void Gaps()
        {
            var begun = from;
            foreach (var stretch in series.Stretches)
            {
                Gap(begun, stretch[0].At);
                begun = EndOf(stretch);
            }

            if (!IsEmpty)
            {
                Gap(begun, to);
            }
        }

        private void Gap(DateTimeOffset begin, DateTimeOffset end)
        {
            if (HistorySeries.LongestPause - Sampling < end - begin)
            {
                var why = Say(new($"{LocalTime(begin)}–{LocalTime(end)}: nothing recorded, no window was open", $"{LocalTime(begin)}–{LocalTime(end)}: nada registrado, no había ninguna ventana abierta"));
                Add($"""<rect x="{X(begin):F1}" y="{Top}" width="{X(end) - X(begin):F1}" height="{Bottom - Top}" fill="url(#gap)"><title>{why}</title></rect>""");
            }
        }

        private void Layers()
        {
            foreach (var stretch in series.Stretches)
            {
                Area(stretch, static point => point.Models, static point => point.Top, "#e1e4e8", new("other programs", "otros programas"));
                Line(stretch, static point => point.Top, "stroke=\"#8c959f\"");
            }

            for (var layer = 0; layer < LayerCount; layer++)
            {
                var index = layer;
                foreach (var stretch in series.Stretches.Where(stretch => stretch.Any(point => 0 < point.Layers[index])))
                {
                    Area(stretch, point => point.Layers.Take(index).Sum(), point => point.Layers.Take(index + 1).Sum(), ColorOf(index), NameOf(index));
                }
            }
        }

        private void Area(IReadOnlyList<HistoryPoint> stretch, Func<HistoryPoint, double> low, Func<HistoryPoint, double> high, string color, Phrase name)
        {
            // In runs: where there is nothing of it, there is nothing to draw but the way there and back.
            var run = new List<(double X, double Low, double High)>();
            (double X, double Low, double High)? before = null;
            foreach (var (x, point) in Places(stretch))
            {
                var now = (x, Y(low(point)), Y(high(point)));
                if (low(point) < high(point))
                {
                    if (run.Count == 0 && before is { } came)
                    {
                        run.Add(came);
                    }

                    run.Add(now);
                }
                else if (run.Count != 0)
                {
                    run.Add(now);
                    Polygon(run, color, name);
                    run.Clear();
                }

                before = now;
            }

            if (run.Count != 0)
            {
                Polygon(run, color, name);
            }
        }

        private void Polygon(List<(double X, double Low, double High)> run, string color, Phrase name)
        {
            var path = Path([.. run.Select(static place => (place.X, place.High))]) + "L" + Path([.. Enumerable.Reverse(run).Select(static place => (place.X, place.Low))])[1..];
            Add($"""<path d="{path}Z" fill="{color}"><title>{Escaped(name.In(speech), LongestName)}</title></path>""");
        }

        private void Line(IReadOnlyList<HistoryPoint> stretch, Func<HistoryPoint, double> height, string style) =>
            Add($"""<path d="{Path([.. Places(stretch).Select(place => (place.X, Y(height(place.Point))))])}" fill="none" {style}/>""");

        private void Limit()
        {
            foreach (var stretch in series.Stretches)
            {
                // A limit is set at once: steps, not slopes.
                var steps = new List<(double X, double Y)>();
                foreach (var (x, point) in Places(stretch))
                {
                    var y = Y(Math.Min(point.Limit, ceiling));
                    if (steps.Count != 0 && y != steps[^1].Y)
                    {
                        steps.Add((x, steps[^1].Y));
                    }

                    steps.Add((x, y));
                }

                Add($"""<path d="{Path(steps)}" fill="none" stroke="#ffffff" stroke-width="3.5" stroke-opacity="0.7"/>""");
                Add($"""<path d="{Path(steps)}" fill="none" stroke="#1f2328" stroke-width="1.5" stroke-dasharray="7 4"/>""");
            }
        }

        private IEnumerable<(double X, HistoryPoint Point)> Places(IReadOnlyList<HistoryPoint> stretch)
        {
            foreach (var point in stretch)
            {
                yield return (X(point.At), point);
            }

            yield return (X(EndOf(stretch)), stretch[^1]);
        }

        // Points in the middle of a level line are left out: memory mostly stays as it is.
        private static string Path(IReadOnlyList<(double X, double Y)> places)
        {
            var path = new StringBuilder();
            for (var index = 0; index < places.Count; index++)
            {
                var (x, y) = Rounded(places[index]);
                if (0 < index && index < places.Count - 1 && Rounded(places[index - 1]).Y == y && Rounded(places[index + 1]).Y == y)
                {
                    continue;
                }

                path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{x} {y}");
            }

            return path.ToString();

            static (double X, double Y) Rounded((double X, double Y) place) => (Math.Round(place.X, 1), Math.Round(place.Y, 1));
        }

        // ---- What happened ----

        private void Events()
        {
            var ends = new double[MarkerRows];
            Array.Fill(ends, double.MinValue);
            foreach (var happened in events)
            {
                // Where many things happened at once, they are one above the other as long as there is room.
                var x = X(happened.At);
                var row = Array.FindIndex(ends, end => end <= x);
                row = row < 0 ? MarkerRows - 1 : row;
                ends[row] = x + 12;
                var y = MarkersBottom - (row * MarkerRow);
                var size = happened.Bytes.Bytes <= 0 ? "" : $", {happened.Bytes}";
                var title = $"{LocalTime(happened.At)} {Say(MemoryAdvice.NameOf(happened.Kind))}: {Escaped(happened.Id.Name, LongestName)}{size}\n{Escaped(happened.Reason.In(speech) ?? "", LongestReason)}";
                if (happened.Kind is MemoryEventKind.Evict or MemoryEventKind.Refuse or MemoryEventKind.Crash)
                {
                    Add($"""<path d="M{x:F1} {y + 6:F1}V{Bottom}" stroke="#57606a" stroke-opacity="0.45" stroke-dasharray="1 3"/>""");
                }

                Add($"""<g transform="translate({x:F1} {y:F1})"><title>{title}</title><rect x="-6" y="-6" width="12" height="12" fill="#ffffff" fill-opacity="0"/>{Marker(happened.Kind)}</g>""");
            }
        }

        // Told apart by their shapes, too.
        private static string Marker(MemoryEventKind kind) => kind switch
        {
            MemoryEventKind.Load => """<path d="M0 -5L5 4H-5Z" fill="#00734f"/>""",
            MemoryEventKind.Unload => """<path d="M0 5L5 -4H-5Z" fill="#57606a"/>""",
            MemoryEventKind.Evict => """<path d="M0 -5.5L5.5 0L0 5.5L-5.5 0Z" fill="#c24100"/>""",
            MemoryEventKind.Refuse => """<g fill="none" stroke="#b3261e" stroke-width="1.6"><circle r="4.5"/><path d="M-3.2 3.2L3.2 -3.2"/></g>""",
            MemoryEventKind.Expire => """<circle r="4" fill="#ffffff" stroke="#57606a" stroke-width="1.6"/>""",
            _ => """<path d="M-4 -4L4 4M4 -4L-4 4" stroke="#b3261e" stroke-width="2.4"/>""",
        };

        // ---- The legend ----

        private (string Svg, int Rows) Legend()
        {
            var entries = new List<(string Sign, Phrase Text)>();
            for (var layer = 0; layer < LayerCount; layer++)
            {
                entries.Add(($"""<rect x="-6" y="-5" width="12" height="10" rx="2" fill="{ColorOf(layer)}"/>""", NameOf(layer)));
            }

            if (!IsEmpty)
            {
                var limit = new ByteSize((long)series.Stretches[^1][^1].Limit);
                entries.Add(("""<rect x="-6" y="-5" width="12" height="10" rx="2" fill="#e1e4e8" stroke="#8c959f"/>""", new("other programs", "otros programas")));
                entries.Add(("""<path d="M-8 0H8" stroke="#1f2328" stroke-width="1.5" stroke-dasharray="7 2"/>""", new($"limit of the models, {limit}", $"límite de los modelos, {limit}")));
                if (Stretched())
                {
                    entries.Add(("""<rect x="-6" y="-5" width="12" height="10" rx="2" fill="url(#gap)" stroke="#d8dee4"/>""", new("nothing recorded", "nada registrado")));
                }
            }

            entries.AddRange(events.Select(static happened => happened.Kind).Distinct().Order().Select(static kind => (Marker(kind), MemoryAdvice.NameOf(kind))));
            var svg = new StringBuilder();
            var (x, row) = (Left, 0);
            foreach (var (sign, text) in entries)
            {
                var shown = Shortened(text.In(speech), LongestName);
                var width = 22 + (shown.Length * CharacterWidth) + 14;
                if (Right < x + width && x != Left)
                {
                    (x, row) = (Left, row + 1);
                }

                var y = LegendTop + (LegendRow * row);
                svg.Append(CultureInfo.InvariantCulture, $"""<g transform="translate({x + 8:F1} {y:F1})">{sign}<text x="14" y="4">{Escaped(shown, LongestName)}</text></g>""").Append('\n');
                x += width;
            }

            return (svg.ToString(), entries.Count == 0 ? 0 : row + 1);
        }

        private bool Stretched() => 1 < series.Stretches.Count
            || HistorySeries.LongestPause < series.Stretches[0][0].At - from
            || HistorySeries.LongestPause < to - EndOf(series.Stretches[^1]);

        private string ColorOf(int layer) => layer < series.Layers.Count ? Colors[layer] : "#8a6d3b";

        private Phrase NameOf(int layer) => layer < series.Layers.Count
            ? Phrase.Same(series.Layers[layer].Name)
            : new($"{series.Others} other models", $"otros {series.Others} modelos");

        // ---- Places and texts ----

        private DateTimeOffset EndOf(IReadOnlyList<HistoryPoint> stretch) => stretch[^1].At + Sampling < to ? stretch[^1].At + Sampling : to;

        private double X(DateTimeOffset at) => Left + ((at - from) / (to - from) * (Right - Left));

        private double Y(double bytes) => Bottom - (bytes / ceiling * (Bottom - Top));

        private string LocalTime(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, zone).ToString("HH:mm", CultureInfo.InvariantCulture);

        private string LocalDay(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

        private string Say(Phrase phrase) => Escaped(phrase.In(speech), LongestReason);

        private void Text(double x, double y, string anchor, Phrase phrase, string style) =>
            Add($"""<text x="{x:F1}" y="{y:F1}" text-anchor="{anchor}" {style}>{Say(phrase)}</text>""");

        private void Raw(string line) => _svg.Append(line).Append('\n');

        private void Add(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    // Names of models and reasons come from elsewhere: nothing in them may end an element, steer the direction of the text or be no
    // character at all.
    private static string Escaped(string text, int most)
    {
        var escaped = new StringBuilder();
        foreach (var rune in Shortened(text, most).EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '&' => escaped.Append("&amp;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                0xfffe or 0xffff => escaped.Append('\ufffd'),
                _ when Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => escaped.Append(' '),
                _ => escaped.Append(rune.ToString()),
            };
        }

        return escaped.ToString();
    }

    private static string Shortened(string text, int most) => text.Length <= most ? text : text[..(most - 1)] + "…";
}
