// Tells the client how things are: on change, at most once a second, and regularly while models are loaded.
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Background;

/// <summary>What is going on, for the user.</summary>
/// <param name="Name">ready, training, loading, degraded or off.</param>
/// <param name="Message">In words; empty when there is nothing to say.</param>
internal sealed record AssistState(string Name, Phrase Message)
{
    public bool IsBusy => Name is "training" or "loading";
}

/// <summary>Composes and sends llmAssist/status. Safe on any thread.</summary>
internal sealed class StatusReporter(ClientLink client, ModelHost host, OllamaHost ollama, MemoryKeeper keeper, CompletionEngine engine, IMemoryProbe probe, TimeProvider time)
{
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // LSP: nothing of ours may be sent before initialize is answered. The first to signal is the session that begins.
    private readonly SemaphoreSlim _changed = new(0);
    private volatile AssistState _state = new("ready", default);
    private volatile SessionSnapshot _session = new();
    private OllamaState? _untold; // exchanged

    /// <summary>What the status says at present.</summary>
    public AssistState State
    {
        get => _state;
        set
        {
            if (value != _state)
            {
                _state = value;
                Changed();
            }
        }
    }

    /// <summary>The session's settings and language, which the status follows.</summary>
    public SessionSnapshot Session
    {
        get => _session;
        set
        {
            _session = value;
            Changed();
        }
    }

    /// <summary>Something that the status shows has changed.</summary>
    public void Changed()
    {
        try
        {
            if (_changed.CurrentCount == 0)
            {
                _changed.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Another thread was quicker; one signal is enough.
        }
    }

    /// <summary>
    /// How things stand with Ollama has changed. A trouble is told even if it heals within the pause between two notifications: the user saw
    /// something fail, and wants to know what.
    /// </summary>
    public void Changed(OllamaState lane)
    {
        if (lane.Condition == OllamaCondition.Degraded)
        {
            Interlocked.Exchange(ref _untold, lane);
        }

        Changed();
    }

    /// <summary>Sends until canceled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            using (var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
            {
                // Without a model in memory nothing moves by itself, so nothing is sent.
                var regular = host.Residents.Count + ollama.Residents.Count == 0 ? Timeout.InfiniteTimeSpan : LongestPause;
                var timer = Task.Delay(regular, time, pause.Token);
                await Task.WhenAny(_changed.WaitAsync(pause.Token), timer);
                await pause.CancelAsync();
            }

            cancellation.ThrowIfCancellationRequested();
            var untold = Interlocked.Exchange(ref _untold, null);
            client.Status(Compose(untold ?? ollama.State));
            if (untold is not null && untold != ollama.State)
            {
                Changed();
            }

            await Task.Delay(LeastPause, time, cancellation);
        }
    }

    /// <summary>The memory part of the status.</summary>
    public MemoryStatus Memory()
    {
        var reading = probe.Read();
        var residents = keeper.Residents();
        var files = host.Residents.ToDictionary(resident => resident.Id, resident => resident.MappedBytes);
        var held = ollama.Residents.DistinctBy(resident => resident.Id).ToDictionary(resident => resident.Id);
        ModelMemory[] models =
        [
            .. residents.Select(resident => new ModelMemory(
                resident.Id.ToString(),
                resident.Id.Source == ModelSource.Pattern ? "pattern" : "ollama",
                resident.Bytes.Bytes,
                files.GetValueOrDefault(resident.Id, resident.Mapped.Bytes),
                held.GetValueOrDefault(resident.Id)?.VramBytes ?? 0,
                held.GetValueOrDefault(resident.Id)?.ContextTokens,
                resident.LastUsed,
                resident.IsPinned,
                resident.IsBusy)),
        ];

        // What the open documents teach belongs to no model; it is part of the process's own memory.
        return new()
        {
            SystemTotalBytes = reading.System?.Total.Bytes,
            SystemAvailableBytes = reading.System?.Available.Bytes,
            SystemUsedPercent = reading.System is { } system ? Math.Round(system.UsedPercent, 1) : null,
            LimitBytes = keeper.Options.Limit.Bytes,
            ModelsBytes = models.Sum(model => model.Bytes),
            Models = models,
            ProcessBytes = reading.Process?.Resident.Bytes,
            Advice = [.. Advice(reading, residents).Select(phrase => phrase.In(_session.Speech))],
        };
    }

    private StatusParams Compose(OllamaState lane)
    {
        var state = Shown(lane);
        return new(state.Name, state.IsBusy, state.Message.In(_session.Speech) ?? "", Memory() with { ProcessBytes = null });
    }

    // Our own work comes first, then what Ollama is up to, as far as the user wants anything of it.
    private AssistState Shown(OllamaState lane)
    {
        if (_session.Settings.Source == CompletionSource.Off)
        {
            return new("off", new("Completions are switched off (llmAssist.completion.source).", "Las sugerencias están desactivadas (llmAssist.completion.source)."));
        }

        if (_state.Name != "ready")
        {
            return _state;
        }

        return lane.Condition switch
        {
            OllamaCondition.Loading => new("loading", lane.Message),
            OllamaCondition.Degraded when _session.Settings.Completion().AsksOllama => new("degraded", lane.Message),
            OllamaCondition.Ready => lane.Message.English is null ? _state : _state with { Message = lane.Message },
            _ when host.Residents.Count == 0 => _state with
            {
                Message = new("No model is loaded; completions know the open files only.", "No hay ningún modelo cargado; las sugerencias solo conocen los archivos abiertos."),
            },
            _ => _state,
        };
    }

    private IEnumerable<Phrase> Advice(MemoryReading reading, IReadOnlyList<Resident> residents)
    {
        if (!keeper.Options.IsEnabled)
        {
            yield return MemoryAdvice.OnlyShown;
        }

        foreach (var phrase in MemoryAdvice.For(reading, MemoryBudget.Of(reading, keeper.Options.Limit, keeper.Options.Scope), residents, time.GetUtcNow()))
        {
            yield return phrase;
        }

        foreach (var phrase in OllamaAdvice.For(ollama))
        {
            yield return phrase;
        }

        if (16L << 20 <= engine.CommittedBytes)
        {
            yield return new(
                $"What the open documents teach takes {new ByteSize(engine.CommittedBytes)}; closing documents frees it.",
                $"Lo aprendido de los documentos abiertos ocupa {new ByteSize(engine.CommittedBytes)}; al cerrarlos se libera.");
        }
    }
}
