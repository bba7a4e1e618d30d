// One endpoint of Ollama: the client, its breaker, and what calls tell of the server. Decides nothing.
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Engine.Models;

/// <summary>
/// Calls go through the breaker, and everybody who must know hears how they ended. With another endpoint nothing that was learned of
/// this one holds, so there is another connection then.
/// </summary>
/// <remarks>Safe on any thread.</remarks>
internal sealed class OllamaConnection(Uri endpoint, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan TooSilent = TimeSpan.FromSeconds(10); // for completions; loads may take minutes

    private readonly Lazy<OllamaClient> _client = new(() => new(endpoint, time));
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<string, ModelFacts> _facts = new(); // by key

    /// <summary>Raised when a call went well; true if it was a request to a model, which so has proved that it lives.</summary>
    public event Action<OllamaConnection, bool>? Succeeded;

    /// <summary>Raised when a call went wrong; true if that says something about a model, false if about the server.</summary>
    public event Action<OllamaConnection, OllamaException, bool>? Failed;

    public OllamaHealth Health { get; } = new(time);

    /// <summary>Whether the server has ever answered.</summary>
    public bool WasReached { get; set; } // guarded by its owner

    /// <summary>Canceled when the connection is given up.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Makes a call.</summary>
    /// <param name="isAsked">Whether a person asked for it: then it need not wait for the breaker.</param>
    /// <param name="isOfModel">Whether a failure that does not concern the server concerns a model that is in use.</param>
    /// <exception cref="OllamaException">It failed, or the breaker is open.</exception>
    public async Task<T> CallAsync<T>(bool isAsked, bool isOfModel, Func<OllamaClient, CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        using var attempt = Begin(isAsked);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _ending.Token);
        try
        {
            var result = await call(await ClientAsync(either.Token), either.Token);
            attempt.Succeeded();
            Succeeded?.Invoke(this, false);
            return result;
        }
        catch (OllamaException exception)
        {
            attempt.Failed(exception);
            if (exception.ConcernsServer || isOfModel)
            {
                Failed?.Invoke(this, exception, !exception.ConcernsServer);
            }

            throw;
        }
    }

    /// <summary>The same for a call that answers nothing.</summary>
    public Task CallAsync(bool isAsked, bool isOfModel, Func<OllamaClient, CancellationToken, Task> call, CancellationToken cancellation) =>
        CallAsync(
            isAsked,
            isOfModel,
            async (client, either) =>
            {
                await call(client, either);
                return true;
            },
            cancellation);

    /// <summary>What the server knows about a model; asked once, as it cannot change.</summary>
    /// <param name="isWanted">Whether somebody wants to use it: that it cannot be shown is then trouble. Of one that is only listed it is not.</param>
    /// <exception cref="OllamaException">It failed, or the breaker is open.</exception>
    public async Task<ModelFacts> FactsAsync(InstalledModel model, bool isWanted, CancellationToken cancellation)
    {
        if (KnownFacts(model.Key) is { } known)
        {
            return known;
        }

        var facts = await CallAsync(isAsked: true, isOfModel: isWanted, (client, either) => client.ShowWithListsAsync(model.Name, either), cancellation);

        // Of the tensors, of which there are hundreds, nothing is needed later.
        return _facts[model.Key] = facts with { Tensors = [] };
    }

    /// <summary>The same without asking; null if it was not asked yet.</summary>
    public ModelFacts? KnownFacts(string key) => _facts.GetValueOrDefault(key);

    /// <summary>The server is another one now, perhaps of another version.</summary>
    public void ForgetFacts() => _facts.Clear();

    /// <summary>Continues a prompt.</summary>
    /// <exception cref="OllamaException">It failed, or the breaker is open.</exception>
    public async IAsyncEnumerable<GeneratedPiece> GenerateAsync(GenerateRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var attempt = Begin(isAsked: false);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _ending.Token);
        await using var pieces = _client.Value.GenerateAsync(request, either.Token).GetAsyncEnumerator(either.Token);
        var heard = time.GetTimestamp();
        while (await NextAsync(pieces, attempt, heard, cancellation))
        {
            // The first piece proves that both live.
            heard = time.GetTimestamp();
            attempt.Succeeded();
            Succeeded?.Invoke(this, true);
            yield return pieces.Current;
        }
    }

    /// <summary>Downloads a model.</summary>
    /// <exception cref="OllamaException">It failed.</exception>
    public async IAsyncEnumerable<PullProgress> PullAsync(string name, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _ending.Token);
        var client = await ClientAsync(either.Token);
        await foreach (var progress in client.PullAsync(name, either.Token))
        {
            yield return progress;
        }
    }

    public void Dispose()
    {
        _ending.Cancel();
        if (_client.IsValueCreated)
        {
            _client.Value.Dispose();
        }
    }

    private async ValueTask<OllamaClient> ClientAsync(CancellationToken cancellation)
    {
        if (!_client.IsValueCreated)
        {
            await OllamaPort.KnockAsync(endpoint, cancellation);
        }

        return _client.Value;
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<GeneratedPiece> pieces, HealthAttempt attempt, long heard, CancellationToken cancellation)
    {
        try
        {
            return await pieces.MoveNextAsync();
        }
        catch (OllamaException exception)
        {
            attempt.Failed(exception);
            Failed?.Invoke(this, exception, !exception.ConcernsServer);
            throw;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested && TooSilent < time.GetElapsedTime(heard))
        {
            // The user typed on before the deadline; a server that is stuck would otherwise never be told of.
            var exception = OllamaException.TimedOut(endpoint, TooSilent);
            attempt.Failed(exception);
            Failed?.Invoke(this, exception, false);
            throw;
        }
    }

    private HealthAttempt Begin(bool isAsked) =>
        Health.TryBegin(isAsked) ?? throw (Health.LastFailure ?? OllamaException.Unreachable(endpoint, null));
}
