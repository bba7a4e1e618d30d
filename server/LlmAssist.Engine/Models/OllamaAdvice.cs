// What there is to say about an Ollama that cannot be counted or governed as it should. Looks at nothing itself.
using LlmAssist.Engine.Memory;

namespace LlmAssist.Engine.Models;

/// <summary>Advice about Ollama, as of the last look.</summary>
public static class OllamaAdvice
{
    /// <summary>What of Ollama cannot be counted or made to leave; empty if all is well.</summary>
    public static IEnumerable<Phrase> For(OllamaHost ollama)
    {
        if (ollama.IsBlind)
        {
            yield return MemoryMessages.TooOld;
        }

        foreach (var resident in ollama.Residents)
        {
            if (resident.IsStuck)
            {
                yield return MemoryMessages.Stuck(resident.Id, new(resident.RamBytes));
            }
            else if (resident.IsDead)
            {
                yield return MemoryMessages.Dead(resident.Id);
            }
        }
    }
}
