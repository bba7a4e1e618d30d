// What windows and command line have loaded into Ollama, as they note it for each other.
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Sharing;

namespace LlmAssist.Engine.Models;

/// <summary>
/// Tells whether a model in memory is ours, whichever window has loaded it; and all that is known of a server that is too old to tell what
/// runs. Safe on any thread.
/// </summary>
internal sealed class OllamaLoads(MachineNotes notes, TimeProvider time)
{
    private static readonly TimeSpan UsualStay = TimeSpan.FromMinutes(5); // Ollama's own default
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30); // a load that is not listed yet is none that has gone

    /// <summary>The loads by model.</summary>
    public IReadOnlyDictionary<ModelId, LoadNote> Read() => notes.Read().Loads;

    /// <summary>A model was loaded.</summary>
    /// <param name="key"><see cref="InstalledModel.Key"/>.</param>
    public void Loaded(ModelId id, string key, ContextChoice choice, TimeSpan? keepAlive)
    {
        var now = time.GetUtcNow();
        notes.Change(all => all with
        {
            Loads = new Dictionary<ModelId, LoadNote>(all.Loads) { [id] = new(key, choice.Bytes, choice.Tokens, now, now, keepAlive) },
        });
    }

    /// <summary>A model was used, at a server that does not tell. Noted by the half minute.</summary>
    public void Used(ModelId id)
    {
        var now = time.GetUtcNow();
        if (Read().TryGetValue(id, out var load) && load.LastUsed + Fresh < now)
        {
            notes.Change(all => all.Loads.TryGetValue(id, out var noted)
                ? all with { Loads = new Dictionary<ModelId, LoadNote>(all.Loads) { [id] = noted with { LastUsed = now } } }
                : all);
        }
    }

    /// <summary>A model has left. With its note still there it would be ours when others load it again.</summary>
    public void Forget(ModelId id)
    {
        if (Read().ContainsKey(id))
        {
            notes.Change(all => all with { Loads = all.Loads.Where(pair => pair.Key != id).ToDictionary() });
        }
    }

    /// <summary>Those that have left.</summary>
    /// <param name="running">What the server lists; null if it does not tell, and then it goes by the time.</param>
    public IReadOnlyList<ModelId> Gone(IReadOnlyList<RunningModel>? running)
    {
        var now = time.GetUtcNow();
        return
        [
            .. Read().Where(pair => running is null ? UntilOf(pair.Value) <= now : Fresh < now - pair.Value.At && running.All(model => model.Key != pair.Value.Key))
                .Select(static pair => pair.Key),
        ];
    }

    /// <summary>What must be in the memory of a server that does not tell.</summary>
    public IReadOnlyList<RunningModel> Remembered()
    {
        var now = time.GetUtcNow();
        return
        [
            .. Read().Where(pair => now < UntilOf(pair.Value)).Select(static pair => new RunningModel(
                pair.Key.Name,
                pair.Value.Key == pair.Key.Name ? "" : pair.Value.Key,
                pair.Value.Bytes.Bytes,
                0,
                pair.Value.ContextTokens,
                UntilOf(pair.Value))),
        ];
    }

    private static DateTimeOffset UntilOf(LoadNote load) =>
        load.KeepAlive == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : load.LastUsed + (load.KeepAlive ?? UsualStay);
}
