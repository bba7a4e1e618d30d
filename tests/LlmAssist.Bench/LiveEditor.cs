// The other end of the pipe for an editor that waits for nothing: requests stay open while it writes on. Measures nothing itself.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace LlmAssist.Bench;

/// <summary>A server process and the connection to it. Safe on any thread.</summary>
internal sealed class LiveEditor : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Framing _framing;
    private readonly Lock _writing = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonObject>> _open = [];
    private readonly ConcurrentDictionary<int, int> _answers = [];
    private readonly Task _reading;
    private TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private JsonNode? _status;
    private int _lastId;

    private LiveEditor(Process process)
    {
        _process = process;
        _framing = new(process.StandardInput.BaseStream, process.StandardOutput.BaseStream);

        // A thread of its own: what it measures must not wait for one of the pool's.
        _reading = Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Processor time that the server has used.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public int ProcessId => _process.Id;

    /// <summary>How often each request was answered, by its id.</summary>
    public IReadOnlyDictionary<int, int> Answers => _answers;

    /// <summary>Starts a server whose models lie in <paramref name="home"/>.</summary>
    /// <param name="settings">As the editor would send them.</param>
    /// <param name="waitsForModel">Whether to wait until it has a model in use.</param>
    public static async Task<LiveEditor> StartAsync(string server, string home, string folder, JsonObject settings, bool waitsForModel = true)
    {
        var editor = new LiveEditor(Process.Start(new ProcessStartInfo(server, ["serve", "--stdio"])
        {
            Environment = { ["LLMASSIST_HOME"] = home },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!);
        await editor.AskAsync("initialize", new JsonObject
        {
            ["processId"] = Environment.ProcessId,
            ["rootUri"] = new Uri(folder).AbsoluteUri,
            ["workspaceFolders"] = new JsonArray(new JsonObject { ["uri"] = new Uri(folder).AbsoluteUri, ["name"] = "bench" }),
            ["initializationOptions"] = settings,
            ["capabilities"] = new JsonObject
            {
                ["textDocument"] = new JsonObject { ["completion"] = new JsonObject(), ["inlineCompletion"] = new JsonObject() },
            },
        });
        editor.Tell("initialized", []);
        while (waitsForModel)
        {
            var told = Volatile.Read(ref editor._told).Task;
            var status = Volatile.Read(ref editor._status);
            if (status?["state"]?.GetValue<string>() == "ready" && status["memory"]!["models"] is JsonArray { Count: > 0 })
            {
                return editor;
            }

            await told;
        }

        return editor;
    }

    /// <summary>Sends a request; its answer, result or error, comes when it comes.</summary>
    /// <param name="id">To cancel it by.</param>
    public Task<JsonObject> Ask(string method, JsonObject parameters, out int id)
    {
        id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<JsonObject>(TaskCreationOptions.RunContinuationsAsynchronously);
        _open[id] = answer;
        Send(new() { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters });
        return answer.Task;
    }

    public Task<JsonObject> AskAsync(string method, JsonObject parameters) => Ask(method, parameters, out _);

    public void Tell(string method, JsonObject parameters) => Send(new() { ["jsonrpc"] = "2.0", ["method"] = method, ["params"] = parameters });

    public void Cancel(int id) => Tell("$/cancelRequest", new() { ["id"] = id });

    public async ValueTask DisposeAsync()
    {
        await AskAsync("shutdown", []);
        Tell("exit", []);
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private void Send(JsonObject message)
    {
        lock (_writing)
        {
            _framing.Write(message);
        }
    }

    private void Read()
    {
        try
        {
            while (true)
            {
                Take(_framing.Read());
            }
        }
        catch (EndOfStreamException exception)
        {
            foreach (var answer in _open.Values)
            {
                answer.TrySetException(exception);
            }

            Interlocked.Exchange(ref _told, new()).TrySetException(exception);
        }
    }

    private void Take(JsonObject message)
    {
        if (message["method"]?.GetValue<string>() is not { } method)
        {
            var id = message["id"]!.GetValue<int>();
            _answers.AddOrUpdate(id, 1, static (_, count) => count + 1);
            if (_open.TryRemove(id, out var answer))
            {
                answer.TrySetResult(message);
            }
        }
        else if (method == "llmAssist/status")
        {
            Volatile.Write(ref _status, message["params"]);
            Interlocked.Exchange(ref _told, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }
        else if (message["id"] is { } id)
        {
            Send(new() { ["jsonrpc"] = "2.0", ["id"] = id.DeepClone(), ["result"] = null });
        }
    }
}
