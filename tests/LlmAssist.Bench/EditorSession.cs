// The other end of the pipe: one real server process, spoken to as an editor does, one request at a time. Measures nothing itself.
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace LlmAssist.Bench;

/// <summary>A server process and the connection to it. Touched by one thread.</summary>
internal sealed class EditorSession : IDisposable
{
    private readonly Process _process;
    private readonly Framing _framing;
    private int _lastId;

    private EditorSession(Process process)
    {
        _process = process;
        _framing = new(process.StandardInput.BaseStream, process.StandardOutput.BaseStream);
    }

    public int ProcessId => _process.Id;

    /// <summary>The memory part of the last status; null before the first.</summary>
    public JsonNode? Status { get; private set; }

    /// <summary>Starts a server whose models lie in <paramref name="home"/>.</summary>
    public static EditorSession Start(string server, string home) => new(Process.Start(new ProcessStartInfo(server, ["serve", "--stdio"])
    {
        // As on most machines: no Ollama, also where there is one.
        Environment = { ["LLMASSIST_HOME"] = home, ["OLLAMA_HOST"] = "127.0.0.1:9" },
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
    })!);

    /// <summary>Asks for the beginning of the session and waits for the answer.</summary>
    public void Initialize(string folder) => Ask("initialize", new JsonObject
    {
        ["processId"] = Environment.ProcessId,
        ["rootUri"] = new Uri(folder).AbsoluteUri,
        ["workspaceFolders"] = new JsonArray(new JsonObject { ["uri"] = new Uri(folder).AbsoluteUri, ["name"] = "bench" }),
        ["capabilities"] = new JsonObject
        {
            ["textDocument"] = new JsonObject { ["completion"] = new JsonObject(), ["inlineCompletion"] = new JsonObject() },
        },
    });

    /// <summary>Lets the server begin its work and waits until it has a model in use.</summary>
    public void BeginWithModel()
    {
        Tell("initialized", []);
        while (Status?["state"]?.GetValue<string>() != "ready" || Status["memory"]!["models"]!.AsArray().Count == 0)
        {
            Take(Receive());
        }
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="InvalidOperationException">The answer is an error.</exception>
    public JsonNode? Ask(string method, JsonObject parameters)
    {
        var id = ++_lastId;
        Send(new() { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters });
        while (true)
        {
            var message = Receive();
            if (message["method"] is null && message["id"]?.GetValue<int>() == id)
            {
                return message["error"] is { } error ? throw new InvalidOperationException($"{method}: {error}") : message["result"];
            }

            Take(message);
        }
    }

    public void Tell(string method, JsonObject parameters) => Send(new() { ["jsonrpc"] = "2.0", ["method"] = method, ["params"] = parameters });

    public void Dispose()
    {
        Ask("shutdown", []);
        Tell("exit", []);
        _process.WaitForExit();
        _process.Dispose();
    }

    // What comes without being asked for: the status is kept, requests get the answer of a client that knows nothing.
    private void Take(JsonObject message)
    {
        if (message["method"]?.GetValue<string>() == "llmAssist/status")
        {
            Status = message["params"]!;
        }
        else if (message["id"] is { } id)
        {
            Send(new() { ["jsonrpc"] = "2.0", ["id"] = id.DeepClone(), ["result"] = null });
        }
    }

    private void Send(JsonObject message) => _framing.Write(message);

    private JsonObject Receive()
    {
        try
        {
            return _framing.Read();
        }
        catch (EndOfStreamException exception)
        {
            throw new EndOfStreamException($"The server ended (exit code {ExitCode()}).", exception);
        }
    }

    private int ExitCode()
    {
        _process.WaitForExit();
        return _process.ExitCode;
    }
}
