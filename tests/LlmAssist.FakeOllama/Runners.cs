// Which models are in memory and until when, by the rules of Ollama's scheduler as far as clients can see them.
namespace LlmAssist.FakeOllama;

/// <summary>A model in memory.</summary>
internal sealed class Runner(FakeModel model, int contextTokens, TimeSpan session)
{
    public FakeModel Model { get; } = model;

    public int ContextTokens { get; } = contextTokens;

    /// <summary>How long it stays after its last request; sticks until a request says otherwise.</summary>
    public TimeSpan Session { get; set; } = session;

    public int Requests { get; set; }

    /// <summary>Null until the first request has ended.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }
}

/// <summary>Safe on any thread. Nothing expires by itself: who looks, removes what has expired.</summary>
internal sealed class Runners(Scenario scenario, TimeProvider time)
{
    public const int DefaultContextTokens = 4096;

    /// <summary>The longest duration the server can express, which it uses for "for ever".</summary>
    public static readonly TimeSpan ForEver = TimeSpan.FromTicks(long.MaxValue / 100);

    private readonly Lock _gate = new();
    private readonly List<Runner> _runners = []; // guarded by _gate

    /// <summary>Those in memory, the longest to stay first.</summary>
    public IReadOnlyList<(Runner Runner, DateTimeOffset ExpiresAt)> Listed()
    {
        lock (_gate)
        {
            RemoveExpiredLocked();
            return [.. _runners.Select(runner => (runner, runner.ExpiresAt ?? time.GetUtcNow() + runner.Session)).OrderByDescending(pair => pair.Item2)];
        }
    }

    /// <summary>The runner for a request if one with this context is in memory. One with another context leaves.</summary>
    public Runner? Find(FakeModel model, int contextTokens)
    {
        lock (_gate)
        {
            RemoveExpiredLocked();
            _runners.RemoveAll(runner => runner.Model == model && runner.ContextTokens != contextTokens);
            return _runners.Find(runner => runner.Model == model);
        }
    }

    public Runner Add(FakeModel model, int contextTokens, TimeSpan? session)
    {
        var runner = new Runner(model, contextTokens, session ?? TimeSpan.FromSeconds(scenario.KeepAliveSeconds));
        lock (_gate)
        {
            _runners.Add(runner);
        }

        return runner;
    }

    public void Begin(Runner runner, TimeSpan? session)
    {
        lock (_gate)
        {
            runner.Requests++;
            runner.Session = session ?? runner.Session;
        }
    }

    public void End(Runner runner)
    {
        lock (_gate)
        {
            runner.Requests--;
            if (runner.Requests == 0)
            {
                runner.ExpiresAt = time.GetUtcNow() + runner.Session;
            }
        }
    }

    /// <summary>Tells a model to leave, which it does when its last request has ended.</summary>
    public void Unload(FakeModel model)
    {
        lock (_gate)
        {
            foreach (var runner in _runners.Where(runner => runner.Model == model))
            {
                runner.Session = TimeSpan.Zero;
                runner.ExpiresAt = time.GetUtcNow();
            }
        }
    }

    /// <summary>Removes a model at once, whatever it does.</summary>
    public void Remove(FakeModel model)
    {
        lock (_gate)
        {
            _runners.RemoveAll(runner => runner.Model == model);
        }
    }

    private void RemoveExpiredLocked()
    {
        var now = time.GetUtcNow();
        if (!scenario.StuckStopping)
        {
            _runners.RemoveAll(runner => runner.Requests == 0 && runner.ExpiresAt <= now);
        }
    }
}
