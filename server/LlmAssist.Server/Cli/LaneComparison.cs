// What a model of Ollama adds to the pattern model, measured at the same places of code that the pattern model has not seen.
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>Compares the lanes, and shows the figures.</summary>
internal static class LaneComparison
{
    /// <summary>Asks every lane at the same places, one generation at a time.</summary>
    /// <param name="host">Holds the pattern model, and nothing else.</param>
    /// <param name="model">The pattern model.</param>
    /// <param name="visit">To Ollama, beside that host.</param>
    /// <param name="use">Its model.</param>
    /// <param name="places">In files that the pattern model has not seen.</param>
    /// <param name="repository">What models are told the code belongs to.</param>
    /// <param name="options">Of it, the seed and the least confidence.</param>
    /// <exception cref="UserException">There is no place, or Ollama failed.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static async Task<LanesAnswer> RunAsync(
        VerbContext context,
        ModelHost host,
        PatternModel model,
        OllamaVisit visit,
        OllamaUse use,
        IReadOnlyList<HiddenLine> places,
        string repository,
        EvaluationOptions options,
        CancellationToken cancellation)
    {
        if (places.Count == 0)
        {
            throw new UserException(new(
                "There is no source code to test on. Name a folder with more files, or raise --holdout.",
                "No hay código fuente con el que probar. Indique una carpeta con más archivos o aumente --holdout."));
        }

        using var engine = new CompletionEngine(host, context.Time, visit.Host);

        // Of what it writes the first line counts; nobody waits for more.
        var settings = new CompletionSettings
        {
            MinConfidence = options.Confidence,
            Sampling = visit.Sampling,
            Patience = CompleteVerb.Unhurried with { Linger = TimeSpan.Zero },
        };
        var (pattern, ollama, auto) = (new LineTally(), new LineTally(), new LineTally());
        await CompleteVerb.WarmAsync(engine, places[0].Query(repository, isExplicit: true), settings, cancellation);
        await context.Terminal.WatchingAsync(async progress =>
        {
            var what = new Phrase($"Asking {use.Name} at {Figures.Count(places.Count)} places", $"Preguntando a {use.Name} en {Figures.Count(places.Count)} lugares");
            foreach (var place in places)
            {
                progress.Report(new((double)auto.Places / places.Count, what, $"{auto.Places}/{places.Count}"));
                var answers = await LineTrial.AskAsync(engine, place.Query(repository, isExplicit: true), settings, cancellation);
                RefuseHoles(answers, auto.Places + 1, places.Count);
                pattern.Add(answers.Pattern, place.Actual);
                ollama.Add(answers.Ollama, place.Actual);
                auto.Add(answers.Auto, place.Actual);
            }

            return true;
        });

        var resident = MappedPages.Resident(model.MappedAddress, model.MappedBytes)?.Bytes + model.CommittedBytes;
        var running = (await visit.FindAsync(use.Name, cancellation))?.Running;
        return new(
            places.Count,
            options.Seed,
            [
                RowOf("pattern", pattern, resident, 0),
                RowOf("ollama", ollama, running?.RamBytes, running?.VramBytes ?? 0),
                RowOf("auto", auto, resident + running?.RamBytes, running?.VramBytes ?? 0),
            ],
            use.Name,
            use.ContextTokens);
    }

    /// <summary>Ends where the model of Ollama could not be asked: figures with holes would be compared all the same.</summary>
    /// <param name="place">Which place it was, from 1.</param>
    /// <param name="places">How many there are.</param>
    /// <exception cref="UserException">It could not be asked.</exception>
    public static void RefuseHoles(LaneAnswers answers, int place, int places)
    {
        if (answers.Report is { Outcome: LaneOutcome.Failed or LaneOutcome.Unavailable, Why: { } why })
        {
            throw new UserException(new(
                $"The comparison ended at place {place} of {places}: {why.English}",
                $"La comparación terminó en el lugar {place} de {places}: {why.Spanish}"));
        }
    }

    /// <summary>One column a lane, so that they can be compared.</summary>
    public static void Show(Terminal terminal, LanesAnswer answer)
    {
        terminal.Say(new(
            $"The rest of a line at {Figures.Count(answer.Positions)} places of the tested files (seed {answer.Seed}); {answer.Model} with {Figures.Count(answer.ContextTokens)} tokens of context.",
            $"El resto de la línea en {Figures.Count(answer.Positions)} lugares de los archivos de prueba (semilla {answer.Seed}); {answer.Model} con {Figures.Count(answer.ContextTokens)} tokens de contexto."));
        var rows = new List<string[]>();
        Of(new("shown", "mostradas"), row => Figures.Share(row.Shown));
        Of(new("whole rest of the line right", "todo el resto de la línea, acertado"), row => Figures.Share(row.Exact));
        Of(new("the same, of those shown", "lo mismo, de las mostradas"), row => Figures.Share(row.Precision));
        Of(new("similarity", "similitud"), row => Figures.Share(row.Similarity));
        Of(new("keystrokes saved", "pulsaciones ahorradas"), row => Figures.Share(row.KeystrokesSaved));
        Of(new("answer after, p50", "respuesta a los, p50"), row => Time(row.LatencyMilliseconds.P50));
        Of(new("answer after, p99", "respuesta a los, p99"), row => Time(row.LatencyMilliseconds.P99));
        Of(new("RAM", "RAM"), row => row.MemoryBytes is { } bytes ? new ByteSize(bytes).ToString() : "?");
        Of(new("VRAM", "VRAM"), row => row.VramBytes == 0 ? "–" : new ByteSize(row.VramBytes).ToString());
        terminal.Table(
            [
                new(new("", "")),
                Column.Number(new("pattern", "patrones")),
                Column.Number(new("ollama", "ollama")),
                Column.Number(new("both (auto)", "ambos (auto)")),
            ],
            rows);
        terminal.Aside(new(
            "A suggestion counts by its first line; a right one costs one key. Both were asked, and waited for until they had finished: while you type, the pattern model's suggestion is shown at once.",
            "De una sugerencia cuenta su primera línea; aceptar una acertada cuesta una tecla. Se preguntó a ambos y se esperó a que terminaran: mientras usted escribe, la sugerencia del modelo de patrones se muestra enseguida."));

        void Of(Phrase label, Func<LaneRow, string> figure) => rows.Add([label.In(terminal.Speech), .. answer.Lanes.Select(figure)]);

        static string Time(double milliseconds) =>
            milliseconds < 1 ? Figures.Microseconds(TimeSpan.FromMilliseconds(milliseconds)) : Figures.Duration(TimeSpan.FromMilliseconds(milliseconds));
    }

    private static LaneRow RowOf(string lane, LineTally tally, long? memoryBytes, long vramBytes)
    {
        var figures = tally.Figures();
        return new(
            lane,
            figures.Shown,
            figures.Exact,
            figures.Precision,
            figures.Similarity,
            figures.KeystrokesSaved,
            figures.LatencyMilliseconds,
            memoryBytes,
            vramBytes);
    }
}
