// llmAssist.models.list, load, unload, unloadAll, delete.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>Commands that mean stored or loaded models.</summary>
internal sealed class ModelCommands(PatternStore store, ModelHost host)
{
    /// <summary>All models that can be opened; damaged files are set aside on the way.</summary>
    public ValueTask<IReadOnlyList<ModelInfo>> ListAsync(SessionSnapshot session, Nothing argument, CancellationToken cancellation)
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
                    PatternsStored = statistics.PatternsStored,
                    MemoryKb = stored.Bytes / 1024,
                    Sparsity = statistics.Sparsity,
                    Folders = model.Provenance.Folders,
                });
            }
        }

        return new(models);
    }

    public ValueTask<ModelAnswer> LoadAsync(SessionSnapshot session, ModelArgument argument, CancellationToken cancellation)
    {
        var stored = Resolve(argument);
        var others = host.Residents.Where(resident => resident.Id != stored.Id).Sum(resident => resident.CommittedBytes + resident.MappedBytes);
        if (session.Settings.MemoryLimit < others + stored.Bytes)
        {
            var (limit, needed) = (new ByteSize(session.Settings.MemoryLimit), new ByteSize(others + stored.Bytes));
            throw new UserException(new(
                $"{stored.Name} was not loaded: with it models would take {needed}, and the limit is {limit}. Unload a model, or raise llmAssist.memory.limit.",
                $"{stored.Name} no se cargó: con él los modelos ocuparían {needed} y el límite es {limit}. Descargue un modelo o aumente llmAssist.memory.limit."));
        }

        var statistics = host.Load(stored);
        var message = new Phrase($"{stored.Name} is loaded.", $"{stored.Name} está cargado.");
        return new(new ModelAnswer(stored.Id.ToString(), message.In(session.Speech), StatsOf(stored, statistics)));
    }

    public async ValueTask<UnloadAnswer> UnloadAsync(SessionSnapshot session, ModelArgument argument, CancellationToken cancellation)
    {
        // The file of a loaded model may have been deleted meanwhile: what is in memory is asked first.
        var wanted = argument.Id ?? throw Missing();
        var resident = host.Residents.FirstOrDefault(resident => resident.Id.ToString() == wanted || resident.Id.Name == wanted);
        var id = resident?.Id ?? Resolve(argument).Id;
        return await host.UnloadAsync(id)
            ? new([id.ToString()], new Phrase($"{id.Name} is unloaded.", $"{id.Name} está descargado.").In(session.Speech))
            : new([], new Phrase($"{id.Name} was not loaded.", $"{id.Name} no estaba cargado.").In(session.Speech));
    }

    public async ValueTask<UnloadAnswer> UnloadAllAsync(SessionSnapshot session, Nothing argument, CancellationToken cancellation)
    {
        var unloaded = new List<string>();
        foreach (var resident in host.Residents)
        {
            if (await host.UnloadAsync(resident.Id))
            {
                unloaded.Add(resident.Id.ToString());
            }
        }

        var message = unloaded.Count == 1
            ? new Phrase("1 model is unloaded.", "1 modelo descargado.")
            : new Phrase($"{unloaded.Count} models are unloaded.", $"{unloaded.Count} modelos descargados.");
        return new(unloaded, message.In(session.Speech));
    }

    public async ValueTask<DeleteAnswer> DeleteAsync(SessionSnapshot session, ModelArgument argument, CancellationToken cancellation)
    {
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

    private StoredModel Resolve(ModelArgument argument) => store.Resolve(argument.Id ?? throw Missing());

    private static UserException Missing() => new(new(
        "The argument names no model; expected is { \"id\": \"pattern:NAME\" }.",
        "El argumento no nombra ningún modelo; se espera { \"id\": \"pattern:NOMBRE\" }."));
}
