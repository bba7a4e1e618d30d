// What a session's settings mean for Ollama, and what the user must be told before code is sent anywhere.
using LlmAssist.Engine;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Background;

/// <summary>Keeps Ollama as the session wants it, and tells the user where code goes. Safe on any thread.</summary>
/// <param name="environment">Where Ollama listens if the settings do not say.</param>
internal sealed class OllamaWork(OllamaHost ollama, Uri environment, RemoteNotices notices, ClientLink client)
{
    private readonly Lock _gate = new();
    private volatile SessionSnapshot _session = new();
    private OllamaState? _logged; // guarded by _gate

    /// <summary>Takes over the session's settings. A host that is not this machine is announced first, once per workspace.</summary>
    public void Configure(SessionSnapshot session)
    {
        _session = session;
        var options = session.Settings.Ollama(environment);
        if (options.Endpoint is { } endpoint && OllamaEndpoint.IsRemote(endpoint) && session.Settings.Completion().AsksOllama)
        {
            Announce(endpoint.Host, new("Completions are asked of Ollama", "Las sugerencias se piden a Ollama"));
        }

        ollama.Configure(options);
    }

    /// <summary>A model is about to be asked that runs elsewhere, though Ollama is here.</summary>
    public void AnnounceModel(string model, string host) =>
        Announce(host, new($"Completions are asked of {model}, which runs", $"Las sugerencias se piden a {model}, que se ejecuta"));

    /// <summary>Keeps the log of what became of Ollama: that it is ready, that it fails and why, that it is back.</summary>
    public void Log(OllamaState state)
    {
        lock (_gate)
        {
            if (state == _logged || state.Condition is not (OllamaCondition.Ready or OllamaCondition.Degraded))
            {
                return;
            }

            _logged = state;
        }

        client.Log(
            state.Condition == OllamaCondition.Ready ? MessageType.Info : MessageType.Warning,
            state.Condition == OllamaCondition.Ready
                ? new Phrase($"Completions are asked of {state.Model} too.", $"También se piden sugerencias a {state.Model}.").In(_session.Speech)
                : state.Message.In(_session.Speech));
    }

    private void Announce(string host, Phrase what)
    {
        var session = _session;
        if (notices.IsNew(host, session.Folders.Length == 0 ? "" : session.Folders[0]))
        {
            client.Show(
                MessageType.Warning,
                new(
                    $"{what.English} on {host}: the code around your cursor will be sent there. To keep it on this machine, change llmAssist.ollama.endpoint, .model or .enabled.",
                    $"{what.Spanish} en {host}: el código alrededor del cursor se enviará allí. Para que no salga de este equipo, cambie llmAssist.ollama.endpoint, .model o .enabled."),
                session.Speech);
        }
    }
}

/// <summary>Remembers, across sessions, which hosts the user was told of in which workspace.</summary>
internal sealed class RemoteNotices(DataFolders folders)
{
    private readonly string _path = Path.Combine(folders.State, "remote-endpoints");
    private readonly Lock _gate = new();

    /// <summary>Whether the user has not been told yet; from here on they have.</summary>
    /// <param name="workspace">Its folder; empty for none.</param>
    public bool IsNew(string host, string workspace)
    {
        var line = $"{host}\t{workspace}";
        lock (_gate)
        {
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
}
