// What we speak beyond LSP: docs/protocol-extensions.md with types. Bytes are integers, fractions 0..1 unless named percent.
using System.Text.Json.Serialization;

namespace LlmAssist.Server.Lsp;

/// <summary>Names of our notification and commands.</summary>
internal static class AssistMethods
{
    public const string Status = "llmAssist/status";
    public const string UpdateSetting = "llmAssist/updateSetting";

    public const string ModelsList = "llmAssist.models.list";
    public const string ModelsLoad = "llmAssist.models.load";
    public const string ModelsUnload = "llmAssist.models.unload";
    public const string ModelsUnloadAll = "llmAssist.models.unloadAll";
    public const string ModelsDelete = "llmAssist.models.delete";
    public const string ModelsTrain = "llmAssist.models.train";
    public const string ModelsPin = "llmAssist.models.pin";
    public const string ModelsUnpin = "llmAssist.models.unpin";
    public const string ModelsCompare = "llmAssist.models.compare";
    public const string OllamaPull = "llmAssist.ollama.pull";
    public const string MemoryStatus = "llmAssist.memory.status";
    public const string MemorySetLimit = "llmAssist.memory.setLimit";
    public const string MemoryHistory = "llmAssist.memory.history";
    public const string CompletionExplain = "llmAssist.completion.explain";
    public const string CompletionAccepted = "llmAssist.completion.accepted";
}

/// <param name="State">ready, training, loading, degraded or off.</param>
/// <param name="Busy">Whether something is going on.</param>
/// <param name="Message">For the user, in the client's language.</param>
internal sealed record StatusParams(string State, bool Busy, string Message, MemoryStatus Memory);

internal sealed record MemoryStatus
{
    public long? SystemTotalBytes { get; init; }

    public long? SystemAvailableBytes { get; init; }

    /// <summary>0..100.</summary>
    public double? SystemUsedPercent { get; init; }

    public required long LimitBytes { get; init; }

    /// <summary>What all models together take now.</summary>
    public required long ModelsBytes { get; init; }

    public required IReadOnlyList<ModelMemory> Models { get; init; }

    /// <summary>This process. Only in the answer of memory.status.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ProcessBytes { get; init; }

    /// <summary>The limits that have a name, the smallest first. Only in the answer of memory.status.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LimitPreset>? Presets { get; init; }

    /// <summary>What there is to say and to do, in the client's language; the most pressing first. In the answer of memory.status also which models fit now.</summary>
    public required IReadOnlyList<string> Advice { get; init; }
}

/// <param name="Name">As the setting and memory.setLimit take it.</param>
/// <param name="MachineBytes">Memory of the machines that it is made for.</param>
/// <param name="Suits">Whether it is the one for this machine; none is where the machine does not tell its memory.</param>
internal sealed record LimitPreset(string Name, long LimitBytes, long MachineBytes, bool Suits);

/// <param name="Bytes">Memory that it takes now: private bytes, and pages of its file that are in RAM.</param>
/// <param name="Pinned">Whether the user wants it to stay, in this window or another.</param>
/// <param name="Busy">Whether it answers somebody, or another window has used it within the last minute.</param>
/// <param name="MappedBytes">Length of the mapped file, whose pages are shared by all windows and given back by the system when memory is short.</param>
internal sealed record ModelMemory(
    string Id,
    string Source,
    long Bytes,
    long MappedBytes,
    long VramBytes,
    int? ContextTokens,
    DateTimeOffset LastUsed,
    bool Pinned,
    bool Busy);

internal sealed record ModelInfo
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Source { get; init; }

    public required long SizeBytes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ModifiedAt { get; init; }

    public required bool Loaded { get; init; }

    /// <summary>Of a pattern model: whether it is the newest of its name. Of a model of Ollama: whether completions are asked of it.</summary>
    public required bool Current { get; init; }

    /// <summary>Of a model of Ollama what it takes of RAM now, 0 if it is not loaded.</summary>
    public required long MemoryKb { get; init; }

    /// <summary>Whether the user wants it to stay in memory.</summary>
    public required bool Pinned { get; init; }

    // Pattern models only.

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? PatternsStored { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Sparsity { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Folders { get; init; }

    // Models of Ollama only.

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Family { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ParameterSize { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Quantization { get; init; }

    /// <summary>Of the loaded one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ContextTokens { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Capabilities { get; init; }

    /// <summary>Whether it can be asked for what stands between two texts; missing where the server does not tell enough.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? FillsMiddle { get; init; }

    /// <summary>What it takes of RAM, or would take.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? PredictedBytes { get; init; }

    /// <summary>Whether it can be loaded now: now, afterEvicting or no. Missing where it is loaded already or runs elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Fit { get; init; }

    /// <summary>The context that it would be loaded with.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? FitContextTokens { get; init; }

    /// <summary>The models that would leave for it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? FitEvicts { get; init; }

    /// <summary>Where a cloud model runs: code is sent there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RemoteHost { get; init; }
}

/// <summary>Argument of the commands that mean one model.</summary>
internal sealed record ModelArgument(string? Id);

internal sealed record TrainArgument(IReadOnlyList<string>? Folders, string? Name, string? Note);

internal sealed record CompareArgument(string? A, string? B, string? Folder, int? MaximumTokens);

/// <param name="Limit">A preset's name, or a number of GiB.</param>
internal sealed record SetLimitArgument(System.Text.Json.JsonElement Limit);

/// <param name="Name">A model's name as Ollama's registry knows it.</param>
internal sealed record PullArgument(string? Name);

/// <param name="ModelStats">Of a pattern model.</param>
/// <param name="Evicted">The models that left memory for it; missing if none did.</param>
internal sealed record ModelAnswer(
    string Id,
    string Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ModelStats? ModelStats = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Evicted = null);

internal sealed record ModelStats
{
    public long? PatternsObserved { get; init; }

    public required long PatternsStored { get; init; }

    public required long MemoryKb { get; init; }

    public required double Sparsity { get; init; }

    public long? Tokens { get; init; }

    public double? TrainingSeconds { get; init; }

    public double? MegabytesPerSecond { get; init; }
}

internal sealed record UnloadAnswer(IReadOnlyList<string> Unloaded, string Message);

internal sealed record PinAnswer(string Id, bool Pinned, string Message);

/// <param name="Hours">How far back, above 0 and at most 24, which is the default.</param>
internal sealed record HistoryArgument(double? Hours);

internal sealed record HistoryAnswer(IReadOnlyList<HistorySample> Samples, IReadOnlyList<HistoryEvent> Events);

internal sealed record HistorySample(DateTimeOffset At, long? TotalBytes, long? AvailableBytes, long LimitBytes, IReadOnlyList<HistoryShare> Models);

internal sealed record HistoryShare(string Id, long Bytes);

/// <param name="Kind">load, unload, evict, refuse, expire or crash.</param>
/// <param name="Bytes">What the model took or would have taken; 0 if not known.</param>
internal sealed record HistoryEvent(DateTimeOffset At, string Kind, string Id, long Bytes, string Reason);

/// <param name="Key">A setting without the leading 'llmAssist.'.</param>
internal sealed record UpdateSettingParams(string Key, string Value);

internal sealed record DeleteAnswer(string Deleted, string Message);

/// <summary>Each side is an evaluation as 'llm-assist eval --json' prints it.</summary>
internal sealed record CompareAnswer(System.Text.Json.JsonElement A, System.Text.Json.JsonElement B);

internal sealed record SetLimitAnswer(long LimitBytes, string Message);

internal sealed record ExplainAnswer(
    string Uri,
    string Surface,
    string Lane,
    string? Why,
    long ElapsedMicroseconds,
    IReadOnlyList<ExplainedItem> Items,
    IReadOnlyList<ExplainedFilter> Filtered,
    IReadOnlyList<ExplainedStage> Stages,
    AcceptedTotals Accepted,
    ExplainedLane? Ollama);

/// <param name="Outcome">unavailable, declined, answered, joined, late, failed or superseded.</param>
/// <param name="Why">Why it said nothing, for the user.</param>
/// <param name="Text">What it had produced from the cursor on.</param>
/// <param name="Ended">The rule that ended its text.</param>
/// <param name="BitsPerSymbol">How much the pattern models were surprised.</param>
internal sealed record ExplainedLane(
    string? Model,
    string Outcome,
    string? Why,
    double DelayMilliseconds,
    double? FirstTextMilliseconds,
    double WaitedMilliseconds,
    string? Text,
    string? Ended,
    double? BitsPerSymbol);

/// <summary>Suggestions taken in this session, and the UTF-16 code units that they had.</summary>
internal sealed record AcceptedTotals(int Suggestions, long Characters);

internal sealed record ExplainedItem(string Text, double Confidence, string Lane);

internal sealed record ExplainedFilter(string Filter, string Text);

internal sealed record ExplainedStage(string Stage, long Microseconds);
