using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Rpc;

namespace LlmAssist.Tests.Rpc;

public sealed class RpcConnectionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly JsonElement Object = JsonElement.Parse("{}");
    private static readonly JsonTypeInfo<JsonElement> Json = LspJson.Default.JsonElement;

    [Fact]
    public async Task What_is_no_message_is_refused_and_the_rest_goes_on()
    {
        await using var peer = new Peer(maximumPayload: 100);
        await peer.SendAsync("{nonsense", "[1,2]", new string('x', 101), """{"jsonrpc":"2.0","id":"é","method":7}""", """{"jsonrpc":"2.0","method":"m"}""");
        Assert.StartsWith("""{"jsonrpc":"2.0","id":null,"error":{"code":-32700,""", await peer.ReadAsync(), StringComparison.Ordinal);
        Assert.StartsWith("""{"jsonrpc":"2.0","id":null,"error":{"code":-32600,""", await peer.ReadAsync(), StringComparison.Ordinal);
        Assert.StartsWith("""{"jsonrpc":"2.0","id":null,"error":{"code":-32600,""", await peer.ReadAsync(), StringComparison.Ordinal);
        Assert.StartsWith("""{"jsonrpc":"2.0","id":"é","error":{"code":-32600,""", await peer.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal("m", Assert.IsType<RpcMessage.Notification>(await peer.Received.Reader.ReadAsync()).Method);
    }

    [Fact]
    public async Task Calls_are_answered_by_their_ids_in_any_order()
    {
        await using var peer = new Peer();
        var first = peer.Connection.CallAsync("ask", Object, Json, CancellationToken.None);
        var second = peer.Connection.CallAsync("ask", Object, Json, CancellationToken.None);
        Assert.Equal("""{"jsonrpc":"2.0","id":1,"method":"ask","params":{}}""", await peer.ReadAsync());
        Assert.Equal("""{"jsonrpc":"2.0","id":2,"method":"ask","params":{}}""", await peer.ReadAsync());
        await peer.SendAsync(
            """{"jsonrpc":"2.0","id":99,"result":0}""",
            """{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"?"}}""",
            """{"jsonrpc":"2.0","id":2,"error":{"code":5,"message":"no"}}""",
            """{"jsonrpc":"2.0","id":1,"result":[1]}""",
            """{"jsonrpc":"2.0","id":1,"result":[2]}""");
        Assert.Equal("[1]", (await first).GetRawText());
        var refusal = await Assert.ThrowsAsync<RpcException>(() => second);
        Assert.Equal((5, "no"), (refusal.Code, refusal.Message));
    }

    [Fact]
    public async Task A_call_fails_when_the_connection_ends_and_also_afterwards()
    {
        await using var peer = new Peer();
        var before = peer.Connection.CallAsync("ask", Object, Json, CancellationToken.None);
        await peer.EndInputAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => before);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => peer.Connection.CallAsync("ask", Object, Json, CancellationToken.None));
        Assert.NotNull(await peer.ReadAsync());
        Assert.NotNull(await peer.ReadAsync());
    }

    [Fact]
    public async Task A_canceled_call_ends_at_once_and_its_late_answer_is_ignored()
    {
        await using var peer = new Peer();
        using var cancellation = new CancellationTokenSource();
        var call = peer.Connection.CallAsync("ask", Object, Json, cancellation.Token);
        await peer.ReadAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await peer.SendAsync("""{"jsonrpc":"2.0","id":1,"result":0}""", """{"jsonrpc":"2.0","id":7,"method":"m"}""");
        Assert.IsType<RpcMessage.Request>(await peer.Received.Reader.ReadAsync());
    }

    [Fact]
    public async Task Frames_of_many_threads_never_interleave()
    {
        const int Threads = 4;
        const int Each = 500;
        await using var peer = new Peer();
        var writing = Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (var number = 0; number < Each; number++)
            {
                peer.Connection.Notify("n", JsonElement.Parse($"[{thread},{number},\"{new string('x', number)}\"]"), Json);
            }
        })));

        var next = new int[Threads];
        for (var count = 0; count < Threads * Each; count++)
        {
            using var message = JsonDocument.Parse(await peer.ReadAsync());
            var parameters = message.RootElement.GetProperty("params");
            Assert.Equal(next[parameters[0].GetInt32()]++, parameters[1].GetInt32());
        }

        await writing;
    }

    [Fact]
    public async Task A_garbage_header_ends_the_connection_with_its_reason()
    {
        await using var peer = new Peer();
        await peer.SendRawAsync("garbage\r\n\r\n");
        var reason = await Assert.ThrowsAsync<FramingException>(() => peer.Running.WaitAsync(Patience));
        Assert.Contains("garbage", reason.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Writing_ends_quietly_when_nobody_reads()
    {
        var gone = new MemoryStream();
        await gone.DisposeAsync();
        var connection = new RpcConnection(new Pipe().Reader, gone);
        var writing = connection.WriteAsync();
        connection.Notify("n", Object, Json);
        await writing.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_blocking_stream_is_read_to_its_end()
    {
        var bytes = new byte[300_000];
        new Random(1).NextBytes(bytes);
        var input = InputThread.Start(new MemoryStream(bytes));
        using var copy = new MemoryStream();
        await input.CopyToAsync(copy).WaitAsync(Patience);
        Assert.Equal(bytes, copy.ToArray());
    }

    // The other end of a connection.
    private sealed class Peer : IAsyncDisposable
    {
        private readonly Pipe _input = new();
        private readonly Pipe _output = new();
        private readonly FrameReader _frames;

        public Peer(int maximumPayload = 1 << 20)
        {
            _frames = new(_output.Reader);
            Connection = new(_input.Reader, _output.Writer.AsStream(), maximumPayload);
            Writing = Connection.WriteAsync();
            Running = Connection.ReadAsync(message => Received.Writer.TryWrite(message), CancellationToken.None);
        }

        public RpcConnection Connection { get; }

        public Task Writing { get; }

        public Task Running { get; }

        public System.Threading.Channels.Channel<RpcMessage> Received { get; } = System.Threading.Channels.Channel.CreateUnbounded<RpcMessage>();

        public async Task SendAsync(params string[] payloads) => await SendRawAsync(string.Concat(payloads.Select(FrameReaderTests.Framed)));

        public async Task SendRawAsync(string bytes) => await _input.Writer.WriteAsync(Encoding.UTF8.GetBytes(bytes));

        public async Task<string> ReadAsync()
        {
            var frame = await _frames.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
            Assert.NotNull(frame.Payload);
            return Encoding.UTF8.GetString(frame.Payload);
        }

        public async Task EndInputAsync()
        {
            await _input.Writer.CompleteAsync();
            await Running.WaitAsync(Patience);
        }

        public async ValueTask DisposeAsync()
        {
            await _input.Writer.CompleteAsync();
            Connection.CompleteWriting();
            await Writing.WaitAsync(Patience);
        }
    }
}
