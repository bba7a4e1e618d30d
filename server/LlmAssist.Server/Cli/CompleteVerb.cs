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
    private static readonly TimeSpan Finished = TimeSpan.FromMinutes(5);
    private static readonly string[] Sources = ["pattern", "ollama", "auto"];

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
        var source = new Option<string?>("--source")
        {
            HelpName = "auto|pattern|ollama",
            Description = context.Text(new(
                "Who is asked; pattern if not given, so that nobody is asked over the network unless you say so; auto if --ollama or --ollama-model is given",
                "A quién se pregunta; pattern si no se indica, para no preguntar a nadie por la red sin que usted lo diga; auto si se indica --ollama u --ollama-model")),
        };
        var command = new Command("complete", context.Text(new("Complete code at one place of a file", "Completar código en un lugar de un archivo"))) { place, model, inline, list, top, source };
        var ollama = new OllamaFlags(context).AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(inline) && result.GetValue(list))
            {
                result.AddError(context.Text(new(
                    "--inline and --list were both given; expected one of them, or none for both surfaces.",
                    "Se indicaron --inline y --list a la vez; se esperaba uno de los dos, o ninguno para ambos.")));
            }

            if (result.GetValue(source) is { } given && !Sources.Contains(given))
            {
                result.AddError(context.Text(new(
                    $"--source was given '{given}'; expected auto, pattern or ollama.",
                    $"--source recibió «{given}»; se esperaba auto, pattern u ollama.")));
            }

            if (result.GetValue(source) == "ollama" && result.GetValue(list))
            {
                result.AddError(context.Text(new(
                    "--list and --source ollama were both given; models of Ollama propose lines, not words. Leave one of them out.",
                    "Se indicaron --list y --source ollama a la vez; los modelos de Ollama proponen líneas, no palabras. Omita uno de los dos.")));
            }
        });
        command.SetAction((parsed, cancellation) => RunAsync(
            context,
            new(
                parsed.GetRequiredValue(place),
                parsed.GetValue(model),
                parsed.GetValue(source) ?? (ollama.AreGiven(parsed.CommandResult) ? "auto" : "pattern"),
                parsed.GetValue(list) ? [CompletionSurface.List] : parsed.GetValue(inline) ? [CompletionSurface.Inline] : [CompletionSurface.Inline, CompletionSurface.List]),
            host => ollama.Prepare(parsed, host),
            new() { ListLength = parsed.GetValue(top) ?? DefaultListLength },
            cancellation));
        return command;
    }

    /// <summary>As long as a verb waits for a model of Ollama: until it has finished.</summary>
    public static Patience Unhurried { get; } = new() { Beside = Finished, Alone = Finished, Asked = Finished, Linger = TimeSpan.FromMilliseconds(200) };

    /// <summary>Has pattern models answer a query as in a server that has been running for a while.</summary>
    /// <remarks>The first query of a process waits for code to be compiled and for pages to come in; its time says nothing, so it is asked twice.</remarks>
    public static async Task<CompletionReport> CompleteWarmAsync(CompletionEngine engine, CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        await WarmAsync(engine, query, settings, cancellation);
        return await engine.CompleteAsync(query, settings with { AsksOllama = false }, cancellation);
    }

    /// <summary>Has the code compiled that a query needs, and the pages of pattern models brought in.</summary>
    public static async Task WarmAsync(CompletionEngine engine, CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        await engine.CompleteAsync(query with { Uri = query.Uri + "#warm" }, settings with { AsksOllama = false }, cancellation);
        engine.Forget(query.Uri + "#warm");
    }

    private static async Task<int> RunAsync(VerbContext context, Request request, Func<ModelHost, OllamaVisit> prepare, CompletionSettings settings, CancellationToken cancellation)
    {
        var place = request.Place;
        var path = Path.GetFullPath(place.File);
        if (!File.Exists(path))
        {
            throw new UserException(new(
                $"{path} is not a file. Name an existing source file, and the place in it: FILE:LINE:COLUMN.",
                $"{path} no es un archivo. Indique un archivo fuente existente y el lugar en él: ARCHIVO:LÍNEA:COLUMNA."));
        }

        var text = new SourceText(await File.ReadAllTextAsync(path, cancellation));
        var query = new CompletionQuery
        {
            Uri = path,
            Language = Language.ByPath(path),
            Text = text,
            Path = Path.GetFileName(path),
            Repository = Path.GetFileName(Path.GetDirectoryName(path)) ?? "",
            Offset = place.OffsetIn(text),
            Surface = CompletionSurface.Inline,
            IsExplicit = true,
        };
        var store = context.OpenStore();
        using var host = new ModelHost(store, context.Time);
        string? used = null;
        if (Choose(context, store, request.Model, path) is { } model)
        {
            used = model.Id.Name;
            host.Adopt(model);
        }

        using var visit = request.Source == "pattern" ? null : prepare(host);
        var use = visit is null ? null : await visit.UseAsync(cancellation);
        using var engine = new CompletionEngine(host, context.Time, visit?.Host);
        settings = visit is null ? settings : settings with { Sampling = visit.Sampling, Patience = Unhurried };
        var asked = new Asked();
        if (request.Surfaces.Contains(CompletionSurface.Inline))
        {
            if (use is null)
            {
                asked.Line = await CompleteWarmAsync(engine, query, settings, cancellation);
            }
            else
            {
                await WarmAsync(engine, query, settings, cancellation);
                asked.Lanes = await LineTrial.AskAsync(engine, query, settings, cancellation);
            }
        }

        if (request.Surfaces.Contains(CompletionSurface.List) && request.Source != "ollama")
        {
            asked.Words = await CompleteWarmAsync(engine, query with { Surface = CompletionSurface.List }, settings, cancellation);
        }

        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(AnswerOf(context, request, path, query.Offset, asked), CliJson.Default.CompleteAnswer);
            return ExitCode.Success;
        }

        var line = text.Content[text.LineStart(place.Line - 1)..query.Offset];
        if (asked.Lanes is { } lanes)
        {
            ShowLanes(context, request.Source, lanes, line);
        }

        foreach (var report in new[] { asked.Line, asked.Words }.OfType<CompletionReport>())
        {
            Show(context, report, line, query.Offset);
        }

        context.Terminal.Aside(used is null ? new("No model; only this file was read.", "Sin modelo; solo se leyó este archivo.") : new($"Model: {used}", $"Modelo: {used}"));
        if (use is not null)
        {
            context.Terminal.Aside(new(
                $"Model of Ollama: {use.Name}, {Figures.Count(use.ContextTokens)} tokens of context",
                $"Modelo de Ollama: {use.Name}, {Figures.Count(use.ContextTokens)} tokens de contexto"));
        }

        return ExitCode.Success;
    }

    /// <summary>What a candidate inserts: at the cursor for a line, the whole word for the list.</summary>
    public static string TextOf(CompletionReport report, Candidate item, int offset) =>
        report.Surface == CompletionSurface.Inline ? item.Text[Math.Min(item.Text.Length, offset - item.ReplaceStart)..] : item.Text;

    /// <summary>What a lane is called: in JSON, and where people read it.</summary>
    public static string NameOf(CompletionLane lane) => lane == CompletionLane.Ollama ? "ollama" : "pattern";

    private static CompleteAnswer AnswerOf(VerbContext context, Request request, string path, int offset, Asked asked)
    {
        var items = new List<CompleteItem>();
        var elapsed = TimeSpan.Zero;
        Phrase? why = null;
        if (asked.Lanes is { } lanes)
        {
            // What is shown first, first; of two that agree, the longer one alone.
            var shown = request.Source == "ollama" ? lanes.Ollama : lanes.Auto;
            LaneAnswer[] others = request.Source == "ollama" || lanes.Agree ? [] : [.. new[] { lanes.Pattern, lanes.Ollama }.Where(answer => answer.Lane != shown.Lane)];
            items.AddRange(others.Prepend(shown)
                .Where(answer => answer.Text is not null)
                .Select(answer => new CompleteItem(answer.Text!, NameOf(answer.Lane), answer.Confidence, "inline")));
            elapsed += shown.Elapsed;
            why = (request.Source == "ollama" ? null : lanes.Pattern.WhyNot) ?? lanes.Ollama.WhyNot ?? Unsure;
        }

        foreach (var report in new[] { asked.Line, asked.Words }.OfType<CompletionReport>())
        {
            items.AddRange(report.Items.Select(item => new CompleteItem(
                TextOf(report, item, offset),
                "pattern",
                item.Confidence,
                report.Surface == CompletionSurface.Inline ? "inline" : "list")));
            elapsed += report.Elapsed;
            why ??= report.Why;
        }

        return new(
            path,
            request.Place.Line,
            request.Place.Column,
            (long)elapsed.TotalMicroseconds,
            items,
            items.Count == 0 && why is { } phrase ? context.Text(phrase) : null,
            asked.Lanes?.Report is { Model: { } model } lane
                ? new(model, lane.FirstText?.TotalMilliseconds, asked.Lanes.Ollama.Elapsed.TotalMilliseconds)
                : null);
    }

    private static Phrase Unsure => new("Nothing was sure enough to be shown.", "Nada era lo bastante seguro para mostrarse.");

    private static void ShowLanes(VerbContext context, string source, LaneAnswers lanes, string line)
    {
        var terminal = context.Terminal;
        if (source != "ollama")
        {
            ShowOne(lanes.Pattern, new("pattern", "patrones"), new(
                $"    pattern: confidence {Figures.Share(lanes.Pattern.Confidence)}, {Figures.Microseconds(lanes.Pattern.Elapsed)}",
                $"    patrones: confianza {Figures.Share(lanes.Pattern.Confidence)}, {Figures.Microseconds(lanes.Pattern.Elapsed)}"),
                "");
        }

        var first = lanes.Report?.FirstText is { } time ? Figures.Duration(time) : "–";
        ShowOne(
            lanes.Ollama,
            Phrase.Same("ollama"),
            new(
                $"    ollama: confidence {Figures.Share(lanes.Ollama.Confidence)}, first text after {first}, answer after {Figures.Duration(lanes.Ollama.Elapsed)}",
                $"    ollama: confianza {Figures.Share(lanes.Ollama.Confidence)}, primer texto a los {first}, respuesta a los {Figures.Duration(lanes.Ollama.Elapsed)}"),
            LineTally.FirstLine(lanes.Report?.Text?.TrimStart() ?? ""));
        if (source == "auto" && lanes.Auto.Text is not null)
        {
            terminal.Say(lanes.Agree
                ? new($"Both agree: confidence {Figures.Share(lanes.Auto.Confidence)}.", $"Ambos coinciden: confianza {Figures.Share(lanes.Auto.Confidence)}.")
                : new($"An editor shows that of {NameOf(lanes.Auto.Lane)}.", $"Un editor muestra la de {NameOf(lanes.Auto.Lane)}."));
        }

        void ShowOne(LaneAnswer answer, Phrase name, Phrase facts, string written)
        {
            terminal.Suggestion(line, answer.Text ?? "");
            var unsure = written.Length == 0 ? Unsure : new Phrase($"Not sure enough of: {written}", $"No está bastante seguro de: {written}");
            var whyNot = answer.WhyNot ?? unsure;
            terminal.Aside(answer.Text is null ? new($"    {name.English}: {whyNot.English}", $"    {name.Spanish}: {whyNot.Spanish}") : facts);
        }
    }

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

    private sealed record Request(CursorPlace Place, string? Model, string Source, IReadOnlyList<CompletionSurface> Surfaces);

    // What was asked and answered; null for what was not asked.
    private sealed class Asked
    {
        public LaneAnswers? Lanes { get; set; }

        public CompletionReport? Line { get; set; }

        public CompletionReport? Words { get; set; }
    }
}
