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
    private const int Seed = 1;
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
        var ollama = new OllamaFlags(context).AddTo(command);
        command.SetAction((parsed, cancellation) => RunAsync(
            context,
            Path.GetFullPath(parsed.GetRequiredValue(folder)),
            host => ollama.AreGiven(parsed.CommandResult) ? ollama.Prepare(parsed, host) : null,
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(VerbContext context, string folder, Func<ModelHost, OllamaVisit?> prepare, CancellationToken cancellation)
    {
        var request = new TrainingRequest { Name = TrainVerb.NameOf(folder), Folders = [folder] };
        var corpus = PatternTrainer.FindCorpus(request, cancellation);
        var store = context.OpenStore();
        using var host = new ModelHost(store, context.Time);
        using var visit = prepare(host);

        // Before the training: if there is no model to show, the user learns it at once.
        var use = visit is null ? null : await visit.UseAsync(cancellation);
        var (model, isOpened) = OpenOrTrain(context, store, host, request, corpus, cancellation);
        using var engine = new CompletionEngine(host, context.Time, visit?.Host);
        var settings = visit is null ? new CompletionSettings() : new() { Sampling = visit.Sampling, Patience = CompleteVerb.Unhurried };
        var repository = Path.GetFileName(folder);
        var visited = use is null
            ? await VisitAsync(engine, settings, corpus, repository, cancellation)
            : await VisitBothAsync(context, engine, settings, corpus, repository, use.Name, cancellation);
        var trial = await TrialAsync(context, request, corpus, cancellation);
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new TourAnswer(model.Name, isOpened, visited.Shown, visited.Silent, trial), CliJson.Default.TourAnswer);
            return ExitCode.Success;
        }

        Show(context.Terminal, visited);
        ShowTrial(context.Terminal, trial);
        context.Terminal.Heading(new("Memory", "Memoria"));
        await MemoryVerb.ShowAsync(context, visit, cancellation);
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
    private static async Task<Visited> VisitAsync(CompletionEngine engine, CompletionSettings settings, Corpus corpus, string repository, CancellationToken cancellation)
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

            foreach (var hidden in HiddenLine.In(file, new(content), Seed).Take(PlacesAskedPerFile))
            {
                var query = hidden.Query(repository, isExplicit: false);
                var report = await CompleteVerb.CompleteWarmAsync(engine, query, settings, cancellation);
                engine.Forget(query.Uri);
                if (report.Items.Count != 0)
                {
                    shown.Add(PlaceOf(hidden, CompleteVerb.TextOf(report, report.Items[0], hidden.Offset), report.Items[0].Confidence, report.Elapsed, ollama: null));
                    break;
                }

                silent++;
            }
        }

        return new(shown, silent);
    }

    // With a model of Ollama beside: places chosen blindly, whoever has something to say there. To look for those at
    // which the pattern model has would favor it, and asking both everywhere would take minutes.
    private static Task<Visited> VisitBothAsync(
        VerbContext context,
        CompletionEngine engine,
        CompletionSettings settings,
        Corpus corpus,
        string repository,
        string model,
        CancellationToken cancellation) => context.Terminal.WatchingAsync(async progress =>
    {
        var places = HiddenLine.Spread(Spread(corpus.Files), PlacesShown, Seed, cancellation);
        var shown = new List<TourPlace>();
        foreach (var hidden in places)
        {
            progress.Report(new((double)shown.Count / places.Count, new($"Asking {model} at {places.Count} places", $"Preguntando a {model} en {places.Count} lugares"), $"{shown.Count}/{places.Count}"));
            var query = hidden.Query(repository, isExplicit: true);
            await CompleteVerb.WarmAsync(engine, query, settings, cancellation);
            var lanes = await LineTrial.AskAsync(engine, query, settings, cancellation);
            LaneComparison.RefuseHoles(lanes, shown.Count + 1, places.Count);
            var line = lanes.Ollama.Text is { } text && LineTally.FirstLine(text) is { Length: > 0 } first ? first : null;
            shown.Add(PlaceOf(hidden, lanes.Pattern.Text, lanes.Pattern.Confidence, lanes.Pattern.Elapsed, new(
                model,
                line,
                VerdictOf(line, hidden.Actual),
                lanes.Ollama.Confidence,
                lanes.Report?.FirstText?.TotalMilliseconds,
                lanes.Ollama.Elapsed.TotalMilliseconds,
                lanes.Auto.Text is null ? null : lanes.Agree ? "both" : CompleteVerb.NameOf(lanes.Auto.Lane))));
        }

        return new Visited(shown, 0);
    });

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

    private static TourPlace PlaceOf(HiddenLine hidden, string? suggestion, double confidence, TimeSpan elapsed, TourOllama? ollama)
    {
        var (line, character) = hidden.Position;
        return new(
            hidden.File.RelativePath,
            line + 1,
            character + 1,
            hidden.Before,
            hidden.Actual,
            suggestion,
            VerdictOf(suggestion, hidden.Actual),
            confidence,
            (long)elapsed.TotalMicroseconds,
            ollama);
    }

    private static string VerdictOf(string? suggestion, string actual) =>
        suggestion is null ? "" : suggestion == actual ? "equal" : actual.StartsWith(suggestion, StringComparison.Ordinal) ? "begins" : "differs";

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
            if (place.Ollama is not { } ollama)
            {
                terminal.Aside(Judged("", place.Suggestion, place.Verdict, place.Actual, facts));
                continue;
            }

            terminal.Aside(Judged("pattern", place.Suggestion, place.Verdict, place.Actual, facts));
            terminal.Suggestion(place.Before, ollama.Suggestion ?? "");
            terminal.Aside(Judged(
                ollama.Model,
                ollama.Suggestion,
                ollama.Verdict,
                place.Actual,
                $"{Figures.Share(ollama.Confidence)}, {Figures.Duration(TimeSpan.FromMilliseconds(ollama.ElapsedMilliseconds))}"));
            terminal.Aside(ollama.Shown switch
            {
                "both" => new("    -> both agree; that is shown", "    -> ambos coinciden; eso se muestra"),
                "ollama" => new($"    -> an editor shows that of {ollama.Model}", $"    -> un editor muestra la de {ollama.Model}"),
                "pattern" => new("    -> an editor shows that of the pattern model", "    -> un editor muestra la del modelo de patrones"),
                _ => new("    -> nothing is shown", "    -> no se muestra nada"),
            });
        }

        terminal.Gap();
        if (places is [{ Ollama: { } asked }, ..])
        {
            var (pattern, other) = (Of(place => place.Verdict), Of(place => place.Ollama!.Verdict));
            terminal.Say(new(
                $"At {places.Count} places: the pattern model suggested {pattern.Shown} times and was right {pattern.Right} times; {asked.Model} suggested {other.Shown} times and was right {other.Right} times.",
                $"En {places.Count} lugares: el modelo de patrones sugirió {pattern.Shown} veces y acertó {pattern.Right}; {asked.Model} sugirió {other.Shown} veces y acertó {other.Right}."));
            terminal.Say(new(
                "'llm-assist eval FOLDER --source auto' compares them on code that the pattern model has not read.",
                "«llm-assist eval CARPETA --source auto» los compara con código que el modelo de patrones no ha leído."));
        }
        else
        {
            var right = places.Count(place => place.Verdict != "differs");
            terminal.Say(new(
                $"Asked at {Figures.Count(places.Count + silent)} places: {right} of {places.Count} suggestions were right, at {Figures.Count(silent)} it was not sure enough and stayed silent.",
                $"Se preguntó en {Figures.Count(places.Count + silent)} lugares: {right} de {places.Count} sugerencias fueron correctas; en {Figures.Count(silent)} calló por falta de seguridad."));
        }

        terminal.Say(new(
            "The pattern model has read these very files; on code that is new to it:",
            "El modelo de patrones ha leído estos mismos archivos; con código nuevo para él:"));

        (int Shown, int Right) Of(Func<TourPlace, string> verdict) =>
            (places.Count(place => verdict(place).Length != 0), places.Count(place => verdict(place) is "equal" or "begins"));
    }

    private static Phrase Judged(string who, string? suggestion, string verdict, string actual, string facts)
    {
        var by = who.Length == 0 ? default : new Phrase($"{who}: ", who == "pattern" ? "patrones: " : $"{who}: ");
        var said = verdict switch
        {
            "" => new Phrase($"- not sure enough, silent; the file has: {actual}", $"- poco seguro, calla; el archivo tiene: {actual}"),
            "equal" => new($"= exactly what the file has; confidence {facts}", $"= justo lo que tiene el archivo; confianza {facts}"),
            "begins" => new(
                $"~ right so far, the file goes on: {actual[suggestion!.Length..].Trim()}; confidence {facts}",
                $"~ correcto hasta ahí, el archivo sigue: {actual[suggestion!.Length..].Trim()}; confianza {facts}"),
            _ => new($"x the file has: {actual}; confidence {facts}", $"x el archivo tiene: {actual}; confianza {facts}"),
        };
        return new($"    {by.English}{said.English}", $"    {by.Spanish}{said.Spanish}");
    }

    private static async Task<Evaluation?> TrialAsync(VerbContext context, TrainingRequest request, Corpus corpus, CancellationToken cancellation)
    {
        var (learned, tested) = PatternEvaluator.Split(corpus.Files, percent: 10, seed: 1);
        if (LargestTrial.Bytes < corpus.Files.Sum(file => file.Bytes) || learned.Count == 0 || tested.Count == 0)
        {
            return null;
        }

        return await EvaluationReport.WithTemporaryModelAsync(
            context,
            request,
            corpus with { Files = learned },
            model => Task.FromResult(EvaluationReport.Evaluate(context, model, tested, new() { MaximumTokens = TrialTokens }, cancellation)),
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

    private sealed record Visited(IReadOnlyList<TourPlace> Shown, int Silent);

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
