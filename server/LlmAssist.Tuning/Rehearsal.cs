// The mixture reads files that its models have not seen, as an editor would see them typed, and learns; or is measured.
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tuning;

/// <summary>Trains a model on most of each corpus, and reads the rest with it.</summary>
internal sealed class Rehearsal(string work, TextWriter output, string? without = null, bool withPriors = true)
{
    /// <summary>What was learned counts so much against what is new in the next pass, and in use. Measured: .797 at 1, .798 at .03.</summary>
    public const float Certainty = 0.05f;

    private const int HeldOutPercent = 10;
    private const float PassCertainty = 0.2f;
    private const int ColdEvery = 5; // files

    /// <summary>Changes <paramref name="weights"/> by reading; the files of all corpora take turns.</summary>
    public void Learn(MixtureWeights weights, IReadOnlyList<string> corpora, int tokens, int passes)
    {
        var mixture = new Mixture(weights, kind => kind.Name == without);
        for (var pass = 1; pass <= passes; pass++)
        {
            // Other files are held out in each pass, so that all of a corpus is read in the end, always by a model that has not seen it.
            var prepared = corpora.Select(folder => Prepare(folder, seed: pass)).ToList();
            var tallies = prepared.ConvertAll(_ => new Figures());
            var turns = prepared
                .SelectMany((corpus, index) => corpus.HeldOut.Select(file => (Corpus: index, File: file)))
                .OrderBy(turn => SymbolHash.Finish(SymbolHash.Add((ulong)pass, SymbolHash.Of(turn.File.RelativePath))));
            var turn = 0;
            foreach (var (index, file) in turns)
            {
                if (tallies[index].Tokens < tokens)
                {
                    // Some begin with nothing but what is usual in the language.
                    var isCold = turn++ % ColdEvery == 0;
                    Read(mixture, isCold ? [] : [prepared[index].Model], file, isCold ? new() : tallies[index]);
                }
            }

            output.WriteLine($"pass {pass}");
            Print(corpora, tallies);
            if (pass < passes)
            {
                weights.Relax(PassCertainty);
            }

            prepared.ForEach(corpus => corpus.Model.Dispose());
        }
    }

    /// <summary>Measures on each corpus what is left to the weights to learn there.</summary>
    /// <param name="isCold">Without a model of the corpus: what somebody has who begins.</param>
    /// <param name="splits">Into how many pairs of files to learn from and files to test on each corpus is split, one after the other.</param>
    public void Check(MixtureWeights weights, IReadOnlyList<string> corpora, int tokens, bool isCold, int splits)
    {
        var tallies = new List<Figures>();
        foreach (var folder in corpora)
        {
            var tally = new Figures();
            for (var seed = 1; seed <= splits; seed++)
            {
                var (model, heldOut) = Prepare(folder, seed);
                var mixture = new Mixture(weights.Copy(), kind => kind.Name == without);
                var most = tokens * seed / splits;
                foreach (var file in InOrder(heldOut).TakeWhile(_ => tally.Tokens < most))
                {
                    Read(mixture, isCold ? [] : [model], file, tally);
                }

                model.Dispose();
            }

            tallies.Add(tally);
        }

        output.WriteLine("check");
        Print(corpora, tallies);
    }

    /// <summary>Measures <see cref="Baseline"/> on the same symbols.</summary>
    public void CheckBaseline(IReadOnlyList<string> corpora, int tokens, int splits)
    {
        var tallies = new List<Figures>();
        foreach (var folder in corpora)
        {
            var tally = new Figures();
            for (var seed = 1; seed <= splits; seed++)
            {
                var (train, heldOut) = Split(folder, seed);
                var baseline = new Baseline();
                foreach (var (text, language) in Texts(train))
                {
                    baseline.Learn(text, language);
                }

                var most = tokens * seed / splits;
                foreach (var (text, language) in Texts(InOrder(heldOut)).TakeWhile(_ => tally.Tokens < most))
                {
                    baseline.Rehearse(text, language, tally.Add);
                }
            }

            tallies.Add(tally);
        }

        output.WriteLine("baseline");
        Print(corpora, tallies);
    }

    private static (IReadOnlyList<CorpusFile> Train, IReadOnlyList<CorpusFile> HeldOut) Split(string folder, int seed) =>
        PatternEvaluator.Split(PatternTrainer.FindCorpus(new() { Name = "", Folders = [folder] }, CancellationToken.None).Files, HeldOutPercent, seed);

    private static IEnumerable<(string Text, Language Language)> Texts(IEnumerable<CorpusFile> files) =>
        files.Select(static file => (Text: CorpusWalker.ReadText(file), file.Language)).Where(static read => read.Text is not null).Select(static read => (read.Text!, read.Language));

    private static IEnumerable<CorpusFile> InOrder(IReadOnlyList<CorpusFile> files) =>
        files.OrderBy(static file => SymbolHash.Finish(SymbolHash.Of(file.RelativePath)));

    private (PatternModel Model, IReadOnlyList<CorpusFile> HeldOut) Prepare(string folder, int seed)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        var request = new TrainingRequest { Name = name, Folders = [folder] };
        var corpus = PatternTrainer.FindCorpus(request, CancellationToken.None);
        var (train, test) = PatternEvaluator.Split(corpus.Files, HeldOutPercent, seed);
        var store = new PatternStore(Path.Combine(work, name), TimeProvider.System);
        var trained = new PatternTrainer(store, TimeProvider.System).Train(request, corpus with { Files = train }, null, CancellationToken.None);
        var bytes = new FileInfo(trained.Stored.Path).Length;
        output.WriteLine($"{name}: {trained.Statistics.Tokens} tokens, {trained.Statistics.MegabytesPerSecond:F1} MB/s, {bytes / 1e6:F1} MB, {(double)bytes / trained.Statistics.Tokens:F1} bytes a token");
        return (PatternModel.Open(trained.Stored.Path), test);
    }

    private void Read(Mixture mixture, IReadOnlyList<PatternModel> models, CorpusFile file, Figures figures)
    {
        if (CorpusWalker.ReadText(file) is not { } text)
        {
            return;
        }

        var tokens = new List<Token>();
        Lexer.Tokenize(text, file.Language, tokens);
        var document = new GrowingDocument(text, tokens);
        var predictor = new PatternPredictor(mixture, new(), models, [], [document.Source], withPriors ? LanguagePriors.Of(file.Language) : []);
        while (document.Reached < document.Symbols.Length)
        {
            var symbol = document.Symbols[document.Reached];
            var (rank, probability) = predictor.Rate(symbol.Hash);
            figures.Add(symbol.Kind, rank, probability);
            predictor.Learn(symbol.Hash);
            document.Read();
            predictor.Append(symbol);
        }
    }

    private void Print(IReadOnlyList<string> corpora, List<Figures> all)
    {
        output.WriteLine($"{"",-24}{"tokens",9}{"top-1",8}{"top-5",8}{"MRR",8}{"bits",8}{"id top-1",10}{"id MRR",8}");
        for (var index = 0; index < all.Count; index++)
        {
            output.WriteLine($"{Path.GetFileName(corpora[index]),-24}{all[index]}");
        }

        if (1 < all.Count)
        {
            output.WriteLine($"{"mean",-24}{Figures.Mean(all)}");
        }
    }

    private sealed class Figures
    {
        private int _names;
        private readonly double[] _sums = new double[6];

        public int Tokens { get; private set; }

        private double[] Values => [.. _sums.Select((sum, index) => sum / Math.Max(1, index < 4 ? Tokens : _names))];

        public void Add(TokenKind kind, int rank, double probability)
        {
            if (kind == TokenKind.Newline)
            {
                return;
            }

            var reciprocal = rank is >= 1 and <= 10 ? 1.0 / rank : 0;
            Tokens++;
            _sums[0] += rank == 1 ? 1 : 0;
            _sums[1] += rank is >= 1 and <= 5 ? 1 : 0;
            _sums[2] += reciprocal;
            _sums[3] -= Math.Log2(probability);
            if (kind == TokenKind.Identifier)
            {
                _names++;
                _sums[4] += rank == 1 ? 1 : 0;
                _sums[5] += reciprocal;
            }
        }

        public static string Mean(List<Figures> all) =>
            Row(all.Sum(figures => figures.Tokens), [.. Enumerable.Range(0, 6).Select(index => all.Average(figures => figures.Values[index]))]);

        public override string ToString() => Row(Tokens, Values);

        private static string Row(int tokens, double[] values) =>
            $"{tokens,9}{values[0],8:F3}{values[1],8:F3}{values[2],8:F4}{values[3],8:F3}{values[4],10:F3}{values[5],8:F4}";
    }
}
