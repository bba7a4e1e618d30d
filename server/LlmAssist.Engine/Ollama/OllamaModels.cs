// What Ollama says about models, after the wire: nothing here is null that Ollama may leave out, except where that means something.
using System.Collections.ObjectModel;

namespace LlmAssist.Engine.Ollama;

/// <summary>A model on the server's disk.</summary>
/// <param name="Name">The display name, with its tag.</param>
/// <param name="Digest">64 hexadecimal digits, the same as of the running model; empty if not told.</param>
/// <param name="SizeBytes">Size on disk, about that of the weights.</param>
/// <param name="ModifiedAt">When it was pulled or made; null if not told.</param>
/// <param name="Family">Such as <c>qwen2</c>; empty if not told.</param>
/// <param name="ParameterSize">For people, such as <c>7.6B</c>; empty if not told.</param>
/// <param name="Quantization">Such as <c>Q4_K_M</c>; empty if not told.</param>
/// <param name="TrainedContextTokens">The longest context it was trained for; null before 0.22.1.</param>
/// <param name="Capabilities">Such as <c>completion</c> and <c>insert</c>; null before 0.30.0, ask <see cref="OllamaClient.ShowAsync"/> then.</param>
/// <param name="RemoteHost">Where a cloud model runs; null for a local one. A cloud model takes no memory here, and sends code away.</param>
public sealed record InstalledModel(
    string Name,
    string Digest,
    long SizeBytes,
    DateTimeOffset? ModifiedAt,
    string Family,
    string ParameterSize,
    string Quantization,
    int? TrainedContextTokens,
    IReadOnlyList<string>? Capabilities,
    string? RemoteHost)
{
    /// <summary>What joins this with <see cref="RunningModel.Key"/>: the digest, or the normal name where there is none.</summary>
    public string Key => Digest.Length == 0 ? OllamaName.Normalize(Name) : Digest;
}

/// <summary>A model in the server's memory.</summary>
/// <param name="Name">The name that loaded it first; other tags of the same weights share it.</param>
/// <param name="Digest">64 hexadecimal digits, the same as of the installed model; empty if not told.</param>
/// <param name="SizeBytes">All of its memory, as the server estimates it. Leaves out the prompt cache and the process itself.</param>
/// <param name="VramBytes">The part of it on graphics cards; on unified memory that is the machine's memory too.</param>
/// <param name="ContextTokens">Its <c>num_ctx</c>; null before 0.10.0. Another value in a request reloads the model.</param>
/// <param name="ExpiresAt">When it leaves. In the past: it is answering, or about to stop. Null if not told.</param>
public sealed record RunningModel(
    string Name,
    string Digest,
    long SizeBytes,
    long VramBytes,
    int? ContextTokens,
    DateTimeOffset? ExpiresAt)
{
    /// <summary>What joins this with <see cref="InstalledModel.Key"/>: the digest, or the normal name where there is none.</summary>
    public string Key => Digest.Length == 0 ? OllamaName.Normalize(Name) : Digest;

    /// <summary>The part of <see cref="SizeBytes"/> in the machine's own memory. Some builds report more VRAM than size.</summary>
    public long RamBytes => Math.Max(0, SizeBytes - VramBytes);

    /// <summary>Whether it stays until told otherwise: the server then reports a time some 292 years ahead.</summary>
    public bool IsKeptForever(DateTimeOffset now) => now.AddYears(100) < ExpiresAt;
}

/// <summary>What <c>show</c> tells about one model.</summary>
/// <param name="Family">Such as <c>qwen2</c>; empty if not told.</param>
/// <param name="ParameterSize">For people, such as <c>7.6B</c>; empty if not told.</param>
/// <param name="Quantization">Such as <c>Q4_K_M</c>; empty if not told.</param>
/// <param name="Template">The prompt template; empty if there is none.</param>
/// <param name="Capabilities">Such as <c>completion</c> and <c>insert</c>. Before 0.6.4 concluded from the template.</param>
/// <param name="Architecture">The prefix of most numbers; empty if not told.</param>
/// <param name="Numbers">Whole numbers of the model's metadata by their full key.</param>
/// <param name="Tensors">Name, type and shape of the weights; empty before 0.6.1.</param>
/// <param name="RemoteHost">Where a cloud model runs; null for a local one.</param>
public sealed record ModelFacts(
    string Family,
    string ParameterSize,
    string Quantization,
    string Template,
    IReadOnlyList<string> Capabilities,
    string Architecture,
    IReadOnlyDictionary<string, long> Numbers,
    IReadOnlyList<ModelTensor> Tensors,
    string? RemoteHost)
{
    /// <summary>
    /// Lists of whole numbers of the model's metadata by their full key, most with a number for each layer; true is 1. The server
    /// hides lists unless it is asked for them, by <see cref="OllamaClient.ShowWithListsAsync"/>.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Lists { get; init; } = ReadOnlyDictionary<string, IReadOnlyList<long>>.Empty;

    /// <summary>The file of its weights on the server's machine, which its process names too; null if not told.</summary>
    public string? WeightsPath { get; init; }

    /// <summary>How many tokens it knows; null if not told.</summary>
    public long? VocabularyTokens { get; init; }

    /// <summary>A list of the architecture, such as <c>attention.head_count_kv</c>; null if not told.</summary>
    public IReadOnlyList<long>? List(string key) => Lists.GetValueOrDefault($"{Architecture}.{key}");

    /// <summary>A number of the architecture, such as <c>block_count</c> for <c>qwen2.block_count</c>; null if not told.</summary>
    public long? Number(string key) => Numbers.TryGetValue($"{Architecture}.{key}", out var number) ? number : null;
}

/// <summary>One tensor of a model.</summary>
/// <param name="Name">Such as <c>token_embd.weight</c>.</param>
/// <param name="Type">How its elements are stored, such as <c>Q6_K</c>.</param>
/// <param name="Shape">Elements along each dimension.</param>
public sealed record ModelTensor(string Name, string Type, IReadOnlyList<long> Shape);

/// <summary>A prompt to continue.</summary>
/// <param name="Model">Which model, in any spelling.</param>
/// <param name="Prompt">Not empty: to Ollama an empty prompt is a command to load.</param>
public sealed record GenerateRequest(string Model, string Prompt) : TextRequest(Model)
{
    /// <summary>Text after the hole. Heeded by models that can <c>insert</c>, refused by others; never together with <see cref="Raw"/>.</summary>
    public string? Suffix { get; init; }

    /// <summary>Whether the prompt goes to the model as it is, without its template.</summary>
    public bool Raw { get; init; }
}

/// <summary>A conversation to go on with.</summary>
/// <param name="Model">Which model, in any spelling.</param>
/// <param name="Messages">Not empty: to Ollama no messages are a command to load.</param>
public sealed record ChatRequest(string Model, IReadOnlyList<ChatMessage> Messages) : TextRequest(Model);

/// <summary>What somebody said.</summary>
/// <param name="Role">Who: <c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">What.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>What is the same for every text that a model generates.</summary>
/// <param name="Model">Which model, in any spelling.</param>
public abstract record TextRequest(string Model)
{
    /// <summary>
    /// The only option here that belongs to the runner: a value that differs from the loaded model's reloads it, and so does
    /// none (null) where the model was loaded with one.
    /// </summary>
    public int? ContextTokens { get; init; }

    /// <summary>How long the model stays after this; <see cref="Timeout.InfiniteTimeSpan"/> for ever; null leaves it as it is.</summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>The most tokens to generate; null for the server's default.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>0 always takes the likeliest token; null for the model's default.</summary>
    public double? Temperature { get; init; }

    /// <summary>Candidates considered for each token; null for the model's default.</summary>
    public int? TopK { get; init; }

    /// <summary>Share of probability considered for each token, 0..1; null for the model's default.</summary>
    public double? TopP { get; init; }

    /// <summary>1 leaves repetition alone; null for the model's default.</summary>
    public double? RepeatPenalty { get; init; }

    /// <summary>The same seed gives the same text; null for a random one.</summary>
    public int? Seed { get; init; }

    /// <summary>Texts at which generation ends; they are not part of the answer.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];
}

/// <summary>A piece of generated text. The last one has an <see cref="End"/>.</summary>
/// <param name="Text">Of any length, possibly empty.</param>
/// <param name="End">Why and at what cost generation ended; null while it goes on.</param>
public sealed record GeneratedPiece(string Text, GenerationEnd? End);

/// <summary>Why generation ended.</summary>
public enum EndReason
{
    /// <summary>The model or a stop text ended it.</summary>
    Stop,

    /// <summary>The limit of tokens was reached.</summary>
    Length,

    /// <summary>The server closed the stream without saying that it was done, as it does when a model repeats itself.</summary>
    Truncated,

    /// <summary>Done, for a reason we do not know.</summary>
    Other,
}

/// <summary>Why and at what cost generation ended. What the server leaves out is zero.</summary>
public sealed record GenerationEnd(
    EndReason Reason,
    TimeSpan Total,
    TimeSpan Load,
    int PromptTokens,
    TimeSpan PromptTime,
    int GeneratedTokens,
    TimeSpan GenerationTime);

/// <summary>A step of a download. Layers come one after the other.</summary>
/// <param name="Status">What the server does, in its words, which may vary.</param>
/// <param name="Digest">The layer; empty for steps that concern no layer.</param>
/// <param name="TotalBytes">The layer's size; 0 if not told.</param>
/// <param name="CompletedBytes">How much of the layer is there.</param>
public sealed record PullProgress(string Status, string Digest, long TotalBytes, long CompletedBytes);
