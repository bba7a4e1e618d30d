using LlmAssist.Engine.Patterns;

namespace LlmAssist.Tests.Support;

/// <summary>Acts on the thread that makes the progress, unlike <see cref="Progress{T}"/>.</summary>
internal sealed class Steps(Action<TrainingProgress> act) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => act(value);
}
