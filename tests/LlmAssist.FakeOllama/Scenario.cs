// What the stand-in plays, as data: which models there are, how slow it is, which faults occur when, and what other clients do.
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace LlmAssist.FakeOllama;

/// <summary>One play. Written in JSON with camel-case members; what is left out has these values.</summary>
public sealed record Scenario
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        AllowTrailingCommas = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        ReadCommentHandling = JsonCommentHandling.Skip,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>What <c>/api/version</c> says.</summary>
    public string Version { get; init; } = "0.33.0";

    /// <summary>What is installed.</summary>
    public IReadOnlyList<FakeModel> Models { get; init; } = [new()];

    /// <summary>What can be pulled.</summary>
    public IReadOnlyList<FakeModel> Registry { get; init; } = [];

    /// <summary>Names of models that are in memory from the start, with default context and duration; may be more than <see cref="MaxLoaded"/>.</summary>
    public IReadOnlyList<string> Running { get; init; } = [];

    /// <summary>How long a load takes.</summary>
    public int LoadMilliseconds { get; init; }

    /// <summary>How long the evaluation of a prompt takes, before the first frame of its text.</summary>
    public int FirstFrameMilliseconds { get; init; }

    /// <summary>How long each frame of a stream takes.</summary>
    public int FrameMilliseconds { get; init; }

    /// <summary>Distance of the server's clock face from UTC, in hours, as timestamps with an offset show it.</summary>
    public double OffsetHours { get; init; } = 1;

    /// <summary>Digits of a second in timestamps, 0 to 9.</summary>
    public int FractionDigits { get; init; } = 9;

    /// <summary>How the server answers before 0.12.6: errors of a stream as a line under status 200.</summary>
    public bool ErrorsAsLines { get; init; }

    /// <summary>Whether the server is older than <c>/api/ps</c>.</summary>
    public bool WithoutRunning { get; init; }

    /// <summary>Whether <c>/api/ps</c> leaves out the context length, as before 0.10.0.</summary>
    public bool WithoutContextLength { get; init; }

    /// <summary>Whether lists and <c>/api/show</c> do not tell what models can do, as before 0.6.4.</summary>
    public bool WithoutCapabilities { get; init; }

    /// <summary>Whether every reply has members that nobody knows yet.</summary>
    public bool UnknownMembers { get; init; }

    /// <summary>How many models may be in memory, those included that are being loaded or are leaving; 0 for the server's default, which is 3. One more makes
    /// an idle one leave, the one with the shortest duration first; if all are busy, the load waits for one of them.</summary>
    public int MaxLoaded { get; init; }

    /// <summary>How many requests may wait behind a load; more are refused with status 503.</summary>
    public int MaxQueued { get; init; } = 512;

    /// <summary>How long a model is still listed, and keeps its memory, after it was told to leave, was evicted, or its duration was over.
    /// Who wants it meanwhile waits, and loads it anew.</summary>
    public int UnloadMilliseconds { get; init; }

    /// <summary>Whether a model stays in memory that was told to leave, must make room, or whose duration is over. Loading it with other options still works.</summary>
    public bool StuckStopping { get; init; }

    /// <summary>Duration of a model in memory when no request says otherwise.</summary>
    public double KeepAliveSeconds { get; init; } = 300;

    /// <summary>How many generations a model in memory runs at once; the others wait.</summary>
    public int Parallel { get; init; } = 1;

    /// <summary>Whether <c>GET /fake/figures</c> tells what the models take and which loads there were, and <c>POST /fake/reset-figures</c> lets the
    /// highest figures begin anew. Neither counts as a request.</summary>
    public bool TellsFigures { get; init; }

    /// <summary>Folders or files of code; what is generated then goes on as they do.</summary>
    public IReadOnlyList<string> LearnFrom { get; init; } = [];

    /// <summary>Language id of prompts that do not tell the file they are from; null for finding out.</summary>
    public string? Language { get; init; }

    /// <summary>What goes wrong.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>What other clients do to models in memory.</summary>
    public IReadOnlyList<OtherClient> Others { get; init; } = [];

    /// <exception cref="JsonException">The text is no scenario; unknown members are refused.</exception>
    public static Scenario Parse(string json) =>
        JsonSerializer.Deserialize<Scenario>(json, Json) ?? throw new JsonException("A scenario is a JSON object.");
}

/// <summary>An installed model.</summary>
public sealed record FakeModel
{
    public string Name { get; init; } = "qwen2.5-coder:1.5b";

    /// <summary>Null makes one from the name.</summary>
    public string? Digest { get; init; }

    /// <summary>The digest of the weights, 64 hexadecimal digits; null for that of the model. Models with the same weights are one in memory: it is listed under the
    /// name that loaded it, and unloading any unloads it.</summary>
    public string? Blob { get; init; }

    public long SizeBytes { get; init; } = 986_062_089;

    /// <summary>Memory it takes when loaded, without what its context adds.</summary>
    public long LoadedBytes { get; init; } = 1_400_000_000;

    /// <summary>What each token of context adds, times <see cref="Scenario.Parallel"/>.</summary>
    public long KvBytesPerToken { get; init; }

    /// <summary>The part of <see cref="LoadedBytes"/> on a graphics card. If that is all of it, the context is there too.</summary>
    public long VramBytes { get; init; }

    public string Family { get; init; } = "qwen2";

    /// <summary>Whether <c>families</c> is null.</summary>
    public bool FamiliesNull { get; init; }

    public string ParameterSize { get; init; } = "1.5B";

    public string Quantization { get; init; } = "Q4_K_M";

    /// <summary>The context it was trained for.</summary>
    public int ContextTokens { get; init; } = 32768;

    public IReadOnlyList<string> Capabilities { get; init; } = ["completion", "tools", "insert"];

    /// <summary>What its file says about it, by GGUF key, as <c>model_info</c>; lists are shown on demand only. Null for what is usual in its family.</summary>
    public JsonObject? Metadata { get; init; }

    /// <summary>What <c>/api/show</c> tells of its tensors. Null for the table of embeddings alone; empty leaves it out, as before 0.6.1.</summary>
    public IReadOnlyList<FakeTensor>? Tensors { get; init; }

    /// <summary>Set for a cloud model.</summary>
    public string? RemoteHost { get; init; }

    /// <summary>What it always generates; null makes text that goes with the prompt.</summary>
    public string? Reply { get; init; }

    /// <summary>All it takes with so many tokens of context.</summary>
    internal long BytesWith(long contextTokens) => LoadedBytes + (KvBytesPerToken * contextTokens);

    /// <summary>The part of that on a graphics card.</summary>
    internal long VramWithin(long bytes) => VramBytes != 0 && VramBytes == LoadedBytes ? bytes : VramBytes;
}

/// <summary>One tensor of a model.</summary>
/// <param name="Name">Such as <c>token_embd.weight</c>.</param>
/// <param name="Type">Such as <c>Q4_K</c>.</param>
/// <param name="Shape">Elements in each dimension.</param>
public sealed record FakeTensor(string Name, string Type, IReadOnlyList<long> Shape);

/// <summary>How a reply goes wrong.</summary>
public enum FaultKind
{
    /// <summary>The connection is reset, at once or after <see cref="Fault.Frame"/> frames.</summary>
    Reset,

    /// <summary>Nothing comes, or nothing more after <see cref="Fault.Frame"/> frames, until the client leaves.</summary>
    Stall,

    /// <summary>Status <see cref="Fault.Status"/> with an error in JSON.</summary>
    Error,

    /// <summary>Status <see cref="Fault.Status"/> with <see cref="Fault.Text"/> as it is.</summary>
    Body,

    /// <summary>A redirection to <see cref="Fault.Text"/>.</summary>
    Redirect,

    /// <summary>After <see cref="Fault.Frame"/> frames an error in a line of its own, under status 200.</summary>
    ErrorLine,

    /// <summary>After <see cref="Fault.Frame"/> frames the stream ends properly, without a last frame.</summary>
    NoDone,

    /// <summary>After <see cref="Fault.Frame"/> frames the connection closes in the middle of a chunk.</summary>
    Torn,

    /// <summary>After <see cref="Fault.Frame"/> frames comes a line of <see cref="Fault.Bytes"/> bytes.</summary>
    LongLine,

    /// <summary>The load takes its time and fails: status 500.</summary>
    LoadCrash,

    /// <summary>The model is listed but its runner is dead: status 500, and it leaves the list.</summary>
    DeadRunner,

    /// <summary><see cref="Fault.Raw"/> in place of a whole HTTP reply, then the connection closes.</summary>
    Raw,
}

/// <summary>Something that goes wrong.</summary>
public sealed record Fault
{
    public required FaultKind Kind { get; init; }

    /// <summary>The path it strikes; null for all.</summary>
    public string? Path { get; init; }

    /// <summary>The first request to this path that it strikes, from 1.</summary>
    public int From { get; init; } = 1;

    /// <summary>How many requests it strikes.</summary>
    public int Times { get; init; } = int.MaxValue;

    /// <summary>How many frames come before it.</summary>
    public int Frame { get; init; }

    public int Status { get; init; } = 500;

    public string Text { get; init; } = "an error was encountered while running the model: unexpected EOF";

    public string ContentType { get; init; } = "application/json; charset=utf-8";

    public int Bytes { get; init; } = 8 << 20;

    public byte[] Raw { get; init; } = [];
}

/// <summary>What another client does, just before a request is served.</summary>
public sealed record OtherClient
{
    /// <summary>The request before which it happens, from 1, counting all.</summary>
    public required int Before { get; init; }

    /// <summary>The model it concerns.</summary>
    public required string Model { get; init; }

    /// <summary>It makes the server evict the model, whatever the model does.</summary>
    public bool Evict { get; init; }

    /// <summary>It loads the model, which takes no time here, or uses it if it is in memory with that context.</summary>
    public bool Load { get; init; }

    /// <summary>The context that it loads with; null for the default.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>The duration with which it loads or uses the model. Alone, the model is used if it is in memory.</summary>
    public double? KeepAliveSeconds { get; init; }
}
