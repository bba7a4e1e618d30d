// The one place that loads and unloads models. Decides nothing: whoever asks has decided.
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Engine.Models;

/// <summary>A model that is in memory.</summary>
/// <param name="Id">Which.</param>
/// <param name="CommittedBytes">Private memory it takes.</param>
/// <param name="MappedBytes">Bytes of its file mapped: shared with other processes and given back by the system when memory is short.</param>
/// <param name="Address">Where the mapping begins.</param>
/// <param name="LastUsed">When it last answered or was loaded.</param>
/// <param name="IsBusy">Whether it is answering right now.</param>
public sealed record ResidentModel(ModelId Id, long CommittedBytes, long MappedBytes, nint Address, DateTimeOffset LastUsed, bool IsBusy);

/// <summary>Holds the models that are in memory, and keeps each there while somebody uses it.</summary>
/// <remarks>Safe on any thread.</remarks>
public sealed class ModelHost(PatternStore store, TimeProvider time) : IModelHost, IDisposable
{
    private readonly Lock _gate = new();
    private readonly OrderedDictionary<ModelId, LeasedModel> _residents = []; // guarded by _gate; in the order of loading

    /// <summary>Raised, on any thread, when a model has come or gone.</summary>
    public event Action? Changed;

    /// <summary>What is in memory, in the order of loading.</summary>
    public IReadOnlyList<ResidentModel> Residents
    {
        get
        {
            lock (_gate)
            {
                return [.. _residents.Values.Select(resident => new ResidentModel(
                    resident.Model.Id,
                    resident.Model.CommittedBytes,
                    resident.Model.MappedBytes,
                    resident.Model.MappedAddress,
                    resident.LastUsed,
                    0 < resident.Leases))];
            }
        }
    }

    IReadOnlyList<Resident> IModelHost.Residents
    {
        get
        {
            lock (_gate)
            {
                // Under the lock nothing is unmapped, so that what is counted is what is there.
                return
                [
                    .. _residents.Values.Select(static resident =>
                    {
                        var mapped = MappedPages.Resident(resident.Model.MappedAddress, resident.Model.MappedBytes) ?? new(resident.Model.MappedBytes);
                        return new Resident(resident.Model.Id, new ByteSize(resident.Model.CommittedBytes) + mapped, resident.LastUsed)
                        {
                            IsBusy = 0 < resident.Leases,
                            IsOurs = true,
                            Mapped = mapped,
                        };
                    }),
                ];
            }
        }
    }

    /// <summary>Loads a model from the store; nothing happens if it is in memory already.</summary>
    /// <exception cref="PatternFileException">The file cannot be used; it has been set aside.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public PatternStatistics Load(StoredModel stored)
    {
        lock (_gate)
        {
            if (_residents.TryGetValue(stored.Id, out var resident))
            {
                return resident.Model.Statistics;
            }
        }

        PatternModel? model = null;
        try
        {
            model = PatternModel.Open(stored.Path);
            var statistics = model.Statistics;

            // From here on another thread may unload it at any moment.
            Adopt(model);
            return statistics;
        }
        catch (PatternFileException)
        {
            model?.Dispose();
            store.Quarantine(stored.Path);
            throw;
        }
    }

    /// <summary>Takes over a model that is open already.</summary>
    public void Adopt(PatternModel model)
    {
        lock (_gate)
        {
            if (!_residents.TryAdd(model.Id, new(model, time.GetUtcNow())))
            {
                model.Dispose();
                return;
            }
        }

        Changed?.Invoke();
    }

    /// <summary>
    /// Unloads a model: nobody gets it from here on, and when the last of those who use it is done, its pages and its handle
    /// are gone.
    /// </summary>
    /// <returns>Completed when it is gone; false if it was not in memory.</returns>
    public async Task<bool> UnloadAsync(ModelId id)
    {
        LeasedModel? resident;
        lock (_gate)
        {
            if (!_residents.Remove(id, out resident))
            {
                return false;
            }

            resident.IsLeaving = true;
            resident.EndIfUnusedLocked();
        }

        await resident.Gone;
        Changed?.Invoke();
        return true;
    }

    /// <summary>Keeps all pattern models in memory until the leases are disposed.</summary>
    public ModelLeases LeaseAll()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            foreach (var resident in _residents.Values)
            {
                resident.Leases++;
                resident.LastUsed = now;
            }

            return new([.. _residents.Values.Select(resident => resident.Model)], [.. _residents.Values], Return);
        }
    }

    Task IModelHost.LookAsync(CancellationToken cancellation) => Task.CompletedTask;

    Task<bool> IModelHost.EvictAsync(ModelId id, CancellationToken cancellation) => UnloadAsync(id);

    void IModelHost.DropCaches() => ReleasePages();

    /// <summary>Lets go of the pages of all models; what is used of them comes back. Models stay loaded and can be asked meanwhile.</summary>
    public void ReleasePages()
    {
        // Under the lock nothing is unmapped.
        lock (_gate)
        {
            foreach (var resident in _residents.Values)
            {
                MappedPages.Release(resident.Model.MappedAddress, resident.Model.MappedBytes);
            }
        }
    }

    /// <summary>Unloads everything.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var resident in _residents.Values)
            {
                resident.IsLeaving = true;
                resident.EndIfUnusedLocked();
            }

            _residents.Clear();
        }
    }

    private void Return(IReadOnlyList<LeasedModel> leased)
    {
        lock (_gate)
        {
            foreach (var resident in leased)
            {
                resident.Leases--;
                resident.EndIfUnusedLocked();
            }
        }
    }

    /// <summary>A model with those who use it.</summary>
    internal sealed class LeasedModel(PatternModel model, DateTimeOffset loadedAt)
    {
        private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public PatternModel Model { get; } = model;

        public int Leases { get; set; }

        public bool IsLeaving { get; set; }

        public DateTimeOffset LastUsed { get; set; } = loadedAt;

        public Task Gone => _gone.Task;

        public void EndIfUnusedLocked()
        {
            if (IsLeaving && Leases == 0)
            {
                Model.Dispose();
                _gone.TrySetResult();
            }
        }
    }
}

/// <summary>Keeps models in memory until disposed. No span of a model may outlive it.</summary>
public sealed class ModelLeases : IDisposable
{
    private readonly IReadOnlyList<ModelHost.LeasedModel> _residents;
    private readonly Action<IReadOnlyList<ModelHost.LeasedModel>> _return;
    private bool _isReturned;

    internal ModelLeases(IReadOnlyList<PatternModel> models, IReadOnlyList<ModelHost.LeasedModel> residents, Action<IReadOnlyList<ModelHost.LeasedModel>> giveBack)
    {
        Models = models;
        _residents = residents;
        _return = giveBack;
    }

    /// <summary>The models, in the order of loading.</summary>
    public IReadOnlyList<PatternModel> Models { get; }

    public void Dispose()
    {
        if (!_isReturned)
        {
            _isReturned = true;
            _return(_residents);
        }
    }
}
