using LlmAssist.Engine.Ollama;

namespace LlmAssist.Tests.Ollama;

public sealed class OllamaEndpointTests
{
    // As Ollama's own client reads OLLAMA_HOST (envconfig).
    [Theory]
    [InlineData("127.0.0.1", "http://127.0.0.1:11434/")]
    [InlineData("localhost:8080", "http://localhost:8080/")]
    [InlineData("example.org", "http://example.org:11434/")]
    [InlineData("example.org/base", "http://example.org:11434/base")]
    [InlineData("http://example.org", "http://example.org/")]
    [InlineData("https://example.org", "https://example.org/")]
    [InlineData("https://example.org:1234/base/", "https://example.org:1234/base/")]
    [InlineData("0.0.0.0", "http://127.0.0.1:11434/")]
    [InlineData("0.0.0.0:5000", "http://127.0.0.1:5000/")]
    [InlineData("[::]:5000", "http://127.0.0.1:5000/")]
    [InlineData("[::1]", "http://[::1]:11434/")]
    [InlineData("[::1]:80", "http://[::1]/")]
    [InlineData(" \"192.168.1.5:11434\" ", "http://192.168.1.5:11434/")]
    [InlineData("", null)]
    [InlineData("   ", null)]
    [InlineData("ftp://example.org", null)]
    [InlineData("http://", null)]
    [InlineData("http://user:password@example.org", null)]
    [InlineData("a b", null)]
    [InlineData("localhost:notaport", null)]
    public void Addresses(string text, string? expected) => Assert.Equal(expected, OllamaEndpoint.Parse(text)?.ToString());

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("localhost", false)]
    [InlineData("[::1]", false)]
    [InlineData("192.168.1.5", true)]
    [InlineData("example.org", true)]
    public void What_leaves_the_machine(string host, bool isRemote) => Assert.Equal(isRemote, OllamaEndpoint.IsRemote(OllamaEndpoint.Parse(host)!));

    [Theory]
    [InlineData("10m", 600.0)]
    [InlineData("1h30m", 5400.0)]
    [InlineData("1.5h", 5400.0)]
    [InlineData("300ms", 0.3)]
    [InlineData("90", 90.0)]
    [InlineData("0.5", 0.5)]
    [InlineData("-1", -0.001)]
    [InlineData("-1m", -0.001)]
    [InlineData("0", null)]
    [InlineData("0s", null)]
    [InlineData("", null)]
    [InlineData("-", null)]
    [InlineData("m", null)]
    [InlineData("10 m", null)]
    [InlineData("10x", null)]
    [InlineData("1e400", null)]
    [InlineData("NaN", null)]
    public void Durations(string text, double? seconds) => Assert.Equal(seconds, OllamaEndpoint.ParseKeepAlive(text)?.TotalSeconds);
}
