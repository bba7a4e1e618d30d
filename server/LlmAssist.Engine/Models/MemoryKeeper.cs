// Carries out what MemoryGovernor decides, for all models of this machine: one load at a time, evictions first, back under the limit
// when others load. Decides nothing; knows models by their ids.
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Sharing;

namespace LlmAssist.Engine.Models;

/// <summary>What the user wants of memory.</summary>
public sealed record MemoryOptions
{
    /// <summary>Whether loads are judged and models taken out; if not, memory is only looked at.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>What all models may take.</summary>
    public ByteSize Limit { get; init; } = ByteSize.GiB(6);

    /// <summary>Which models may be taken out.</summary>
    public EvictionScope Scope { get; init; }

    /// <summary>How often memory is looked at while nothing moves.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Models that are never taken out, besides those that were pinned by command.</summary>
    public IReadOnlyList<ModelId> Pinned { get; init; } = [];
}

/// <summary>A load was refused: what it needs, what can be had, what to do.</summary>
public sealed class RefusedException(Phrase phrase, Exception? cause = null) : UserException(phrase, cause);

/// <summary>Keeps the models of this machine within the user's limit, together with the keepers of other windows.</summary>
/// <remarks>Safe on any thread.</remarks>
public sealed class MemoryKeeper : IDisposable
{
    // A model that another window has used so recently is in use there: somebody types.
    private static readonly TimeSpan InUse = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan CachesStayGone = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RefusalIsKnown = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Leaving = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(1);

    private readonly IMemoryProbe _probe;
    private readonly TimeProvider _time;
    private readonly string _loads;
    private readonly string _reliefs;
    private readonly WindowBoard _windows;
    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly Dictionary<ModelId, DateTimeOffset> _uses = [];
    private readonly Dictionary<ModelId, long> _refusedAt = [];
    private IReadOnlyList<IModelHost> _hosts = [];
    private MemoryOptions _options = new();
    private long? _cachesDroppedAt;
    private IReadOnlyList<ModelShare> _patterns = []; // as of the last tick
    private long? _sampledAt;
    private HashSet<ModelId> _sampled = []; // the models of the last sample
    private TaskCompletionSource _moved = NewSignal();

    /// <param name="folder">Where the windows of this machine share what they know.</param>
    public MemoryKeeper(string folder, IMemoryProbe probe, TimeProvider time)
    {
        _probe = probe;
        _time = time;
        _loads = folder;
        _reliefs = Path.Combine(folder, "relief");
        _windows = new(folder, time);
        Notes = new(folder, time);
        History = new(folder, time);
    }

    /// <summary>Raised, on any thread, after something has happened to a model.</summary>
    public event Action<MemoryEvent>? Happened;

    /// <summary>Raised, on any thread, when a load has to wait because somebody else loads. Handlers must not throw.</summary>
    public event Action<LeaseHolder>? Waiting;

    /// <summary>The last day.</summary>
    public MemoryHistory History { get; }

    /// <summary>What windows and command line remember together.</summary>
    public MachineNotes Notes { get; }

    /// <summary>What the user wants.</summary>
    public MemoryOptions Options
    {
        get
        {
            lock (_gate)
            {
                return _options;
            }
        }
    }

    /// <summary>What models may take at this moment.</summary>
    public MemoryBudget Budget() => MemoryBudget.Of(_probe.Read(), Options.Limit, Options.Scope);

    /// <summary>All models in memory, as of the last look: of all hosts, and what other windows have mapped.</summary>
    public IReadOnlyList<Resident> Residents()
    {
        var others = _windows.Others();
        var pins = Pins(others).ToHashSet();
        var now = _time.GetUtcNow();
        var residents = Hosts.SelectMany(static host => host.Residents).Select(resident =>
        {
            var elsewhere = others.Max(window => window.Uses.TryGetValue(resident.Id, out var at) ? at : default(DateTimeOffset?));
            return resident with
            {
                LastUsed = resident.LastUsed < elsewhere ? elsewhere.Value : resident.LastUsed,

                // Not a use in the future, which a clock that was set back leaves behind for as long as it was set back.
                IsBusy = resident.IsBusy || (elsewhere is { } use && use <= now + InUse && now - use < InUse),
                IsPinned = pins.Contains(resident.Id) || pins.Contains(PinOf(resident.Id)),
            };
        }).ToList();

        // What other windows have mapped is one copy with ours, if we have it too.
        var foreign = others.SelectMany(static window => window.Patterns).Where(share => !residents.Exists(resident => resident.Id == share.Id)).DistinctBy(static share => share.Id);
        residents.AddRange(foreign.Select(share => new Resident(share.Id, share.Bytes, now) { IsBusy = true, Mapped = share.Bytes }));
        return residents;
    }

    /// <summary>Adds somebody who has models in memory.</summary>
    public void Add(IModelHost host)
    {
        lock (_gate)
        {
            _hosts = [.. _hosts, host];
        }
    }

    /// <summary>Forgets somebody who has no models any more.</summary>
    public void Remove(IModelHost host)
    {
        lock (_gate)
        {
            _hosts = [.. _hosts.Where(other => other != host)];
        }
    }

    /// <summary>Takes over what the user wants.</summary>
    public void Configure(MemoryOptions options)
    {
        lock (_gate)
        {
            _options = options;
        }

        Moved();
    }

    /// <summary>Something was loaded, unloaded or seen: whether all is well is looked at soon.</summary>
    public void Moved()
    {
        lock (_gate)
        {
            _moved.TrySetResult();
        }
    }

    /// <summary>A model is used in this window: others leave it in peace.</summary>
    public void Used(ModelId id)
    {
        lock (_gate)
        {
            _uses[id] = _time.GetUtcNow();
        }

        Publish();
    }

    /// <summary>Pins a model, or no longer, for all windows and until further notice.</summary>
    public void Pin(ModelId id, bool isPinned)
    {
        Notes.Change(notes =>
        {
            var pinned = notes.Pinned.ToHashSet();
            return (isPinned ? pinned.Add(id) : pinned.Remove(id)) ? notes with { Pinned = pinned } : notes;
        });
        Moved();
    }

    /// <summary>Whether a model is pinned, by command or setting, here or in another window.</summary>
    public bool IsPinned(ModelId id) => Pins(_windows.Others()).Any(pin => pin == id || pin == PinOf(id));

    /// <summary>What to pin for a model: a pattern model in whatever version, because each training makes a new one.</summary>
    public static ModelId PinOf(ModelId id) =>
        id.Source == ModelSource.Pattern && PatternStore.StampSuffixLength < id.Name.Length ? ModelId.Pattern(id.Name[..^PatternStore.StampSuffixLength]) : id;

    /// <summary>Loads a model when it is its turn and there is room; makes room first where that is allowed.</summary>
    /// <param name="id">Which.</param>
    /// <param name="newcomer">What it needs, asked when it is its turn; null if there is nothing to load any more.</param>
    /// <param name="load">Loads it with a context. Canceled if another window has lost patience with this one.</param>
    /// <returns>What it was loaded with; null if there was nothing to load.</returns>
    /// <exception cref="RefusedException">It does not fit, whatever leaves.</exception>
    /// <exception cref="UserException">It took more than was predicted, and had to leave again; or another window has lost patience with this one.</exception>
    public async Task<ContextChoice?> LoadAsync(
        ModelId id,
        Func<CancellationToken, Task<Newcomer?>> newcomer,
        Func<ContextChoice, CancellationToken, Task> load,
        CancellationToken cancellation)
    {
        // Pattern models are mapped in no time and are not worth waiting for somebody's seven billion parameters.
        await using var lease = id.Source == ModelSource.Pattern ? null : await LoadLease.AcquireAsync(_loads, id, _time, holder => Waiting?.Invoke(holder), cancellation);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lease?.Lost ?? CancellationToken.None);
        await LookAsync(either.Token);
        if (await newcomer(either.Token) is not { } wanted)
        {
            return null;
        }

        var choice = await MakeRoomAsync(wanted, either.Token);
        try
        {
            await load(choice, either.Token);
        }
        catch (OperationCanceledException) when (lease is { Lost.IsCancellationRequested: true } && !cancellation.IsCancellationRequested)
        {
            throw new UserException(MemoryMessages.Overtaken(id));
        }

        await LookAsync(either.Token);
        Tell(MemoryEventKind.Load, id, Residents().FirstOrDefault(resident => resident.Id == id)?.Bytes ?? choice.Bytes, MemoryMessages.AskedWith(choice.Tokens));
        await CorrectAsync(id, choice, either.Token);
        Moved();
        return choice;
    }

    /// <summary>How a model would be loaded now, without doing anything.</summary>
    public Verdict Judge(Newcomer newcomer) => MemoryGovernor.Judge(newcomer, Residents(), Budget());

    /// <summary>Looks after memory until canceled.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        // A program that starts has better things to do.
        await Task.Delay(FirstPause, _time, cancellation);
        while (true)
        {
            Task moved;
            TimeSpan poll;
            lock (_gate)
            {
                // Before the look, so that what moves during it is looked at again.
                _moved = _moved.Task.IsCompleted ? NewSignal() : _moved;
                moved = _moved.Task;
                poll = _options.Poll;
            }

            await TickAsync(cancellation);
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Task.WhenAny(moved, Task.Delay(poll, _time, pause.Token));
            await pause.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
            if (moved.IsCompleted)
            {
                await Task.Delay(LeastPause, _time, cancellation);
            }
        }
    }

    /// <summary>Keeps the history, and makes room if more is taken than may be. Never fails but by cancellation.</summary>
    public async Task TickAsync(CancellationToken cancellation)
    {
        var residents = Residents();
        Publish(residents);
        var (reading, options) = (_probe.Read(), Options);
        if (IsTimeToSample(residents, out var isNews))
        {
            var shares = residents.Select(static resident => new ModelShare(resident.Id, resident.Bytes));
            History.Add(new MemorySample(_time.GetUtcNow(), reading.System?.Total, reading.System?.Available, options.Limit, [.. shares]), isNews);
        }

        if (!options.IsEnabled || MemoryGovernor.Relieve(residents, MemoryBudget.Of(reading, options.Limit, options.Scope), _time.GetUtcNow()) is not { } relief)
        {
            return;
        }

        DropCaches(relief.Cause);
        if (relief.Victims.Count != 0)
        {
            await RelieveAsync(relief.Victims[0], cancellation);
        }
    }

    /// <summary>Notes that something happened, for the history and for whoever listens.</summary>
    /// <param name="isSeen">Whether it was only seen: other windows then see it too, and it is noted once.</param>
    public void Tell(MemoryEventKind kind, ModelId id, ByteSize bytes, Phrase reason, bool isSeen = false)
    {
        var happened = new MemoryEvent(_time.GetUtcNow(), kind, id, bytes, reason);
        if (!isSeen)
        {
            History.Add(happened);
        }
        else if (!History.AddSeen(happened))
        {
            return;
        }

        Happened?.Invoke(happened);
    }

    public void Dispose() => _windows.Dispose();

    private IReadOnlyList<IModelHost> Hosts
    {
        get
        {
            lock (_gate)
            {
                return _hosts;
            }
        }
    }

    // A model that came or went is worth a sample of its own: who looks at the history sees it, and sees it where it was.
    private bool IsTimeToSample(IReadOnlyList<Resident> residents, out bool isNews)
    {
        lock (_gate)
        {
            isNews = !_sampled.SetEquals(residents.Select(static resident => resident.Id));
            if (!isNews && _sampledAt is { } at && _time.GetElapsedTime(at) < Sampling)
            {
                return false;
            }

            _sampledAt = _time.GetTimestamp();
            _sampled = [.. residents.Select(static resident => resident.Id)];
            return true;
        }
    }

    // ---- Making room ----

    private async Task<ContextChoice> MakeRoomAsync(Newcomer newcomer, CancellationToken cancellation)
    {
        if (!Options.IsEnabled)
        {
            // Off means off: the context goes by what is free, and nothing is refused.
            var tokens = Budget().Available is { } available ? ContextTier.TokensFor(available) : ContextTier.Unknown;
            return newcomer.IsContextFree ? newcomer.Choices.FirstOrDefault(choice => choice.Tokens <= tokens, newcomer.Choices[^1]) : newcomer.Choices[0];
        }

        var stayed = new HashSet<ModelId>();
        while (true)
        {
            // Judged and looked at once: meanwhile others look too, and what was leaving may be gone.
            var residents = ResidentsBut(stayed);
            switch (MemoryGovernor.Judge(newcomer, residents, Budget()))
            {
                case Verdict.Admit admit:
                    return admit.Choice;

                case Verdict.EvictFirst evict:
                    await EvictAsync(evict.Victims, MemoryMessages.RoomFor(newcomer.Id), stayed, cancellation);

                    // With the context that this was done for. More may be free now, and to take that could cost more models.
                    newcomer = newcomer with { Choices = [.. newcomer.Choices.Where(choice => choice.Tokens <= evict.Choice.Tokens)] };
                    break;

                case Verdict.Refuse when residents.Any(resident => resident.IsLeaving && !stayed.Contains(resident.Id)):
                    // Somebody else has told it to leave. In a moment there may be room.
                    await Task.Delay(Leaving, _time, cancellation);
                    await LookAsync(cancellation);
                    break;

                case Verdict.Refuse refuse:
                    var pinned = Residents().Where(static resident => resident.IsPinned).Select(static resident => resident.Id).ToList();
                    var refusal = MemoryMessages.Refused(newcomer, refuse, Options.Limit, pinned);
                    if (IsNews(newcomer.Id))
                    {
                        Tell(MemoryEventKind.Refuse, newcomer.Id, refuse.Needed, refusal);
                    }

                    throw new RefusedException(refusal);
            }
        }
    }

    // Who types asks for the same model again and again.
    private bool IsNews(ModelId id)
    {
        lock (_gate)
        {
            if (_refusedAt.TryGetValue(id, out var at) && _time.GetElapsedTime(at) < RefusalIsKnown)
            {
                return false;
            }

            _refusedAt[id] = _time.GetTimestamp();
            return true;
        }
    }

    // An estimate was too low: what came takes more than it should.
    private async Task CorrectAsync(ModelId id, ContextChoice choice, CancellationToken cancellation)
    {
        var wasThere = Residents().Any(resident => resident.Id == id);
        var stayed = new HashSet<ModelId>();
        while (Options.IsEnabled && MemoryGovernor.Relieve(ResidentsBut(stayed), Budget(), _time.GetUtcNow()) is { Cause: ReliefCause.AboveLimit, Victims.Count: > 0 } relief)
        {
            await EvictAsync(relief.Victims, MemoryMessages.TakesMore(id), stayed, cancellation);
        }

        if (Options.IsEnabled && wasThere && !Residents().Any(resident => resident.Id == id))
        {
            throw new UserException(MemoryMessages.UnloadedAgain(id, choice.Bytes, Options.Limit));
        }
    }

    private async Task RelieveAsync(ModelId victim, CancellationToken cancellation)
    {
        // Two windows see the same and would both act. Who comes second finds that there is nothing to do any more.
        await using var lease = await LoadLease.AcquireAsync(_reliefs, victim, _time, null, cancellation);
        await LookAsync(cancellation);
        var stayed = new HashSet<ModelId>();
        while (MemoryGovernor.Relieve(ResidentsBut(stayed), Budget(), _time.GetUtcNow()) is { Victims.Count: > 0 } relief)
        {
            await EvictAsync(relief.Victims, MemoryMessages.Relieved(relief.Cause), stayed, cancellation);
            if (relief.Cause != ReliefCause.AboveLimit)
            {
                // What the system has left follows with a delay, and must not cost another model meanwhile.
                return;
            }
        }
    }

    // In this order, until one does not leave: it answers somebody whom nobody could see. Perhaps the others need not leave then, or
    // cannot help.
    private async Task EvictAsync(IReadOnlyList<ModelId> victims, Phrase reason, HashSet<ModelId> stayed, CancellationToken cancellation)
    {
        foreach (var victim in victims)
        {
            await TryEvictAsync(victim, reason, cancellation);
            await LookAsync(cancellation);
            if (Residents().Any(resident => resident.Id == victim))
            {
                stayed.Add(victim);
                return;
            }
        }
    }

    private IReadOnlyList<Resident> ResidentsBut(HashSet<ModelId> stayed) =>
        [.. Residents().Select(resident => stayed.Contains(resident.Id) ? resident with { IsBusy = true } : resident)];

    private async Task TryEvictAsync(ModelId id, Phrase reason, CancellationToken cancellation)
    {
        foreach (var host in Hosts)
        {
            var bytes = host.Residents.FirstOrDefault(resident => resident.Id == id)?.Bytes;
            try
            {
                if (bytes is { } freed && await host.EvictAsync(id, cancellation))
                {
                    Tell(MemoryEventKind.Evict, id, freed, reason);
                }
            }
            catch (UserException)
            {
                // It does not go, and its host tells of that. The next judgment finds it busy, and takes another.
            }
            catch (Exception exception) when (exception is ObjectDisposedException or OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                // Another server is asked from now on. Whoever watches must go on watching.
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        foreach (var host in Hosts)
        {
            await host.LookAsync(cancellation);
        }
    }

    private void DropCaches(ReliefCause cause)
    {
        lock (_gate)
        {
            if (cause == ReliefCause.AboveLimit || (_cachesDroppedAt is { } at && _time.GetElapsedTime(at) < CachesStayGone))
            {
                return;
            }

            _cachesDroppedAt = _time.GetTimestamp();
        }

        foreach (var host in Hosts)
        {
            host.DropCaches();
        }
    }

    // ---- What is told ----

    // To count pages takes too long for every use of a model.
    private void Publish(IReadOnlyList<Resident>? residents = null)
    {
        lock (_gate)
        {
            _patterns = residents is null ? _patterns
                : [.. residents.Where(static resident => resident is { IsOurs: true, Id.Source: ModelSource.Pattern }).Select(static resident => new ModelShare(resident.Id, resident.Bytes))];
            _windows.Post(new() { Uses = new Dictionary<ModelId, DateTimeOffset>(_uses), Pinned = _options.Pinned, Patterns = _patterns });
        }
    }

    private IEnumerable<ModelId> Pins(IReadOnlyList<WindowState> others) =>
        Notes.Read().Pinned.Concat(Options.Pinned).Concat(others.SelectMany(static window => window.Pinned));

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
