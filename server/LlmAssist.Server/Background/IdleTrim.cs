// Gives memory back when the user does something else. What is let go of is not lost: it comes back when it is touched.
using LlmAssist.Engine.Models;

namespace LlmAssist.Server.Background;

/// <summary>
/// Trims the process once, a while after its last work: garbage of requests and of training goes back to the system, and the pages
/// of models that this process has looked at. Safe on any thread.
/// </summary>
internal sealed class IdleTrim : IDisposable
{
    /// <summary>How long nothing must have happened. Longer than the pauses of somebody who types.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    private readonly ITimer _timer;

    public IdleTrim(ModelHost host, TimeProvider time) => _timer = time.CreateTimer(
        _ =>
        {
            host.ReleasePages();

            // Aggressive: without it the collector keeps what a training had needed, some 200 MB, for a next one.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        },
        null,
        Timeout.InfiniteTimeSpan,
        Timeout.InfiniteTimeSpan);

    /// <summary>Work was done: the pause begins anew.</summary>
    public void Postpone() => _timer.Change(Pause, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer.Dispose();
}
