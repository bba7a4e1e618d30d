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
internal sealed record CompleteAnswer(string File, int Line, int Column, long ElapsedMicroseconds, IReadOnlyList<CompleteItem> Items, string? Why);

/// <param name="Text">Inline: what is inserted at the cursor. List: the whole word, which replaces what is typed of it.</param>
/// <param name="Source">Who proposed it: <c>pattern</c>.</param>
/// <param name="Surface"><c>inline</c> or <c>list</c>.</param>
internal sealed record CompleteItem(string Text, string Source, double Confidence, string Surface);

/// <param name="Loaded">Always false: a verb holds no model longer than it runs, and does not see into editors.</param>
/// <param name="MemoryKb">KiB of address space while it is loaded.</param>
internal sealed record ModelRow(
    string Name,
    string Source,
    long SizeBytes,
    DateTimeOffset CreatedAt,
    DateTimeOffset ModifiedAt,
    bool Loaded,
    long PatternsStored,
    long MemoryKb,
    double Sparsity);

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

/// <param name="LearnedShare">Share of the tested files that the model has learned from: its figures flatter it by that.</param>
internal sealed record ComparedModel(string Name, double LearnedShare, Evaluation Evaluation);

internal sealed record CompareAnswer(ComparedModel A, ComparedModel B);

/// <param name="LimitBytes">Null: verbs hold no models and enforce no limit.</param>
/// <param name="ModelsBytes">Bytes of model files that are in RAM.</param>
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
/// <param name="Verdict"><c>equal</c>, <c>begins</c> (all of it is right and the line goes on) or <c>differs</c>.</param>
internal sealed record TourPlace(
    string File,
    int Line,
    int Column,
    string Before,
    string Actual,
    string? Suggestion,
    string Verdict,
    double Confidence,
    long ElapsedMicroseconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TrainAnswer))]
[JsonSerializable(typeof(CompleteAnswer))]
[JsonSerializable(typeof(IReadOnlyList<ModelRow>))]
[JsonSerializable(typeof(InspectAnswer))]
[JsonSerializable(typeof(VerifyAnswer))]
[JsonSerializable(typeof(DeleteAnswer))]
[JsonSerializable(typeof(LoadAnswer))]
[JsonSerializable(typeof(UnloadAnswer))]
[JsonSerializable(typeof(CompareAnswer))]
[JsonSerializable(typeof(MemoryAnswer))]
[JsonSerializable(typeof(DoctorAnswer))]
[JsonSerializable(typeof(TourAnswer))]
internal sealed partial class CliJson : JsonSerializerContext;
