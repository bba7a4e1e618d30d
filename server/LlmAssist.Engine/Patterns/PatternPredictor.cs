// From contexts to ranked continuations: the mixture, and the walk to the end of the line. Owns no counts.
using System.Runtime.InteropServices;
using System.Text;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>A symbol that may come next.</summary>
/// <param name="Hash">The symbol's hash.</param>
/// <param name="Probability">How likely it is to be the next symbol, 0..1.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text; empty for what cannot be inserted.</param>
internal readonly record struct Prediction(ulong Hash, double Probability, TokenKind Kind, string Text);

/// <summary>A continuation of a line.</summary>
/// <param name="Text">What to insert, spaces included; without a line end.</param>
/// <param name="Probability">How likely it is to be entirely right, 0..1, not yet calibrated.</param>
/// <param name="Symbols">How many symbols it has.</param>
/// <param name="EndsLine">Whether the line is predicted to end behind it.</param>
internal readonly record struct LineContinuation(string Text, double Probability, int Symbols, bool EndsLine);

/// <summary>
/// Predicts from several families of context sources, the farthest first: trained models, other open documents, the current
/// document. Reuses its buffers; touched by one thread at a time.
/// </summary>
/// <remarks>
/// Interpolated n-grams: from the shortest context to the longest and within a length from the farthest family to the
/// nearest, each step mixes what it has counted into what the steps before it say. How much it is trusted depends on how often its
/// context occurred and how many different successors it had, as in Jelinek and Mercer (1980), with a logistic curve in place of
/// buckets; see <see cref="Weights"/>. Another mixture replaces <see cref="Mix"/> and nothing else.
/// </remarks>
internal sealed class PatternPredictor
{
    private const int MaximumLineSymbols = 40;
    private const int InitialCapacity = 1 << 11;

    private readonly IReadOnlyList<IContextSource>[] _families;
    private readonly Dictionary<ulong, int> _index = new(InitialCapacity);
    private readonly List<Candidate> _candidates = new(InitialCapacity);
    private double _scale;

    /// <summary>A predictor over <paramref name="families"/>, one for each row of <see cref="Weights"/>.</summary>
    public PatternPredictor(params IReadOnlyList<IContextSource>[] families) => _families = families;

    /// <summary>The next symbols after <paramref name="history"/>, most likely first.</summary>
    /// <param name="history">Symbols before the cursor, the nearest last.</param>
    /// <param name="typed">What has been typed of the next symbol; empty if nothing. Only symbols that begin with it are answered, with
    /// probabilities given that.</param>
    /// <param name="most">How many at the most.</param>
    public IReadOnlyList<Prediction> Next(ReadOnlySpan<Symbol> history, string typed, int most)
    {
        MixSymbols(history, typed);
        if (typed.Length != 0)
        {
            AddNames(typed);
        }

        return Best(typed, most);
    }

    /// <summary>How a symbol that did come next was rated: for evaluation.</summary>
    /// <param name="history">Symbols before it, the nearest last.</param>
    /// <param name="actual">Its hash.</param>
    /// <returns>Its rank, 1 for the first, 0 if it was not offered; and its probability, or that of 'none of these'.</returns>
    public (int Rank, double Probability) Rate(ReadOnlySpan<Symbol> history, ulong actual)
    {
        MixSymbols(history, "");
        var offered = actual != Symbol.WithheldHash && _index.TryGetValue(actual, out var index) ? index : -1;
        var known = 0.0;
        var rank = 1;
        foreach (var candidate in CollectionsMarshal.AsSpan(_candidates))
        {
            known += candidate.Mass;
            rank += 0 <= offered && _candidates[offered].Mass < candidate.Mass && candidate.Hash != Symbol.WithheldHash ? 1 : 0;
        }

        return offered < 0 ? (0, Math.Clamp(1 - (known * _scale), 1e-9, 1)) : (rank, _candidates[offered].Mass * _scale);
    }

    /// <summary>
    /// Walks from the cursor towards the end of the line, always to the most likely symbol, as long as the whole is at least
    /// as likely as <paramref name="leastProbability"/>.
    /// </summary>
    /// <param name="history">Symbols before the cursor, the nearest last.</param>
    /// <param name="typed">What has been typed of the symbol at the cursor; empty if nothing.</param>
    /// <param name="first">The symbol to begin with: one of <see cref="Next"/>.</param>
    /// <param name="afterSpace">Whether the cursor stands behind a blank or at a line's beginning, so that no space is due.</param>
    /// <param name="leastProbability">0 walks to the end of the line.</param>
    /// <param name="calibrate">From a probability to the one that is compared.</param>
    public LineContinuation Line(
        ReadOnlySpan<Symbol> history,
        string typed,
        Prediction first,
        bool afterSpace,
        double leastProbability,
        Func<double, double> calibrate)
    {
        var text = new StringBuilder();
        var walked = new List<Symbol>(history.Length + MaximumLineSymbols);
        walked.AddRange(history);
        var probability = first.Probability;
        var next = first;
        var symbols = 0;
        while (next.Kind != TokenKind.Newline && next.Text.Length != 0 && symbols < MaximumLineSymbols)
        {
            var symbol = new Symbol(next.Hash, next.Kind, 0, 0);
            if (symbols == 0 && typed.Length != 0)
            {
                text.Append(next.Text, typed.Length, next.Text.Length - typed.Length);
            }
            else
            {
                if (symbols != 0 || !afterSpace)
                {
                    text.Append(Space(walked, symbol));
                }

                text.Append(next.Text);
            }

            symbols++;
            walked.Add(symbol);
            var following = Next(CollectionsMarshal.AsSpan(walked), "", 1);
            if (following.Count == 0 || calibrate(probability * following[0].Probability) < leastProbability)
            {
                return new(text.ToString(), probability, symbols, EndsLine: false);
            }

            next = following[0];
            probability *= next.Probability;
        }

        return new(text.ToString(), probability, symbols, next.Kind == TokenKind.Newline);
    }

    /// <summary>The space that is usual between the last symbol of <paramref name="before"/> and <paramref name="next"/>.</summary>
    public string Space(List<Symbol> before, Symbol next)
    {
        if (before.Count == 0 || before[^1].Kind == TokenKind.Newline)
        {
            return "";
        }

        Span<ulong> contexts = stackalloc ulong[Contexts.SpacingKinds];
        Contexts.FillSpacing(1 < before.Count ? before[^2].Shape : Symbol.NewlineShape, before[^1].Shape, next.Shape, contexts);

        // The table has the special context first; the mixture wants the general one first.
        contexts.Reverse();
        Mix(contexts, Weights.Spacing, "");
        var best = -1;
        for (var index = 0; index < _candidates.Count; index++)
        {
            best = best < 0 || _candidates[best].Mass < _candidates[index].Mass ? index : best;
        }

        return best < 0 ? "" : _candidates[best].Text;
    }

    private void MixSymbols(ReadOnlySpan<Symbol> history, string typed)
    {
        Span<ulong> contexts = stackalloc ulong[Contexts.Kinds];
        Span<ulong> hashes = stackalloc ulong[Contexts.MaximumOrder];
        var recent = history[Math.Max(0, history.Length - Contexts.MaximumOrder)..];
        for (var index = 0; index < recent.Length; index++)
        {
            hashes[index] = recent[index].Hash;
        }

        Contexts.Fill(hashes[..recent.Length], contexts);
        Mix(contexts, Weights.Symbols, typed);
    }

    // Fills _candidates. A candidate's probability is its mass times _scale: a step then costs only its own successors.
    // Of a context's successors the most frequent compete; the rare ones behind them only where something typed asks for them.
    private void Mix(ReadOnlySpan<ulong> contexts, Trust[][] weights, string typed)
    {
        _index.Clear();
        _candidates.Clear();
        _scale = 1;
        PatternEntry single = default;
        for (var kind = 0; kind < contexts.Length; kind++)
        {
            for (var family = 0; family < _families.Length; family++)
            {
                var total = 0L;
                var distinct = 0L;
                foreach (var source in _families[family])
                {
                    var successors = source.Find(contexts[kind], ref single);
                    total += successors.Total;
                    distinct += successors.Distinct;
                }

                if (total == 0)
                {
                    continue;
                }

                var trust = weights[family][kind].Of(total, distinct);
                _scale *= 1 - trust;
                foreach (var source in _families[family])
                {
                    var entries = source.Find(contexts[kind], ref single).Entries;
                    for (var index = 0; index < entries.Length; index++)
                    {
                        if (index < PatternFormat.MaximumSuccessors
                            || (typed.Length != 0 && source.TextOf(entries[index].Symbol).StartsWith(typed, StringComparison.Ordinal)))
                        {
                            Raise(source, entries[index].Symbol, trust * entries[index].Count / total / _scale);
                        }
                    }
                }
            }
        }
    }

    private void Raise(IContextSource source, uint symbol, double mass)
    {
        var hash = source.HashOf(symbol);
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_index, hash, out var exists);
        if (exists)
        {
            var candidate = _candidates[index];
            candidate.Mass += mass;
            _candidates[index] = candidate;
            return;
        }

        index = _candidates.Count;
        _candidates.Add(new() { Hash = hash, Mass = mass, Source = source, Symbol = symbol });
    }

    // Names that no context offers, but that begin with what was typed: known words in an unknown place.
    private void AddNames(string typed)
    {
        const int Most = 32;
        Span<ulong> contexts = stackalloc ulong[Contexts.Kinds];
        Contexts.Fill([], contexts);
        PatternEntry single = default;
        foreach (var family in _families)
        {
            foreach (var source in family)
            {
                // The context of nothing occurred once for each symbol of the corpus.
                var symbols = source.Find(contexts[0], ref single).Total;
                if (source is not PatternModel model || symbols == 0)
                {
                    continue;
                }

                foreach (var name in model.NamesWithPrefix(typed, Most))
                {
                    Raise(source, name, Weights.Unseen * Math.Min(1, (double)model.CountOf(name) / symbols) / _scale);
                }
            }
        }
    }

    private List<Prediction> Best(string typed, int most)
    {
        var best = new PriorityQueue<int, double>();
        var matching = 0.0;
        var known = 0.0;
        for (var index = 0; index < _candidates.Count; index++)
        {
            var candidate = _candidates[index];
            var probability = candidate.Mass * _scale;
            known += probability;
            if (typed.Length != 0)
            {
                if (candidate.Hash == Symbol.WithheldHash || !candidate.Text.StartsWith(typed, StringComparison.Ordinal))
                {
                    continue;
                }

                matching += probability;
            }

            if (best.Count < most)
            {
                best.Enqueue(index, probability);
            }
            else
            {
                best.EnqueueDequeue(index, probability);
            }
        }

        // What is typed may be the beginning of a word that nobody knows: each character makes that less likely.
        var certainty = typed.Length == 0 ? 1 : matching + (Math.Max(0, 1 - known) * Math.Pow(Weights.UnknownPerCharacter, typed.Length));
        var predictions = new List<Prediction>(best.Count);
        while (best.TryDequeue(out var index, out var probability))
        {
            var candidate = _candidates[index];
            predictions.Add(new(candidate.Hash, probability / certainty, candidate.Source.KindOf(candidate.Symbol), candidate.Text));
        }

        predictions.Reverse();
        return predictions;
    }

    private struct Candidate
    {
        public ulong Hash;
        public double Mass;
        public IContextSource Source;
        public uint Symbol;

        public readonly string Text => Source.TextOf(Symbol);
    }

    /// <summary>How much a step is trusted: the logistic function of a + b ln n + c ln d.</summary>
    /// <param name="Bias">a.</param>
    /// <param name="Occurrences">b, for n occurrences of the context.</param>
    /// <param name="Variety">c, for d different successors.</param>
    internal readonly record struct Trust(double Bias, double Occurrences, double Variety)
    {
        /// <summary>The weight of the step, in (0, 1).</summary>
        public double Of(long occurrences, long variety) =>
            1 / (1 + Math.Exp(-(Bias + (Occurrences * Math.Log(occurrences)) + (Variety * Math.Log(variety)))));
    }

    /// <summary>
    /// The steps' parameters by family (models, other documents, current document) and kind of context. Fitted to held-out files of
    /// five development corpora by stochastic gradient ascent of their likelihood; see docs/pattern-model.md.
    /// </summary>
    internal static class Weights
    {
        private static readonly Trust[] Models = [new(-0.14, 0.77, 0.16), new(-0.08, 0.38, -0.52), new(-0.59, 0.54, -0.71), new(-1.07, 0.52, -0.80), new(-1.10, 0.47, -0.76), new(-0.70, -0.03, -0.85), new(1.21, 0.43, -0.87)];
        private static readonly Trust[] Document = [new(0.26, 0.44, -0.43), new(-1.53, 0.80, -0.35), new(-0.92, 0.72, -0.47), new(-1.27, 0.88, -1.11), new(-1.20, 0.78, -1.20), new(-1.18, 0.63, -1.32), new(-0.89, 1.06, -1.38)];

        public static readonly Trust[][] Symbols = [Models, Models, Document];

        public static readonly Trust[][] Spacing = [SpacingSteps, SpacingSteps, SpacingSteps];

        private static Trust[] SpacingSteps => [new(1, 0.5, -0.7), new(0, 0.7, -0.7)];

        /// <summary>Share of probability that names get which no context offers.</summary>
        public const double Unseen = 0.02;

        /// <summary>How much rarer unknown words become with each character typed.</summary>
        public const double UnknownPerCharacter = 0.3;
    }
}
