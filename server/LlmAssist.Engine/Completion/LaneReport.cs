// What became of asking a model of Ollama; for the user who asks why.
namespace LlmAssist.Engine.Completion;

/// <summary>What became of it.</summary>
public enum LaneOutcome
{
    /// <summary>There is no model to ask, or it cannot be asked now.</summary>
    Unavailable,

    /// <summary>It was not to be asked at this place.</summary>
    Declined,

    /// <summary>It was asked, and has answered.</summary>
    Answered,

    /// <summary>What it was producing already fits what was typed.</summary>
    Joined,

    /// <summary>It has not answered in time; its text waits for the next request.</summary>
    Late,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>Another request took its place.</summary>
    Superseded,
}

/// <summary>What became of asking a model of Ollama.</summary>
public sealed record LaneReport
{
    /// <summary>Which model; null for none.</summary>
    public string? Model { get; init; }

    public required LaneOutcome Outcome { get; init; }

    /// <summary>Why it said nothing; null if it did.</summary>
    public Phrase? Why { get; init; }

    /// <summary>How long it was held back, in case the user typed on.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>From the request to the model to its first text; null before that.</summary>
    public TimeSpan? FirstText { get; init; }

    /// <summary>How long this query has waited for it.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>What it had produced when the query was answered, from the cursor on; null for nothing.</summary>
    public string? Text { get; init; }

    /// <summary>Which rule ended its text; null if it goes on or ended by itself.</summary>
    public string? Ended { get; init; }

    /// <summary>Bits a symbol by which the pattern models were surprised; null if they did not judge.</summary>
    public double? BitsPerSymbol { get; init; }
}
