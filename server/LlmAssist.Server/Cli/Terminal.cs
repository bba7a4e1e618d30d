// What verbs say and how it looks. The only file that knows the console library, and besides 'serve' the only owner of stdout.
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LlmAssist.Engine;
using Spectre.Console;

namespace LlmAssist.Server.Cli;

/// <summary>A column of a table.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="IsNumber">Whether its cells line up on the right.</param>
internal readonly record struct Column(Phrase Title, bool IsNumber = false)
{
    /// <summary>A column of numbers.</summary>
    public static Column Number(Phrase title) => new(title, IsNumber: true);
}

/// <summary>How far a long step is.</summary>
/// <param name="Fraction">0..1.</param>
/// <param name="What">What is being done; a terminal without a bar gets one line for each.</param>
/// <param name="Detail">What changes all the time: counts.</param>
internal readonly record struct Step(double Fraction, Phrase What, string Detail = "");

/// <summary>A part of a bar.</summary>
/// <param name="Amount">How much, of the bar's whole.</param>
/// <param name="Hue">Which color, from 0; negative for gray.</param>
internal readonly record struct BarPart(double Amount, int Hue);

/// <summary>A bar: parts of a whole, with a name before and figures behind it.</summary>
/// <param name="Whole">What a full bar means; above zero.</param>
internal sealed record Bar(Phrase Label, IReadOnlyList<BarPart> Parts, double Whole, string Figures);

/// <summary>Rows that belong to the parts of a bar: each begins with a sign in the color of its hue, or none.</summary>
internal sealed record HuedTable(IReadOnlyList<Column> Columns, IReadOnlyList<(int? Hue, IReadOnlyList<string> Cells)> Rows);

/// <summary>What a screen shows at one moment.</summary>
/// <param name="Lines">What stands below, the less important last.</param>
internal sealed record Picture(Phrase Title, IReadOnlyList<Bar> Bars, IReadOnlyList<HuedTable> Tables, IReadOnlyList<Phrase> Lines, Phrase Foot);

/// <summary>
/// Where verbs write. Results go to standard output, everything else (errors, remarks, progress) to standard error; with
/// <see cref="IsJson"/> standard output carries one JSON document and nothing else.
/// </summary>
internal sealed class Terminal
{
    private const int PlainWidth = 1000; // columns: what is read by programs is never wrapped
    private const int LeastBar = 10;
    private const int MostBar = 60;
    private const int LongestCodeLeft = 100; // of a line of code; the part next to the cursor is what matters

    private static readonly JsonWriterOptions JsonLayout = new()
    {
        Indented = true,
        NewLine = "\n",

        // Code is full of quotes and angle brackets; the document goes to a terminal or a file, not into HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // The palette of Okabe and Ito, which people who do not see all colors tell apart.
    private static readonly Color[] Hues = [new(86, 180, 233), new(230, 159, 0), new(0, 158, 115), new(204, 121, 167), new(0, 114, 178), new(213, 94, 0), new(240, 228, 66)];

    private readonly TextWriter _rawOutput;
    private readonly TextReader? _input;
    private readonly IAnsiConsole _output;
    private readonly IAnsiConsole _error;
    private readonly bool _isOutputRich;
    private readonly bool _isErrorRich;

    private Terminal(TextWriter output, bool isOutputRich, TextWriter error, bool isErrorRich, TextReader? input, Speech speech)
    {
        _rawOutput = output;
        _input = input;
        _output = ConsoleOn(output, isOutputRich);
        _error = ConsoleOn(error, isErrorRich);
        _isOutputRich = isOutputRich;
        _isErrorRich = isErrorRich;
        Speech = speech;
    }

    /// <summary>A terminal without color or movement: a pipe, a file, a test.</summary>
    public Terminal(TextWriter output, TextWriter error, Speech speech)
        : this(output, isOutputRich: false, error, isErrorRich: false, input: null, speech)
    {
    }

    /// <summary>A terminal with color and movement that is this wide, for tests.</summary>
    internal static Terminal Rich(TextWriter output, TextWriter error, Speech speech, int width)
    {
        var terminal = new Terminal(output, isOutputRich: true, error, isErrorRich: false, input: null, speech);
        terminal._output.Profile.Capabilities.Ansi = true;
        terminal._output.Profile.Capabilities.Interactive = true;
        terminal._output.Profile.Width = width;
        terminal._output.Profile.Height = 40;
        return terminal;
    }

    /// <summary>The user's language.</summary>
    public Speech Speech { get; }

    /// <summary>Whether a program reads standard output. Set once, when the arguments are known.</summary>
    public bool IsJson { get; set; }

    /// <summary>Whether somebody is there to be asked.</summary>
    public bool IsInteractive => _input is not null && !IsJson;

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess()
    {
        var isPlain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Environment.GetEnvironmentVariable("TERM") == "dumb";
        if (OperatingSystem.IsWindows())
        {
            Console.OutputEncoding = Encoding.UTF8;
        }

#pragma warning disable RS0030 // This is the place that owns stdout for verbs.
        var output = Console.Out;
#pragma warning restore RS0030
        return new(
            output,
            !isPlain && !Console.IsOutputRedirected,
            Console.Error,
            !isPlain && !Console.IsErrorRedirected,
            Console.IsInputRedirected || Console.IsOutputRedirected ? null : Console.In,
            ServeVerb.SpeechOfProcess());
    }

    /// <summary>The one document of a verb that was asked for JSON.</summary>
    public void Json<T>(T value, JsonTypeInfo<T> type)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, JsonLayout))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        _rawOutput.WriteLine(Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length));
    }

    /// <summary>A line of the result.</summary>
    public void Say(Phrase phrase) => _output.WriteLine(phrase.In(Speech));

    /// <summary>An empty line.</summary>
    public void Gap() => _output.WriteLine();

    /// <summary>A heading within the result.</summary>
    public void Heading(Phrase phrase)
    {
        _output.WriteLine();
        _output.Write(new Text(phrase.In(Speech) + "\n", new Style(decoration: Decoration.Bold)));
    }

    /// <summary>A line of the result that matters less.</summary>
    public void Aside(Phrase phrase) => _output.Write(new Text(Visible(phrase.In(Speech)) + "\n", new Style(decoration: Decoration.Dim)));

    /// <summary>A remark beside the result.</summary>
    public void Remark(Phrase phrase) => _error.WriteLine(phrase.In(Speech));

    /// <summary>Why it did not succeed.</summary>
    public void Fail(Phrase phrase)
    {
        _error.Write(new Text("error: ", new Style(Color.Red)));
        _error.WriteLine(phrase.In(Speech));
    }

    /// <summary>Rows under headings.</summary>
    public void Table(IReadOnlyList<Column> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.Simple, UseSafeBorder = true };
        foreach (var column in columns)
        {
            var shown = new TableColumn(new Text(column.Title.In(Speech)));
            table.AddColumn(column.IsNumber ? shown.RightAligned() : shown);
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(static cell => new Text(Visible(cell))));
        }

        _output.Write(table);
    }

    /// <summary>Names and values, one pair a line.</summary>
    public void Facts(IEnumerable<(Phrase Label, string Value)> facts)
    {
        var grid = new Grid();
        grid.AddColumn(new GridColumn().NoWrap());
        grid.AddColumn();
        foreach (var (label, value) in facts)
        {
            grid.AddRow(new Text(label.In(Speech), new Style(decoration: Decoration.Dim)), new Text(Visible(value)));
        }

        _output.Write(grid);
    }

    /// <summary>A line of code with what is suggested behind it: dimmed, or in ⟦brackets⟧ where there is no color.</summary>
    public void Suggestion(string before, string suggestion)
    {
        var left = Visible(before);
        left = "    " + (LongestCodeLeft < left.Length ? "…" + left[^LongestCodeLeft..] : left);
        if (!_isOutputRich)
        {
            _output.WriteLine(suggestion.Length == 0 ? left : $"{left}⟦{Visible(suggestion)}⟧");
            return;
        }

        _output.Write(new Paragraph().Append(left).Append(Visible(suggestion), new Style(Color.Aqua, decoration: Decoration.Dim | Decoration.Italic)).Append("\n"));
    }

    /// <summary>Does something that takes a while, and shows how far it is on standard error.</summary>
    public T Watching<T>(Func<IProgress<Step>, T> work) => WatchingAsync(progress => Task.FromResult(work(progress))).GetAwaiter().GetResult();

    /// <summary>The same for what others do.</summary>
    public async Task<T> WatchingAsync<T>(Func<IProgress<Step>, Task<T>> work)
    {
        if (!_isErrorRich)
        {
            string? last = null;
            return await work(new Reports(step =>
            {
                var what = step.What.In(Speech);
                if (what != last)
                {
                    _error.WriteLine(what);
                    last = what;
                }
            }));
        }

        return await _error.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask("…", maxValue: 1);
                return await work(new Reports(step =>
                {
                    bar.Value = step.Fraction;
                    bar.Description = Markup.Escape($"{step.What.In(Speech)} {step.Detail}".TrimEnd());
                }));
            });
    }

    /// <summary>Waits for something of which nobody knows how long it takes, and shows on standard error how long it has taken so far.</summary>
    public async Task<T> WaitingAsync<T>(Phrase what, Func<Task<T>> work)
    {
        if (!_isErrorRich)
        {
            _error.WriteLine(what.In(Speech));
            return await work();
        }

        return await _error.Progress()
            .AutoClear(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ElapsedTimeColumn())
            .StartAsync(async progress =>
            {
                progress.AddTask(Markup.Escape(what.In(Speech))).IsIndeterminate = true;
                return await work();
            });
    }

    /// <summary>Asks for a yes; anything else is a no.</summary>
    public bool Confirm(Phrase question)
    {
        _error.Write(new Text(question.In(Speech) + (Speech == Speech.Spanish ? " [s/N] " : " [y/N] ")));
        var answer = _input?.ReadLine()?.Trim();
        return answer is not null && (answer.Equals("y", StringComparison.OrdinalIgnoreCase)
            || answer.Equals("yes", StringComparison.OrdinalIgnoreCase)
            || (Speech == Speech.Spanish && answer.ToLowerInvariant() is "s" or "si" or "sí"));
    }

    /// <summary>Whether there is a screen on which something can change in place.</summary>
    public bool IsScreen => _isOutputRich;

    /// <summary>Shows a picture and replaces it in place by the next, until one of both functions fails or is canceled.</summary>
    /// <param name="next">Composes the picture of this moment.</param>
    /// <param name="pause">What lies between two pictures.</param>
    public async Task LiveAsync(Func<Task<Picture>> next, Func<Task> pause)
    {
        var first = Rendered(await next());
        await _output.Live(first).Overflow(VerticalOverflow.Ellipsis).Cropping(VerticalOverflowCropping.Bottom).StartAsync(async live =>
        {
            live.Refresh();
            while (true)
            {
                await pause();
                live.UpdateTarget(Rendered(await next()));
            }
        });
    }

    /// <summary>For libraries that print texts of their own.</summary>
    public TextWriter RawOutput => _rawOutput;

    private static IAnsiConsole ConsoleOn(TextWriter writer, bool isRich)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isRich ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isRich ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isRich ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!isRich)
        {
            console.Profile.Width = PlainWidth;
        }

        return console;
    }

    private Rows Rendered(Picture picture)
    {
        var labels = picture.Bars.Select(bar => bar.Label.In(Speech).Length).DefaultIfEmpty(0).Max();
        var figures = picture.Bars.Select(static bar => bar.Figures.Length).DefaultIfEmpty(0).Max();
        var width = Math.Clamp(_output.Profile.Width - labels - figures - 5, LeastBar, MostBar);
        var parts = new List<Spectre.Console.Rendering.IRenderable> { new Text(picture.Title.In(Speech), new Style(decoration: Decoration.Bold)), Text.Empty };
        foreach (var bar in picture.Bars)
        {
            parts.Add(Rendered(bar, labels, width));
        }

        foreach (var huedTable in picture.Tables.Where(static table => table.Rows.Count != 0))
        {
            var table = new Table { Border = TableBorder.Simple, UseSafeBorder = true };
            table.AddColumn(new TableColumn(" ") { Padding = new Padding(1, 0, 0, 0) });
            foreach (var column in huedTable.Columns)
            {
                var shown = new TableColumn(new Text(column.Title.In(Speech)));
                table.AddColumn(column.IsNumber ? shown.RightAligned() : shown);
            }

            foreach (var (hue, cells) in huedTable.Rows)
            {
                table.AddRow([hue is { } known ? new Text("■", new Style(ColorOf(known))) : Text.Empty, .. cells.Select(static cell => new Text(Visible(cell)))]);
            }

            parts.Add(table);
        }

        parts.AddRange(picture.Lines.Select(line => new Text(Visible(line.In(Speech)))));
        parts.Add(new Text(picture.Foot.In(Speech), new Style(decoration: Decoration.Dim)));
        return new(parts);
    }

    private Paragraph Rendered(Bar bar, int labelWidth, int width)
    {
        var shown = new Paragraph().Append(bar.Label.In(Speech).PadRight(labelWidth) + "  ", new Style(decoration: Decoration.Dim));
        var (sum, filled) = (0.0, 0);
        foreach (var part in bar.Parts)
        {
            // Rounded by their sums, so that many small parts do not make the bar too long.
            sum += part.Amount;
            var end = Math.Clamp((int)Math.Round(sum / bar.Whole * width), filled, width);
            shown.Append(new string('█', end - filled), new Style(ColorOf(part.Hue)));
            filled = end;
        }

        return shown.Append(new string('░', width - filled), new Style(decoration: Decoration.Dim)).Append("  " + bar.Figures);
    }

    private static Color ColorOf(int hue) => hue < 0 ? Color.Grey : Hues[hue % Hues.Length];

    // Text of files must not steer the terminal.
    private static string Visible(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\0', '\u001f') && !text.AsSpan().ContainsAnyInRange('\u007f', '\u009f'))
        {
            return text;
        }

        var visible = new StringBuilder(text.Length + 16);
        foreach (var unit in text)
        {
            _ = unit switch
            {
                '\t' => visible.Append("    "),
                '\n' => visible.Append('⏎'),
                _ => visible.Append(char.IsControl(unit) ? '·' : unit),
            };
        }

        return visible.ToString();
    }

    // On the calling thread and in order, unlike Progress<T>.
    private sealed class Reports(Action<Step> report) : IProgress<Step>
    {
        public void Report(Step value) => report(value);
    }
}

/// <summary>How numbers are written: grouped by spaces, with a decimal point, alike in both languages.</summary>
internal static class Figures
{
    private static readonly NumberFormatInfo Format = new() { NumberGroupSeparator = "\u00a0", NumberDecimalSeparator = "." };

    /// <summary>A count: <c>12 345</c>.</summary>
    public static string Count(long count) => count.ToString("N0", Format);

    /// <summary>A share of 0..1: <c>63.1 %</c>.</summary>
    public static string Share(double share) => (100 * share).ToString("N1", Format) + "\u00a0%";

    /// <summary>A number with so many decimals.</summary>
    public static string Number(double number, int decimals) => number.ToString("N" + decimals.ToString(CultureInfo.InvariantCulture), Format);

    /// <summary>The time of something that others do: <c>340 ms</c>, <c>2.4 s</c>.</summary>
    public static string Duration(TimeSpan time) =>
        time < TimeSpan.FromSeconds(1) ? Count((long)Math.Round(time.TotalMilliseconds)) + "\u00a0ms" : Number(time.TotalSeconds, 1) + "\u00a0s";

    /// <summary>A short time: <c>412 µs</c>.</summary>
    public static string Microseconds(TimeSpan time) => Count((long)Math.Round(time.TotalMicroseconds)) + "\u00a0µs";
}
