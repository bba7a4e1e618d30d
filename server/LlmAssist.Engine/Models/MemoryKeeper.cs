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

/// <summary>Keeps the models of this machine within the user's limit, together with the keepers of other windows.</summary>
/// <remarks>Safe on any thread.</remarks>
public sealed class MemoryKeeper : IDisposable
{
    // A model that another window has used so recently is in use there: somebody types.
    private static readonly TimeSpan InUse = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan CachesStayGone = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(1);

    private readonly IMemoryProbe _probe;
    private readonly TimeProvider _time;
    private readonly string _loads;
    private readonly string _reliefs;
    private readonly WindowBoard _windows;
    private readonly MachineNotes _notes;
    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly Dictionary<ModelId, DateTimeOffset> _uses = [];
    private IReadOnlyList<IModelHost> _hosts = [];
    private MemoryOptions _options = new();
    private long? _cachesDroppedAt;
    private long? _sampledAt;
    private TaskCompletionSource _moved = NewSignal();

    /// <param name="folder">Where the windows of this machine share what they know.</param>
    public MemoryKeeper(string folder, IMemoryProbe probe, TimeProvider time)
    {
        _probe = probe;
        _time = time;
        _loads = folder;
        _reliefs = Path.Combine(folder, "relief");
        _windows = new(folder, time);
        _notes = new(folder, time);
        History = new(folder, time);
    }

    /// <summary>Raised, on any thread, after something has happened to a model.</summary>
    public event Action<MemoryEvent>? Happened;

    /// <summary>Raised, on any thread, when a load has to wait because somebody else loads. Handlers must not throw.</summary>
    public event Action<LeaseHolder>? Waiting;

    /// <summary>The last day.</summary>
    public MemoryHistory History { get; }

    /// <summary>What windows and command line remember together.</summary>
    public MachineNotes Notes => _notes;

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
        var now = _time.GetUtcNow();
        var residents = Hosts.SelectMany(static host => host.Residents).Select(resident =>
        {
            var elsewhere = others.Max(window => window.Uses.TryGetValue(resident.Id, out var at) ? at : default(DateTimeOffset?));
            return resident with
            {
                LastUsed = resident.LastUsed < elsewhere ? elsewhere.Value : resident.LastUsed,

                // Not a use in the future, which a clock that was set back leaves behind for as long as it was set back.
                IsBusy = resident.IsBusy || (elsewhere is { } use && use <= now + InUse && now - use < InUse),
                IsPinned = IsPinned(resident.Id),
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

        Publish();
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
        _notes.Change(notes =>
        {
            var pinned = notes.Pinned.ToHashSet();
            return (isPinned ? pinned.Add(id) : pinned.Remove(id)) ? notes with { Pinned = pinned } : notes;
        });
        Moved();
    }

    /// <summary>Whether a model is pinned, by command or setting, here or in another window.</summary>
    public bool IsPinned(ModelId id) =>
        _notes.Read().Pinned.Concat(Options.Pinned).Concat(_windows.Others().SelectMany(static window => window.Pinned)).Any(pin => Covers(pin, id));

    /// <summary>What to pin for a model: a pattern model in whatever version, because each training makes a new one.</summary>
    public static ModelId PinOf(ModelId id) =>
        id.Source == ModelSource.Pattern && PatternStore.StampSuffixLength < id.Name.Length ? ModelId.Pattern(id.Name[..^PatternStore.StampSuffixLength]) : id;

    /// <summary>Loads a model when it is its turn and there is room; makes room first where that is allowed.</summary>
    /// <param name="id">Which.</param>
    /// <param name="newcomer">What it needs, asked when it is its turn; null if there is nothing to load any more.</param>
    /// <param name="load">Loads it with a context. Canceled if another window has lost patience with this one.</param>
    /// <returns>What it was loaded with; null if there was nothing to load.</returns>
    /// <exception cref="UserException">It does not fit, or what had to leave did not.</exception>
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
        await load(choice, either.Token);
        await LookAsync(either.Token);
        Tell(MemoryEventKind.Load, id, choice.Bytes, new(
            choice.Tokens == 0 ? "It was asked for." : $"It was asked for, with {choice.Tokens} tokens of context.",
            choice.Tokens == 0 ? "Se pidió." : $"Se pidió, con {choice.Tokens} tokens de contexto."));
        await CorrectAsync(id, choice, either.Token);
        Moved();
        return choice;
    }

    /// <summary>How a model would be loaded now, without doing anything.</summary>
    public Verdict Judge(Newcomer newcomer) => MemoryGovernor.Judge(newcomer, Residents(), Budget());

    /// <summary>Looks after memory until canceled.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
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
        Publish();
        var residents = Residents();
        var reading = _probe.Read();
        if (IsTimeToSample())
        {
            History.Add(new MemorySample(
                _time.GetUtcNow(), reading.System?.Total, reading.System?.Available, Options.Limit, [.. residents.Select(static resident => new ModelShare(resident.Id, resident.Bytes))]));
        }

        if (!Options.IsEnabled || MemoryGovernor.Relieve(residents, Budget(), _time.GetUtcNow()) is not { } relief)
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
        if (isSeen)
        {
            History.AddSeen(happened);
        }
        else
        {
            History.Add(happened);
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

    private bool IsTimeToSample()
    {
        lock (_gate)
        {
            if (_sampledAt is { } at && _time.GetElapsedTime(at) < Sampling)
            {
                return false;
            }

            _sampledAt = _time.GetTimestamp();
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
            var residents = Residents().Select(resident => stayed.Contains(resident.Id) ? resident with { IsBusy = true } : resident).ToList();
            switch (MemoryGovernor.Judge(newcomer, residents, Budget()))
            {
                case Verdict.Admit admit:
                    return admit.Choice;

                case Verdict.EvictFirst evict:
                    foreach (var victim in evict.Victims)
                    {
                        await TryEvictAsync(victim, new($"To make room for {newcomer.Id.Name}.", $"Para hacer sitio a {newcomer.Id.Name}."), cancellation);
                    }

                    await LookAsync(cancellation);
                    stayed.UnionWith(evict.Victims.Intersect(Residents().Select(static resident => resident.Id)));

                    // With the context that this was done for. More may be free now, and to take that could cost more models.
                    newcomer = newcomer with { Choices = [.. newcomer.Choices.Where(choice => choice.Tokens <= evict.Choice.Tokens)] };
                    break;

                case Verdict.Refuse refuse:
                    var refusal = Refusal(newcomer, refuse);
                    Tell(MemoryEventKind.Refuse, newcomer.Id, refuse.Needed, refusal);
                    throw new UserException(refusal);
            }
        }
    }

    // An estimate was too low: what came takes more than it should.
    private async Task CorrectAsync(ModelId id, ContextChoice choice, CancellationToken cancellation)
    {
        if (!Options.IsEnabled || MemoryGovernor.Relieve(Residents(), Budget(), _time.GetUtcNow()) is not { Cause: ReliefCause.AboveLimit } relief)
        {
            return;
        }

        foreach (var victim in relief.Victims)
        {
            await TryEvictAsync(
                victim,
                new($"{id.Name} takes more than was expected.", $"{id.Name} ocupa más de lo previsto."),
                cancellation);
        }

        if (relief.Victims.Contains(id))
        {
            throw new UserException(new(
                $"{id.Name} was unloaded again: it took more than the {choice.Bytes} that were expected, and with it models were above the limit of {Options.Limit}. Choose a smaller model or raise llmAssist.memory.limit.",
                $"{id.Name} se volvió a descargar de la memoria: ocupaba más de los {choice.Bytes} previstos y con él los modelos superaban el límite de {Options.Limit}. Elija un modelo más pequeño o aumente llmAssist.memory.limit."));
        }
    }

    private async Task RelieveAsync(ModelId victim, CancellationToken cancellation)
    {
        // Two windows see the same and would both act. Who comes second finds that there is nothing to do any more.
        await using var lease = await LoadLease.AcquireAsync(_reliefs, victim, _time, null, cancellation);
        await LookAsync(cancellation);
        if (MemoryGovernor.Relieve(Residents(), Budget(), _time.GetUtcNow()) is not { } relief)
        {
            return;
        }

        foreach (var one in relief.Victims)
        {
            await TryEvictAsync(one, WhyRelieved(relief.Cause), cancellation);
        }

        await LookAsync(cancellation);
    }

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

    private void Publish()
    {
        WindowState state;
        lock (_gate)
        {
            state = new() { Uses = new Dictionary<ModelId, DateTimeOffset>(_uses), Pinned = _options.Pinned };
        }

        _windows.Post(state with
        {
            Patterns =
            [
                .. Hosts.SelectMany(static host => host.Residents)
                    .Where(static resident => resident.Id.Source == ModelSource.Pattern)
                    .Select(static resident => new ModelShare(resident.Id, resident.Bytes)),
            ],
        });
    }

    private Phrase Refusal(Newcomer newcomer, Verdict.Refuse refuse)
    {
        var name = newcomer.Id.Name;
        var options = Options;
        var fixedTokens = newcomer.IsContextFree || newcomer.Choices[^1].Tokens == 0 ? (int?)null : newcomer.Choices[^1].Tokens;
        var with = fixedTokens is { } tokens
            ? new Phrase($" with {tokens} tokens of context", $" con {tokens} tokens de contexto")
            : new("", "");
        return refuse.IsByLimit
            ? new(
                $"{name} was not loaded: it needs {refuse.Needed}{with.English}, and of the limit of {options.Limit} no more than {refuse.Room} can be had. {Remedy(fixedTokens).English} or raise llmAssist.memory.limit.",
                $"{name} no se cargó: necesita {refuse.Needed}{with.Spanish} y del límite de {options.Limit} no se pueden obtener más de {refuse.Room}. {Remedy(fixedTokens).Spanish} o aumente llmAssist.memory.limit.")
            : new(
                $"{name} was not loaded: it needs {refuse.Needed}{with.English}, and the machine can spare no more than {refuse.Room} without running short. {Remedy(fixedTokens).English} or close other programs.",
                $"{name} no se cargó: necesita {refuse.Needed}{with.Spanish} y el equipo no puede ceder más de {refuse.Room} sin quedarse corto. {Remedy(fixedTokens).Spanish} o cierre otros programas.");
    }

    private Phrase Remedy(int? fixedTokens)
    {
        var stuck = Residents().Where(static resident => resident.IsPinned).Select(static resident => resident.Id.Name).ToList();
        var smaller = fixedTokens is null
            ? new Phrase("Choose a smaller model or quantization", "Elija un modelo o una cuantización más pequeños")
            : new("Choose a smaller context (llmAssist.memory.context), a smaller model or quantization", "Elija un contexto menor (llmAssist.memory.context), un modelo o una cuantización más pequeños");
        return stuck.Count == 0
            ? smaller
            : new($"{smaller.English}, unpin {string.Join(", ", stuck)}", $"{smaller.Spanish}, quite la fijación de {string.Join(", ", stuck)}");
    }

    private static Phrase WhyRelieved(ReliefCause cause) => cause switch
    {
        ReliefCause.AboveLimit => new("Models were above the limit.", "Los modelos superaban el límite."),
        ReliefCause.LowMemory => new("The machine was short of memory.", "Al equipo le faltaba memoria."),
        _ => new("The system was waiting for memory.", "El sistema estaba esperando memoria."),
    };

    private static bool Covers(ModelId pin, ModelId id) => pin == id || (pin.Source == ModelSource.Pattern && pin == PinOf(id));

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
