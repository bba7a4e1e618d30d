// Waiting for the end of a process that is not our child.
namespace LlmAssist.Engine.Sharing;

/// <summary>Tells when a process has ended.</summary>
public static class ProcessEnd
{
    // The runtime asks ten times a second, for which a server that does nothing paid with one percent of a core.
    private static readonly TimeSpan Polling = TimeSpan.FromSeconds(3);

    /// <summary>Ends when the process has, at most three seconds later; at once if there is none.</summary>
    /// <exception cref="OperationCanceledException">Canceled before.</exception>
    public static async Task WaitAsync(int processId, TimeProvider time, CancellationToken cancellation)
    {
        var process = ProcessMark.Of(processId);
        while (process.Life() != ProcessLife.Dead)
        {
            await Task.Delay(Polling, time, cancellation);
        }
    }
}
