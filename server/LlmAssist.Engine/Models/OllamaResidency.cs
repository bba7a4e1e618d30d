// What the list of Ollama's running models means: who was used when, who is busy, who died. Asks nobody; no lock: its owner has one.
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Engine.Models;

/// <summary>A model in Ollama's memory, with what can be told of it.</summary>
/// <param name="Running">As the server lists it.</param>
/// <param name="RamBytes">What it takes of the machine's memory: what the server says, or what its process really holds where that is more.</param>
/// <param name="LastUsed">When it last answered anybody.</param>
/// <param name="IsBusy">Whether it seems to answer somebody else.</param>
/// <param name="IsLeaving">Whether it was told to leave and still has to finish something. To tell it again changes nothing.</param>
/// <param name="IsStuck">Whether it was told to leave long ago and has not.</param>
/// <param name="IsDead">Whether its process has died while the server still lists it. It then takes nothing.</param>
internal sealed record HeldModel(RunningModel Running, long RamBytes, DateTimeOffset LastUsed, bool IsBusy, bool IsLeaving, bool IsStuck, bool IsDead)
{
    public string Key => Running.Key;
}

/// <summary>A model came or went, or died, and nobody here had a hand in it.</summary>
internal sealed record ResidencyChange(MemoryEventKind Kind, HeldModel Model, Phrase Reason);

/// <summary>
/// Follows the list from look to look. The server tells when a model will expire and not when it was used; as the time it stays is
/// constant, a new expiry tells of a use: last use = expiry - stay.
/// </summary>
/// <param name="isUnified">Whether graphics memory is the machine's own.</param>
internal sealed class OllamaResidency(TimeProvider time, bool isUnified)
{
    /// <summary>How long a model that was told to leave may still be listed.</summary>
    public static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestStay = TimeSpan.FromTicks(long.MaxValue / 100); // how the server writes "for ever"
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);

    // What clients and servers are set to; a stay between two of them is taken for the longer one.
    private static readonly TimeSpan[] UsualStays =
        [.. new[] { 1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10080 }.Select(minutes => TimeSpan.FromMinutes(minutes))];

    private readonly Dictionary<string, Entry> _entries = []; // by key
    private readonly Dictionary<string, TimeSpan> _stays = []; // that we have asked for, by key
    private readonly Dictionary<string, DateTimeOffset> _used = []; // our own requests, by key
    private readonly Dictionary<string, Farewell> _leaving = []; // told to leave, by key
    private readonly HashSet<string> _loading = [];
    private DateTimeOffset? _lookedAt;

    /// <summary>What is in memory, as of the last look.</summary>
    public IReadOnlyList<HeldModel> Models { get; private set; } = [];

    /// <summary>Takes over a new list.</summary>
    /// <param name="running">What the server lists.</param>
    /// <param name="runners">The processes of models, as far as they can be seen.</param>
    /// <param name="weightsOf">The file of a model's weights, by key; null if not known.</param>
    /// <param name="look">The number of the look: one that began later has a greater one.</param>
    /// <returns>What has changed without us.</returns>
    public IReadOnlyList<ResidencyChange> See(IReadOnlyList<RunningModel> running, IReadOnlyList<RunnerProcess> runners, Func<string, string?> weightsOf, long look)
    {
        var now = time.GetUtcNow();
        var changes = new List<ResidencyChange>();
        var models = new List<HeldModel>();
        foreach (var model in running)
        {
            // Two tags of the same weights are one model.
            if (models.Exists(other => other.Key == model.Key))
            {
                continue;
            }

            var isNew = !_entries.TryGetValue(model.Key, out var entry);
            entry = isNew ? _entries[model.Key] = new() : entry!;
            Follow(entry, model, now, look);
            var process = weightsOf(model.Key) is { } path ? runners.FirstOrDefault(runner => runner.WeightsPath == path) : null;
            entry.HasProcess |= process is not null;
            entry.WasSought |= weightsOf(model.Key) is not null;
            var isDead = entry.HasProcess && process is null;
            var ram = isDead ? 0 : Math.Max(isUnified ? model.SizeBytes : model.RamBytes, process?.Private.Bytes ?? 0);
            var isLeaving = _leaving.TryGetValue(model.Key, out var farewell);
            var isStuck = isLeaving && LeavePatience <= time.GetElapsedTime(farewell.Begun);
            var held = new HeldModel(model, ram, entry.LastUsed, entry.IsBusy && !isDead, isLeaving, isStuck, isDead);
            models.Add(held);
            if (isNew && _lookedAt is not null && !_loading.Contains(model.Key))
            {
                changes.Add(new(MemoryEventKind.Load, held, MemoryMessages.LoadedByOthers));
            }

            if (isDead && !entry.IsDeathTold)
            {
                changes.Add(new(MemoryEventKind.Crash, held, MemoryMessages.ProcessDied));
            }

            entry.IsDeathTold = isDead;
        }

        foreach (var gone in Models.Where(model => !models.Exists(other => other.Key == model.Key)))
        {
            _entries.Remove(gone.Key);
            if (!_leaving.Remove(gone.Key) && !_loading.Contains(gone.Key))
            {
                changes.Add(new(MemoryEventKind.Expire, gone, WhyGone(gone, now)));
            }
        }

        _lookedAt = now;
        Models = models;
        return changes;
    }

    /// <summary>Whether a process must have come or gone that is not among these: of a model that was not listed before, or whose process was there.</summary>
    public bool Misses(IReadOnlyList<RunningModel> running, IReadOnlyList<RunnerProcess> runners, Func<string, string?> weightsOf) =>
        running.Any(model => (!_entries.TryGetValue(model.Key, out var entry) || (entry.HasProcess && !entry.IsDeathTold) || !entry.WasSought)
            && weightsOf(model.Key) is { } path && runners.All(runner => runner.WeightsPath != path));

    /// <summary>We have asked the server to keep a model this long after each use; null leaves it as it is.</summary>
    public void Keep(string key, TimeSpan? stay)
    {
        if (stay is { } known)
        {
            _stays[key] = known == Timeout.InfiniteTimeSpan ? LongestStay : known;
        }
    }

    /// <summary>We have had an answer of it.</summary>
    public void Use(string key) => _used[key] = time.GetUtcNow();

    /// <summary>We load it, until <see cref="Loaded"/>: that it comes is no riddle.</summary>
    public void Loading(string key)
    {
        _loading.Add(key);
        _leaving.Remove(key);
    }

    /// <summary>The load has ended, well or not.</summary>
    public void Loaded(string key) => _loading.Remove(key);

    /// <summary>We tell it to leave, until <see cref="Told"/>.</summary>
    public void Leave(string key) => _leaving.TryAdd(key, new(time.GetTimestamp(), long.MaxValue));

    /// <summary>It was told to leave, or that has failed.</summary>
    /// <param name="lastLook">The last look that began before. What that one sees may be older than the telling.</param>
    public void Told(string key, long lastLook)
    {
        if (_leaving.TryGetValue(key, out var farewell))
        {
            _leaving[key] = farewell with { LastLook = lastLook };
        }
    }

    /// <summary>Forgets everything: it is another server now.</summary>
    public void Forget()
    {
        _entries.Clear();
        _stays.Clear();
        _used.Clear();
        _leaving.Clear();
        _lookedAt = null;
        Models = [];
    }

    private void Follow(Entry entry, RunningModel model, DateTimeOffset now, long look)
    {
        var own = _used.TryGetValue(model.Key, out var used) ? used : DateTimeOffset.MinValue;
        var isChanged = entry.ExpiresAt != model.ExpiresAt;
        var isFirst = entry.LastUsed == default;
        if (model.ExpiresAt is not { } expiry)
        {
            entry.LastUsed = isFirst ? now : entry.LastUsed;
            entry.IsBusy = false;
        }
        else if (expiry <= now)
        {
            // A request runs, or it is about to leave. A clock that was set forward looks the same, and for ever.
            entry.OverdueSince = isChanged ? time.GetTimestamp() : entry.OverdueSince ?? time.GetTimestamp();
            entry.IsBusy = !_leaving.ContainsKey(model.Key) && time.GetElapsedTime(entry.OverdueSince.Value) < LongestAnswer;
            entry.LastUsed = entry.IsBusy || isFirst ? now : entry.LastUsed;
        }
        else
        {
            // Somebody has used it again, and with that canceled that it was told to leave.
            entry.OverdueSince = null;
            if (_leaving.TryGetValue(model.Key, out var farewell) && farewell.LastLook < look)
            {
                _leaving.Remove(model.Key);
            }

            // Changed since the last look: it was used meanwhile, and perhaps by somebody who goes on.
            entry.IsBusy = isChanged && !isFirst && own < _lookedAt;
            if (isChanged)
            {
                entry.LastUsed = UseBefore(model, expiry, now);
            }
        }

        entry.ExpiresAt = model.ExpiresAt;
        entry.LastUsed = entry.LastUsed < own ? own : entry.LastUsed;
    }

    private DateTimeOffset UseBefore(RunningModel model, DateTimeOffset expiry, DateTimeOffset now)
    {
        if (model.IsKeptForever(now))
        {
            return Earlier(expiry - LongestStay, now);
        }

        if (_stays.TryGetValue(model.Key, out var stay) && now < expiry + Slack && expiry - stay <= now + Slack)
        {
            return Earlier(expiry - stay, now);
        }

        // Nobody tells how long it stays. It cannot be shorter than what is left of it.
        var left = expiry - now;
        var usual = UsualStays.FirstOrDefault(candidate => left <= candidate + Slack, left);
        return Earlier(expiry - usual, now);
    }

    // In UTC, where the server's times have an offset.
    private static DateTimeOffset Earlier(DateTimeOffset left, DateTimeOffset right) => (left < right ? left : right).ToUniversalTime();

    private static Phrase WhyGone(HeldModel gone, DateTimeOffset now) =>
        gone.Running.ExpiresAt <= now + Slack ? MemoryMessages.StayedUnused : MemoryMessages.LeftOtherwise;

    /// <param name="Begun">When it was first told to leave, a timestamp.</param>
    /// <param name="LastLook">The last look that may have been before that.</param>
    private readonly record struct Farewell(long Begun, long LastLook);

    private sealed class Entry
    {
        public DateTimeOffset? ExpiresAt { get; set; }

        public DateTimeOffset LastUsed { get; set; }

        public bool IsBusy { get; set; }

        public long? OverdueSince { get; set; }

        public bool HasProcess { get; set; }

        /// <summary>Whether its process was looked for since its weights are known.</summary>
        public bool WasSought { get; set; }

        public bool IsDeathTold { get; set; }
    }
}
