using LlmAssist.Engine.Memory;

namespace LlmAssist.Engine.Models;

/// <summary>Somebody who has models in memory and can let them go: our own process, or Ollama.</summary>
/// <remarks>Safe on any thread.</remarks>
public interface IModelHost
{
    /// <summary>What it has in memory, as of the last look.</summary>
    IReadOnlyList<Resident> Residents { get; }

    /// <summary>Looks again. Never fails: if it cannot look, what was seen last is what there is.</summary>
    Task LookAsync(CancellationToken cancellation);

    /// <summary>Takes a model out of memory and waits until it is gone. Deletes nothing.</summary>
    /// <returns>False if it was not in memory.</returns>
    /// <exception cref="UserException">It does not go.</exception>
    Task<bool> EvictAsync(ModelId id, CancellationToken cancellation);

    /// <summary>Lets go of what comes back by itself when it is needed.</summary>
    void DropCaches();
}
