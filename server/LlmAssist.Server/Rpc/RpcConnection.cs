// A JSON-RPC connection over two streams: pumps, our own calls and their ids. What requests mean is the session's business.
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LlmAssist.Server.Rpc;

/// <summary>One connection. Sending is safe on any thread.</summary>
/// <param name="input">What the peer sends.</param>
/// <param name="output">What the peer reads.</param>
/// <param name="maximumPayload">Bytes of a message that comes in, at the most; longer ones are refused.</param>
internal sealed class RpcConnection(PipeReader input, Stream output, int maximumPayload = 64 * 1024 * 1024)
{
    private readonly FrameReader _reader = new(input, maximumPayload: maximumPayload);
    private readonly FrameWriter _writer = new(output);
    private readonly ConcurrentDictionary<RequestId, TaskCompletionSource<JsonElement>> _calls = new();
    private long _lastCall;
    private volatile bool _hasEnded;

    /// <summary>
    /// Reads until the input ends, handing requests and notifications to <paramref name="receive"/> in the order of their coming. What is no
    /// message is answered here. Then our own open calls fail.
    /// </summary>
    /// <exception cref="FramingException">The input is not frames.</exception>
    public async Task ReadAsync(Action<RpcMessage> receive, CancellationToken cancellation)
    {
        try
        {
            while (await _reader.ReadAsync(cancellation) is { IsEnd: false } frame)
            {
                if (frame.Payload is null)
                {
                    _writer.Write(RpcMessage.Refusal(null, RpcErrorCode.InvalidRequest, $"A payload of {frame.SkippedBytes} bytes is too long and was skipped."));
                    continue;
                }

                switch (RpcMessage.Parse(frame.Payload))
                {
                    case RpcMessage.Invalid invalid:
                        _writer.Write(RpcMessage.Refusal(invalid.Id, invalid.Code, invalid.Reason));
                        break;
                    case RpcMessage.Response response:
                        Complete(response);
                        break;
                    case var message:
                        receive(message);
                        break;
                }
            }
        }
        finally
        {
            _hasEnded = true;
            EndCalls();
        }
    }

    /// <summary>Writes what is sent until <see cref="CompleteWriting"/>.</summary>
    public Task WriteAsync() => _writer.RunAsync();

    /// <summary>Nothing is sent any more; what is queued is still written.</summary>
    public void CompleteWriting() => _writer.Complete();

    public void Respond(RequestId id, ReadOnlyMemory<byte> result) => _writer.Write(RpcMessage.Answer(id, result));

    public void RespondError(RequestId id, int code, string reason) => _writer.Write(RpcMessage.Refusal(id, code, reason));

    public void Notify<T>(string method, T parameters, JsonTypeInfo<T> type) => _writer.Write(RpcMessage.Call(null, method, parameters, type));

    /// <summary>Asks the peer.</summary>
    /// <exception cref="RpcException">It answered with an error.</exception>
    /// <exception cref="OperationCanceledException">Canceled, or the connection ended first.</exception>
    public async Task<JsonElement> CallAsync<T>(string method, T parameters, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var id = new RequestId(Interlocked.Increment(ref _lastCall).ToString(CultureInfo.InvariantCulture));
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[id] = answer;
        using var registration = cancellation.Register(() => answer.TrySetCanceled(cancellation));
        try
        {
            _writer.Write(RpcMessage.Call(id, method, parameters, type));
            if (_hasEnded)
            {
                // Looked at after the call was noted: either the end finds it, or it finds the end.
                EndCalls();
            }

            return await answer.Task;
        }
        finally
        {
            _calls.TryRemove(id, out _);
        }
    }

    // An answer to what we never asked, or not any more, is nobody's.
    private void Complete(RpcMessage.Response response)
    {
        if (response.Id is not { } id || !_calls.TryGetValue(id, out var call))
        {
            return;
        }

        if (response.Error is { } error)
        {
            call.TrySetException(error);
        }
        else
        {
            call.TrySetResult(response.Result);
        }
    }

    private void EndCalls()
    {
        foreach (var call in _calls.Values)
        {
            call.TrySetCanceled(CancellationToken.None);
        }
    }
}
