// A clock that stands still until a test moves it, and that tells when somebody waits for a certain span.
namespace LlmAssist.Tests.Ollama;

internal sealed class ArmedTime : TimeProvider
{
    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly List<Timer> _timers = [];
    private readonly List<(TimeSpan? Span, TaskCompletionSource Armed)> _waiting = [];
    private DateTimeOffset _now = new(2026, 3, 2, 9, 20, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    /// <summary>Ends when a timer runs that was set to this span, or any timer without one.</summary>
    public Task ArmedAsync(TimeSpan? span = null)
    {
        var armed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Add((span, armed));
            TellLocked();
        }

        return armed.Task;
    }

    public void Advance(TimeSpan span)
    {
        List<Timer> due;
        lock (_gate)
        {
            _now += span;
            due = [.. _timers.Where(timer => timer.Due <= _now).OrderBy(timer => timer.Due)];
            _timers.RemoveAll(due.Contains);
        }

        due.ForEach(timer => timer.Fire());
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void TellLocked() => _waiting.RemoveAll(wait => _timers.Exists(timer => wait.Span is null || timer.Span == wait.Span) && wait.Armed.TrySetResult());

    // Fires once; nobody here repeats.
    private sealed class Timer(ArmedTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Span { get; private set; }

        public DateTimeOffset Due { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Span = dueTime;
                    Due = time._now + dueTime;
                    time._timers.Add(this);
                    time.TellLocked();
                }
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
