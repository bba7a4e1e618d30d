// What verbs answer with --json. Names are a contract with scripts: camelCase, sizes in bytes, shares 0..1, times in UTC.
using System.Text.Json.Serialization;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <param name="Name">The model's id: its file name without extension.</param>
internal sealed record TrainAnswer(
    string Name,
    string Path,
    int Files,
    long Bytes,
    long Tokens,
    double MegabytesPerSecond,
    double TrainingSeconds,
    long SizeBytes,
    long PatternsStored,
    IReadOnlyDictionary<string, int> Skipped);

/// <param name="Line">1-based.</param>
/// <param name="Column">1-based, in UTF-16 code units.</param>
/// <param name="Why">Which gate stopped it, when nothing is shown; in the user's language.</param>
/// <param name="Ollama">How a model of Ollama answered; null if none was asked.</param>
internal sealed record CompleteAnswer(string File, int Line, int Column, long ElapsedMicroseconds, IReadOnlyList<CompleteItem> Items, string? Why, OllamaTimes? Ollama);

/// <param name="Model">Its name.</param>
/// <param name="FirstTextMilliseconds">From the request to its first text; null if there was none.</param>
/// <param name="ElapsedMilliseconds">From the question to the answer.</param>
internal sealed record OllamaTimes(string Model, double? FirstTextMilliseconds, double ElapsedMilliseconds);

/// <param name="Text">Inline: what is inserted at the cursor. List: the whole word, which replaces what is typed of it.</param>
/// <param name="Source">Who proposed it: <c>pattern</c> or <c>ollama</c>.</param>
/// <param name="Surface"><c>inline</c> or <c>list</c>.</param>
internal sealed record CompleteItem(string Text, string Source, double Confidence, string Surface);

/// <summary>A model in the list: one shape a kind, told apart by <c>source</c>.</summary>
[JsonDerivedType(typeof(PatternRow))]
[JsonDerivedType(typeof(OllamaRow))]
internal interface IModelRow;

/// <param name="Source"><c>pattern</c>.</param>
/// <param name="Loaded">Always false: a verb holds no model longer than it runs, and does not see into editors.</param>
/// <param name="MemoryKb">KiB of address space while it is loaded.</param>
internal sealed record PatternRow(
    string Name,
    string Source,
    long SizeBytes,
    DateTimeOffset CreatedAt,
    DateTimeOffset ModifiedAt,
    bool Loaded,
    long PatternsStored,
    long MemoryKb,
    double Sparsity,
    bool Pinned) : IModelRow
{
    /// <summary>Bytes of its file that are in RAM; null where the system does not tell.</summary>
    [JsonIgnore]
    public long? ResidentBytes { get; init; }
}

/// <param name="Source"><c>ollama</c>.</param>
/// <param name="SizeBytes">On Ollama's disk.</param>
/// <param name="ModifiedAt">Null if Ollama does not tell.</param>
/// <param name="Loaded">Whether it is in Ollama's memory.</param>
/// <param name="Capabilities">In Ollama's words; null if it does not tell.</param>
/// <param name="FillsMiddle">Whether we know how to ask it for what stands between two texts; null if Ollama does not tell what it is.</param>
/// <param name="ContextTokens">The context that it is loaded with; null while it is not.</param>
/// <param name="RamBytes">Memory of the machine that it takes now.</param>
/// <param name="VramBytes">Memory of graphics cards that it takes now.</param>
/// <param name="RemoteHost">Where a cloud model runs; null for a local one.</param>
/// <param name="PredictedBytes">What it would take of RAM; null where it is in memory or runs elsewhere.</param>
/// <param name="Fit">Whether it can be loaded now: <c>now</c>, <c>afterEvicting</c> or <c>no</c>; null as before.</param>
/// <param name="FitContextTokens">The context that it would be loaded with; null where it does not fit.</param>
/// <param name="FitEvicts">The models that would leave for it; null where none would.</param>
internal sealed record OllamaRow(
    string Name,
    string Source,
    long SizeBytes,
    DateTimeOffset? ModifiedAt,
    bool Loaded,
    string Family,
    string ParameterSize,
    string Quantization,
    IReadOnlyList<string>? Capabilities,
    bool? FillsMiddle,
    int? ContextTokens,
    long RamBytes,
    long VramBytes,
    string? RemoteHost,
    bool Pinned,
    long? PredictedBytes,
    string? Fit,
    int? FitContextTokens,
    IReadOnlyList<string>? FitEvicts) : IModelRow;

internal sealed record InspectAnswer(
    string Name,
    string Path,
    long SizeBytes,
    PatternStatistics Statistics,
    PatternParameters Parameters,
    PatternProvenance Provenance);

/// <param name="MovedTo">Where a damaged file lies now; null if it could not be moved.</param>
internal sealed record VerifyAnswer(string Name, bool Ok, string? Reason, string? MovedTo);

internal sealed record DeleteAnswer(IReadOnlyList<string> Deleted, long FreedBytes);

internal sealed record LoadAnswer(string Message, ModelStats ModelStats);

internal sealed record ModelStats(long PatternsStored, long MemoryKb, double Sparsity);

internal sealed record UnloadAnswer(string Message, bool Unloaded);

/// <param name="RamBytes">Memory of the machine that it takes.</param>
/// <param name="VramBytes">Memory of graphics cards that it takes.</param>
/// <param name="ContextTokens">The context that it is loaded with.</param>
/// <param name="ElapsedSeconds">Until it could be asked; next to nothing if it was in memory.</param>
/// <param name="Evicted">The models that left memory for it.</param>
internal sealed record OllamaLoadAnswer(
    string Message,
    string Name,
    string Source,
    long RamBytes,
    long VramBytes,
    int ContextTokens,
    double ElapsedSeconds,
    IReadOnlyList<string> Evicted);

/// <param name="RamBytes">Memory of the machine that came back.</param>
/// <param name="VramBytes">Memory of graphics cards that came back.</param>
internal sealed record OllamaUnloadAnswer(string Message, string Name, string Source, bool Unloaded, long RamBytes, long VramBytes);

/// <param name="SizeBytes">On Ollama's disk.</param>
internal sealed record PullAnswer(string Message, string Name, string Source, long SizeBytes, double ElapsedSeconds);

/// <param name="TrainedContextTokens">The longest context it was trained for; null if not told.</param>
/// <param name="Layout">How it is asked to fill in the middle; null if it is not.</param>
/// <param name="WhyNoLayout">Why it is not, in the user's language; null if it is.</param>
/// <param name="TemplateStart">The first line of its prompt template; empty if there is none.</param>
internal sealed record OllamaInspectAnswer(
    string Name,
    string Source,
    string Digest,
    long SizeBytes,
    string Family,
    string ParameterSize,
    string Quantization,
    long? TrainedContextTokens,
    IReadOnlyList<string> Capabilities,
    string? Layout,
    string? WhyNoLayout,
    string TemplateStart,
    bool Loaded,
    int? ContextTokens,
    long RamBytes,
    long VramBytes,
    string? RemoteHost);

/// <summary>What each lane did at the same places of files that the pattern model has not seen.</summary>
/// <param name="Model">The model of Ollama.</param>
/// <param name="ContextTokens">The context that it was loaded with.</param>
internal sealed record LanesAnswer(int Positions, int Seed, IReadOnlyList<LaneRow> Lanes, string Model, int ContextTokens);

/// <param name="Lane"><c>pattern</c>, <c>ollama</c> or <c>auto</c>.</param>
/// <param name="Shown">Share of the positions at which it had something sure enough to show.</param>
/// <param name="Exact">Share of the positions at which that was all of the rest of the line.</param>
/// <param name="Precision">The same among those shown.</param>
/// <param name="KeystrokesSaved">Share of the hidden characters, a right suggestion costing one key.</param>
/// <param name="MemoryBytes">RAM of the models that it needs; null where nobody tells.</param>
/// <param name="VramBytes">Memory of graphics cards.</param>
internal sealed record LaneRow(
    string Lane,
    double Shown,
    double Exact,
    double Precision,
    double Similarity,
    double KeystrokesSaved,
    Percentiles LatencyMilliseconds,
    long? MemoryBytes,
    long VramBytes);

/// <param name="LearnedShare">Share of the tested files that the model has learned from: its figures flatter it by that.</param>
internal sealed record ComparedModel(string Name, double LearnedShare, Evaluation Evaluation);

internal sealed record CompareAnswer(ComparedModel A, ComparedModel B);

/// <param name="LimitBytes">What models may take, by config.json.</param>
/// <param name="ModelsBytes">What models take of RAM, pages of model files included; null where the system does not tell.</param>
internal sealed record MemoryAnswer(
    long? SystemTotalBytes,
    long? SystemAvailableBytes,
    double? SystemUsedPercent,
    long? LimitBytes,
    long? ModelsBytes,
    IReadOnlyList<MemoryModel> Models,
    IReadOnlyList<string> Advice,
    long? ProcessBytes);

/// <param name="Bytes">Bytes of its file that are in RAM, whichever process brought them in; null where the system does not tell.</param>
/// <param name="MappedBytes">Bytes that an editor maps while it is loaded: the file's length.</param>
/// <param name="LastUsed">As well as that is known; null where it is in no window's and not in Ollama's memory.</param>
internal sealed record MemoryModel(
    string Id,
    string Source,
    long? Bytes,
    long MappedBytes,
    long VramBytes,
    int? ContextTokens,
    DateTimeOffset? LastUsed,
    bool Pinned,
    bool Busy);

/// <summary>The shape of <c>llmAssist.memory.history</c>.</summary>
internal sealed record HistoryAnswer(IReadOnlyList<HistorySample> Samples, IReadOnlyList<HistoryEvent> Events);

internal sealed record HistorySample(DateTimeOffset At, long? TotalBytes, long? AvailableBytes, long LimitBytes, IReadOnlyList<HistoryShare> Models);

internal sealed record HistoryShare(string Id, long Bytes);

/// <param name="Kind"><c>load</c>, <c>unload</c>, <c>evict</c>, <c>refuse</c>, <c>expire</c> or <c>crash</c>.</param>
/// <param name="Bytes">What the model took or would have taken; 0 if not known.</param>
internal sealed record HistoryEvent(DateTimeOffset At, string Kind, string Id, long Bytes, string Reason);

/// <param name="Path">The file that was written.</param>
/// <param name="Samples">How many there were to draw.</param>
internal sealed record PlotAnswer(string Path, int Samples, int Events);

/// <param name="Pinned">Whether it is pinned now: a setting or another window may pin it still.</param>
internal sealed record PinAnswer(string Message, string Id, bool Pinned);

/// <param name="State"><c>ok</c>, <c>warn</c> or <c>fail</c>.</param>
/// <param name="Advice">What to do about it; null if nothing.</param>
internal sealed record DoctorRow(string Check, string State, string Found, string? Advice);

internal sealed record DoctorAnswer(bool Ok, IReadOnlyList<DoctorRow> Checks);

/// <param name="Opened">Whether a saved model was opened rather than a new one trained.</param>
/// <param name="SilentPlaces">At how many other places it was asked and was not sure enough.</param>
/// <param name="HeldOut">On files that the model did not see; null where the folder is too large or too small for a quick one.</param>
internal sealed record TourAnswer(string Model, bool Opened, IReadOnlyList<TourPlace> Places, int SilentPlaces, Evaluation? HeldOut);

/// <param name="Actual">What the file has from the cursor to the end of the line.</param>
/// <param name="Suggestion">What is suggested there.</param>
/// <param name="Verdict"><c>equal</c>, <c>begins</c> (all of it is right and the line goes on) or <c>differs</c>; empty without a suggestion.</param>
/// <param name="Ollama">What a model of Ollama suggests there; null if none was asked.</param>
internal sealed record TourPlace(
    string File,
    int Line,
    int Column,
    string Before,
    string Actual,
    string? Suggestion,
    string Verdict,
    double Confidence,
    long ElapsedMicroseconds,
    TourOllama? Ollama);

/// <param name="Suggestion">The first line of what it wrote there; null for nothing sure enough.</param>
/// <param name="Verdict">As for the pattern model.</param>
/// <param name="FirstTextMilliseconds">From the request to its first text; null if there was none.</param>
/// <param name="Shown">Which of both an editor shows: <c>pattern</c>, <c>ollama</c>, <c>both</c> where they agree; null for neither.</param>
internal sealed record TourOllama(
    string Model,
    string? Suggestion,
    string Verdict,
    double Confidence,
    double? FirstTextMilliseconds,
    double ElapsedMilliseconds,
    string? Shown);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TrainAnswer))]
[JsonSerializable(typeof(CompleteAnswer))]
[JsonSerializable(typeof(IReadOnlyList<IModelRow>))]
[JsonSerializable(typeof(InspectAnswer))]
[JsonSerializable(typeof(VerifyAnswer))]
[JsonSerializable(typeof(DeleteAnswer))]
[JsonSerializable(typeof(LoadAnswer))]
[JsonSerializable(typeof(UnloadAnswer))]
[JsonSerializable(typeof(OllamaLoadAnswer))]
[JsonSerializable(typeof(OllamaUnloadAnswer))]
[JsonSerializable(typeof(OllamaInspectAnswer))]
[JsonSerializable(typeof(PullAnswer))]
[JsonSerializable(typeof(LanesAnswer))]
[JsonSerializable(typeof(CompareAnswer))]
[JsonSerializable(typeof(MemoryAnswer))]
[JsonSerializable(typeof(HistoryAnswer))]
[JsonSerializable(typeof(PlotAnswer))]
[JsonSerializable(typeof(PinAnswer))]
[JsonSerializable(typeof(DoctorAnswer))]
[JsonSerializable(typeof(TourAnswer))]
internal sealed partial class CliJson : JsonSerializerContext;
