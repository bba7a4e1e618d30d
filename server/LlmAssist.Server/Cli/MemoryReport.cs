// What 'memory' tells, as data: the machine, the models in memory, advice. Reads and asks; shows nothing.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>How things stand at one moment.</summary>
/// <param name="Models">Saved pattern models, and what Ollama has in memory.</param>
/// <param name="Advice">The most pressing first.</param>
internal sealed record MemoryReport(MemoryReading Reading, ByteSize Limit, IReadOnlyList<MemoryModel> Models, IReadOnlyList<Phrase> Advice)
{
    /// <summary>What all models take of RAM; null where the system does not tell.</summary>
    public ByteSize? InMemory => Models.All(static model => model.Bytes is not null) ? new(Models.Sum(static model => model.Bytes!.Value)) : null;

    /// <summary>Looks, and asks Ollama if it is there at once.</summary>
    public static async Task<MemoryReport> ReadAsync(VerbContext context, OllamaVisit visit, CancellationToken cancellation)
    {
        var installed = await InstalledAsync(visit, cancellation);
        var residents = visit.Keeper.Residents();
        var store = context.OpenStore();
        var stored = store.List();
        var reading = context.Probe.Read();
        var options = visit.Keeper.Options;
        var budget = MemoryBudget.Of(reading, options.Limit, options.Scope);
        List<Phrase> advice = options.IsEnabled ? [] : [MemoryAdvice.OnlyShown];
        advice.AddRange(MemoryAdvice.For(reading, budget, residents, context.Time.GetUtcNow()));
        advice.AddRange(OllamaAdvice.For(visit.Host));
        var fitting = installed.Where(static model => model is { Verdict: not null, FillsMiddle: true }).Select(static model => (OllamaHost.IdOf(model.Installed.Name), model.Verdict!));
        if (MemoryAdvice.Fitting(fitting) is { } fits)
        {
            advice.Add(fits);
        }

        if (OfOldVersions(stored) is { } old)
        {
            advice.Add(old);
        }

        return new(reading, options.Limit, [.. OfPatterns(context, visit, store, stored, residents), .. OfOllama(visit, residents)], advice);
    }

    /// <summary>The same as scripts read it.</summary>
    public MemoryAnswer Answer(VerbContext context) => new(
        Reading.System?.Total.Bytes,
        Reading.System?.Available.Bytes,
        Reading.System?.UsedPercent,
        Limit.Bytes,
        InMemory?.Bytes,
        Models,
        [.. Advice.Select(context.Text)],
        Reading.Process?.Resident.Bytes);

    private static IEnumerable<MemoryModel> OfPatterns(VerbContext context, OllamaVisit visit, PatternStore store, IReadOnlyList<StoredModel> stored, IReadOnlyList<Resident> residents)
    {
        foreach (var one in stored)
        {
            if (ModelsVerb.TryOpen(context, store, one) is not { } opened)
            {
                continue;
            }

            using var model = opened;
            var resident = residents.FirstOrDefault(resident => resident.Id == one.Id);
            yield return new(
                one.Id.ToString(),
                "pattern",
                MappedPages.Resident(model.MappedAddress, model.MappedBytes)?.Bytes,
                model.MappedBytes,
                VramBytes: 0,
                ContextTokens: null,
                resident?.LastUsed,
                visit.Keeper.IsPinned(one.Id),
                resident?.IsBusy ?? false);
        }
    }

    private static IEnumerable<MemoryModel> OfOllama(OllamaVisit visit, IReadOnlyList<Resident> residents)
    {
        var held = visit.Host.Residents.DistinctBy(static model => model.Id).ToDictionary(static model => model.Id);
        return residents.Where(static resident => resident.Id.Source == ModelSource.Ollama).Select(resident => new MemoryModel(
            resident.Id.ToString(),
            "ollama",
            resident.Bytes.Bytes,
            MappedBytes: 0,
            held.GetValueOrDefault(resident.Id)?.VramBytes ?? 0,
            held.GetValueOrDefault(resident.Id)?.ContextTokens,
            resident.LastUsed,
            resident.IsPinned,
            resident.IsBusy));
    }

    // Nothing where Ollama does not answer at once: then it has nothing that we could tell of.
    private static async Task<IReadOnlyList<OllamaModel>> InstalledAsync(OllamaVisit visit, CancellationToken cancellation)
    {
        if (visit.IsOff || (await visit.KnockAsync(cancellation)).Version is null)
        {
            return [];
        }

        try
        {
            return await visit.Host.ListAsync(cancellation);
        }
        catch (OllamaException)
        {
            return [];
        }
    }

    private static Phrase? OfOldVersions(IReadOnlyList<StoredModel> stored)
    {
        var old = stored.GroupBy(static model => model.Name).SelectMany(static versions => versions.Skip(1)).ToList();
        var size = new ByteSize(old.Sum(static model => model.Bytes));
        return old.Count == 0
            ? null
            : new(
                $"Older versions take {size} on disk and no memory; 'llm-assist models prune --keep 1' removes them.",
                $"Las versiones anteriores ocupan {size} en disco y nada de memoria; «llm-assist models prune --keep 1» las elimina.");
    }
}
