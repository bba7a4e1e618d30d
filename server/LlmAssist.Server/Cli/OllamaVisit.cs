// How verbs reach Ollama: one set of options for all, and what is open while a verb runs. No socket before a verb asks for something.
using System.CommandLine;
using System.CommandLine.Parsing;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Server.Cli;

/// <summary>The options by which a verb is told where Ollama is, and which of its models is meant.</summary>
internal sealed class OllamaFlags
{
    private readonly VerbContext _context;
    private readonly Option<Uri?> _endpoint;
    private readonly Option<string?> _model;

    public OllamaFlags(VerbContext context)
    {
        _context = context;
        _endpoint = new("--ollama")
        {
            HelpName = "URL",
            Description = context.Text(new(
                $"Where Ollama listens; if not given: ollama.endpoint in config.json, then {OllamaEndpoint.Variable}, then {OllamaEndpoint.Default}",
                $"Dónde escucha Ollama; si no se indica: ollama.endpoint de config.json, luego {OllamaEndpoint.Variable}, luego {OllamaEndpoint.Default}")),
            CustomParser = result =>
            {
                var given = result.Tokens[0].Value;
                if (OllamaEndpoint.Parse(given) is { } address)
                {
                    return address;
                }

                result.AddError(context.Text(new(
                    $"--ollama was given '{given}'; expected an address such as http://127.0.0.1:11434, or HOST:PORT.",
                    $"--ollama recibió «{given}»; se esperaba una dirección como http://127.0.0.1:11434, o EQUIPO:PUERTO.")));
                return null;
            },
        };
        _model = new("--ollama-model")
        {
            HelpName = "NAME",
            Description = context.Text(new(
                "Which model of Ollama, loaded first if need be; if not given: ollama.model in config.json, then one that Ollama runs already",
                "Qué modelo de Ollama, cargado antes si hace falta; si no se indica: ollama.model de config.json, luego uno que Ollama ya tenga en marcha")),
        };
    }

    /// <summary>Adds the address; for verbs that mean no model, or name it as an argument.</summary>
    public OllamaFlags AddAddressTo(Command command)
    {
        command.Add(_endpoint);
        return this;
    }

    /// <summary>Adds both.</summary>
    public OllamaFlags AddTo(Command command)
    {
        command.Add(_endpoint);
        command.Add(_model);
        return this;
    }

    /// <summary>Whether the user has named Ollama's address or a model of it.</summary>
    public bool AreGiven(CommandResult parsed) => parsed.GetResult(_endpoint) is not null || parsed.GetResult(_model) is not null;

    /// <summary>Prepares a visit. Opens no socket.</summary>
    /// <param name="patterns">Who holds the pattern models of the verb, and must outlive the visit; null for none.</param>
    public OllamaVisit Prepare(ParseResult parsed, ModelHost? patterns)
    {
        var (options, sampling, memory) = ServerHost.OptionsOf(_context.Folders, _context.Variable, _context.Terminal.Remark);

        // Who writes the address means it, whatever the settings switch off.
        return new(
            _context,
            patterns,
            options with
            {
                Endpoint = parsed.GetResult(_endpoint) is null ? options.Endpoint : parsed.GetValue(_endpoint),
                Model = (parsed.GetResult(_model) is null ? null : parsed.GetValue(_model)) ?? options.Model,
            },
            sampling,
            memory);
    }
}

/// <summary>What became of a knock at Ollama's door.</summary>
/// <param name="Version">Its version; null if it is not to be had.</param>
/// <param name="WhyNot">Why; null if it is.</param>
/// <param name="IsSilent">Whether nobody was there, rather than somebody who answers otherwise.</param>
internal sealed record Knocked(OllamaVersion? Version, Phrase? WhyNot, bool IsSilent);

/// <summary>What a verb has to do with Ollama while it runs.</summary>
internal sealed class OllamaVisit : IDisposable
{
    private static readonly TimeSpan KnockPatience = TimeSpan.FromSeconds(2); // for verbs that can do without

    private readonly VerbContext _context;
    private readonly Lock _gate = new();
    private readonly List<MemoryEvent> _evicted = []; // guarded by _gate

    public OllamaVisit(VerbContext context, ModelHost? patterns, OllamaOptions options, OllamaSampling sampling, MemoryOptions memory)
    {
        _context = context;
        Options = options;
        Sampling = sampling;
        Keeper = new(context.Folders.Shared, context.Probe, context.Time);
        Keeper.Configure(memory);
        if (patterns is not null)
        {
            Keeper.Add(patterns);
        }

        Keeper.Happened += Happened;
        Keeper.Waiting += holder => context.Terminal.Remark(new(
            $"Waiting: process {holder.ProcessId}, perhaps an editor window, is loading {holder.Model.Name}. Models are loaded one after the other.",
            $"En espera: el proceso {holder.ProcessId}, quizá una ventana del editor, está cargando {holder.Model.Name}. Los modelos se cargan de uno en uno."));
        Host = new(Keeper, RunnerProcesses.ForThisMachine(), context.Time, CompletionEngine.FillsMiddle);
        Host.Configure(options);
    }

    /// <summary>A visit that leaves Ollama alone, and knows memory all the same.</summary>
    /// <param name="complain">Told of settings that cannot be used.</param>
    public static OllamaVisit WithoutOllama(VerbContext context, Action<Phrase> complain)
    {
        var (options, sampling, memory) = ServerHost.OptionsOf(context.Folders, context.Variable, complain);
        return new(context, patterns: null, options with { Endpoint = null }, sampling, memory);
    }

    /// <summary>What was taken out of memory so far, for what this verb has loaded.</summary>
    public IReadOnlyList<MemoryEvent> Evicted
    {
        get
        {
            lock (_gate)
            {
                return [.. _evicted];
            }
        }
    }

    /// <summary>Where it listens, and what the user wants of it.</summary>
    public OllamaOptions Options { get; }

    /// <summary>How it is asked.</summary>
    public OllamaSampling Sampling { get; }

    public OllamaHost Host { get; }

    /// <summary>Governs what the verb loads, together with the windows of this machine.</summary>
    public MemoryKeeper Keeper { get; }

    /// <summary>Whether it is switched off, and nobody has named an address.</summary>
    public bool IsOff => Options.Endpoint is null;

    /// <summary>Asks its version, and does not wait long.</summary>
    public async Task<Knocked> KnockAsync(CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(KnockPatience, _context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            return new(await Host.VersionAsync(either.Token), null, IsSilent: false);
        }
        catch (OllamaException exception)
        {
            return new(null, exception.Phrase, exception.Reason == OllamaReason.Unreachable);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new(
                null,
                new(
                    $"Ollama at {Options.Endpoint} has not answered for {KnockPatience.TotalSeconds:F0} s. It may be busy; try again, or restart it.",
                    $"Ollama, en {Options.Endpoint}, no ha respondido en {KnockPatience.TotalSeconds:F0} s. Puede estar ocupado; inténtelo de nuevo o reinícielo."),
                IsSilent: true);
        }
    }

    /// <summary>The model to ask, loaded first if it is named and not in memory.</summary>
    /// <exception cref="UserException">There is none, or Ollama failed.</exception>
    public async Task<OllamaUse> UseAsync(CancellationToken cancellation)
    {
        if (Options.Endpoint is { } endpoint && OllamaEndpoint.IsRemote(endpoint))
        {
            TellWhereCodeGoes("Ollama", endpoint.Host);
        }

        if (Options.Model.Length != 0)
        {
            if ((await FindAsync(Options.Model, cancellation))?.Installed.RemoteHost is { } remote)
            {
                TellWhereCodeGoes(Options.Model, remote);
            }

            var use = await LoadAsync(Options.Model, cancellation);
            if (EvictedAs() is { } evicted)
            {
                _context.Terminal.Remark(evicted);
            }

            return use;
        }

        var models = await Host.ListAsync(cancellation);
        var running = models.Where(model => model is { Running: not null, FillsMiddle: true, Installed.RemoteHost: null }).OrderByDescending(model => model.Running!.ExpiresAt).FirstOrDefault();
        if (running is not null)
        {
            return await Host.LoadAsync(running.Installed.Name, cancellation);
        }

        var able = string.Join(", ", models.Where(model => model is { FillsMiddle: true, Installed.RemoteHost: null }).Select(model => model.Installed.Name));
        throw new UserException(able.Length == 0
            ? new(
                "Ollama has no model that fills in the middle of code. Get one, for example 'llm-assist models pull qwen2.5-coder:1.5b', and name it with --ollama-model.",
                "Ollama no tiene ningún modelo que rellene huecos en el código. Descargue uno, por ejemplo «llm-assist models pull qwen2.5-coder:1.5b», e indíquelo con --ollama-model.")
            : new(
                $"Ollama runs no model that fills in the middle of code, and none is named. Name one with --ollama-model; installed are: {able}.",
                $"Ollama no tiene en marcha ningún modelo que rellene huecos en el código y no se indicó ninguno. Indíquelo con --ollama-model; instalados: {able}."));
    }

    /// <summary>Loads a model, and shows how long it takes. Canceling aborts the load.</summary>
    /// <exception cref="UserException">There is no such model, it does not fit, or Ollama failed.</exception>
    public Task<OllamaUse> LoadAsync(string name, CancellationToken cancellation) => _context.Terminal.WaitingAsync(
        new($"Ollama is loading {name} (Ctrl+C aborts)", $"Ollama está cargando {name} (Ctrl+C lo interrumpe)"),
        () => Host.LoadAsync(name, cancellation));

    /// <summary>How it lists a model now; null if it does not.</summary>
    /// <exception cref="OllamaException">It does not answer as it should.</exception>
    public async Task<OllamaModel?> FindAsync(string name, CancellationToken cancellation) =>
        (await Host.ListAsync(cancellation)).FirstOrDefault(model => OllamaName.Normalize(model.Installed.Name) == OllamaName.Normalize(name));

    /// <summary>What was taken out of memory so far, as a sentence; null for nothing.</summary>
    public Phrase? EvictedAs()
    {
        var names = string.Join(", ", Evicted.Select(static happened => $"{happened.Id.Name} ({happened.Bytes})"));
        return names.Length == 0 ? null : new($"Taken out of memory for it: {names}.", $"Se sacó de la memoria para ello: {names}.");
    }

    public void Dispose()
    {
        Host.Dispose();
        Keeper.Dispose();
    }

    private void Happened(MemoryEvent happened)
    {
        if (happened.Kind == MemoryEventKind.Evict)
        {
            lock (_gate)
            {
                _evicted.Add(happened);
            }
        }
    }

    private void TellWhereCodeGoes(string who, string host) => _context.Terminal.Remark(new(
        $"{who} runs at {host}: the code around the cursor is sent there.",
        $"{who} se ejecuta en {host}: el código alrededor del cursor se envía allí."));
}
