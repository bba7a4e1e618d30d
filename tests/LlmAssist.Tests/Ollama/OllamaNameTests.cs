using LlmAssist.Engine.Ollama;

namespace LlmAssist.Tests.Ollama;

public sealed class OllamaNameTests
{
    [Theory]
    [InlineData("llama3", "llama3:latest")]
    [InlineData("llama3:latest", "llama3:latest")]
    [InlineData("library/llama3", "llama3:latest")]
    [InlineData("registry.ollama.ai/library/llama3:latest", "llama3:latest")]
    [InlineData("registry.ollama.ai/someone/llama3", "someone/llama3:latest")]
    [InlineData(" Qwen2.5-Coder:1.5B\n", "qwen2.5-coder:1.5b")]
    [InlineData("hf.co/user/repo:Q4_K_M", "hf.co/user/repo:q4_k_m")]
    [InlineData("localhost:5000/user/model", "localhost:5000/user/model:latest")]
    [InlineData("localhost:5000/user/model:tag", "localhost:5000/user/model:tag")]
    [InlineData("mylibrary/llama3", "mylibrary/llama3:latest")]
    public void One_model_has_one_name(string name, string normal)
    {
        Assert.Equal(normal, OllamaName.Normalize(name));
        Assert.Equal(normal, OllamaName.Normalize(normal));
    }

    [Theory]
    [InlineData("0.12.6", 0, 12, 6, true)]
    [InlineData("0.12.6", 0, 12, 7, false)]
    [InlineData("0.12.6", 0, 9, 9, true)]
    [InlineData("0.12.6", 1, 0, 0, false)]
    [InlineData("v0.33.0-rc2", 0, 33, 0, true)]
    [InlineData("0.33", 0, 33, 0, true)]
    [InlineData("0.33", 0, 33, 1, false)]
    [InlineData("0.33.1.4+build", 0, 33, 1, true)]
    [InlineData("0.0.0", 9, 9, 9, true)]
    [InlineData("custom", 9, 9, 9, true)]
    [InlineData("0.99999999999.1", 9, 9, 9, true)]
    [InlineData("", 9, 9, 9, true)]
    public void A_version_has_what_came_before_it(string version, int major, int minor, int patch, bool has) =>
        Assert.Equal(has, new OllamaVersion(version).Has(major, minor, patch));
}
