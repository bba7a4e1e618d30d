// initialize, initialized, shutdown, and the small notifications around them.
using System.Collections.Immutable;
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Engine.Text;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Handlers;

/// <summary>The beginning and the end of a session.</summary>
/// <param name="speech">The language for clients that do not tell theirs, as most but VS Code do not.</param>
internal sealed class LifecycleHandlers(ConfigurationHandlers configuration, ClientLink client, IReadOnlyList<string> commands, Speech speech)
{
    private static readonly string Version = typeof(LifecycleHandlers).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Takes in what the client says of itself and answers what we can do.</summary>
    public InitializeResult Initialize(Session.Session session, InitializeParams parameters)
    {
        var encoding = EncodingOf(parameters.Capabilities?.General?.PositionEncodings);
        session.ClientProcessId = parameters.ProcessId;
        session.Now = session.Now with
        {
            Folders = FoldersOf(parameters),
            Encoding = encoding,
            Speech = parameters.Locale is { Length: > 0 } locale ? Phrase.SpeechOf(locale) : speech,
            Client = FeaturesOf(parameters.Capabilities),
            IsTraced = IsOn(parameters.Trace),
        };
        configuration.TakeOptions(session, parameters.InitializationOptions);
        return new(
            new()
            {
                PositionEncoding = encoding == PositionEncoding.Utf8 ? "utf-8" : "utf-16",
                CompletionProvider = new(["."]),
                ExecuteCommandProvider = new(commands),
            },
            new("llm-assist", Version));
    }

    /// <summary>The client is ready: settings are asked for, and work in the background begins.</summary>
    public void Initialized(Session.Session session, Nothing nothing) => configuration.Begin(session);

    /// <summary>Nothing is lost at the end: models are saved when they are trained.</summary>
    public static Nothing? Shutdown(Session.Session session, Nothing nothing) => null;

    /// <summary>The client wants to be told of every completion, or not any more.</summary>
    public static void SetTrace(Session.Session session, SetTraceParams parameters) => session.Now = session.Now with { IsTraced = IsOn(parameters.Value) };

    public void CancelProgress(Session.Session session, WorkDoneProgressCancelParams parameters)
    {
        if (parameters.Token.ValueKind == JsonValueKind.String)
        {
            client.CancelProgress(parameters.Token.GetString()!);
        }
    }

    private static bool IsOn(string? trace) => trace is "messages" or "verbose";

    // The client lists encodings in its order of preference; UTF-16 is what everybody must know.
    private static PositionEncoding EncodingOf(IReadOnlyList<string>? offered)
    {
        foreach (var encoding in offered ?? [])
        {
            if (encoding is "utf-8" or "utf-16")
            {
                return encoding == "utf-8" ? PositionEncoding.Utf8 : PositionEncoding.Utf16;
            }
        }

        return PositionEncoding.Utf16;
    }

    private static ImmutableArray<string> FoldersOf(InitializeParams parameters)
    {
        IEnumerable<string?> folders = parameters.WorkspaceFolders is { Count: > 0 } named
            ? named.Select(folder => LspConvert.PathOf(folder.Uri))
            : [parameters.RootUri is { } uri ? LspConvert.PathOf(uri) : parameters.RootPath];
        return [.. folders.OfType<string>()];
    }

    private static ClientFeatures FeaturesOf(ClientCapabilities? capabilities) => new()
    {
        ShowsInlineCompletion = capabilities?.TextDocument?.InlineCompletion.ValueKind == JsonValueKind.Object,
        ShowsLabelDetails = capabilities?.TextDocument?.Completion?.CompletionItem?.LabelDetailsSupport ?? false,
        ShowsProgress = capabilities?.Window?.WorkDoneProgress ?? false,
        HasConfiguration = capabilities?.Workspace?.Configuration ?? false,
        RegistersConfiguration = capabilities?.Workspace?.DidChangeConfiguration?.DynamicRegistration ?? false,
        RegistersWatchedFiles = capabilities?.Workspace?.DidChangeWatchedFiles?.DynamicRegistration ?? false,
        UpdatesSettings = capabilities?.Experimental?.LlmAssist?.UpdateSetting ?? false,
    };
}
