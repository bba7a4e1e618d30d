// Records of text synchronization and of workspace events.
using System.Text.Json;

namespace LlmAssist.Server.Lsp;

/// <param name="Line">0-based.</param>
/// <param name="Character">0-based, in units of the negotiated position encoding.</param>
internal readonly record struct Position(int Line, int Character);

internal readonly record struct Range(Position Start, Position End);

internal sealed record TextDocumentIdentifier(string Uri);

internal sealed record VersionedTextDocumentIdentifier(string Uri, int? Version);

internal sealed record TextDocumentItem(string Uri, string LanguageId, int Version, string Text);

internal sealed record DidOpenParams(TextDocumentItem TextDocument);

internal sealed record DidChangeParams(VersionedTextDocumentIdentifier TextDocument, IReadOnlyList<TextChange> ContentChanges);

/// <summary>Without a range, <paramref name="Text"/> is the whole document.</summary>
internal sealed record TextChange(Range? Range, string Text);

internal sealed record DidCloseParams(TextDocumentIdentifier TextDocument);

internal sealed record DidSaveParams(TextDocumentIdentifier TextDocument);

internal sealed record DidChangeConfigurationParams(JsonElement Settings);

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
