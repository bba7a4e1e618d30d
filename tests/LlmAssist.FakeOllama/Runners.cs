// Which models are in memory, until when, and what they take of it, by the rules of Ollama's scheduler as far as clients can see
// them. Who waits for whom is the scheduler's business.
using System.Text.Json.Nodes;

namespace LlmAssist.FakeOllama;

/// <summary>What a model is loaded with. A request that wants it otherwise has it loaded anew.</summary>
/// <param name="ContextTokens">At most what the model was trained for.</param>
/// <param name="Others">The other options that make a difference, as they were written.</param>
internal sealed record RunnerOptions(int ContextTokens, string Others)
{
    private const int LeastContextTokens = 4;

    private static readonly string[] Names = ["num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread"];

    /// <summary>What a request wants; what it leaves out is the default.</summary>
    public static RunnerOptions Of(FakeModel model, JsonObject body)
    {
        var others = Names.Select(name => (body["options"] as JsonObject)?[name] is { } value ? $"{name}={value.ToJsonString()}" : "");
        return Of(model, GoRules.Whole(body, "num_ctx")) with { Others = string.Join(' ', others.Where(text => text.Length != 0)) };
    }

    /// <summary>With this context, or the default one.</summary>
    public static RunnerOptions Of(FakeModel model, int? contextTokens) =>
        new(Math.Min(model.ContextTokens, Math.Max(LeastContextTokens, contextTokens ?? Runners.DefaultContextTokens)), "");
}

/// <summary>A model in memory, or on its way into it. Two names of the same weights are one.</summary>
/// <param name="model">Under the name that loaded it first.</param>
internal sealed class Runner(FakeModel model, RunnerOptions options, TimeSpan session, int parallel)
{
    public FakeModel Model { get; } = model;

    public RunnerOptions Options { get; } = options;

    /// <summary>How many generations may run in it at once; the others wait.</summary>
    public SemaphoreSlim Slots { get; } = new(parallel);

    /// <summary>Cancelled when it dies.</summary>
    public CancellationTokenSource Death { get; } = new();

    /// <summary>How long it stays after its last request; sticks until a request says otherwise.</summary>
    public TimeSpan Session { get; set; } = session;

    public int Requests { get; set; }

    /// <summary>Not listed yet, but it takes memory.</summary>
    public bool IsLoading { get; set; }

    /// <summary>Null until the first request has ended.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>When it will be gone; null until it has begun to leave, after which nobody can use it.</summary>
    public DateTimeOffset? LeavesAt { get; set; }

    /// <summary>Why it leaves, where that is not because of its duration.</summary>
    public string? Reason { get; set; }

    public bool IsDead => Death.IsCancellationRequested;

    /// <summary>All it takes, as it is listed.</summary>
    public long Bytes { get; } = model.BytesWith(options.ContextTokens * (long)parallel);

    /// <summary>The part on a graphics card.</summary>
    public long VramBytes => Model.VramWithin(Bytes);

    /// <summary>What it takes of the machine's memory now.</summary>
    public long RamBytes => IsDead ? 0 : Math.Max(0, Bytes - VramBytes);
}

/// <summary>Safe on any thread. Nothing happens by itself: who looks, has done first what was due.</summary>
internal sealed class Runners(Scenario scenario, TimeProvider time)
{
    public const int DefaultContextTokens = 4096;

    // What the server allows on a machine with one graphics card or none.
    private const int DefaultMaxLoaded = 3;

    /// <summary>The longest duration the server can express, which it uses for "for ever".</summary>
    public static readonly TimeSpan ForEver = TimeSpan.FromTicks(long.MaxValue / 100);

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly List<Runner> _runners = [];
    private readonly List<(long At, string What, string Model, long RamBytes)> _log = [];
    private readonly List<Func<bool>> _loadRequests = []; // whether the client of each has left
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously); // of the next request that ends, or model that leaves
    private long _peakRamBytes;
    private int _mostLoadRequests;
    private int _loads;
    private int _restarts;

    private int MaxLoaded => scenario.MaxLoaded == 0 ? DefaultMaxLoaded : scenario.MaxLoaded;

    private TimeSpan UnloadTime => TimeSpan.FromMilliseconds(scenario.UnloadMilliseconds);

    /// <summary>Those in memory, the longest to stay first.</summary>
    public IReadOnlyList<(Runner Runner, DateTimeOffset ExpiresAt)> Listed()
    {
        lock (_gate)
        {
            SettleLocked();
            return [.. _runners.Where(runner => !runner.IsLoading).Select(runner => (runner, runner.ExpiresAt ?? time.GetUtcNow() + runner.Session)).OrderByDescending(pair => pair.Item2)];
        }
    }

    /// <summary>The figures of this moment.</summary>
    public MemoryFigures Figures()
    {
        lock (_gate)
        {
            SettleLocked();
            return new(RamLocked(), _peakRamBytes, _loadRequests.Count(isGone => !isGone()), _mostLoadRequests, _loads, [.. _log]);
        }
    }

    /// <summary>Lets the highest figures begin anew from those of this moment.</summary>
    public void ResetPeaks()
    {
        lock (_gate)
        {
            SettleLocked();
            _peakRamBytes = RamLocked();
            _mostLoadRequests = _loadRequests.Count(isGone => !isGone());
        }
    }

    /// <summary>Lets the log begin anew.</summary>
    public void ForgetLog()
    {
        lock (_gate)
        {
            _log.Clear();
        }
    }

    /// <summary>How often everything was lost; a request from before is then no longer served.</summary>
    public int Restarts
    {
        get
        {
            lock (_gate)
            {
                return _restarts;
            }
        }
    }

    /// <summary>Counts a client's request that needs a load, until what this returns is disposed of.</summary>
    /// <param name="isGone">Whether the client has left, also where that has not been noticed otherwise.</param>
    public IDisposable CountLoadRequest(Func<bool> isGone)
    {
        lock (_gate)
        {
            _loadRequests.Add(isGone);
            _mostLoadRequests = Math.Max(_mostLoadRequests, _loadRequests.Count(gone => !gone()));
        }

        return new Once(() =>
        {
            lock (_gate)
            {
                _loadRequests.Remove(isGone);
            }
        });
    }

    /// <summary>Begins a request, if the model is in memory with these options; null if it is not. <see cref="End"/> ends it.</summary>
    public Runner? TryBegin(FakeModel model, RunnerOptions options, TimeSpan? session)
    {
        lock (_gate)
        {
            SettleLocked();
            return TryBeginLocked(model, options, session);
        }
    }

    /// <summary>Removes a model that has died and that a request is about to use.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Bury(FakeModel model)
    {
        lock (_gate)
        {
            SettleLocked();
            return RemoveAllLocked(runner => runner.IsDead && IsOf(runner, model), "crash");
        }
    }

    /// <summary>Begins to load a model, as soon as those have left that must: the same with other options, and one more than there may be.</summary>
    /// <param name="fails">Whether the load will fail, which is not known beforehand: then it is begun even if the model is in memory.</param>
    /// <param name="restarts"><see cref="Restarts"/> when the request came.</param>
    /// <returns>What loads; or what is in memory with these options by now, with a request begun.</returns>
    /// <exception cref="OperationCanceledException">Cancelled, or all was lost meanwhile.</exception>
    public async Task<Runner> BeginLoadAsync(FakeModel model, RunnerOptions options, TimeSpan? session, bool fails, int restarts, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            TimeSpan? due;
            lock (_gate)
            {
                SettleLocked();
                cancellation.ThrowIfCancellationRequested();
                if (restarts != _restarts)
                {
                    throw new OperationCanceledException();
                }

                if (!fails && TryBeginLocked(model, options, session) is { } begun)
                {
                    return begun;
                }

                if (MakeRoomLocked(model, options))
                {
                    var runner = New(model, options, session);
                    runner.IsLoading = true;
                    if (!_runners.Exists(other => IsOf(other, model)))
                    {
                        _runners.Add(runner);
                        NoteLocked("load", runner);
                    }

                    return runner;
                }

                changed = _changed.Task;
                due = _runners.Min(runner => runner.LeavesAt) - time.GetUtcNow();
                due = due < TimeSpan.Zero ? TimeSpan.Zero : due;
            }

            await ChangedAsync(changed, due, cancellation);
        }
    }

    /// <summary>Says that what loads has been loaded, and begins its first request.</summary>
    /// <returns>Whether it is there; if not, all was lost meanwhile.</returns>
    public bool EndLoad(Runner runner)
    {
        lock (_gate)
        {
            SettleLocked();
            if (!_runners.Contains(runner))
            {
                return false;
            }

            _loads++;
            runner.IsLoading = false;
            runner.Requests++;
            NoteLocked("loaded", runner);
            return true;
        }
    }

    /// <summary>Says that what loads will not be loaded; it is gone at once.</summary>
    public void AbortLoad(Runner runner)
    {
        lock (_gate)
        {
            SettleLocked();
            if (_runners.Remove(runner))
            {
                NoteLocked("abort", runner);
                TellLocked();
            }
        }
    }

    /// <summary>Has a model in memory without any load: from the start, or because another client loaded it. Nothing waits: what must leave
    /// leaves if it is idle, and the model keeps its options if it is busy or being loaded.</summary>
    public void Place(FakeModel model, RunnerOptions options, TimeSpan? session, bool isStart = false)
    {
        lock (_gate)
        {
            SettleLocked();
            if (TryBeginLocked(model, options, session) is { } runner)
            {
                EndLocked(runner);
                return;
            }

            if (_runners.Exists(other => IsOf(other, model) && other is { IsDead: false, LeavesAt: null } && (other.IsLoading || 0 < other.Requests)))
            {
                return;
            }

            if (!isStart)
            {
                RemoveAllLocked(other => IsOf(other, model), "reload");
                if (MaxLoaded <= _runners.Count && VictimsLocked().FirstOrDefault(other => other.Requests == 0) is { } victim)
                {
                    RemoveAllLocked(other => other == victim, "evict");
                }
            }

            runner = New(model, options, session);
            runner.ExpiresAt = time.GetUtcNow() + runner.Session;
            _runners.Add(runner);
            NoteLocked("load", runner);
            NoteLocked("loaded", runner);
        }
    }

    /// <summary>Begins a request with whatever options the model has or is being loaded with; null if it is not in memory, or dead. <see cref="End"/> ends it.</summary>
    public Runner? TryUse(FakeModel model, TimeSpan? session)
    {
        lock (_gate)
        {
            SettleLocked();
            var runner = _runners.Find(runner => IsOf(runner, model) && runner is { IsDead: false, LeavesAt: null });
            BeginLocked(runner, session);
            return runner;
        }
    }

    public void End(Runner runner)
    {
        lock (_gate)
        {
            SettleLocked();
            EndLocked(runner);
            SettleLocked();
        }
    }

    /// <summary>Tells a model to leave, which it does when its last request has ended.</summary>
    public void Unload(FakeModel model)
    {
        lock (_gate)
        {
            SettleLocked();
            foreach (var runner in _runners.Where(runner => IsOf(runner, model) && runner.LeavesAt is null))
            {
                runner.Session = TimeSpan.Zero;
                runner.ExpiresAt = time.GetUtcNow();
            }

            SettleLocked();
        }
    }

    /// <summary>Makes a model leave, whatever it does.</summary>
    public void Evict(FakeModel model)
    {
        lock (_gate)
        {
            SettleLocked();
            foreach (var runner in _runners.Where(runner => IsOf(runner, model) && runner is { IsLoading: false, LeavesAt: null }))
            {
                DismissLocked(runner, "evict");
            }

            SettleLocked();
        }
    }

    /// <summary>Lets a model die: its memory comes back, its requests fail, and it stays listed until somebody wants to use it.</summary>
    public void Crash(FakeModel model)
    {
        lock (_gate)
        {
            SettleLocked();
            foreach (var runner in _runners.Where(runner => IsOf(runner, model) && !runner.IsDead))
            {
                NoteDeathLocked(runner);
            }
        }
    }

    /// <summary>Loses everything.</summary>
    public void Restart()
    {
        lock (_gate)
        {
            SettleLocked();
            _restarts++;
            _runners.ForEach(Die);
            _runners.Clear();
            _log.Add((time.GetTimestamp(), "restart", "", 0));
            TellLocked();
        }
    }

    // Two names of the same weights are one model to the server.
    private static bool IsOf(Runner runner, FakeModel model) => ModelNames.BlobPath(runner.Model) == ModelNames.BlobPath(model);

    // What waits for it must not go on under our lock.
    private static void Die(Runner runner) => _ = runner.Death.CancelAsync();

    private Runner New(FakeModel model, RunnerOptions options, TimeSpan? session) =>
        new(model, options, session ?? TimeSpan.FromSeconds(scenario.KeepAliveSeconds), scenario.Parallel);

    private Runner? TryBeginLocked(FakeModel model, RunnerOptions options, TimeSpan? session)
    {
        var runner = _runners.Find(runner => IsOf(runner, model) && runner.Options == options && runner is { IsLoading: false, IsDead: false, LeavesAt: null });
        BeginLocked(runner, session);
        return runner;
    }

    private static void BeginLocked(Runner? runner, TimeSpan? session)
    {
        if (runner is not null)
        {
            runner.Requests++;
            runner.Session = session ?? runner.Session;
            runner.Reason = session is null ? runner.Reason : null;
        }
    }

    private void EndLocked(Runner runner)
    {
        runner.Requests--;
        if (runner.Requests == 0)
        {
            runner.ExpiresAt = time.GetUtcNow() + runner.Session;
            TellLocked();
        }
    }

    // Whether there is room; if not, somebody has been told to leave and has not left yet.
    private bool MakeRoomLocked(FakeModel model, RunnerOptions options)
    {
        if (_runners.Find(runner => IsOf(runner, model) && (runner.Options != options || runner.IsDead || runner.LeavesAt is not null)) is { } former)
        {
            if (former.LeavesAt is null && former.Requests == 0)
            {
                DismissLocked(former, "reload");
                SettleLocked();
            }

            if (_runners.Contains(former))
            {
                return false;
            }
        }

        if (_runners.Count < MaxLoaded || _runners.Exists(runner => IsOf(runner, model)))
        {
            return true;
        }

        // Idle ones first. One that is busy leaves when it has answered, unless somebody wants it to stay by then.
        if (MaxLoaded <= _runners.Count(runner => runner.LeavesAt is null) && VictimsLocked().OrderBy(runner => 0 < runner.Requests).FirstOrDefault() is { } victim)
        {
            victim.Session = TimeSpan.Zero;
            victim.Reason = "evict";
            if (victim.Requests == 0 && !scenario.StuckStopping)
            {
                DismissLocked(victim, "evict");
                SettleLocked();
            }
        }

        return _runners.Count < MaxLoaded;
    }

    private IEnumerable<Runner> VictimsLocked() => _runners
        .Where(runner => runner is { IsLoading: false, LeavesAt: null })
        .OrderBy(runner => runner.Session)
        .ThenBy(runner => ModelNames.BlobPath(runner.Model), StringComparer.Ordinal);

    private void DismissLocked(Runner runner, string reason)
    {
        runner.Reason = reason;
        runner.LeavesAt = time.GetUtcNow() + UnloadTime;
    }

    // Does what was due, in its order and under the time at which it was due.
    private void SettleLocked()
    {
        var now = time.GetUtcNow();
        foreach (var runner in _runners.Where(runner => !scenario.StuckStopping && runner is { IsLoading: false, Requests: 0, LeavesAt: null } && runner.ExpiresAt <= now))
        {
            runner.Reason ??= runner.Session == TimeSpan.Zero ? "unload" : "expire";
            runner.LeavesAt = runner.ExpiresAt + UnloadTime;
        }

        foreach (var runner in _runners.Where(runner => runner.LeavesAt <= now).OrderBy(runner => runner.LeavesAt).ToList())
        {
            _runners.Remove(runner);
            NoteLocked(runner.Reason ?? "expire", runner, now - runner.LeavesAt!.Value);
            TellLocked();
        }
    }

    private bool RemoveAllLocked(Predicate<Runner> which, string reason)
    {
        var leaving = _runners.FindAll(which);
        foreach (var runner in leaving)
        {
            _runners.Remove(runner);
            NoteLocked(reason, runner);
            TellLocked();
        }

        return leaving.Count != 0;
    }

    private void NoteDeathLocked(Runner runner)
    {
        Die(runner);
        _log.Add((time.GetTimestamp(), "crash", ModelNames.Normal(runner.Model.Name), RamLocked()));
    }

    private void NoteLocked(string what, Runner runner, TimeSpan ago = default)
    {
        // Of the dead all has been told: their memory came back when they died.
        if (runner.IsDead)
        {
            return;
        }

        var at = time.GetTimestamp() - (long)(ago.TotalSeconds * time.TimestampFrequency);
        var ram = RamLocked();
        _log.Add((at, what, ModelNames.Normal(runner.Model.Name), ram));
        _peakRamBytes = Math.Max(_peakRamBytes, ram);
    }

    private long RamLocked() => _runners.Sum(runner => runner.RamBytes);

    private void TellLocked()
    {
        _changed.SetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task ChangedAsync(Task changed, TimeSpan? due, CancellationToken cancellation)
    {
        if (due is null)
        {
            await changed.WaitAsync(cancellation);
            return;
        }

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(changed, Task.Delay(due.Value, time, enough.Token));
        await enough.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }
}
