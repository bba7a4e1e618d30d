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
    private readonly TextHandler _texts;
    private readonly Task _accepting;

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly List<FakeModel> _models;
    private readonly List<Asked> _asked = [];
    private readonly List<(string Path, int Count, TaskCompletionSource<Asked> Reached)> _waiting = [];
    private readonly List<Task> _serving = [];
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
        _runners = new(scenario, time);
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

        _texts = new(scenario, time, _runners, _improviser, Find);
        foreach (var name in scenario.Running)
        {
            var runner = _runners.Add(Find(name)!, RunnerOptions.Of(Find(name)!, null), null);
            runner.ExpiresAt = time.GetUtcNow() + runner.Session;
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

    /// <summary>How often a model was loaded.</summary>
    public int Loads => _texts.Loads;

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
        _texts.Dispose();
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
        try
        {
            while (await connection.ReadAsync(_ending.Token) is { } request)
            {
                var asked = new Asked(request, connection, _time);
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
        var model = Find(other.Model)!;
        if (other.Evict)
        {
            _runners.Remove(model);
        }

        if (other.KeepAliveSeconds is { } seconds && _runners.Listed().FirstOrDefault(listed => listed.Runner.Model == model).Runner is { } runner)
        {
            _runners.Begin(runner, TimeSpan.FromSeconds(seconds));
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
            item["size"] = model.LoadedBytes;
            item["size_vram"] = model.VramBytes;
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

        var reply = new JsonObject
        {
            ["modelfile"] = "# Modelfile",
            ["parameters"] = "stop                           \"<|endoftext|>\"",
            ["template"] = TemplateOf(model),
            ["details"] = Details(model),
            ["model_info"] = new JsonObject
            {
                ["general.architecture"] = model.Family,
                ["general.parameter_count"] = 1543714304,
                [$"{model.Family}.block_count"] = 28,
                [$"{model.Family}.context_length"] = model.ContextTokens,
                [$"{model.Family}.embedding_length"] = 1536,
                [$"{model.Family}.attention.head_count"] = 12,
                [$"{model.Family}.attention.head_count_kv"] = 2,
                [$"{model.Family}.rope.freq_base"] = 1e6,
                ["tokenizer.ggml.tokens"] = body["verbose"]?.ToString() == "true" ? new JsonArray("!", "\"", "#") : null, // lists are shown on demand
            },
            ["tensors"] = new JsonArray(new JsonObject { ["name"] = "token_embd.weight", ["type"] = "Q6_K", ["shape"] = new JsonArray(1536, 151936) }),
            ["modified_at"] = _texts.Timestamp(_time.GetUtcNow(), local: true),
        };
        if (!_scenario.WithoutCapabilities)
        {
            reply["capabilities"] = Texts(model.Capabilities);
        }

        await writer.ObjectAsync(reply);
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
