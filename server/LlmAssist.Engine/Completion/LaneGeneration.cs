// One place that a model is asked about, and what it produces for it. No waiting and no network here; OllamaLane has the lock.
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>A place that the model is asked about.</summary>
internal sealed record LaneQuestion
{
    public required string Uri { get; init; }

    public required SourceText Text { get; init; }

    /// <summary>The cursor.</summary>
    public required int Offset { get; init; }

    /// <summary>Whether the text is the document as it would be with the selected entry of the editor's list.</summary>
    public required bool IsAssumed { get; init; }

    public required Language Language { get; init; }

    /// <summary>The document as the model shall see it named.</summary>
    public required string Path { get; init; }

    /// <summary>The workspace's name.</summary>
    public required string Repository { get; init; }

    public required bool IsExplicit { get; init; }

    /// <summary>Whether the cursor is in a comment or a string.</summary>
    public required bool InLiteral { get; init; }

    /// <summary>How many lines are wanted; at least 1.</summary>
    public required int MaximumLines { get; init; }

    public required OllamaSampling Sampling { get; init; }
}

/// <summary>How much of a text is shown.</summary>
internal enum LaneStage
{
    /// <summary>Whole lines only.</summary>
    Lines,

    /// <summary>Up to the last whole word, if that is something: the model has no more time.</summary>
    Words,

    /// <summary>All of it: the model is done.</summary>
    Ended,
}

/// <summary>What a model produces for a place. Guarded by the lane's gate, apart from its token.</summary>
internal sealed class LaneGeneration(LaneQuestion question, OllamaUse use, TimeSpan delay)
{
    private const int LongestLead = 48; // of the user over the model, in code units, before it is given up
    private const int LeastWorthwhile = 8; // visible characters of a line that is not whole
    private const int LeastJudged = 2; // visible characters of a line; less is no promise

    private readonly CancellationTokenSource _cancellation = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _abandoned;
    private bool _isJudged;
    private StreamStops? _stops; // null while it is held back

    public LaneQuestion Question { get; } = question;

    public string Model { get; } = use.Key;

    public string ModelName { get; } = use.Name;

    public TimeSpan Delay { get; } = delay;

    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>When it was sent to the model, a timestamp; null before that.</summary>
    public long? SentAt { get; private set; }

    /// <summary>Which rule ended its text.</summary>
    public StreamEnd End => _stops?.End ?? StreamEnd.None;

    public TimeSpan? FirstText { get; set; }

    public Phrase? Failure { get; set; }

    /// <summary>How many queries wait for it.</summary>
    public int Waiting
    {
        get;
        set
        {
            if (field < value)
            {
                _abandoned?.Dispose();
                _abandoned = null;
            }

            field = value;
        }
    }

    /// <summary>The last query about it.</summary>
    public LaneTicket? Newest
    {
        get;
        set
        {
            field = value;
            IsForsaken = false;
        }
    }

    /// <summary>Whether <see cref="Newest"/> was canceled.</summary>
    public bool IsForsaken { get; set; }

    /// <summary>Whether the document was edited since the last query about it: then another query is on its way.</summary>
    public bool IsTypedInto { get; set; }

    /// <summary>The document as it was seen last.</summary>
    public SourceText Latest { get; set; } = question.Text;

    public bool IsOver { get; private set; }

    public bool IsCanceled { get; private set; }

    private string Produced => _stops?.Text ?? "";

    /// <summary>Ends when something has come or it is over.</summary>
    public Task Changed => _changed.Task;

    public void Tell()
    {
        var changed = _changed;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.TrySetResult();
    }

    public void Cancel()
    {
        IsCanceled = true;

        // Not on this thread, which holds the lock: what hangs on the token is the network's code.
        _ = _cancellation.CancelAsync();
        Tell();
    }

    public void Abandon(TimeProvider time, TimeSpan grace, Action end)
    {
        _abandoned?.Dispose();
        _abandoned = time.CreateTimer(_ => end(), null, grace, Timeout.InfiniteTimeSpan);
    }

    /// <summary>It is sent to the model.</summary>
    public void Begin(StreamStops stops, long now)
    {
        _stops = stops;
        SentAt = now;
    }

    public void Finish()
    {
        IsOver = true;
        _abandoned?.Dispose();
        _changed.TrySetResult();
    }

    /// <summary>
    /// What it has produced behind the cursor, empty if nothing yet; null if the place is another one, or something else was
    /// typed, or all of it.
    /// </summary>
    public string? Remaining(string uri, SourceText text, int? cursor)
    {
        if (uri != Question.Uri || IsCanceled || Failure is not null
            || TypeThrough.TypedSince(Question.Text, Question.Offset, text, cursor) is not { } typed)
        {
            return null;
        }

        var produced = Produced;
        if (produced.StartsWith(typed, StringComparison.Ordinal) && (!IsOver || typed.Length < produced.Length || produced.Length == 0))
        {
            return produced[typed.Length..];
        }

        // The user is ahead of the model. Nobody knows yet whether they go the same way.
        var isAhead = !IsOver && typed.StartsWith(produced, StringComparison.Ordinal) && typed.Length - produced.Length <= LongestLead
            && (1 < Question.MaximumLines || !typed.Contains('\n'));
        return isAhead ? "" : null;
    }

    /// <summary>
    /// Whether the user has written the first line that it produced, or something else; null while that is open, and after it was told
    /// once.
    /// </summary>
    public bool? WasRight()
    {
        var produced = Produced;
        var lineEnd = produced.IndexOf('\n', produced.Length - produced.AsSpan().TrimStart().Length);
        var line = (lineEnd < 0 ? produced : produced[..lineEnd]).TrimEnd();
        if (_isJudged || line.Length - line.AsSpan().Count(' ') < LeastJudged
            || TypeThrough.TypedSince(Question.Text, Question.Offset, Latest, cursor: null) is not { } typed
            || line.StartsWith(typed, StringComparison.Ordinal) && typed.Length < line.Length)
        {
            return null;
        }

        var isWhole = 0 <= lineEnd || IsOver;
        var isRight = typed.StartsWith(line, StringComparison.Ordinal);
        if (isRight && !isWhole)
        {
            return null;
        }

        _isJudged = true;
        return isRight;
    }

    /// <summary>The part of <see cref="Remaining"/> that may be shown at this stage; null if it does not fit.</summary>
    public string? Worth(LaneQuestion asked, LaneStage stage)
    {
        if (Remaining(asked.Uri, asked.Text, asked.Offset) is not { } text)
        {
            return null;
        }

        if (stage == LaneStage.Ended || IsOver)
        {
            return text;
        }

        var lines = text.LastIndexOf('\n');
        if (0 < lines && !text.AsSpan(0, lines).IsWhiteSpace())
        {
            return text[..lines];
        }

        if (stage == LaneStage.Lines)
        {
            return "";
        }

        var end = text.Length;
        while (0 < end && (char.IsLetterOrDigit(text[end - 1]) || text[end - 1] == '_'))
        {
            end--;
        }

        var words = text.AsSpan(0, end).TrimEnd();
        return LeastWorthwhile <= words.Length - words.Count(' ') ? words.ToString() : "";
    }
}

/// <summary>How often users went on to write the line that a model had produced, and how often another one.</summary>
internal readonly record struct LaneRecord(int Right, int Wrong)
{
    /// <summary>What is assumed of a model that nobody knows. Small ones that fill in the middle get about so many lines right to the letter.</summary>
    public const double Usual = 0.4;

    private const double Assumed = 30; // lines that the assumption weighs as much as

    /// <summary>The share of its lines that is expected to be right, 0..1.</summary>
    public double Trust => (Right + (Assumed * Usual)) / (Right + Wrong + Assumed);

    public LaneRecord With(bool wasRight) => wasRight ? this with { Right = Right + 1 } : this with { Wrong = Wrong + 1 };
}

/// <summary>A query's share in what a model produces.</summary>
internal sealed record LaneTicket(LaneGeneration Generation, LaneQuestion Question, bool IsJoined);
