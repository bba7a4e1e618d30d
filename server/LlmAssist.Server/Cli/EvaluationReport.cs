// An evaluation as people read it. The figures themselves, and their JSON, are the engine's.
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Server.Cli;

/// <summary>Tables of evaluations, and how verbs run them.</summary>
internal static class EvaluationReport
{
    /// <summary>Measures a model as its suggestions are shown: with calibrated confidence.</summary>
    public static Evaluation Evaluate(
        VerbContext context,
        PatternModel model,
        IReadOnlyList<CorpusFile> files,
        EvaluationOptions options,
        CancellationToken cancellation) => context.Terminal.Watching(progress =>
    {
        var what = new Phrase("Predicting unseen files", "Prediciendo archivos no vistos");
        var report = new Fractions(fraction => progress.Report(new(Math.Min(1, fraction), what)));
        return new PatternEvaluator(context.Time).Evaluate(model, files, options with { Calibrate = Calibration.Confidence }, report, cancellation);
    });

    /// <summary>Share of files that a model has learned from, by path.</summary>
    public static double LearnedShare(PatternModel model, IReadOnlyList<CorpusFile> files)
    {
        var learned = model.LearnedFiles().Select(file => file.Path).ToHashSet();
        return files.Count == 0 ? 0 : (double)files.Count(file => learned.Contains(file.FullPath)) / files.Count;
    }

    /// <summary>Trains on files into a folder that is gone afterwards, and hands the model to <paramref name="use"/>.</summary>
    public static async Task<T> WithTemporaryModelAsync<T>(VerbContext context, TrainingRequest request, Corpus corpus, Func<PatternModel, Task<T>> use, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("llm-assist-");
        try
        {
            var store = new PatternStore(folder.FullName, context.Time);
            var trained = context.Terminal.Watching(progress =>
                new PatternTrainer(store, context.Time).Train(request, corpus, new TrainVerb.StepsOfTraining(progress), cancellation));
            using var model = PatternModel.Open(trained.Stored.Path);
            return await use(model);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>All figures of one evaluation.</summary>
    public static void Show(Terminal terminal, Evaluation evaluation)
    {
        terminal.Facts(
        [
            (new("tokens predicted", "tokens predichos"), Figures.Count(evaluation.Tokens)),
            (new("right at first place", "acierto a la primera"), Figures.Share(evaluation.Top1)),
            (new("right among five", "acierto entre cinco"), Figures.Share(evaluation.Top5)),
            (new("mean reciprocal rank", "rango recíproco medio"), Figures.Number(evaluation.Mrr, 3)),
            (new("bits per token", "bits por token"), Figures.Number(evaluation.BitsPerToken, 2)),
            (new("identifiers", "identificadores"), $"{Figures.Share(evaluation.Identifier.Top1)} (MRR {Figures.Number(evaluation.Identifier.Mrr, 3)})"),
        ]);
        terminal.Heading(new("As you type", "Mientras escribe"));
        var keystrokes = evaluation.Keystrokes;
        var word = evaluation.Word;
        var line = evaluation.Line;
        terminal.Facts(
        [
            (new("keystrokes saved", "pulsaciones ahorradas"), Figures.Share(keystrokes.Saved)),
            (new("suggestions that were right", "sugerencias acertadas"), $"{Figures.Share(keystrokes.Precision)} ({Say(new("shown from confidence", "mostradas desde confianza"))} {Figures.Number(keystrokes.Confidence, 2)})"),
            (new("word after its first letter", "palabra tras su primera letra"), $"{Figures.Share(word.Top1)}, {Say(new("among five", "entre cinco"))} {Figures.Share(word.Top5)}"),
            (new("rest of the line, exact", "resto de la línea, exacto"), Figures.Share(line.Exact)),
            (new("rest of the line, similarity", "resto de la línea, similitud"), Figures.Share(line.Similarity)),
            (new("lines shown at 70 % precision", "líneas mostradas con precisión del 70 %"), Figures.Share(line.ShownAt70Precision)),
        ]);
        terminal.Heading(new("Speed and size", "Velocidad y tamaño"));
        var speed = evaluation.Speed;
        terminal.Facts(
        [
            (new("training", "entrenamiento"), $"{Figures.Number(speed.TrainMegabytesPerSecond, 1)} MB/s"),
            (new("a token", "un token"), Times(speed.PredictMicroseconds)),
            (new("a line", "una línea"), Times(speed.LineMicroseconds)),
            (new("opening", "abrir"), $"{Figures.Number(speed.OpenMilliseconds, 1)} ms"),
            (new("model", "modelo"), $"{new ByteSize(evaluation.Size.ModelBytes)} ({Figures.Number(evaluation.Size.BytesPerToken, 1)} B/token)"),
        ]);
        terminal.Heading(new("By language", "Por lenguaje"));
        terminal.Table(
            [
                new(new("language", "lenguaje")),
                Column.Number(new("tokens", "tokens")),
                Column.Number(new("first", "primera")),
                Column.Number(new("in five", "en cinco")),
                Column.Number(new("MRR", "MRR")),
                Column.Number(new("bits", "bits")),
                Column.Number(new("identifiers", "identificadores")),
            ],
            evaluation.PerLanguage.Select(language => (string[])
            [
                Language.ById(language.Language).Name,
                Figures.Count(language.Tokens),
                Figures.Share(language.Top1),
                Figures.Share(language.Top5),
                Figures.Number(language.Mrr, 3),
                Figures.Number(language.BitsPerToken, 2),
                Figures.Share(language.Identifier.Top1),
            ]));
        if (evaluation.Calibration.Count == 0)
        {
            return;
        }

        terminal.Heading(new("Can its confidence be believed?", "¿Es fiable su confianza?"));
        terminal.Table(
            [Column.Number(new("it said", "dijo")), Column.Number(new("it was right", "acertó")), Column.Number(new("suggestions", "sugerencias"))],
            evaluation.Calibration.Select(group => (string[])[Figures.Share(group.Confidence), Figures.Share(group.Right), Figures.Count(group.Places)]));

        string Say(Phrase phrase) => phrase.In(terminal.Speech);
    }

    /// <summary>Two evaluations side by side.</summary>
    public static void ShowBeside(Terminal terminal, ComparedModel left, ComparedModel right)
    {
        var rows = new List<string[]>();
        Add(new("files it has learned from", "archivos de los que aprendió"), left.LearnedShare, right.LearnedShare, Figures.Share);
        Of(new("right at first place", "acierto a la primera"), evaluation => evaluation.Top1, Figures.Share);
        Of(new("right among five", "acierto entre cinco"), evaluation => evaluation.Top5, Figures.Share);
        Of(new("mean reciprocal rank", "rango recíproco medio"), evaluation => evaluation.Mrr, value => Figures.Number(value, 3));
        Of(new("bits per token", "bits por token"), evaluation => evaluation.BitsPerToken, value => Figures.Number(value, 2));
        Of(new("identifiers, first place", "identificadores, a la primera"), evaluation => evaluation.Identifier.Top1, Figures.Share);
        Of(new("keystrokes saved", "pulsaciones ahorradas"), evaluation => evaluation.Keystrokes.Saved, Figures.Share);
        Of(new("suggestions that were right", "sugerencias acertadas"), evaluation => evaluation.Keystrokes.Precision, Figures.Share);
        Of(new("rest of the line, exact", "resto de la línea, exacto"), evaluation => evaluation.Line.Exact, Figures.Share);
        Of(new("a line, p50", "una línea, p50"), evaluation => evaluation.Speed.LineMicroseconds.P50, value => Figures.Count((long)value) + "\u00a0µs");
        Of(new("size", "tamaño"), evaluation => evaluation.Size.ModelBytes, value => new ByteSize((long)value).ToString());
        terminal.Table([new(new("", "")), Column.Number(Phrase.Same(left.Name)), Column.Number(Phrase.Same(right.Name))], rows);

        void Of(Phrase label, Func<Evaluation, double> figure, Func<double, string> show) => Add(label, figure(left.Evaluation), figure(right.Evaluation), show);

        void Add(Phrase label, double first, double second, Func<double, string> show) => rows.Add([label.In(terminal.Speech), show(first), show(second)]);
    }

    private static string Times(Percentiles times) => $"p50 {Figures.Count((long)times.P50)} µs, p99 {Figures.Count((long)times.P99)} µs";

    private sealed class Fractions(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
