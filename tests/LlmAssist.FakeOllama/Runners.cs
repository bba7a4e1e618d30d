// Which models are in memory and until when, by the rules of Ollama's scheduler as far as clients can see them.
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
    public static RunnerOptions Of(FakeModel model, JsonObject? body)
    {
        var wanted = (body is null ? null : GoRules.Whole(body, "num_ctx")) ?? Runners.DefaultContextTokens;
        var others = Names.Select(name => (body?["options"] as JsonObject)?[name] is { } value ? $"{name}={value.ToJsonString()}" : "");
        return new(Math.Min(model.ContextTokens, Math.Max(LeastContextTokens, wanted)), string.Join(' ', others.Where(text => text.Length != 0)));
    }
}

/// <summary>A model in memory.</summary>
internal sealed class Runner(FakeModel model, RunnerOptions options, TimeSpan session, int parallel)
{
    public FakeModel Model { get; } = model;

    public RunnerOptions Options { get; } = options;

    /// <summary>How many generations may run in it at once; the others wait.</summary>
    public SemaphoreSlim Slots { get; } = new(parallel);

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
    private TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously); // guarded by _gate; of the next request that ends

    /// <summary>Those in memory, the longest to stay first.</summary>
    public IReadOnlyList<(Runner Runner, DateTimeOffset ExpiresAt)> Listed()
    {
        lock (_gate)
        {
            RemoveExpiredLocked();
            return [.. _runners.Select(runner => (runner, runner.ExpiresAt ?? time.GetUtcNow() + runner.Session)).OrderByDescending(pair => pair.Item2)];
        }
    }

    /// <summary>The runner for a request, if one with these options is in memory.</summary>
    public Runner? Find(FakeModel model, RunnerOptions options)
    {
        lock (_gate)
        {
            RemoveExpiredLocked();
            return _runners.Find(runner => runner.Model == model && runner.Options == options);
        }
    }

    /// <summary>Waits until a model that is in memory with other options has answered, and removes it.</summary>
    public async Task LeaveAsync(FakeModel model, RunnerOptions options, CancellationToken cancellation)
    {
        while (true)
        {
            Task ended;
            lock (_gate)
            {
                _runners.RemoveAll(runner => runner.Model == model && runner.Options != options && runner.Requests == 0);
                if (!_runners.Exists(runner => runner.Model == model && runner.Options != options))
                {
                    return;
                }

                ended = _ended.Task;
            }

            await ended.WaitAsync(cancellation);
        }
    }

    public Runner Add(FakeModel model, RunnerOptions options, TimeSpan? session)
    {
        var runner = new Runner(model, options, session ?? TimeSpan.FromSeconds(scenario.KeepAliveSeconds), scenario.Parallel);
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
                _ended.SetResult();
                _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
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
