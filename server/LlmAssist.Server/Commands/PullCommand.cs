// llmAssist.ollama.pull.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>Has Ollama download a model, with progress. Canceling pauses: the next pull goes on with what is there.</summary>
internal sealed class PullCommand(OllamaHost ollama, ClientLink client)
{
    public async ValueTask<ModelAnswer> ExecuteAsync(SessionSnapshot session, PullArgument argument, CancellationToken cancellation)
    {
        if (argument.Name is not { } name || string.IsNullOrWhiteSpace(name))
        {
            throw new UserException(new(
                "The argument names no model; expected is { \"name\": \"qwen2.5-coder:1.5b\" }.",
                "El argumento no nombra ningún modelo; se espera { \"name\": \"qwen2.5-coder:1.5b\" }."));
        }

        var title = new Phrase($"LLM Assist: downloading {name}", $"LLM Assist: descargando {name}");
        using var progress = await client.BeginProgressAsync(title.In(session.Speech), session.Client.ShowsProgress, cancellation);
        await foreach (var step in ollama.PullAsync(name, progress.Cancellation))
        {
            // Each layer counts from 0 to 100 of its own; the weights are nearly all of it.
            progress.Report(
                step.TotalBytes == 0 ? 0 : (double)step.CompletedBytes / step.TotalBytes,
                step.TotalBytes == 0 ? step.Status : $"{step.Status}: {new ByteSize(step.CompletedBytes)} / {new ByteSize(step.TotalBytes)}");
        }

        return new(
            OllamaHost.IdOf(name).ToString(),
            new Phrase($"{name} is there; load it to have completions from it.", $"{name} está disponible; cárguelo para tener sugerencias suyas.").In(session.Speech));
    }
}
