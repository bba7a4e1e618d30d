// The one place where everything is wired, by hand.
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Patterns;
using LlmAssist.Server.Background;
using LlmAssist.Server.Commands;
using LlmAssist.Server.Handlers;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Rpc;
using LlmAssist.Server.Session;

namespace LlmAssist.Server;

/// <summary>What a server stands on; tests bring their own.</summary>
internal sealed record ServerEnvironment
{
    public DataFolders Folders { get; init; } = DataFolders.OfThisUser();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public IMemoryProbe Memory { get; init; } = MemoryProbe.ForThisMachine();

    /// <summary>Tells what the processes of Ollama's models take.</summary>
    public IRunnerProbe Runners { get; init; } = RunnerProcesses.ForThisMachine();

    /// <summary>Where Ollama listens, if the settings do not say.</summary>
    public Uri Ollama { get; init; } = OllamaEndpoint.OfEnvironment(Environment.GetEnvironmentVariable);

    /// <summary>The user's language, for clients that do not tell it.</summary>
    public Speech Speech { get; init; } = Speech.English;

    /// <summary>Whether what a command answers is shown as a message too: for clients that let their user execute commands and throw the answers away.</summary>
    public bool ShowsAnswers { get; init; }

    /// <summary>Completes when the process with an id has ended; null asks the system.</summary>
    public Func<int, CancellationToken, Task>? ProcessExit { get; init; }
}

/// <summary>Builds a language server and runs it.</summary>
internal static class ServerHost
{
    /// <summary>Serves one client until it leaves.</summary>
    /// <param name="input">What the client sends.</param>
    /// <param name="output">What the client reads.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(Stream input, Stream output, ServerEnvironment environment, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var time = environment.Time;
        var connection = new RpcConnection(InputThread.Start(input), output);
        var client = new ClientLink(connection);
        var store = new PatternStore(environment.Folders.Models, time);
        store.Sweep();
        using var host = new ModelHost(store, time);
        using var models = new WorkspaceModels(store, host, time);
        using var keeper = new MemoryKeeper(environment.Folders.Shared, environment.Memory, time);
        keeper.Add(host);
        using var ollama = new OllamaHost(keeper, environment.Runners, time, CompletionEngine.FillsMiddle);
        using var engine = new CompletionEngine(host, time, ollama);
        var status = new StatusReporter(client, host, ollama, keeper, engine, environment.Memory, time);
        host.Changed += status.Changed;
        host.Changed += keeper.Moved;
        ollama.Changed += status.Changed;
        using var trim = new IdleTrim(host, time);
        host.Changed += trim.Postpone;
        engine.Worked += trim.Postpone;
        var work = new ModelWork(models, client, status, ending.Token);
        work.Worked += trim.Postpone;

        LanguageServer? server = null;
        void Post(Action<Session.Session> change) => server!.Post(change);

        var routes = new Routes { Fault = message => client.Log(MessageType.Error, message) };
        var choices = new ChoiceFile(Path.Combine(environment.Folders.State, "choices.json"));
        var memory = new MemoryWork(keeper, ollama, choices, client, time, Post, ending.Token);
        keeper.Happened += memory.Tell;
        keeper.Happened += _ => status.Changed();
        ollama.Switched += memory.Switched;
        var commands = Commands(store, host, ollama, keeper, memory, models, engine, status, work, client, time, Post);
        var ollamaWork = new OllamaWork(ollama, environment.Ollama, new(environment.Folders), client);
        ollama.GoesElsewhere += ollamaWork.AnnounceModel;
        ollama.Changed += ollamaWork.Log;
        var configuration = new ConfigurationHandlers(
            choices.Read(),
            FileSettings(environment.Folders, message => client.Log(MessageType.Warning, message)),
            client,
            work,
            ollamaWork,
            memory,
            status,
            time,
            Post,
            ending.Token);
        AddRoutes(routes, commands, configuration, engine, client, environment);
        server = new(connection, routes, time, environment.ProcessExit);

        var reporting = Task.WhenAll(status.RunAsync(ending.Token), ollama.WatchAsync(ending.Token), keeper.WatchAsync(ending.Token));
        try
        {
            return await server.RunAsync(cancellation);
        }
        finally
        {
            await memory.LeaveAsync();
            await ending.CancelAsync();
            await ollama.EndAsync();
            try
            {
                await reporting;
            }
            catch (OperationCanceledException)
            {
                // It ran until now, as it should.
            }
        }
    }

    /// <summary>All commands; internal for the test that holds them against documents.</summary>
    internal static CommandTable Commands(
        PatternStore store,
        ModelHost host,
        OllamaHost ollama,
        MemoryKeeper keeper,
        MemoryWork memory,
        WorkspaceModels models,
        CompletionEngine engine,
        StatusReporter status,
        ModelWork work,
        ClientLink client,
        TimeProvider time,
        Action<Action<Session.Session>> post)
    {
        var model = new ModelCommands(store, host, ollama, keeper, memory, client);
        var governing = new MemoryCommands(status, memory, keeper, ollama, post);
        var completion = new CompletionCommands(engine);
        return new CommandTable()
            .Add(AssistMethods.ModelsList, json => json.Nothing, json => json.IReadOnlyListModelInfo, model.ListAsync)
            .Add(AssistMethods.ModelsTrain, json => json.TrainArgument, json => json.ModelAnswer, new TrainCommand(work, models, store).ExecuteAsync)
            .Add(AssistMethods.ModelsLoad, json => json.ModelArgument, json => json.ModelAnswer, model.LoadAsync)
            .Add(AssistMethods.ModelsUnload, json => json.ModelArgument, json => json.UnloadAnswer, model.UnloadAsync)
            .Add(AssistMethods.ModelsUnloadAll, json => json.Nothing, json => json.UnloadAnswer, model.UnloadAllAsync)
            .Add(AssistMethods.ModelsDelete, json => json.ModelArgument, json => json.DeleteAnswer, model.DeleteAsync)
            .Add(AssistMethods.ModelsPin, json => json.ModelArgument, json => json.PinAnswer, model.PinAsync)
            .Add(AssistMethods.ModelsUnpin, json => json.ModelArgument, json => json.PinAnswer, model.UnpinAsync)
            .Add(AssistMethods.ModelsCompare, json => json.CompareArgument, json => json.CompareAnswer, new CompareCommand(store, client, time).ExecuteAsync)
            .Add(AssistMethods.OllamaPull, json => json.PullArgument, json => json.ModelAnswer, new PullCommand(ollama, client).ExecuteAsync)
            .Add(AssistMethods.MemoryStatus, json => json.Nothing, json => json.MemoryStatus, governing.StatusAsync)
            .Add(AssistMethods.MemorySetLimit, json => json.SetLimitArgument, json => json.SetLimitAnswer, governing.SetLimitAsync)
            .Add(AssistMethods.MemoryHistory, json => json.HistoryArgument, json => json.HistoryAnswer, governing.HistoryAsync)
            .Add(AssistMethods.CompletionExplain, json => json.Nothing, json => json.ExplainAnswer!, completion.ExplainAsync)
            .Add(AssistMethods.CompletionAccepted, json => json.AcceptedArgument, json => json.Nothing!, completion.AcceptedAsync);
    }

    private static void AddRoutes(Routes routes, CommandTable commands, ConfigurationHandlers configuration, CompletionEngine engine, ClientLink client, ServerEnvironment environment)
    {
        var lifecycle = new LifecycleHandlers(configuration, client, commands.Ids, environment.Speech);
        var text = new TextSyncHandlers(engine, client);
        var completion = new CompletionHandlers(engine, client);
        routes
            .Ask(LspMethods.Initialize, json => json.InitializeParams, json => json.InitializeResult, lifecycle.Initialize)
            .Ask(LspMethods.Shutdown, json => json.Nothing, json => json.Nothing!, LifecycleHandlers.Shutdown)
            .Change(LspMethods.Initialized, json => json.Nothing, lifecycle.Initialized)
            .Change(LspMethods.WorkDoneProgressCancel, json => json.WorkDoneProgressCancelParams, lifecycle.CancelProgress)
            .Change(LspMethods.SetTrace, json => json.SetTraceParams, LifecycleHandlers.SetTrace)
            .Change(LspMethods.DidOpen, json => json.DidOpenParams, text.DidOpen)
            .Change(LspMethods.DidChange, json => json.DidChangeParams, text.DidChange)
            .Change(LspMethods.DidClose, json => json.DidCloseParams, text.DidClose)
            .Change(LspMethods.DidSave, json => json.DidSaveParams, configuration.DidSave)
            .Change(LspMethods.DidChangeConfiguration, json => json.DidChangeConfigurationParams, configuration.DidChangeConfiguration)
            .Change(LspMethods.DidChangeWorkspaceFolders, json => json.DidChangeWorkspaceFoldersParams, configuration.DidChangeWorkspaceFolders)
            .Change(LspMethods.DidChangeWatchedFiles, json => json.DidChangeWatchedFilesParams, configuration.DidChangeWatchedFiles)
            .Read(LspMethods.Completion, json => json.CompletionParams, json => json.CompletionList!, completion.ListAsync, isQuiet: true)
            .Read(LspMethods.InlineCompletion, json => json.InlineCompletionParams, json => json.InlineCompletionList!, completion.InlineAsync, isQuiet: true)
            .Read(LspMethods.ExecuteCommand, json => json.ExecuteCommandParams, json => json.JsonElement, async (session, parameters, cancellation) =>
            {
                // A command that was quicker than the settings would not know them.
                var known = session.HasSettings ? session : await configuration.Ready.WaitAsync(cancellation);
                return await (environment.ShowsAnswers ? commands.ExecuteAndShowAsync(known, parameters, client, cancellation) : commands.ExecuteAsync(known, parameters, cancellation));
            });
    }

    /// <summary>What the settings of the data folder and the environment mean for Ollama and memory, for those who have no editor's settings.</summary>
    /// <param name="variable">The environment; answers null for what is not set.</param>
    /// <param name="complain">Told of settings that cannot be used.</param>
    public static (OllamaOptions Ollama, OllamaSampling Sampling, MemoryOptions Memory) OptionsOf(DataFolders folders, Func<string, string?> variable, Action<Phrase> complain)
    {
        var (settings, problems) = ServerSettings.Parse(FileSettings(folders, message => complain(Phrase.Same(message))));
        foreach (var problem in problems)
        {
            complain(problem);
        }

        return (settings.Ollama(OllamaEndpoint.OfEnvironment(variable)), settings.Sampling, settings.Memory());
    }

    // Settings for editors that have none of their own: config.json in our folder.
    private static JsonElement FileSettings(DataFolders folders, Action<string> complain)
    {
        var path = Path.Combine(folders.Home, "config.json");
        try
        {
            return File.Exists(path) ? JsonElement.Parse(File.ReadAllBytes(path), new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }) : default;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            complain($"{path}: {exception.Message}");
            return default;
        }
    }
}
