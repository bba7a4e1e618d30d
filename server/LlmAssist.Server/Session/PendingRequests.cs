// Requests that still owe an answer. Touched by the loop only.
using LlmAssist.Server.Rpc;

namespace LlmAssist.Server.Session;

/// <summary>Keeps count of open requests. LSP: exactly one response per request; whoever removes the entry answers.</summary>
internal sealed class PendingRequests
{
    private readonly Dictionary<RequestId, (CancellationTokenSource Cancellation, Outcome Canceled)> _open = [];

    public int Count => _open.Count;

    /// <summary>Opens an entry; null if the id is in use.</summary>
    /// <param name="canceled">The answer if it is canceled.</param>
    public CancellationToken? TryAdd(RequestId id, Outcome canceled)
    {
        var cancellation = new CancellationTokenSource();
        if (_open.TryAdd(id, (cancellation, canceled)))
        {
            return cancellation.Token;
        }

        cancellation.Dispose();
        return null;
    }

    /// <summary>Removes an entry whose work is done; false if it has been answered already.</summary>
    public bool TryFinish(RequestId id)
    {
        if (!_open.Remove(id, out var entry))
        {
            return false;
        }

        entry.Cancellation.Dispose();
        return true;
    }

    /// <summary>Removes an entry and cancels its work; answers what it is to be answered with, null if there is no such entry.</summary>
    public Outcome? TryCancel(RequestId id)
    {
        if (!_open.Remove(id, out var entry))
        {
            return null;
        }

        // Not on the loop: what hangs on the token is the work's code. Not disposed: the work may still register with it.
        _ = entry.Cancellation.CancelAsync();
        return entry.Canceled;
    }

    /// <summary>The ids of all entries at this moment.</summary>
    public IReadOnlyList<RequestId> Ids() => [.. _open.Keys];
}
