// 'memory': the memory of the machine, and how much of it models take. Reads only; nothing is evicted here.
using System.CommandLine;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>Shows memory.</summary>
internal static class MemoryVerb
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);
    private static readonly ByteSize Tight = ByteSize.GiB(1); // below this, systems begin to swap under an editor and a browser

    /// <summary>The verb with its arguments.</summary>
    public static Command Command(VerbContext context)
    {
        var watch = new Option<bool>("--watch") { Description = context.Text(new("Show it again every 2 seconds until Ctrl+C", "Mostrarlo de nuevo cada 2 segundos hasta Ctrl+C")) };
        var command = new Command("memory", context.Text(new("Show the memory of the machine and of the models", "Mostrar la memoria del equipo y de los modelos"))) { watch };
        command.Validators.Add(result =>
        {
            if (result.GetValue(watch) && result.GetValue<bool>("--json"))
            {
                result.AddError(context.Text(new(
                    "--watch and --json were both given; a JSON document has an end. Leave one of them out.",
                    "Se indicaron --watch y --json a la vez; un documento JSON tiene final. Omita uno de los dos.")));
            }
        });
        var ollama = new OllamaFlags(context).AddAddressTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var visit = ollama.Prepare(parsed, patterns: null);
            return await RunAsync(context, visit, parsed.GetValue(watch), cancellation);
        });
        return command;
    }

    /// <summary>The tables, for people.</summary>
    /// <param name="visit">Where Ollama is asked what it has in memory; null for nowhere.</param>
    public static async Task ShowAsync(VerbContext context, OllamaVisit? visit, CancellationToken cancellation)
    {
        var answer = await ReadAsync(context, visit, cancellation);
        var terminal = context.Terminal;
        terminal.Facts(
        [
            (new("machine", "equipo"), answer is { SystemTotalBytes: { } total, SystemAvailableBytes: { } available, SystemUsedPercent: { } percent }
                ? context.Text(new(
                    $"{new ByteSize(total)}, {new ByteSize(available)} available, {Figures.Number(percent, 0)} % used",
                    $"{new ByteSize(total)}, {new ByteSize(available)} disponibles, {Figures.Number(percent, 0)} % en uso"))
                : "?"),
            (new("this process", "este proceso"), answer.ProcessBytes is { } own ? new ByteSize(own).ToString() : "?"),
            (new("models in RAM", "modelos en RAM"), answer.ModelsBytes is { } inMemory ? new ByteSize(inMemory).ToString() : "?"),
        ]);
        if (answer.Models.Count != 0)
        {
            terminal.Table(
                [new(new("model", "modelo")), Column.Number(new("mapped file", "archivo mapeado")), Column.Number(new("in RAM", "en RAM")), Column.Number(Phrase.Same("VRAM"))],
                answer.Models.Select(model => (string[])
                [
                    model.Id,
                    Size(model.MappedBytes),
                    model.Bytes is { } bytes ? new ByteSize(bytes).ToString() : "?",
                    Size(model.VramBytes),
                ]));
        }

        foreach (var advice in answer.Advice)
        {
            terminal.Say(Phrase.Same(advice));
        }
    }

    private static async Task<int> RunAsync(VerbContext context, OllamaVisit visit, bool watch, CancellationToken cancellation)
    {
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(await ReadAsync(context, visit, cancellation), CliJson.Default.MemoryAnswer);
            return ExitCode.Success;
        }

        if (!watch)
        {
            await ShowAsync(context, visit, cancellation);
            return ExitCode.Success;
        }

        try
        {
            while (true)
            {
                context.Terminal.NextPicture();
                await ShowAsync(context, visit, cancellation);
                context.Terminal.Aside(new("Ctrl+C ends this.", "Ctrl+C para terminar."));
                await Task.Delay(WatchInterval, context.Time, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // How it is meant to end.
            return ExitCode.Interrupted;
        }
    }

    private static async Task<MemoryAnswer> ReadAsync(VerbContext context, OllamaVisit? visit, CancellationToken cancellation)
    {
        var models = new List<MemoryModel>();
        var store = context.OpenStore();
        foreach (var stored in store.List())
        {
            if (ModelsVerb.TryOpen(context, store, stored) is not { } opened)
            {
                continue;
            }

            using var model = opened;
            models.Add(new(
                stored.Id.ToString(),
                "pattern",
                MappedPages.Resident(model.MappedAddress, model.MappedBytes)?.Bytes,
                model.MappedBytes,
                VramBytes: 0,
                ContextTokens: null,
                LastUsed: null,
                Pinned: false,
                Busy: false));
        }

        models.AddRange(visit is null ? [] : await OfOllamaAsync(visit, cancellation));
        var reading = context.Probe.Read();
        return new(
            reading.System?.Total.Bytes,
            reading.System?.Available.Bytes,
            reading.System?.UsedPercent,
            LimitBytes: null,
            models.TrueForAll(model => model.Bytes is not null) ? models.Sum(model => model.Bytes!.Value) : null,
            models,
            [.. AdviceFor(reading, store.List()).Select(context.Text)],
            reading.Process?.Resident.Bytes);
    }

    // What Ollama has in memory; nothing where it does not answer at once: then it has nothing that we could tell of.
    private static async Task<IEnumerable<MemoryModel>> OfOllamaAsync(OllamaVisit visit, CancellationToken cancellation)
    {
        if (visit.IsOff || (await visit.KnockAsync(cancellation)).Version is null)
        {
            return [];
        }

        try
        {
            await visit.Host.ListAsync(cancellation);
        }
        catch (OllamaException)
        {
            return [];
        }

        return visit.Host.Residents.Select(resident => new MemoryModel(
            resident.Id.ToString(),
            "ollama",
            resident.RamBytes,
            MappedBytes: 0,
            resident.VramBytes,
            resident.ContextTokens,
            LastUsed: null,
            Pinned: false,
            resident.IsBusy));
    }

    private static string Size(long bytes) => bytes == 0 ? "–" : new ByteSize(bytes).ToString();

    private static IEnumerable<Phrase> AdviceFor(MemoryReading reading, IReadOnlyList<StoredModel> stored)
    {
        foreach (var missing in reading.Missing)
        {
            yield return missing;
        }

        if (reading.System is { } system && system.Available < Tight)
        {
            yield return new(
                $"Memory is tight: {system.Available} are left. Unload models you do not need or close other programs. Pages of pattern models go by themselves when others need the room.",
                $"Queda poca memoria: {system.Available}. Descargue los modelos que no necesite o cierre otros programas. Las páginas de los modelos de patrones se liberan solas cuando otros las necesitan.");
        }

        var old = stored.GroupBy(model => model.Name).SelectMany(versions => versions.Skip(1)).ToList();
        if (old.Count != 0)
        {
            var size = new ByteSize(old.Sum(model => model.Bytes));
            yield return new(
                $"Older versions take {size} on disk and no memory; 'llm-assist models prune --keep 1' removes them.",
                $"Las versiones anteriores ocupan {size} en disco y nada de memoria; «llm-assist models prune --keep 1» las elimina.");
        }
    }
}
