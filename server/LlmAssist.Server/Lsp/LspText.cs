// Records of text synchronization and of workspace events.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmAssist.Server.Lsp;

/// <param name="Line">0-based.</param>
/// <param name="Character">0-based, in units of the negotiated position encoding.</param>
[method: JsonConstructor]
internal readonly record struct Position(
    [property: JsonConverter(typeof(ClampedNumber))] int Line,
    [property: JsonConverter(typeof(ClampedNumber))] int Character);

[method: JsonConstructor]
internal readonly record struct Range(Position Start, Position End);

internal sealed record TextDocumentIdentifier(string Uri);

internal sealed record VersionedTextDocumentIdentifier(string Uri, int? Version = null);

internal sealed record TextDocumentItem(string Uri, string LanguageId, int Version, [property: JsonConverter(typeof(AnyText))] string Text);

internal sealed record DidOpenParams(TextDocumentItem TextDocument);

internal sealed record DidChangeParams(VersionedTextDocumentIdentifier TextDocument, IReadOnlyList<TextChange> ContentChanges);

/// <summary>Without a range, <paramref name="Text"/> is the whole document.</summary>
internal sealed record TextChange([property: JsonConverter(typeof(AnyText))] string Text, Range? Range = null);

internal sealed record DidCloseParams(TextDocumentIdentifier TextDocument);

internal sealed record DidSaveParams(TextDocumentIdentifier TextDocument);

internal sealed record DidChangeConfigurationParams(JsonElement Settings = default);

internal sealed record ConfigurationParams(IReadOnlyList<ConfigurationItem> Items);

internal sealed record ConfigurationItem(string Section);

internal sealed record DidChangeWatchedFilesParams(IReadOnlyList<FileEvent> Changes);

internal sealed record FileEvent(string Uri, int Type);

internal sealed record DidChangeWorkspaceFoldersParams(WorkspaceFoldersChange Event);

internal sealed record WorkspaceFoldersChange(IReadOnlyList<WorkspaceFolder> Added, IReadOnlyList<WorkspaceFolder> Removed);

internal sealed record RegistrationParams(IReadOnlyList<Registration> Registrations);

internal sealed record Registration(string Id, string Method, RegisterOptions? RegisterOptions = null);

/// <summary>Options of every registration we make: watchers, or the section of settings.</summary>
internal sealed record RegisterOptions
{
    public IReadOnlyList<FileWatcher>? Watchers { get; init; }

    public string? Section { get; init; }
}

internal sealed record FileWatcher(string GlobPattern);

internal sealed record ExecuteCommandParams
{
    public required string Command { get; init; }

    public IReadOnlyList<JsonElement>? Arguments { get; init; }
}
