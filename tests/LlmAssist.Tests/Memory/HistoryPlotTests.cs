// The picture of a history: what is in it, read as XML. How it looks is for eyes.
using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Tests.Memory;

public sealed partial class HistoryPlotTests
{
    private const double Left = 62;
    private const double Right = 944;
    private const double Bottom = 364;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    private static readonly DateTimeOffset From = new(2026, 3, 28, 18, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset To = From.AddHours(24);
    private static readonly ModelId Coder = new(ModelSource.Ollama, "qwen2.5-coder:1.5b");
    private static readonly ModelId Chat = new(ModelSource.Ollama, "llama3.2:3b");
    private static readonly TimeZoneInfo Madrid = TimeZoneInfo.CreateCustomTimeZone(
        "Madrid",
        TimeSpan.FromHours(1),
        "Madrid",
        "Madrid",
        "Madrid, summer",
        [
            TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
                DateTime.MinValue.Date,
                DateTime.MaxValue.Date,
                TimeSpan.FromHours(1),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday)),
        ]);

    [Theory]
    [InlineData(Speech.English, "nothing recorded yet")]
    [InlineData(Speech.Spanish, "todavía no hay nada registrado")]
    public void Says_that_there_is_nothing_yet(Speech speech, string expected) => Assert.Contains(expected, Texts(Draw([], [], speech)));

    [Theory]
    [InlineData(Speech.English, "Memory of models", "qwen2.5-coder:1.5b", "other programs", "limit of the models, 6.0 GB", "taken out for room", "0 GB", "16 GB")]
    [InlineData(Speech.Spanish, "Memoria de los modelos", "qwen2.5-coder:1.5b", "otros programas", "límite de los modelos, 6.0 GB", "sacado por falta de sitio", "0 GB", "16 GB")]
    public void Names_what_it_shows(Speech speech, params string[] expected)
    {
        var texts = Texts(Draw(Day(_ => [new(Coder, ByteSize.GiB(1.5))]), [Event(3, MemoryEventKind.Evict, "why")], speech));
        Assert.All(expected, text => Assert.Contains(text, texts));
    }

    // The night in which the clock is set forward: 02:00 is missing, and the hours around it are round.
    [Fact]
    public void Shows_round_hours_of_the_local_clock()
    {
        var texts = Texts(Draw(Day(_ => []), [], Speech.English));
        Assert.Equal(["20:00", "22:00", "03-29", "04:00", "06:00", "08:00", "10:00", "12:00", "14:00", "16:00", "18:00", "20:00"], texts.Where(text => AxisTime().IsMatch(text)));
    }

    [Theory]
    [InlineData(1.0, "19:15")]
    [InlineData(0.25, "19:05")]
    public void Shows_minutes_in_short_spans(double hours, string expected) =>
        Assert.Contains(expected, Texts(XDocument.Parse(HistoryPlot.Svg([], [], From, From.AddHours(hours), Madrid, Speech.English))));

    // Model names are what others type; whatever they are, the document is XML and they are text in it.
    [Theory]
    [InlineData("<script>alert(1)</script>", "<script>alert(1)</script>")]
    [InlineData("a&b\"'<x y=\"", "a&b\"'<x y=\"")]
    [InlineData("]]>\u0001\u0000\u001b[31m", "]]>   [31m")]
    [InlineData("right\u202eleft", "right left")]
    [InlineData("0123456789012345678901234567890123456789012345", "012345678901234567890123456789012345678…")]
    public void Texts_cannot_break_out(string name, string shown) => CheckName(name, shown);

    // Not as data: attributes hold no halves of pairs.
    [Fact]
    public void What_is_no_character_is_replaced() => CheckName("half \ud83d pair \uffff", "half \ufffd pair \ufffd");

    [Fact]
    public void Marks_what_happened_with_its_reason()
    {
        var drawn = Draw(Day(_ => []), [Event(6, MemoryEventKind.Evict, "To make room for llama3.2:3b."), Event(-1, MemoryEventKind.Crash, "before the span")], Speech.English);
        Assert.Contains("01:00 taken out for room: qwen2.5-coder:1.5b, 1.0 GB\nTo make room for llama3.2:3b.", Titles(drawn));
        Assert.DoesNotContain(Titles(drawn), title => title.Contains("before the span", StringComparison.Ordinal));
    }

    // The middle of the picture is a gap of six hours: no area may cross it.
    [Fact]
    public void Does_not_draw_over_gaps()
    {
        var drawn = Draw([.. Day(_ => [new(Coder, ByteSize.GiB(2))]).Where(sample => sample.At < From.AddHours(9) || From.AddHours(15) <= sample.At)], [], Speech.English);
        var (begin, end) = (Left + ((Right - Left) * 9 / 24), Left + ((Right - Left) * 15 / 24));
        var areas = Areas(drawn, Coder.Name);
        Assert.Equal(2, areas.Count);
        Assert.All(areas, area => Assert.True(area.Max(place => place.X) <= begin + 1 || end - 1 <= area.Min(place => place.X)));
        Assert.Contains(Titles(drawn), title => title.StartsWith("05:00–11:00: nothing recorded", StringComparison.Ordinal));
    }

    [Fact]
    public void A_pause_of_two_minutes_is_no_gap()
    {
        var drawn = Draw([.. Day(_ => [new(Coder, ByteSize.GiB(2))]).Where(sample => sample.At.Minute % 10 is not (3 or 4))], [], Speech.English);
        Assert.Single(Areas(drawn, Coder.Name));
    }

    // One sample of the day's 2881 is higher than all others, and must be seen.
    [Fact]
    public void Keeps_peaks_when_it_thins_out()
    {
        var drawn = Draw(Day(index => [new(Coder, ByteSize.GiB(index == 1234 ? 8 : 2 + (index % 7 * 0.01)))]), [], Speech.English);
        var area = Assert.Single(Areas(drawn, Coder.Name));
        Assert.Equal(Bottom - ((Bottom - 104) / 2), area.Min(place => place.Y), tolerance: 0.2);
        Assert.InRange(area.Count, 10, 2100); // there and back
    }

    [Fact]
    public void Stacks_the_largest_and_adds_up_the_rest()
    {
        var drawn = Draw(Day(_ => [.. Enumerable.Range(1, 10).Select(number => new ModelShare(new(ModelSource.Ollama, $"m{number}"), ByteSize.MiB(100 * number)))]), [], Speech.English);
        string[] legend = ["m10", "m9", "m8", "m7", "m6", "m5", "4 other models"];
        Assert.Equal(legend, Texts(drawn).Where(text => text.StartsWith('m') || text.Contains("other models", StringComparison.Ordinal)));
        var floor = Bottom;
        foreach (var name in legend)
        {
            var area = Assert.Single(Areas(drawn, name));
            Assert.Equal(floor, area.Max(place => place.Y), tolerance: 0.11);
            floor = area.Min(place => place.Y);
        }

        Assert.Equal(5500.0 / 1024 / 16 * (Bottom - 104), Bottom - floor, tolerance: 0.2);
    }

    [Fact]
    public void Is_of_bounded_size()
    {
        // Everything moves all the time, names are long, and much happens.
        var random = new Random(7);
        var ids = Enumerable.Range(0, 40).Select(number => new ModelId(ModelSource.Ollama, new string((char)('a' + (number % 26)), 200) + number)).ToList();
        var samples = Day(_ => [.. ids.Select(id => new ModelShare(id, ByteSize.MiB(random.Next(2) * random.Next(400))))], available: () => ByteSize.GiB(random.NextDouble() * 8));
        var events = Enumerable.Range(0, 5000).Select(number => new MemoryEvent(From.AddSeconds(number * 17), (MemoryEventKind)(number % 6), ids[number % 40], ByteSize.MiB(3), Phrase.Same(new string('&', 5000)))).ToList();
        var text = HistoryPlot.Svg(samples, events, From, To, Madrid, Speech.English);
        XDocument.Parse(text);
        Assert.InRange(text.Length, 10_000, 1_000_000);

        // And what is usual is small.
        Assert.InRange(HistoryPlot.Svg(Day(index => [new(Coder, ByteSize.GiB(index / 500 % 2))]), [], From, To, Madrid, Speech.English).Length, 2_000, 60_000);
    }

    // Nothing that a file could hold makes it fail.
    [Fact]
    public void Takes_strange_figures()
    {
        ByteSize[] sizes = [new(long.MinValue), new(-1), ByteSize.Zero, new(long.MaxValue)];
        List<MemorySample> samples =
        [
            .. from total in sizes
               from available in sizes
               from limit in sizes
               select new MemorySample(From.AddMinutes(1), total, available, limit, [new(Coder, limit), new(Coder, available), new(Chat, total)]),
        ];
        Assert.DoesNotContain("NaN", Draw(samples, [], Speech.English).ToString(), StringComparison.Ordinal);
        Draw([new(From, null, null, ByteSize.GiB(6), [])], [Event(0, MemoryEventKind.Refuse, null!)], Speech.Spanish);
    }

    private static void CheckName(string name, string shown)
    {
        ModelId hostile = new(ModelSource.Ollama, name);
        var drawn = Draw(Day(_ => [new(hostile, ByteSize.GiB(2))]), [new(From.AddHours(2), MemoryEventKind.Load, hostile, ByteSize.GiB(2), Phrase.Same(name))], Speech.English);
        Assert.Contains(shown, Texts(drawn));
        Assert.Contains(Titles(drawn), title => title.Contains(shown, StringComparison.Ordinal) && title.Contains("loaded", StringComparison.Ordinal));
        Assert.Equal(
            ["circle", "defs", "g", "path", "pattern", "rect", "svg", "text", "title"],
            drawn.Descendants().Select(element => element.Name.LocalName).Append("circle").Distinct().Order(StringComparer.Ordinal));
    }

    private static XDocument Draw(IReadOnlyList<MemorySample> samples, IReadOnlyList<MemoryEvent> events, Speech speech) =>
        XDocument.Parse(HistoryPlot.Svg(samples, events, From, To, Madrid, speech));

    private static List<MemorySample> Day(Func<int, IReadOnlyList<ModelShare>> models, Func<ByteSize>? available = null) =>
    [
        .. Enumerable.Range(0, 2881).Select(index => new MemorySample(
            From.AddSeconds(30 * index), ByteSize.GiB(16), available?.Invoke() ?? ByteSize.GiB(9), ByteSize.GiB(6), models(index))),
    ];

    private static MemoryEvent Event(double hours, MemoryEventKind kind, string reason) => new(From.AddHours(hours), kind, Coder, ByteSize.GiB(1), Phrase.Same(reason));

    private static List<string> Texts(XDocument drawn) => [.. drawn.Descendants(Svg + "text").Select(text => text.Value)];

    private static List<string> Titles(XDocument drawn) => [.. drawn.Descendants(Svg + "title").Select(title => title.Value)];

    // The corners of the areas that have this name.
    private static List<List<(double X, double Y)>> Areas(XDocument drawn, string name) =>
    [
        .. drawn.Descendants(Svg + "path").Where(path => path.Element(Svg + "title")?.Value == name).Select(path => Corner().Matches(path.Attribute("d")!.Value)
            .Select(match => (double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))).ToList()),
    ];

    [GeneratedRegex(@"[ML]([0-9.]+) ([0-9.]+)")]
    private static partial Regex Corner();

    [GeneratedRegex(@"^[0-9]{2}[:-][0-9]{2}$")]
    private static partial Regex AxisTime();
}
