// The one place that knows which model of Ollama completions are asked of, and that loads and unloads there. Asks a model
// nothing but to load, to unload and to generate: anything else would keep it in memory.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Sharing;

namespace LlmAssist.Engine.Models;

/// <summary>
/// Keeps company with one Ollama server: finds it, recovers from its failures, brings the model in that is to be asked, and tells
/// how things stand. Whoever completes is never kept waiting: <see cref="TryUse"/> answers at once, and what is missing is
/// fetched in the background.
/// </summary>
/// <remarks>Safe on any thread.</remarks>
public sealed class OllamaHost : IModelHost, IDisposable
{
    private static readonly TimeSpan WatchRunning = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Attention = TimeSpan.FromMinutes(2); // who has not typed or asked for longer is not looking
    private static readonly TimeSpan LeastWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookBefore = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookIsOld = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan UnloadPolling = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan StepAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StepIdle = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    private readonly MemoryKeeper _keeper;
    private readonly IRunnerProbe _runners;
    private readonly TimeProvider _time;
    private readonly Func<string, ModelFacts, bool> _fillsMiddle;
    private readonly SizeBook _sizes;
    private readonly OllamaLoads _loads;
    private readonly SemaphoreSlim _oneLoad = new(1, 1);
    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly OllamaResidency _residency;
    private readonly HashSet<string> _ours = []; // keys of models that this process has loaded
    private OllamaOptions _options = new();
    private OllamaConnection? _connection;
    private string? _chosen; // in this session; wins over the options
    private string? _suspended; // the user unloaded it, so typing does not bring it back
    private OllamaUse? _use;
    private OllamaUse? _former; // was asked before another was wanted
    private string? _loading;
    private CancellationTokenSource _replacing = new(); // canceled when another model is wanted than the one that answers
    private TaskCompletionSource _quiet = NewSignal(); // ends when nothing is generated any more
    private long _wantedAt; // when anybody last typed, or asked for something
    private ModelId? _bringingIn; // waits for its turn, or is being loaded
    private ModelId? _waitingFor; // what another window loads meanwhile
    private (int Tokens, long Since)? _step; // a context that would suit the memory better, and since when
    private Trouble? _trouble;
    private TimeSpan _retry;
    private long _retryFrom;
    private OllamaInventory? _inventory; // null before the first look
    private long _looks; // begun so far
    private long _lastSeen; // the number of the look that _inventory is of
    private int _incarnation;
    private int _generating;
    private readonly List<string> _wanted = []; // keys of the models that are being loaded because somebody asked for them
    private Task? _preparing;
    private OllamaState _state = new(OllamaCondition.Off, default, null);
    private TaskCompletionSource _configured = NewSignal();

    /// <param name="keeper">Says what may be loaded, and with which context.</param>
    /// <param name="runners">Tells what the processes of models really take.</param>
    /// <param name="fillsMiddle">Whether a model, by name and facts, can be asked to fill in the middle.</param>
    public OllamaHost(MemoryKeeper keeper, IRunnerProbe runners, TimeProvider time, Func<string, ModelFacts, bool> fillsMiddle)
    {
        _keeper = keeper;
        _runners = runners;
        _time = time;
        _fillsMiddle = fillsMiddle;
        _sizes = new(keeper.Notes, time);
        _loads = new(keeper.Notes, time);
        _wantedAt = time.GetTimestamp();
        _residency = new(time, isUnified: OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64);
        keeper.Add(this);
        keeper.Waiting += Waits;
    }

    /// <summary>
    /// Raised, on any thread, when <see cref="State"/> or <see cref="Residents"/> has changed; with the state as the change has left it, which
    /// may be another one by now.
    /// </summary>
    public event Action<OllamaState>? Changed;

    /// <summary>Raised, on any thread, before a model is asked that runs elsewhere: its name, and the host to which code will be sent.</summary>
    public event Action<string, string>? GoesElsewhere;

    /// <summary>Raised, on any thread, when another model is asked from now on: the one that was asked before.</summary>
    public event Action<ModelId>? Switched;

    /// <summary>How things stand.</summary>
    public OllamaState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>Where it listens; null if it is switched off.</summary>
    public Uri? Endpoint
    {
        get
        {
            lock (_gate)
            {
                return _options.Endpoint;
            }
        }
    }

    /// <summary>What is in its memory, as of the last look.</summary>
    public IReadOnlyList<OllamaResident> Residents
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _residency.Models.Select(model => new OllamaResident(
                        IdOf(model.Running.Name),
                        model.RamBytes,
                        model.Running.VramBytes,
                        model.Running.ContextTokens,
                        model.LastUsed,
                        IsAnsweringLocked(model) || model.IsBusy,
                        model.IsStuck,
                        model.IsDead)),
                ];
            }
        }
    }

    /// <summary>Whether the server is too old to tell what it has in memory: then only what we have loaded is known.</summary>
    public bool IsBlind
    {
        get
        {
            lock (_gate)
            {
                return _inventory is { Running: null };
            }
        }
    }

    IReadOnlyList<Resident> IModelHost.Residents
    {
        get
        {
            var loads = _loads.Read();
            lock (_gate)
            {
                return
                [
                    .. _residency.Models.Select(model => new Resident(IdOf(model.Running.Name), new(model.RamBytes), model.LastUsed)
                    {
                        // One that was told to leave and has not cannot be made to.
                        IsBusy = IsAnsweringLocked(model) || model.IsBusy || model.IsLeaving,
                        IsLeaving = model is { IsLeaving: true, IsStuck: false },
                        IsOurs = loads.ContainsKey(IdOf(model.Running.Name)),
                    }),
                ];
            }
        }
    }

    /// <summary>The id of a model in any spelling.</summary>
    public static ModelId IdOf(string name) => new(ModelSource.Ollama, OllamaName.Normalize(name));

    /// <summary>Takes over what the user wants. Asks nobody; <see cref="WatchAsync"/> and <see cref="TryUse"/> do.</summary>
    public void Configure(OllamaOptions options)
    {
        OllamaConnection? former = null;
        Change(() =>
        {
            if (options == _options)
            {
                return;
            }

            if (options.Endpoint != _options.Endpoint)
            {
                former = _connection;
                _connection = options.Endpoint is null ? null : Connect(options.Endpoint);
                ForgetServerLocked();
            }

            if (options.Model != _options.Model || options.ContextTokens != _options.ContextTokens)
            {
                _former = _use ?? _former;
                _chosen = null;
                _suspended = null;
                _use = null;
                _trouble = null;
            }

            _options = options;
            _configured.TrySetResult();
            _configured = NewSignal();
        });
        former?.Dispose();
    }

    /// <summary>
    /// The model to ask, if it can be asked now. If not, what is missing is fetched in the background, if the user wants the model
    /// at all; <see cref="State"/> tells what that is.
    /// </summary>
    public OllamaUse? TryUse()
    {
        lock (_gate)
        {
            _wantedAt = _time.GetTimestamp();
            if (_connection is not { } connection || _suspended is not null)
            {
                return null;
            }

            var health = connection.Health.State;
            if (_use is { } use && health == HealthState.Closed)
            {
                if (IsOldLocked(LookIsOld))
                {
                    PrepareLocked(connection);
                }

                return use;
            }

            var mayTry = _trouble is not { IsOfServer: false } || _retry <= _time.GetElapsedTime(_retryFrom);
            if (health != HealthState.Open && mayTry && (IsNamedLocked || IsOldLocked(WatchRunning)))
            {
                PrepareLocked(connection);
            }

            return null;
        }
    }

    /// <summary>
    /// Continues a prompt with a model that <see cref="TryUse"/> answered. The model's name, its context and the time it stays are
    /// set here, the same for every request.
    /// </summary>
    /// <exception cref="UserException">It failed, as <see cref="State"/> tells too; or it has left memory meanwhile.</exception>
    /// <exception cref="OperationCanceledException">Canceled, or that model is no longer asked: it leaves, another was chosen, or Ollama is switched off.</exception>
    public async IAsyncEnumerable<GeneratedPiece> GenerateAsync(OllamaUse use, GenerateRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var connection = Connected();
        await EnsureThereAsync(connection, use, cancellation);
        request = request with { Model = use.Name, ContextTokens = use.ContextTokens, KeepAlive = KeepAlive };
        var replaced = CancellationToken.None;
        Change(() =>
        {
            replaced = _replacing.Token;

            // Asked now, the server would load it again, and nobody would have judged that.
            // What begins while another model is being loaded would keep this one from making room.
            if (_use?.Key != use.Key || (0 < _wanted.Count && !_wanted.Contains(use.Key)))
            {
                throw new OperationCanceledException();
            }

            _generating++;
            _residency.Keep(use.Key, request.KeepAlive);
        });
        _keeper.Used(IdOf(use.Name));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, replaced);
        try
        {
            await foreach (var piece in connection.GenerateAsync(request, either.Token))
            {
                yield return piece;
            }
        }
        finally
        {
            Change(() =>
            {
                _generating--;
                if (_generating == 0)
                {
                    _quiet.SetResult();
                    _quiet = NewSignal();
                }

                _residency.Use(use.Key);
            });
            if (IsBlind)
            {
                _loads.Used(IdOf(use.Name));
            }
        }
    }

    /// <summary>All models of the server, with what it knows about them. Touches none.</summary>
    /// <exception cref="OllamaException">It does not answer as it should.</exception>
    public async Task<IReadOnlyList<OllamaModel>> ListAsync(CancellationToken cancellation)
    {
        var connection = Connected();
        var inventory = await LookAsync(connection, isAsked: true, cancellation);
        var (residents, memory) = (_keeper.Residents(), _keeper.Budget());
        var models = new List<OllamaModel>();
        foreach (var model in inventory.Installed)
        {
            ModelFacts? facts = null;
            try
            {
                facts = await connection.FactsAsync(model, isWanted: false, cancellation);
            }
            catch (OllamaException exception) when (!exception.ConcernsServer)
            {
                // One model with a broken manifest; the others are listed all the same.
            }

            var running = inventory.RunningOf(model.Key);
            var newcomer = running is not null || (facts?.RemoteHost ?? model.RemoteHost) is not null ? null : NewcomerOf(model, facts, null);
            var verdict = newcomer is null ? null : MemoryGovernor.Judge(newcomer, residents, memory);
            lock (_gate)
            {
                models.Add(new(model, running, facts, facts is not null && _fillsMiddle(model.Name, facts), _use?.Key == model.Key, newcomer, verdict));
            }
        }

        return models;
    }

    /// <summary>Which version the server is.</summary>
    /// <exception cref="OllamaException">It does not answer as it should.</exception>
    public Task<OllamaVersion> VersionAsync(CancellationToken cancellation) =>
        Connected().CallAsync(isAsked: true, isOfModel: false, static (client, either) => client.VersionAsync(either), cancellation);

    /// <summary>Loads a model, if it is not loaded, and asks it from now on. Canceling aborts the load; the former model stays in use then.</summary>
    /// <exception cref="UserException">There is no such model, it does not fit, or Ollama failed.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public async Task<OllamaUse> LoadAsync(string name, CancellationToken cancellation)
    {
        var connection = Connected();
        var inventory = await LookAsync(connection, isAsked: true, cancellation);
        var model = inventory.Find(name) ?? throw NotInstalled(name);
        Change(() => _wanted.Add(model.Key));
        try
        {
            await StopAnswersOfOthersAsync(model.Key, cancellation);
            var use = await BringInAsync(connection, model, cancellation) ?? throw new OperationCanceledException(cancellation);
            Change(() =>
            {
                _chosen = model.Name;
                _suspended = null;
            });
            return use;
        }
        finally
        {
            Change(() => _wanted.Remove(model.Key));
        }
    }

    /// <summary>
    /// Takes a model out of memory and waits until it is gone; its files stay. If completions are asked of it, they are not until
    /// it is loaded again.
    /// </summary>
    /// <returns>False if it was not in memory.</returns>
    /// <exception cref="UserException">It does not go, or Ollama failed.</exception>
    public async Task<bool> UnloadAsync(string name, CancellationToken cancellation)
    {
        var connection = Connected();
        var inventory = await LookAsync(connection, isAsked: true, cancellation);
        var key = inventory.Find(name)?.Key;
        var bytes = Held(key)?.RamBytes ?? 0;
        Change(() =>
        {
            if (_use is not null && _use.Key == key && (inventory.Running is null || inventory.RunningOf(key) is not null))
            {
                _suspended = _use.Name;
                _use = null;
                _trouble = _trouble is { IsOfServer: true } ? _trouble : null;
            }
        });
        if (!await UnloadAsync(connection, inventory, name, cancellation))
        {
            return false;
        }

        _keeper.Tell(MemoryEventKind.Unload, IdOf(name), new(bytes), MemoryMessages.Asked);
        return true;
    }

    async Task<bool> IModelHost.EvictAsync(ModelId id, CancellationToken cancellation)
    {
        OllamaConnection? connection;
        lock (_gate)
        {
            connection = _connection;
        }

        return connection is not null
            && await UnloadAsync(connection, await LookAsync(connection, isAsked: false, cancellation), id.Name, cancellation);
    }

    async Task IModelHost.LookAsync(CancellationToken cancellation)
    {
        OllamaConnection? connection;
        lock (_gate)
        {
            // Where nobody listens there is nothing to see, and to knock at the door costs more than all the rest.
            connection = _connection is { WasReached: true } ? _connection : null;
        }

        try
        {
            if (connection is not null)
            {
                await LookAsync(connection, isAsked: false, cancellation);
            }
        }
        catch (OllamaException)
        {
            // Told by the state.
        }
        catch (Exception exception) when (exception is ObjectDisposedException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            // The endpoint has changed meanwhile.
        }
    }

    void IModelHost.DropCaches()
    {
        // Its memory is its own.
    }

    private async Task<bool> UnloadAsync(OllamaConnection connection, OllamaInventory inventory, string name, CancellationToken cancellation)
    {
        var model = inventory.RunningOf(inventory.Find(name)?.Key);
        if (model is null && inventory.Running is not null)
        {
            return false;
        }

        var key = model?.Key ?? inventory.Find(name)?.Key;
        Change(() => _use = _use?.Key == key ? null : _use);
        if (model is not null)
        {
            connection.Health.Unloading(model.Key);
            lock (_gate)
            {
                _residency.Leave(model.Key);
            }
        }

        try
        {
            await connection.CallAsync(isAsked: true, isOfModel: false, (client, either) => client.UnloadAsync(model?.Name ?? name, either), cancellation);
        }
        finally
        {
            lock (_gate)
            {
                _residency.Told(key ?? "", _looks);
            }
        }

        var begun = _time.GetTimestamp();
        while (model is not null && (await LookAsync(connection, isAsked: false, cancellation)).RunningOf(model.Key) is not null)
        {
            if (OllamaResidency.LeavePatience < _time.GetElapsedTime(begun))
            {
                throw new UserException(MemoryMessages.StillThere(IdOf(model.Name), OllamaResidency.LeavePatience));
            }

            await Task.Delay(UnloadPolling, _time, cancellation);
        }

        _loads.Forget(IdOf(model?.Name ?? name));
        lock (_gate)
        {
            _ours.Remove(key ?? "");
        }

        return true;
    }

    /// <summary>The models in its memory that we loaded.</summary>
    public IReadOnlyList<string> LoadedByUs()
    {
        lock (_gate)
        {
            return [.. RunningLocked.Where(model => _ours.Contains(model.Key)).Select(model => model.Name)];
        }
    }

    /// <summary>Downloads a model. Canceling pauses: the next pull goes on with what is there.</summary>
    /// <exception cref="OllamaException">Ollama failed, or the registry has no such model.</exception>
    public async IAsyncEnumerable<PullProgress> PullAsync(string name, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var connection = Connected();
        await foreach (var progress in connection.PullAsync(name, cancellation))
        {
            yield return progress;
        }

        await LookAsync(connection, isAsked: true, cancellation);
    }

    /// <summary>Looks at the server from time to time until canceled: recovers from failures, and notices what others do.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        while (true)
        {
            OllamaConnection? connection;
            Task configured;
            lock (_gate)
            {
                connection = _connection;
                configured = _configured.Task;
            }

            if (connection is not null)
            {
                await PrepareAsync(connection, mayLoad: false, cancellation);
                await StepContextAsync(connection, cancellation);
            }

            cancellation.ThrowIfCancellationRequested();
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Task.WhenAny(configured, Task.Delay(WaitBefore(connection), _time, pause.Token));
            await pause.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Gives up what goes on in the background, such as a load that nobody waits for, and waits until that has ended.</summary>
    public async Task EndAsync()
    {
        Configure(new());
        Task? preparing;
        lock (_gate)
        {
            preparing = _preparing;
        }

        await (preparing ?? Task.CompletedTask);
    }

    /// <summary>Closes the connections; what runs at the server goes on there.</summary>
    public void Dispose()
    {
        OllamaConnection? connection;
        lock (_gate)
        {
            connection = _connection;
            _connection = null;
        }

        connection?.Dispose();
        _keeper.Remove(this);
        _keeper.Waiting -= Waits;
        _oneLoad.Dispose();
    }

    // ---- Looking and bringing in ----

    private TimeSpan? KeepAlive
    {
        get
        {
            lock (_gate)
            {
                return _options.KeepAlive;
            }
        }
    }

    private IReadOnlyList<RunningModel> RunningLocked => _inventory?.Running ?? [];

    private bool IsNamedLocked => (_chosen ?? _options.Model).Length != 0;

    // Nobody reads any more what the model says that was asked before; while it speaks it is busy, and could not make room.
    private async Task StopAnswersOfOthersAsync(string key, CancellationToken cancellation)
    {
        CancellationTokenSource stopped;
        Task quiet;
        lock (_gate)
        {
            if (_generating == 0 || _use?.Key == key)
            {
                return;
            }

            (stopped, _replacing) = (_replacing, new());
            quiet = _quiet.Task;
        }

        // Not disposed: streams that end now still look at it.
        await stopped.CancelAsync();
        await quiet.WaitAsync(cancellation);
    }

    // To ask a model that has left would load it, unjudged and out of turn.
    private async Task EnsureThereAsync(OllamaConnection connection, OllamaUse use, CancellationToken cancellation)
    {
        bool mustLook;
        lock (_gate)
        {
            mustLook = use.RemoteHost is null && _inventory is not { Running: null } && IsOldLocked(LookBefore);
        }

        if (mustLook && await LookAsync(connection, isAsked: false, cancellation) is { Running: not null } inventory && inventory.RunningOf(use.Key) is null)
        {
            throw new UserException(MemoryMessages.HasLeft(IdOf(use.Name)));
        }
    }

    private TimeSpan WaitBefore(OllamaConnection? connection)
    {
        if (connection is null)
        {
            return Timeout.InfiniteTimeSpan;
        }

        var retry = connection.Health.RetryIn;
        lock (_gate)
        {
            var idle = _keeper.Options.Poll;
            var isWatched = 0 < RunningLocked.Count && _time.GetElapsedTime(_wantedAt) < Attention;
            var regular = _trouble is { IsOfServer: true } ? retry : !isWatched || idle < WatchRunning ? idle : WatchRunning;
            return regular < LeastWait ? LeastWait : regular;
        }
    }

    private void PrepareLocked(OllamaConnection connection)
    {
        if (_preparing is null or { IsCompleted: true })
        {
            _preparing = Task.Run(() => PrepareAsync(connection, mayLoad: true, connection.Ending), CancellationToken.None);
        }
    }

    // Never fails: what goes wrong is told by the state.
    private async Task PrepareAsync(OllamaConnection connection, bool mayLoad, CancellationToken cancellation)
    {
        try
        {
            var inventory = await LookAsync(connection, isAsked: false, cancellation);
            string name;
            OllamaUse? use;
            lock (_gate)
            {
                if (_suspended is not null || _connection != connection)
                {
                    return;
                }

                name = _chosen ?? _options.Model;
                use = _use;
            }

            if (use is not null)
            {
                return;
            }

            if (name.Length == 0)
            {
                await TakeRunningAsync(connection, inventory, cancellation);
                return;
            }

            var model = inventory.Find(name) ?? throw NotInstalled(name);

            // Whoever only watches must not bring into memory what nobody asks.
            if (mayLoad || inventory.RunningOf(model.Key) is not null)
            {
                await BringInAsync(connection, model, cancellation, named: name);
            }
            else
            {
                Change(() => _trouble = _trouble is { IsMissing: true } ? null : _trouble);
            }
        }
        catch (UserException exception)
        {
            // Failures of calls are noted where the call is made.
            if (exception is not OllamaException)
            {
                Fail(connection, exception, isOfModel: true);
            }
        }
        catch (OperationCanceledException)
        {
            // The endpoint has changed, or all ends.
        }
        catch (ObjectDisposedException)
        {
            // As above, between two calls.
        }
    }

    private async Task<OllamaInventory> LookAsync(OllamaConnection connection, bool isAsked, CancellationToken cancellation)
    {
        OllamaInventory? known;
        long look;
        lock (_gate)
        {
            // A model that was named and is not there may have been pulled since.
            known = _trouble is { IsMissing: true } ? null : _inventory;
            look = ++_looks;
        }

        var inventory = await OllamaInventory.LookAsync(connection, known, isAsked, _time, cancellation);
        var runners = Runners(connection, inventory);
        var remembered = inventory.Running ?? _loads.Remembered();
        IReadOnlyList<ResidencyChange> changes = [];
        var isLoading = false;
        Change(() =>
        {
            if (_connection != connection)
            {
                return;
            }

            isLoading = _loading is not null;
            if (look < _lastSeen && _inventory is { } later)
            {
                // A look that began later was answered earlier. In memory is what that one saw: to believe this one would bring back what has left.
                inventory = _inventory = later.ListedAt < inventory.ListedAt ? inventory with { Running = later.Running, SeenAt = later.SeenAt } : later;
                return;
            }

            _lastSeen = look;
            changes = SeeLocked(connection, inventory, remembered, runners, look);
        });
        foreach (var gone in isLoading ? [] : _loads.Gone(inventory.Running))
        {
            _loads.Forget(gone);
        }

        foreach (var change in changes)
        {
            // What another of our windows loads, that window tells.
            var id = IdOf(change.Model.Running.Name);
            if (change.Kind != MemoryEventKind.Load || !_loads.Read().ContainsKey(id))
            {
                _keeper.Tell(change.Kind, id, new(change.Model.RamBytes), change.Reason, isSeen: true);
            }
        }

        if (changes.Count != 0)
        {
            _keeper.Moved();
        }

        return inventory;
    }

    // To look at all processes costs too much for every few seconds: only where one must have come or gone.
    private IReadOnlyList<RunnerProcess> Runners(OllamaConnection connection, OllamaInventory inventory)
    {
        if (inventory.Running is not { Count: > 0 } running)
        {
            return [];
        }

        var known = _runners.Read(rescan: false);
        bool isMissing;
        lock (_gate)
        {
            isMissing = _residency.Misses(running, known, key => connection.KnownFacts(key)?.WeightsPath);
        }

        return isMissing ? _runners.Read(rescan: true) : known;
    }

    private IReadOnlyList<ResidencyChange> SeeLocked(OllamaConnection connection, OllamaInventory inventory, IReadOnlyList<RunningModel> running, IReadOnlyList<RunnerProcess> runners, long look)
    {
        _inventory = inventory;
        if (_incarnation != connection.Health.Incarnation)
        {
            // Another version may see its models with other eyes, and it has none of ours in memory.
            _incarnation = connection.Health.Incarnation;
            connection.ForgetFacts();
            _ours.Clear();
        }

        var changes = _residency.See(running, runners, key => connection.KnownFacts(key)?.WeightsPath, look);
        foreach (var gone in changes.Where(static change => change.Kind == MemoryEventKind.Expire))
        {
            // Loaded again by others it would not be ours.
            _ours.Remove(gone.Model.Key);
        }

        if (_use is not { RemoteHost: null } use || inventory.Running is null)
        {
            return changes;
        }

        if (inventory.RunningOf(use.Key) is not { } seen)
        {
            // It expired or was evicted; it is brought in again when it is asked.
            _use = 0 < _generating ? _use : null;
        }
        else if (seen.ContextTokens is { } tokens && seen.ContextTokens != use.SeenContextTokens && _options.ContextTokens is null)
        {
            // Another client loaded it anew. To insist on ours would load it anew with every request of either.
            _use = use with { ContextTokens = use.SeenContextTokens is null ? use.ContextTokens : tokens, SeenContextTokens = tokens };
        }

        return changes;
    }

    private HeldModel? Held(string? key)
    {
        lock (_gate)
        {
            return _residency.Models.FirstOrDefault(model => model.Key == key);
        }
    }

    private bool IsAnsweringLocked(HeldModel model) => 0 < _generating && model.Key == _use?.Key;

    // No model is named: one that runs anyway and can do it costs nothing more. The one used last is the one that stays longest.
    private async Task TakeRunningAsync(OllamaConnection connection, OllamaInventory inventory, CancellationToken cancellation)
    {
        var candidates = (inventory.Running ?? []).OrderByDescending(running => running.ExpiresAt)
            .Select(running => (Installed: inventory.Installed.FirstOrDefault(model => model.Key == running.Key), Running: running))
            .Where(pair => pair.Installed is { RemoteHost: null });
        foreach (var (installed, running) in candidates)
        {
            var facts = await connection.FactsAsync(installed!, isWanted: false, cancellation);
            if (facts.RemoteHost is null && _fillsMiddle(installed!.Name, facts))
            {
                Take(connection, installed, facts, running.ContextTokens ?? ContextOf(installed, facts), running.ContextTokens, ifFree: true);
                return;
            }
        }
    }

    private async Task<OllamaUse?> BringInAsync(OllamaConnection connection, InstalledModel model, CancellationToken cancellation, bool mustReload = false, string? named = null)
    {
        await _oneLoad.WaitAsync(cancellation);
        try
        {
            lock (_gate)
            {
                // While this waited, another was loaded by command. Who only types takes what there is.
                if (named is not null && (_use is not null || _suspended is not null || named != (_chosen ?? _options.Model)))
                {
                    return null;
                }
            }

            var facts = await connection.FactsAsync(model, isWanted: true, cancellation);
            if (!facts.Capabilities.Contains("completion", StringComparer.OrdinalIgnoreCase))
            {
                throw new UserException(new(
                    $"{model.Name} does not write text (it is for embeddings or images). Choose a model for code, for example qwen2.5-coder:1.5b.",
                    $"{model.Name} no escribe texto (sirve para embeddings o imágenes). Elija un modelo de código, por ejemplo qwen2.5-coder:1.5b."));
            }

            if ((facts.RemoteHost ?? model.RemoteHost) is { } elsewhere)
            {
                GoesElsewhere?.Invoke(model.Name, elsewhere);
                return Take(connection, model, facts, ContextOf(model, facts), null);
            }

            if (!mustReload && IsFine(model, facts) is { } running)
            {
                return Take(connection, model, facts, running.ContextTokens ?? ContextOf(model, facts), running.ContextTokens);
            }

            Change(() => _bringingIn = IdOf(model.Name));
            try
            {
                var choice = await _keeper.LoadAsync(
                    IdOf(model.Name),
                    _ => Task.FromResult(!mustReload && IsFine(model, facts) is not null ? null : NewcomerOf(model, facts, Held(model.Key))),
                    (choice, either) => LoadAsync(connection, model, choice, either),
                    cancellation);
                OllamaInventory? inventory;
                lock (_gate)
                {
                    inventory = _inventory;
                }

                var seen = inventory?.RunningOf(model.Key)?.ContextTokens;
                return Take(connection, model, facts, choice?.Tokens ?? seen ?? ContextOf(model, facts), seen);
            }
            catch (RefusedException refusal)
            {
                throw new RefusedException(MemoryMessages.WithInstead(refusal.Phrase, await InsteadAsync(connection, model, facts, cancellation)), refusal);
            }
            finally
            {
                Change(() =>
                {
                    _loading = null;
                    _bringingIn = _waitingFor = null;
                });
            }
        }
        finally
        {
            _oneLoad.Release();
        }
    }

    private void Waits(LeaseHolder holder) => Change(() => _waitingFor = _bringingIn is null ? null : holder.Model);

    private async Task LoadAsync(OllamaConnection connection, InstalledModel model, ContextChoice choice, CancellationToken cancellation)
    {
        var keepAlive = KeepAlive;
        Change(() =>
        {
            _loading = model.Name;
            _residency.Loading(model.Key);
        });
        try
        {
            await connection.CallAsync(isAsked: true, isOfModel: true, (client, either) => client.LoadAsync(model.Name, choice.Tokens, keepAlive, either), cancellation);
            _loads.Loaded(IdOf(model.Name), model.Key, choice, keepAlive);
            lock (_gate)
            {
                _ours.Add(model.Key);
                _residency.Keep(model.Key, keepAlive);
                _residency.Use(model.Key);
            }

            await LookAsync(connection, isAsked: true, cancellation);
            if (Held(model.Key) is { IsDead: false, Running.SizeBytes: > 0 } held && !IsBlind)
            {
                _sizes.Observe(model.Key, choice.Tokens, new(held.RamBytes), new(held.Running.VramBytes));
            }
        }
        finally
        {
            Change(() => _residency.Loaded(model.Key));
        }
    }

    // In memory, and with the context that is wanted, if a certain one is.
    private RunningModel? IsFine(InstalledModel model, ModelFacts facts)
    {
        lock (_gate)
        {
            return _inventory?.RunningOf(model.Key) is { } running
                && _residency.Models.FirstOrDefault(held => held.Key == model.Key) is not { IsDead: true }
                && (_options.ContextTokens is not { } wanted || running.ContextTokens is null || running.ContextTokens == Math.Min(wanted, OllamaFootprint.TrainedOf(model, facts)))
                    ? running
                    : null;
        }
    }

    private Newcomer NewcomerOf(InstalledModel model, ModelFacts? facts, HeldModel? replaced)
    {
        lock (_gate)
        {
            return _sizes.NewcomerOf(IdOf(model.Name), model, facts, _options.ContextTokens) with { Replaces = new(replaced?.RamBytes ?? 0) };
        }
    }

    // What could be loaded in place of a model that was refused: itself with a smaller context than the user has fixed, and others.
    private async Task<Phrase?> InsteadAsync(OllamaConnection connection, InstalledModel refused, ModelFacts facts, CancellationToken cancellation)
    {
        IReadOnlyList<InstalledModel> installed;
        bool isFixed;
        lock (_gate)
        {
            isFixed = _options.ContextTokens is not null;
            installed = _inventory?.Installed ?? [];
        }

        var (residents, budget) = (_keeper.Residents(), _keeper.Budget());
        var fitting = new List<(ModelId, Verdict)>();
        foreach (var other in installed.Where(other => other.Key != refused.Key && other.RemoteHost is null && Held(other.Key) is null))
        {
            try
            {
                var known = await connection.FactsAsync(other, isWanted: false, cancellation);
                if (known.RemoteHost is null && _fillsMiddle(other.Name, known))
                {
                    fitting.Add((IdOf(other.Name), MemoryGovernor.Judge(_sizes.NewcomerOf(IdOf(other.Name), other, known, null), residents, budget)));
                }
            }
            catch (OllamaException)
            {
                // Without it the refusal is as true.
            }
        }

        var smaller = isFixed && MemoryGovernor.Judge(_sizes.NewcomerOf(IdOf(refused.Name), refused, facts, null), residents, budget) is Verdict.Admit admit ? admit.Choice : default(ContextChoice?);
        return MemoryMessages.Instead(smaller, MemoryAdvice.Fitting(fitting));
    }

    // For a model that is loaded already, or loaded elsewhere, and does not tell its context.
    private int ContextOf(InstalledModel model, ModelFacts facts)
    {
        int? wanted;
        lock (_gate)
        {
            wanted = _options.ContextTokens;
        }

        return Math.Min(wanted ?? (_keeper.Budget().Available is { } available ? ContextTier.TokensFor(available) : ContextTier.Unknown), OllamaFootprint.TrainedOf(model, facts));
    }

    // Memory has been larger or smaller for long enough, and nobody waits for the model: it is loaded anew with the context that suits.
    // Whoever writes must not pay for it, and no other model leaves for it.
    private async Task StepContextAsync(OllamaConnection connection, CancellationToken cancellation)
    {
        OllamaUse? use;
        InstalledModel? model;
        HeldModel? held;
        lock (_gate)
        {
            use = _use;
            held = _residency.Models.FirstOrDefault(model => model.Key == use?.Key);
            model = _inventory?.Installed.FirstOrDefault(model => model.Key == use?.Key);
            if (use is not { RemoteHost: null, SeenContextTokens: not null } || held is null or { IsBusy: true } || model is null || !_ours.Contains(use.Key)
                || 0 < _generating || _options.ContextTokens is not null || _time.GetUtcNow() - held.LastUsed < StepIdle)
            {
                _step = null;
                return;
            }
        }

        var better = _keeper.Judge(NewcomerOf(model, use.Facts, held)) is Verdict.Admit admit ? admit.Choice.Tokens : use.ContextTokens;
        bool isTime;
        lock (_gate)
        {
            _step = better == use.ContextTokens ? null : _step is { } step && step.Tokens == better ? step : (better, _time.GetTimestamp());
            isTime = _step is { Since: var since } && StepAfter <= _time.GetElapsedTime(since);
        }

        if (!isTime)
        {
            return;
        }

        try
        {
            await BringInAsync(connection, model, cancellation, mustReload: true);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            // The endpoint has changed meanwhile.
        }
        catch (UserException exception)
        {
            // Failures of calls are noted where the call is made.
            if (exception is not OllamaException)
            {
                Fail(connection, exception, isOfModel: true);
            }
        }
    }

    /// <param name="ifFree">Only if none is asked, and none was named meanwhile.</param>
    private OllamaUse? Take(OllamaConnection connection, InstalledModel model, ModelFacts facts, int context, int? seen, bool ifFree = false)
    {
        OllamaUse? former = null;
        OllamaUse? taken = null;
        Change(() =>
        {
            if (_connection == connection && !(ifFree && (_use is not null || IsNamedLocked)))
            {
                former = _use ?? _former;
                _former = null;
                _step = null;
                _use = taken = new(model.Name, model.Key, context, facts, seen, facts.RemoteHost ?? model.RemoteHost);
                _trouble = _trouble is { IsOfServer: false } ? null : _trouble;
            }
        });
        if (former is { RemoteHost: null } && former.Key != model.Key)
        {
            Switched?.Invoke(IdOf(former.Name));
        }

        return taken;
    }

    private static MissingModelException NotInstalled(string name) => new(new(
        $"Ollama does not have the model {name}. Get it with 'ollama pull {name}', or choose another.",
        $"Ollama no tiene el modelo {name}. Descárguelo con «ollama pull {name}» o elija otro."));

    // ---- Calls, and what they tell of the server ----

    private OllamaConnection Connect(Uri endpoint)
    {
        var connection = new OllamaConnection(endpoint, _time);
        connection.Succeeded += Succeed;
        connection.Failed += Fail;
        return connection;
    }

    private OllamaConnection Connected()
    {
        lock (_gate)
        {
            _wantedAt = _time.GetTimestamp();
            return _connection ?? throw new UserException(new(
                "Ollama is switched off. Set llmAssist.ollama.enabled to true to use its models.",
                "Ollama está desactivado. Ponga llmAssist.ollama.enabled en true para usar sus modelos."));
        }
    }

    private void Succeed(OllamaConnection connection, bool ofModel) => Change(() =>
    {
        if (_connection == connection)
        {
            connection.WasReached = true;
            if (_trouble is { IsOfServer: true } || (ofModel && _trouble is not null))
            {
                _trouble = null;
                _retry = default;
            }
        }
    });

    private void Fail(OllamaConnection connection, UserException exception, bool isOfModel) => Change(() =>
    {
        if (_connection != connection)
        {
            return;
        }

        var reason = (exception as OllamaException)?.Reason;
        if (isOfModel)
        {
            _retry = _retry == default ? FirstRetry : _retry * 2 < LongestRetry ? _retry * 2 : LongestRetry;
            _retryFrom = _time.GetTimestamp();
            _use = null;
        }

        if (reason == OllamaReason.Unreachable)
        {
            // What was in its memory is gone with it.
            _use = null;
            _inventory = _inventory is null ? null : _inventory with { Running = [] };
            _residency.Forget();
        }

        // The first words for a trouble stay: each new wording of the same would be a change of the status.
        if (_trouble is null || _trouble.Reason != reason || _trouble.IsOfServer == isOfModel)
        {
            _trouble = new(exception.Phrase, reason, IsOfServer: !isOfModel, exception is MissingModelException);
        }
    });

    private void ForgetServerLocked()
    {
        _use = null;
        _trouble = null;
        _retry = default;
        _inventory = null;
        _incarnation = 0;
        _ours.Clear();
        _residency.Forget();
    }

    private bool IsOldLocked(TimeSpan age) => _inventory is null || age <= _time.GetElapsedTime(_inventory.SeenAt);

    // Every change of the fields goes through here: the state is what follows from them.
    private void Change(Action change)
    {
        bool isChanged;
        OllamaState state;
        lock (_gate)
        {
            var running = RunningLocked;
            var generating = _generating;
            change();
            state = StateLocked();
            isChanged = state != _state || !running.SequenceEqual(RunningLocked) || (generating == 0) != (_generating == 0);
            _state = state;
        }

        if (isChanged)
        {
            Changed?.Invoke(state);
        }
    }

    private OllamaState StateLocked()
    {
        if (_connection is not { } connection)
        {
            return new(OllamaCondition.Off, default, null);
        }

        if (_loading is { } loading)
        {
            return new(OllamaCondition.Loading, new($"Ollama is loading {loading}.", $"Ollama está cargando {loading}."), loading);
        }

        if (_bringingIn is { } waiting && _waitingFor is { } other)
        {
            return new(OllamaCondition.Loading, MemoryMessages.Waits(waiting, other), waiting.Name);
        }

        var name = _chosen ?? _options.Model;
        if (_trouble is { } trouble)
        {
            return trouble.Reason == OllamaReason.Unreachable && !connection.WasReached && name.Length == 0
                ? new(OllamaCondition.Absent, trouble.Message, null)
                : new(OllamaCondition.Degraded, trouble.Message, name.Length == 0 ? null : name);
        }

        if (_use is { } use)
        {
            return new(
                OllamaCondition.Ready,
                use.RemoteHost is null ? default : new($"Completions are asked of {use.Name} on {use.RemoteHost}: code is sent there.", $"Las sugerencias se piden a {use.Name} en {use.RemoteHost}: el código se envía allí."),
                use.Name);
        }

        if (_inventory is null)
        {
            return new(OllamaCondition.Unknown, default, null);
        }

        return new(
            OllamaCondition.Idle,
            _suspended is not null ? new($"{_suspended} was unloaded; load it to have completions from it again.", $"{_suspended} se descargó de la memoria; cárguelo para volver a tener sugerencias suyas.")
                : name.Length != 0 ? new($"{name} is loaded when it is first asked.", $"{name} se carga cuando se le pregunta por primera vez.")
                : new("Ollama runs no model that fills in the middle of code. Choose one.", "Ollama no tiene en marcha ningún modelo que rellene huecos en el código. Elija uno."),
            name.Length == 0 ? null : name);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Trouble(Phrase Message, OllamaReason? Reason, bool IsOfServer, bool IsMissing);

    private sealed class MissingModelException(Phrase phrase) : UserException(phrase);
}
