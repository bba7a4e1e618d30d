// The right to load a model: one at a time on the whole machine. Whether there is room for it is not asked here. How the lease lies on
// the disk is in LeaseFile.
using System.Collections.Concurrent;

namespace LlmAssist.Engine.Sharing;

/// <summary>Who is loading.</summary>
/// <param name="ProcessId">Which process.</param>
/// <param name="Model">What.</param>
/// <param name="Since">Since when, by the clock of its process.</param>
public sealed record LeaseHolder(int ProcessId, ModelId Model, DateTimeOffset Since);

/// <summary>
/// The right to load a model, from <see cref="AcquireAsync"/> until disposed. Its process renews it every second. It is taken over at
/// once from a process that has died, and after four seconds from one that does not renew it. Without a folder that can be written, or with a
/// process that stands still in the midst of changing the lease, loads exclude each other within this process only.
/// </summary>
public sealed class LoadLease : IAsyncDisposable
{
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Polling = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan GuardPatience = TimeSpan.FromMilliseconds(200); // both sides come again
    private static readonly TimeSpan Forsaken = TimeSpan.FromSeconds(4);

    // One seat per folder: who loads in this process.
    private static readonly ConcurrentDictionary<string, Seat> Seats = new();

    private readonly Seat _seat;
    private readonly LeaseFile _file;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost = new();
    private readonly ITimer _timer;
    private readonly Lock _gate = new();

    // All guarded by _gate.
    private LeaseRecord _record;
    private bool _isShared;
    private bool _hasEnded;
    private long _renewedAt;

    private LoadLease(Seat seat, LeaseFile file, LeaseRecord record, bool isShared, TimeProvider time)
    {
        _seat = seat;
        _file = file;
        _record = record;
        _isShared = isShared;
        _time = time;
        _renewedAt = time.GetTimestamp();
        _timer = time.CreateTimer(static state => ((LoadLease)state!).Renew(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Renewal, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Canceled when another process has taken the lease over, because this one did not renew it: the load is to be aborted.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Waits until nobody else loads.</summary>
    /// <param name="folder">The folder that windows share, <see cref="DataFolders.Shared"/>; created as needed.</param>
    /// <param name="model">What is to be loaded.</param>
    /// <param name="time">Whose timers renew, and whose clock tells how long nobody has.</param>
    /// <param name="waiting">Told once, from another thread, if somebody else is found loading. Its exceptions end the wait.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">Canceled. Nothing else is thrown, whatever the disk does.</exception>
    public static Task<LoadLease> AcquireAsync(string folder, ModelId model, TimeProvider time, Action<LeaseHolder>? waiting, CancellationToken cancellation) =>
        Task.Run(() => WaitAsync(folder, model, time, waiting, cancellation), cancellation);

    /// <summary>Gives the lease back, unless another process has it by now. May be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await Task.Run(End);
    }

    private static async Task<LoadLease> WaitAsync(string folder, ModelId model, TimeProvider time, Action<LeaseHolder>? waiting, CancellationToken cancellation)
    {
        var seat = Seats.GetOrAdd(Path.GetFullPath(folder), static _ => new());
        var file = new LeaseFile(folder, GuardPatience);
        var token = Guid.NewGuid().ToString("N");
        var renewals = new Standstill(time);
        var guard = new Standstill(time);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var record = new LeaseRecord(token, ProcessMark.Own, model, time.GetUtcNow(), 0);
            var other = seat.TryTake(record.Holder);
            if (other is null)
            {
                var answer = file.TryTake(record, held => Forsaken <= renewals.Seen((held.Token, held.Renewals)));
                var isGuardStuck = Forsaken <= guard.Seen(answer.Kind) && answer.Kind == LeaseAnswerKind.Busy;
                if (answer.Kind is LeaseAnswerKind.Taken or LeaseAnswerKind.Unusable || isGuardStuck)
                {
                    return new(seat, file, record, isShared: answer.Kind == LeaseAnswerKind.Taken, time);
                }

                seat.Leave(record.Holder);
                other = answer.Holder;
            }

            if (other is not null)
            {
                waiting?.Invoke(other);
                waiting = null;
            }

            await Task.Delay(Polling, time, cancellation);
        }
    }

    private void Renew()
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                return;
            }

            // Nobody can have taken it over and given it back in less time, so that a missing file is then only a missing file.
            var mayBeMissing = !_isShared || _time.GetElapsedTime(_renewedAt) < Forsaken;
            var next = _record with { Renewals = _record.Renewals + 1 };
            switch (_file.Renew(next, mayBeMissing))
            {
                case LeaseAnswerKind.Taken:
                    _record = next;
                    _isShared = true;
                    _renewedAt = _time.GetTimestamp();
                    break;
                case LeaseAnswerKind.Held when _isShared:
                    _ = _lost.CancelAsync();
                    return;
            }

            _timer.Change(Renewal, Timeout.InfiniteTimeSpan);
        }
    }

    private void End()
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                return;
            }

            _hasEnded = true;
            _file.Remove(_record.Token);
            _seat.Leave(_record.Holder);
        }
    }

    /// <summary>Who loads in this process. Needs no disk.</summary>
    private sealed class Seat
    {
        private LeaseHolder? _holder;

        /// <returns>Who has it; null if it is ours now.</returns>
        public LeaseHolder? TryTake(LeaseHolder holder) => Interlocked.CompareExchange(ref _holder, holder, null);

        public void Leave(LeaseHolder holder) => Interlocked.CompareExchange(ref _holder, null, holder);
    }

    /// <summary>
    /// How long something has been seen to stay the same. Time in which nobody looked counts little: the machine may have slept, or we
    /// alone, and then whoever is watched had no chance to move.
    /// </summary>
    private sealed class Standstill(TimeProvider time)
    {
        private static readonly TimeSpan MostPerLook = TimeSpan.FromSeconds(1);

        private object? _seen;
        private long _lookedAt;
        private TimeSpan _still;

        /// <summary>How long it has been this.</summary>
        public TimeSpan Seen(object what)
        {
            var passed = time.GetElapsedTime(_lookedAt);
            _still = !what.Equals(_seen) ? TimeSpan.Zero : _still + (passed < MostPerLook ? passed : MostPerLook);
            _seen = what;
            _lookedAt = time.GetTimestamp();
            return _still;
        }
    }
}
