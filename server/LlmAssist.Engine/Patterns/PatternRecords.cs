// The facts that travel with a model, as JSON sections of its file.
using System.Text.Json.Serialization;

namespace LlmAssist.Engine.Patterns;

/// <summary>What training has counted. Rates are per second; sizes are in bytes.</summary>
public sealed record PatternStatistics
{
    /// <summary>Successors of contexts seen in training, repetitions included.</summary>
    public required long PatternsObserved { get; init; }

    /// <summary>Different (context, successor) pairs in the file.</summary>
    public required long PatternsStored { get; init; }

    /// <summary>Contexts in the file.</summary>
    public required long Contexts { get; init; }

    /// <summary>Different symbols, spaces included.</summary>
    public required int Symbols { get; init; }

    /// <summary>Share of all pairs of a stored context and a symbol that never occurred, 0..1: how much the code differs from random text.</summary>
    public required double Sparsity { get; init; }

    /// <summary>Significant tokens learned from.</summary>
    public required long Tokens { get; init; }

    public required double TrainingSeconds { get; init; }

    /// <summary>Bytes of source text read, in MB (10^6) per second of training.</summary>
    public required double MegabytesPerSecond { get; init; }
}

/// <summary>How a model was trained.</summary>
public sealed record PatternParameters
{
    /// <summary>The kinds of contexts counted.</summary>
    public required IReadOnlyList<string> Contexts { get; init; }

    /// <summary>Contexts seen fewer times were dropped; 1 keeps all.</summary>
    public required int Prune { get; init; }

    /// <summary>The size that was asked for, in MB (10^6 bytes); null for no bound.</summary>
    public int? MaximumMegabytes { get; init; }

    /// <summary>The largest file that was read, in bytes.</summary>
    public required long MaximumFileBytes { get; init; }

    public IReadOnlyList<string> Include { get; init; } = [];

    public IReadOnlyList<string> Exclude { get; init; } = [];
}

/// <summary>Where a model comes from.</summary>
public sealed record PatternProvenance
{
    /// <summary>The model's name, without the time stamp.</summary>
    public required string Name { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The version of the program that trained it.</summary>
    public required string Program { get; init; }

    /// <summary>Absolute paths of the folders (or files) learned from.</summary>
    public required IReadOnlyList<string> Folders { get; init; }

    /// <summary>The git commit of each folder that has one, by folder.</summary>
    public IReadOnlyDictionary<string, string> Commits { get; init; } = new Dictionary<string, string>();

    public required int Files { get; init; }

    /// <summary>Bytes of the files read.</summary>
    public required long Bytes { get; init; }

    /// <summary>Files that were passed over, by reason.</summary>
    public IReadOnlyDictionary<string, int> Skipped { get; init; } = new Dictionary<string, int>();

    /// <summary>Bytes read, by language id.</summary>
    public IReadOnlyDictionary<string, long> Languages { get; init; } = new Dictionary<string, long>();

    public string? Note { get; init; }
}

/// <summary>A file that a model has learned from.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Bytes">Its length when it was read.</param>
/// <param name="ModifiedAt">Its time of change when it was read, in 100 ns ticks of UTC.</param>
/// <param name="Hash">Hash of its text, 16 hexadecimal digits.</param>
public sealed record LearnedFile(string Path, long Bytes, long ModifiedAt, string Hash);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PatternStatistics))]
[JsonSerializable(typeof(PatternParameters))]
[JsonSerializable(typeof(PatternProvenance))]
[JsonSerializable(typeof(LearnedFile))]
internal sealed partial class PatternJson : JsonSerializerContext;
