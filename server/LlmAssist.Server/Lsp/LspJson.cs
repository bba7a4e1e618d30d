// How the records become JSON and back; generated, without reflection.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmAssist.Server.Lsp;

/// <summary>
/// The protocol's records. Members that we do not know are passed over; those that we need and do not get, and those of a wrong
/// type, are a <see cref="JsonException"/>.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 128, // as deep as a message may be
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(InitializeParams))]
[JsonSerializable(typeof(InitializeResult))]
[JsonSerializable(typeof(Nothing))]
[JsonSerializable(typeof(CancelParams))]
[JsonSerializable(typeof(SetTraceParams))]
[JsonSerializable(typeof(LogTraceParams))]
[JsonSerializable(typeof(DidOpenParams))]
[JsonSerializable(typeof(DidChangeParams))]
[JsonSerializable(typeof(DidCloseParams))]
[JsonSerializable(typeof(DidSaveParams))]
[JsonSerializable(typeof(DidChangeConfigurationParams))]
[JsonSerializable(typeof(ConfigurationParams))]
[JsonSerializable(typeof(DidChangeWatchedFilesParams))]
[JsonSerializable(typeof(DidChangeWorkspaceFoldersParams))]
[JsonSerializable(typeof(RegistrationParams))]
[JsonSerializable(typeof(ExecuteCommandParams))]
[JsonSerializable(typeof(CompletionParams))]
[JsonSerializable(typeof(CompletionList))]
[JsonSerializable(typeof(InlineCompletionParams))]
[JsonSerializable(typeof(InlineCompletionList))]
[JsonSerializable(typeof(MessageParams))]
[JsonSerializable(typeof(MessageRequestParams))]
[JsonSerializable(typeof(ProgressTokenParams))]
[JsonSerializable(typeof(ProgressParams))]
[JsonSerializable(typeof(WorkDoneProgressCancelParams))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class LspJson : JsonSerializerContext;

/// <summary>The same for our own records, where null is written: scripts rely on members being there.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StatusParams))]
[JsonSerializable(typeof(MemoryStatus))]
[JsonSerializable(typeof(IReadOnlyList<ModelInfo>))]
[JsonSerializable(typeof(ModelArgument))]
[JsonSerializable(typeof(TrainArgument))]
[JsonSerializable(typeof(PullArgument))]
[JsonSerializable(typeof(CompareArgument))]
[JsonSerializable(typeof(SetLimitArgument))]
[JsonSerializable(typeof(ModelAnswer))]
[JsonSerializable(typeof(UnloadAnswer))]
[JsonSerializable(typeof(DeleteAnswer))]
[JsonSerializable(typeof(CompareAnswer))]
[JsonSerializable(typeof(SetLimitAnswer))]
[JsonSerializable(typeof(PinAnswer))]
[JsonSerializable(typeof(HistoryArgument))]
[JsonSerializable(typeof(HistoryAnswer))]
[JsonSerializable(typeof(UpdateSettingParams))]
[JsonSerializable(typeof(ExplainAnswer))]
[JsonSerializable(typeof(Nothing))]
[JsonSerializable(typeof(AcceptedArgument))]
internal sealed partial class AssistJson : JsonSerializerContext;
