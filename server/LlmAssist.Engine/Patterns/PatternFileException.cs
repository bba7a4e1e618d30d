namespace LlmAssist.Engine.Patterns;

/// <summary>A pattern file that cannot be used: what was found, what was expected, what to do.</summary>
public sealed class PatternFileException(string path, Phrase reason, Exception? cause = null)
    : UserException(
        new(
            $"{path}: {reason.English} Train again with 'llm-assist train'.",
            $"{path}: {reason.Spanish} Vuelva a entrenar con «llm-assist train»."),
        cause)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>What is wrong with it.</summary>
    public Phrase Reason { get; } = reason;
}
