// One connection of a client, as bytes: reads requests, writes replies in any state of disrepair. Knows HTTP/1.1 as far as
// clients of Ollama use it (bodies with a length, no pipelining to speak of).
using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;

namespace LlmAssist.FakeOllama;

/// <summary>A request, as it came.</summary>
public sealed record HttpRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body);

internal sealed class HttpConnection : IDisposable
{
    private const int MaxHeadBytes = 64 << 10;
    private const int MaxBodyBytes = 64 << 20;

    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly Pipe _input = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly CancellationTokenSource _gone = new();

    public HttpConnection(Socket socket)
    {
        _socket = socket;
        _socket.NoDelay = true;
        _stream = new(socket);
        _ = PumpAsync();
    }

    /// <summary>Cancelled as soon as the client has closed the connection.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <summary>Whether the client has closed the connection, also where that has not been read yet.</summary>
    public bool IsClosedByClient
    {
        get
        {
            try
            {
                return Gone.IsCancellationRequested || (_socket.Poll(TimeSpan.Zero, SelectMode.SelectRead) && _socket.Available == 0);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return true;
            }
        }
    }

    /// <summary>The next request; null when the client has no more, or sends what is no request.</summary>
    public async Task<HttpRequest?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var read = await _input.Reader.ReadAsync(cancellation);
            if (TryParse(read.Buffer, out var request, out var consumed))
            {
                _input.Reader.AdvanceTo(consumed);
                return request;
            }

            if (read.IsCompleted || MaxHeadBytes + MaxBodyBytes < read.Buffer.Length)
            {
                return null;
            }

            _input.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes) => _stream.WriteAsync(bytes, Gone);

    public ValueTask WriteAsync(string text) => WriteAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>A whole reply, or the head of one.</summary>
    public ValueTask ReplyAsync(int status, string contentType, ReadOnlySpan<byte> body, string headers, bool withBody)
    {
        var type = contentType.Length == 0 ? "" : $"Content-Type: {contentType}\r\n";
        byte[] reply = [.. Encoding.UTF8.GetBytes($"HTTP/1.1 {status} {Reason(status)}\r\n{type}{headers}Content-Length: {body.Length}\r\n\r\n"), .. withBody ? body : []];
        return WriteAsync(reply);
    }

    public ValueTask BeginChunksAsync(string contentType) =>
        WriteAsync($"HTTP/1.1 200 OK\r\nContent-Type: {contentType}\r\nTransfer-Encoding: chunked\r\n\r\n");

    public ValueTask ChunkAsync(ReadOnlySpan<byte> bytes)
    {
        byte[] chunk = [.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8];
        return WriteAsync(chunk);
    }

    public ValueTask EndChunksAsync() => WriteAsync("0\r\n\r\n");

    /// <summary>Announces a chunk and sends only its beginning.</summary>
    public ValueTask TornChunkAsync() => WriteAsync("40\r\n{\"model\":\"torn");

    /// <summary>Closes with a reset instead of a proper end.</summary>
    public void Reset() => _socket.Close(0);

    /// <summary>Closes as a server does that ends: whoever is being served learns it before this returns.</summary>
    public void Cut()
    {
        _gone.Cancel();
        Reset();
    }

    public void Dispose()
    {
        // Says that no more comes before closing: what was written arrives, even if the client has sent something unread.
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        _stream.Dispose();
        _socket.Dispose();
    }

    // Always reading, so that a client that leaves is noticed while it is being answered.
    private async Task PumpAsync()
    {
        try
        {
            while (true)
            {
                var count = await _stream.ReadAsync(_input.Writer.GetMemory(4096));
                if (count == 0)
                {
                    break;
                }

                _input.Writer.Advance(count);
                await _input.Writer.FlushAsync();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // Gone, by the client or by us.
        }

        await _gone.CancelAsync();
        await _input.Writer.CompleteAsync();
    }

    private static bool TryParse(ReadOnlySequence<byte> buffer, out HttpRequest? request, out SequencePosition consumed)
    {
        request = null;
        consumed = buffer.Start;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryReadTo(out ReadOnlySequence<byte> head, "\r\n\r\n"u8))
        {
            return false;
        }

        var lines = Encoding.ASCII.GetString(head).Split("\r\n");
        var words = lines[0].Split(' ');
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[colon < 0 ? line : line[..colon]] = colon < 0 ? "" : line[(colon + 1)..].Trim();
        }

        var length = headers.TryGetValue("Content-Length", out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        if (reader.Remaining < length)
        {
            return false;
        }

        var body = buffer.Slice(reader.Position, length);
        request = new(words[0], words.Length < 2 ? "/" : words[1].Split('?')[0], headers, body.ToArray());
        consumed = body.End;
        return true;
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    };
}
