// 'complete': asks for one place what an editor would ask.
using System.CommandLine;
using System.CommandLine.Parsing;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Server.Cli;

/// <summary>A place in a file as editors show it.</summary>
/// <param name="File">Its path.</param>
/// <param name="Line">1-based.</param>
/// <param name="Column">1-based, in UTF-16 code units.</param>
internal sealed record CursorPlace(string File, int Line, int Column)
{
    /// <summary>Reads <c>FILE:LINE:COLUMN</c>; null if it is not that. The file may have colons of its own.</summary>
    public static CursorPlace? Parse(string text)
    {
        var second = text.LastIndexOf(':');
        var first = second <= 0 ? -1 : text.LastIndexOf(':', second - 1);
        return 0 < first
            && int.TryParse(text.AsSpan(first + 1, second - first - 1), out var line) && 1 <= line
            && int.TryParse(text.AsSpan(second + 1), out var column) && 1 <= column
            ? new(text[..first], line, column)
            : null;
    }

    /// <summary>The offset of this place in <paramref name="text"/>.</summary>
    /// <exception cref="UserException">The text has no such place.</exception>
    public int OffsetIn(SourceText text)
    {
        if (text.LineCount < Line)
        {
            throw new UserException(new(
                $"{File} has {text.LineCount} lines; line {Line} was asked for.",
                $"{File} tiene {text.LineCount} líneas; se pidió la línea {Line}."));
        }

        var length = text.Line(Line - 1).Length;
        return Column <= length + 1
            ? text.LineStart(Line - 1) + Column - 1
            : throw new UserException(new(
                $"Line {Line} of {File} has columns 1 to {length + 1}; column {Column} was asked for.",
                $"La línea {Line} de {File} tiene las columnas 1 a {length + 1}; se pidió la columna {Column}."));
    }
}

/// <summary>Completes at one place.</summary>
internal static class CompleteVerb
{
    private const int DefaultListLength = 10;

    /// <summary>The verb with its arguments.</summary>
    public static Command Command(VerbContext context)
    {
        var place = new Argument<CursorPlace>("FILE:LINE:COLUMN")
        {
            Description = context.Text(new("The cursor; lines and columns count from 1", "El cursor; las líneas y las columnas se cuentan desde 1")),
            CustomParser = result =>
            {
                var given = result.Tokens[0].Value;
                if (CursorPlace.Parse(given) is { } parsed)
                {
                    return parsed;
                }

                result.AddError(context.Text(new(
                    $"'{given}' is not a place. Expected FILE:LINE:COLUMN, for example src/main.py:12:9.",
                    $"«{given}» no es un lugar. Se esperaba ARCHIVO:LÍNEA:COLUMNA, por ejemplo src/main.py:12:9.")));
                return null;
            },
        };
        var model = new Option<string?>("--model")
        {
            HelpName = "NAME",
            Description = context.Text(new(
                "Which model; if not given, the newest learned from a folder that holds the file, else the newest",
                "Qué modelo; si no se indica, el más reciente aprendido de una carpeta que contenga el archivo o, si no, el más reciente")),
        };
        var inline = new Option<bool>("--inline") { Description = context.Text(new("Only the continuation of the line", "Solo la continuación de la línea")) };
        var list = new Option<bool>("--list") { Description = context.Text(new("Only the words that fit", "Solo las palabras que encajan")) };
        var top = context.Whole("--top", "K", 1, 1000, new($"How many words at the most; {DefaultListLength} if not given", $"Cuántas palabras como máximo; {DefaultListLength} si no se indica"));
        var command = new Command("complete", context.Text(new("Complete code at one place of a file", "Completar código en un lugar de un archivo"))) { place, model, inline, list, top };
        command.Validators.Add(result =>
        {
            if (result.GetValue(inline) && result.GetValue(list))
            {
                result.AddError(context.Text(new(
                    "--inline and --list were both given; expected one of them, or none for both surfaces.",
                    "Se indicaron --inline y --list a la vez; se esperaba uno de los dos, o ninguno para ambos.")));
            }
        });
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(
            context,
            parsed.GetRequiredValue(place),
            parsed.GetValue(model),
            parsed.GetValue(list) ? [CompletionSurface.List] : parsed.GetValue(inline) ? [CompletionSurface.Inline] : [CompletionSurface.Inline, CompletionSurface.List],
            new() { ListLength = parsed.GetValue(top) ?? DefaultListLength },
            cancellation)));
        return command;
    }

    /// <summary>Answers a query as a server does that has been running for a while.</summary>
    /// <remarks>The first query of a process waits for code to be compiled and for pages to come in; its time says nothing, so it is asked twice.</remarks>
    public static CompletionReport CompleteWarm(CompletionEngine engine, CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        engine.CompleteAsync(query with { Uri = query.Uri + "#warm" }, settings, cancellation).AsTask().GetAwaiter().GetResult();
        engine.Forget(query.Uri + "#warm");
        return engine.CompleteAsync(query, settings, cancellation).AsTask().GetAwaiter().GetResult();
    }

    private static int Run(VerbContext context, CursorPlace place, string? modelName, IReadOnlyList<CompletionSurface> surfaces, CompletionSettings settings, CancellationToken cancellation)
    {
        var path = Path.GetFullPath(place.File);
        if (!File.Exists(path))
        {
            throw new UserException(new(
                $"{path} is not a file. Name an existing source file, and the place in it: FILE:LINE:COLUMN.",
                $"{path} no es un archivo. Indique un archivo fuente existente y el lugar en él: ARCHIVO:LÍNEA:COLUMNA."));
        }

        var text = new SourceText(File.ReadAllText(path));
        var query = new CompletionQuery
        {
            Uri = path,
            Language = Language.ByPath(path),
            Text = text,
            Offset = place.OffsetIn(text),
            Surface = surfaces[0],
            IsExplicit = true,
        };
        var store = context.OpenStore();
        using var host = new ModelHost(store, context.Time);
        string? used = null;
        if (Choose(context, store, modelName, path) is { } model)
        {
            used = model.Id.Name;
            host.Adopt(model);
        }

        var engine = new CompletionEngine(host, context.Time);
        var reports = surfaces.Select(surface => CompleteWarm(engine, query with { Surface = surface }, settings, cancellation)).ToList();
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(
                new CompleteAnswer(
                    path,
                    place.Line,
                    place.Column,
                    (long)reports.Sum(report => report.Elapsed.TotalMicroseconds),
                    [.. reports.SelectMany(report => report.Items.Select(item => ItemOf(report, item, query.Offset)))],
                    reports.TrueForAll(report => report.Items.Count == 0) && reports[0].Why is { } why ? context.Text(why) : null),
                CliJson.Default.CompleteAnswer);
            return ExitCode.Success;
        }

        var line = text.Content[text.LineStart(place.Line - 1)..query.Offset];
        foreach (var report in reports)
        {
            Show(context, report, line, query.Offset);
        }

        context.Terminal.Aside(used is null ? new("No model; only this file was read.", "Sin modelo; solo se leyó este archivo.") : new($"Model: {used}", $"Modelo: {used}"));
        return ExitCode.Success;
    }

    /// <summary>What a candidate inserts: at the cursor for a line, the whole word for the list.</summary>
    public static string TextOf(CompletionReport report, Candidate item, int offset) =>
        report.Surface == CompletionSurface.Inline ? item.Text[Math.Min(item.Text.Length, offset - item.ReplaceStart)..] : item.Text;

    private static CompleteItem ItemOf(CompletionReport report, Candidate item, int offset) => new(
        TextOf(report, item, offset),
        "pattern",
        item.Confidence,
        report.Surface == CompletionSurface.Inline ? "inline" : "list");

    private static void Show(VerbContext context, CompletionReport report, string line, int offset)
    {
        var terminal = context.Terminal;
        if (report.Items.Count == 0)
        {
            terminal.Suggestion(line, "");
            terminal.Say(report.Why ?? new("Nothing fits here.", "Nada encaja aquí."));
            return;
        }

        if (report.Surface == CompletionSurface.Inline)
        {
            var item = report.Items[0];
            terminal.Suggestion(line, TextOf(report, item, offset));
            terminal.Aside(new(
                $"confidence {Figures.Share(item.Confidence)}, {Figures.Microseconds(report.Elapsed)}",
                $"confianza {Figures.Share(item.Confidence)}, {Figures.Microseconds(report.Elapsed)}"));
            return;
        }

        terminal.Table(
            [new(new("word", "palabra")), Column.Number(new("confidence", "confianza"))],
            report.Items.Select(item => (string[])[item.Text, Figures.Share(item.Confidence)]));
        terminal.Aside(Phrase.Same(Figures.Microseconds(report.Elapsed)));
    }

    // By name; else the newest that has learned from a folder with this file; else the newest. Null if there is none.
    private static PatternModel? Choose(VerbContext context, PatternStore store, string? name, string path)
    {
        if (name is not null)
        {
            return PatternModel.Open(store.Resolve(name).Path);
        }

        PatternModel? newest = null;
        foreach (var stored in store.List().OrderByDescending(model => model.CreatedAt))
        {
            PatternModel? model = null;
            try
            {
                model = PatternModel.Open(stored.Path);
                if (model.Provenance.Folders.Any(folder => IsIn(path, folder)))
                {
                    newest?.Dispose();
                    return model;
                }
            }
            catch (PatternFileException exception)
            {
                model?.Dispose();
                store.Quarantine(stored.Path);
                context.TellSetAside(exception);
                continue;
            }

            if (newest is null)
            {
                newest = model;
            }
            else
            {
                model.Dispose();
            }
        }

        return newest;
    }

    private static bool IsIn(string path, string folder)
    {
        var comparison = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        var normalized = PatternStore.NormalizedFolder(folder);
        return path.Equals(normalized, comparison)
            || path.StartsWith(Path.EndsInDirectorySeparator(normalized) ? normalized : normalized + Path.DirectorySeparatorChar, comparison);
    }
}
