// Talks to one Ollama server. Keeps no state but the connections, decides nothing and retries nothing. There is no call here
// that removes a model from disk, and there must never be one.
using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LlmAssist.Engine.Ollama;

/// <summary>How long the client waits for Ollama before it gives up.</summary>
public sealed record OllamaDeadlines
{
    /// <summary>For all of version, list, running and show. Ollama itself may wait 5 s for a graphics card in the second.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For a load, also one that a generation brings about: until its first piece. Giving up aborts the load.</summary>
    public TimeSpan Load { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Between two pieces of generated text.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For the command to unload; versions before 0.3.11 load the model for it.</summary>
    public TimeSpan Unload { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Between two reports of a download; a large layer is verified in silence.</summary>
    public TimeSpan PullSilence { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>For the end of a stream after its last piece; then its connection is not used again.</summary>
    public TimeSpan StreamEnd { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>
/// A typed client of one Ollama server. Every call fails with <see cref="OllamaException"/> and nothing else, or with
/// <see cref="OperationCanceledException"/> if its token was cancelled; either closes the connection at once, by which Ollama
/// stops generating or aborts the load.
/// </summary>
/// <remarks>
/// Safe on any thread. Opens no socket before the first call. Reading the lists does not touch any model's timer; a generation,
/// a load and an unload do. The wire is that of Ollama 0.1.38 and later.
/// </remarks>
public sealed class OllamaClient : IDisposable
{
    private const int MaxPath = 4096;

    // Of the architecture's metadata, what may be a number or a list and tells what a model takes.
    private static readonly string[] SizeLists =
        ["attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length", "attention.sliding_window_pattern"];

    private readonly Uri _base; // ends with a slash
    private readonly TimeProvider _time;
    private readonly OllamaDeadlines _deadlines;
    private readonly HttpMessageInvoker _http;

    /// <param name="endpoint">Where Ollama listens, such as <c>http://127.0.0.1:11434</c>; a path before <c>/api</c> is kept.</param>
    /// <param name="time">The clock of the deadlines.</param>
    /// <param name="deadlines">Null for the usual ones.</param>
    /// <param name="handler">Null for the network; disposed with the client.</param>
    /// <exception cref="ArgumentException">The endpoint is no absolute address of HTTP or HTTPS.</exception>
    public OllamaClient(Uri endpoint, TimeProvider time, OllamaDeadlines? deadlines = null, HttpMessageHandler? handler = null)
    {
        if (!endpoint.IsAbsoluteUri || (endpoint.Scheme != Uri.UriSchemeHttp && endpoint.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException($"'{endpoint}' is not an address that starts with http:// or https://.", nameof(endpoint));
        }

        Endpoint = endpoint;
        _base = new(endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/");
        _time = time;
        _deadlines = deadlines ?? new();
        _http = new(handler ?? NewHandler(endpoint));
    }

    /// <summary>Where Ollama listens.</summary>
    public Uri Endpoint { get; }

    /// <summary>Which version the server is.</summary>
    public async Task<OllamaVersion> VersionAsync(CancellationToken cancellation)
    {
        var reply = await AskAsync(Get("api/version"), OllamaJson.Default.VersionWire, null, cancellation);
        return string.IsNullOrWhiteSpace(reply.Version)
            ? throw OllamaException.BadReply(Endpoint, new Phrase("an answer without a version", "una respuesta sin versión"))
            : new(reply.Version.Trim());
    }

    /// <summary>The models on the server's disk, the latest first.</summary>
    public async Task<IReadOnlyList<InstalledModel>> ListAsync(CancellationToken cancellation)
    {
        var reply = await AskAsync(Get("api/tags"), OllamaJson.Default.InstalledWire, null, cancellation);
        return [.. (reply.Models ?? []).OfType<InstalledModelWire>().Select(Installed).Where(model => model.Name.Length != 0)];
    }

    /// <summary>The models in the server's memory. One whose runner crashed stays in this list until it is used or expires.</summary>
    public async Task<IReadOnlyList<RunningModel>> RunningAsync(CancellationToken cancellation)
    {
        var reply = await AskAsync(Get("api/ps"), OllamaJson.Default.RunningWire, null, cancellation);
        return [.. (reply.Models ?? []).OfType<RunningModelWire>().Select(Running).Where(model => model.Name.Length != 0)];
    }

    /// <summary>What the server knows about a model. Leaves out lists, which it hides.</summary>
    public async Task<ModelFacts> ShowAsync(string model, CancellationToken cancellation) =>
        Facts(await ShowWireAsync(model, cancellation));

    /// <summary>
    /// The same, with the lists if they tell what the model takes in memory: only then is the server asked a second time, because
    /// it answers with the whole vocabulary, many MiB of it. They are missing if that fails.
    /// </summary>
    public async Task<ModelFacts> ShowWithListsAsync(string model, CancellationToken cancellation)
    {
        var wire = await ShowWireAsync(model, cancellation);
        var facts = Facts(wire);
        if (!HidesSizes(wire, facts))
        {
            return facts;
        }

        try
        {
            var scan = await ScanAsync(model, cancellation);
            return facts with
            {
                Lists = new Dictionary<string, IReadOnlyList<long>>([.. facts.Lists.Where(pair => !scan.Lists.ContainsKey(pair.Key)), .. scan.Lists]),
                VocabularyTokens = facts.VocabularyTokens ?? scan.VocabularyTokens,
            };
        }
        catch (OllamaException)
        {
            return facts; // What a model takes is then guessed higher.
        }
    }

    /// <summary>
    /// Continues a prompt, piece by piece; the last piece has an <see cref="GeneratedPiece.End"/>. Loads the model first if need be.
    /// Stopping the enumeration closes the connection.
    /// </summary>
    /// <exception cref="ArgumentException">The prompt is empty, which would be a command to load.</exception>
    public IAsyncEnumerable<GeneratedPiece> GenerateAsync(GenerateRequest request, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(request.Prompt, nameof(request));
        var wire = new GenerateWireRequest(request.Model)
        {
            Prompt = request.Prompt,
            Suffix = string.IsNullOrEmpty(request.Suffix) ? null : request.Suffix,
            Raw = request.Raw ? true : null,
            KeepAlive = Seconds(request.KeepAlive),
            Options = Options(request),
        };
        return PiecesAsync(request.Model, "api/generate", wire, OllamaJson.Default.GenerateWireRequest, cancellation);
    }

    /// <summary>Goes on with a conversation, piece by piece; otherwise as <see cref="GenerateAsync"/>.</summary>
    /// <exception cref="ArgumentException">There are no messages, which would be a command to load.</exception>
    public IAsyncEnumerable<GeneratedPiece> ChatAsync(ChatRequest request, CancellationToken cancellation)
    {
        if (request.Messages.Count == 0)
        {
            throw new ArgumentException("A conversation without messages would be a command to load.", nameof(request));
        }

        var messages = request.Messages.Select(message => new MessageWire { Role = message.Role, Content = message.Content });
        var wire = new ChatWireRequest(request.Model, [.. messages]) { KeepAlive = Seconds(request.KeepAlive), Options = Options(request) };
        return PiecesAsync(request.Model, "api/chat", wire, OllamaJson.Default.ChatWireRequest, cancellation);
    }

    /// <summary>Loads a model into memory, or changes how long a loaded one stays. Cancelling aborts the load.</summary>
    /// <param name="model">Which, in any spelling.</param>
    /// <param name="contextTokens">Its <c>num_ctx</c>; null for the server's choice. Differing from that of the loaded model reloads it.</param>
    /// <param name="keepAlive">How long it stays unused; <see cref="Timeout.InfiniteTimeSpan"/> for ever; null for the server's choice.</param>
    /// <param name="cancellation">Aborts the load.</param>
    /// <exception cref="ArgumentOutOfRangeException">A zero <paramref name="keepAlive"/>, which would be a command to unload.</exception>
    public async Task LoadAsync(string model, int? contextTokens, TimeSpan? keepAlive, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(keepAlive, TimeSpan.Zero);
        await CommandAsync(
            new(model) { KeepAlive = Seconds(keepAlive), Options = contextTokens is null ? null : new() { NumCtx = contextTokens } },
            _deadlines.Load,
            cancellation);
    }

    /// <summary>
    /// Tells the server to take a model out of memory; its files stay. The answer comes before the memory is free: look at
    /// <see cref="RunningAsync"/> until the model is gone. A generation in progress is not cut off.
    /// </summary>
    public Task UnloadAsync(string model, CancellationToken cancellation) =>
        CommandAsync(new(model) { KeepAlive = 0 }, _deadlines.Unload, cancellation);

    /// <summary>
    /// Downloads a model; ends only when it is there. Cancelling pauses: the next pull goes on with what has been downloaded.
    /// </summary>
    public async IAsyncEnumerable<PullProgress> PullAsync(string model, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var exchange = await OpenAsync(Post("api/pull", new(model), OllamaJson.Default.PullWireRequest), model, _deadlines.PullSilence, cancellation);
        while (await exchange.NextAsync(OllamaJson.Default.PullWire, _deadlines.PullSilence) is { } frame)
        {
            yield return new(
                frame.Status ?? "",
                OllamaName.NormalizeDigest(frame.Digest),
                Math.Max(0, frame.Total ?? 0),
                Math.Max(0, frame.Completed ?? 0));
            if (frame.Status == "success")
            {
                await exchange.FinishAsync(_deadlines.StreamEnd);
                yield break;
            }
        }

        throw OllamaException.Interrupted(Endpoint, null);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _http.Dispose();

    private static SocketsHttpHandler NewHandler(Uri endpoint) => new()
    {
        AllowAutoRedirect = false, // to wherever it may be
        UseCookies = false,
        UseProxy = !endpoint.IsLoopback,
        ConnectTimeout = TimeSpan.FromSeconds(10),

        // Disposing a reply before its end shall close the connection. The usual thing is to read on for up to 2 s in the hope
        // that the connection can be kept, during which Ollama goes on generating.
        MaxResponseDrainSize = 0,
        ResponseDrainTimeout = TimeSpan.Zero,
    };

    private async IAsyncEnumerable<GeneratedPiece> PiecesAsync<T>(
        string model, string path, T request, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var exchange = await OpenAsync(Post(path, request, type), model, _deadlines.Load, cancellation);

        // Old versions begin the reply before they load.
        var deadline = _deadlines.Load;
        while (await exchange.NextAsync(OllamaJson.Default.TextWire, deadline) is { } frame)
        {
            deadline = _deadlines.Silence;
            var text = frame.Response ?? frame.Message?.Content ?? "";
            if (frame.Done == true)
            {
                yield return new(text, End(frame));
                await exchange.FinishAsync(_deadlines.StreamEnd);
                yield break;
            }

            yield return new(text, null);
        }

        yield return new("", new(EndReason.Truncated, default, default, 0, default, 0, default));
    }

    private async Task CommandAsync(GenerateWireRequest command, TimeSpan deadline, CancellationToken cancellation)
    {
        using var exchange = await OpenAsync(Post("api/generate", command, OllamaJson.Default.GenerateWireRequest), command.Model, deadline, cancellation);
        while (await exchange.NextAsync(OllamaJson.Default.TextWire, deadline) is { } frame)
        {
            if (frame.Done == true)
            {
                await exchange.FinishAsync(_deadlines.StreamEnd);
                return;
            }
        }

        throw OllamaException.Interrupted(Endpoint, null);
    }

    private async Task<T> AskAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, string? model, CancellationToken cancellation)
        where T : WireReply
    {
        var begun = _time.GetTimestamp();
        using var exchange = await OpenAsync(request, model, _deadlines.Answer, cancellation);
        var left = _deadlines.Answer - _time.GetElapsedTime(begun);
        return await exchange.WholeAsync(type, left < TimeSpan.Zero ? TimeSpan.Zero : left);
    }

    private Task<ShowWire> ShowWireAsync(string model, CancellationToken cancellation) =>
        AskAsync(Post("api/show", new(model), OllamaJson.Default.ShowWireRequest), OllamaJson.Default.ShowWire, model, cancellation);

    private async Task<ListScan> ScanAsync(string model, CancellationToken cancellation)
    {
        var begun = _time.GetTimestamp();
        var request = Post("api/show", new(model) { Verbose = true }, OllamaJson.Default.ShowWireRequest);
        using var exchange = await OpenAsync(request, model, _deadlines.Answer, cancellation);
        var left = _deadlines.Answer - _time.GetElapsedTime(begun);
        var scan = new ListScan();
        await exchange.ScanAsync(scan, left < TimeSpan.Zero ? TimeSpan.Zero : left);
        return scan;
    }

    private async Task<OllamaExchange> OpenAsync(HttpRequestMessage request, string? model, TimeSpan deadline, CancellationToken cancellation)
    {
        using (request)
        {
            return await OllamaExchange.OpenAsync(_http, Endpoint, request, model, deadline, _time, cancellation);
        }
    }

    private HttpRequestMessage Get(string path) => new(HttpMethod.Get, new Uri(_base, path));

    private HttpRequestMessage Post<T>(string path, T body, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return new(HttpMethod.Post, new Uri(_base, path)) { Content = content };
    }

    private static WireOptions Options(TextRequest request) => new()
    {
        NumCtx = request.ContextTokens,
        NumPredict = request.MaxTokens,
        Temperature = request.Temperature,
        TopK = request.TopK,
        TopP = request.TopP,
        RepeatPenalty = request.RepeatPenalty,
        Seed = request.Seed,
        Stop = request.Stop.Count == 0 ? null : request.Stop,
    };

    private static InstalledModel Installed(InstalledModelWire wire) => new(
        wire.Name ?? wire.Model ?? "",
        OllamaName.NormalizeDigest(wire.Digest),
        Math.Max(0, wire.Size ?? 0),
        wire.ModifiedAt,
        wire.Details?.Family ?? "",
        wire.Details?.ParameterSize ?? "",
        wire.Details?.QuantizationLevel ?? "",
        Count(wire.Details?.ContextLength),
        wire.Capabilities is null ? null : Texts(wire.Capabilities),
        string.IsNullOrEmpty(wire.RemoteHost) ? null : wire.RemoteHost);

    private static RunningModel Running(RunningModelWire wire) => new(
        wire.Name ?? wire.Model ?? "",
        OllamaName.NormalizeDigest(wire.Digest),
        Math.Max(0, wire.Size ?? 0),
        Math.Max(0, wire.SizeVram ?? 0),
        Count(wire.ContextLength),
        wire.ExpiresAt);

    private static ModelFacts Facts(ShowWire wire)
    {
        var numbers = new Dictionary<string, long>();
        var lists = new Dictionary<string, IReadOnlyList<long>>();
        var architecture = "";
        foreach (var (key, value) in wire.ModelInfo ?? [])
        {
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number))
            {
                numbers[key] = number;
            }
            else if (key == "general.architecture" && value.ValueKind == JsonValueKind.String)
            {
                architecture = TextOf(value);
            }
            else if (value.ValueKind == JsonValueKind.Array && ListScan.ListOf(key, value) is { } list)
            {
                lists[key] = list;
            }
        }

        var embedding = wire.Tensors?.FirstOrDefault(tensor => tensor?.Name == "token_embd.weight")?.Shape;
        var template = wire.Template ?? "";
        return new(
            wire.Details?.Family ?? "",
            wire.Details?.ParameterSize ?? "",
            wire.Details?.QuantizationLevel ?? "",
            template,
            wire.Capabilities is { } capabilities ? Texts(capabilities)
                : template.Contains(".Suffix", StringComparison.Ordinal) ? ["completion", "insert"]
                : ["completion"],
            architecture,
            numbers,
            [.. (wire.Tensors ?? []).OfType<TensorWire>().Select(tensor => new ModelTensor(
                tensor.Name ?? "",
                tensor.Type ?? "",
                [.. (tensor.Shape ?? []).Select(length => length ?? 0)]))],
            string.IsNullOrEmpty(wire.RemoteHost) ? null : wire.RemoteHost)
        {
            Lists = lists,
            WeightsPath = WeightsIn(wire.Modelfile),
            VocabularyTokens = Told(numbers.GetValueOrDefault($"{architecture}.vocab_size")) ?? Told(embedding is { Count: 2 } ? embedding[1] : null),
        };
    }

    // Whether what a model takes depends on a list that was not shown: null, or empty in some versions.
    private static bool HidesSizes(ShowWire wire, ModelFacts facts) => (wire.ModelInfo ?? []).Any(pair =>
        pair.Value.ValueKind is JsonValueKind.Null or JsonValueKind.Array
        && !facts.Lists.ContainsKey(pair.Key)
        && (SizeLists.Any(key => pair.Key == $"{facts.Architecture}.{key}") || (pair.Key == ListScan.Tokens && facts.VocabularyTokens is null)));

    // The first line FROM names the weights; later ones name projectors and adapters. Before it there are only comments, of
    // which one names the model; it is a path on the server's machine, whichever system that runs.
    private static string? WeightsIn(string? modelfile)
    {
        foreach (var line in (modelfile ?? "").AsSpan().EnumerateLines())
        {
            if (line.StartsWith("FROM ", StringComparison.OrdinalIgnoreCase))
            {
                var path = line["FROM ".Length..].Trim().Trim('"');
                var isPath = path.StartsWith('/') || path.StartsWith(@"\\") || (3 <= path.Length && char.IsAsciiLetter(path[0]) && path[1] == ':' && path[2] is '\\' or '/');
                return isPath && path.Length <= MaxPath ? path.ToString() : null;
            }
        }

        return null;
    }

    private static long? Told(long? count) => count is > 0 ? count : null;

    // A text whose bytes are no UTF-8 is noticed only when it is taken.
    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }

    private static GenerationEnd End(TextWire frame) => new(
        frame.DoneReason switch
        {
            null or "" or "stop" => EndReason.Stop, // no reason before 0.1.35
            "length" => EndReason.Length,
            _ => EndReason.Other,
        },
        Nanoseconds(frame.TotalDuration),
        Nanoseconds(frame.LoadDuration),
        Count(frame.PromptEvalCount) ?? 0,
        Nanoseconds(frame.PromptEvalDuration),
        Count(frame.EvalCount) ?? 0,
        Nanoseconds(frame.EvalDuration));

    private static IReadOnlyList<string> Texts(List<string?> texts) => [.. texts.OfType<string>()];

    // Zero and below means not told.
    private static int? Count(long? number) => number is > 0 ? (int)Math.Min(int.MaxValue, number.Value) : null;

    private static TimeSpan Nanoseconds(long? number) => number is > 0 ? TimeSpan.FromTicks(number.Value / TimeSpan.NanosecondsPerTick) : TimeSpan.Zero;

    // A number of seconds, because texts without a unit are refused; any negative number is for ever.
    private static double? Seconds(TimeSpan? keepAlive) =>
        keepAlive is not { } duration ? null
        : duration < TimeSpan.Zero ? -1
        : duration.TotalSeconds;
}
