// What the session's settings mean for memory, and what the user must be told of what happens to models.
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Background;

/// <summary>Keeps memory as the session wants it. Safe on any thread.</summary>
/// <param name="choices">Where answers are kept for clients that do not keep settings.</param>
/// <param name="post">Has the session changed on the loop.</param>
internal sealed class MemoryWork(MemoryKeeper keeper, OllamaHost ollama, ChoiceFile choices, ClientLink client, TimeProvider time, Action<Action<Session.Session>> post, CancellationToken ending)
{
    private static readonly TimeSpan SwitchPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShownIsKnown = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LastUnloads = TimeSpan.FromSeconds(2); // editors do not wait longer for a server to end

    internal static readonly Phrase Unload = new("Unload", "Descargar");
    internal static readonly Phrase Keep = new("Keep", "Conservar");
    internal static readonly Phrase Always = new("Always Unload", "Descargar siempre");

    private readonly Lock _gate = new();
    private readonly List<List<MemoryEvent>> _collecting = []; // guarded by _gate
    private readonly Dictionary<(MemoryEventKind Kind, ModelId Id), long> _shownAt = []; // guarded by _gate
    private readonly HashSet<ModelId> _offered = []; // guarded by _gate; whose offer is pending
    private volatile SessionSnapshot _session = new();

    /// <summary>Takes over the session's settings.</summary>
    public void Configure(SessionSnapshot session)
    {
        _session = session;
        keeper.Configure(session.Settings.Memory());
    }

    /// <summary>Collects what happens until it is disposed, for an answer that tells it: it is then not shown as well.</summary>
    public Collection Collect()
    {
        var events = new List<MemoryEvent>();
        lock (_gate)
        {
            _collecting.Add(events);
        }

        return new(events, () =>
        {
            lock (_gate)
            {
                _collecting.Remove(events);
            }
        });
    }

    /// <summary>Something has happened to a model: the log has it all, the user is shown what they may wonder about.</summary>
    public void Tell(MemoryEvent happened)
    {
        bool isCollected;
        lock (_gate)
        {
            _collecting.ForEach(events => events.Add(happened));
            isCollected = _collecting.Count != 0;
        }

        var speech = _session.Speech;
        var line = MemoryMessages.Line(happened);
        client.Log(happened.Kind is MemoryEventKind.Crash or MemoryEventKind.Refuse ? MessageType.Warning : MessageType.Info, line.In(speech));
        if (!isCollected && happened.Kind is MemoryEventKind.Evict or MemoryEventKind.Crash && IsNews(happened))
        {
            client.Show(happened.Kind == MemoryEventKind.Crash ? MessageType.Warning : MessageType.Info, line, speech);
        }
    }

    // A program that loads the same model again and again must not make us say the same again and again.
    private bool IsNews(MemoryEvent happened)
    {
        lock (_gate)
        {
            if (_shownAt.TryGetValue((happened.Kind, happened.Id), out var at) && time.GetElapsedTime(at) < ShownIsKnown)
            {
                return false;
            }

            _shownAt[(happened.Kind, happened.Id)] = time.GetTimestamp();
            return true;
        }
    }

    /// <summary>Another model is asked from now on. Some time later the former one is unloaded, or that is offered.</summary>
    public void Switched(ModelId former)
    {
        lock (_gate)
        {
            if (!_offered.Add(former))
            {
                return;
            }
        }

        _ = Task.Run(() => AfterSwitchAsync(former), CancellationToken.None);
    }

    /// <summary>The session ends: what it has loaded leaves, if the user wants that. Does not wait long.</summary>
    public async Task LeaveAsync()
    {
        if (!_session.Settings.MemoryUnloadOnExit)
        {
            return;
        }

        using var patience = new CancellationTokenSource(LastUnloads, time);
        try
        {
            foreach (var name in ollama.LoadedByUs())
            {
                // The one that completions were asked of too: nobody asks any more.
                if (Free(OllamaHost.IdOf(name)) is not null)
                {
                    await ollama.UnloadAsync(name, patience.Token);
                }
            }
        }
        catch (Exception exception) when (exception is UserException or OperationCanceledException)
        {
            // Nobody is there any more to be told.
        }
    }

    private async Task AfterSwitchAsync(ModelId former)
    {
        try
        {
            await Task.Delay(SwitchPause, time, ending);
            var session = _session;
            if (session.Settings.MemoryOnModelSwitch != ModelSwitch.Keep && Idle(former) is { } idle
                && (session.Settings.MemoryOnModelSwitch == ModelSwitch.Unload || await IsUnwantedAsync(idle, session)))
            {
                await ollama.UnloadAsync(former.Name, ending);
            }
        }
        catch (UserException exception)
        {
            client.Show(MessageType.Warning, exception.Phrase, _session.Speech);
        }
        catch (OperationCanceledException)
        {
            // The session ended before the user answered.
        }
        finally
        {
            lock (_gate)
            {
                _offered.Remove(former);
            }
        }
    }

    // In memory, and nobody uses or wants it.
    private Resident? Idle(ModelId id) => ollama.State.Model == id.Name ? null : Free(id);

    // In memory, answers nobody, and may leave.
    private Resident? Free(ModelId id) => keeper.Residents().FirstOrDefault(resident => resident.Id == id && !resident.IsBusy && !resident.IsPinned);

    private async Task<bool> IsUnwantedAsync(Resident former, SessionSnapshot session)
    {
        var chosen = await client.AskAsync(
            MemoryMessages.UnloadFormer(former),
            [Unload, Keep, Always],
            session.Speech,
            ending);
        if (chosen == 2)
        {
            await RememberAsync(session);
        }

        // The user may have taken a while, and used it meanwhile.
        return chosen is 0 or 2 && Idle(former.Id) is not null;
    }

    private async Task RememberAsync(SessionSnapshot session)
    {
        post(now =>
        {
            now.Now = now.Now with { Settings = now.Now.Settings with { MemoryOnModelSwitch = ModelSwitch.Unload } };
            Configure(now.Now);
        });
        if (!session.Client.UpdatesSettings || !await client.UpdateSettingAsync("memory.onModelSwitch", "unload", ending))
        {
            choices.Set("memory.onModelSwitch", "unload");
        }
    }

    /// <summary>What happened while it was not disposed.</summary>
    internal sealed class Collection(List<MemoryEvent> events, Action end) : IDisposable
    {
        /// <summary>The models that were taken out of memory; null for none.</summary>
        public IReadOnlyList<string>? EvictedIds =>
            events.Where(happened => happened.Kind == MemoryEventKind.Evict).Select(happened => happened.Id.ToString()).ToList() is { Count: > 0 } ids ? ids : null;

        /// <summary>The models that were taken out of memory, as the end of an answer; empty for none.</summary>
        public Phrase Evicted
        {
            get
            {
                var names = string.Join(", ", events.Where(happened => happened.Kind == MemoryEventKind.Evict).Select(happened => $"{happened.Id.Name} ({happened.Bytes})"));
                return MemoryMessages.TakenOut(names);
            }
        }

        public void Dispose() => end();
    }
}

/// <summary>Answers that hold from now on, for clients that keep no settings: a layer of settings below all others.</summary>
/// <param name="path">The file.</param>
internal sealed class ChoiceFile(string path)
{
    /// <summary>The layer; undefined if there is none that can be read.</summary>
    public JsonElement Read()
    {
        try
        {
            return File.Exists(path) ? JsonElement.Parse(File.ReadAllBytes(path)) : default;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>Keeps one more answer. If that is not possible, the user is asked again next time.</summary>
    public void Set(string key, string value)
    {
        var choices = Read() is { ValueKind: JsonValueKind.Object } kept ? JsonObject.Create(kept)! : [];
        choices[key] = value;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var draft = $"{path}.{Environment.ProcessId}.tmp";
            File.WriteAllText(draft, choices.ToJsonString());
            File.Move(draft, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // As said.
        }
    }
}
