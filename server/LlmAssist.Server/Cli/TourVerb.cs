// 'tour': the terminal session of 'npm start' where there is no editor. Shows completions at real places of a folder, and honest figures.
using System.CommandLine;
using System.Text;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Server.Cli;

/// <summary>A walk through the product on a folder of code.</summary>
internal static class TourVerb
{
    private const int PlacesShown = 12;
    private const int PlacesAskedPerFile = 6; // in search of one at which there is something to show
    private const int PlacesAskedAtMost = 240; // a moment's work
    private const int LeastToWrite = 6; // visible characters right of the cursor: less is not worth showing
    private const int TrialTokens = 20_000;
    private static readonly ByteSize LargestTrial = ByteSize.MiB(30); // training on more is not a matter of seconds

    /// <summary>The verb; hidden, because 'npm start' is how people meet it.</summary>
    public static Command Command(VerbContext context)
    {
        var folder = new Argument<string>("FOLDER") { Description = context.Text(new("Source code", "Código fuente")) };
        var command = new Command("tour", context.Text(new("Show completions at real places of a folder", "Mostrar sugerencias en lugares reales de una carpeta")))
        {
            folder,
        };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(context, Path.GetFullPath(parsed.GetRequiredValue(folder)), cancellation)));
        return command;
    }

    private static int Run(VerbContext context, string folder, CancellationToken cancellation)
    {
        var request = new TrainingRequest { Name = TrainVerb.NameOf(folder), Folders = [folder] };
        var corpus = PatternTrainer.FindCorpus(request, cancellation);
        var store = context.OpenStore();
        using var host = new ModelHost(store, context.Time);
        var (model, isOpened) = OpenOrTrain(context, store, host, request, corpus, cancellation);
        var visited = Visit(context, new CompletionEngine(host, context.Time), corpus, cancellation);
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new TourAnswer(model.Name, isOpened, visited.Shown, visited.Silent, Trial(context, request, corpus, cancellation)), CliJson.Default.TourAnswer);
            return ExitCode.Success;
        }

        Show(context.Terminal, visited);
        ShowTrial(context.Terminal, Trial(context, request, corpus, cancellation));
        context.Terminal.Heading(new("Memory", "Memoria"));
        MemoryVerb.Show(context);
        context.Terminal.Heading(new("What next", "Y ahora"));
        context.Terminal.Say(new(
            "  Open VS Code on this folder with the extension: npm start   (npm run package makes the VSIX)",
            "  Abra VS Code en esta carpeta con la extensión: npm start   (npm run package crea el VSIX)"));
        context.Terminal.Say(new(
            "  Ask for any place: llm-assist complete FILE:LINE:COLUMN. All verbs: llm-assist --help",
            "  Pregunte por cualquier lugar: llm-assist complete ARCHIVO:LÍNEA:COLUMNA. Todos los comandos: llm-assist --help"));
        return ExitCode.Success;
    }

    private static (ModelId Model, bool IsOpened) OpenOrTrain(
        VerbContext context,
        PatternStore store,
        ModelHost host,
        TrainingRequest request,
        Corpus corpus,
        CancellationToken cancellation)
    {
        using var models = new WorkspaceModels(store, host, context.Time);
        var folder = request.Folders[0];
        var started = context.Time.GetTimestamp();
        if (models.TryOpen([PatternStore.NormalizedFolder(folder)], context.TellSetAside) is { } saved)
        {
            var elapsed = Figures.Number(context.Time.GetElapsedTime(started).TotalMilliseconds, 1);
            var staleness = models.Compare(saved, request.Corpus, cancellation);
            var (changed, files) = (Figures.Count(staleness.Changed), Figures.Count(staleness.Files));
            if (!staleness.IsStale)
            {
                Tell(new(
                    $"Opened the saved model {saved.Name} in {elapsed} ms; {changed} of {files} files have changed since it was trained.",
                    $"Se abrió el modelo guardado {saved.Name} en {elapsed} ms; desde su entrenamiento cambiaron {changed} de {files} archivos."));
                return (saved, true);
            }

            Tell(new(
                $"{changed} of {files} files have changed since {saved.Name} was trained; training again.",
                $"Desde que se entrenó {saved.Name} cambiaron {changed} de {files} archivos; se entrena de nuevo."));
            host.UnloadAsync(saved).GetAwaiter().GetResult();
        }
        else
        {
            Tell(new($"There is no model of {folder} yet; training one.", $"Todavía no hay un modelo de {folder}; se entrena uno."));
        }

        request = request with { Name = models.NameFor(request.Folders) };
        var trained = context.Terminal.Watching(progress =>
            new PatternTrainer(store, context.Time).Train(request, corpus, new TrainVerb.StepsOfTraining(progress), cancellation));
        if (!context.Terminal.IsJson)
        {
            TrainVerb.Show(context, trained);
        }

        host.Load(trained.Stored);
        return (trained.Stored.Id, false);

        void Tell(Phrase phrase)
        {
            if (context.Terminal.IsJson)
            {
                context.Terminal.Remark(phrase);
            }
            else
            {
                context.Terminal.Say(phrase);
            }
        }
    }

    // ---- Places ----

    // One place of a file, in a few files of every language. Where the model stays silent there is nothing to see; how
    // often it did is counted and told.
    private static Visited Visit(VerbContext context, CompletionEngine engine, Corpus corpus, CancellationToken cancellation)
    {
        var shown = new List<TourPlace>();
        var silent = 0;
        foreach (var file in Spread(corpus.Files))
        {
            if (shown.Count == PlacesShown || PlacesAskedAtMost <= shown.Count + silent)
            {
                break;
            }

            if (CorpusWalker.ReadText(file) is not { } content)
            {
                continue;
            }

            var text = new SourceText(content);
            foreach (var cursor in CursorsIn(file, text))
            {
                var place = Ask(engine, file, text, cursor, cancellation);
                if (place.Suggestion is not null)
                {
                    shown.Add(place);
                    break;
                }

                silent++;
            }
        }

        return new(shown, silent);
    }

    // Code before data; the languages in turn, the one with the most bytes first; within a language in an order that
    // looks like chance and is always the same.
    private static IEnumerable<CorpusFile> Spread(IReadOnlyList<CorpusFile> files)
    {
        var code = files.Where(file => !file.Language.IsData).ToList();
        var languages = (code.Count == 0 ? files : code)
            .GroupBy(file => file.Language)
            .OrderByDescending(group => group.Sum(file => file.Bytes))
            .Select(group => group.OrderBy(file => Scatter(file.RelativePath)).ThenBy(file => file.RelativePath, StringComparer.Ordinal).ToList())
            .ToList();
        var longest = languages.Count == 0 ? 0 : languages.Max(group => group.Count);
        for (var round = 0; round < longest; round++)
        {
            foreach (var language in languages)
            {
                if (round < language.Count)
                {
                    yield return language[round];
                }
            }
        }
    }

    // Between two tokens of a line of code: something stands left of it, and enough right of it. In an order that looks
    // like chance and is always the same.
    private static IEnumerable<int> CursorsIn(CorpusFile file, SourceText text)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text.Content, file.Language, tokens);
        var cursors = new List<int>();
        var lineEnd = -1;
        var hasLeft = false;
        foreach (var token in tokens)
        {
            if (token.Kind == TokenKind.Newline || lineEnd < token.Start)
            {
                hasLeft = false;
                lineEnd = text.LineEnd(text.LineAt(token.Start));
            }

            if (token.IsSignificant && token.Kind != TokenKind.Newline && token.End <= lineEnd)
            {
                var rest = text.Content.AsSpan(token.Start, lineEnd - token.Start);
                if (hasLeft && LeastToWrite <= VisibleIn(rest) && !HasComment(rest, file.Language))
                {
                    cursors.Add(token.Start);
                }

                hasLeft = true;
            }
        }

        return cursors.OrderBy(cursor => Scatter($"{file.RelativePath}#{cursor}")).Take(PlacesAskedPerFile);
    }

    // What stands right of the cursor on its line is treated as not written yet.
    private static TourPlace Ask(CompletionEngine engine, CorpusFile file, SourceText text, int offset, CancellationToken cancellation)
    {
        var position = text.Position(offset);
        var lineEnd = text.LineEnd(position.Line);
        var actual = text.Content[offset..lineEnd].TrimEnd();
        var query = new CompletionQuery
        {
            Uri = file.FullPath,
            Language = file.Language,
            Text = text.With(new(offset, lineEnd, "")),
            Offset = offset,
            Surface = CompletionSurface.Inline,
        };
        var report = CompleteVerb.CompleteWarm(engine, query, new(), cancellation);
        engine.Forget(query.Uri);
        var suggestion = report.Items.Count == 0 ? null : CompleteVerb.TextOf(report, report.Items[0], offset);
        return new(
            file.RelativePath,
            position.Line + 1,
            position.Character + 1,
            text.Content[text.LineStart(position.Line)..offset],
            actual,
            suggestion,
            suggestion is null ? "" : suggestion == actual ? "equal" : actual.StartsWith(suggestion, StringComparison.Ordinal) ? "begins" : "differs",
            report.Items.Count == 0 ? 0 : report.Items[0].Confidence,
            (long)report.Elapsed.TotalMicroseconds);
    }

    // ---- Showing ----

    private static void Show(Terminal terminal, Visited visited)
    {
        var (places, silent) = visited;
        terminal.Heading(new(
            "Completions at real places (what the file has right of the cursor was hidden)",
            "Sugerencias en lugares reales (se ocultó lo que el archivo tiene a la derecha del cursor)"));
        foreach (var place in places)
        {
            terminal.Gap();
            terminal.Say(Phrase.Same($"{place.File}:{place.Line}:{place.Column}"));
            terminal.Suggestion(place.Before, place.Suggestion ?? "");
            var facts = $"{Figures.Share(place.Confidence)}, {Figures.Count(place.ElapsedMicroseconds)} µs";
            terminal.Aside(place.Verdict switch
            {
                "equal" => new($"    = exactly what the file has; confidence {facts}", $"    = justo lo que tiene el archivo; confianza {facts}"),
                "begins" => new(
                    $"    ~ right so far, the file goes on: {place.Actual[place.Suggestion!.Length..].Trim()}; confidence {facts}",
                    $"    ~ correcto hasta ahí, el archivo sigue: {place.Actual[place.Suggestion!.Length..].Trim()}; confianza {facts}"),
                _ => new($"    x the file has: {place.Actual}; confidence {facts}", $"    x el archivo tiene: {place.Actual}; confianza {facts}"),
            });
        }

        var right = places.Count(place => place.Verdict != "differs");
        terminal.Gap();
        terminal.Say(new(
            $"Asked at {Figures.Count(places.Count + silent)} places: {right} of {places.Count} suggestions were right, at {Figures.Count(silent)} it was not sure enough and stayed silent.",
            $"Se preguntó en {Figures.Count(places.Count + silent)} lugares: {right} de {places.Count} sugerencias fueron correctas; en {Figures.Count(silent)} calló por falta de seguridad."));
        terminal.Say(new(
            "The model has read these very files; on code that is new to it:",
            "El modelo ha leído estos mismos archivos; con código nuevo para él:"));
    }

    private static Evaluation? Trial(VerbContext context, TrainingRequest request, Corpus corpus, CancellationToken cancellation)
    {
        var (learned, tested) = PatternEvaluator.Split(corpus.Files, percent: 10, seed: 1);
        if (LargestTrial.Bytes < corpus.Files.Sum(file => file.Bytes) || learned.Count == 0 || tested.Count == 0)
        {
            return null;
        }

        return EvaluationReport.WithTemporaryModel(
            context,
            request,
            corpus with { Files = learned },
            model => EvaluationReport.Evaluate(context, model, tested, new() { MaximumTokens = TrialTokens }, cancellation),
            cancellation);
    }

    private static void ShowTrial(Terminal terminal, Evaluation? evaluation)
    {
        if (evaluation is null)
        {
            terminal.Say(new(
                "  not measured here: the folder is too large for a quick trial, or has too few files. 'llm-assist eval FOLDER' measures it.",
                "  aquí no se mide: la carpeta es demasiado grande para una prueba rápida o tiene muy pocos archivos. «llm-assist eval CARPETA» lo mide."));
            return;
        }

        var (first, saved, precision) = (Figures.Share(evaluation.Top1), Figures.Share(evaluation.Keystrokes.Saved), Figures.Share(evaluation.Keystrokes.Precision));
        terminal.Say(new(
            $"  trained on 90 % of the files and tested on {Figures.Count(evaluation.Tokens)} tokens of the rest, the next token is right in {first};",
            $"  entrenado con el 90 % de los archivos y probado con {Figures.Count(evaluation.Tokens)} tokens del resto, acierta el siguiente token en el {first};"));
        terminal.Say(new(
            $"  accepting its suggestions saves {saved} of the keystrokes, and {precision} of what it shows is right.",
            $"  aceptar sus sugerencias ahorra el {saved} de las pulsaciones, y es correcto el {precision} de lo que muestra."));
    }

    // Nobody predicts a comment. A '//' inside a string counts too: there are places enough.
    private static bool HasComment(ReadOnlySpan<char> text, Language language)
    {
        foreach (var opening in language.LineComments)
        {
            if (0 <= text.IndexOf(opening, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private sealed record Visited(IReadOnlyList<TourPlace> Shown, int Silent);

    private static int VisibleIn(ReadOnlySpan<char> text)
    {
        var visible = 0;
        foreach (var unit in text)
        {
            visible += char.IsWhiteSpace(unit) ? 0 : 1;
        }

        return visible;
    }

    // FNV-1a: the same on every machine and in every process, which string hashes are not.
    private static uint Scatter(string text)
    {
        var hash = 2166136261u;
        foreach (var part in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ part) * 16777619u;
        }

        // The low bits of similar paths are similar; a multiplication and a shift mix them.
        hash ^= hash >> 15;
        hash *= 0x85ebca6b;
        return hash ^ (hash >> 13);
    }
}
