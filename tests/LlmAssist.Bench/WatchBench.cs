// What it costs to watch memory while nothing happens: a server process beside another that has nothing to watch, for minutes.
using System.Globalization;
using System.Text.Json.Nodes;
using LlmAssist.Engine;
using LlmAssist.FakeOllama;

namespace LlmAssist.Bench;

/// <summary>The measures of a server that only watches.</summary>
/// <param name="server">The published executable.</param>
/// <param name="work">A folder of our own.</param>
/// <param name="minutes">How long; above 0.</param>
internal sealed class WatchBench(string server, string work, double minutes)
{
    private const double Mebibyte = 1 << 20;

    // What starts is over by then: compiled again with what was learned, and collected.
    private static readonly TimeSpan Settling = TimeSpan.FromMinutes(4); // a look every five seconds, and 30 calls make a method hot

    private static readonly string[] Models = ["qwen2.5-coder:1.5b", "starcoder2:3b", "codellama:7b"];

    /// <summary>Measures both at once, so that both meet the same machine.</summary>
    public async Task<IReadOnlyList<Measure>> RunAsync()
    {
        await using var ollama = new FakeServer(
            new()
            {
                Models = [.. Models.Select(static name => new FakeModel { Name = name, LoadedBytes = 1_500_000_000 })],
                Running = Models,
                KeepAliveSeconds = TimeSpan.FromDays(1).TotalSeconds,
            },
            TimeProvider.System);
        await using var watching = await StartedAsync("watching", isEnabled: true, ollama.Endpoint);
        await using var idle = await StartedAsync("idle", isEnabled: false, ollama.Endpoint);
        await PauseAsync(Settling);
        var before = (Watching: Reading.Of(watching), Idle: Reading.Of(idle));
        var span = TimeSpan.FromMinutes(minutes);
        await PauseAsync(span);
        var (more, less) = (Reading.Of(watching).Since(before.Watching, span), Reading.Of(idle).Since(before.Idle, span));
        var text = string.Create(CultureInfo.InvariantCulture, $"{minutes:0.#}");
        return
        [
            new("watchOverhead", new("Watching three models: processor", "Vigilar tres modelos: procesador"), "%", new([more.ProcessorPercent - less.ProcessorPercent]), new(0.05),
                new($"of one core, user and system, more than with Ollama disabled, in {text} min after four of settling; a client that was initialized and asks nothing, so that Ollama is looked at every 30 s", $"de un núcleo, usuario y sistema, por encima de lo mismo con Ollama desactivado, en {text} min tras cuatro de reposo; un cliente inicializado que no pide nada, así que Ollama se mira cada 30 s")),
            new("watchProcessor", new("  the whole server", "  el servidor entero"), "%", new([more.ProcessorPercent]), null, default),
            new("watchProcessorIdle", new("  the same, Ollama disabled", "  lo mismo, con Ollama desactivado"), "%", new([less.ProcessorPercent]), null, new("at the same time", "al mismo tiempo")),
            new("watchGrowth", new("Watching three models: private memory gained", "Vigilar tres modelos: memoria privada ganada"), "MiB", new([more.PrivateMebibytes]), new(3),
                new("between the beginning and the end of that time", "entre el comienzo y el final de ese tiempo")),
            new("watchGrowthIdle", new("  the same, Ollama disabled", "  lo mismo, con Ollama desactivado"), "MiB", new([less.PrivateMebibytes]), null, default),
            new("watchResidentGrowth", new("Watching three models: resident memory gained", "Vigilar tres modelos: memoria residente ganada"), "MiB", new([more.ResidentMebibytes]), new(3), default),
            new("watchResidentGrowthIdle", new("  the same, Ollama disabled", "  lo mismo, con Ollama desactivado"), "MiB", new([less.ResidentMebibytes]), null, default),
            new("watchMemory", new("Private memory of the one more than of the other", "Memoria privada del uno por encima del otro"), "MiB",
                new([(Reading.Of(watching).Private - Reading.Of(idle).Private) / Mebibyte]), null, new("at the end; with Ollama the HTTP client is in memory", "al final; con Ollama está en memoria el cliente HTTP")),
        ];
    }

    private async Task<LiveEditor> StartedAsync(string name, bool isEnabled, Uri endpoint)
    {
        var folder = Directory.CreateDirectory(Path.Combine(work, name, "ws")).FullName;
        var settings = new JsonObject
        {
            ["llmAssist"] = new JsonObject
            {
                ["training"] = new JsonObject { ["auto"] = false },
                ["ollama"] = new JsonObject { ["enabled"] = isEnabled, ["endpoint"] = endpoint.AbsoluteUri },
            },
        };
        return await LiveEditor.StartAsync(server, Path.Combine(work, name, "home"), folder, settings, waitsForModel: isEnabled);
    }

    private static Task PauseAsync(TimeSpan span) => Task.Delay(span, TimeProvider.System, CancellationToken.None);

    private readonly record struct Reading(TimeSpan Processor, long Resident, long Private)
    {
        public static Reading Of(LiveEditor editor)
        {
            var memory = ProcessMemory.Of(editor.ProcessId);
            return new(editor.ProcessorTime, memory.Resident, memory.Private ?? memory.Resident);
        }

        public (double ProcessorPercent, double ResidentMebibytes, double PrivateMebibytes) Since(Reading before, TimeSpan span) => (
            (Processor - before.Processor) / span * 100,
            (Resident - before.Resident) / Mebibyte,
            (Private - before.Private) / Mebibyte);
    }
}
