// The model of a workspace: found by its folders, trained when there is none, trained again when enough has changed.
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Engine.Models;

/// <summary>How far a model lags behind its folders.</summary>
/// <param name="Files">Files that there are now.</param>
/// <param name="Changed">Files that were changed, added or removed since training.</param>
public readonly record struct Staleness(int Files, int Changed)
{
    private const int LeastChanged = 3;
    private const double LeastShare = 0.05;

    /// <summary>Whether enough has changed for training again to be worth its seconds.</summary>
    public bool IsStale => LeastChanged <= Changed && LeastShare * Files <= Changed;
}

/// <summary>Finds, trains and refreshes the models of folders, and keeps the newest one in memory.</summary>
/// <remarks>Safe on any thread. One training runs at a time in this process, and one per name on the machine.</remarks>
public sealed class WorkspaceModels(PatternStore store, ModelHost host, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan ClaimPolling = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _training = new(1);

    /// <summary>Takes the newest model learned from exactly these folders into memory.</summary>
    /// <param name="folders">Absolute paths.</param>
    /// <param name="setAside">Told of each damaged file on the way.</param>
    /// <returns>The model's id; null if there is no model.</returns>
    public ModelId? TryOpen(IReadOnlyList<string> folders, Action<PatternFileException> setAside)
    {
        if (store.OpenLearnedFrom(folders, setAside) is not { } model)
        {
            return null;
        }

        var id = model.Id;
        host.Adopt(model);
        return id;
    }

    /// <summary>The name that a model of these folders gets: the first folder's name, made unique by its path where needed.</summary>
    public string NameFor(IReadOnlyList<string> folders)
    {
        var first = PatternStore.NormalizedFolder(folders[0]);
        var name = PatternStore.SafeName(Path.GetFileName(first));
        using var existing = store.OpenCurrent(name, static _ => { });
        return existing is null || existing.Provenance.Folders.Contains(first)
            ? name
            : $"{name}-{(uint)SymbolHash.Of(first):x8}";
    }

    /// <summary>
    /// Trains, takes the new model into memory and lets go of older ones of its name. If another process is training the same name,
    /// waits for it, and takes its model if <paramref name="acceptOthers"/>.
    /// </summary>
    /// <exception cref="UserException">There is nothing to learn from, or the model could not be saved.</exception>
    /// <exception cref="OperationCanceledException">Canceled; the previous model stays.</exception>
    public async Task<(ModelId Id, PatternStatistics Statistics)> TrainAsync(
        TrainingRequest request,
        bool acceptOthers,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellation)
    {
        var asked = time.GetUtcNow();
        await _training.WaitAsync(cancellation);
        try
        {
            using var claim = await ClaimAsync(request.Name, cancellation);
            if (acceptOthers && store.OpenLearnedFrom(request.Folders, static _ => { }) is { } others)
            {
                if (asked <= others.Provenance.CreatedAt)
                {
                    var statistics = others.Statistics;
                    var id = others.Id;
                    host.Adopt(others);
                    await LetGoOfOthersAsync(id);
                    return (id, statistics);
                }

                others.Dispose();
            }

            var trained = await Task.Run(() => new PatternTrainer(store, time).Train(request, progress, cancellation), cancellation);
            host.Load(trained.Stored);
            await LetGoOfOthersAsync(trained.Stored.Id);
            return (trained.Stored.Id, trained.Statistics);
        }
        finally
        {
            _training.Release();
        }
    }

    /// <summary>Compares a model with the files that there are now. Compares names, sizes and times; of contents only the beginnings are read, to tell what is source code.</summary>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public Staleness Compare(ModelId id, CorpusOptions options, CancellationToken cancellation)
    {
        using var leases = host.LeaseAll();
        if (leases.Models.FirstOrDefault(model => model.Id == id) is not { } model)
        {
            return default;
        }

        var learned = model.LearnedFiles().ToDictionary(file => file.Path, file => (file.Bytes, file.ModifiedAt));
        var folders = model.Provenance.Folders.Where(folder => Directory.Exists(folder) || File.Exists(folder)).ToList();
        var files = CorpusWalker.Walk(folders, options, cancellation).Files;
        var changed = 0;
        foreach (var file in files)
        {
            changed += learned.Remove(file.FullPath, out var known) && known == (file.Bytes, file.ModifiedAt) ? 0 : 1;
        }

        return new(files.Count, changed + learned.Count);
    }

    public void Dispose() => _training.Dispose();

    private async Task<IDisposable> ClaimAsync(string name, CancellationToken cancellation)
    {
        while (true)
        {
            if (store.TryClaimTraining(name) is { } claim)
            {
                return claim;
            }

            await Task.Delay(ClaimPolling, time, cancellation);
        }
    }

    private async Task LetGoOfOthersAsync(ModelId current)
    {
        var name = NameOf(current);
        foreach (var resident in host.Residents)
        {
            if (resident.Id != current && NameOf(resident.Id) == name)
            {
                await host.UnloadAsync(resident.Id);
            }
        }

        static string NameOf(ModelId id) => id.Name[..Math.Max(0, id.Name.Length - PatternStore.StampSuffixLength)];
    }
}
