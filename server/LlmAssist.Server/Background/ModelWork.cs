// Models in the background of a session: opened at its start, trained the first time, refreshed when enough has changed.
using LlmAssist.Engine;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Background;

/// <summary>Keeps the session's workspace supplied with a model. Safe on any thread.</summary>
internal sealed class ModelWork(WorkspaceModels models, ClientLink client, StatusReporter status, CancellationToken ending)
{
    private const int ChangesWorthALook = 20; // changed files that make it worth comparing the model with the workspace

    private readonly Lock _gate = new();
    private readonly HashSet<string> _changedFiles = []; // guarded by _gate
    private IReadOnlyList<string> _folders = [];         // guarded by _gate
    private bool _isAutomatic;                           // guarded by _gate; whether they are trained on unasked
    private ModelId? _current;                           // guarded by _gate

    /// <summary>The folders that a session learns from: those of the settings, else the workspace's.</summary>
    public static IReadOnlyList<string> FoldersOf(SessionSnapshot session)
    {
        var root = session.Folders.Length != 0 ? session.Folders[0] : Environment.CurrentDirectory;
        return session.Settings.TrainingFolders.Count != 0
            ? [.. session.Settings.TrainingFolders.Select(folder => Path.GetFullPath(folder, root))]
            : session.Folders;
    }

    /// <summary>Raised, on any thread, when a training has ended, however it ended.</summary>
    public event Action? Worked;

    /// <summary>What a session learns from its folders.</summary>
    public static CorpusOptions CorpusOf(ServerSettings settings) => new()
    {
        Exclude = settings.TrainingExclude,
        MaxFileBytes = settings.TrainingMaxFileKilobytes * 1024L,
    };

    /// <summary>
    /// Supplies the session's folders with a model, if they are not those of the last call, or if training unasked, which was
    /// off at that call, is on now. Returns at once.
    /// </summary>
    public void Supply(SessionSnapshot session)
    {
        var folders = FoldersOf(session);
        lock (_gate)
        {
            var mayTrainNow = session.Settings.TrainingAuto && !_isAutomatic;
            _isAutomatic = session.Settings.TrainingAuto;
            if (_folders.SequenceEqual(folders) && !mayTrainNow)
            {
                return;
            }

            _folders = folders;
            _current = null;
            _changedFiles.Clear();
        }

        if (folders.Count != 0)
        {
            Run(() => SupplyAsync(session, folders));
        }
    }

    /// <summary>Files have changed on disk; enough of them make the model be trained again, in the background.</summary>
    public void FilesChanged(SessionSnapshot session, IEnumerable<string> paths)
    {
        ModelId current;
        lock (_gate)
        {
            _changedFiles.UnionWith(paths);
            if (_current is not { } known || _changedFiles.Count < ChangesWorthALook || !session.Settings.TrainingAuto)
            {
                return;
            }

            current = known;
            _changedFiles.Clear();
        }

        Run(() => RefreshAsync(session, current));
    }

    /// <summary>Trains with progress; the model is in use when this is done.</summary>
    /// <exception cref="UserException">There is nothing to learn from.</exception>
    /// <exception cref="OperationCanceledException">Canceled by the caller or by the user; the previous model stays.</exception>
    public async Task<(ModelId Id, PatternStatistics Statistics)> TrainAsync(
        SessionSnapshot session,
        TrainingRequest request,
        bool acceptOthers,
        CancellationToken cancellation)
    {
        var title = new Phrase($"LLM Assist: learning from {request.Name}", $"LLM Assist: aprendiendo de {request.Name}").In(session.Speech);
        using var progress = await client.BeginProgressAsync(title, session.Client.ShowsProgress, cancellation);
        try
        {
            var trained = await models.TrainAsync(request, acceptOthers, new Progress(session, status, progress), progress.Cancellation);
            lock (_gate)
            {
                if (_folders.SequenceEqual(request.Folders))
                {
                    _current = trained.Id;
                }
            }

            client.Log(MessageType.Info, $"{trained.Id} is in use: {trained.Statistics.Tokens} tokens in {trained.Statistics.TrainingSeconds:F1} s.");
            return trained;
        }
        finally
        {
            status.State = Ready;
            Worked?.Invoke();
        }
    }

    // That all is well needs no words.
    private static AssistState Ready => new("ready", Phrase.Same(""));

    private async Task SupplyAsync(SessionSnapshot session, IReadOnlyList<string> folders)
    {
        status.State = new("loading", new("Looking for a model of this workspace.", "Buscando un modelo de este espacio de trabajo."));
        ModelId? opened;
        try
        {
            opened = models.TryOpen(folders, damaged => client.Show(MessageType.Warning, damaged.Phrase, session.Speech));
        }
        finally
        {
            status.State = Ready;
        }

        lock (_gate)
        {
            _current = opened;
        }

        if (opened is { } id)
        {
            client.Log(MessageType.Info, $"{id} is in use: learned from these folders before.");
            await RefreshAsync(session, id);
        }
        else if (session.Settings.TrainingAuto && folders.All(IsFitForTraining))
        {
            await TrainQuietlyAsync(session, folders);
        }
    }

    private async Task RefreshAsync(SessionSnapshot session, ModelId id)
    {
        if (!session.Settings.TrainingAuto)
        {
            return;
        }

        var staleness = models.Compare(id, CorpusOf(session.Settings), ending);
        if (staleness.IsStale)
        {
            client.Log(MessageType.Info, $"{staleness.Changed} of {staleness.Files} files have changed since {id} was trained: training again.");
            await TrainQuietlyAsync(session, FoldersOf(session));
        }
    }

    // Nobody asked for this training, so what goes wrong with it is logged and not shown.
    private async Task TrainQuietlyAsync(SessionSnapshot session, IReadOnlyList<string> folders)
    {
        try
        {
            var request = new TrainingRequest { Name = models.NameFor(folders), Folders = folders, Corpus = CorpusOf(session.Settings) };
            await TrainAsync(session, request, acceptOthers: true, ending);
        }
        catch (UserException exception)
        {
            client.Log(MessageType.Info, exception.Phrase.In(session.Speech));
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            client.Log(MessageType.Info, "The training was canceled; the command llmAssist.models.train starts it again.");
        }
    }

    // Opening an editor on a home folder or on the root of a disk is no wish to learn from everything below.
    private static bool IsFitForTraining(string folder)
    {
        var full = PatternStore.NormalizedFolder(folder);
        return Path.GetPathRoot(full) != full
            && full != PatternStore.NormalizedFolder(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? home : "/");
    }

    private void Run(Func<Task> work) => _ = Task.Run(
        async () =>
        {
            try
            {
                await work();
            }
            catch (OperationCanceledException)
            {
                // The session ends.
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or UserException)
            {
                status.State = new("degraded", exception is UserException known ? known.Phrase : Phrase.Same(exception.Message));
                client.Log(MessageType.Error, exception.Message);
            }
#pragma warning disable CA1031 // Work that nobody waits for must not fail unseen.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                client.Log(MessageType.Error, exception.ToString());
            }
        },
        CancellationToken.None);

    // Reports on the training's thread, in order.
    private sealed class Progress(SessionSnapshot session, StatusReporter status, ProgressReport report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            var percent = (int)(value.Fraction * 100);
            status.State = new("training", new($"Learning from your code: {percent}%", $"Aprendiendo de su código: {percent} %"));
            var phrase = value.Phase switch
            {
                TrainingPhase.Finding => new Phrase("finding files", "buscando archivos"),
                TrainingPhase.Reading => new Phrase($"{value.Files} of {value.FilesInAll} files", $"{value.Files} de {value.FilesInAll} archivos"),
                _ => new Phrase("saving", "guardando"),
            };
            report.Report(value.Fraction, phrase.In(session.Speech));
        }
    }
}
