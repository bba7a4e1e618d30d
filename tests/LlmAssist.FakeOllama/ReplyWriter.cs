// Writes the reply to one request, and spoils it as the fault says. A reply that is no stream counts as one frame.
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LlmAssist.FakeOllama;

/// <summary>The reply ended otherwise than meant; the connection is of no further use.</summary>
internal sealed class SpoiledException : Exception;

internal sealed class ReplyWriter(HttpConnection connection, Asked asked, Fault? fault, Scenario scenario, TimeProvider time)
{
    private const string Json = "application/json; charset=utf-8";
    private const string Ndjson = "application/x-ndjson";

    private static readonly JsonSerializerOptions AsGoWrites = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private bool _isStream;
    private int _frames;

    /// <summary>What goes wrong with this reply; null for nothing.</summary>
    public Fault? Fault { get; } = fault;

    /// <summary>Whether the client has left, also where that has not been noticed otherwise.</summary>
    public bool IsClientGone => connection.IsClosedByClient;

    /// <summary>Spoils the reply before it begins, if that is the fault.</summary>
    /// <returns>Whether that was the whole reply.</returns>
    public async Task<bool> SpoilBeginningAsync(bool streams)
    {
        switch (Fault)
        {
            case { Kind: FaultKind.Reset or FaultKind.Stall, Frame: 0 }:
                await SpoilAsync(Fault);
                return true;
            case { Kind: FaultKind.Raw }:
                asked.Conclude();
                await connection.WriteAsync(Fault.Raw);
                throw new SpoiledException();
            case { Kind: FaultKind.Body }:
                await ReplyAsync(Fault.Status, Fault.ContentType, Encoding.UTF8.GetBytes(Fault.Text));
                return true;
            case { Kind: FaultKind.Redirect }:
                await ReplyAsync(307, "", default, $"Location: {Fault.Text}\r\n");
                return true;
            case { Kind: FaultKind.Error }:
                await ErrorAsync(Fault.Status, Fault.Text, streams);
                return true;
            default:
                return false;
        }
    }

    /// <summary>A reply of one object.</summary>
    public async Task ObjectAsync(JsonObject reply)
    {
        var bytes = Bytes(reply);
        if (Fault is { Kind: FaultKind.Torn or FaultKind.Stall or FaultKind.Reset or FaultKind.LongLine or FaultKind.NoDone or FaultKind.ErrorLine })
        {
            switch (Fault.Kind)
            {
                case FaultKind.LongLine:
                    await ReplyAsync(200, Json, Long(Fault.Bytes));
                    return;
                case FaultKind.NoDone:
                    reply["done"] = false;
                    await ReplyAsync(200, Json, Bytes(reply));
                    return;
                case FaultKind.ErrorLine:
                    await ReplyAsync(200, Json, Bytes(new() { ["error"] = Fault.Text }));
                    return;
                default:
                    await connection.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Type: {Json}\r\nContent-Length: {bytes.Length}\r\n\r\n");
                    await connection.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
                    await SpoilAsync(Fault);
                    return;
            }
        }

        await ReplyAsync(200, Json, bytes);
        asked.FrameSent();
    }

    /// <summary>The next object of a stream.</summary>
    /// <param name="frame">The object.</param>
    /// <param name="ended">Who makes the frames cannot go on; null for as long as the client is there.</param>
    /// <param name="isLast">Whether clients need to read no further.</param>
    public async Task FrameAsync(JsonObject frame, CancellationToken? ended = null, bool isLast = false)
    {
        await SpoilHereAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(scenario.FrameMilliseconds), time, ended ?? connection.Gone);
        if (isLast)
        {
            asked.Conclude();
        }

        await BeginAsync();
        await connection.ChunkAsync([.. Bytes(frame), (byte)'\n']);
        _frames++;
        asked.FrameSent();
    }

    /// <summary>The end of a stream.</summary>
    public async Task EndAsync()
    {
        await SpoilHereAsync();
        asked.Conclude();
        await BeginAsync();
        await connection.EndChunksAsync();
    }

    /// <summary>An error; in a stream that has begun, or in an old version, as a line of it.</summary>
    public async Task ErrorAsync(int status, string text, bool streams)
    {
        var error = new JsonObject { ["error"] = text };
        if (_isStream || (streams && scenario.ErrorsAsLines))
        {
            asked.Conclude();
            await BeginAsync();
            await connection.ChunkAsync([.. Bytes(error), (byte)'\n']);
            await connection.EndChunksAsync();
            return;
        }

        await ReplyAsync(status, Json, Bytes(error));
    }

    public ValueTask TextAsync(int status, string text) => ReplyAsync(status, text.Length == 0 ? "" : "text/plain", Encoding.UTF8.GetBytes(text));

    // To a question for the head alone the answer has no body.
    private ValueTask ReplyAsync(int status, string contentType, ReadOnlySpan<byte> body, string headers = "")
    {
        asked.Conclude();
        return connection.ReplyAsync(status, contentType, body, headers, withBody: asked.Method != "HEAD");
    }

    private async Task SpoilHereAsync()
    {
        if (Fault is null || Fault.Frame != _frames)
        {
            return;
        }

        if (Fault.Kind is FaultKind.ErrorLine or FaultKind.NoDone or FaultKind.LongLine or FaultKind.Torn)
        {
            asked.Conclude();
        }

        switch (Fault.Kind)
        {
            case FaultKind.ErrorLine:
                await BeginAsync();
                await connection.ChunkAsync([.. Bytes(new() { ["error"] = Fault.Text }), (byte)'\n']);
                await connection.EndChunksAsync();
                throw new SpoiledException();
            case FaultKind.NoDone:
                await BeginAsync();
                await connection.EndChunksAsync();
                throw new SpoiledException();
            case FaultKind.LongLine:
                await BeginAsync();
                await connection.ChunkAsync(Long(Fault.Bytes));
                await connection.EndChunksAsync();
                throw new SpoiledException();
            case FaultKind.Torn:
                await BeginAsync();
                await connection.TornChunkAsync();
                throw new SpoiledException();
            case FaultKind.Reset or FaultKind.Stall:
                await SpoilAsync(Fault);
                break;
        }
    }

    private async Task SpoilAsync(Fault fault)
    {
        if (fault.Kind == FaultKind.Reset)
        {
            asked.Conclude();
            connection.Reset();
        }
        else if (fault.Kind == FaultKind.Stall)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, connection.Gone);
        }

        throw new SpoiledException();
    }

    private async ValueTask BeginAsync()
    {
        if (!_isStream)
        {
            _isStream = true;
            await connection.BeginChunksAsync(Ndjson);
        }
    }

    private byte[] Bytes(JsonObject reply)
    {
        if (scenario.UnknownMembers)
        {
            reply["of_the_future"] = new JsonArray(1, null, new JsonObject { ["deep"] = new JsonArray("x", 1.5) });
        }

        // These three occur in texts only, so that replacing them cannot hurt the structure.
        return Encoding.UTF8.GetBytes(reply.ToJsonString(AsGoWrites)
            .Replace("<", "\\u003c", StringComparison.Ordinal)
            .Replace(">", "\\u003e", StringComparison.Ordinal)
            .Replace("&", "\\u0026", StringComparison.Ordinal));
    }

    private static byte[] Long(int bytes)
    {
        var line = new byte[bytes];
        line.AsSpan().Fill((byte)'x');
        return line;
    }
}
