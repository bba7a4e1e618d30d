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

    /// <summary>A model of Ollama.</summary>
    Ollama,
}

/// <summary>A question: what could stand at this place?</summary>
public sealed record CompletionQuery
{
    /// <summary>Identifies the document between calls.</summary>
    public required string Uri { get; init; }

    public required Language Language { get; init; }

    public required SourceText Text { get; init; }

    /// <summary>The document as models are told of it: relative to the workspace, with slashes.</summary>
    public string Path { get; init; } = "";

    /// <summary>The workspace's name, as models are told of it.</summary>
    public string Repository { get; init; } = "";

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

    /// <summary>All stages together, waiting included.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>What became of asking a model of Ollama; null if that was not to be done.</summary>
    public LaneReport? Ollama { get; init; }
}

/// <summary>How the user wants to be served.</summary>
public sealed record CompletionSettings
{
    /// <summary>Ghost text below this is not shown, 0..1.</summary>
    public double MinConfidence { get; init; } = 0.5;

    /// <summary>How many words the list has at the most.</summary>
    public int ListLength { get; init; } = 24;

    /// <summary>Whether pattern models and the open documents answer.</summary>
    public bool AsksPatterns { get; init; } = true;

    /// <summary>Whether the model of Ollama that is in use answers.</summary>
    public bool AsksOllama { get; init; } = true;

    public OllamaSampling Sampling { get; init; } = new();

    public Patience Patience { get; init; } = new();
}

/// <summary>How a model of Ollama is asked. The context and the time it stays in memory belong to loading it.</summary>
public sealed record OllamaSampling
{
    /// <summary>A layout's name, see <see cref="CompletionEngine.Layouts"/>; empty for finding out.</summary>
    public string Layout { get; init; } = "";

    /// <summary>The most tokens of an answer, 1 or more.</summary>
    public int MaxTokens { get; init; } = 128;

    /// <summary>0 always takes the likeliest token; code wants little more.</summary>
    public double Temperature { get; init; } = 0.1;

    /// <summary>Candidates considered for each token.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Share of probability considered for each token, 0..1.</summary>
    public double TopP { get; init; } = 0.9;

    /// <summary>1 leaves repetition alone: code repeats itself.</summary>
    public double RepeatPenalty { get; init; } = 1;
}

/// <summary>How long a query waits for a model of Ollama.</summary>
public sealed record Patience
{
    /// <summary>Where the pattern models have a suggestion: not longer than a blink.</summary>
    public TimeSpan Beside { get; init; } = TimeSpan.FromMilliseconds(120);

    /// <summary>Where there is nothing else to show. The editor takes the query back as soon as the user types on.</summary>
    public TimeSpan Alone { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Where the user asked.</summary>
    public TimeSpan Asked { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the first whole line on, for further ones.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(200);
}
