// 'eval': how well a model predicts code that it has not seen.
using System.CommandLine;
using System.CommandLine.Parsing;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>Measures a model.</summary>
internal static class EvalVerb
{
    private const int DefaultHoldout = 10;
    private const int DefaultPositions = 100;
    private static readonly string[] Sources = ["pattern", "ollama", "auto"];

    /// <summary>The verb with its arguments.</summary>
    public static Command Command(VerbContext context)
    {
        var folder = new Argument<string?>("FOLDER")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = context.Text(new("Source code to measure on", "Código fuente con el que medir")),
        };
        var model = new Option<string?>("--model")
        {
            HelpName = "NAME",
            Description = context.Text(new("Measure this saved model on all of FOLDER instead of training one", "Medir este modelo guardado con toda la carpeta, en vez de entrenar uno")),
        };
        var holdout = context.Whole("--holdout", "PERCENT", 1, 90, new(
            $"How many of a hundred files are kept for testing; {DefaultHoldout} if not given",
            $"Cuántos archivos de cada cien se reservan para probar; {DefaultHoldout} si no se indica"));
        var seed = context.Whole("--seed", "N", 0, int.MaxValue, new("Chooses the files; the same seed gives the same figures", "Elige los archivos; la misma semilla da las mismas cifras"));
        var trace = new Option<string?>("--trace")
        {
            HelpName = "FILE",
            Description = context.Text(new("Write one JSON line per predicted token to this file", "Escribir en este archivo una línea JSON por token predicho")),
        };
        var plot = new Option<string?>("--plot")
        {
            HelpName = "FILE.svg",
            Description = context.Text(new("Draw how often whole lines are right against how often one is shown", "Dibujar con qué frecuencia aciertan las líneas completas frente a cuántas se muestran")),
        };
        var train = Folder("--train", new("Train on this folder; goes with --test", "Entrenar con esta carpeta; va junto con --test"));
        var test = Folder("--test", new("Test on this folder; goes with --train", "Probar con esta carpeta; va junto con --train"));
        var confidence = context.Share("--confidence", "X", new(
            "From which confidence on suggestions count as shown, 0 to 1; 0.5 if not given",
            "Desde qué confianza se cuentan las sugerencias como mostradas, de 0 a 1; 0.5 si no se indica"));
        var source = new Option<string?>("--source")
        {
            HelpName = "auto|pattern|ollama",
            Description = context.Text(new(
                "pattern measures the pattern model token by token, and is the default; auto and ollama compare it with a model of Ollama at the same places",
                "pattern mide el modelo de patrones token a token y es lo predeterminado; auto y ollama lo comparan con un modelo de Ollama en los mismos lugares")),
        };
        var positions = context.Whole("--positions", "N", 1, 100_000, new(
            $"At how many places of unseen files a model of Ollama is asked; {DefaultPositions} if not given",
            $"En cuántos lugares de archivos no vistos se pregunta a un modelo de Ollama; {DefaultPositions} si no se indica"));
        var command = new Command("eval", context.Text(new(
            "Train on part of a folder, test on the rest, and print every figure",
            "Entrenar con una parte de una carpeta, probar con el resto y mostrar todas las cifras")))
        {
            folder, model, holdout, seed, trace, plot, train, test, confidence, source, positions,
        };
        var ollama = new OllamaFlags(context).AddTo(command);
        command.Validators.Add(Check);
        command.SetAction((parsed, cancellation) =>
        {
            var parts = new Parts(Full(parsed.GetValue(folder)), parsed.GetValue(model), parsed.GetValue(holdout) ?? DefaultHoldout, Full(parsed.GetValue(train)), Full(parsed.GetValue(test)));
            var options = new EvaluationOptions { Seed = parsed.GetValue(seed) ?? 1, Confidence = parsed.GetValue(confidence) ?? 0.5 };
            return ComparesLanes(parsed.CommandResult)
                ? RunLanesAsync(context, parts, options, parsed.GetValue(positions) ?? DefaultPositions, host => ollama.Prepare(parsed, host), cancellation)
                : RunAsync(context, parts, options, parsed.GetValue(trace), Full(parsed.GetValue(plot)), cancellation);
        });
        return command;

        Option<string?> Folder(string name, Phrase description) => new(name) { HelpName = "DIR", Description = context.Text(description) };

        bool ComparesLanes(CommandResult result) => (result.GetValue(source) ?? (ollama.AreGiven(result) ? "auto" : "pattern")) != "pattern";

        void Check(CommandResult result)
        {
            var hasFolder = result.GetValue(folder) is not null;
            var (hasTrain, hasTest) = (result.GetValue(train) is not null, result.GetValue(test) is not null);
            if (hasTrain != hasTest || hasFolder == hasTrain)
            {
                result.AddError(context.Text(new(
                    "Expected either FOLDER or both --train DIR and --test DIR.",
                    "Se esperaba FOLDER, o bien --train DIR y --test DIR juntos.")));
            }

            if (result.GetValue(model) is not null && (hasTrain || result.GetResult(holdout) is not null))
            {
                result.AddError(context.Text(new(
                    "--model measures a saved model; it does not go with --holdout, --train or --test.",
                    "--model mide un modelo guardado; no se combina con --holdout, --train ni --test.")));
            }

            if (result.GetValue(source) is { } given && !Sources.Contains(given))
            {
                result.AddError(context.Text(new(
                    $"--source was given '{given}'; expected auto, pattern or ollama.",
                    $"--source recibió «{given}»; se esperaba auto, pattern u ollama.")));
            }

            var comparesLanes = ComparesLanes(result);
            if (comparesLanes && result.GetResult(trace) is not null)
            {
                result.AddError(context.Text(new(
                    "--trace writes what the pattern model says to each token; it does not go with models of Ollama. Leave one of them out.",
                    "--trace escribe lo que el modelo de patrones dice de cada token; no se combina con modelos de Ollama. Omita uno de los dos.")));
            }

            if (comparesLanes && result.GetResult(plot) is not null)
            {
                result.AddError(context.Text(new(
                    "--plot draws the pattern model's figures; it does not go with models of Ollama. Leave one of them out.",
                    "--plot dibuja las cifras del modelo de patrones; no se combina con modelos de Ollama. Omita uno de los dos.")));
            }

            if (result.GetValue(plot) is { } file && !file.EndsWith(".svg", StringComparison.OrdinalIgnoreCase))
            {
                result.AddError(context.Text(MemoryVerb.NoPicture(file)));
            }

            if (!comparesLanes && result.GetResult(positions) is not null)
            {
                result.AddError(context.Text(new(
                    "--positions counts places at which a model of Ollama is asked; add --source auto.",
                    "--positions cuenta los lugares en que se pregunta a un modelo de Ollama; añada --source auto.")));
            }
        }
    }

    private static async Task<int> RunAsync(VerbContext context, Parts parts, EvaluationOptions options, string? tracePath, string? plotPath, CancellationToken cancellation)
    {
        await using var trace = tracePath is null ? null : new StreamWriter(tracePath);
        options = options with { Trace = trace };
        var evaluation = await WithModelAsync(
            context,
            parts,
            options.Seed,
            (model, tested) => Task.FromResult(EvaluationReport.Evaluate(context, model, tested, options, cancellation)),
            cancellation);
        if (plotPath is not null)
        {
            var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(parts.Test ?? parts.Folder!));
            await File.WriteAllTextAsync(plotPath, CoveragePlot.Svg(evaluation, name, context.Terminal.Speech), cancellation);
        }

        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(evaluation, EvaluationJson.Default.Evaluation);
            return ExitCode.Success;
        }

        EvaluationReport.Show(context.Terminal, evaluation);
        if (plotPath is not null)
        {
            context.Terminal.Say(new($"{plotPath} is drawn. Any browser shows it.", $"{plotPath} está dibujado. Cualquier navegador lo muestra."));
        }

        return ExitCode.Success;
    }

    private static async Task<int> RunLanesAsync(
        VerbContext context,
        Parts parts,
        EvaluationOptions options,
        int positions,
        Func<ModelHost, OllamaVisit> prepare,
        CancellationToken cancellation)
    {
        using var host = new ModelHost(context.OpenStore(), context.Time);
        using var visit = prepare(host);

        // Before the training: if there is no model to compare with, the user learns it at once.
        var use = await visit.UseAsync(cancellation);
        var answer = await WithModelAsync(
            context,
            parts,
            options.Seed,
            (model, tested) =>
            {
                // The host closes the model in the end too; closing it twice does no harm.
                host.Adopt(model);
                var places = HiddenLine.Sample(tested, positions, options.Seed, cancellation);
                return LaneComparison.RunAsync(context, host, model, visit, use, places, Path.GetFileName(parts.Test ?? parts.Folder!), options, cancellation);
            },
            cancellation);
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(answer, CliJson.Default.LanesAnswer);
        }
        else
        {
            LaneComparison.Show(context.Terminal, answer);
        }

        return ExitCode.Success;
    }

    private static async Task<T> WithModelAsync<T>(
        VerbContext context,
        Parts parts,
        int seed,
        Func<PatternModel, IReadOnlyList<CorpusFile>, Task<T>> use,
        CancellationToken cancellation)
    {
        if (parts.Model is { } name)
        {
            using var model = PatternModel.Open(context.OpenStore().Resolve(name).Path);
            var files = PatternTrainer.FindCorpus(new() { Name = name, Folders = [parts.Folder!] }, cancellation).Files;
            var share = EvaluationReport.LearnedShare(model, files);
            if (0 < share)
            {
                context.Terminal.Remark(new(
                    $"The model has learned from {Figures.Share(share)} of these files: the figures are better than for new code. Leave out --model for honest ones.",
                    $"El modelo aprendió del {Figures.Share(share)} de estos archivos: las cifras son mejores que con código nuevo. Omita --model para obtenerlas sin ese sesgo."));
            }

            return await use(model, files);
        }

        var request = new TrainingRequest { Name = "eval", Folders = [parts.Train ?? parts.Folder!] };
        var corpus = PatternTrainer.FindCorpus(request, cancellation);
        IReadOnlyList<CorpusFile> tested;
        if (parts.Test is null)
        {
            (var learned, tested) = PatternEvaluator.Split(corpus.Files, parts.Holdout, seed);
            corpus = corpus with { Files = learned };
        }
        else
        {
            tested = PatternTrainer.FindCorpus(request with { Folders = [parts.Test] }, cancellation).Files;
        }

        return await EvaluationReport.WithTemporaryModelAsync(context, request, corpus, model => use(model, tested), cancellation);
    }

    private static string? Full(string? path) => path is null ? null : Path.GetFullPath(path);

    private sealed record Parts(string? Folder, string? Model, int Holdout, string? Train, string? Test);
}
