// Who waits for whom: requests to a model in memory go straight to it, all others stand in one line, and one load runs at a time.
namespace LlmAssist.FakeOllama;

/// <summary>Finds the runner for each request. Safe on any thread.</summary>
internal sealed class Scheduler(Scenario scenario, TimeProvider time, Runners runners) : IDisposable
{
    private readonly SemaphoreSlim _oneLoad = new(1, 1); // first come, first served
    private int _waiting;

    public void Dispose() => _oneLoad.Dispose();

    /// <summary>Begins a request, and loads its model before if need be. A client that leaves aborts the load.</summary>
    /// <param name="model">Which.</param>
    /// <param name="options">What it shall be loaded with.</param>
    /// <param name="session">How long it stays after this; null if the request does not say.</param>
    /// <param name="fails">Whether the load takes its time and fails; it is begun even if the model is in memory.</param>
    /// <param name="isGone">Whether the client has left, also where <paramref name="gone"/> does not know it yet.</param>
    /// <param name="gone">The client has left.</param>
    /// <returns>Where the request has begun, to be ended there; or status and text of the error.</returns>
    public async Task<(Runner? Runner, (int Status, string Text) Error)> BeginAsync(
        FakeModel model, RunnerOptions options, TimeSpan? session, bool fails, Func<bool> isGone, CancellationToken gone)
    {
        var restarts = runners.Restarts;
        if (!fails && runners.TryBegin(model, options, session) is { } early)
        {
            return (early, default);
        }

        // One loads, and the line is behind it.
        if (scenario.MaxQueued + 1 < Interlocked.Increment(ref _waiting))
        {
            Interlocked.Decrement(ref _waiting);
            return (null, (503, "server busy, please try again.  maximum pending requests exceeded"));
        }

        using var counted = runners.CountLoadRequest(isGone);
        try
        {
            await _oneLoad.WaitAsync(gone);
            try
            {
                var runner = await runners.BeginLoadAsync(model, options, session, fails, restarts, gone);
                return !runner.IsLoading || await LoadAsync(runner, fails, gone)
                    ? (runner, default)
                    : (null, (500, "llama-server process has terminated: exit status 1: error loading model"));
            }
            finally
            {
                _oneLoad.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task<bool> LoadAsync(Runner runner, bool fails, CancellationToken gone)
    {
        using var aborted = CancellationTokenSource.CreateLinkedTokenSource(gone, runner.Death.Token);
        var isLoaded = false;
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(scenario.LoadMilliseconds), time, aborted.Token);
            isLoaded = !fails && runners.EndLoad(runner);
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            // It died while it was being loaded.
        }
        finally
        {
            if (!isLoaded)
            {
                runners.AbortLoad(runner);
            }
        }

        return isLoaded;
    }
}
