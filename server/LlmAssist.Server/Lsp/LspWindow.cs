// Records of what the server says to the user: messages, logs, progress.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmAssist.Server.Lsp;

/// <summary>Kinds of messages, as LSP numbers them.</summary>
internal enum MessageType
{
    Error = 1,
    Warning = 2,
    Info = 3,
    Log = 4,
}

internal sealed record MessageParams(MessageType Type, string Message);

/// <param name="Actions">What the user can answer with.</param>
internal sealed record MessageRequestParams(MessageType Type, string Message, IReadOnlyList<MessageAction> Actions);

internal sealed record MessageAction(string Title);

internal sealed record ProgressTokenParams(string Token);

/// <summary>A client may cancel with a token of either kind; ours are strings.</summary>
internal sealed record WorkDoneProgressCancelParams(JsonElement Token);

internal sealed record ProgressParams(string Token, WorkDoneProgress Value);

/// <summary>One record for begin, report and end: they differ in what is left out.</summary>
internal sealed record WorkDoneProgress
{
    public required string Kind { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Title { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Cancellable { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Message { get; init; }

    /// <summary>0..100.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Percentage { get; init; }
}
