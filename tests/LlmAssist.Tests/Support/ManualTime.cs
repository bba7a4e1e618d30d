// A clock that stands still until a test moves it.
namespace LlmAssist.Tests.Support;

/// <summary>Time that only <see cref="Advance"/> moves; timers fire on the thread that moves it, in the order in which they are due.</summary>
public sealed class ManualTime : TimeProvider
{
    private static readonly DateTimeOffset Beginning = new(2026, 11, 20, 20, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<Timer> _timers = [];
    private readonly List<TaskCompletionSource> _waiting = [];
    private TimeSpan _elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _elapsed.Ticks;
        }
    }

    public override DateTimeOffset GetUtcNow() => Beginning + new TimeSpan(GetTimestamp());

    /// <summary>Ends when the next timer is made: whoever waits for time to pass is then waiting.</summary>
    public Task NextTimer()
    {
        var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Add(made);
        }

        return made.Task;
    }

    public void Advance(TimeSpan duration)
    {
        TimeSpan target;
        lock (_gate)
        {
            target = _elapsed + duration;
        }

        while (TakeDue(target) is { } timer)
        {
            timer.Fire();
        }

        lock (_gate)
        {
            _elapsed = target;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_gate)
        {
            foreach (var made in _waiting)
            {
                made.SetResult();
            }

            _waiting.Clear();
        }

        return timer;
    }

    // The earliest timer that is due until then; the clock is set to its time.
    private Timer? TakeDue(TimeSpan target)
    {
        lock (_gate)
        {
            var timer = _timers.Where(timer => timer.Due <= target).MinBy(timer => timer.Due);
            if (timer is null)
            {
                return null;
            }

            _elapsed = timer.Due > _elapsed ? timer.Due : _elapsed;
            if (timer.Period == Timeout.InfiniteTimeSpan || timer.Period == TimeSpan.Zero)
            {
                _timers.Remove(timer);
            }
            else
            {
                timer.Due += timer.Period;
            }

            return timer;
        }
    }

    private sealed class Timer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = time._elapsed + dueTime;
                    Period = period;
                    time._timers.Add(this);
                }
            }

            return true;
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
