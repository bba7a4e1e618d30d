// llmAssist.completion.explain and llmAssist.completion.accepted.
using LlmAssist.Engine.Completion;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>What completion has to say of itself.</summary>
internal sealed class CompletionCommands(CompletionEngine engine)
{
    public ValueTask<ExplainAnswer?> ExplainAsync(SessionSnapshot session, Nothing argument, CancellationToken cancellation) =>
        new(engine.LastReport is { } report
            ? new ExplainAnswer(
                report.Uri,
                report.Surface.ToString().ToLowerInvariant(),
                report.Lane.ToString().ToLowerInvariant(),
                report.Why?.In(session.Speech),
                (long)report.Elapsed.TotalMicroseconds,
                [.. report.Items.Select(item => new ExplainedItem(item.Text, Math.Round(item.Confidence, 3)))],
                [.. report.Filtered.Select(filtered => new ExplainedFilter(filtered.Filter, filtered.Text))],
                [.. report.Stages.Select(stage => new ExplainedStage(stage.Stage, (long)stage.Elapsed.TotalMicroseconds))],
                new(engine.Accepted.Suggestions, engine.Accepted.Characters))
            : null);

    /// <summary>A suggestion was inserted. Only counted: nothing of it is kept.</summary>
    public ValueTask<Nothing?> AcceptedAsync(SessionSnapshot session, AcceptedArgument argument, CancellationToken cancellation)
    {
        engine.Accept(argument.Length);
        return new((Nothing?)null);
    }
}
