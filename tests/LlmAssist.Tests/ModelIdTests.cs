using LlmAssist.Engine;

namespace LlmAssist.Tests;

public sealed class ModelIdTests
{
    [Theory]
    [InlineData("ollama:qwen2.5-coder:1.5b", ModelSource.Ollama, "qwen2.5-coder:1.5b")]
    [InlineData("pattern:año_20260101_000000", ModelSource.Pattern, "año_20260101_000000")]
    [InlineData("ollama::", ModelSource.Ollama, ":")]
    public void AreReadAsTheyAreWritten(string text, ModelSource source, string name)
    {
        Assert.True(ModelId.TryParse(text, out var id));
        Assert.Equal((new(source, name), text), (id, id.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ollama")]
    [InlineData("ollama:")]
    [InlineData("Ollama:x")]
    [InlineData("openai:x")]
    [InlineData(":x")]
    public void AreNothingElse(string? text) => Assert.False(ModelId.TryParse(text, out _));
}
