// Reads a blocking stream on a thread of its own.
using System.IO.Pipelines;

namespace LlmAssist.Server.Rpc;

/// <summary>
/// Makes a pipe of a stream whose reads block, as those of standard input do. An asynchronous read of such a stream would
/// hold a thread of the pool for as long as the user does not type, and on a small laptop the pool has two.
/// </summary>
internal static class InputThread
{
    /// <summary>Starts reading; the pipe ends where the stream ends. Large input waits for its reader.</summary>
    public static PipeReader Start(Stream input)
    {
        var pipe = new Pipe(new PipeOptions(useSynchronizationContext: false, minimumSegmentSize: 16 * 1024));
        var thread = new Thread(() => Read(input, pipe.Writer)) { IsBackground = true, Name = "stdin" };
        thread.Start();
        return pipe.Reader;
    }

    private static void Read(Stream input, PipeWriter output)
    {
        try
        {
            while (true)
            {
                var count = input.Read(output.GetSpan());
                if (count == 0)
                {
                    output.Complete();
                    return;
                }

                output.Advance(count);
                var flushed = output.FlushAsync();
                if ((flushed.IsCompleted ? flushed.Result : flushed.AsTask().GetAwaiter().GetResult()).IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            output.Complete(exception);
        }
    }
}
