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

        // Not disposed: the work still holds the token and may register with it.
        entry.Cancellation.Cancel();
        return entry.Canceled;
    }

    /// <summary>Cancels everything that is open, at the end of a session.</summary>
    public void CancelAll()
    {
        foreach (var (cancellation, _) in _open.Values)
        {
            cancellation.Cancel();
        }

        _open.Clear();
    }
}
