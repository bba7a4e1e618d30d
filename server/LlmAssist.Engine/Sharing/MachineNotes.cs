// The one document that all windows of a machine change, one after the other. Knows nothing of what the notes mean.
using System.Collections.Immutable;
using System.Text.Json;

namespace LlmAssist.Engine.Sharing;

/// <summary>
/// The notes that windows share. Safe on any thread. Where they cannot be saved, this process remembers them alone, until
/// another has changed the file.
/// </summary>
/// <param name="folder">The folder that windows share, <see cref="DataFolders.Shared"/>; created as needed.</param>
/// <param name="time">Tells how old a file is.</param>
public sealed class MachineNotes(string folder, TimeProvider time)
{
    private readonly string _path = Path.Combine(folder, "notes.json");
    private readonly string _guard = Path.Combine(folder, "notes.guard");
    private readonly Lock _gate = new();
    private Known? _known; // guarded by _gate

    /// <summary>The notes as they are now; empty if there are none, or the file is damaged. A file that has not changed is not read again.</summary>
    public Notes Read()
    {
        lock (_gate)
        {
            var stamp = FileStamp.Of(_path);
            if (_known is null || _known.Stamp != stamp || !_known.IsSettled)
            {
                var isSettled = stamp?.IsSettled(time.GetUtcNow()) ?? true;
                _known = new(stamp, isSettled, SharedFile.TryRead(_path) is { } content ? Parsed(content) : new());
            }

            return _known.Notes;
        }
    }

    /// <summary>
    /// Changes the notes; nobody else changes them meanwhile. May wait up to two seconds for another process, and writes only what
    /// is different afterwards.
    /// </summary>
    /// <param name="change">Makes new notes of the present ones. Runs under the lock, once, and must not call back. Its exceptions are passed on, and nothing has changed then.</param>
    /// <returns>The notes afterwards, whether or not they could be saved.</returns>
    public Notes Change(Func<Notes, Notes> change)
    {
        using var guard = FileGuard.TryEnter(_guard, FileGuard.Patience, out _);
        lock (_gate)
        {
            var notes = Bounded(change(Read()));
            var content = JsonSerializer.SerializeToUtf8Bytes(ToWire(notes), SharingJson.Default.NotesWire);
            var isSaved = guard is not null
                && (SharedFile.TryRead(_path) is { } present && present.AsSpan().SequenceEqual(content) || SharedFile.TryReplace(_path, content, isLasting: true));

            // What is not saved holds as long as the file stays what it was.
            _known = new(FileStamp.Of(_path), !isSaved, notes);
            return notes;
        }
    }

    private static Notes Bounded(Notes notes) => notes.Sizes.Count <= Notes.MostSizes
        ? notes
        : notes with { Sizes = notes.Sizes.OrderByDescending(pair => pair.Value.At).Take(Notes.MostSizes).ToDictionary() };

    private static NotesWire ToWire(Notes notes) => new()
    {
        Pinned = [.. notes.Pinned.Select(id => id.ToString()).Order(StringComparer.Ordinal)],
        Loads = new(
            notes.Loads.ToDictionary(
                pair => pair.Key.ToString(),
                LoadWire? (pair) => new()
                {
                    Key = pair.Value.Key,
                    Bytes = pair.Value.Bytes.Bytes,
                    ContextTokens = pair.Value.ContextTokens,
                    At = pair.Value.At,
                    LastUsed = pair.Value.LastUsed,
                    KeepAlive = pair.Value.KeepAlive,
                }),
            StringComparer.Ordinal),
        Sizes = new(
            notes.Sizes.ToDictionary(pair => pair.Key, SizeWire? (pair) => new() { Ram = pair.Value.Ram.Bytes, Vram = pair.Value.Vram.Bytes, At = pair.Value.At }),
            StringComparer.Ordinal),
    };

    private static Notes Parsed(byte[] content)
    {
        var wire = SharedFile.TryParse(content, SharingJson.Default.NotesWire) ?? new();
        var loads = new Dictionary<ModelId, LoadNote>();
        foreach (var (text, load) in wire.Loads ?? [])
        {
            if (load is not null && ModelId.TryParse(text, out var id))
            {
                loads[id] = new(load.Key ?? "", new(load.Bytes), load.ContextTokens, load.At, load.LastUsed, load.KeepAlive);
            }
        }

        var sizes = new Dictionary<string, SizeNote>();
        foreach (var (key, size) in wire.Sizes ?? [])
        {
            if (size is not null)
            {
                sizes[key] = new(new(size.Ram), new(size.Vram), size.At);
            }
        }

        return new() { Pinned = ModelNames.Known(wire.Pinned).ToImmutableHashSet(), Loads = loads, Sizes = sizes };
    }

    /// <summary>What was last read or written.</summary>
    /// <param name="Stamp">The file's stamp; null if there was none.</param>
    /// <param name="IsSettled">Whether the stamp is enough to know that nothing has changed.</param>
    private sealed record Known(FileStamp? Stamp, bool IsSettled, Notes Notes);
}
