// The loop: every event, in order. It alone changes the session and answers requests.
using System.Threading.Channels;
using LlmAssist.Engine.Sharing;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Rpc;

namespace LlmAssist.Server.Session;

/// <summary>One session of one client, from its first byte to its last.</summary>
internal sealed class LanguageServer
{
    // Together below the two seconds after which editors kill.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);               // for requests that run when the session ends
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(500);    // for answers that are queued then

    private readonly RpcConnection _connection;
    private readonly Routes _routes;
    private readonly TimeProvider _time;
    private readonly Func<int, CancellationToken, Task> _processExit;
    private readonly Channel<ServerEvent> _inbox = Channel.CreateUnbounded<ServerEvent>(new() { SingleReader = true });
    private readonly Session _session = new();            // loop only
    private readonly PendingRequests _pending = new();    // loop only
    private bool _isEnding;                               // loop only

    /// <summary>A server for one connection.</summary>
    /// <param name="processExit">Completes when the process with an id has ended; for tests. Null asks the system.</param>
    public LanguageServer(RpcConnection connection, Routes routes, TimeProvider time, Func<int, CancellationToken, Task>? processExit = null)
    {
        _connection = connection;
        _routes = routes;
        _time = time;
        _processExit = processExit ?? ((id, cancellation) => ProcessEnd.WaitAsync(id, time, cancellation));
    }

    /// <summary>Has the session changed by the loop, in its turn. Safe on any thread.</summary>
    public void Post(Action<Session> change) => _inbox.Writer.TryWrite(new ServerEvent.Posted(change));

    /// <summary>Serves until the client says exit, its input ends, or its process dies.</summary>
    /// <returns>The process's exit code: 0 after an orderly shutdown, 1 otherwise.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var writing = _connection.WriteAsync();
        var reading = ReadAsync(ending.Token);
        try
        {
            await LoopAsync(ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The host wants us to end; nobody is owed more than an orderly end.
        }

        // Here: the loop is over. Read handlers may still run, but they have had their time.
        foreach (var id in _pending.Ids())
        {
            Cancel(id);
        }

        await ending.CancelAsync();
        _connection.CompleteWriting();
        await Task.WhenAny(writing, Task.Delay(LastWords, _time, CancellationToken.None));
        _ = reading; // a blocked read of the input cannot be canceled everywhere; the process ends with it
        return _session.Stage == SessionStage.ShutDown ? 0 : 1;
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        string? fault = null;
        try
        {
            await _connection.ReadAsync(message => _inbox.Writer.TryWrite(new ServerEvent.Received(message)), cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return;
        }
#pragma warning disable CA1031 // Whatever ends the input: the loop must hear of it, or it would wait forever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            fault = exception.Message;
        }

        _inbox.Writer.TryWrite(new ServerEvent.InputEnded(fault));
    }

    private async Task LoopAsync(CancellationToken cancellation)
    {
        ITimer? grace = null;
        while (!_isEnding || 0 < _pending.Count)
        {
            var happened = await _inbox.Reader.ReadAsync(cancellation);
            if (happened is ServerEvent.ClientDied or ServerEvent.GraceOver)
            {
                break;
            }

            Handle(happened, cancellation);
            if (_isEnding)
            {
                grace ??= _time.CreateTimer(_ => _inbox.Writer.TryWrite(new ServerEvent.GraceOver()), null, Grace, Timeout.InfiniteTimeSpan);
            }
        }

        grace?.Dispose();
    }

    private void Handle(ServerEvent happened, CancellationToken ending)
    {
        switch (happened)
        {
            case ServerEvent.Received when _isEnding:
                break;
            case ServerEvent.Received { Message: RpcMessage.Request request }:
                Receive(request, ending);
                break;
            case ServerEvent.Received { Message: RpcMessage.Notification { Method: LspMethods.Exit } }:
                _isEnding = true;
                break;
            case ServerEvent.Received { Message: RpcMessage.Notification notification }:
                Receive(notification);
                break;
            case ServerEvent.Finished finished:
                if (_pending.TryFinish(finished.Id))
                {
                    Answer(finished.Id, finished.Outcome);
                }

                break;
            case ServerEvent.Posted posted:
                _routes.Apply(_session, posted.Change);
                break;
            case ServerEvent.InputEnded ended:
                if (ended.Fault is not null)
                {
                    _routes.Fault(ended.Fault);
                }

                // What runs may end: a client that writes all it has to ask and closes its end still gets its answers.
                _isEnding = true;
                break;
        }
    }

    private void Receive(RpcMessage.Request request, CancellationToken ending)
    {
        if (Refused(request) is { } refusal)
        {
            Answer(request.Id, refusal);
            return;
        }

        if (_routes.TryAsk(_session, request) is { } outcome)
        {
            Advance(request.Method, outcome, ending);
            Answer(request.Id, outcome);
            return;
        }

        if (_routes.Find(request.Method) is not { } route)
        {
            Answer(request.Id, new Outcome.Failure(RpcErrorCode.MethodNotFound, $"'{request.Method}' is not a method of this server."));
            return;
        }

        if (_pending.TryAdd(request.Id, route.Canceled) is not { } cancellation)
        {
            Answer(request.Id, new Outcome.Failure(RpcErrorCode.InvalidRequest, $"A request with the id {request.Id} is still open."));
            return;
        }

        var snapshot = _session.Now;
        _ = Task.Run(
            async () => _inbox.Writer.TryWrite(new ServerEvent.Finished(request.Id, await _routes.RunAsync(route, snapshot, request, cancellation))),
            CancellationToken.None);
    }

    private Outcome? Refused(RpcMessage.Request request) => (_session.Stage, request.Method) switch
    {
        (SessionStage.New, not LspMethods.Initialize) => new Outcome.Failure(RpcErrorCode.ServerNotInitialized, "The first request must be 'initialize'."),
        (SessionStage.Initialized, LspMethods.Initialize) => new Outcome.Failure(RpcErrorCode.InvalidRequest, "'initialize' was answered already."),
        (SessionStage.ShutDown, _) => new Outcome.Failure(RpcErrorCode.InvalidRequest, "After 'shutdown' only 'exit' is allowed."),
        _ => null,
    };

    // The two requests that move a session on do so only when they succeeded.
    private void Advance(string method, Outcome outcome, CancellationToken ending)
    {
        if (outcome is not Outcome.Result)
        {
            return;
        }

        switch (method)
        {
            case LspMethods.Initialize:
                _session.Stage = SessionStage.Initialized;
                if (_session.ClientProcessId is { } process)
                {
                    _ = WatchAsync(process, ending);
                }

                break;
            case LspMethods.Shutdown:
                _session.Stage = SessionStage.ShutDown;
                break;
        }
    }

    private void Receive(RpcMessage.Notification notification)
    {
        if (notification.Method == LspMethods.CancelRequest)
        {
            Cancel(notification);
        }
        else if (_session.Stage == SessionStage.Initialized)
        {
            _routes.Change(_session, notification);
        }
    }

    // Answered at once: the work ends when it notices, and finds its request answered.
    private void Cancel(RpcMessage.Notification notification)
    {
        if (notification.Params.ValueKind == System.Text.Json.JsonValueKind.Object && notification.Params.TryGetProperty("id"u8, out var id))
        {
            Cancel(new RequestId(id.GetRawText()));
        }
    }

    private void Cancel(RequestId id)
    {
        if (_pending.TryCancel(id) is { } outcome)
        {
            Answer(id, outcome);
        }
    }

    private void Answer(RequestId id, Outcome outcome)
    {
        switch (outcome)
        {
            case Outcome.Result result:
                _connection.Respond(id, result.Json);
                break;
            case Outcome.Failure failure:
                _connection.RespondError(id, failure.Code, failure.Reason);
                break;
        }
    }

    private async Task WatchAsync(int process, CancellationToken cancellation)
    {
        try
        {
            await _processExit(process, cancellation);
            _inbox.Writer.TryWrite(new ServerEvent.ClientDied());
        }
        catch (OperationCanceledException)
        {
            // The session ended before its client.
        }
    }
}
