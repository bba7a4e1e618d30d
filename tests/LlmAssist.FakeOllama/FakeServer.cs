// A stand-in for Ollama: a real HTTP server on loopback that answers as Ollama does, and fails as it does. Covers version,
// tags, ps, show, generate and pull; not chat, embed, the OpenAI paths, and nothing that changes what is installed but pull.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LlmAssist.FakeOllama;

/// <summary>Serves from construction to disposal.</summary>
public sealed partial class FakeServer : IAsyncDisposable
{
    private const int DefaultPieces = 64;
    private const int PullSteps = 4;

    private readonly Scenario _scenario;
    private readonly TimeProvider _time;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _oneLoad = new(1, 1);
    private readonly Runners _runners;
    private readonly Task _accepting;

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly List<FakeModel> _models;
    private readonly List<Asked> _asked = [];
    private readonly List<(string Path, int Count, TaskCompletionSource<Asked> Reached)> _waiting = [];
    private readonly List<Task> _serving = [];
    private readonly Dictionary<string, long> _pulled = []; // bytes of unfinished downloads
    private int _loads;
    private int _connections;

    /// <param name="scenario">What to play.</param>
    /// <param name="time">The clock of delays and of expiry.</param>
    /// <param name="port">0 for any that is free.</param>
    public FakeServer(Scenario scenario, TimeProvider time, int port = 0)
    {
        _scenario = scenario;
        _time = time;
        _runners = new(scenario, time);
        _models = [.. scenario.Models];
        foreach (var name in scenario.Running)
        {
            var runner = _runners.Add(Find(name)!, Runners.DefaultContextTokens, null);
            runner.ExpiresAt = time.GetUtcNow() + runner.Session;
        }

        _listener = new(IPAddress.Loopback, port);
        _listener.Start();
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
    public int Loads
    {
        get
        {
            lock (_gate)
            {
                return _loads;
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
        _oneLoad.Dispose();
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
                var asked = new Asked(request);
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
        var streams = request.Path is "/api/generate" or "/api/pull" && asked.Body?["stream"]?.ToString() != "false";
        if (await writer.SpoilBeginningAsync(streams))
        {
            return;
        }

        // A server on loopback refuses requests that a web page could have made.
        if (request.Headers.ContainsKey("Origin") || (request.Headers.TryGetValue("Host", out var host) && !host.StartsWith("127.", StringComparison.Ordinal) && !host.StartsWith("localhost", StringComparison.Ordinal)))
        {
            await writer.TextAsync(403, "");
            return;
        }

        switch (request.Method, request.Path)
        {
            case ("GET" or "HEAD", "/"):
                await writer.TextAsync(200, "Ollama is running");
                return;
            case ("GET", "/api/version"):
                await writer.ObjectAsync(new() { ["version"] = _scenario.Version });
                return;
            case ("GET", "/api/tags"):
                await writer.ObjectAsync(Installed());
                return;
            case ("GET", "/api/ps") when !_scenario.WithoutRunning:
                await writer.ObjectAsync(Running());
                return;
            case ("POST", "/api/show" or "/api/generate" or "/api/pull"):
                break;
            case (_, "/api/version" or "/api/tags" or "/api/show" or "/api/generate" or "/api/pull"):
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

        await (request.Path switch
        {
            "/api/show" => ShowAsync(writer, body),
            "/api/pull" => PullAsync(writer, body, streams),
            _ => GenerateAsync(writer, connection, body, streams),
        });
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
                    item["modified_at"] = Timestamp(_time.GetUtcNow(), local: true);
                    item["size"] = model.RemoteHost is null ? model.SizeBytes : 384;
                    item["capabilities"] = Texts(model.Capabilities);
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
            item["expires_at"] = Timestamp(listed.ExpiresAt, local: true);
            if (!_scenario.WithoutContextLength)
            {
                item["context_length"] = listed.Runner.ContextTokens;
            }

            return Marked(item);
        })]),
    };

    private async Task ShowAsync(ReplyWriter writer, JsonObject body)
    {
        var name = Text(body, "model") ?? Text(body, "name") ?? "";
        if (Find(name) is not { } model)
        {
            await (name.Length == 0 ? writer.ErrorAsync(400, "model is required", streams: false) : writer.ErrorAsync(404, $"model '{Normal(name)}' not found", streams: false));
            return;
        }

        await writer.ObjectAsync(new()
        {
            ["modelfile"] = "# Modelfile",
            ["parameters"] = "stop                           \"<|endoftext|>\"",
            ["template"] = model.Capabilities.Contains("insert") ? "{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>{{ else }}{{ .Prompt }}{{ end }}" : "{{ .Prompt }}",
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
                ["tokenizer.ggml.tokens"] = null,
            },
            ["tensors"] = new JsonArray(new JsonObject { ["name"] = "token_embd.weight", ["type"] = "Q6_K", ["shape"] = new JsonArray(1536, 151936) }),
            ["capabilities"] = Texts(model.Capabilities),
            ["modified_at"] = Timestamp(_time.GetUtcNow(), local: true),
        });
    }

    private async Task GenerateAsync(ReplyWriter writer, HttpConnection connection, JsonObject body, bool streams)
    {
        var name = Text(body, "model") ?? "";
        if (Find(name) is not { } model)
        {
            await writer.ErrorAsync(404, $"model '{name}' not found", streams);
            return;
        }

        if (!TryKeepAlive(body["keep_alive"], out var session, out var error))
        {
            await writer.ErrorAsync(400, error, streams);
            return;
        }

        var prompt = Text(body, "prompt") ?? "";
        if (prompt.Length == 0 && session == TimeSpan.Zero)
        {
            _runners.Unload(model);
            await writer.ObjectAsync(Frame(name, "", "unload"));
            return;
        }

        if (Refusal(model, name, body) is { } refusal)
        {
            await writer.ErrorAsync(refusal.Status, refusal.Text, streams);
            return;
        }

        // A dead runner is noticed by using it.
        if (writer.Fault?.Kind == FaultKind.DeadRunner)
        {
            _runners.Remove(model);
            await writer.ErrorAsync(500, "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details", streams);
            return;
        }

        if (await AcquireAsync(model, body, session, writer.Fault, connection.Gone) is not { } runner)
        {
            await writer.ErrorAsync(500, "llama-server process has terminated: exit status 1: error loading model", streams);
            return;
        }

        _runners.Begin(runner, session);
        try
        {
            await (prompt.Length == 0 ? writer.ObjectAsync(Frame(name, "", "load")) : TextAsync(writer, model, name, prompt, body, streams));
        }
        finally
        {
            _runners.End(runner);
        }
    }

    private static (int Status, string Text)? Refusal(FakeModel model, string name, JsonObject body)
    {
        if (!model.Capabilities.Contains("completion"))
        {
            return (400, $"\"{name}\" does not support generate");
        }

        if (!string.IsNullOrEmpty(Text(body, "suffix")) && !model.Capabilities.Contains("insert"))
        {
            return (400, $"registry.ollama.ai/library/{Normal(name)} does not support insert");
        }

        if (body["raw"]?.ToString() == "true" && (body["system"] ?? body["template"] ?? body["context"]) is not null)
        {
            return (400, "raw mode does not support template, system, or context");
        }

        return body["options"]?["num_ctx"] is { } context && !(context is JsonValue value && value.TryGetValue(out int _))
            ? (500, "option \"num_ctx\" must be of type integer")
            : null;
    }

    // The runner, loaded if need be; null when the load fails. A client that leaves aborts it.
    private async Task<Runner?> AcquireAsync(FakeModel model, JsonObject body, TimeSpan? session, Fault? fault, CancellationToken gone)
    {
        var context = Math.Min(model.ContextTokens, body["options"]?["num_ctx"]?.GetValue<int>() ?? Runners.DefaultContextTokens);
        if (_runners.Find(model, context) is { } early && fault?.Kind != FaultKind.LoadCrash)
        {
            return early;
        }

        await _oneLoad.WaitAsync(gone);
        try
        {
            if (_runners.Find(model, context) is { } runner && fault?.Kind != FaultKind.LoadCrash)
            {
                return runner;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(_scenario.LoadMilliseconds), _time, gone);
            if (fault?.Kind == FaultKind.LoadCrash)
            {
                return null;
            }

            lock (_gate)
            {
                _loads++;
            }

            return _runners.Add(model, context, session);
        }
        finally
        {
            _oneLoad.Release();
        }
    }

    private async Task TextAsync(ReplyWriter writer, FakeModel model, string name, string prompt, JsonObject body, bool streams)
    {
        var begun = _time.GetTimestamp();
        var limit = body["options"]?["num_predict"]?.GetValue<int>() is { } wanted and > 0 ? wanted : DefaultPieces;
        var stops = (body["options"]?["stop"] as JsonArray)?.Select(stop => stop!.ToString()) ?? [];
        var all = model.Reply is null ? Improviser.Continue(prompt, limit + 1) : Improviser.Pieces(model.Reply);
        var pieces = UpToStop(all, [.. stops]).Take(limit + 1).ToList();
        var isCut = limit < pieces.Count;
        pieces = [.. pieces.Take(limit)];
        var last = Frame(name, streams ? "" : string.Concat(pieces), isCut ? "length" : "stop");
        last["eval_count"] = pieces.Count;
        last["prompt_eval_count"] = Improviser.Pieces(prompt).Count();
        last["prompt_eval_duration"] = 90_000_000;
        if (body["raw"]?.ToString() != "true")
        {
            last["context"] = new JsonArray(1, 2, 3);
        }

        if (streams)
        {
            foreach (var piece in pieces)
            {
                await writer.FrameAsync(Frame(name, piece, null));
            }
        }

        last["total_duration"] = (long)_time.GetElapsedTime(begun).TotalNanoseconds + 100_000_000;
        if (streams)
        {
            await writer.FrameAsync(last);
            await writer.EndAsync();
            return;
        }

        await writer.ObjectAsync(last);
    }

    private async Task PullAsync(ReplyWriter writer, JsonObject body, bool streams)
    {
        var name = Normal(Text(body, "model") ?? Text(body, "name") ?? "");
        if (streams)
        {
            await writer.FrameAsync(new() { ["status"] = "pulling manifest" });
        }

        var model = Find(name) ?? _scenario.Registry.FirstOrDefault(model => Normal(model.Name) == name);
        if (model is null)
        {
            await writer.ErrorAsync(500, "pull model manifest: file does not exist", streams);
            return;
        }

        if (streams)
        {
            var digest = DigestOf(model);
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
            return _models.Find(model => Normal(model.Name) == Normal(name));
        }
    }

    private JsonObject Frame(string model, string text, string? reason)
    {
        var frame = new JsonObject { ["model"] = model, ["created_at"] = Timestamp(_time.GetUtcNow(), local: false), ["response"] = text, ["done"] = reason is not null };
        if (reason is not null)
        {
            frame["done_reason"] = reason;
        }

        return frame;
    }

    private static JsonObject Named(FakeModel model) => new()
    {
        ["name"] = Normal(model.Name),
        ["model"] = Normal(model.Name),
        ["digest"] = DigestOf(model),
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

    // As Go writes a time, but with a fixed number of digits.
    private string Timestamp(DateTimeOffset time, bool local)
    {
        var face = local ? time.ToOffset(TimeSpan.FromHours(_scenario.OffsetHours)) : time.ToUniversalTime();
        var nanoseconds = ((face.Ticks % TimeSpan.TicksPerSecond) * TimeSpan.NanosecondsPerTick).ToString("D9", CultureInfo.InvariantCulture);
        var fraction = _scenario.FractionDigits == 0 ? "" : $".{nanoseconds[.._scenario.FractionDigits]}";
        return face.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + fraction + (local ? face.ToString("zzz", CultureInfo.InvariantCulture) : "Z");
    }

    private static IEnumerable<string> UpToStop(IEnumerable<string> pieces, IReadOnlyList<string> stops)
    {
        var text = "";
        foreach (var piece in pieces)
        {
            text += piece;
            var end = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => 0 <= at).DefaultIfEmpty(-1).Min();
            if (0 <= end)
            {
                var kept = piece.Length - (text.Length - end);
                if (0 < kept)
                {
                    yield return piece[..kept];
                }

                yield break;
            }

            yield return piece;
        }
    }

    // Numbers are seconds; texts are durations with a unit. Null is not set, negative is for ever.
    private static bool TryKeepAlive(JsonNode? node, out TimeSpan? session, out string error)
    {
        session = null;
        error = "";
        if (node is null)
        {
            return true;
        }

        var value = node.AsValue();
        double seconds;
        if (value.TryGetValue(out string? text))
        {
            if (text != "0" && !Duration().IsMatch(text))
            {
                error = $"time: missing unit in duration \"{text}\"";
                return false;
            }

            seconds = Part().Matches(text).Sum(part => double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture) * part.Groups[2].Value switch { "ms" => 0.001, "s" => 1, "m" => 60, _ => 3600 });
            seconds = text.StartsWith('-') ? -seconds : seconds;
        }
        else if (!value.TryGetValue(out seconds))
        {
            error = "Unsupported type: 'bool'";
            return false;
        }

        session = seconds < 0 ? Runners.ForEver : TimeSpan.FromSeconds(seconds);
        return true;
    }

    private static string DigestOf(FakeModel model) =>
        model.Digest ?? Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Normal(model.Name))));

    // Not the client's normal form on purpose: the stand-in has to be right where the client is wrong.
    private static string Normal(string name)
    {
        var match = Name().Match(name.Trim().ToLowerInvariant());
        return match.Groups["rest"].Value + (match.Groups["tag"].Success ? match.Groups["tag"].Value : ":latest");
    }

    private static string? Text(JsonObject body, string member) => body[member] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    [GeneratedRegex("^(?:registry\\.ollama\\.ai/)?(?:library/)?(?<rest>.*?)(?<tag>:[^/:]*)?$")]
    private static partial Regex Name();

    [GeneratedRegex(@"^-?(?:[\d.]+(?:ms|s|m|h))+$")]
    private static partial Regex Duration();

    [GeneratedRegex(@"([\d.]+)(ms|s|m|h)")]
    private static partial Regex Part();
}
