// The only writer of the output. One queue, so that frames never mix.
using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace LlmAssist.Server.Rpc;

/// <summary>Writes frames in the order in which they were handed over. Safe on any thread.</summary>
internal sealed class FrameWriter(Stream output)
{
    private readonly Channel<byte[]> _queue = Channel.CreateUnbounded<byte[]>(new() { SingleReader = true });

    /// <summary>Queues a payload. After <see cref="Complete"/> it is dropped: nobody reads any more.</summary>
    public void Write(byte[] payload) => _queue.Writer.TryWrite(payload);

    /// <summary>Says that nothing more comes; what is queued is still written.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    /// <summary>Writes until <see cref="Complete"/> or until the peer does not read any more.</summary>
    public async Task RunAsync()
    {
        try
        {
            await foreach (var payload in _queue.Reader.ReadAllAsync())
            {
                var header = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {payload.Length}\r\n\r\n"));
                await output.WriteAsync(header);
                await output.WriteAsync(payload);
                if (!_queue.Reader.TryPeek(out _))
                {
                    await output.FlushAsync();
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer is gone. Its end of the input will be seen by the reader.
            Complete();
        }
    }
}
