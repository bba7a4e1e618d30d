// Records of LSP's life cycle, as far as we look at them. Members that we do not know are ignored.
using System.Text.Json;

namespace LlmAssist.Server.Lsp;

internal sealed record InitializeParams
{
    public int? ProcessId { get; init; }

    public ClientInfo? ClientInfo { get; init; }

    public string? Locale { get; init; }

    public string? RootPath { get; init; }

    public string? RootUri { get; init; }

    public IReadOnlyList<WorkspaceFolder>? WorkspaceFolders { get; init; }

    public ClientCapabilities? Capabilities { get; init; }

    public JsonElement InitializationOptions { get; init; }

    public string? Trace { get; init; }
}

internal sealed record ClientInfo(string? Name = null, string? Version = null);

internal sealed record WorkspaceFolder(string Uri, string Name);

internal sealed record ClientCapabilities
{
    public GeneralClientCapabilities? General { get; init; }

    public WindowClientCapabilities? Window { get; init; }

    public WorkspaceClientCapabilities? Workspace { get; init; }

    public TextDocumentClientCapabilities? TextDocument { get; init; }

    public ExperimentalClientCapabilities? Experimental { get; init; }
}

/// <summary>What clients made for us can do.</summary>
internal sealed record ExperimentalClientCapabilities(AssistClientCapabilities? LlmAssist = null);

/// <param name="UpdateSetting">Whether it changes a setting when the server asks it to.</param>
internal sealed record AssistClientCapabilities(bool? UpdateSetting = null);

internal sealed record GeneralClientCapabilities(IReadOnlyList<string>? PositionEncodings = null);

internal sealed record WindowClientCapabilities(bool? WorkDoneProgress = null);

internal sealed record WorkspaceClientCapabilities
{
    public bool? Configuration { get; init; }

    public DynamicFeature? DidChangeConfiguration { get; init; }

    public DynamicFeature? DidChangeWatchedFiles { get; init; }
}

/// <summary>A feature that a server may register for while the client runs.</summary>
internal sealed record DynamicFeature(bool? DynamicRegistration = null);

internal sealed record TextDocumentClientCapabilities
{
    public CompletionClientCapabilities? Completion { get; init; }

    /// <summary>Present where the client draws ghost text.</summary>
    public JsonElement InlineCompletion { get; init; }
}

internal sealed record CompletionClientCapabilities(CompletionItemClientCapabilities? CompletionItem = null);

internal sealed record CompletionItemClientCapabilities(bool? LabelDetailsSupport = null);

internal sealed record InitializeResult(ServerCapabilities Capabilities, ServerInfo ServerInfo);

internal sealed record ServerInfo(string Name, string Version);

internal sealed record ServerCapabilities
{
    public required string PositionEncoding { get; init; }

    public TextDocumentSyncOptions TextDocumentSync { get; } = new();

    public required CompletionOptions CompletionProvider { get; init; }

    public bool InlineCompletionProvider { get; } = true;

    public required ExecuteCommandOptions ExecuteCommandProvider { get; init; }

    public WorkspaceServerCapabilities Workspace { get; } = new();
}

internal sealed record TextDocumentSyncOptions
{
    public bool OpenClose { get; } = true;

    /// <summary>2: incremental.</summary>
    public int Change { get; } = 2;

    public bool Save { get; } = true;
}

internal sealed record CompletionOptions(IReadOnlyList<string> TriggerCharacters);

internal sealed record ExecuteCommandOptions(IReadOnlyList<string> Commands);

internal sealed record WorkspaceServerCapabilities
{
    public WorkspaceFoldersServerCapabilities WorkspaceFolders { get; } = new();
}

internal sealed record WorkspaceFoldersServerCapabilities
{
    public bool Supported { get; } = true;

    public bool ChangeNotifications { get; } = true;
}

internal sealed record CancelParams(JsonElement Id);

/// <param name="Value">off, messages or verbose.</param>
internal sealed record SetTraceParams(string Value);

internal sealed record LogTraceParams(string Message);

/// <summary>For methods whose parameters we do not read, and calls that have none.</summary>
internal sealed record Nothing;
