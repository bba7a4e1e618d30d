// What the windows on this machine tell each other: each writes one file of its own and reads those of the others. No guard is needed, because
// a file has one writer and is replaced in one step.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Engine.Sharing;

/// <summary>
/// What the other windows do. Safe on any thread. Nothing is thrown, whatever the disk does: where nothing can be written, others do not
/// see this window, and where nothing can be read, it sees no others.
/// </summary>
public sealed partial class WindowBoard : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(30);

    // A process that we cannot see, in another container, is believed to live while it writes; and its file is not for us to delete before long.
    private static readonly TimeSpan BelievedFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(1);

    private readonly string _folder;
    private readonly string _ownName;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private readonly Lock _disk = new(); // entered before _gate, and not by Post

    // All guarded by _gate.
    private WindowState? _posted;
    private long? _writtenAt;
    private bool _isDue;
    private bool _isClosed;

    // Both guarded by _disk.
    private WindowState? _written;
    private Dictionary<string, Reading> _readings = [];

    /// <summary>The board in <paramref name="folder"/>, <see cref="DataFolders.Shared"/>. Nothing is written before the first <see cref="Post"/>.</summary>
    public WindowBoard(string folder, TimeProvider time)
    {
        _folder = Path.Combine(folder, "windows");
        _ownName = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Guid.NewGuid():N}.json");
        _time = time;
        _timer = time.CreateTimer(static state => ((WindowBoard)state!).Write(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Tells the others what this window does from now on. Returns at once: what has changed is written in the background, at most once a second.</summary>
    public void Post(WindowState state)
    {
        lock (_gate)
        {
            if (_isClosed || state.Equals(_posted))
            {
                return;
            }

            _posted = state;
            ArmLocked(_writtenAt is { } at ? Pause - _time.GetElapsedTime(at) : TimeSpan.Zero);
        }
    }

    /// <summary>What the other windows have last told that are alive, in no order. Files that have not changed are not read again; those of dead processes are deleted.</summary>
    public IReadOnlyList<WindowState> Others()
    {
        lock (_disk)
        {
            var now = _time.GetUtcNow();
            var readings = new Dictionary<string, Reading>();
            var others = new List<WindowState>();
            foreach (var path in Files())
            {
                var name = Path.GetFileName(path);
                if (name.StartsWith(_ownName, StringComparison.Ordinal) || FileName().Match(name) is not { Success: true } match || FileStamp.Of(path) is not { } stamp)
                {
                    continue;
                }

                if (!_readings.TryGetValue(name, out var reading) || reading.Stamp != stamp || !reading.IsSettled)
                {
                    reading = Read(path, match, stamp, now);
                }

                readings[name] = reading;
                var age = (now.UtcDateTime - stamp.ChangedAt).Duration();
                var life = reading.Process.Life();
                if (life == ProcessLife.Dead || (life == ProcessLife.Unknown && KeptFor < age))
                {
                    SharedFile.TryDelete(path);
                }
                else if (reading.State is { } state && (life == ProcessLife.Alive || age < BelievedFor))
                {
                    others.Add(state);
                }
            }

            _readings = readings;
            return others;
        }
    }

    /// <summary>Tells the others that this window is gone. Waits for a write that is under way.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
        }

        _timer.Dispose();
        lock (_disk)
        {
            if (_written is not null)
            {
                SharedFile.TryDelete(Path.Combine(_folder, _ownName));
            }
        }
    }

    private void Write()
    {
        lock (_disk)
        {
            WindowState state;
            lock (_gate)
            {
                _isDue = false;
                if (_isClosed || _posted is null || _posted.Equals(_written))
                {
                    return;
                }

                state = _posted;
                _writtenAt = _time.GetTimestamp();
            }

            var content = JsonSerializer.SerializeToUtf8Bytes(ToWire(state), SharingJson.Default.WindowWire);
            var path = Path.Combine(_folder, _ownName);
            var isWritten = SharedFile.TryReplace(path, content, isLasting: false)
                || (SharedFile.TryCreateFolder(_folder) && SharedFile.TryReplace(path, content, isLasting: false));
            _written = isWritten ? state : _written;
            lock (_gate)
            {
                if (!isWritten && !_isClosed)
                {
                    ArmLocked(RetryPause);
                }
            }
        }
    }

    private void ArmLocked(TimeSpan span)
    {
        if (!_isDue)
        {
            _isDue = true;
            _timer.Change(span < TimeSpan.Zero ? TimeSpan.Zero : span, Timeout.InfiniteTimeSpan);
        }
    }

    private string[] Files()
    {
        try
        {
            return Directory.GetFiles(_folder);
        }
        catch (Exception exception) when (SharedFile.IsRefusal(exception))
        {
            return [];
        }
    }

    // A file that makes no sense counts as written by the process that its name tells, whenever that began.
    private static Reading Read(string path, Match name, FileStamp stamp, DateTimeOffset now)
    {
        var byName = new ProcessMark(int.TryParse(name.Groups["pid"].Value, CultureInfo.InvariantCulture, out var processId) ? processId : 0, 0, ProcessMark.Own.Space);
        var wire = !name.Groups["draft"].Success && SharedFile.TryRead(path) is { } content ? SharedFile.TryParse(content, SharingJson.Default.WindowWire) : null;
        return new(stamp, stamp.IsSettled(now), wire is { Process.Id: > 0 } ? wire.Process.ToMark() : byName, wire is null ? null : ToState(wire));
    }

    private static WindowWire ToWire(WindowState state) => new()
    {
        Process = ProcessWire.Of(ProcessMark.Own),
        Uses = new(state.Uses.ToDictionary(pair => pair.Key.ToString(), pair => pair.Value), StringComparer.Ordinal),
        Pinned = [.. state.Pinned.Select(id => id.ToString())],
        Patterns = [.. state.Patterns.Select(share => new ShareWire(share.Id.ToString(), share.Bytes.Bytes))],
    };

    private static WindowState ToState(WindowWire wire)
    {
        var uses = new Dictionary<ModelId, DateTimeOffset>();
        foreach (var (text, at) in wire.Uses ?? [])
        {
            if (ModelId.TryParse(text, out var id))
            {
                uses[id] = at;
            }
        }

        var patterns = new List<ModelShare>();
        foreach (var share in wire.Patterns ?? [])
        {
            if (ModelId.TryParse(share.Model, out var id))
            {
                patterns.Add(new(id, new(share.Bytes)));
            }
        }

        return new() { Uses = uses, Pinned = [.. ModelNames.Known(wire.Pinned)], Patterns = patterns };
    }

    [GeneratedRegex(@"\A(?<pid>[0-9]{1,10})-[0-9a-f]{32}\.json(?<draft>\.tmp)?\z")]
    private static partial Regex FileName();

    private sealed record Reading(FileStamp Stamp, bool IsSettled, ProcessMark Process, WindowState? State);
}
