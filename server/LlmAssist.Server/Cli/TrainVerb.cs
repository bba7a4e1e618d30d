// 'train': from folders to a saved model.
using System.CommandLine;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>Trains and saves a pattern model.</summary>
internal static class TrainVerb
{
    /// <summary>The verb with its arguments.</summary>
    public static Command Command(VerbContext context)
    {
        var paths = new Argument<string[]>("PATH")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = context.Text(new("Folders of source code, or source files", "Carpetas de código fuente, o archivos fuente")),
        };
        var name = new Option<string?>("--name")
        {
            HelpName = "NAME",
            Description = context.Text(new("The model's name; the first folder's if not given", "El nombre del modelo; si no se indica, el de la primera carpeta")),
        };
        var include = Globs("--include", new("Learn only from files that match; may be repeated", "Aprender solo de los archivos que coincidan; se puede repetir"));
        var exclude = Globs("--exclude", new("Pass over files that match; may be repeated", "Omitir los archivos que coincidan; se puede repetir"));
        var maximum = context.Whole("--max-megabytes", "N", 1, int.MaxValue, new(
            "Upper bound of the model's size; the rarest patterns are dropped",
            "Tamaño máximo del modelo; se descartan los patrones más raros"));
        var prune = context.Whole("--prune", "N", 1, int.MaxValue, new("Drop patterns seen fewer than N times; 1 keeps all", "Descartar los patrones vistos menos de N veces; 1 los conserva todos"));
        var note = new Option<string?>("--note")
        {
            HelpName = "TEXT",
            Description = context.Text(new("Free text that is kept with the model", "Texto libre que se guarda con el modelo")),
        };
        var command = new Command("train", context.Text(new(
            "Train a model on source code and save it",
            "Entrenar un modelo con código fuente y guardarlo")))
        {
            paths, name, include, exclude, maximum, prune, note,
        };
        command.SetAction((parsed, cancellation) =>
        {
            string[] folders = [.. parsed.GetRequiredValue(paths).Select(Path.GetFullPath)];
            var request = new TrainingRequest
            {
                Name = parsed.GetValue(name) ?? NameOf(folders[0]),
                Folders = folders,
                Corpus = new() { Include = parsed.GetValue(include) ?? [], Exclude = parsed.GetValue(exclude) ?? [] },
                MaximumMegabytes = parsed.GetValue(maximum),
                Prune = parsed.GetValue(prune) ?? 1,
                Note = parsed.GetValue(note),
            };
            Answer(context, Train(context, context.OpenStore(), request, cancellation));
            return Task.FromResult(ExitCode.Success);
        });
        return command;

        Option<string[]> Globs(string option, Phrase description) => new(option)
        {
            HelpName = "GLOB",
            Description = context.Text(description),
        };
    }

    /// <summary>The name for a model of a folder: the folder's own.</summary>
    public static string NameOf(string folder) => PatternStore.SafeName(Path.GetFileName(PatternStore.NormalizedFolder(folder)));

    /// <summary>Trains with a progress bar.</summary>
    public static TrainedModel Train(VerbContext context, PatternStore store, TrainingRequest request, CancellationToken cancellation) =>
        context.Terminal.Watching(progress =>
            new PatternTrainer(store, context.Time).Train(request, new StepsOfTraining(progress), cancellation));

    /// <summary>What was trained, for people: a table and what was passed over.</summary>
    public static void Show(VerbContext context, TrainedModel trained)
    {
        var (stored, statistics, provenance) = trained;
        context.Terminal.Table(
            [
                new(new("model", "modelo")),
                Column.Number(new("files", "archivos")),
                Column.Number(new("tokens", "tokens")),
                Column.Number(new("MB/s", "MB/s")),
                Column.Number(new("size", "tamaño")),
                Column.Number(new("patterns", "patrones")),
            ],
            [
                [
                    provenance.Name,
                    Figures.Count(provenance.Files),
                    Figures.Count(statistics.Tokens),
                    Figures.Number(statistics.MegabytesPerSecond, 1),
                    new ByteSize(stored.Bytes).ToString(),
                    Figures.Count(statistics.PatternsStored),
                ],
            ]);
        context.Terminal.Say(new($"Saved in {stored.Path}", $"Guardado en {stored.Path}"));
        if (provenance.Skipped.Count != 0)
        {
            var english = string.Join(", ", provenance.Skipped.OrderByDescending(pair => pair.Value).Select(pair => $"{ReasonOf(pair.Key).English} {pair.Value}"));
            var spanish = string.Join(", ", provenance.Skipped.OrderByDescending(pair => pair.Value).Select(pair => $"{ReasonOf(pair.Key).Spanish} {pair.Value}"));
            context.Terminal.Aside(new($"Passed over: {english}.", $"Omitidos: {spanish}."));
        }
    }

    /// <summary>A reason to pass over a file, in words; a reason that this program does not know stays as it is.</summary>
    public static Phrase ReasonOf(string reason) => reason switch
    {
        "Ignored" => new("ignored", "ignorados"),
        "Excluded" => new("excluded", "excluidos"),
        "Binary" or "NotText" => new("not text", "no son texto"),
        "Generated" => new("generated", "generados"),
        "Minified" => new("minified", "minificados"),
        "LockFile" => new("lock files", "archivos de bloqueo"),
        "TooLarge" => new("too large", "demasiado grandes"),
        "Secret" => new("may hold secrets", "pueden contener secretos"),
        "Unreadable" => new("unreadable", "ilegibles"),
        "UnknownLanguage" => new("of no known language", "de lenguaje desconocido"),
        "Dependency" => new("dependencies", "dependencias"),
        _ => Phrase.Same(reason),
    };

    private static void Answer(VerbContext context, TrainedModel trained)
    {
        if (!context.Terminal.IsJson)
        {
            Show(context, trained);
            return;
        }

        var (stored, statistics, provenance) = trained;
        context.Terminal.Json(
            new TrainAnswer(
                stored.Id.Name,
                stored.Path,
                provenance.Files,
                provenance.Bytes,
                statistics.Tokens,
                statistics.MegabytesPerSecond,
                statistics.TrainingSeconds,
                stored.Bytes,
                statistics.PatternsStored,
                provenance.Skipped),
            CliJson.Default.TrainAnswer);
    }

    /// <summary>Puts the trainer's progress into words.</summary>
    internal sealed class StepsOfTraining(IProgress<Step> steps) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => steps.Report(new(
            value.Fraction,
            value.Phase switch
            {
                TrainingPhase.Finding => new("Finding files", "Buscando archivos"),
                TrainingPhase.Reading => new("Reading files", "Leyendo archivos"),
                _ => new("Saving the model", "Guardando el modelo"),
            },
            value.Phase == TrainingPhase.Reading ? $"{Figures.Count(value.Files)}/{Figures.Count(value.FilesInAll)}" : ""));
    }
}
