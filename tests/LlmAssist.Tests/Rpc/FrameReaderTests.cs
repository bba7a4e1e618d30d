using System.IO.Pipelines;
using System.Text;
using LlmAssist.Server.Rpc;

namespace LlmAssist.Tests.Rpc;

public sealed class FrameReaderTests
{
    [Fact]
    public async Task Frames_cut_at_every_byte_yield_the_same_payloads()
    {
        string[] payloads = ["""{"a":"ñ😀"}""", "", """{"Content-Length: 3\r\n\r\n":1}"""];
        var stream = Encoding.UTF8.GetBytes(string.Concat(payloads.Select(Framed)));
        for (var first = 0; first <= stream.Length; first++)
        {
            for (var second = first; second <= stream.Length; second++)
            {
                Assert.Equal(payloads, await ReadAll([stream[..first], stream[first..second], stream[second..]]));
            }
        }

        Assert.Equal(payloads, await ReadAll([.. stream.Select(single => new[] { single })]));
    }

    [Theory]
    [InlineData("Content-Length: 2\r\n\r\n{}")]
    [InlineData("content-length:2\r\n\r\n{}")]
    [InlineData("CONTENT-LENGTH:   2  \r\n\r\n{}")]
    [InlineData("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}")]
    [InlineData("Content-Type: text/plain; charset=utf8\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("X-Whatever: a:b:c\r\nContent-Length: 2\r\n\r\n{}")]
    public async Task Tolerates(string stream) => Assert.Equal(["{}"], await ReadAll([Encoding.UTF8.GetBytes(stream)]));

    [Theory]
    [InlineData("hello\r\n\r\n", "'hello' is not a header field")]
    [InlineData("\r\n\r\n", "is not a header field")]
    [InlineData("Content-Type: a\r\n\r\n{}", "has no Content-Length")]
    [InlineData(": 2\r\n\r\n{}", "': 2' is not a header field")]
    [InlineData("Content Length: 2\r\n\r\n{}", "has no Content-Length")]
    [InlineData("Content-Length: \r\n\r\n{}", "does not give a length")]
    [InlineData("Content-Length: -2\r\n\r\n{}", "'Content-Length: -2' does not give a length")]
    [InlineData("Content-Length: 2.0\r\n\r\n{}", "does not give a length")]
    [InlineData("Content-Length: 0x2\r\n\r\n{}", "does not give a length")]
    [InlineData("Content-Length: 99999999999999999999\r\n\r\n{}", "does not give a length")]
    [InlineData("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "two lengths")]
    [InlineData("Content-Length: 2\r\n", "ended inside a frame's header")]
    [InlineData("Content-Le", "ended inside a frame's header")]
    [InlineData("Content-Length: 5\r\n\r\n{}", "3 bytes before the end")]
    [InlineData("{\"jsonrpc\":\"2.0\"}\r\n\r\n", "has no Content-Length")]
    [InlineData("\0\0\0\r\n\r\n", "'???' is not a header field")]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost:80\r\n\r\n", "'GET / HTTP/1.1' is not a header field")]
    public async Task Refuses(string stream, string reason)
    {
        var refusal = await Assert.ThrowsAsync<FramingException>(() => ReadAll([Encoding.Latin1.GetBytes(stream)]));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_header_without_end_is_refused_before_it_is_held(bool withLines)
    {
        var endless = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(withLines ? "X: y\r\n" : "XXXXXX", 200)));
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(endless);
        var reader = new FrameReader(pipe.Reader, maximumHeader: 1000);
        var refusal = await Assert.ThrowsAsync<FramingException>(async () => await reader.ReadAsync(CancellationToken.None));
        Assert.Contains("within 1000 bytes", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_oversize_payload_is_skipped_and_the_next_one_read()
    {
        var stream = Encoding.UTF8.GetBytes(Framed(new string('x', 11)) + Framed(new string('y', 10)));
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            Assert.Equal(["oversize 11", "yyyyyyyyyy"], await ReadAll([stream[..cut], stream[cut..]], maximumPayload: 10));
        }
    }

    [Fact]
    public async Task Random_bytes_never_do_worse_than_a_refusal()
    {
        var random = new Random(20261120);
        var valid = Encoding.UTF8.GetBytes(Framed("""{"a":1}""") + Framed("{}"));
        for (var round = 0; round < 3000; round++)
        {
            var stream = (byte[])valid.Clone();
            for (var change = random.Next(1, 4); 0 < change; change--)
            {
                stream[random.Next(stream.Length)] = (byte)random.Next(256);
            }

            try
            {
                await ReadAll([stream], maximumPayload: 1000);
            }
            catch (FramingException)
            {
                // The one allowed way to fail.
            }
        }
    }

    internal static string Framed(string payload) => $"Content-Length: {Encoding.UTF8.GetByteCount(payload)}\r\n\r\n{payload}";

    // Feeds the pieces one by one, the next only when the reader waits for it, and returns all payloads.
    private static async Task<List<string>> ReadAll(byte[][] pieces, int maximumPayload = 1 << 20)
    {
        var pipe = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        var reading = Read();
        foreach (var piece in pieces)
        {
            await pipe.Writer.WriteAsync(piece);
        }

        await pipe.Writer.CompleteAsync();
        return await reading;

        async Task<List<string>> Read()
        {
            var payloads = new List<string>();
            var reader = new FrameReader(pipe.Reader, maximumPayload: maximumPayload);
            while (await reader.ReadAsync(CancellationToken.None) is { IsEnd: false } frame)
            {
                payloads.Add(frame.Payload is { } payload ? Encoding.UTF8.GetString(payload) : $"oversize {frame.SkippedBytes}");
            }

            return payloads;
        }
    }
}
