// A clock that a test drives, and that stands still while anybody waits for a reply: hours pass in seconds, and no deadline with them.
using System.Diagnostics;
using LlmAssist.Engine.Ollama;
using LlmAssist.Tests.Ollama;

namespace LlmAssist.Tests.Support;

/// <summary>
/// Time in steps. The client's deadlines hold it, because a reply takes real time: it goes on when the reply has come, or when the server
/// itself waits for time to pass. Safe on any thread; one drives.
/// </summary>
internal sealed class DrivenTime : TimeProvider
{
    private static readonly OllamaDeadlines Usual = new();

    // Whoever waits so long waits for a reply. No pause of the product is as long as one of these.
    private static readonly HashSet<TimeSpan> Replies = [Usual.Load, Usual.Silence, Usual.Unload];

    // An answer's deadline is set anew for what is left of it when its beginning has come.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly List<Timer> _timers = [];
    private DateTimeOffset _now = System.GetUtcNow();

    public DrivenTime() => OfServer = new View(this);

    /// <summary>The same clock for the server that is asked: what it waits for does pass.</summary>
    public TimeProvider OfServer { get; }

    /// <summary>The most that passes in one step.</summary>
    public TimeSpan Stride { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long everybody may work, by the real clock, before the next step.</summary>
    public TimeSpan Rest { get; set; } = TimeSpan.FromMilliseconds(0.5);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => NewTimer(callback, state, dueTime, isOfServer: false);

    /// <summary>Lets time pass until the next timer is due, but no more than a stride.</summary>
    public async Task StepAsync()
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Rest || IsHeld)
        {
            Assert.True(clock.Elapsed < Play.Hang, "A reply never came.");
            await Task.Yield();
        }

        List<Timer> due;
        lock (_gate)
        {
            var next = _timers.Select(static timer => timer.Due).Append(_now + Stride).Min();
            _now = _now < next ? next : _now;
            due = [.. _timers.Where(timer => timer.Due <= _now).OrderBy(static timer => timer.Due)];
            _timers.RemoveAll(due.Contains);
        }

        due.ForEach(static timer => timer.Fire());
    }

    private bool IsHeld
    {
        get
        {
            lock (_gate)
            {
                return _timers.Exists(static timer => !timer.IsOfServer && IsForReply(timer.Span)) && !_timers.Exists(static timer => timer.IsOfServer);
            }
        }
    }

    private static bool IsForReply(TimeSpan span) => Replies.Contains(span) || (LongestPause < span && span <= Usual.Answer);

    private Timer NewTimer(TimerCallback callback, object? state, TimeSpan dueTime, bool isOfServer)
    {
        var timer = new Timer(this, callback, state, isOfServer);
        timer.Change(dueTime, Timeout.InfiniteTimeSpan);
        return timer;
    }

    private sealed class View(DrivenTime time) : TimeProvider
    {
        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => time.NewTimer(callback, state, dueTime, isOfServer: true);
    }

    // Fires once; nobody here repeats.
    private sealed class Timer(DrivenTime time, TimerCallback callback, object? state, bool isOfServer) : ITimer
    {
        public bool IsOfServer { get; } = isOfServer;

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
