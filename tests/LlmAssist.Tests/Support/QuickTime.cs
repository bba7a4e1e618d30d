namespace LlmAssist.Tests.Support;

/// <summary>The system's time, running faster: for tests of what several parts do in the course of seconds.</summary>
internal sealed class QuickTime(int factor) : TimeProvider
{
    private readonly long _begun = System.GetTimestamp();
    private readonly DateTimeOffset _beginning = System.GetUtcNow();

    public override long TimestampFrequency => System.TimestampFrequency;

    public override long GetTimestamp() => _begun + ((System.GetTimestamp() - _begun) * factor);

    public override DateTimeOffset GetUtcNow() => _beginning + GetElapsedTime(_begun);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(System.CreateTimer(callback, state, Scaled(dueTime), Scaled(period)), this);

    private TimeSpan Scaled(TimeSpan span) => span == Timeout.InfiniteTimeSpan ? span : span / factor;

    private sealed class Timer(ITimer timer, QuickTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(time.Scaled(dueTime), time.Scaled(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
