// Measures a model on code that it has not seen: the numbers behind 'eval' and 'models compare'.
using System.Runtime.InteropServices;
using System.Text.Json;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>What to evaluate with.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Chooses places and the order of files; the same seed gives the same figures.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Evaluation ends behind the file in which this many symbols are reached.</summary>
    public int MaximumTokens { get; init; } = 200_000;

    /// <summary>Continuations below this are not shown, 0..1.</summary>
    public double Confidence { get; init; } = 0.5;

    /// <summary>From the mixture's probability to confidence.</summary>
    public Func<double, double> Calibrate { get; init; } = static probability => probability;

    /// <summary>Receives one JSON line per symbol; null for no trace.</summary>
    public TextWriter? Trace { get; init; }
}

/// <summary>Measures pattern models.</summary>
public sealed class PatternEvaluator(TimeProvider time)
{
    private const int LineEvery = 13; // symbols between the places at which a line is predicted; coprime to habits of layout
    private const int CalibrationGroups = 10;
    private const int CoverageSteps = 20;

    /// <summary>Files of a corpus in two parts: to learn from, and to be tested on.</summary>
    /// <param name="files">The corpus.</param>
    /// <param name="percent">How many of a hundred files are for testing, 1..90.</param>
    /// <param name="seed">Chooses which.</param>
    public static (IReadOnlyList<CorpusFile> Train, IReadOnlyList<CorpusFile> Test) Split(IReadOnlyList<CorpusFile> files, int percent, int seed)
    {
        var parts = files.ToLookup(file => (int)(SymbolHash.Finish(SymbolHash.Add((ulong)seed, SymbolHash.Of(file.RelativePath))) % 100) < percent);
        return ([.. parts[false]], [.. parts[true]]);
    }

    /// <summary>Measures <paramref name="model"/> on <paramref name="files"/>.</summary>
    /// <exception cref="UserException">There is nothing to test on.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public Evaluation Evaluate(
        PatternModel model,
        IReadOnlyList<CorpusFile> files,
        EvaluationOptions options,
        IProgress<double>? progress,
        CancellationToken cancellation)
    {
        var opened = time.GetTimestamp();
        PatternModel.Open(model.Path).Dispose();
        var openTime = time.GetElapsedTime(opened);
        var run = new Run(model, options, time);
        var shuffled = files.OrderBy(file => SymbolHash.Finish(SymbolHash.Add((ulong)options.Seed + 1, SymbolHash.Of(file.RelativePath)))).ToList();
        for (var index = 0; index < shuffled.Count && run.Tokens < options.MaximumTokens; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (CorpusWalker.ReadText(shuffled[index]) is { } text)
            {
                run.File(shuffled[index], text, cancellation);
            }

            progress?.Report(Math.Max((index + 1.0) / shuffled.Count, (double)run.Tokens / options.MaximumTokens));
        }

        if (run.Tokens == 0)
        {
            throw new UserException(new(
                "There is no source code to test on. Name a folder with more files, or raise --holdout.",
                "No hay código fuente con el que probar. Indique una carpeta con más archivos o aumente --holdout."));
        }

        return run.Result(openTime);
    }

    // The state of one evaluation. One file after the other.
    private sealed class Run(PatternModel model, EvaluationOptions options, TimeProvider time)
    {
        private readonly Dictionary<string, Tally> _perLanguage = [];
        private readonly List<double> _predictTimes = [];
        private readonly List<double> _lineTimes = [];
        private readonly List<(double Confidence, bool Right)> _wholeLines = [];
        private readonly List<(double Confidence, bool Right)> _shown = [];
        private readonly List<Token> _tokens = [];
        private readonly Mixture _mixture = new(MixtureWeights.Start());
        private double _similarity;
        private int _words;
        private int _wordsFirst;
        private int _wordsTop5;
        private long _typed;
        private long _saved;

        public int Tokens { get; private set; }

        public void File(CorpusFile file, string text, CancellationToken cancellation)
        {
            _tokens.Clear();
            Lexer.Tokenize(text, file.Language, _tokens);
            var document = new GrowingDocument(text, _tokens);
            var comments = _tokens.Where(token => token.Kind == TokenKind.Comment).Select(token => token.Start).ToArray();
            var predictor = new PatternPredictor(_mixture, new(), [model], [], [document.Source], LanguagePriors.Of(file.Language));
            var symbols = document.Symbols;
            ref var tally = ref CollectionsMarshal.GetValueRefOrAddDefault(_perLanguage, file.Language.Id, out _);
            tally ??= new();
            var acceptedTo = 0; // symbols before this index were inserted by an accepted suggestion
            for (var index = 0; index < symbols.Length; index++)
            {
                if ((index & 0xFF) == 0)
                {
                    cancellation.ThrowIfCancellationRequested();
                }

                var symbol = symbols[index];
                if (symbol.Kind != TokenKind.Newline)
                {
                    var started = time.GetTimestamp();
                    var (rank, probability) = predictor.Rate(symbol.Hash);
                    _predictTimes.Add(time.GetElapsedTime(started).TotalMicroseconds);
                    tally.Add(symbol.Kind, rank, probability);
                    Tokens++;
                    options.Trace?.WriteLine(JsonSerializer.Serialize(
                        new TraceLine(file.RelativePath, text.Substring(symbol.Start, symbol.Length), symbol.Kind.ToString(), rank, probability),
                        EvaluationJson.Default.TraceLine));
                    if (Array.BinarySearch(comments, symbol.Start) < 0 && index % LineEvery == 0)
                    {
                        Line(predictor, text, symbols, index, comments);
                    }

                    if (symbol.Kind == TokenKind.Identifier && index % LineEvery == 1 && 1 < symbol.Length)
                    {
                        Word(predictor, text.Substring(symbol.Start, 1), symbol.Hash);
                    }

                    acceptedTo = Math.Max(acceptedTo, Type(predictor, text, symbols, index, acceptedTo));
                }

                // What it is learned from was predicted for another place meanwhile.
                predictor.Rate(symbol.Hash);
                predictor.Learn(symbol.Hash);
                document.Read();
                predictor.Append(symbol);
            }
        }

        public Evaluation Result(TimeSpan openTime)
        {
            var all = new Tally();
            foreach (var tally in _perLanguage.Values)
            {
                all.Add(tally);
            }

            _predictTimes.Sort();
            _lineTimes.Sort();
            var statistics = model.Statistics;
            return new()
            {
                Tokens = all.Tokens,
                Top1 = all.Share(all.First),
                Top5 = all.Share(all.InTop5),
                Mrr = all.Share(all.ReciprocalRanks),
                BitsPerToken = all.Share(all.Bits),
                Identifier = all.Identifiers,
                Line = new(
                    _wholeLines.Count,
                    Share(_wholeLines.Count(line => line.Right), _wholeLines.Count),
                    Share(_similarity, _wholeLines.Count),
                    ShownAt(_wholeLines, 0.7)),
                Keystrokes = new(Share(_saved, _typed), Share(_shown.Count(shown => shown.Right), _shown.Count), options.Confidence),
                Word = new(_words, Share(_wordsFirst, _words), Share(_wordsTop5, _words)),
                Speed = new(statistics.MegabytesPerSecond, PercentilesOf(_predictTimes), PercentilesOf(_lineTimes), openTime.TotalMilliseconds),
                Size = new(model.MappedBytes, Share(model.MappedBytes, statistics.Tokens), Environment.WorkingSet),
                Calibration = CalibrationOf(_shown),
                Coverage = [.. Enumerable.Range(0, CoverageSteps).Select(step => CoverageAt(_wholeLines, Math.Round((double)step / CoverageSteps, 2)))],
                PerLanguage =
                [
                    .. _perLanguage.OrderByDescending(pair => pair.Value.Tokens).Select(pair => new LanguageFigures(
                        pair.Key,
                        pair.Value.Tokens,
                        pair.Value.Share(pair.Value.First),
                        pair.Value.Share(pair.Value.InTop5),
                        pair.Value.Share(pair.Value.ReciprocalRanks),
                        pair.Value.Share(pair.Value.Bits),
                        pair.Value.Identifiers)),
                ],
            };
        }

        private void Line(PatternPredictor predictor, string text, ReadOnlySpan<Symbol> symbols, int index, int[] comments)
        {
            if (RestOfLine(text, symbols, index, comments) is not { } rest)
            {
                return;
            }

            var started = time.GetTimestamp();
            var guess = Guess(predictor, text, symbols, index, "", 0);
            _lineTimes.Add(time.GetElapsedTime(started).TotalMicroseconds);
            var guessed = guess?.Text ?? "";
            _wholeLines.Add((guess is null ? 0 : options.Calibrate(guess.Value.Probability), guessed == rest));
            _similarity += 1 - ((double)EditDistance(guessed, rest) / Math.Max(1, Math.Max(guessed.Length, rest.Length)));
        }

        private void Word(PatternPredictor predictor, string typed, ulong actual)
        {
            var words = predictor.Next(typed, 5);
            _words++;
            _wordsFirst += 0 < words.Count && words[0].Hash == actual ? 1 : 0;
            _wordsTop5 += words.Any(word => word.Hash == actual) ? 1 : 0;
        }

        // Types the symbol at index, a character at a time, unless it was inserted already: accepts what is shown if all of it is right.
        // Answers up to which symbol the text stands now.
        private int Type(PatternPredictor predictor, string text, ReadOnlySpan<Symbol> symbols, int index, int acceptedTo)
        {
            if (index < acceptedTo)
            {
                return acceptedTo;
            }

            var from = 0 < index && symbols[index - 1].Kind != TokenKind.Newline ? symbols[index - 1].End : symbols[index].Start;
            var symbol = symbols[index];
            var keys = symbol.Kind is TokenKind.Identifier or TokenKind.Keyword ? symbol.Length : 1;
            var shown = ""; // what was shown before the last key, as far as that went into it
            for (var typed = 0; typed < keys; typed++)
            {
                var place = typed == 0 ? from : symbol.Start + typed;
                if (Guess(predictor, text, symbols, index, text.Substring(symbol.Start, typed), options.Confidence) is not { Text.Length: > 1 } guess)
                {
                    shown = "";
                    continue;
                }

                var right = text.AsSpan(place).StartsWith(guess.Text) && EndsAtSymbol(symbols, index, place + guess.Text.Length) is { } end ? end : -1;
                if (shown != guess.Text)
                {
                    _shown.Add((options.Calibrate(guess.Probability), 0 <= right));
                }

                if (0 <= right)
                {
                    _typed += place - from + guess.Text.Length;
                    _saved += guess.Text.Length - 1;
                    return right;
                }

                // Typing on into what is shown leaves the rest of it on the screen.
                shown = place + 1 < text.Length && guess.Text[0] == text[place] ? guess.Text[1..] : "";
            }

            _typed += symbol.End - from;
            return index + 1;
        }

        private LineContinuation? Guess(PatternPredictor predictor, string text, ReadOnlySpan<Symbol> symbols, int index, string typed, double least)
        {
            var first = predictor.Next(typed, 1);
            if (first.Count == 0 || options.Calibrate(first[0].Probability) < least)
            {
                return null;
            }

            var afterSpace = index == 0 || symbols[index - 1].Kind == TokenKind.Newline;
            return predictor.Line(typed, first[0], afterSpace, least, options.Calibrate);
        }

        // The line from the end of the symbol before index on; null where a comment follows, which nobody predicts.
        private static string? RestOfLine(string text, ReadOnlySpan<Symbol> symbols, int index, int[] comments)
        {
            var start = 0 < index && symbols[index - 1].Kind != TokenKind.Newline ? symbols[index - 1].End : symbols[index].Start;
            var last = index;
            while (last + 1 < symbols.Length && symbols[last + 1].Kind != TokenKind.Newline)
            {
                last++;
            }

            var end = symbols[last].End;
            var comment = Array.BinarySearch(comments, start);
            comment = comment < 0 ? ~comment : comment;
            return comment < comments.Length && comments[comment] < end ? null : text[start..end];
        }

        private static int? EndsAtSymbol(ReadOnlySpan<Symbol> symbols, int index, int offset)
        {
            for (; index < symbols.Length && symbols[index].End <= offset; index++)
            {
                if (symbols[index].End == offset)
                {
                    return index + 1;
                }
            }

            return null;
        }
    }

    private sealed class Tally
    {
        private const int Cutoff = 10;
        private int _identifiers;
        private int _identifiersFirst;
        private double _identifierReciprocals;

        public int Tokens { get; private set; }

        public int First { get; private set; }

        public int InTop5 { get; private set; }

        public double ReciprocalRanks { get; private set; }

        public double Bits { get; private set; }

        public IdentifierFigures Identifiers =>
            new(_identifiers, PatternEvaluator.Share(_identifiersFirst, _identifiers), PatternEvaluator.Share(_identifierReciprocals, _identifiers));

        public double Share(double part) => PatternEvaluator.Share(part, Tokens);

        public void Add(TokenKind kind, int rank, double probability)
        {
            var reciprocal = rank is >= 1 and <= Cutoff ? 1.0 / rank : 0;
            Tokens++;
            First += rank == 1 ? 1 : 0;
            InTop5 += rank is >= 1 and <= 5 ? 1 : 0;
            ReciprocalRanks += reciprocal;
            Bits -= Math.Log2(Math.Clamp(probability, 1e-12, 1));
            if (kind == TokenKind.Identifier)
            {
                _identifiers++;
                _identifiersFirst += rank == 1 ? 1 : 0;
                _identifierReciprocals += reciprocal;
            }
        }

        public void Add(Tally other)
        {
            Tokens += other.Tokens;
            First += other.First;
            InTop5 += other.InTop5;
            ReciprocalRanks += other.ReciprocalRanks;
            Bits += other.Bits;
            _identifiers += other._identifiers;
            _identifiersFirst += other._identifiersFirst;
            _identifierReciprocals += other._identifierReciprocals;
        }
    }

    private static double Share(double part, double whole) => whole == 0 ? 0 : part / whole;

    // The largest share that can be shown, the surest first, with this share of it right.
    private static double ShownAt(List<(double Confidence, bool Right)> places, double precision)
    {
        var right = 0;
        var shown = 0;
        var best = 0;
        foreach (var place in places.OrderByDescending(place => place.Confidence))
        {
            shown++;
            right += place.Right ? 1 : 0;
            best = precision * shown <= right ? shown : best;
        }

        return Share(best, places.Count);
    }

    private static CoverageFigures CoverageAt(List<(double Confidence, bool Right)> places, double confidence)
    {
        var shown = places.Where(place => confidence <= place.Confidence).ToList();
        return new(confidence, Share(shown.Count, places.Count), Share(shown.Count(static place => place.Right), shown.Count));
    }

    private static List<CalibrationFigures> CalibrationOf(List<(double Confidence, bool Right)> shown) =>
    [
        .. shown
            .GroupBy(place => Math.Min(CalibrationGroups - 1, (int)(place.Confidence * CalibrationGroups)))
            .OrderBy(group => group.Key)
            .Select(group => new CalibrationFigures(group.Average(place => place.Confidence), Share(group.Count(place => place.Right), group.Count()), group.Count())),
    ];

    internal static Percentiles PercentilesOf(List<double> sorted) =>
        sorted.Count == 0 ? new(0, 0) : new(sorted[sorted.Count / 2], sorted[(int)(sorted.Count * 0.99)]);

    // Levenshtein's distance, one row at a time.
    internal static int EditDistance(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        Span<int> row = stackalloc int[512];
        right = right[..Math.Min(right.Length, row.Length - 1)];
        for (var column = 0; column <= right.Length; column++)
        {
            row[column] = column;
        }

        for (var line = 1; line <= left.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var column = 1; column <= right.Length; column++)
            {
                var substituted = diagonal + (left[line - 1] == right[column - 1] ? 0 : 1);
                diagonal = row[column];
                row[column] = Math.Min(substituted, Math.Min(row[column], row[column - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
