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
                Named(report.Lane),
                report.Why?.In(session.Speech),
                (long)report.Elapsed.TotalMicroseconds,
                [.. report.Items.Select(item => new ExplainedItem(item.Text, Math.Round(item.Confidence, 3), Named(item.Lane)))],
                [.. report.Filtered.Select(filtered => new ExplainedFilter(filtered.Filter, filtered.Text))],
                [.. report.Stages.Select(stage => new ExplainedStage(stage.Stage, (long)stage.Elapsed.TotalMicroseconds))],
                new(engine.Accepted.Suggestions, engine.Accepted.Characters),
                report.Ollama is { } lane ? Explained(lane, session) : null)
            : null);

    /// <summary>A suggestion was inserted. Only counted: nothing of it is kept.</summary>
    public ValueTask<Nothing?> AcceptedAsync(SessionSnapshot session, AcceptedArgument argument, CancellationToken cancellation)
    {
        engine.Accept(argument.Length);
        return new((Nothing?)null);
    }

    private static ExplainedLane Explained(LaneReport lane, SessionSnapshot session) => new(
        lane.Model,
        lane.Outcome.ToString().ToLowerInvariant(),
        lane.Why?.In(session.Speech),
        Math.Round(lane.Delay.TotalMilliseconds, 1),
        lane.FirstText is { } first ? Math.Round(first.TotalMilliseconds, 1) : null,
        Math.Round(lane.Waited.TotalMilliseconds, 1),
        lane.Text,
        lane.Ended,
        lane.BitsPerSymbol is { } bits ? Math.Round(bits, 2) : null);

    private static string Named(CompletionLane lane) => lane.ToString().ToLowerInvariant();
}
