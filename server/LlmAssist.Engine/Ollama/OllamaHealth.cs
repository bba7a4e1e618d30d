// Whether it makes sense to ask Ollama now, and whether it was restarted. Asks nothing itself.
namespace LlmAssist.Engine.Ollama;

/// <summary>Whether calls go through.</summary>
public enum HealthState
{
    /// <summary>All do.</summary>
    Closed,

    /// <summary>None do until the wait is over.</summary>
    Open,

    /// <summary>The wait is over: one call may try, and its result decides.</summary>
    HalfOpen,
}

/// <summary>
/// A breaker for one server: after failures that concern the server nobody asks it for 1, 2, 4 … 30 s, then one call tries.
/// Failures of a single model or request leave it closed.
/// </summary>
/// <remarks>Safe on any thread.</remarks>
public sealed class OllamaHealth(TimeProvider time)
{
    // A server that refuses connections does so for all. Anything else may have been this once.
    private const int FailuresToOpen = 3;

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private bool _isOpen;
    private bool _isTried; // the one call is under way
    private bool _wasUnreachable; // since it last answered
    private int _failures; // in a row, while closed
    private int _round; // counts openings and closings, so that a late result is known as such
    private long _openedAt;
    private TimeSpan _wait;
    private OllamaException? _lastFailure;
    private int _incarnation;
    private string? _version;
    private Dictionary<string, RunningModel> _running = [];
    private readonly HashSet<string> _unloaded = [];

    /// <summary>Whether calls go through now.</summary>
    public HealthState State
    {
        get
        {
            lock (_gate)
            {
                return !_isOpen ? HealthState.Closed : RetryInLocked() == TimeSpan.Zero ? HealthState.HalfOpen : HealthState.Open;
            }
        }
    }

    /// <summary>How long nobody asks yet; zero if a call may be made.</summary>
    public TimeSpan RetryIn
    {
        get
        {
            lock (_gate)
            {
                return _isOpen ? RetryInLocked() : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Why it is not closed; null if it is.</summary>
    public OllamaException? LastFailure
    {
        get
        {
            lock (_gate)
            {
                return _isOpen ? _lastFailure : null;
            }
        }
    }

    /// <summary>
    /// Goes up when the server may have been restarted: it was not reachable, its version changed, or its models vanished all
    /// at once and not all for another reason. What it was told about keeping models is then forgotten, and has to be said again.
    /// </summary>
    public int Incarnation
    {
        get
        {
            lock (_gate)
            {
                return _incarnation;
            }
        }
    }

    /// <summary>Asks for leave to call the server.</summary>
    /// <param name="isAsked">Whether a person asked for it: then the wait need not be over.</param>
    /// <returns>To be told the result, and disposed; null if nobody should call now.</returns>
    public HealthAttempt? TryBegin(bool isAsked = false)
    {
        lock (_gate)
        {
            if (!_isOpen)
            {
                return new(this, _round, isTrial: false);
            }

            if (_isTried || (!isAsked && TimeSpan.Zero < RetryInLocked()))
            {
                return null;
            }

            _isTried = true;
            return new(this, _round, isTrial: true);
        }
    }

    /// <summary>Compares what the server is with what it was.</summary>
    public void Observe(OllamaVersion version)
    {
        lock (_gate)
        {
            if (_version is not null && _version != version.Text)
            {
                RestartLocked();
            }

            _version = version.Text;
        }
    }

    /// <summary>Compares what runs with what ran.</summary>
    public void Observe(IReadOnlyList<RunningModel> running)
    {
        lock (_gate)
        {
            // Models leave without a restart when they expire, when we say so, and when another one needs the room. A person may
            // stop one as well, which looks like a restart; then things are said again that still hold.
            var soon = time.GetUtcNow().AddSeconds(1);
            if (running.Count == 0
                && _running.Values.Any(model => !_unloaded.Contains(model.Key) && soon < model.ExpiresAt))
            {
                RestartLocked();
            }

            _running = [];
            foreach (var model in running)
            {
                _running[model.Key] = model;
            }

            _unloaded.IntersectWith(_running.Keys);
        }
    }

    /// <summary>Says that a model is about to be unloaded by us, so that its vanishing is no riddle.</summary>
    /// <param name="key"><see cref="RunningModel.Key"/>.</param>
    public void Unloading(string key)
    {
        lock (_gate)
        {
            _unloaded.Add(key);
        }
    }

    internal void Succeed(int round)
    {
        lock (_gate)
        {
            // An answer to a call from before the breaker opened proves that the server lives, but not that it still does.
            if (round != _round)
            {
                return;
            }

            _failures = 0;
            if (_isOpen)
            {
                _isOpen = _isTried = false;
                _round++;
                _wait = default;
            }

            if (_wasUnreachable)
            {
                _wasUnreachable = false;
                RestartLocked();
            }
        }
    }

    internal void Fail(int round, OllamaException failure)
    {
        lock (_gate)
        {
            if (round != _round)
            {
                return;
            }

            _lastFailure = failure;
            _failures++;
            _wasUnreachable |= failure.Reason == OllamaReason.Unreachable;
            if (!_isOpen && failure.Reason != OllamaReason.Unreachable && _failures < FailuresToOpen)
            {
                return;
            }

            _wait = !_isOpen ? FirstWait : _wait * 2 < LongestWait ? _wait * 2 : LongestWait;
            _isOpen = true;
            _isTried = false;
            _openedAt = time.GetTimestamp();
            _round++;
        }
    }

    internal void Abandon(int round)
    {
        lock (_gate)
        {
            if (round == _round)
            {
                _isTried = false;
            }
        }
    }

    private TimeSpan RetryInLocked()
    {
        var left = _wait - time.GetElapsedTime(_openedAt);
        return left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }

    private void RestartLocked()
    {
        _incarnation++;
        _running = [];
        _unloaded.Clear();
    }
}

/// <summary>Leave to call the server once. Disposing it without a result, as when the user cancels, tells nothing about the server.</summary>
public sealed class HealthAttempt : IDisposable
{
    private readonly OllamaHealth _health;
    private readonly int _round;
    private readonly bool _isTrial;
    private bool _isTold;

    internal HealthAttempt(OllamaHealth health, int round, bool isTrial)
    {
        _health = health;
        _round = round;
        _isTrial = isTrial;
    }

    /// <summary>The server answered.</summary>
    public void Succeeded()
    {
        if (!_isTold)
        {
            _isTold = true;
            _health.Succeed(_round);
        }
    }

    /// <summary>The server did not answer as asked. If it answered at all, it is well.</summary>
    public void Failed(OllamaException failure)
    {
        if (!failure.ConcernsServer)
        {
            Succeeded();
        }
        else if (!_isTold)
        {
            _isTold = true;
            _health.Fail(_round, failure);
        }
    }

    public void Dispose()
    {
        if (!_isTold && _isTrial)
        {
            _isTold = true;
            _health.Abandon(_round);
        }
    }
}
