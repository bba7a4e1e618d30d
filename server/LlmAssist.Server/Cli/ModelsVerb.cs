// 'models …': what there is to say about models and to do with them, one sub-verb after the other. Ollama's are in OllamaModels.
using System.CommandLine;
using System.Globalization;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Server.Cli;

/// <summary>The models.</summary>
internal static class ModelsVerb
{
    /// <summary>The verb with its sub-verbs.</summary>
    public static Command Command(VerbContext context) => new("models", context.Text(new("List, load, check, compare and delete models", "Listar, cargar, comprobar, comparar y borrar modelos")))
    {
        ListCommand(context),
        OfAnyModel(context, "inspect", new("Show what is in a model and where it comes from", "Mostrar qué contiene un modelo y de dónde viene"), Inspect, OllamaModels.InspectAsync),
        OfOneModel(context, "verify", new("Read all of a pattern model and check every sum", "Leer todo un modelo de patrones y comprobar cada suma"), Verify),
        DeleteCommand(context),
        OfAnyModel(
            context,
            "load",
            new("Bring a model into Ollama's memory; check that a pattern model opens. Says what it takes", "Cargar un modelo en la memoria de Ollama; comprobar que un modelo de patrones se abre. Dice cuánto ocupa"),
            Load,
            OllamaModels.LoadAsync),
        OfAnyModel(
            context,
            "unload",
            new("Take a model out of Ollama's memory; for pattern models, say how", "Sacar un modelo de la memoria de Ollama; para los de patrones, decir cómo"),
            Unload,
            OllamaModels.UnloadAsync),
        PinCommand(context, "pin", isPinned: true, new("Keep a model in memory once it is loaded: it is never taken out for others", "Mantener un modelo en memoria una vez cargado: nunca sale por otros")),
        PinCommand(context, "unpin", isPinned: false, new("Let a model be taken out of memory again when room is needed", "Permitir de nuevo que un modelo salga de la memoria cuando haga falta sitio")),
        OllamaModels.PullCommand(context),
        PruneCommand(context),
        CompareVerb.Command(context),
    };

    private static Command OfOneModel(VerbContext context, string verb, Phrase description, Func<VerbContext, PatternStore, StoredModel, CancellationToken, int> run)
    {
        var name = context.ModelArgument();
        var command = new Command(verb, context.Text(description)) { name };
        command.SetAction((parsed, cancellation) =>
        {
            var store = context.OpenStore();
            return Task.FromResult(run(context, store, store.Resolve(parsed.GetRequiredValue(name)), cancellation));
        });
        return command;
    }

    private static Command OfAnyModel(
        VerbContext context,
        string verb,
        Phrase description,
        Func<VerbContext, PatternStore, StoredModel, CancellationToken, int> ofPattern,
        Func<VerbContext, OllamaVisit, string, CancellationToken, Task<int>> ofOllama)
    {
        var name = context.AnyModelArgument();
        var command = new Command(verb, context.Text(description)) { name };
        var ollama = new OllamaFlags(context).AddAddressTo(command);
        command.SetAction((parsed, cancellation) => OllamaModels.ForAsync(
            context,
            parsed.GetRequiredValue(name),
            host => ollama.Prepare(parsed, host),
            (store, stored) => ofPattern(context, store, stored, cancellation),
            (visit, ofOllamas) => ofOllama(context, visit, ofOllamas, cancellation),
            cancellation));
        return command;
    }

    private static Command PinCommand(VerbContext context, string verb, bool isPinned, Phrase description)
    {
        var name = context.AnyModelArgument();
        var command = new Command(verb, context.Text(description)) { name };
        var ollama = new OllamaFlags(context).AddAddressTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var given = parsed.GetRequiredValue(name);

            // Of settings that cannot be used, the visit to Ollama complains, if there is one.
            using var keeping = OllamaVisit.WithoutOllama(context, static _ => { });

            // What is no longer there can be unpinned all the same.
            if (!isPinned && keeping.Keeper.Notes.Read().Pinned.Where(id => id.ToString() == given || id.Name == given).ToList() is [var pinned, ..])
            {
                return Pin(context, keeping.Keeper, pinned, isPinned);
            }

            return await OllamaModels.ForAsync(
                context,
                given,
                host => ollama.Prepare(parsed, host),
                (_, stored) => Pin(context, keeping.Keeper, stored.Id, isPinned),
                (_, ofOllamas) => Task.FromResult(Pin(context, keeping.Keeper, OllamaHost.IdOf(ofOllamas), isPinned)),
                cancellation);
        });
        return command;
    }

    private static int Pin(VerbContext context, MemoryKeeper keeper, ModelId id, bool isPinned)
    {
        var pin = MemoryKeeper.PinOf(id);
        keeper.Pin(pin, isPinned);
        var isStillPinned = keeper.IsPinned(pin);
        var message = isPinned
            ? new Phrase($"{pin.Name} stays in memory once it is loaded.", $"{pin.Name} se queda en memoria una vez cargado.")
            : isStillPinned
            ? new(
                $"{pin.Name} stays pinned: by llmAssist.memory.pinned in config.json, or in the settings of an open window. Remove it there.",
                $"{pin.Name} sigue fijado: por llmAssist.memory.pinned en config.json o en los ajustes de una ventana abierta. Quítelo allí.")
            : new($"{pin.Name} may be taken out of memory when room is needed.", $"{pin.Name} puede salir de la memoria cuando haga falta sitio.");
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new PinAnswer(context.Text(message), pin.ToString(), isStillPinned), CliJson.Default.PinAnswer);
        }
        else
        {
            context.Terminal.Say(message);
        }

        return ExitCode.Success;
    }

    private static Command ListCommand(VerbContext context)
    {
        var command = new Command("list", context.Text(new("List the models: saved pattern models, and those of Ollama if it answers", "Listar los modelos: los de patrones guardados y los de Ollama, si responde")));
        var ollama = new OllamaFlags(context).AddAddressTo(command);
        command.SetAction((parsed, cancellation) => ListAsync(context, host => ollama.Prepare(parsed, host), cancellation));
        return command;
    }

    private static async Task<int> ListAsync(VerbContext context, Func<ModelHost, OllamaVisit> prepare, CancellationToken cancellation)
    {
        var store = context.OpenStore();
        using var host = new ModelHost(store, context.Time);
        using var visit = prepare(host);
        var patterns = PatternRows(context, visit.Keeper, store);
        var (ollamas, whyNot) = await OllamaModels.RowsAsync(visit, cancellation);
        IModelRow[] rows = [.. patterns, .. ollamas];
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json<IReadOnlyList<IModelRow>>(rows, CliJson.Default.IReadOnlyListIModelRow);
            return ExitCode.Success;
        }

        if (patterns.Count == 0)
        {
            context.Terminal.Say(new(
                $"No pattern models in {store.Folder}. Train one with 'llm-assist train FOLDER'.",
                $"No hay modelos de patrones en {store.Folder}. Entrene uno con «llm-assist train CARPETA»."));
        }

        if (rows.Length != 0)
        {
            context.Terminal.Table(
                [
                    new(new("model", "modelo")),
                    new(new("kind", "clase")),
                    Column.Number(new("on disk", "en disco")),
                    Column.Number(new("memory", "memoria")),
                    Column.Number(new("context", "contexto")),
                    new(new("fits", "cabe")),
                    new(new("what it is", "qué es")),
                ],
                rows.Select(row => row switch
                {
                    PatternRow pattern => CellsOf(context, pattern),
                    OllamaRow ollama => CellsOf(context, ollama),
                    _ => throw new InvalidOperationException(),
                }));
        }

        if (whyNot is { } reason)
        {
            context.Terminal.Aside(reason);
        }
        else if (!visit.IsOff && ollamas.Count == 0)
        {
            context.Terminal.Aside(new(
                $"Ollama at {visit.Options.Endpoint} has no models; 'llm-assist models pull qwen2.5-coder:1.5b' gets one that completes code.",
                $"Ollama, en {visit.Options.Endpoint}, no tiene modelos; «llm-assist models pull qwen2.5-coder:1.5b» descarga uno que completa código."));
        }

        return ExitCode.Success;
    }

    private static List<PatternRow> PatternRows(VerbContext context, MemoryKeeper keeper, PatternStore store)
    {
        var rows = new List<PatternRow>();
        foreach (var stored in store.List())
        {
            if (TryOpen(context, store, stored) is not { } opened)
            {
                continue;
            }

            using var model = opened;
            var statistics = model.Statistics;
            rows.Add(new(
                stored.Id.Name,
                "pattern",
                stored.Bytes,
                model.Provenance.CreatedAt,
                new DateTimeOffset(File.GetLastWriteTimeUtc(stored.Path)),
                Loaded: false,
                statistics.PatternsStored,
                KibibytesOf(model),
                statistics.Sparsity,
                keeper.IsPinned(stored.Id))
            {
                ResidentBytes = MappedPages.Resident(model.MappedAddress, model.MappedBytes)?.Bytes,
            });
        }

        return rows;
    }

    private static string[] CellsOf(VerbContext context, PatternRow row) =>
    [
        row.Name,
        context.Text(new("pattern", "patrones")),
        new ByteSize(row.SizeBytes).ToString(),
        row.ResidentBytes is { } resident ? new ByteSize(resident).ToString() : "?",
        "–",
        "–",
        (row.Pinned ? context.Text(new("pinned, ", "fijado, ")) : "") + context.Text(new(
            $"{Figures.Count(row.PatternsStored)} patterns, sparsity {Figures.Number(row.Sparsity, 4)}",
            $"{Figures.Count(row.PatternsStored)} patrones, dispersión {Figures.Number(row.Sparsity, 4)}")),
    ];

    private static string[] CellsOf(VerbContext context, OllamaRow row) =>
    [
        row.Name,
        "ollama",
        row.RemoteHost is null ? new ByteSize(row.SizeBytes).ToString() : "–",
        !row.Loaded ? (row.PredictedBytes is { } predicted ? $"~{new ByteSize(predicted)}" : "–")
            : row.VramBytes == 0 ? new ByteSize(row.RamBytes).ToString()
            : row.RamBytes == 0 ? $"{new ByteSize(row.VramBytes)} VRAM"
            : $"{new ByteSize(row.RamBytes)} + {new ByteSize(row.VramBytes)} VRAM",
        (row.ContextTokens ?? row.FitContextTokens) is { } tokens ? Figures.Count(tokens) : "–",
        context.Text((row.Loaded, row.Fit) switch
        {
            (true, _) => new("loaded", "cargado"),
            (_, "now") => new("yes", "sí"),
            (_, "afterEvicting") => new($"if {row.FitEvicts!.Count} {(row.FitEvicts.Count == 1 ? "leaves" : "leave")}", $"si {(row.FitEvicts.Count == 1 ? "sale" : "salen")} {row.FitEvicts.Count}"),
            (_, "no") => new("no", "no"),
            _ => Phrase.Same("–"),
        }),
        string.Join(", ", new[]
        {
            row.Pinned ? context.Text(new("pinned", "fijado")) : "",
            row.ParameterSize,
            row.Quantization,
            context.Text(row.FillsMiddle switch
            {
                true => new("fills in the middle", "rellena huecos"),
                false when row.Capabilities?.Contains("completion") == false => new("writes no text", "no escribe texto"),
                false => new("does not fill in the middle", "no rellena huecos"),
                null => Phrase.Same(""),
            }),
            row.RemoteHost is { } remote ? context.Text(new($"runs at {remote}: code is sent there", $"se ejecuta en {remote}: el código se envía allí")) : "",
        }.Where(part => part.Length != 0)),
    ];

    private static int Inspect(VerbContext context, PatternStore store, StoredModel stored, CancellationToken cancellation)
    {
        using var model = PatternModel.Open(stored.Path);
        var (statistics, parameters, provenance) = (model.Statistics, model.Parameters, model.Provenance);
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new InspectAnswer(stored.Id.Name, stored.Path, stored.Bytes, statistics, parameters, provenance), CliJson.Default.InspectAnswer);
            return ExitCode.Success;
        }

        var terminal = context.Terminal;
        terminal.Facts(
        [
            (new("model", "modelo"), stored.Id.Name),
            (new("file", "archivo"), stored.Path),
            (new("size", "tamaño"), $"{new ByteSize(stored.Bytes)} ({Figures.Number((double)stored.Bytes / Math.Max(1, statistics.Tokens), 1)} B/token)"),
            (new("created", "creado"), $"{Moment(provenance.CreatedAt)} UTC, llm-assist {provenance.Program}"),
            .. provenance.Note is { } note ? [(new Phrase("note", "nota"), note)] : Array.Empty<(Phrase, string)>(),
        ]);
        terminal.Heading(new("Where it comes from", "De dónde viene"));
        terminal.Facts(
        [
            .. provenance.Folders.Select(folder => (
                new Phrase("folder", "carpeta"),
                provenance.Commits.TryGetValue(folder, out var commit) ? $"{folder} ({commit[..Math.Min(12, commit.Length)]})" : folder)),
            (new("files", "archivos"), $"{Figures.Count(provenance.Files)}, {new ByteSize(provenance.Bytes)}"),
            (new("languages", "lenguajes"), string.Join(", ", provenance.Languages
                .OrderByDescending(pair => pair.Value)
                .Select(pair => $"{Language.ById(pair.Key).Name} {Figures.Share(pair.Value / Math.Max(1.0, provenance.Bytes))}"))),
            (new("passed over", "omitidos"), provenance.Skipped.Count == 0 ? "0" : string.Join(", ", provenance.Skipped
                .OrderByDescending(pair => pair.Value)
                .Select(pair => $"{context.Text(TrainVerb.ReasonOf(pair.Key))} {pair.Value}"))),
        ]);
        terminal.Heading(new("What it holds", "Qué contiene"));
        terminal.Facts(
        [
            (new("tokens learned from", "tokens aprendidos"), Figures.Count(statistics.Tokens)),
            (new("patterns observed", "patrones observados"), Figures.Count(statistics.PatternsObserved)),
            (new("patterns stored", "patrones guardados"), Figures.Count(statistics.PatternsStored)),
            (new("contexts", "contextos"), Figures.Count(statistics.Contexts)),
            (new("vocabulary", "vocabulario"), Figures.Count(statistics.Symbols)),
            (new("sparsity", "dispersión"), Figures.Number(statistics.Sparsity, 6)),
            (new("training", "entrenamiento"), $"{Figures.Number(statistics.TrainingSeconds, 1)} s, {Figures.Number(statistics.MegabytesPerSecond, 1)} MB/s"),
        ]);
        terminal.Heading(new("How it was trained", "Cómo se entrenó"));
        terminal.Facts(
        [
            (new("kinds of contexts", "clases de contexto"), string.Join(", ", parameters.Contexts)),
            (new("dropped below", "descartado por debajo de"), Figures.Count(parameters.Prune)),
            (new("largest model", "modelo máximo"), parameters.MaximumMegabytes is { } megabytes ? $"{megabytes} MB" : "–"),
            (new("largest file", "archivo máximo"), new ByteSize(parameters.MaximumFileBytes).ToString()),
            (new("include", "incluir"), parameters.Include.Count == 0 ? "–" : string.Join(' ', parameters.Include)),
            (new("exclude", "excluir"), parameters.Exclude.Count == 0 ? "–" : string.Join(' ', parameters.Exclude)),
        ]);
        return ExitCode.Success;
    }

    private static int Verify(VerbContext context, PatternStore store, StoredModel stored, CancellationToken cancellation)
    {
        try
        {
            PatternModel.Verify(stored.Path, cancellation);
        }
        catch (PatternFileException exception)
        {
            var movedTo = store.Quarantine(stored.Path);
            if (context.Terminal.IsJson)
            {
                context.Terminal.Json(new VerifyAnswer(stored.Id.Name, Ok: false, context.Text(exception.Reason), movedTo), CliJson.Default.VerifyAnswer);
            }

            context.Terminal.Fail(exception.Phrase);
            if (movedTo is not null)
            {
                context.Terminal.Remark(new($"It was set aside as {movedTo}", $"Se apartó como {movedTo}"));
            }

            return ExitCode.Failure;
        }

        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new VerifyAnswer(stored.Id.Name, Ok: true, Reason: null, MovedTo: null), CliJson.Default.VerifyAnswer);
            return ExitCode.Success;
        }

        context.Terminal.Say(new(
            $"{stored.Id.Name} is whole: {new ByteSize(stored.Bytes)} read, every checksum and reference holds.",
            $"{stored.Id.Name} está íntegro: se leyeron {new ByteSize(stored.Bytes)} y todas las sumas y referencias son correctas."));
        return ExitCode.Success;
    }

    private static Command DeleteCommand(VerbContext context)
    {
        var name = context.AnyModelArgument();
        var yes = new Option<bool>("--yes", "-y") { Description = context.Text(new("Do not ask", "No preguntar")) };
        var command = new Command("delete", context.Text(new(
            "Delete a model from disk: one version by its file name, all by its name",
            "Borrar un modelo del disco: una versión por su nombre de archivo, todas por su nombre")))
        {
            name, yes,
        };
        var ollama = new OllamaFlags(context).AddAddressTo(command);
        command.SetAction((parsed, cancellation) => OllamaModels.ForAsync(
            context,
            parsed.GetRequiredValue(name),
            host => ollama.Prepare(parsed, host),
            (_, _) => Delete(context, parsed.GetRequiredValue(name), parsed.GetValue(yes)),
            (_, ofOllamas) => OllamaModels.RefuseToDelete(ofOllamas),
            cancellation));
        return command;
    }

    private static int Delete(VerbContext context, string reference, bool isConfirmed)
    {
        var store = context.OpenStore();
        var meant = store.Resolve(reference);

        // By name: if only the newest went, the one before it would quietly take its place.
        IReadOnlyList<StoredModel> models = meant.Name == reference ? [.. store.List().Where(model => model.Name == reference)] : [meant];
        var names = string.Join(", ", models.Select(model => model.Id.Name));
        var size = new ByteSize(models.Sum(model => model.Bytes));
        if (!isConfirmed && !context.Terminal.IsInteractive)
        {
            context.Terminal.Fail(new(
                $"This would delete {names} ({size}). Nobody is there to confirm it; add --yes.",
                $"Esto borraría {names} ({size}). No hay nadie que lo confirme; añada --yes."));
            return ExitCode.BadUsage;
        }

        if (!isConfirmed && !context.Terminal.Confirm(new($"Delete {names} ({size})?", $"¿Borrar {names} ({size})?")))
        {
            context.Terminal.Say(new("Nothing was deleted.", "No se borró nada."));
            return ExitCode.Failure;
        }

        foreach (var model in models)
        {
            store.Delete(model);
        }

        AnswerDeleted(context, models);
        return ExitCode.Success;
    }

    private static Command PruneCommand(VerbContext context)
    {
        var keep = context.Whole("--keep", "N", 1, int.MaxValue, new("How many versions of each name stay", "Cuántas versiones de cada nombre se conservan"));
        keep.Required = true;
        var command = new Command("prune", context.Text(new(
            "Delete all but the newest versions of every model",
            "Borrar todas las versiones de cada modelo salvo las más recientes")))
        {
            keep,
        };
        command.SetAction((parsed, _) =>
        {
            AnswerDeleted(context, context.OpenStore().Prune(parsed.GetRequiredValue(keep)!.Value));
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void AnswerDeleted(VerbContext context, IReadOnlyList<StoredModel> models)
    {
        var freed = models.Sum(model => model.Bytes);
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new DeleteAnswer([.. models.Select(model => model.Id.Name)], freed), CliJson.Default.DeleteAnswer);
            return;
        }

        context.Terminal.Say(models.Count == 0
            ? new("There was nothing to delete.", "No había nada que borrar.")
            : new(
                $"Deleted {string.Join(", ", models.Select(model => model.Id.Name))}; {new ByteSize(freed)} are free again.",
                $"Se borró {string.Join(", ", models.Select(model => model.Id.Name))}; se liberan {new ByteSize(freed)}."));
    }

    private static int Load(VerbContext context, PatternStore store, StoredModel stored, CancellationToken cancellation)
    {
        var started = context.Time.GetTimestamp();
        using var model = PatternModel.Open(stored.Path);
        var statistics = model.Statistics;
        var elapsed = context.Time.GetElapsedTime(started);
        var stats = new ModelStats(statistics.PatternsStored, KibibytesOf(model), statistics.Sparsity);
        var message = new Phrase(
            $"{stored.Id.Name} opens. A verb holds a model only while it runs: an editor window loads it with 'LLM Assist: Load Model'.",
            $"{stored.Id.Name} se abre. Un comando solo mantiene un modelo mientras se ejecuta: en el editor se carga con «LLM Assist: Cargar modelo».");
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new LoadAnswer(context.Text(message), stats), CliJson.Default.LoadAnswer);
            return ExitCode.Success;
        }

        context.Terminal.Say(message);
        context.Terminal.Facts(
        [
            (new("patterns", "patrones"), Figures.Count(stats.PatternsStored)),
            (new("mapped memory", "memoria mapeada"), $"{Figures.Count(stats.MemoryKb)} KB"),
            (new("private memory", "memoria privada"), $"{Figures.Count(model.CommittedBytes / 1024)} KB"),
            (new("sparsity", "dispersión"), Figures.Number(stats.Sparsity, 6)),
            (new("opened in", "abierto en"), $"{Figures.Number(elapsed.TotalMilliseconds, 1)} ms"),
        ]);
        return ExitCode.Success;
    }

    private static int Unload(VerbContext context, PatternStore store, StoredModel stored, CancellationToken cancellation)
    {
        using var model = PatternModel.Open(stored.Path);
        var resident = MappedPages.Resident(model.MappedAddress, model.MappedBytes);
        var inMemory = resident is { } bytes
            ? new Phrase(
                $" Of its file, {bytes} of {new ByteSize(model.MappedBytes)} are in RAM now; the system takes them back by itself when memory is needed.",
                $" De su archivo hay ahora {bytes} de {new ByteSize(model.MappedBytes)} en RAM; el sistema los recupera por sí mismo cuando hace falta memoria.")
            : default(Phrase?);
        var message = new Phrase(
            $"This command holds no model, so there was nothing to unload. An editor window lets go of {stored.Id.Name} with 'LLM Assist: Unload Model', or when it is closed.{inMemory?.English}",
            $"Este comando no mantiene ningún modelo, así que no había nada que descargar. Una ventana del editor suelta {stored.Id.Name} con «LLM Assist: Descargar modelo», o al cerrarse.{inMemory?.Spanish}");
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new UnloadAnswer(context.Text(message), Unloaded: false), CliJson.Default.UnloadAnswer);
            return ExitCode.Success;
        }

        context.Terminal.Say(message);
        return ExitCode.Success;
    }

    /// <summary>Opens a model; a damaged one is set aside and told of, one that is gone is passed over.</summary>
    public static PatternModel? TryOpen(VerbContext context, PatternStore store, StoredModel stored)
    {
        PatternModel? model = null;
        try
        {
            model = PatternModel.Open(stored.Path);
            _ = model.Statistics;
            _ = model.Provenance;
            return model;
        }
        catch (PatternFileException exception)
        {
            model?.Dispose();
            store.Quarantine(stored.Path);
            context.TellSetAside(exception);
            return null;
        }
        catch (FileNotFoundException)
        {
            // Deleted by another process between listing and opening.
            return null;
        }
    }

    private static long KibibytesOf(PatternModel model) => (model.MappedBytes + model.CommittedBytes) / 1024;

    private static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
