// llmAssist.models.list, load, unload, unloadAll, pin, unpin, delete.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Patterns;
using LlmAssist.Server.Background;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>Commands that mean stored or loaded models.</summary>
internal sealed class ModelCommands(PatternStore store, ModelHost host, OllamaHost ollama, MemoryKeeper keeper, MemoryWork memory, ClientLink client)
{
    private const string OllamaPrefix = "ollama:";

    /// <summary>
    /// All pattern models that can be opened, damaged files being set aside on the way; and what Ollama has, if it answers: that it does not
    /// is told by the status.
    /// </summary>
    public async ValueTask<IReadOnlyList<ModelInfo>> ListAsync(SessionSnapshot session, Nothing argument, CancellationToken cancellation)
    {
        var models = PatternModels(cancellation);
        if (ollama.Endpoint is not null)
        {
            try
            {
                models.AddRange((await ollama.ListAsync(cancellation)).Select(InfoOf));
            }
            catch (OllamaException)
            {
                // Its models are not to be had now; the status says why.
            }
        }

        return models;
    }

    private PinAnswer Pin(SessionSnapshot session, ModelArgument argument, bool isPinned)
    {
        // What is no longer there can be unpinned all the same.
        var id = OllamaName(argument) is { } name ? OllamaHost.IdOf(name)
            : !isPinned && ModelId.TryParse(argument.Id, out var given) ? given
            : Resolve(argument).Id;
        var pin = MemoryKeeper.PinOf(id);
        keeper.Pin(pin, isPinned);
        var message = isPinned
            ? new Phrase($"{pin.Name} stays in memory once it is loaded.", $"{pin.Name} se queda en memoria una vez cargado.")
            : new($"{pin.Name} may be taken out of memory when room is needed.", $"{pin.Name} puede salir de la memoria cuando haga falta sitio.");
        return new(pin.ToString(), isPinned, message.In(session.Speech));
    }

    private List<ModelInfo> PatternModels(CancellationToken cancellation)
    {
        var loaded = host.Residents.Select(resident => resident.Id).ToHashSet();
        var named = new HashSet<string>();
        var models = new List<ModelInfo>();
        foreach (var stored in store.List())
        {
            cancellation.ThrowIfCancellationRequested();
            if (store.TryOpen(stored, static _ => { }) is not { } model)
            {
                continue;
            }

            using (model)
            {
                var statistics = model.Statistics;
                models.Add(new()
                {
                    Id = stored.Id.ToString(),
                    Name = stored.Name,
                    Source = "pattern",
                    SizeBytes = stored.Bytes,
                    CreatedAt = stored.CreatedAt,
                    ModifiedAt = File.GetLastWriteTimeUtc(stored.Path),
                    Loaded = loaded.Contains(stored.Id),
                    Current = named.Add(stored.Name),
                    Pinned = keeper.IsPinned(stored.Id),
                    PatternsStored = statistics.PatternsStored,
                    MemoryKb = stored.Bytes / 1024,
                    Sparsity = statistics.Sparsity,
                    Folders = model.Provenance.Folders,
                });
            }
        }

        return models;
    }

    public async ValueTask<ModelAnswer> LoadAsync(SessionSnapshot session, ModelArgument argument, CancellationToken cancellation)
    {
        if (OllamaName(argument) is { } name)
        {
            return await LoadOllamaAsync(session, name, cancellation);
        }

        var stored = Resolve(argument);
        using var happened = memory.Collect();
        await keeper.LoadAsync(
            stored.Id,
            _ => Task.FromResult(host.Residents.Any(resident => resident.Id == stored.Id) ? null : new Newcomer(stored.Id, [new(0, new(stored.Bytes))])),
            (_, _) =>
            {
                host.Load(stored);
                return Task.CompletedTask;
            },
            cancellation);
        var message = new Phrase($"{stored.Name} is loaded.{happened.Evicted.English}", $"{stored.Name} está cargado.{happened.Evicted.Spanish}");
        return new(stored.Id.ToString(), message.In(session.Speech), StatsOf(stored, host.Load(stored)), happened.EvictedIds);
    }

    /// <summary>Keeps a model in memory, whatever needs the room: in all windows, until it is unpinned.</summary>
    public ValueTask<PinAnswer> PinAsync(SessionSnapshot session, ModelArgument argument, CancellationToken cancellation) => new(Pin(session, argument, isPinned: true));

    public ValueTask<PinAnswer> UnpinAsync(SessionSnapshot session, ModelArgument argument, CancellationToken cancellation) => new(Pin(session, argument, isPinned: false));

    public async ValueTask<UnloadAnswer> UnloadAsync(SessionSnapshot session, ModelArgument argument, CancellationToken cancellation)
    {
        if (OllamaName(argument) is { } name)
        {
            var ollamaId = OllamaHost.IdOf(name);
            return await ollama.UnloadAsync(name, cancellation)
                ? new([ollamaId.ToString()], new Phrase($"{ollamaId.Name} is unloaded.", $"{ollamaId.Name} está descargado de la memoria.").In(session.Speech))
                : new([], new Phrase($"{ollamaId.Name} was not loaded.", $"{ollamaId.Name} no estaba cargado.").In(session.Speech));
        }

        // The file of a loaded model may have been deleted meanwhile: what is in memory is asked first.
        var wanted = argument.Id ?? throw Missing();
        var resident = host.Residents.FirstOrDefault(resident => resident.Id.ToString() == wanted || resident.Id.Name == wanted);
        var id = resident?.Id ?? Resolve(argument).Id;
        return await UnloadPatternAsync(id)
            ? new([id.ToString()], new Phrase($"{id.Name} is unloaded.", $"{id.Name} está descargado.").In(session.Speech))
            : new([], new Phrase($"{id.Name} was not loaded.", $"{id.Name} no estaba cargado.").In(session.Speech));
    }

    public async ValueTask<UnloadAnswer> UnloadAllAsync(SessionSnapshot session, Nothing argument, CancellationToken cancellation)
    {
        var unloaded = new List<string>();
        foreach (var resident in host.Residents)
        {
            if (await UnloadPatternAsync(resident.Id))
            {
                unloaded.Add(resident.Id.ToString());
            }
        }

        // What others have loaded is theirs.
        foreach (var name in ollama.LoadedByUs())
        {
            if (await ollama.UnloadAsync(name, cancellation))
            {
                unloaded.Add(OllamaHost.IdOf(name).ToString());
            }
        }

        var message = unloaded.Count == 1
            ? new Phrase("1 model is unloaded.", "1 modelo descargado.")
            : new Phrase($"{unloaded.Count} models are unloaded.", $"{unloaded.Count} modelos descargados.");
        return new(unloaded, message.In(session.Speech));
    }

    public async ValueTask<DeleteAnswer> DeleteAsync(SessionSnapshot session, ModelArgument argument, CancellationToken cancellation)
    {
        if (OllamaName(argument) is { } name)
        {
            throw new UserException(new(
                $"LLM Assist deletes no models of Ollama, which may be used by others too. To delete it from disk: ollama rm {name}",
                $"LLM Assist no borra modelos de Ollama, que otros programas también pueden usar. Para borrarlo del disco: ollama rm {name}"));
        }

        var stored = Resolve(argument);
        await host.UnloadAsync(stored.Id);
        store.Delete(stored);
        return new(stored.Id.ToString(), new Phrase($"{stored.Id.Name} is deleted.", $"{stored.Id.Name} está borrado.").In(session.Speech));
    }

    /// <summary>The figures that answers carry.</summary>
    public static ModelStats StatsOf(StoredModel stored, PatternStatistics statistics) => new()
    {
        PatternsObserved = statistics.PatternsObserved,
        PatternsStored = statistics.PatternsStored,
        MemoryKb = stored.Bytes / 1024,
        Sparsity = statistics.Sparsity,
        Tokens = statistics.Tokens,
        TrainingSeconds = statistics.TrainingSeconds,
        MegabytesPerSecond = statistics.MegabytesPerSecond,
    };

    private async Task<ModelAnswer> LoadOllamaAsync(SessionSnapshot session, string name, CancellationToken cancellation)
    {
        var title = new Phrase($"LLM Assist: loading {name}", $"LLM Assist: cargando {name}");
        using var progress = await client.BeginProgressAsync(title.In(session.Speech), session.Client.ShowsProgress, cancellation, isMeasured: false);
        using var happened = memory.Collect();
        var use = await ollama.LoadAsync(name, progress.Cancellation);
        var resident = ollama.Residents.FirstOrDefault(resident => resident.Id == OllamaHost.IdOf(use.Name));
        var (ram, vram) = (new ByteSize(resident?.RamBytes ?? 0), new ByteSize(resident?.VramBytes ?? 0));
        var message = resident is null
            ? new Phrase($"{use.Name} is loaded with {use.ContextTokens} tokens of context.", $"{use.Name} está cargado con {use.ContextTokens} tokens de contexto.")
            : resident.VramBytes == 0
                ? new($"{use.Name} is loaded: {ram} of RAM, {use.ContextTokens} tokens of context.", $"{use.Name} está cargado: {ram} de RAM, {use.ContextTokens} tokens de contexto.")
                : new Phrase(
                    $"{use.Name} is loaded: {ram} of RAM and {vram} of graphics memory, {use.ContextTokens} tokens of context.",
                    $"{use.Name} está cargado: {ram} de RAM y {vram} de memoria gráfica, {use.ContextTokens} tokens de contexto.");
        return new(OllamaHost.IdOf(use.Name).ToString(), $"{message.In(session.Speech)}{happened.Evicted.In(session.Speech)}", Evicted: happened.EvictedIds);
    }

    private ModelInfo InfoOf(OllamaModel model) => new()
    {
        Id = OllamaHost.IdOf(model.Installed.Name).ToString(),
        Name = model.Installed.Name,
        Source = "ollama",
        SizeBytes = model.Installed.SizeBytes,
        CreatedAt = model.Installed.ModifiedAt ?? default,
        ModifiedAt = model.Installed.ModifiedAt ?? default,
        Loaded = model.Running is not null,
        Current = model.IsInUse,
        Pinned = keeper.IsPinned(OllamaHost.IdOf(model.Installed.Name)),
        MemoryKb = (model.Running?.RamBytes ?? 0) / 1024,
        Family = model.Installed.Family,
        ParameterSize = model.Installed.ParameterSize,
        Quantization = model.Installed.Quantization,
        ContextTokens = model.Running?.ContextTokens,
        Capabilities = model.Installed.Capabilities ?? model.Facts?.Capabilities,
        FillsMiddle = model.Facts is null ? null : model.FillsMiddle,
        RemoteHost = model.Installed.RemoteHost ?? model.Facts?.RemoteHost,
        PredictedBytes = model.Verdict switch
        {
            Verdict.Admit admit => admit.Choice.Bytes.Bytes,
            Verdict.EvictFirst evict => evict.Choice.Bytes.Bytes,
            Verdict.Refuse refuse => refuse.Needed.Bytes,
            _ => model.Running?.RamBytes,
        },
        Fit = model.Verdict switch
        {
            Verdict.Admit => "now",
            Verdict.EvictFirst => "afterEvicting",
            Verdict.Refuse => "no",
            _ => null,
        },
        FitContextTokens = (model.Verdict as Verdict.Admit)?.Choice.Tokens ?? (model.Verdict as Verdict.EvictFirst)?.Choice.Tokens,
        FitEvicts = (model.Verdict as Verdict.EvictFirst)?.Victims.Select(victim => victim.ToString()).ToList(),
    };

    // The name in 'ollama:NAME'; null for a pattern model.
    private static string? OllamaName(ModelArgument argument) =>
        argument.Id is { } id && id.StartsWith(OllamaPrefix, StringComparison.Ordinal) ? id[OllamaPrefix.Length..] : null;

    private async Task<bool> UnloadPatternAsync(ModelId id)
    {
        var bytes = keeper.Residents().FirstOrDefault(resident => resident.Id == id)?.Bytes ?? ByteSize.Zero;
        if (!await host.UnloadAsync(id))
        {
            return false;
        }

        keeper.Tell(MemoryEventKind.Unload, id, bytes, MemoryMessages.Asked);
        return true;
    }

    private StoredModel Resolve(ModelArgument argument) => store.Resolve(argument.Id ?? throw Missing());

    private static UserException Missing() => new(new(
        "The argument names no model; expected is { \"id\": \"pattern:NAME\" } or { \"id\": \"ollama:NAME\" }.",
        "El argumento no nombra ningún modelo; se espera { \"id\": \"pattern:NOMBRE\" } o { \"id\": \"ollama:NOMBRE\" }."));
}
