// What a session's settings mean for Ollama, and what the user must be told before code is sent anywhere.
using LlmAssist.Engine;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Background;

/// <summary>Keeps Ollama as the session wants it. Called by the loop only.</summary>
/// <param name="environment">Where Ollama listens if the settings do not say.</param>
internal sealed class OllamaWork(OllamaHost ollama, Uri environment, RemoteNotices notices, ClientLink client)
{
    /// <summary>Takes over the session's settings. A host that is not this machine is announced first, once per workspace.</summary>
    public void Configure(SessionSnapshot session)
    {
        var options = session.Settings.Ollama(environment);
        if (options.Endpoint is { } endpoint && OllamaEndpoint.IsRemote(endpoint) && session.Settings.Completion().AsksOllama
            && notices.IsNew(endpoint.Host, session.Folders.Length == 0 ? "" : session.Folders[0]))
        {
            client.Show(
                MessageType.Warning,
                new(
                    $"Completions are asked of Ollama on {endpoint.Host}: the code around your cursor will be sent there. To keep it on this machine, change llmAssist.ollama.endpoint or llmAssist.ollama.enabled.",
                    $"Las sugerencias se piden a Ollama en {endpoint.Host}: el código alrededor del cursor se enviará allí. Para que no salga de este equipo, cambie llmAssist.ollama.endpoint o llmAssist.ollama.enabled."),
                session.Speech);
        }

        ollama.Configure(options);
    }
}

/// <summary>Remembers, across sessions, which hosts the user was told of in which workspace.</summary>
internal sealed class RemoteNotices(DataFolders folders)
{
    private readonly string _path = Path.Combine(folders.State, "remote-endpoints");

    /// <summary>Whether the user has not been told yet; from here on they have.</summary>
    /// <param name="workspace">Its folder; empty for none.</param>
    public bool IsNew(string host, string workspace)
    {
        var line = $"{host}\t{workspace}";
        try
        {
            if (File.Exists(_path) && File.ReadLines(_path).Contains(line))
            {
                return false;
            }

            Directory.CreateDirectory(folders.State);
            File.AppendAllText(_path, line + "\n");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Told once too often is better than not told.
        }

        return true;
    }
}
