// The other end of the pipe: one real server process, spoken to as an editor does, one request at a time. Measures nothing itself.
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace LlmAssist.Bench;

/// <summary>A server process and the connection to it. Touched by one thread.</summary>
internal sealed class EditorSession : IDisposable
{
    private readonly Process _process;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly byte[] _header = new byte[256];
    private int _lastId;

    private EditorSession(Process process)
    {
        _process = process;
        _input = process.StandardInput.BaseStream;
        _output = new BufferedStream(process.StandardOutput.BaseStream, 1 << 16);
    }

    public int ProcessId => _process.Id;

    /// <summary>The memory part of the last status; null before the first.</summary>
    public JsonNode? Status { get; private set; }

    /// <summary>Starts a server whose models lie in <paramref name="home"/>.</summary>
    public static EditorSession Start(string server, string home) => new(Process.Start(new ProcessStartInfo(server, ["serve", "--stdio"])
    {
        Environment = { ["LLMASSIST_HOME"] = home },
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

    private void Send(JsonObject message)
    {
        var body = Encoding.UTF8.GetBytes(message.ToJsonString());
        byte[] frame = [.. Encoding.ASCII.GetBytes($"Content-Length: {body.Length}\r\n\r\n"), .. body];
        _input.Write(frame);
        _input.Flush();
    }

    private JsonObject Receive()
    {
        var length = 0;
        while (length < 4 || !_header.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            var read = _output.ReadByte();
            _header[length++] = 0 <= read ? (byte)read : throw new EndOfStreamException($"The server ended (exit code {ExitCode()}).");
        }

        const string Name = "Content-Length:";
        var line = Encoding.ASCII.GetString(_header, 0, length).Split("\r\n").First(line => line.StartsWith(Name, StringComparison.OrdinalIgnoreCase));
        var body = new byte[int.Parse(line.AsSpan(Name.Length))];
        _output.ReadExactly(body);
        return JsonNode.Parse(body)!.AsObject();
    }

    private int ExitCode()
    {
        _process.WaitForExit();
        return _process.ExitCode;
    }
}
