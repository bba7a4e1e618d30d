// From what the mixture says to ranked continuations, and the walk to the end of the line. Owns no counts.
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
/// Predicts behind a text, from trained models, other open documents and the current document. Reuses its buffers; touched by one
/// thread at a time.
/// </summary>
internal sealed class PatternPredictor
{
    private const int MaximumLineSymbols = 40;

    private readonly Mixture _mixture;
    private readonly Passage _passage;
    private readonly IReadOnlyList<IContextSource> _corpus;
    private readonly IReadOnlyList<IContextSource> _document;
    private readonly IReadOnlyList<IContextSource> _language;
    private readonly Spacing _spacing;

    /// <summary>A predictor with a mixture of its own.</summary>
    /// <param name="models">Trained models.</param>
    /// <param name="others">Documents that are open beside the current one.</param>
    /// <param name="document">The current document; empty or one.</param>
    /// <param name="language">What is usual in its language: <see cref="LanguagePriors"/>.</param>
    public PatternPredictor(
        IReadOnlyList<IContextSource> models,
        IReadOnlyList<IContextSource> others,
        IReadOnlyList<IContextSource> document,
        IReadOnlyList<IContextSource>? language = null)
        : this(new Mixture(MixtureWeights.Start()), new(), models, others, document, language ?? [])
    {
    }

    /// <summary>A predictor with a mixture that has learned and will learn on, and room for a text; nobody else may use them meanwhile.</summary>
    /// <inheritdoc cref="PatternPredictor(IReadOnlyList{IContextSource}, IReadOnlyList{IContextSource}, IReadOnlyList{IContextSource}, IReadOnlyList{IContextSource}?)"/>
    public PatternPredictor(
        Mixture mixture,
        Passage passage,
        IReadOnlyList<IContextSource> models,
        IReadOnlyList<IContextSource> others,
        IReadOnlyList<IContextSource> document,
        IReadOnlyList<IContextSource> language)
    {
        _mixture = mixture;
        _passage = passage;
        _corpus = others.Count == 0 ? models : [.. models, .. others];
        _document = document;
        _language = language;
        _spacing = new(_corpus, document, language);
    }

    /// <summary>Begins anew behind these symbols.</summary>
    /// <param name="history">All symbols before the cursor, the nearest last.</param>
    public void Restart(ReadOnlySpan<Symbol> history) => _passage.Restart(history);

    /// <summary>Goes on behind one more symbol.</summary>
    public void Append(Symbol symbol) => _passage.Append(symbol);

    /// <summary>What <paramref name="ask"/> answers if these symbols came first.</summary>
    public T After<T>(IReadOnlyList<Prediction> assumed, Func<T> ask)
    {
        foreach (var prediction in assumed)
        {
            _passage.Append(Symbol.Of(prediction));
        }

        try
        {
            return ask();
        }
        finally
        {
            for (var index = 0; index < assumed.Count; index++)
            {
                _passage.TakeBack();
            }
        }
    }

    /// <summary>The next symbols, most likely first.</summary>
    /// <param name="typed">What has been typed of the next symbol; empty if nothing. Only symbols that begin with it are answered, with
    /// probabilities given that.</param>
    /// <param name="most">How many at the most.</param>
    public IReadOnlyList<Prediction> Next(string typed, int most)
    {
        _mixture.Predict(_passage, _corpus, _document, _language, typed);
        return Best(typed, most);
    }

    /// <summary>The next symbols behind <paramref name="history"/>, most likely first.</summary>
    /// <inheritdoc cref="Next(string, int)"/>
    public IReadOnlyList<Prediction> Next(ReadOnlySpan<Symbol> history, string typed, int most)
    {
        Restart(history);
        return Next(typed, most);
    }

    /// <summary>How a symbol that did come next was rated: for evaluation, and to judge what others suggest.</summary>
    /// <param name="actual">Its hash.</param>
    /// <returns>Its rank, 1 for the first, 0 if it was not offered; and its probability, or that of 'none of these'.</returns>
    public (int Rank, double Probability) Rate(ulong actual)
    {
        _mixture.Predict(_passage, _corpus, _document, _language, "");
        var offered = actual == Symbol.WithheldHash ? -1 : _mixture.IndexOf(actual);
        if (offered < 0)
        {
            return (0, Math.Max(_mixture.None, 1e-9));
        }

        var rank = 1;
        for (var index = 0; index < _mixture.Count; index++)
        {
            rank += _mixture.Probability(offered) < _mixture.Probability(index) && _mixture[index].Hash != Symbol.WithheldHash ? 1 : 0;
        }

        return (rank, _mixture.Probability(offered));
    }

    /// <summary>How a symbol behind <paramref name="history"/> was rated.</summary>
    /// <inheritdoc cref="Rate(ulong)"/>
    public (int Rank, double Probability) Rate(ReadOnlySpan<Symbol> history, ulong actual)
    {
        Restart(history);
        return Rate(actual);
    }

    /// <summary>Lets the mixture learn that <paramref name="actual"/> came after what was predicted or rated last.</summary>
    public void Learn(ulong actual) => _mixture.Learn(actual);

    /// <summary>
    /// Walks from the cursor towards the end of the line, always to the most likely symbol, as long as the whole is at least
    /// as likely as <paramref name="leastProbability"/>; and answers as much of that as saves most keystrokes on average.
    /// </summary>
    /// <param name="typed">What has been typed of the symbol at the cursor; empty if nothing.</param>
    /// <param name="first">The symbol to begin with: one of <see cref="Next(string, int)"/>.</param>
    /// <param name="afterSpace">Whether the cursor stands behind a blank or at a line's beginning, so that no space is due.</param>
    /// <param name="leastProbability">0 answers the line to its end.</param>
    /// <param name="calibrate">From a probability to the one that is compared.</param>
    public LineContinuation Line(string typed, Prediction first, bool afterSpace, double leastProbability, Func<double, double> calibrate)
    {
        var text = new StringBuilder();
        var probability = first.Probability;
        var next = first;
        var symbols = 0;
        var best = (Length: 0, Symbols: 0, Probability: 0.0, Saves: double.NegativeInfinity);
        try
        {
            while (next.Kind != TokenKind.Newline && next.Text.Length != 0 && symbols < MaximumLineSymbols)
            {
                var symbol = Symbol.Of(next);
                if (symbols == 0 && typed.Length != 0)
                {
                    text.Append(next.Text, typed.Length, next.Text.Length - typed.Length);
                }
                else
                {
                    if (symbols != 0 || !afterSpace)
                    {
                        text.Append(Space(symbol));
                    }

                    text.Append(next.Text);
                }

                symbols++;
                _passage.Append(symbol);
                var saves = calibrate(probability) * (text.Length - 1);
                if (leastProbability <= 0 || best.Saves <= saves)
                {
                    best = (text.Length, symbols, probability, saves);
                }

                var following = Next("", 1);
                if (following.Count == 0 || calibrate(probability * following[0].Probability) < leastProbability)
                {
                    return new(text.ToString(0, best.Length), best.Probability, best.Symbols, EndsLine: false);
                }

                next = following[0];
                probability *= next.Probability;
            }

            return best.Symbols == symbols
                ? new(text.ToString(), probability, symbols, next.Kind == TokenKind.Newline)
                : new(text.ToString(0, best.Length), best.Probability, best.Symbols, EndsLine: false);
        }
        finally
        {
            for (var walked = 0; walked < symbols; walked++)
            {
                _passage.TakeBack();
            }
        }
    }

    /// <summary>Walks from behind <paramref name="history"/>.</summary>
    /// <inheritdoc cref="Line(string, Prediction, bool, double, Func{double, double})"/>
    public LineContinuation Line(ReadOnlySpan<Symbol> history, string typed, Prediction first, bool afterSpace, double leastProbability, Func<double, double> calibrate)
    {
        Restart(history);
        return Line(typed, first, afterSpace, leastProbability, calibrate);
    }

    /// <summary>The space that is usual between the last symbol and <paramref name="next"/>.</summary>
    public string Space(Symbol next) => _spacing.Before(_passage.Symbols, next);

    private List<Prediction> Best(string typed, int most)
    {
        var best = new PriorityQueue<int, double>();
        var matching = 0.0;
        for (var index = 0; index < _mixture.Count; index++)
        {
            var probability = (double)_mixture.Probability(index);
            if (typed.Length != 0)
            {
                if (_mixture[index].Hash == Symbol.WithheldHash || !TextOf(index).StartsWith(typed, StringComparison.Ordinal))
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
        var certainty = typed.Length == 0 ? 1 : matching + (_mixture.None * Math.Pow(UnknownPerCharacter, typed.Length));
        var predictions = new List<Prediction>(best.Count);
        while (best.TryDequeue(out var index, out var probability))
        {
            predictions.Add(new(_mixture[index].Hash, Math.Min(1, probability / certainty), _mixture[index].Source.KindOf(_mixture[index].Symbol), TextOf(index)));
        }

        predictions.Reverse();
        return predictions;
    }

    private string TextOf(int candidate) => _mixture[candidate].Source.TextOf(_mixture[candidate].Symbol);

    // How much rarer unknown words become with each character typed.
    private const double UnknownPerCharacter = 0.3;
}
