// llmAssist.models.train.
using LlmAssist.Engine;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Server.Background;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>Trains on folders, with progress, and answers when the model is in use.</summary>
internal sealed class TrainCommand(ModelWork work, WorkspaceModels models, PatternStore store)
{
    public async ValueTask<ModelAnswer> ExecuteAsync(SessionSnapshot session, TrainArgument argument, CancellationToken cancellation)
    {
        var root = session.Folders.Length != 0 ? session.Folders[0] : Environment.CurrentDirectory;
        var folders = argument.Folders is { Count: > 0 } named
            ? [.. named.Select(folder => Path.GetFullPath(folder, root))]
            : ModelWork.FoldersOf(session);
        if (folders.Count == 0)
        {
            throw new UserException(new(
                "There is no folder to learn from. Open a folder, or name some in llmAssist.training.folders.",
                "No hay ninguna carpeta de la que aprender. Abra una carpeta o indíquelas en llmAssist.training.folders."));
        }

        var request = new TrainingRequest
        {
            Name = argument.Name is { Length: > 0 } name ? PatternStore.SafeName(name) : models.NameFor(folders),
            Folders = folders,
            Corpus = ModelWork.CorpusOf(session.Settings),
            Note = argument.Note,
        };
        var (id, statistics) = await work.TrainAsync(session, request, acceptOthers: false, cancellation);
        var message = new Phrase(
            $"Learned {statistics.Tokens} tokens in {statistics.TrainingSeconds:F1} s; the model is in use.",
            $"Aprendidos {statistics.Tokens} símbolos en {statistics.TrainingSeconds:F1} s; el modelo está en uso.");
        return new(id.ToString(), message.In(session.Speech), ModelCommands.StatsOf(store.Resolve(id.Name), statistics));
    }
}
