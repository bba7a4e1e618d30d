// Settings and folders, and what follows from their change.
using System.Text.Json;
using LlmAssist.Server.Background;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Handlers;

/// <summary>Keeps the session's settings up to date. Its fields are touched by the loop only.</summary>
/// <param name="choices">Settings that follow from answers of the user; all others win over them.</param>
/// <param name="file">Settings from the configuration file; undefined if there is none.</param>
/// <param name="post">Has the session changed on the loop.</param>
internal sealed class ConfigurationHandlers(
    JsonElement choices,
    JsonElement file,
    ClientLink client,
    ModelWork work,
    OllamaWork ollama,
    MemoryWork memory,
    StatusReporter status,
    TimeProvider time,
    Action<Action<Session.Session>> post,
    CancellationToken ending)
{
    // Clients answer within milliseconds. Who has not by then has forgotten the question.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<SessionSnapshot> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private JsonElement _options;
    private JsonElement _configuration;

    /// <summary>The session when its settings are known for the first time: before that nobody knows whether Ollama may be asked, and where.</summary>
    public Task<SessionSnapshot> Ready => _ready.Task;

    /// <summary>Settings that came with initialize.</summary>
    public void TakeOptions(Session.Session session, JsonElement options)
    {
        _options = options;
        Apply(session, mayWork: false);
    }

    /// <summary>The client is ready to be asked.</summary>
    public void Begin(Session.Session session)
    {
        var features = session.Now.Client;
        var registrations = new List<Registration>();
        if (features.RegistersConfiguration)
        {
            registrations.Add(new("configuration", LspMethods.DidChangeConfiguration, new() { Section = "llmAssist" }));
        }

        if (features.RegistersWatchedFiles)
        {
            registrations.Add(new("files", LspMethods.DidChangeWatchedFiles, new() { Watchers = [new("**/*")] }));
        }

        if (registrations.Count != 0)
        {
            Run(() => client.RegisterAsync(registrations, ending));
        }

        // Even without an answer to come, the session's work begins here.
        if (features.HasConfiguration)
        {
            var patience = _ready.Task.WaitAsync(Patience, time, ending);
            Run(FetchAsync);
            Run(() => GoOnAfterAsync(patience));
        }
        else
        {
            Apply(session, mayWork: true);
        }
    }

    public void DidChangeConfiguration(Session.Session session, DidChangeConfigurationParams parameters)
    {
        // Clients that can be asked send null or all their settings; ours are only what they answer.
        if (session.Now.Client.HasConfiguration)
        {
            Run(FetchAsync);
            return;
        }

        _configuration = parameters.Settings;
        Apply(session, mayWork: true);
    }

    public void DidChangeWorkspaceFolders(Session.Session session, DidChangeWorkspaceFoldersParams parameters)
    {
        var removed = parameters.Event.Removed.Select(folder => LspConvert.PathOf(folder.Uri)).ToHashSet();
        var added = parameters.Event.Added.Select(folder => LspConvert.PathOf(folder.Uri)).OfType<string>();
        session.Now = session.Now with { Folders = [.. session.Now.Folders.Where(folder => !removed.Contains(folder)).Concat(added).Distinct()] };
        Work(session);
    }

    public void DidChangeWatchedFiles(Session.Session session, DidChangeWatchedFilesParams parameters) =>
        work.FilesChanged(session.Now, parameters.Changes.Select(change => LspConvert.PathOf(change.Uri)).OfType<string>());

    public void DidSave(Session.Session session, DidSaveParams parameters)
    {
        if (LspConvert.PathOf(parameters.TextDocument.Uri) is { } path)
        {
            work.FilesChanged(session.Now, [path]);
        }
    }

    private async Task FetchAsync()
    {
        var configuration = await client.ConfigurationAsync(ending);
        post(session =>
        {
            _configuration = configuration;
            Apply(session, mayWork: true);
        });
    }

    // A client may never answer; commands and the model would wait for it for ever. An answer that comes later is taken all the same.
    private async Task GoOnAfterAsync(Task patience)
    {
        try
        {
            await patience;
        }
        catch (TimeoutException)
        {
            post(session =>
            {
                if (!_ready.Task.IsCompleted)
                {
                    client.Log(
                        MessageType.Warning,
                        $"workspace/configuration has not been answered for {Patience.TotalSeconds} s. The settings of initialize and of config.json hold until it is.");
                    Apply(session, mayWork: true);
                }
            });
        }
    }

    private void Apply(Session.Session session, bool mayWork)
    {
        var (settings, problems) = ServerSettings.Parse(choices, file, _options, _configuration);
        session.Now = session.Now with { Settings = settings, HasSettings = session.Now.HasSettings || mayWork };
        if (mayWork)
        {
            foreach (var problem in session.NotYetReported(problems))
            {
                client.Show(MessageType.Warning, problem, session.Now.Speech);
            }

            Work(session);
        }
    }

    private void Work(Session.Session session)
    {
        status.Session = session.Now;
        memory.Configure(session.Now);
        ollama.Configure(session.Now);
        _ready.TrySetResult(session.Now);
        work.Supply(session.Now);
    }

    private static void Run(Func<Task> ask) => _ = Task.Run(async () =>
    {
        try
        {
            await ask();
        }
        catch (OperationCanceledException)
        {
            // The session ended before the client answered.
        }
    });
}
