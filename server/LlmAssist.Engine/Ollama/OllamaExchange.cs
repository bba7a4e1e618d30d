// One request and its reply, read as lines of JSON under a deadline. The one place where failures of HTTP, of the network
// and of JSON become OllamaException.
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LlmAssist.Engine.Ollama;

/// <summary>An open reply. Disposing it before its end closes the connection, by which Ollama stops working on it.</summary>
internal sealed class OllamaExchange : IDisposable
{
    // The last frame of a generation may list every token of the prompt.
    private const int MaxLineBytes = 4 << 20;
    private const int MaxBodyBytes = 64 << 20; // 'show' lists every tensor of the model
    private const int MaxErrorBytes = 64 << 10;
    private const int ScanBytes = 32 << 10;
    private const int MaxScanBytes = 4 << 20; // for one text, such as a license

    private readonly Uri _endpoint;
    private readonly string? _model;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _deadline;
    private readonly CancellationTokenSource _either; // the caller or the deadline
    private HttpResponseMessage? _response;
    private LineReader? _lines;
    private Stream? _stream;

    private OllamaExchange(Uri endpoint, string? model, TimeProvider time, CancellationToken caller)
    {
        _endpoint = endpoint;
        _model = model;
        _caller = caller;
        _deadline = new(Timeout.InfiniteTimeSpan, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(caller, _deadline.Token);
    }

    /// <summary>Sends a request and waits until a successful reply begins.</summary>
    /// <param name="model">The model it is about, for errors; null for none.</param>
    /// <param name="deadline">For the beginning of the reply.</param>
    public static async Task<OllamaExchange> OpenAsync(
        HttpMessageInvoker http, Uri endpoint, HttpRequestMessage request, string? model, TimeSpan deadline, TimeProvider time, CancellationToken caller)
    {
        var exchange = new OllamaExchange(endpoint, model, time, caller);
        try
        {
            await exchange.GuardAsync(deadline, () => exchange.SendAsync(http, request));
            return exchange;
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    /// <summary>The next line of the reply; null at its end.</summary>
    /// <param name="deadline">For this line.</param>
    public Task<T?> NextAsync<T>(JsonTypeInfo<T> type, TimeSpan deadline)
        where T : WireReply =>
        GuardAsync(deadline, async () => await _lines!.ReadAsync(_either.Token) is { } line ? Decode(line.Span, type) : null);

    /// <summary>The whole reply.</summary>
    /// <param name="deadline">For its end.</param>
    public Task<T> WholeAsync<T>(JsonTypeInfo<T> type, TimeSpan deadline)
        where T : WireReply =>
        GuardAsync(deadline, async () =>
        {
            var body = await ReadUpToAsync(MaxBodyBytes + 1);
            return body.Length <= MaxBodyBytes ? Decode(body.Span, type) : throw OllamaException.TooLong(_endpoint, MaxBodyBytes);
        });

    /// <summary>Reads the whole reply without keeping it, for replies that are large and mean little to us.</summary>
    /// <param name="deadline">For its end.</param>
    public Task<bool> ScanAsync(ListScan scan, TimeSpan deadline) => GuardAsync(deadline, async () =>
    {
        var buffer = new byte[ScanBytes];
        var length = 0;
        for (var total = 0L; ;)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, length < MaxScanBytes ? 2 * length : throw OllamaException.TooLong(_endpoint, MaxScanBytes));
            }

            var count = await _stream!.ReadAsync(buffer.AsMemory(length), _either.Token);
            length += count;
            total += count;
            if (MaxBodyBytes < total)
            {
                throw OllamaException.TooLong(_endpoint, MaxBodyBytes);
            }

            var taken = Take(scan, buffer.AsSpan(0, length), isEnd: count == 0);
            buffer.AsSpan(taken, length - taken).CopyTo(buffer);
            length -= taken;
            if (count == 0)
            {
                return true;
            }
        }
    });

    /// <summary>
    /// Reads what follows the last frame, so that the connection can serve again. That is nothing; a server that thinks otherwise
    /// costs this connection, not the answer.
    /// </summary>
    /// <param name="deadline">For the end of the reply.</param>
    public async Task FinishAsync(TimeSpan deadline)
    {
        try
        {
            await GuardAsync(deadline, () => _lines!.ReadAsync(_either.Token).AsTask());
        }
        catch (Exception exception) when (exception is OllamaException or OperationCanceledException)
        {
            // The answer was complete.
        }
    }

    public void Dispose()
    {
        _response?.Dispose();
        _either.Dispose();
        _deadline.Dispose();
    }

    private async Task<bool> SendAsync(HttpMessageInvoker http, HttpRequestMessage request)
    {
        _response = await http.SendAsync(request, _either.Token);
        _stream = await _response.Content.ReadAsStreamAsync(_either.Token);
        _lines = new(_stream, MaxLineBytes);
        var status = (int)_response.StatusCode;
        if (status is >= 200 and < 300)
        {
            return true;
        }

        if (status is >= 300 and < 400)
        {
            // Following it would send code to a host that nobody agreed to.
            var target = _response.Headers.Location?.ToString() ?? "?";
            var shown = target.Length <= 200 ? target : target[..200];
            throw OllamaException.BadReply(_endpoint, new Phrase($"a redirection to {shown}", $"una redirección a {shown}"));
        }

        var body = await ReadUpToAsync(MaxErrorBytes);
        throw OllamaException.Told(_endpoint, status, ErrorIn(body.Span), body.Span, _model);
    }

    private async Task<T> GuardAsync<T>(TimeSpan deadline, Func<Task<T>> act)
    {
        _caller.ThrowIfCancellationRequested();
        _deadline.CancelAfter(deadline);
        try
        {
            return await act();
        }
        catch (OperationCanceledException) when (_caller.IsCancellationRequested)
        {
            throw new OperationCanceledException(_caller);
        }
        catch (OperationCanceledException) when (_deadline.IsCancellationRequested)
        {
            throw OllamaException.TimedOut(_endpoint, deadline);
        }
        catch (OperationCanceledException exception)
        {
            // Neither of us gave up: the handler's own limit for connecting has passed.
            throw OllamaException.Unreachable(_endpoint, exception);
        }
        catch (LineTooLongException)
        {
            throw OllamaException.TooLong(_endpoint, MaxLineBytes);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
        {
            // A connection that is closed under a read also fails as an I/O error.
            _caller.ThrowIfCancellationRequested();
            throw _response is not null ? OllamaException.Interrupted(_endpoint, exception)
                : IsNoHttp(exception) ? OllamaException.BadReply(_endpoint, new Phrase("something that is not HTTP", "algo que no es HTTP"), exception)
                : OllamaException.Unreachable(_endpoint, exception);
        }
        finally
        {
            // Between two reads it is the caller who takes time.
            if (!_deadline.IsCancellationRequested)
            {
                _deadline.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }
    }

    private int Take(ListScan scan, ReadOnlySpan<byte> json, bool isEnd)
    {
        try
        {
            return scan.Take(json, isEnd);
        }
        catch (JsonException exception)
        {
            throw OllamaException.BadReply(_endpoint, json, exception);
        }
    }

    private T Decode<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : WireReply
    {
        T? reply;
        try
        {
            reply = JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException exception)
        {
            throw OllamaException.BadReply(_endpoint, json, exception);
        }

        if (reply is null)
        {
            throw OllamaException.BadReply(_endpoint, json, null);
        }

        return reply.Error is null ? reply : throw OllamaException.Told(_endpoint, 200, reply.Error, json, _model);
    }

    private static string? ErrorIn(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, OllamaJson.Default.ErrorWire)?.Error;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // At most so many bytes; fewer only at the end of the reply.
    private async Task<ReadOnlyMemory<byte>> ReadUpToAsync(int limit)
    {
        var buffer = new byte[Math.Min(limit, 8192)];
        var length = 0;
        while (true)
        {
            var count = await _stream!.ReadAsync(buffer.AsMemory(length), _either.Token);
            length += count;
            if (count == 0 || length == limit)
            {
                return buffer.AsMemory(0, length);
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(limit, 2L * length));
            }
        }
    }

    private static bool IsNoHttp(Exception exception) =>
        exception is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded };
}
