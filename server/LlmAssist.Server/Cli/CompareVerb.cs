// 'models compare': two saved models on the same code, and what made them different.
using System.CommandLine;
using LlmAssist.Engine;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>Compares two models.</summary>
internal static class CompareVerb
{
    private const int MaximumTokens = 50_000; // for each model: seconds, not minutes

    /// <summary>The sub-verb with its arguments.</summary>
    public static Command Command(VerbContext context)
    {
        var left = context.ModelArgument("A");
        var right = context.ModelArgument("B");
        var folder = new Argument<string>("FOLDER")
        {
            Description = context.Text(new("Source code to measure both on", "Código fuente con el que medir ambos")),
        };
        var command = new Command("compare", context.Text(new("Measure two models on the same code", "Medir dos modelos con el mismo código"))) { left, right, folder };
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(
            context, parsed.GetRequiredValue(left), parsed.GetRequiredValue(right), Path.GetFullPath(parsed.GetRequiredValue(folder)), cancellation)));
        return command;
    }

    private static int Run(VerbContext context, string left, string right, string folder, CancellationToken cancellation)
    {
        var store = context.OpenStore();
        using var first = PatternModel.Open(store.Resolve(left).Path);
        using var second = PatternModel.Open(store.Resolve(right).Path);
        var files = PatternTrainer.FindCorpus(new() { Name = left, Folders = [folder] }, cancellation).Files;
        var (a, b) = (Measure(first), Measure(second));
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new CompareAnswer(a, b), CliJson.Default.CompareAnswer);
            return ExitCode.Success;
        }

        EvaluationReport.ShowBeside(context.Terminal, a, b);
        if (a.LearnedShare != b.LearnedShare)
        {
            context.Terminal.Say(new(
                "One of them has learned from more of these files than the other; that alone makes it look better.",
                "Uno de ellos aprendió de más archivos de estos que el otro; solo por eso parece mejor."));
        }

        ShowOrigins(context, first, second);
        return ExitCode.Success;

        ComparedModel Measure(PatternModel model) => new(
            model.Id.Name,
            EvaluationReport.LearnedShare(model, files),
            EvaluationReport.Evaluate(context, model, files, new() { MaximumTokens = MaximumTokens }, cancellation));
    }

    private static void ShowOrigins(VerbContext context, PatternModel first, PatternModel second)
    {
        var before = first.LearnedFiles().ToDictionary(file => file.Path, file => file.Hash);
        var after = second.LearnedFiles().ToDictionary(file => file.Path, file => file.Hash);
        var shared = before.Keys.Where(after.ContainsKey).ToList();
        var equal = shared.Count(path => before[path] == after[path]);
        context.Terminal.Heading(new("What they learned from", "De qué aprendieron"));
        context.Terminal.Facts(
        [
            (Phrase.Same("A"), string.Join(", ", first.Provenance.Folders)),
            (Phrase.Same("B"), string.Join(", ", second.Provenance.Folders)),
            (new("same files, same text", "mismos archivos, mismo texto"), Figures.Count(equal)),
            (new("same files, other text", "mismos archivos, otro texto"), Figures.Count(shared.Count - equal)),
            (new("only in A", "solo en A"), Figures.Count(before.Count - shared.Count)),
            (new("only in B", "solo en B"), Figures.Count(after.Count - shared.Count)),
        ]);
    }
}
