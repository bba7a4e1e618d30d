// Method -> handler. The kind of handler says where it runs and what it may touch.
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LlmAssist.Engine;
using LlmAssist.Engine.Models;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Rpc;

namespace LlmAssist.Server.Session;

/// <summary>Runs on the loop, may change the session, must not wait.</summary>
internal delegate void ChangeHandler<in TParams>(Session session, TParams parameters);

/// <summary>Runs on the loop and answers: for the few requests that change the session.</summary>
internal delegate TResult AskHandler<in TParams, out TResult>(Session session, TParams parameters);

/// <summary>Runs off the loop on a snapshot; may wait and must honor cancellation.</summary>
internal delegate ValueTask<TResult> ReadHandler<in TParams, TResult>(SessionSnapshot snapshot, TParams parameters, CancellationToken cancellation);

/// <summary>The table of methods.</summary>
/// <remarks>
/// Types are named, not built, when a route is added: building one compiles dozens of methods, and a session needs two of them
/// before it can answer initialize.
/// </remarks>
internal sealed class Routes
{
    private readonly Dictionary<string, Action<Session, JsonElement>> _changes = [];
    private readonly Dictionary<string, Func<Session, JsonElement, Outcome>> _asks = [];
    private readonly Dictionary<string, ReadRoute> _reads = [];

    /// <summary>Told of faults that are ours: a handler threw what it must not throw.</summary>
    public Action<string> Fault { get; set; } = Bug.Report;

    /// <summary>A notification.</summary>
    public Routes Change<TParams>(string method, Func<LspJson, JsonTypeInfo<TParams>> type, ChangeHandler<TParams> handler)
    {
        _changes.Add(method, (session, parameters) => handler(session, Read(parameters, type)));
        return this;
    }

    /// <summary>A request that is answered on the loop.</summary>
    public Routes Ask<TParams, TResult>(string method, Func<LspJson, JsonTypeInfo<TParams>> type, Func<LspJson, JsonTypeInfo<TResult>> resultType, AskHandler<TParams, TResult> handler)
    {
        _asks.Add(method, (session, parameters) => new Outcome.Result(JsonSerializer.SerializeToUtf8Bytes(handler(session, Read(parameters, type)), resultType(LspJson.Default))));
        return this;
    }

    /// <summary>A request that is answered off the loop.</summary>
    /// <param name="isQuiet">Whether it is answered with null rather than an error, whatever happens: editors show errors while one types.</param>
    public Routes Read<TParams, TResult>(
        string method,
        Func<LspJson, JsonTypeInfo<TParams>> type,
        Func<LspJson, JsonTypeInfo<TResult>> resultType,
        ReadHandler<TParams, TResult> handler,
        bool isQuiet = false)
    {
        _reads.Add(method, new(isQuiet, async (snapshot, parameters, cancellation) =>
        {
            var result = await handler(snapshot, Read(parameters, type), cancellation);
            return new Outcome.Result(JsonSerializer.SerializeToUtf8Bytes(result, resultType(LspJson.Default)));
        }));
        return this;
    }

    /// <summary>Handles a notification. Nothing happens if nobody does, or if its parameters are not what they should be.</summary>
    public void Change(Session session, RpcMessage.Notification notification)
    {
        if (!_changes.TryGetValue(notification.Method, out var handler))
        {
            return;
        }

        Apply(session, changed => handler(changed, notification.Params), notification.Method);
    }

    /// <summary>Changes the session. Never fails: the loop outlives every handler, whose failure is reported.</summary>
    public void Apply(Session session, Action<Session> change, string name = "change")
    {
        try
        {
            change(session);
        }
        catch (RpcException exception)
        {
            Fault($"{name}: {exception.Message}");
        }
#pragma warning disable CA1031 // As above.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fault($"{name}: {exception}");
        }
    }

    /// <summary>Answers a request on the loop; null if it is none of those.</summary>
    public Outcome? TryAsk(Session session, RpcMessage.Request request)
    {
        if (!_asks.TryGetValue(request.Method, out var handler))
        {
            return null;
        }

        try
        {
            return handler(session, request.Params);
        }
        catch (RpcException exception)
        {
            return new Outcome.Failure(exception.Code, exception.Message);
        }
#pragma warning disable CA1031 // The loop outlives every handler; the fault is reported.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fault($"{request.Method}: {exception}");
            return new Outcome.Failure(RpcErrorCode.InternalError, exception.Message);
        }
    }

    /// <summary>The route of a request that is answered off the loop; null if there is none.</summary>
    public ReadRoute? Find(string method) => _reads.GetValueOrDefault(method);

    /// <summary>Runs a read route. Never fails: every failure is an outcome.</summary>
    public async Task<Outcome> RunAsync(ReadRoute route, SessionSnapshot snapshot, RpcMessage.Request request, CancellationToken cancellation)
    {
        try
        {
            return await route.Handler(snapshot, request.Params, cancellation);
        }
        catch (OperationCanceledException)
        {
            return route.Canceled;
        }
        catch (UserException exception) when (!route.IsQuiet)
        {
            var code = exception is RefusedException ? RpcErrorCode.ModelRefused : RpcErrorCode.RequestFailed;
            return new Outcome.Failure(code, exception.Phrase.In(snapshot.Speech));
        }
        catch (Exception exception) when (!route.IsQuiet && exception is IOException or UnauthorizedAccessException)
        {
            return new Outcome.Failure(RpcErrorCode.RequestFailed, exception.Message);
        }
        catch (RpcException exception) when (!route.IsQuiet)
        {
            return new Outcome.Failure(exception.Code, exception.Message);
        }
#pragma warning disable CA1031 // One request must not end the session; the fault is reported.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fault($"{request.Method}: {exception}");
            return route.IsQuiet ? Outcome.Result.Null : new Outcome.Failure(RpcErrorCode.InternalError, exception.Message);
        }
    }

    private static T Read<T>(JsonElement parameters, Func<LspJson, JsonTypeInfo<T>> typeOf)
    {
        try
        {
            var type = typeOf(LspJson.Default);
            if (parameters.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            {
                return JsonSerializer.Deserialize("{}", type)!;
            }

            return parameters.Deserialize(type) ?? throw new JsonException("null");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw new RpcException(RpcErrorCode.InvalidParams, $"The parameters cannot be read: {exception.Message}");
        }
    }

    /// <summary>A request that is answered off the loop.</summary>
    internal sealed record ReadRoute(bool IsQuiet, Func<SessionSnapshot, JsonElement, CancellationToken, Task<Outcome>> Handler)
    {
        /// <summary>What a canceled request is answered with.</summary>
        public Outcome Canceled => IsQuiet ? Outcome.Result.Null : new Outcome.Failure(RpcErrorCode.RequestCancelled, "The request was canceled.");
    }
}
