// A user's machine in a temporary folder, on which tests run verbs in this process. Holds no expectation.
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Server.Cli;

namespace LlmAssist.Tests.Cli;

/// <summary>What a verb did.</summary>
internal sealed record VerbResult(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output as the one JSON document that it must be.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;
}

/// <summary>A machine with a memory of 16 GiB, a little code, and no model.</summary>
internal sealed class VerbBench : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("verb-");

    public VerbBench()
    {
        Code = Path.Combine(_root.FullName, "shop");
        Directory.CreateDirectory(Code);
        for (var number = 0; number < 24; number++)
        {
            File.WriteAllText(Path.Combine(Code, $"order_{number}.py"), Sample(number));
        }
    }

    /// <summary>A folder with 24 small Python files that say nearly the same.</summary>
    public string Code { get; }

    public DataFolders Folders => new(Path.Combine(_root.FullName, "home"));

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What <c>OLLAMA_HOST</c> says; an address at which nobody listens, unless a test says otherwise.</summary>
    public string OllamaHost { get; set; } = "127.0.0.1:9";

    public MemoryReading Reading { get; init; } = new(
        new SystemMemory(ByteSize.GiB(16), ByteSize.GiB(9), LimitedByGroup: false),
        new ProcessMemory(ByteSize.MiB(80), ByteSize.MiB(40)),
        []);

    public string PathTo(string name) => Path.Combine(_root.FullName, name);

    /// <summary>The names of the model files.</summary>
    public string[] ModelFiles => Directory.Exists(Folders.Models) ? [.. Directory.GetFiles(Folders.Models, "*.pattern").Order(StringComparer.Ordinal)] : [];

    /// <summary>Told of everything that verbs write on standard error, while they do.</summary>
    public Action<string>? Said { get; set; }

    /// <summary>How wide the screen is on which verbs write; null for none.</summary>
    public int? Screen { get; init; }

    public Task<VerbResult> RunAsync(params string[] args) => RunAsync(Speech.English, CancellationToken.None, args);

    public async Task<VerbResult> RunAsync(Speech speech, CancellationToken cancellation, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new Overheard(Said);
        var context = new VerbContext(Screen is { } width ? Terminal.Rich(output, error, speech, width) : new(output, error, speech), Folders, Time, new FixedProbe(Reading), name => name == "OLLAMA_HOST" ? OllamaHost : null);
        var exitCode = await Program.RunAsync(args, context, cancellation);
        return new(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Trains a model named 'shop'.</summary>
    public async Task<VerbBench> TrainedAsync()
    {
        var trained = await RunAsync("train", Code);
        Assert.True(trained.ExitCode == 0, trained.Error);
        return this;
    }

    public void Dispose() => _root.Delete(recursive: true);

    private static string Sample(int number) => $$"""
        import json
        from shop.database import connect_database

        class Order{{number}}:
            def __init__(self, customer_name, total_price):
                self.customer_name = customer_name
                self.total_price = total_price

            def save_order(self, connection):
                connection.execute("insert", self.customer_name, self.total_price)
                connection.commit()
                return self.total_price * {{number}}

        def load_order_{{number}}(path):
            with open(path) as handle:
                return json.load(handle)

        """;

    private sealed class Overheard(Action<string>? said) : StringWriter
    {
        public override void Write(string? value)
        {
            base.Write(value);
            said?.Invoke(value ?? "");
        }
    }

    private sealed class FixedProbe(MemoryReading reading) : IMemoryProbe
    {
        public MemoryReading Read() => reading;
    }
}
