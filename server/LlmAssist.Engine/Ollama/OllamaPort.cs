// Whether anybody listens where Ollama should. Cheap on purpose: most machines have no Ollama.
using System.Net.Sockets;

namespace LlmAssist.Engine.Ollama;

/// <summary>Knocks at the port before the HTTP client, whose code alone takes several megabytes of memory, is brought in.</summary>
public static class OllamaPort
{
    /// <summary>Ends when somebody on this machine listens at the endpoint; for other machines, which a proxy may stand before, at once.</summary>
    /// <exception cref="OllamaException">Nobody does.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static async Task KnockAsync(Uri endpoint, CancellationToken cancellation)
    {
        if (!endpoint.IsLoopback)
        {
            return;
        }

        // Blocking, on a thread of the pool: between two ends on one machine it takes microseconds, and the machinery for sockets that do
        // not block would stay in memory for good.
        await Task.Run(
            () =>
            {
                try
                {
                    using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    socket.Connect(endpoint.IdnHost, endpoint.Port);
                }
                catch (SocketException exception)
                {
                    throw OllamaException.Unreachable(endpoint, exception);
                }
            },
            cancellation);
    }
}
