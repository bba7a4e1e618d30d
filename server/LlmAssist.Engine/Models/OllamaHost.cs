// The one place that knows which model of Ollama completions are asked of, and that loads and unloads there. Asks a model
// nothing but to load, to unload and to generate: anything else would keep it in memory.
using System.Runtime.CompilerServices;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Engine.Models;

/// <summary>
/// Keeps company with one Ollama server: finds it, recovers from its failures, brings the model in that is to be asked, and tells
/// how things stand. Whoever completes is never kept waiting: <see cref="TryUse"/> answers at once, and what is missing is
/// fetched in the background.
/// </summary>
/// <remarks>Safe on any thread.</remarks>
public sealed class OllamaHost : IDisposable
{
    private static readonly TimeSpan WatchRunning = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WatchIdle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeastWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookIsOld = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan UnloadPolling = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan UnloadPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    private readonly ModelHost? _patterns;
    private readonly IMemoryProbe _probe;
    private readonly TimeProvider _time;
    private readonly Func<string, ModelFacts, bool> _fillsMiddle;
    private readonly SemaphoreSlim _oneLoad = new(1, 1);
    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly Dictionary<string, ModelFacts> _facts = [];
    private readonly Dictionary<string, DateTimeOffset> _lastUsed = []; // by key
    private readonly HashSet<string> _ours = []; // keys of models that we loaded
    private OllamaOptions _options = new();
    private OllamaConnection? _connection;
    private string? _chosen; // in this session; wins over the options
    private string? _suspended; // the user unloaded it, so typing does not bring it back
    private OllamaUse? _use;
    private string? _loading;
    private Trouble? _trouble;
    private TimeSpan _retry;
    private long _retryFrom;
    private OllamaInventory? _inventory; // null before the first look
    private int _incarnation;
    private int _generating;
    private Task? _preparing;
    private OllamaState _state = new(OllamaCondition.Off, default, null);
    private TaskCompletionSource _configured = NewSignal();

    /// <param name="patterns">Whose models share the limit; null for none.</param>
    /// <param name="probe">Tells how much memory is free at a load.</param>
    /// <param name="fillsMiddle">Whether a model, by name and facts, can be asked to fill in the middle.</param>
    public OllamaHost(ModelHost? patterns, IMemoryProbe probe, TimeProvider time, Func<string, ModelFacts, bool> fillsMiddle)
    {
        _patterns = patterns;
        _probe = probe;
        _time = time;
        _fillsMiddle = fillsMiddle;
    }

    /// <summary>Raised, on any thread, when <see cref="State"/> or <see cref="Residents"/> has changed.</summary>
    public event Action? Changed;

    /// <summary>Raised, on any thread, before a model is asked that runs elsewhere: its name, and the host to which code will be sent.</summary>
    public event Action<string, string>? GoesElsewhere;

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
                    .. RunningLocked.Select(model => new OllamaResident(
                        IdOf(model.Name),
                        model.RamBytes,
                        model.VramBytes,
                        model.ContextTokens,
                        _lastUsed.GetValueOrDefault(model.Key, _time.GetUtcNow()),
                        0 < _generating && model.Key == _use?.Key)),
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
    /// <exception cref="OllamaException">It failed; <see cref="State"/> tells so too.</exception>
    /// <exception cref="OperationCanceledException">Canceled, or Ollama is switched off.</exception>
    public async IAsyncEnumerable<GeneratedPiece> GenerateAsync(OllamaUse use, GenerateRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var connection = Connected();
        request = request with { Model = use.Name, ContextTokens = use.ContextTokens, KeepAlive = KeepAlive };
        Change(() => _generating++);
        try
        {
            await foreach (var piece in connection.GenerateAsync(request, cancellation))
            {
                yield return piece;
            }
        }
        finally
        {
            Change(() =>
            {
                _generating--;
                _lastUsed[use.Key] = _time.GetUtcNow();
            });
        }
    }

    /// <summary>All models of the server, with what it knows about them. Touches none.</summary>
    /// <exception cref="OllamaException">It does not answer as it should.</exception>
    public async Task<IReadOnlyList<OllamaModel>> ListAsync(CancellationToken cancellation)
    {
        var connection = Connected();
        var inventory = await LookAsync(connection, isAsked: true, cancellation);
        var models = new List<OllamaModel>();
        foreach (var model in inventory.Installed)
        {
            ModelFacts? facts = null;
            try
            {
                facts = await FactsAsync(connection, model, cancellation);
            }
            catch (OllamaException exception) when (!exception.ConcernsServer)
            {
                // One model with a broken manifest; the others are listed all the same.
            }

            lock (_gate)
            {
                models.Add(new(model, inventory.RunningOf(model.Key), facts, facts is not null && _fillsMiddle(model.Name, facts), _use?.Key == model.Key));
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
        await BringInAsync(connection, model, cancellation);
        OllamaUse? use = null;
        Change(() =>
        {
            _chosen = model.Name;
            _suspended = null;
            use = _use;
        });
        return use ?? throw new OperationCanceledException(cancellation);
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
        var installed = inventory.Find(name);
        var model = inventory.RunningOf(installed?.Key);
        if (model is null && inventory.Running is not null)
        {
            return false;
        }

        if (model is not null)
        {
            connection.Health.Unloading(model.Key);
        }

        Change(() =>
        {
            if (_use is not null && _use.Key == installed?.Key)
            {
                _suspended = _use.Name;
                _use = null;
                _trouble = _trouble is { IsOfServer: true } ? _trouble : null;
            }
        });
        await connection.CallAsync(isAsked: true, isOfModel: false, (client, either) => client.UnloadAsync(model?.Name ?? name, either), cancellation);
        if (model is null)
        {
            return true;
        }

        var begun = _time.GetTimestamp();
        while (true)
        {
            inventory = await LookAsync(connection, isAsked: true, cancellation);
            if (inventory.RunningOf(model.Key) is null)
            {
                lock (_gate)
                {
                    _ours.Remove(model.Key);
                }

                return true;
            }

            if (UnloadPatience < _time.GetElapsedTime(begun))
            {
                throw new UserException(new(
                    $"{model.Name} was told to leave {UnloadPatience.TotalSeconds:F0} s ago and is still in memory: it may be answering somebody. Try again, or restart Ollama.",
                    $"Se pidió a {model.Name} que saliera hace {UnloadPatience.TotalSeconds:F0} s y sigue en memoria: quizá esté respondiendo a alguien. Inténtelo de nuevo o reinicie Ollama."));
            }

            await Task.Delay(UnloadPolling, _time, cancellation);
        }
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
            }

            cancellation.ThrowIfCancellationRequested();
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Task.WhenAny(configured, Task.Delay(WaitBefore(connection), _time, pause.Token));
            await pause.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
        }
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

    private TimeSpan WaitBefore(OllamaConnection? connection)
    {
        if (connection is null)
        {
            return Timeout.InfiniteTimeSpan;
        }

        var retry = connection.Health.RetryIn;
        lock (_gate)
        {
            var regular = _trouble is { IsOfServer: true } ? retry : RunningLocked.Count == 0 ? WatchIdle : WatchRunning;
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
                await BringInAsync(connection, model, cancellation);
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
        lock (_gate)
        {
            // A model that was named and is not there may have been pulled since.
            known = _trouble is { IsMissing: true } ? null : _inventory;
        }

        var inventory = await OllamaInventory.LookAsync(connection, known, isAsked, _time, cancellation);
        Change(() =>
        {
            if (_connection == connection)
            {
                SeeLocked(connection, inventory);
            }
        });
        return inventory;
    }

    private void SeeLocked(OllamaConnection connection, OllamaInventory inventory)
    {
        _inventory = inventory;
        if (_incarnation != connection.Health.Incarnation)
        {
            // Another version may see its models with other eyes, and it has none of ours in memory.
            _incarnation = connection.Health.Incarnation;
            _facts.Clear();
            _ours.Clear();
        }

        foreach (var model in RunningLocked)
        {
            _lastUsed.TryAdd(model.Key, _time.GetUtcNow());
        }

        if (_use is not { RemoteHost: null } use || inventory.Running is null)
        {
            return;
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
    }

    // No model is named: one that runs anyway and can do it costs nothing more. The one used last is the one that stays longest.
    private async Task TakeRunningAsync(OllamaConnection connection, OllamaInventory inventory, CancellationToken cancellation)
    {
        var candidates = (inventory.Running ?? []).OrderByDescending(running => running.ExpiresAt)
            .Select(running => (Installed: inventory.Installed.FirstOrDefault(model => model.Key == running.Key), Running: running))
            .Where(pair => pair.Installed is { RemoteHost: null });
        foreach (var (installed, running) in candidates)
        {
            var facts = await FactsAsync(connection, installed!, cancellation);
            if (facts.RemoteHost is null && _fillsMiddle(installed!.Name, facts))
            {
                Take(connection, installed, facts, running.ContextTokens ?? Context(installed, facts), running.ContextTokens);
                return;
            }
        }
    }

    private async Task BringInAsync(OllamaConnection connection, InstalledModel model, CancellationToken cancellation)
    {
        await _oneLoad.WaitAsync(cancellation);
        try
        {
            var facts = await FactsAsync(connection, model, cancellation);
            if (!facts.Capabilities.Contains("completion", StringComparer.OrdinalIgnoreCase))
            {
                throw new UserException(new(
                    $"{model.Name} does not write text (it is for embeddings or images). Choose a model for code, for example qwen2.5-coder:1.5b.",
                    $"{model.Name} no escribe texto (sirve para embeddings o imágenes). Elija un modelo de código, por ejemplo qwen2.5-coder:1.5b."));
            }

            if ((facts.RemoteHost ?? model.RemoteHost) is { } elsewhere)
            {
                GoesElsewhere?.Invoke(model.Name, elsewhere);
                Take(connection, model, facts, Context(model, facts), null);
                return;
            }

            RunningModel? running;
            int? fixedTokens;
            lock (_gate)
            {
                running = _inventory?.RunningOf(model.Key);
                fixedTokens = _options.ContextTokens;
            }

            var context = Context(model, facts);
            if (running is not null && (fixedTokens is null || running.ContextTokens is null || running.ContextTokens == context))
            {
                Take(connection, model, facts, running.ContextTokens ?? context, running.ContextTokens);
                return;
            }

            CheckLimit(model, running);
            Change(() => _loading = model.Name);
            try
            {
                await connection.CallAsync(isAsked: true, isOfModel: true, (client, either) => client.LoadAsync(model.Name, context, KeepAlive, either), cancellation);
                lock (_gate)
                {
                    _ours.Add(model.Key);
                }

                var inventory = await LookAsync(connection, isAsked: true, cancellation);
                Take(connection, model, facts, context, inventory.RunningOf(model.Key)?.ContextTokens);
            }
            finally
            {
                Change(() => _loading = null);
            }
        }
        finally
        {
            _oneLoad.Release();
        }
    }

    private void Take(OllamaConnection connection, InstalledModel model, ModelFacts facts, int context, int? seen) => Change(() =>
    {
        if (_connection == connection)
        {
            _use = new(model.Name, model.Key, context, facts, seen, facts.RemoteHost ?? model.RemoteHost);
            _trouble = _trouble is { IsOfServer: false } ? null : _trouble;
        }
    });

    private async Task<ModelFacts> FactsAsync(OllamaConnection connection, InstalledModel model, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_facts.TryGetValue(model.Key, out var known))
            {
                return known;
            }
        }

        var facts = await connection.CallAsync(isAsked: true, isOfModel: true, (client, either) => client.ShowWithListsAsync(model.Name, either), cancellation);
        lock (_gate)
        {
            // Of the tensors, of which there are hundreds, nothing is needed later.
            return _facts[model.Key] = facts with { Tensors = [] };
        }
    }

    private int Context(InstalledModel model, ModelFacts facts)
    {
        var trained = facts.Number("context_length") ?? model.TrainedContextTokens ?? int.MaxValue;
        int? wanted;
        lock (_gate)
        {
            wanted = _options.ContextTokens;
        }

        var tokens = wanted ?? (_probe.Read().System is { } system ? ContextTier.TokensFor(system.Available) : ContextTier.Unknown);
        return (int)Math.Min(tokens, trained);
    }

    // The weights are the least that it takes.
    private void CheckLimit(InstalledModel model, RunningModel? running)
    {
        var patterns = (_patterns?.Residents ?? []).Sum(resident => resident.CommittedBytes + resident.MappedBytes);
        lock (_gate)
        {
            var others = RunningLocked.Where(other => other.Key != running?.Key).Sum(other => other.RamBytes);
            var needed = new ByteSize(model.SizeBytes + patterns + others);
            if (_options.Limit < needed)
            {
                throw new UserException(new(
                    $"{model.Name} was not loaded: with it models would take at least {needed}, and the limit is {_options.Limit}. Unload a model, choose a smaller one, or raise llmAssist.memory.limit.",
                    $"{model.Name} no se cargó: con él los modelos ocuparían al menos {needed} y el límite es {_options.Limit}. Descargue un modelo, elija uno más pequeño o aumente llmAssist.memory.limit."));
            }
        }
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
        _facts.Clear();
        _ours.Clear();
        _lastUsed.Clear();
    }

    private bool IsOldLocked(TimeSpan age) => _inventory is null || age <= _time.GetElapsedTime(_inventory.SeenAt);

    // Every change of the fields goes through here: the state is what follows from them.
    private void Change(Action change)
    {
        bool isChanged;
        lock (_gate)
        {
            var running = RunningLocked;
            var generating = _generating;
            change();
            var state = StateLocked();
            isChanged = state != _state || !running.SequenceEqual(RunningLocked) || (generating == 0) != (_generating == 0);
            _state = state;
        }

        if (isChanged)
        {
            Changed?.Invoke();
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
