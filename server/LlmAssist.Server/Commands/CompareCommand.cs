// llmAssist.models.compare.
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Patterns;
using LlmAssist.Server.Background;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>Measures two models on the same code.</summary>
internal sealed class CompareCommand(PatternStore store, ClientLink client, TimeProvider time)
{
    private const int DefaultTokens = 20_000;

    public async ValueTask<CompareAnswer> ExecuteAsync(SessionSnapshot session, CompareArgument argument, CancellationToken cancellation)
    {
        if (argument is not { A: { } a, B: { } b, Folder: { } folder })
        {
            throw new UserException(new(
                "Expected are two models and a folder: { \"a\": …, \"b\": …, \"folder\": … }.",
                "Se esperan dos modelos y una carpeta: { \"a\": …, \"b\": …, \"folder\": … }."));
        }

        var title = new Phrase($"LLM Assist: comparing {a} and {b}", $"LLM Assist: comparando {a} y {b}");
        using var progress = await client.BeginProgressAsync(title.In(session.Speech), session.Client.ShowsProgress, cancellation);
        var files = PatternTrainer.FindCorpus(
            new() { Name = "", Folders = [folder], Corpus = ModelWork.CorpusOf(session.Settings) },
            progress.Cancellation).Files;
        var first = Evaluate(store.Resolve(a), files, argument, new Half(progress, 0), progress.Cancellation);
        var second = Evaluate(store.Resolve(b), files, argument, new Half(progress, 0.5), progress.Cancellation);
        return new(first, second);
    }

    private JsonElement Evaluate(
        StoredModel stored,
        IReadOnlyList<CorpusFile> files,
        CompareArgument argument,
        IProgress<double> progress,
        CancellationToken cancellation)
    {
        using var model = PatternModel.Open(stored.Path);
        var options = new EvaluationOptions { MaximumTokens = argument.MaximumTokens ?? DefaultTokens, Calibrate = Calibration.Confidence };
        return JsonSerializer.SerializeToElement(
            new PatternEvaluator(time).Evaluate(model, files, options, progress, cancellation),
            EvaluationJson.Default.Evaluation);
    }

    private sealed class Half(ProgressReport report, double from) : IProgress<double>
    {
        public void Report(double value) => report.Report(from + (value / 2), "");
    }
}
