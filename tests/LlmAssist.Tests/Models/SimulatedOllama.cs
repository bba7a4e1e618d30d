// Ollama's scheduler as its clients see it, without HTTP: fast enough for many thousands of histories.
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Models;

/// <summary>A clock whose face may be set while time goes on.</summary>
internal sealed class SettableTime : TimeProvider
{
    private readonly ManualTime _time = new();

    public TimeSpan Offset { get; set; }

    public override long TimestampFrequency => _time.TimestampFrequency;

    public override long GetTimestamp() => _time.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => _time.GetUtcNow() + Offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _time.CreateTimer(callback, state, dueTime, period);

    public void Advance(TimeSpan span) => _time.Advance(span);
}

/// <summary>A server with models, of which at most three are in memory.</summary>
internal sealed class SimulatedOllama(SettableTime time)
{
    private const int MostLoaded = 3;
    private static readonly TimeSpan UsualStay = TimeSpan.FromMinutes(5);

    private readonly List<Loaded> _loaded = [];

    /// <summary>What all models take now.</summary>
    public ByteSize Ram => _loaded.Aggregate(ByteSize.Zero, static (sum, model) => sum + model.Bytes);

    public IReadOnlyList<Loaded> Models => _loaded;

    /// <summary>What it lists.</summary>
    public IReadOnlyList<RunningModel> Running
    {
        get
        {
            Expire();
            return [.. _loaded.Select(model => new RunningModel(model.Name, "", model.Bytes.Bytes, 0, model.Context, model.ExpiresAt ?? (time.GetUtcNow() + model.Stay)))];
        }
    }

    public Loaded? Find(string name)
    {
        Expire();
        return _loaded.Find(model => model.Name == name);
    }

    /// <summary>Loads a model, or has it stay if it is loaded so.</summary>
    /// <returns>False if there is no room because all are busy.</returns>
    public bool Load(string name, int context, ByteSize bytes, TimeSpan? stay, bool isOurs)
    {
        Expire();
        if (_loaded.Find(model => model.Name == name) is { } known)
        {
            if (known.Context == context)
            {
                known.Stay = stay ?? known.Stay;
                End(known);
                return true;
            }

            if (0 < known.Requests)
            {
                return false;
            }

            _loaded.Remove(known);
        }

        if (_loaded.Count == MostLoaded)
        {
            if (_loaded.Where(model => model.Requests == 0).OrderBy(model => model.Stay).ThenBy(model => model.Name, StringComparer.Ordinal).FirstOrDefault() is not { } idle)
            {
                return false;
            }

            _loaded.Remove(idle);
        }

        var loaded = new Loaded(name, context, bytes, isOurs) { Stay = stay ?? UsualStay };
        _loaded.Add(loaded);
        End(loaded);
        return true;
    }

    public void Begin(Loaded model) => model.Requests++;

    public void Finish(Loaded model)
    {
        model.Requests--;
        End(model);
    }

    /// <summary>Tells a model to leave, which it does when nobody is being answered.</summary>
    public void Unload(string name)
    {
        if (Find(name) is { } model)
        {
            model.Stay = TimeSpan.Zero;
            model.ExpiresAt = time.GetUtcNow();
            End(model);
        }
    }

    public void Crash(string name) => _loaded.RemoveAll(model => model.Name == name);

    public void Restart() => _loaded.Clear();

    private void End(Loaded model)
    {
        if (model.Requests == 0)
        {
            model.ExpiresAt = time.GetUtcNow() + model.Stay;
            model.EndsAt = time.GetTimestamp() + model.Stay.Ticks;
            Expire();
        }
    }

    // Its timers do not heed the clock's face.
    private void Expire() => _loaded.RemoveAll(model => model.Requests == 0 && model.EndsAt <= time.GetTimestamp());

    internal sealed class Loaded(string name, int context, ByteSize bytes, bool isOurs)
    {
        public string Name { get; } = name;

        public int Context { get; } = context;

        public ByteSize Bytes { get; } = bytes;

        public bool IsOurs { get; } = isOurs;

        public TimeSpan Stay { get; set; }

        public int Requests { get; set; }

        public DateTimeOffset? ExpiresAt { get; set; }

        public long EndsAt { get; set; }
    }
}
