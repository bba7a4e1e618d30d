// A client of raw LSP, and the server that it talks to, in one process.
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Server;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Rpc;
using LlmAssist.Server.Session;
using LoopSession = LlmAssist.Server.Session.Session;

namespace LlmAssist.Tests.Support;

/// <summary>
/// Runs a server over pipes in memory, on a clock that stands still. What the server sends must be read by the test, all of it: disposal fails on
/// messages that were not.
/// </summary>
internal sealed class TestServer : IAsyncDisposable
{
    // Long enough for the slowest machine; reached only by a test that fails.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly Uri Nobody = new("http://127.0.0.1:9"); // the port of 'discard', which no system runs any more

    private readonly Pipe _toServer = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Pipe _fromServer = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly FrameReader _frames;
    private readonly Task<int> _running;
    private readonly TempFolder? _home;
    private readonly LanguageServer? _loop;
    private readonly bool _skipsStatus;
    private readonly bool _keepsLog;
    private readonly Lock _gate = new();
    private readonly List<string> _logged = []; // guarded by _gate
    private readonly List<JsonElement> _statuses = []; // guarded by _gate
    private int _lastId;

    /// <summary>The loop alone, with a client link and routes of the test's choice.</summary>
    /// <param name="more">Adds routes to the barest initialize and shutdown.</param>
    /// <param name="processExit">Completes when a process has ended.</param>
    public TestServer(Action<Routes>? more = null, Func<int, CancellationToken, Task>? processExit = null)
    {
        _frames = new(_fromServer.Reader);
        var connection = new RpcConnection(_toServer.Reader, _fromServer.Writer.AsStream());
        Client = new(connection);
        var routes = new Routes { Fault = fault => Client.Log(MessageType.Error, fault) };
        routes
            .Ask(LspMethods.Initialize, json => json.InitializeParams, json => json.Nothing, Initialize)
            .Ask(LspMethods.Shutdown, json => json.Nothing, json => json.Nothing!, (_, _) => null)
            .Change(LspMethods.WorkDoneProgressCancel, json => json.WorkDoneProgressCancelParams, (_, parameters) => Client.CancelProgress($"{parameters.Token}"));
        more?.Invoke(routes);
        _loop = new(connection, routes, Time, processExit);
        _running = _loop.RunAsync(CancellationToken.None);
    }

    /// <summary>The whole product, with a data folder of its own. Its status notifications are passed over.</summary>
    /// <param name="ollama">Where Ollama listens; null for where nobody does.</param>
    /// <param name="time">The server's clock; null for one that stands still.</param>
    /// <param name="memory">The machine's memory; null for that of the machine that runs the test.</param>
    /// <param name="runners">The processes of Ollama's models; null for those of that machine.</param>
    /// <param name="speech">The language that the server's process was started in.</param>
    /// <param name="showsAnswers">Whether answers of commands are shown too.</param>
    public TestServer(TempFolder home, Uri? ollama = null, TimeProvider? time = null, IMemoryProbe? memory = null, IRunnerProbe? runners = null, Speech speech = Speech.English, bool showsAnswers = false)
    {
        _home = home;
        _skipsStatus = true;
        _keepsLog = ollama is not null;
        _frames = new(_fromServer.Reader);
        _running = ServerHost.RunAsync(
            _toServer.Reader.AsStream(),
            _fromServer.Writer.AsStream(),
            new()
            {
                Folders = new(home.Path),
                Time = time ?? Time,
                Memory = memory ?? MemoryProbe.ForThisMachine(),
                Runners = runners ?? RunnerProcesses.ForThisMachine(),
                Ollama = ollama ?? Nobody,
                Speech = speech,
                ShowsAnswers = showsAnswers,
                ProcessExit = static (_, cancellation) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation),
            },
            CancellationToken.None);
    }

    public ManualTime Time { get; } = new();

    /// <summary>The way from the loop to this client; only where the loop stands alone.</summary>
    public ClientLink Client => field ?? throw new InvalidOperationException("The product keeps its own.");

    /// <summary>How many status notifications have come so far.</summary>
    public int PassedOver => Statuses.Count;

    /// <summary>The log so far, of a product with an Ollama; elsewhere its lines are messages as others are.</summary>
    public IReadOnlyList<string> Logged
    {
        get
        {
            lock (_gate)
            {
                return [.. _logged];
            }
        }
    }

    /// <summary>The status notifications that have come so far.</summary>
    public IReadOnlyList<JsonElement> Statuses
    {
        get
        {
            lock (_gate)
            {
                return [.. _statuses];
            }
        }
    }

    /// <summary>The server's exit code, once it has ended.</summary>
    public Task<int> ExitCode => _running.WaitAsync(Patience);

    /// <summary>The whole product on a new data folder.</summary>
    public static TestServer OfProduct() => new(new TempFolder());

    /// <summary>Initializes as a client of these capabilities, and returns what the server answered.</summary>
    public async Task<JsonElement> InitializeAsync(string capabilities = "{}", string more = "")
    {
        var result = await ResultAsync(await RequestAsync("initialize", $$"""{"processId":null,"capabilities":{{capabilities}}{{more}}}"""));
        await NotifyAsync("initialized", "{}");
        return result;
    }

    /// <summary>Forgets the log and all but the last status: for tests that go on for long.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _logged.Clear();
            _statuses.RemoveRange(0, Math.Max(0, _statuses.Count - 1));
        }
    }

    /// <summary>Sends a request and returns its id.</summary>
    public async Task<int> RequestAsync(string method, string parameters = "")
    {
        var id = ++_lastId;
        await SendAsync($$"""{"jsonrpc":"2.0","id":{{id}},"method":"{{method}}"{{Member(parameters)}}}""");
        return id;
    }

    public Task NotifyAsync(string method, string parameters = "") =>
        SendAsync($$"""{"jsonrpc":"2.0","method":"{{method}}"{{Member(parameters)}}}""");

    public Task CancelAsync(int id) => NotifyAsync("$/cancelRequest", $$"""{"id":{{id}}}""");

    /// <summary>Answers a request of the server.</summary>
    public Task AnswerAsync(JsonElement request, string result) =>
        SendAsync($$"""{"jsonrpc":"2.0","id":{{request.GetProperty("id").GetRawText()}},"result":{{result}}}""");

    /// <summary>Sends a payload as it is.</summary>
    public async Task SendAsync(string payload)
    {
        var bytes = Encoding.UTF8.GetBytes(payload);
        await SendRawAsync([.. Encoding.ASCII.GetBytes($"Content-Length: {bytes.Length}\r\n\r\n"), .. bytes]);
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendRawAsync(byte[] bytes) => await _toServer.Writer.WriteAsync(bytes);

    /// <summary>The next message of the server, whatever it is.</summary>
    public async Task<JsonElement> ReadAsync()
    {
        while (true)
        {
            var frame = await _frames.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
            Assert.False(frame.IsEnd, "The server has ended.");
            if (Parse(frame) is { } message)
            {
                return message;
            }
        }
    }

    /// <summary>The next message, which must be of this method; returns the message if it is a request, else its parameters.</summary>
    public async Task<JsonElement> ReadAsync(string method)
    {
        var message = await ReadAsync();
        Assert.True(message.TryGetProperty("method", out var found) && found.GetString() == method, $"Expected {method}, found {message}");
        return message.TryGetProperty("id", out _) ? message : message.GetProperty("params");
    }

    /// <summary>The next message, which must be the result of the request.</summary>
    public async Task<JsonElement> ResultAsync(int id)
    {
        var answer = await AnswerOfAsync(id);
        Assert.True(answer.TryGetProperty("result", out var result), $"Expected a result, found {answer}");
        return result;
    }

    /// <summary>The next message, which must be the refusal of the request; returns its code and message.</summary>
    public async Task<(int Code, string Message)> ErrorAsync(int id)
    {
        var answer = await AnswerOfAsync(id);
        Assert.True(answer.TryGetProperty("error", out var error), $"Expected an error, found {answer}");
        return (error.GetProperty("code").GetInt32(), error.GetProperty("message").GetString() ?? "");
    }

    /// <summary>Waits until all that was sent so far has been handled.</summary>
    public async Task SettleAsync() => await ErrorAsync(await RequestAsync("test/settle")); // unknown, and so answered in its turn

    /// <summary>Has the session changed by the loop; only where the loop stands alone.</summary>
    public void Post(Action<LoopSession> change) => _loop!.Post(change);

    /// <summary>Closes the client's end of the stream.</summary>
    public async Task CloseInputAsync() => await _toServer.Writer.CompleteAsync();

    public async ValueTask DisposeAsync()
    {
        var grace = Time.NextTimer();
        await CloseInputAsync();
        await Task.WhenAny(_running, grace).WaitAsync(Patience);
        Time.Advance(TimeSpan.FromSeconds(2));
        await ExitCode;

        await _fromServer.Writer.CompleteAsync();
        var unread = new List<string>();
        while (await _frames.ReadAsync(CancellationToken.None) is { IsEnd: false } frame)
        {
            if (Parse(frame) is { } message)
            {
                unread.Add(message.ToString());
            }
        }

        _home?.Dispose();
        Assert.Empty(unread);
    }

    private async Task<JsonElement> AnswerOfAsync(int id)
    {
        var message = await ReadAsync();
        Assert.True(
            !message.TryGetProperty("method", out _) && message.TryGetProperty("id", out var found) && found.ValueKind == JsonValueKind.Number && found.GetInt32() == id,
            $"Expected the answer to {id}, found {message}");
        return message;
    }

    private static Nothing Initialize(LoopSession session, InitializeParams parameters)
    {
        session.ClientProcessId = parameters.ProcessId;
        session.Now = session.Now with { Speech = Phrase.SpeechOf(parameters.Locale) };
        return new();
    }

    // Null for a message that is passed over.
    private JsonElement? Parse(Frame frame)
    {
        Assert.NotNull(frame.Payload);
        using var document = JsonDocument.Parse(frame.Payload);
        var message = document.RootElement.Clone();
        if (_skipsStatus && message.TryGetProperty("method", out var method) && method.GetString() == AssistMethods.Status)
        {
            lock (_gate)
            {
                _statuses.Add(message.GetProperty("params"));
            }

            return null;
        }

        if (_keepsLog && message.TryGetProperty("method", out method) && method.GetString() == LspMethods.LogMessage)
        {
            lock (_gate)
            {
                _logged.Add(message.GetProperty("params").GetProperty("message").GetString()!);
            }

            return null;
        }

        return message;
    }

    private static string Member(string parameters) => parameters.Length == 0 ? "" : $",\"params\":{parameters}";
}
