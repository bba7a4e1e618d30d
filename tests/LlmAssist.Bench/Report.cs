// The figures as a table in the terminal, as a page of the documents, and as JSON. Measures nothing.
using System.Text;
using System.Text.Json.Nodes;
using LlmAssist.Engine;
using Spectre.Console;

namespace LlmAssist.Bench;

/// <summary>What a figure should be.</summary>
/// <param name="Value">The bound, in the figure's unit.</param>
/// <param name="IsLeast">Whether the figure should be at least that; otherwise at most.</param>
internal readonly record struct Goal(double Value, bool IsLeast = false)
{
    public bool IsMetBy(double value) => IsLeast ? Value <= value : value <= Value;
}

/// <summary>A row of the table.</summary>
/// <param name="Key">Its name in the JSON.</param>
/// <param name="What">What was measured.</param>
/// <param name="Unit">Of the values; empty for shares.</param>
/// <param name="Sample">The values.</param>
/// <param name="Goal">What they should be; null where nothing was promised.</param>
/// <param name="How">How it was measured.</param>
internal sealed record Measure(string Key, Phrase What, string Unit, Sample Sample, Goal? Goal, Phrase How)
{
    public string Value => $"{Sample.Text(Sample.Median)} {Unit}".TrimEnd();

    public string Spread => Sample.Values.Count == 1 ? "" : $"{Sample.Text(Sample.Least)}–{Sample.Text(Sample.Most)} (n={Sample.Values.Count})";

    public bool? IsMet => Goal?.IsMetBy(Sample.Median);

    public string GoalText => Goal is { } goal
        ? $"{(goal.IsLeast ? "≥" : "≤")} {goal.Value} {Unit}".TrimEnd() + (IsMet == true ? " ✓" : " ✗")
        : "";
}

/// <summary>Figures that are to be compared with each other rather than with a goal.</summary>
/// <param name="Key">Its name in the JSON.</param>
/// <param name="Heading">What it is about.</param>
/// <param name="Text">How it was measured.</param>
/// <param name="Columns">Their names.</param>
/// <param name="Rows">Cells, as many as columns.</param>
internal sealed record ReportTable(string Key, Phrase Heading, Phrase Text, IReadOnlyList<Phrase> Columns, IReadOnlyList<IReadOnlyList<Phrase>> Rows);

/// <summary>Everything that was found out.</summary>
/// <param name="Machine">What it was found out on: name and value.</param>
/// <param name="Corpus">What the models were trained on, in words.</param>
/// <param name="Measures">In the order of the table.</param>
/// <param name="Tables">Behind them.</param>
internal sealed record Report(IReadOnlyList<(string Name, string Value)> Machine, string Corpus, IReadOnlyList<Measure> Measures, IReadOnlyList<ReportTable> Tables)
{
    private const int LeastWidth = 160; // columns; narrower tables break numbers

    private static readonly Phrase[] Columns =
    [
        new("Measure", "Medida"), new("Value", "Valor"), new("Spread", "Dispersión"), new("Goal", "Objetivo"), new("How", "Cómo"),
    ];

    public void Print(Speech speech)
    {
        var console = AnsiConsole.Console;
        console.Profile.Width = Math.Max(console.Profile.Width, LeastWidth);
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in Columns)
        {
            table.AddColumn(new TableColumn(column.In(speech)));
        }

        foreach (var measure in Measures)
        {
            var color = measure.IsMet switch { true => "green", false => "red", _ => "default" };
            table.AddRow(
                Markup.Escape(measure.What.In(speech)),
                $"[{color}]{Markup.Escape(measure.Value)}[/]",
                Markup.Escape(measure.Spread),
                $"[{color}]{Markup.Escape(measure.GoalText)}[/]",
                Markup.Escape(measure.How.In(speech) ?? ""));
        }

        console.Write(table);
        foreach (var further in Tables)
        {
            Print(console, further, speech);
        }

        foreach (var (name, value) in Machine)
        {
            console.WriteLine($"{name}: {value}");
        }

        console.WriteLine($"Corpus: {Corpus}");
    }

    private static void Print(IAnsiConsole console, ReportTable further, Speech speech)
    {
        console.WriteLine(further.Heading.In(speech));
        console.WriteLine(further.Text.In(speech));
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in further.Columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(column.In(speech))));
        }

        foreach (var row in further.Rows)
        {
            table.AddRow([.. row.Select(cell => Markup.Escape(cell.In(speech)))]);
        }

        console.Write(table);
    }

    public string ToMarkdown()
    {
        var page = new StringBuilder();
        page.Append(
            """
            # Benchmarks

            Written by `npm run bench`, which anyone can repeat: it fetches the corpus named below, builds the server, and measures it as an editor gets it. A value is the median of its runs, the spread their least and most; a percentile is taken in each run. MB are 10^6 bytes, MiB 2^20.


            """);
        foreach (var (name, value) in Machine)
        {
            page.Append($"- {name}: {value}\n");
        }

        page.Append($"- Corpus: {Corpus}\n\n");
        page.Append(Row(Columns.Select(column => column.English)));
        page.Append("|---|--:|---|---|---|\n");
        foreach (var measure in Measures)
        {
            page.Append(Row([measure.What.English, measure.Value, measure.Spread, measure.GoalText, measure.How.English]));
        }

        foreach (var table in Tables)
        {
            page.Append($"\n## {table.Heading.English}\n\n{table.Text.English}\n\n");
            page.Append(Row(table.Columns.Select(column => column.English)));
            page.Append($"|{string.Concat(table.Columns.Select(static _ => "---|"))}\n");
            foreach (var row in table.Rows)
            {
                page.Append(Row(row.Select(cell => cell.English)));
            }
        }

        return page.ToString();

        static string Row(IEnumerable<string?> cells) => $"| {string.Join(" | ", cells.Select(cell => (cell ?? "").Replace("|", "\\|", StringComparison.Ordinal)))} |\n";
    }

    public string ToJson() => new JsonObject
    {
        ["machine"] = new JsonObject(Machine.Select(fact => KeyValuePair.Create(fact.Name, (JsonNode?)fact.Value))),
        ["corpus"] = Corpus,
        ["measures"] = new JsonArray([.. Measures.Select(measure => new JsonObject
        {
            ["key"] = measure.Key,
            ["what"] = measure.What.English,
            ["unit"] = measure.Unit,
            ["median"] = measure.Sample.Median,
            ["least"] = measure.Sample.Least,
            ["most"] = measure.Sample.Most,
            ["runs"] = measure.Sample.Values.Count,
            ["goal"] = measure.Goal?.Value,
            ["isMet"] = measure.IsMet,
            ["how"] = measure.How.English,
        })]),
        ["tables"] = new JsonObject(Tables.Select(table => KeyValuePair.Create(table.Key, (JsonNode?)new JsonArray([.. table.Rows.Select(row =>
            new JsonObject(table.Columns.Zip(row, static (column, cell) => KeyValuePair.Create(column.English, (JsonNode?)cell.English))))])))),
    }.ToJsonString(new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
