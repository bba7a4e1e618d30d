using LlmAssist.Engine.Completion;

namespace LlmAssist.Tests.Support;

internal static class CompletionAtOnce
{
    /// <summary>Without a model of Ollama nothing is waited for.</summary>
    public static CompletionReport CompleteNow(this CompletionEngine engine, CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        var answer = engine.CompleteAsync(query, settings, cancellation);
        Assert.True(answer.IsCompleted);
        return answer.GetAwaiter().GetResult();
    }
}
