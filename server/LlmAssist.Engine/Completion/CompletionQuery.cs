// What is asked and what is answered. Plain records; offsets are UTF-16 code units.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>Where a suggestion is shown.</summary>
public enum CompletionSurface
{
    /// <summary>Ghost text: a continuation of the line.</summary>
    Inline,

    /// <summary>The list: words that fit what is typed.</summary>
    List,
}

/// <summary>Which source answered.</summary>
public enum CompletionLane
{
    None,

    /// <summary>The user typed into the last suggestion; nobody was asked.</summary>
    Cache,

    /// <summary>Pattern models and the open documents.</summary>
    Pattern,
}

/// <summary>A question: what could stand at this place?</summary>
public sealed record CompletionQuery
{
    /// <summary>Identifies the document between calls.</summary>
    public required string Uri { get; init; }

    public required Language Language { get; init; }

    public required SourceText Text { get; init; }

    /// <summary>The cursor, in [0, Text.Length].</summary>
    public required int Offset { get; init; }

    public required CompletionSurface Surface { get; init; }

    /// <summary>Whether the user asked for it, rather than just typing: then gates that spare them interruptions stay open.</summary>
    public bool IsExplicit { get; init; }

    /// <summary>For the list: whether it should carry the best whole line too, for editors without ghost text.</summary>
    public bool WithLine { get; init; }

    /// <summary>
    /// The entry that the editor's own list would insert, and the offset at which it would: ghost text must begin with it. Null if no list is
    /// open.
    /// </summary>
    public (int Start, string Text)? Selected { get; init; }
}

/// <summary>A suggestion: it replaces the text in [<paramref name="ReplaceStart"/>, cursor).</summary>
/// <param name="Text">What to insert; it begins with the text that it replaces.</param>
/// <param name="ReplaceStart">An offset on the cursor's line.</param>
/// <param name="Confidence">How likely it is to be entirely right, 0..1.</param>
/// <param name="Lane">Who proposed it.</param>
/// <param name="Kind">What it is: of a line, of its first symbol.</param>
/// <param name="IsLine">Whether it is a continuation rather than one word.</param>
public sealed record Candidate(string Text, int ReplaceStart, double Confidence, CompletionLane Lane, TokenKind Kind, bool IsLine);

/// <summary>A suggestion that was changed or dropped on its way.</summary>
/// <param name="Filter">The filter's name.</param>
/// <param name="Text">The suggestion as it was before.</param>
public sealed record FilteredCandidate(string Filter, string Text);

/// <summary>How long a stage took.</summary>
public readonly record struct StageTime(string Stage, TimeSpan Elapsed);

/// <summary>What happened on the way to an answer; for the user who asks why.</summary>
public sealed record CompletionReport
{
    public required string Uri { get; init; }

    public required CompletionSurface Surface { get; init; }

    public required CompletionLane Lane { get; init; }

    /// <summary>Which gate stopped it, when nothing is shown.</summary>
    public Phrase? Why { get; init; }

    public IReadOnlyList<Candidate> Items { get; init; } = [];

    public IReadOnlyList<FilteredCandidate> Filtered { get; init; } = [];

    public IReadOnlyList<StageTime> Stages { get; init; } = [];

    /// <summary>All stages together.</summary>
    public TimeSpan Elapsed { get; init; }
}

/// <summary>How the user wants to be served.</summary>
public sealed record CompletionSettings
{
    /// <summary>Ghost text below this is not shown, 0..1.</summary>
    public double MinConfidence { get; init; } = 0.5;

    /// <summary>How many words the list has at the most.</summary>
    public int ListLength { get; init; } = 24;
}
