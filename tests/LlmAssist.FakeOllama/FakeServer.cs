// A stand-in for Ollama: a real HTTP server on loopback that answers as Ollama does, and fails as it does. Covers version,
// tags, ps, show, generate, chat and pull; not embed, the OpenAI paths, and nothing that changes what is installed but pull.
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.FakeOllama;

/// <summary>Serves from construction to disposal.</summary>
public sealed class FakeServer : IAsyncDisposable
{
    private const int PullSteps = 4;

    private readonly Scenario _scenario;
    private readonly TimeProvider _time;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly Improviser _improviser;
    private readonly Improviser? _shared;
    private readonly Runners _runners;
    private readonly Scheduler _scheduler;
    private readonly long _begun;
    private readonly TextHandler _texts;
    private readonly Task _accepting;

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly List<FakeModel> _models;
    private readonly List<Asked> _asked = [];
    private readonly List<(string Path, int Count, TaskCompletionSource<Asked> Reached)> _waiting = [];
    private readonly List<Task> _serving = [];
    private readonly List<HttpConnection> _open = [];
    private readonly Dictionary<string, long> _pulled = []; // bytes of unfinished downloads
    private int _mostGenerations;
    private int _connections;

    /// <param name="scenario">What to play.</param>
    /// <param name="time">The clock of delays and of expiry.</param>
    /// <param name="port">0 for any that is free.</param>
    /// <exception cref="Engine.UserException">There is nothing to learn from where the scenario says.</exception>
    public FakeServer(Scenario scenario, TimeProvider time, int port = 0)
        : this(scenario, time, port, shared: null)
    {
    }

    /// <param name="shared">What others have learned too, instead of what the scenario says; stays theirs. Null for the scenario's.</param>
    internal FakeServer(Scenario scenario, TimeProvider time, int port, Improviser? shared)
    {
        _scenario = scenario;
        _time = time;
        _shared = shared;
        _begun = time.GetTimestamp();
        _runners = new(scenario, time);
        _scheduler = new(scenario, time, _runners);
        _models = [.. scenario.Models];
        _listener = new(IPAddress.Loopback, port);
        _listener.Start();
        try
        {
            _improviser = shared ?? new(scenario.LearnFrom, scenario.Language is { } id ? Language.ById(id) : null, time);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }

        _texts = new(scenario, time, _runners, _scheduler, _improviser, Find);
        foreach (var name in scenario.Running)
        {
            _runners.Place(Known(name), RunnerOptions.Of(Known(name), contextTokens: null), null, isStart: true);
        }

        Endpoint = new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Endpoint { get; }

    /// <summary>All requests so far, in the order in which they came.</summary>
    public IReadOnlyList<Asked> Asked
    {
        get
        {
            lock (_gate)
            {
                return [.. _asked];
            }
        }
    }

    /// <summary>How often a client's request has loaded a model.</summary>
    public int Loads => _runners.Figures().Loads;

    /// <summary>What models take of the machine's memory, from the moment at which their load begins until they are gone; without graphics memory.</summary>
    public long RamBytes => _runners.Figures().RamBytes;

    /// <summary>The most that <see cref="RamBytes"/> was since the beginning, or since <see cref="ResetPeaks"/>.</summary>
    public long PeakRamBytes => _runners.Figures().PeakRamBytes;

    /// <summary>How many requests have come whose models were not in memory as they wanted them, and still wait for that. Clients that have left do not count.</summary>
    public int LoadsInFlight => _runners.Figures().LoadsInFlight;

    /// <summary>The most that <see cref="LoadsInFlight"/> was since the beginning, or since <see cref="ResetPeaks"/>.</summary>
    public int MostLoadsInFlight => _runners.Figures().MostLoadsInFlight;

    /// <summary>What has happened to models' memory, in order: the timestamp of the server's clock, what, the model's name as it is listed, and
    /// <see cref="RamBytes"/> after it. <c>load</c>: a load begins; <c>loaded</c>: it has ended; <c>abort</c>: it has failed, or its client has left. A model
    /// is gone because of <c>unload</c>: it was told to leave; <c>expire</c>: its duration was over; <c>evict</c>: another needs its place; <c>reload</c>: it
    /// is loaded anew; <c>crash</c>: it has died; <c>restart</c>, with no name: all are gone.</summary>
    public IReadOnlyList<(long At, string What, string Model, long RamBytes)> MemoryLog => _runners.Figures().Log;

    /// <summary>How many requests had text generated, as against those that loaded a model or asked for something else.</summary>
    public int Generations
    {
        get
        {
            lock (_gate)
            {
                return _asked.Count(asked => asked.IsGeneration);
            }
        }
    }

    /// <summary>The highest number of such requests that were open at one moment, those included that waited for others.</summary>
    public int MostGenerationsAtOnce
    {
        get
        {
            lock (_gate)
            {
                return _mostGenerations;
            }
        }
    }

    /// <summary>How many connections clients have opened.</summary>
    public int Connections
    {
        get
        {
            lock (_gate)
            {
                return _connections;
            }
        }
    }

    /// <summary>Lets the highest figures begin anew from those of this moment.</summary>
    public void ResetPeaks()
    {
        _runners.ResetPeaks();
        lock (_gate)
        {
            _mostGenerations = _asked.Count(asked => asked.IsRunning);
        }
    }

    /// <summary>Forgets the requests that have ended, and the log of memory: for plays of many hours. What counts requests, such as faults, begins anew with those that
    /// are left.</summary>
    /// <returns>The requests that are forgotten.</returns>
    public IReadOnlyList<Asked> Forget()
    {
        _runners.ForgetLog();
        lock (_gate)
        {
            var groups = _asked.ToLookup(static asked => asked.EndedAt is not null);
            var ended = groups[true].ToList();
            var open = groups[false].ToList();
            _asked.Clear();
            _asked.AddRange(open);
            return ended;
        }
    }

    /// <summary>Another client loads a model, which takes no time, or uses it if it is in memory with that context. As at any load, with another context it
    /// is loaded anew, and an idle one makes room; but nothing is waited for: a busy model keeps its context, and where all are busy there is one more.</summary>
    /// <param name="name">The model.</param>
    /// <param name="contextTokens">Null for the default.</param>
    /// <param name="keepAlive">How long it stays; below zero is for ever. Null if the client does not say.</param>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public void LoadByOther(string name, int? contextTokens = null, TimeSpan? keepAlive = null)
    {
        var model = Known(name);
        _runners.Place(model, RunnerOptions.Of(model, contextTokens), keepAlive < TimeSpan.Zero ? Runners.ForEver : keepAlive);
    }

    /// <summary>Another client's request begins, with the context that the model has; a model that is not in memory is loaded as <see cref="LoadByOther"/> does.</summary>
    /// <returns>Ends the request when it is disposed of.</returns>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public IDisposable UseByOther(string name)
    {
        var model = Known(name);
        while (true)
        {
            if (_runners.TryUse(model, null) is { } runner)
            {
                return new Once(() => _runners.End(runner));
            }

            LoadByOther(name);
        }
    }

    /// <summary>Another client tells a model to leave, which it does as soon as it is idle.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public void UnloadByOther(string name) => _runners.Unload(Known(name));

    /// <summary>Lets a model die: its memory comes back at once and its requests fail. It stays listed; the next request fails too, and removes it.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public void Crash(string name) => _runners.Crash(Known(name));

    /// <summary>Ends and begins again: all connections are reset, and nothing is in memory. What is installed stays, and so do the figures.</summary>
    public void Restart()
    {
        HttpConnection[] open;
        lock (_gate)
        {
            open = [.. _open];
        }

        // The models first: nobody shall find one that is gone in a moment.
        _runners.Restart();
        foreach (var connection in open)
        {
            connection.Cut();
        }
    }

    /// <summary>The <paramref name="count"/>th request to a path, from 1, as soon as it has come.</summary>
    public Task<Asked> AskedAsync(string path, int count = 1)
    {
        lock (_gate)
        {
            var reached = new TaskCompletionSource<Asked>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((path, count, reached));
            TellLocked();
            return reached.Task;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] serving;
        lock (_gate)
        {
            serving = [.. _serving];
        }

        await Task.WhenAll(serving);
        _ending.Dispose();
        _scheduler.Dispose();
        if (_shared is null)
        {
            _improviser.Dispose();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_ending.Token);
                lock (_gate)
                {
                    _connections++;
                    _serving.RemoveAll(task => task.IsCompleted);
                    _serving.Add(ServeAsync(socket));
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        using var connection = new HttpConnection(socket);
        using var ending = _ending.Token.Register(connection.Dispose);
        lock (_gate)
        {
            _open.Add(connection);
        }

        try
        {
            while (await connection.ReadAsync(_ending.Token) is { } request)
            {
                var asked = new Asked(request, connection, _time);
                if (_scenario.TellsFigures && (request.Method, request.Path) is ("GET", "/fake/figures") or ("POST", "/fake/reset-figures"))
                {
                    await TellFiguresAsync(new(connection, asked, fault: null, _scenario, _time), request.Path);
                    continue;
                }

                try
                {
                    await AnswerAsync(connection, request, asked, Note(asked));
                    asked.End(Outcome.Answered);
                }
                catch (SpoiledException)
                {
                    asked.End(Outcome.Answered);
                    return;
                }
                finally
                {
                    // Where it has not ended as above.
                    asked.End(Outcome.ClientLeft);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The client left, or all ends.
        }
        finally
        {
            lock (_gate)
            {
                _open.Remove(connection);
            }
        }
    }

    private async Task TellFiguresAsync(ReplyWriter writer, string path)
    {
        if (path == "/fake/reset-figures")
        {
            ResetPeaks();
        }

        var figures = _runners.Figures().ToJson(_begun, _time);
        figures["generations"] = Generations;
        figures["mostGenerationsAtOnce"] = MostGenerationsAtOnce;
        await writer.ObjectAsync(figures);
    }

    // Takes down the request, lets the others do their part, and finds what goes wrong with it.
    private Fault? Note(Asked asked)
    {
        lock (_gate)
        {
            _asked.Add(asked);
            _mostGenerations = Math.Max(_mostGenerations, _asked.Count(earlier => earlier.IsRunning));
            foreach (var other in _scenario.Others.Where(other => other.Before == _asked.Count))
            {
                Act(other);
            }

            var fault = _scenario.Faults.FirstOrDefault(fault =>
            {
                var count = _asked.Count(earlier => fault.Path is null || earlier.Path == fault.Path);
                return (fault.Path is null || fault.Path == asked.Path) && fault.From <= count && count - fault.From < fault.Times;
            });
            TellLocked();
            return fault;
        }
    }

    private void Act(OtherClient other)
    {
        var model = Known(other.Model);
        TimeSpan? session = other.KeepAliveSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        if (other.Evict)
        {
            _runners.Evict(model);
        }

        if (other.Load)
        {
            LoadByOther(other.Model, other.ContextTokens, session);
        }
        else if (session is not null && _runners.TryUse(model, session) is { } runner)
        {
            _runners.End(runner);
        }
    }

    private void TellLocked()
    {
        _waiting.RemoveAll(wait =>
        {
            var found = _asked.Where(asked => asked.Path == wait.Path).ElementAtOrDefault(wait.Count - 1);
            return found is not null && wait.Reached.TrySetResult(found);
        });
    }

    private async Task AnswerAsync(HttpConnection connection, HttpRequest request, Asked asked, Fault? fault)
    {
        var writer = new ReplyWriter(connection, asked, fault, _scenario, _time);
        var streams = request.Path is "/api/generate" or "/api/chat" or "/api/pull" && asked.Body?["stream"]?.ToString() != "false";
        if (await writer.SpoilBeginningAsync(streams))
        {
            return;
        }

        // A server on loopback refuses requests that a web page could have made.
        if (IsFromElsewhere(request))
        {
            await writer.TextAsync(403, "");
            return;
        }

        switch (request.Method, request.Path)
        {
            case ("GET" or "HEAD", "/"):
                await writer.TextAsync(200, "Ollama is running");
                return;
            case ("GET" or "HEAD", "/api/version"):
                await writer.ObjectAsync(new() { ["version"] = _scenario.Version });
                return;
            case ("GET" or "HEAD", "/api/tags"):
                await writer.ObjectAsync(Installed());
                return;
            case ("GET", "/api/ps") when !_scenario.WithoutRunning:
                await writer.ObjectAsync(Running());
                return;
            case ("POST", "/api/show" or "/api/generate" or "/api/chat" or "/api/pull"):
                break;
            case (_, "/" or "/api/version" or "/api/tags" or "/api/ps" or "/api/show" or "/api/generate" or "/api/chat" or "/api/pull"):
                await writer.TextAsync(405, "405 method not allowed");
                return;
            default:
                await writer.TextAsync(404, "404 page not found");
                return;
        }

        if (request.Body.Length == 0 || asked.Body is not { } body)
        {
            await writer.ErrorAsync(400, request.Body.Length == 0 ? "missing request body" : "invalid character in request body", streams);
            return;
        }

        if (GoRules.Misfit(request.Path, body) is { } misfit)
        {
            await writer.ErrorAsync(400, misfit, streams);
            return;
        }

        await (request.Path switch
        {
            "/api/show" => ShowAsync(writer, body),
            "/api/pull" => PullAsync(writer, body, streams),
            _ => _texts.ServeAsync(writer, request.Path, body, streams, connection.Gone),
        });
    }

    private static bool IsFromElsewhere(HttpRequest request)
    {
        var isOriginHere = !request.Headers.TryGetValue("Origin", out var origin)
            || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && (page.Host is "localhost" or "127.0.0.1" or "0.0.0.0" || page.Scheme is "app" or "file" or "tauri" or "vscode-webview" or "vscode-file"));
        var isHostHere = !request.Headers.TryGetValue("Host", out var host)
            || host.StartsWith("127.", StringComparison.Ordinal) || host.StartsWith("localhost", StringComparison.Ordinal);
        return !isOriginHere || !isHostHere;
    }

    private JsonObject Installed()
    {
        lock (_gate)
        {
            return new()
            {
                ["models"] = new JsonArray([.. _models.Select(model =>
                {
                    var item = Named(model);
                    item["modified_at"] = _texts.Timestamp(_time.GetUtcNow(), local: true);
                    item["size"] = model.RemoteHost is null ? model.SizeBytes : 384;
                    if (!_scenario.WithoutCapabilities)
                    {
                        item["capabilities"] = Texts(model.Capabilities);
                    }

                    if (model.RemoteHost is not null)
                    {
                        item["remote_host"] = model.RemoteHost;
                    }

                    return Marked(item);
                })]),
            };
        }
    }

    private JsonObject Running() => new()
    {
        ["models"] = new JsonArray([.. _runners.Listed().Select(listed =>
        {
            var model = listed.Runner.Model;
            var item = Named(model);
            item["size"] = listed.Runner.Bytes;
            item["size_vram"] = listed.Runner.VramBytes;
            item["expires_at"] = _texts.Timestamp(listed.ExpiresAt, local: true);
            if (!_scenario.WithoutContextLength)
            {
                item["context_length"] = listed.Runner.Options.ContextTokens;
            }

            return Marked(item);
        })]),
    };

    private async Task ShowAsync(ReplyWriter writer, JsonObject body)
    {
        var name = Text(body, "model") ?? Text(body, "name") ?? "";
        if (Find(name) is not { } model)
        {
            await (name.Length == 0 ? writer.ErrorAsync(400, "model is required", streams: false) : writer.ErrorAsync(404, $"model '{ModelNames.Normal(name)}' not found", streams: false));
            return;
        }

        var template = TemplateOf(model);
        var reply = new JsonObject
        {
            ["modelfile"] = $"# Modelfile generated by \"ollama show\"\n# To build a new Modelfile based on this, replace FROM with:\n# FROM {ModelNames.Normal(model.Name)}\n\nFROM {ModelNames.BlobPath(model)}\nTEMPLATE \"\"\"{template}\"\"\"\nPARAMETER stop <|endoftext|>\n",
            ["parameters"] = "stop                           \"<|endoftext|>\"",
            ["template"] = template,
            ["details"] = Details(model),
            ["model_info"] = MetadataOf(model, isVerbose: body["verbose"]?.ToString() == "true"),
            ["modified_at"] = _texts.Timestamp(_time.GetUtcNow(), local: true),
        };
        var tensors = model.Tensors ?? [FakeMetadata.Embeddings(model)];
        if (tensors.Count != 0)
        {
            reply["tensors"] = new JsonArray([.. tensors.Select(tensor => new JsonObject
            {
                ["name"] = tensor.Name,
                ["type"] = tensor.Type,
                ["shape"] = new JsonArray([.. tensor.Shape.Select(count => (JsonNode)count)]),
            })]);
        }

        if (!_scenario.WithoutCapabilities)
        {
            reply["capabilities"] = Texts(model.Capabilities);
        }

        await writer.ObjectAsync(reply);
    }

    private JsonObject MetadataOf(FakeModel model, bool isVerbose)
    {
        // Reading JSON may change it inside, and scenarios are shared.
        lock (_gate)
        {
            return new(FakeMetadata.Of(model).Select(pair => KeyValuePair.Create(pair.Key, pair.Value is JsonArray && !isVerbose ? null : pair.Value?.DeepClone())));
        }
    }

    // Such as its packager would write it: with the tokens of its family, as far as its name tells.
    private static string TemplateOf(FakeModel model)
    {
        if (!model.Capabilities.Contains("insert"))
        {
            return "{{ .Prompt }}";
        }

        var row = FimTemplate.Detect(new(model.Name, "", [], "")) is FimSupport.Known known ? known.Template : FimTemplate.All.Single(row => row.Name == "qwen");
        var (before, behind) = ($"{row.Prefix}{{{{ .Prompt }}}}", $"{row.Suffix}{{{{ .Suffix }}}}");
        return $"{{{{- if .Suffix }}}}{(row.SuffixFirst ? behind + before : before + behind)}{row.Middle}{{{{ else }}}}{{{{ .Prompt }}}}{{{{ end }}}}";
    }

    private async Task PullAsync(ReplyWriter writer, JsonObject body, bool streams)
    {
        var asked = Text(body, "model") ?? Text(body, "name") ?? "";
        if (!ModelNames.IsValid(asked))
        {
            await writer.ErrorAsync(400, "invalid model name", streams);
            return;
        }

        var name = ModelNames.Normal(asked);
        if (streams)
        {
            await writer.FrameAsync(new() { ["status"] = "pulling manifest" });
        }

        var model = Find(name) ?? _scenario.Registry.FirstOrDefault(model => ModelNames.Normal(model.Name) == name);
        if (model is null)
        {
            await writer.ErrorAsync(500, "pull model manifest: file does not exist", streams);
            return;
        }

        if (streams)
        {
            var digest = ModelNames.DigestOf(model);
            var step = Math.Max(1, model.SizeBytes / PullSteps);
            for (var completed = Find(name) is null ? Pulled(digest) : model.SizeBytes; ; completed = Math.Min(model.SizeBytes, completed + step))
            {
                lock (_gate)
                {
                    _pulled[digest] = completed;
                }

                var frame = new JsonObject { ["status"] = $"pulling {digest[..12]}", ["digest"] = $"sha256:{digest}", ["total"] = model.SizeBytes };
                if (completed != 0)
                {
                    frame["completed"] = completed;
                }

                await writer.FrameAsync(frame);
                if (completed == model.SizeBytes)
                {
                    break;
                }
            }

            await writer.FrameAsync(new() { ["status"] = "verifying sha256 digest" });
            await writer.FrameAsync(new() { ["status"] = "writing manifest" });
        }

        lock (_gate)
        {
            if (!_models.Contains(model))
            {
                _models.Insert(0, model);
            }
        }

        if (streams)
        {
            await writer.FrameAsync(new() { ["status"] = "success" });
            await writer.EndAsync();
            return;
        }

        await writer.ObjectAsync(new() { ["status"] = "success" });
    }

    private long Pulled(string digest)
    {
        lock (_gate)
        {
            return _pulled.GetValueOrDefault(digest);
        }
    }

    private FakeModel? Find(string name)
    {
        lock (_gate)
        {
            return _models.Find(model => ModelNames.Normal(model.Name) == ModelNames.Normal(name));
        }
    }

    private FakeModel Known(string name) => Find(name) ?? throw new ArgumentException($"Found the model '{name}'; expected one that the scenario installs.", nameof(name));

    private static JsonObject Named(FakeModel model) => new()
    {
        ["name"] = ModelNames.Normal(model.Name),
        ["model"] = ModelNames.Normal(model.Name),
        ["digest"] = ModelNames.DigestOf(model),
        ["details"] = Details(model),
    };

    private static JsonObject Details(FakeModel model) => new()
    {
        ["parent_model"] = "",
        ["format"] = "gguf",
        ["family"] = model.Family,
        ["families"] = model.FamiliesNull ? null : new JsonArray(model.Family),
        ["parameter_size"] = model.ParameterSize,
        ["quantization_level"] = model.Quantization,
        ["context_length"] = model.ContextTokens,
    };

    private JsonObject Marked(JsonObject item)
    {
        if (_scenario.UnknownMembers)
        {
            item["of_the_future"] = new JsonObject { ["deep"] = new JsonArray() };
        }

        return item;
    }

    private static string? Text(JsonObject body, string member) => body[member] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
