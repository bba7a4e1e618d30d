// A scenario on stage: the stand-in, and the client that talks to it, each with a clock of its own.
using System.Text;
using LlmAssist.Engine.Ollama;
using LlmAssist.FakeOllama;

namespace LlmAssist.Tests.Ollama;

internal sealed class Play : IAsyncDisposable
{
    public const string Model = "qwen2.5-coder:1.5b";

    /// <summary>Only a hang takes so long, and it shall end as a failed test.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    public Play(Scenario scenario)
    {
        Server = new(scenario, ServerTime);
        Client = new(Server.Endpoint, Time);
    }

    public Play(params Fault[] faults)
        : this(new Scenario { Faults = faults })
    {
    }

    public ArmedTime Time { get; } = new();

    public ArmedTime ServerTime { get; } = new();

    public FakeServer Server { get; }

    public OllamaClient Client { get; }

    /// <summary>A reply as it was recorded, in place of whatever the stand-in would say.</summary>
    public static Fault Recorded(string body, string contentType = "application/json; charset=utf-8") => Bytes(
        [.. Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {contentType}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}")]);

    public static Fault Bytes(byte[] bytes) => new() { Kind = FaultKind.Raw, Raw = bytes };

    /// <summary>Generates until the end or a failure.</summary>
    public Task<Generated> GenerateAsync(GenerateRequest? request = null) => ReadAsync(Client.GenerateAsync(request ?? new(Model, "int a"), CancellationToken.None));

    public static async Task<Generated> ReadAsync(IAsyncEnumerable<GeneratedPiece> pieces)
    {
        var text = "";
        GenerationEnd? end = null;
        try
        {
            await foreach (var piece in pieces)
            {
                Assert.Null(end);
                text += piece.Text;
                end = piece.End;
            }

            Assert.NotNull(end);
            return new(text, end, null);
        }
        catch (OllamaException exception)
        {
            return new(text, end, exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync().AsTask().WaitAsync(Hang);
    }
}

internal sealed record Generated(string Text, GenerationEnd? End, OllamaException? Failure);
