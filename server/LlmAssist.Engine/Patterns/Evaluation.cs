// The figures of an evaluation. Their names and units are a contract with scripts (JSON, camelCase).
using System.Text.Json.Serialization;

namespace LlmAssist.Engine.Patterns;

/// <summary>How well a model predicts code that it has not seen. Shares are 0..1.</summary>
/// <remarks>
/// Dynamic: a file's symbols are predicted one after the other, and each is learned from once it was predicted, as in an editor.
/// Line ends compete with the other symbols but are not counted themselves.
/// </remarks>
public sealed record Evaluation
{
    /// <summary>Symbols predicted.</summary>
    public required int Tokens { get; init; }

    /// <summary>The right symbol came first.</summary>
    public required double Top1 { get; init; }

    public required double Top5 { get; init; }

    /// <summary>Mean reciprocal rank, 0 beyond rank 10.</summary>
    public required double Mrr { get; init; }

    /// <summary>Mean of -log2 p; a symbol that was not offered costs the bits of 'none of these'.</summary>
    public required double BitsPerToken { get; init; }

    public required IdentifierFigures Identifier { get; init; }

    public required LineFigures Line { get; init; }

    public required KeystrokeFigures Keystrokes { get; init; }

    public required WordFigures Word { get; init; }

    public required SpeedFigures Speed { get; init; }

    public required SizeFigures Size { get; init; }

    /// <summary>Continuations grouped by the confidence they had: whether it can be believed.</summary>
    public required IReadOnlyList<CalibrationFigures> Calibration { get; init; }

    /// <summary>The rest of the line, by how sure it has to be to be shown: the least sure first.</summary>
    public required IReadOnlyList<CoverageFigures> Coverage { get; init; }

    public required IReadOnlyList<LanguageFigures> PerLanguage { get; init; }
}

/// <summary>The same for identifiers that are not keywords.</summary>
public sealed record IdentifierFigures(int Tokens, double Top1, double Mrr);

/// <summary>The rest of a line, predicted from a place inside or at the beginning of it.</summary>
/// <param name="Exact">Entirely right, spaces included.</param>
/// <param name="Similarity">Mean of 1 - edit distance / length of the longer.</param>
/// <param name="ShownAt70Precision">Share of places at which a line could be shown if 70 % of those shown have to be right.</param>
public sealed record LineFigures(int Places, double Exact, double Similarity, double ShownAt70Precision);

/// <summary>Typing the files, accepting what is shown whenever all of it is right.</summary>
/// <param name="Saved">Share of keystrokes saved; accepting costs one.</param>
/// <param name="Precision">Share of shown texts that were right.</param>
/// <param name="Confidence">From which confidence on texts were shown.</param>
public sealed record KeystrokeFigures(double Saved, double Precision, double Confidence);

/// <summary>Identifiers of which the first character is typed.</summary>
public sealed record WordFigures(int Words, double Top1, double Top5);

public sealed record SpeedFigures(double TrainMegabytesPerSecond, Percentiles PredictMicroseconds, Percentiles LineMicroseconds, double OpenMilliseconds);

public sealed record Percentiles(double P50, double P99);

public sealed record SizeFigures(long ModelBytes, double BytesPerToken, long ResidentBytes);

/// <param name="Confidence">Mean confidence of the group.</param>
/// <param name="Right">Share of it that was right.</param>
/// <param name="Places">Its size.</param>
public sealed record CalibrationFigures(double Confidence, double Right, int Places);

/// <param name="Confidence">From which confidence on lines are shown.</param>
/// <param name="Coverage">Share of all places at which one is.</param>
/// <param name="Precision">Share of those shown that are entirely right; 0 if none is shown.</param>
public sealed record CoverageFigures(double Confidence, double Coverage, double Precision);

public sealed record LanguageFigures(string Language, int Tokens, double Top1, double Top5, double Mrr, double BitsPerToken, IdentifierFigures Identifier);

/// <summary>A line of a trace: one predicted symbol.</summary>
/// <param name="File">The file it stands in, as the corpus names it.</param>
/// <param name="Token">Its text.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Rank">1 for first; 0 if it was not offered.</param>
/// <param name="P">Its probability.</param>
public sealed record TraceLine(string File, string Token, string Kind, int Rank, double P);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Evaluation))]
[JsonSerializable(typeof(TraceLine))]
public sealed partial class EvaluationJson : JsonSerializerContext;
