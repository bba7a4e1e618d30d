// What there is to say about an Ollama that cannot be counted or governed as it should. Sentences; looks at nothing itself.
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
            yield return new(
                "This Ollama is too old to tell what it has in memory (before 0.1.38): only what LLM Assist has loaded is counted. Update Ollama.",
                "Este Ollama es demasiado antiguo para decir qué tiene en memoria (anterior a 0.1.38): solo se cuenta lo que ha cargado LLM Assist. Actualice Ollama.");
        }

        foreach (var resident in ollama.Residents)
        {
            if (resident.IsStuck)
            {
                yield return new(
                    $"{resident.Id.Name} was told to leave and stays in memory: it answers somebody, or hangs. Restarting Ollama frees {new ByteSize(resident.RamBytes)}.",
                    $"Se pidió a {resident.Id.Name} que saliera y sigue en memoria: responde a alguien o está bloqueado. Reiniciar Ollama libera {new ByteSize(resident.RamBytes)}.");
            }
            else if (resident.IsDead)
            {
                yield return new(
                    $"The process of {resident.Id.Name} has died; it takes no memory, though Ollama lists it. Loading it again starts a new one.",
                    $"El proceso de {resident.Id.Name} ha terminado; no ocupa memoria, aunque Ollama lo muestra. Al cargarlo de nuevo se inicia otro.");
            }
        }
    }
}
