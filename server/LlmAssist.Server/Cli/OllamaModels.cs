// 'models …' for models of Ollama: which of the two kinds a name means, and what is done with one of Ollama's.
using System.CommandLine;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>What the sub-verbs of 'models' do with models of Ollama.</summary>
internal static class OllamaModels
{
    private const string Prefix = "ollama:";

    /// <summary>Does something with the model that a name means: one of ours, one of Ollama's if it says <c>ollama:</c>, or one that only Ollama has.</summary>
    /// <exception cref="UserException">Nobody has it.</exception>
    public static async Task<int> ForAsync(
        VerbContext context,
        string name,
        Func<ModelHost, OllamaVisit> prepare,
        Func<PatternStore, StoredModel, int> withPattern,
        Func<OllamaVisit, string, Task<int>> withOllama,
        CancellationToken cancellation)
    {
        var store = context.OpenStore();
        using var host = new ModelHost(store, context.Time);
        if (name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            using var named = prepare(host);
            return await withOllama(named, name[Prefix.Length..]);
        }

        StoredModel stored;
        try
        {
            stored = store.Resolve(name);
        }
        catch (UserException unknown)
        {
            using var visit = prepare(host);
            if (visit.IsOff)
            {
                throw;
            }

            if ((await visit.KnockAsync(cancellation)).WhyNot is { } whyNot)
            {
                throw new UserException(new($"{unknown.Phrase.English} {whyNot.English}", $"{unknown.Phrase.Spanish} {whyNot.Spanish}"), unknown);
            }

            if (await visit.FindAsync(name, cancellation) is null)
            {
                var ollamas = Unknown(visit, name).Phrase;
                throw new UserException(new($"{unknown.Phrase.English} {ollamas.English}", $"{unknown.Phrase.Spanish} {ollamas.Spanish}"), unknown);
            }

            return await withOllama(visit, name);
        }

        return withPattern(store, stored);
    }

    /// <summary>Rows for the list; none, and why, if Ollama does not answer soon.</summary>
    public static async Task<(IReadOnlyList<OllamaRow> Rows, Phrase? WhyNot)> RowsAsync(OllamaVisit visit, CancellationToken cancellation)
    {
        if (visit.IsOff)
        {
            return ([], null);
        }

        var knocked = await visit.KnockAsync(cancellation);
        if (knocked.WhyNot is { } whyNot)
        {
            // Many do without it, and shall not be told to start it.
            return ([], !knocked.IsSilent ? whyNot : new(
                $"Only pattern models are listed: Ollama does not answer at {visit.Options.Endpoint}.",
                $"Solo se listan modelos de patrones: Ollama no responde en {visit.Options.Endpoint}."));
        }

        try
        {
            return ([.. (await visit.Host.ListAsync(cancellation)).Select(model => RowOf(visit, model))], null);
        }
        catch (OllamaException exception)
        {
            return ([], exception.Phrase);
        }
    }

    /// <summary>Loads a model and says what it takes.</summary>
    public static async Task<int> LoadAsync(VerbContext context, OllamaVisit visit, string name, CancellationToken cancellation)
    {
        var begun = context.Time.GetTimestamp();
        var use = await visit.LoadAsync(name, cancellation);
        var elapsed = context.Time.GetElapsedTime(begun);
        var running = (await visit.FindAsync(use.Name, cancellation))?.Running;
        var message = new Phrase($"{use.Name} is in Ollama's memory.", $"{use.Name} está en la memoria de Ollama.");
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(
                new OllamaLoadAnswer(context.Text(message), use.Name, "ollama", running?.RamBytes ?? 0, running?.VramBytes ?? 0, use.ContextTokens, elapsed.TotalSeconds, [.. visit.Evicted.Select(static happened => happened.Id.ToString())]),
                CliJson.Default.OllamaLoadAnswer);
            return ExitCode.Success;
        }

        context.Terminal.Say(message);
        context.Terminal.Facts(
        [
            (new("RAM", "RAM"), running is null ? "?" : new ByteSize(running.RamBytes).ToString()),
            (new("VRAM", "VRAM"), running is null ? "?" : new ByteSize(running.VramBytes).ToString()),
            (new("context", "contexto"), context.Text(new($"{Figures.Count(use.ContextTokens)} tokens", $"{Figures.Count(use.ContextTokens)} tokens"))),
            (new("took", "tardó"), Figures.Duration(elapsed)),
            (new("stays", "permanece"), context.Text(Stays(running, context.Time.GetUtcNow()))),
        ]);
        if (visit.EvictedAs() is { } evicted)
        {
            context.Terminal.Say(evicted);
        }

        return ExitCode.Success;
    }

    /// <summary>Takes a model out of Ollama's memory and says what came back.</summary>
    public static async Task<int> UnloadAsync(VerbContext context, OllamaVisit visit, string name, CancellationToken cancellation)
    {
        var running = (await visit.FindAsync(name, cancellation) ?? throw Unknown(visit, name)).Running;
        var isUnloaded = await context.Terminal.WaitingAsync(
            new($"Waiting until {name} is gone", $"Esperando a que {name} salga"),
            () => visit.Host.UnloadAsync(name, cancellation));
        var (ram, vram) = isUnloaded && running is not null ? (new ByteSize(running.RamBytes), new ByteSize(running.VramBytes)) : default;
        var message = !isUnloaded
            ? new Phrase($"{name} was not in Ollama's memory.", $"{name} no estaba en la memoria de Ollama.")
            : new Phrase(
                $"{name} is unloaded: {Taken(running).English} came back. Its files stay on disk.",
                $"{name} se descargó de la memoria: se recuperaron {Taken(running).Spanish}. Sus archivos siguen en disco.");
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new OllamaUnloadAnswer(context.Text(message), name, "ollama", isUnloaded, ram.Bytes, vram.Bytes), CliJson.Default.OllamaUnloadAnswer);
        }
        else
        {
            context.Terminal.Say(message);
        }

        return ExitCode.Success;
    }

    /// <summary>Deletes nothing: others may use Ollama's models too.</summary>
    public static Task<int> RefuseToDelete(string name) => throw new UserException(new(
        $"'models delete' deletes no models of Ollama, which other programs may use too. To delete it from disk: ollama rm {name}",
        $"«models delete» no borra modelos de Ollama, que otros programas también pueden usar. Para borrarlo del disco: ollama rm {name}"));

    /// <summary>What Ollama tells about a model, and what we make of it.</summary>
    public static async Task<int> InspectAsync(VerbContext context, OllamaVisit visit, string name, CancellationToken cancellation)
    {
        var model = await visit.FindAsync(name, cancellation) ?? throw Unknown(visit, name);
        var (installed, running, facts) = (model.Installed, model.Running, model.Facts);
        var layout = facts is null ? new(null, null) : LayoutFinding.Of(installed.Name, facts);
        var trained = facts?.Number("context_length") ?? installed.TrainedContextTokens;
        var capabilities = facts?.Capabilities ?? installed.Capabilities ?? [];
        var remote = installed.RemoteHost ?? facts?.RemoteHost;
        var template = facts?.Template.AsSpan().TrimStart().ToString().Split('\n')[0].TrimEnd() ?? "";
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(
                new OllamaInspectAnswer(
                    installed.Name,
                    "ollama",
                    installed.Digest,
                    installed.SizeBytes,
                    installed.Family,
                    installed.ParameterSize,
                    installed.Quantization,
                    trained,
                    capabilities,
                    layout.Layout,
                    layout.WhyNot is { } reason ? context.Text(reason) : null,
                    template,
                    running is not null,
                    running?.ContextTokens,
                    running?.RamBytes ?? 0,
                    running?.VramBytes ?? 0,
                    remote),
                CliJson.Default.OllamaInspectAnswer);
            return ExitCode.Success;
        }

        context.Terminal.Facts(
        [
            (new("model", "modelo"), $"ollama:{installed.Name}"),
            (new("size", "tamaño"), new ByteSize(installed.SizeBytes).ToString()),
            .. remote is null ? Array.Empty<(Phrase, string)>() : [(new("runs at", "se ejecuta en"), remote)],
            (new("family", "familia"), Or(installed.Family)),
            (new("parameters", "parámetros"), Or(installed.ParameterSize)),
            (new("quantization", "cuantización"), Or(installed.Quantization)),
            (new("trained context", "contexto entrenado"), trained is { } tokens ? $"{Figures.Count(tokens)} tokens" : "?"),
            (new("capabilities", "capacidades"), capabilities.Count == 0 ? "?" : string.Join(", ", capabilities)),
            (new("fills in the middle", "rellena huecos"), context.Text(
                layout.Layout is { } found ? new($"yes, asked in the layout '{found}'", $"sí, se le pregunta con el formato «{found}»")
                : layout.WhyNot is { } whyNot ? new($"no: {whyNot.English}", $"no: {whyNot.Spanish}")
                : new("unknown: Ollama does not tell what this model is", "se desconoce: Ollama no dice qué es este modelo"))),
            (new("template begins", "la plantilla empieza"), Or(template)),
            (new("in memory", "en memoria"), context.Text(running is null
                ? new("no", "no")
                : new(
                    $"{Taken(running).English}, {Stays(running, context.Time.GetUtcNow()).English}",
                    $"{Taken(running).Spanish}, {Stays(running, context.Time.GetUtcNow()).Spanish}"))),
        ]);
        return ExitCode.Success;

        static string Or(string text) => text.Length == 0 ? "?" : text;
    }

    /// <summary>The sub-verb 'pull'.</summary>
    public static Command PullCommand(VerbContext context)
    {
        var name = new Argument<string>("NAME")
        {
            Description = context.Text(new("A model of Ollama's registry, for example qwen2.5-coder:1.5b", "Un modelo del registro de Ollama, por ejemplo qwen2.5-coder:1.5b")),
        };
        var command = new Command("pull", context.Text(new("Download a model with Ollama; what is there already is not downloaded again", "Descargar un modelo con Ollama; lo que ya está no se descarga de nuevo"))) { name };
        var ollama = new OllamaFlags(context).AddAddressTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var given = parsed.GetRequiredValue(name);
            using var host = new ModelHost(context.OpenStore(), context.Time);
            using var visit = ollama.Prepare(parsed, host);
            return await PullAsync(context, visit, given.StartsWith(Prefix, StringComparison.Ordinal) ? given[Prefix.Length..] : given, cancellation);
        });
        return command;
    }

    private static async Task<int> PullAsync(VerbContext context, OllamaVisit visit, string name, CancellationToken cancellation)
    {
        var begun = context.Time.GetTimestamp();
        try
        {
            await context.Terminal.WatchingAsync(async progress =>
            {
                var (layer, from, since) = ("", 0L, begun);
                var isThere = 0; // all of the download, once it goes on to something else
                await foreach (var step in visit.Host.PullAsync(name, cancellation))
                {
                    if (step.Digest != layer)
                    {
                        isThere = layer.Length == 0 ? isThere : 1;
                        (layer, from, since) = (step.Digest, step.CompletedBytes, context.Time.GetTimestamp());
                    }

                    var elapsed = context.Time.GetElapsedTime(since);
                    var rate = elapsed < TimeSpan.FromMilliseconds(200) ? "" : $", {new ByteSize((long)((step.CompletedBytes - from) / elapsed.TotalSeconds))}/s";
                    progress.Report(new(
                        step.TotalBytes == 0 ? isThere : Math.Min(1, (double)step.CompletedBytes / step.TotalBytes),
                        StepOf(step),
                        step.TotalBytes == 0 ? "" : $"{new ByteSize(step.CompletedBytes)}/{new ByteSize(step.TotalBytes)}{rate}"));
                }

                return true;
            });
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            context.Terminal.Remark(new(
                $"Paused. 'llm-assist models pull {name}' goes on from here.",
                $"En pausa. «llm-assist models pull {name}» continúa desde aquí."));
            return ExitCode.Interrupted;
        }

        var model = await visit.FindAsync(name, cancellation);
        var size = new ByteSize(model?.Installed.SizeBytes ?? 0);
        var message = new Phrase(
            $"{name} is installed: {size} on disk. 'llm-assist models load {name}' brings it into memory.",
            $"{name} está instalado: {size} en disco. «llm-assist models load {name}» lo carga en memoria.");
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(
                new PullAnswer(context.Text(message), model?.Installed.Name ?? name, "ollama", size.Bytes, context.Time.GetElapsedTime(begun).TotalSeconds),
                CliJson.Default.PullAnswer);
            return ExitCode.Success;
        }

        context.Terminal.Say(message);
        if (model is { FillsMiddle: false })
        {
            context.Terminal.Say(new(
                $"It does not fill in the middle of code, or we do not know how: 'llm-assist models inspect {OllamaHost.IdOf(name)}' says why.",
                $"No rellena huecos en el código, o no sabemos cómo pedírselo: «llm-assist models inspect {OllamaHost.IdOf(name)}» dice por qué."));
        }

        return ExitCode.Success;
    }

    // The server's words are English and may vary; those that are known are said in the user's language.
    private static Phrase StepOf(PullProgress step) =>
        step.Digest.Length != 0 ? new($"Downloading layer {Short(step.Digest)}", $"Descargando la capa {Short(step.Digest)}")
        : step.Status.Contains("manifest", StringComparison.OrdinalIgnoreCase)
            ? step.Status.StartsWith("writing", StringComparison.OrdinalIgnoreCase) ? new("Finishing", "Terminando") : new("Asking the registry", "Consultando el registro")
        : step.Status.StartsWith("verifying", StringComparison.OrdinalIgnoreCase) ? new("Verifying", "Verificando")
        : step.Status.Equals("success", StringComparison.OrdinalIgnoreCase) ? new("Done", "Hecho")
        : Phrase.Same(step.Status);

    private static string Short(string digest) => digest[..Math.Min(12, digest.Length)];

    private static Phrase Taken(RunningModel? model)
    {
        var (ram, vram) = (new ByteSize(model?.RamBytes ?? 0), new ByteSize(model?.VramBytes ?? 0));
        return vram == ByteSize.Zero ? new($"{ram} of RAM", $"{ram} de RAM")
            : ram == ByteSize.Zero ? new($"{vram} of VRAM", $"{vram} de VRAM")
            : new($"{ram} of RAM and {vram} of VRAM", $"{ram} de RAM y {vram} de VRAM");
    }

    private static Phrase Stays(RunningModel? running, DateTimeOffset now) => running?.ExpiresAt is not { } until
        ? new("as long as Ollama keeps it", "mientras Ollama lo conserve")
        : running.IsKeptForever(now)
            ? new("until it is unloaded", "hasta que se descargue")
            : new(
                $"for {Figures.Number(Math.Max(0, (until - now).TotalMinutes), 0)} min after its last use",
                $"{Figures.Number(Math.Max(0, (until - now).TotalMinutes), 0)} min desde su último uso");

    private static OllamaRow RowOf(OllamaVisit visit, OllamaModel model) => new(
        model.Installed.Name,
        "ollama",
        model.Installed.SizeBytes,
        model.Installed.ModifiedAt,
        model.Running is not null,
        model.Installed.Family,
        model.Installed.ParameterSize,
        model.Installed.Quantization,
        model.Installed.Capabilities ?? model.Facts?.Capabilities,
        model.Facts is null ? null : model.FillsMiddle,
        model.Running?.ContextTokens,
        model.Running?.RamBytes ?? 0,
        model.Running?.VramBytes ?? 0,
        model.Installed.RemoteHost ?? model.Facts?.RemoteHost,
        visit.Keeper.IsPinned(OllamaHost.IdOf(model.Installed.Name)),
        ChoiceOf(model)?.Bytes.Bytes,
        model.Verdict switch
        {
            Verdict.Admit => "now",
            Verdict.EvictFirst => "afterEvicting",
            Verdict.Refuse => "no",
            _ => null,
        },
        model.Verdict is Verdict.Refuse ? null : ChoiceOf(model)?.Tokens,
        model.Verdict is Verdict.EvictFirst evict ? [.. evict.Victims.Select(static victim => victim.ToString())] : null);

    // How it would be loaded; the smallest way where none fits.
    private static ContextChoice? ChoiceOf(OllamaModel model) => model.Verdict switch
    {
        Verdict.Admit admit => admit.Choice,
        Verdict.EvictFirst evict => evict.Choice,
        _ => model.Newcomer?.Choices[^1],
    };

    private static UserException Unknown(OllamaVisit visit, string name) => new(new(
        $"Ollama at {visit.Options.Endpoint} has no model '{name}'. 'llm-assist models list' shows those that it has, 'llm-assist models pull {name}' downloads it.",
        $"Ollama, en {visit.Options.Endpoint}, no tiene el modelo «{name}». «llm-assist models list» muestra los que tiene y «llm-assist models pull {name}» lo descarga."));
}
