// Candidates from pattern models and from the open documents. Filters and gates are the engine's.
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>
/// Predicts with all pattern models in memory and with what the open documents teach, the current one most. One request at a
/// time: a user types in one place.
/// </summary>
internal sealed class PatternSource(ModelHost host)
{
    private const double LeastWordConfidence = 0.002; // a list is for choosing; below this there is nothing to choose, unless it is typed for
    private const double LeastOfUnknown = 1.0 / (1 << 6); // what telling one unheard-of name from the others costs
    private const double LeastProbability = 1.0 / (1 << 10); // one unheard-of name must not decide about a line
    private const int MostTyped = 12; // symbols between two requests
    private const int MaximumDocuments = 8; // the most recently used teach; those before them are forgotten

    private readonly Lock _gate = new();
    private Mixture? _mixture; // guarded by _gate; made for the first completion, so that no start waits for its weights
    private readonly Passage _passage = new(); // guarded by _gate; reused, since a large text makes it large
    private (string Uri, int Index, ulong Before) _asked = ("", 0, 0); // guarded by _gate; where the last request was, and behind what
    private readonly List<(string Uri, DocumentCounts Counts)> _documents = []; // guarded by _gate; the last used last

    /// <summary>Bytes of memory that the open documents' counts take; an estimate.</summary>
    public long CommittedBytes
    {
        get
        {
            lock (_gate)
            {
                return _documents.Sum(document => document.Counts.Bytes);
            }
        }
    }

    /// <summary>Whether there is anything to predict from besides the document itself.</summary>
    public bool HasModels => host.Residents.Count != 0;

    /// <summary>
    /// By how many bits a symbol a text of somebody else's surprises, at the most over its first line; null if there is no model to judge by, or
    /// nothing to judge.
    /// </summary>
    /// <param name="context">The place.</param>
    /// <param name="text">The text from <paramref name="start"/> on: what is typed of the word at the cursor comes first.</param>
    /// <param name="start">Offset at which it begins.</param>
    public double? BitsPerSymbol(CompletionContext context, string text, int start)
    {
        var lineEnd = text.AsSpan().TrimStart().IndexOfAny('\n', '\r');
        var line = lineEnd < 0 ? text : text[..(text.Length - text.AsSpan().TrimStart().Length + lineEnd)];
        var tokens = new List<Token>();
        Lexer.Tokenize(line, context.Query.Language, tokens);
        var symbols = new List<Symbol>();
        SymbolSequence.Read(line, tokens, symbols);
        symbols.RemoveAll(symbol => symbol.Kind == TokenKind.Newline);
        if (!HasModels || symbols.Count == 0)
        {
            return null;
        }

        return Predict(context, start, predictor =>
        {
            var bits = 0.0;
            foreach (var symbol in symbols)
            {
                var (rank, probability) = predictor.Rate(symbol.Hash);
                bits -= Math.Log2(Math.Max(rank == 0 ? probability * LeastOfUnknown : probability, LeastProbability));
                predictor.Append(symbol);
            }

            return bits / symbols.Count;
        });
    }

    /// <summary>Learns from a document that was opened, so that the first completion in it does not have to.</summary>
    public void Observe(string uri, SourceText text, Language language)
    {
        var (start, end) = CompletionContext.WindowOf(text, 0);
        var tokens = new List<Token>();
        Lexer.Tokenize(text.Content.AsSpan(start, end - start), language, tokens);
        lock (_gate)
        {
            Use(uri).Update(text.Content.AsSpan(start, end - start), tokens);
        }
    }

    /// <summary>Frees what was learned from a document.</summary>
    public void Forget(string uri)
    {
        lock (_gate)
        {
            _documents.RemoveAll(document => document.Uri == uri);
        }
    }

    /// <summary>The best continuation of the line, as long as it is at least as sure as asked, but a word at the least; null if there is none.</summary>
    /// <param name="context">The place.</param>
    /// <param name="typed">What is typed of the word at the cursor; it need not be in the text yet.</param>
    /// <param name="typedStart">Offset at which it begins, or would.</param>
    /// <param name="leastConfidence">0..1.</param>
    public Candidate? Line(CompletionContext context, string typed, int typedStart, double leastConfidence) => Predict(context, typedStart, predictor =>
    {
        var first = predictor.Next(typed, 1);
        if (first.Count == 0)
        {
            return null;
        }

        var before = context.Query.Text.Content.AsSpan(context.LineStart, typedStart - context.LineStart);
        var afterSpace = before.IsWhiteSpace() || char.IsWhiteSpace(before[^1]);
        var line = predictor.Line(typed, first[0], afterSpace, leastConfidence, Calibration.Confidence);
        return line.Text.Length == 0
            ? null
            : new Candidate(typed + line.Text, typedStart, Calibration.Confidence(line.Probability), CompletionLane.Pattern, first[0].Kind, IsLine: true);
    });

    /// <summary>The words that fit, the most likely first; behind the first one, if it is sure enough, with its member: 'fmt' and 'fmt.Println'.</summary>
    /// <param name="most">How many words at the most.</param>
    /// <param name="leastConfidence">How sure a word with its member must be, 0..1.</param>
    public IReadOnlyList<Candidate> Words(CompletionContext context, int most, double leastConfidence) => Predict(context, context.TypedStart, predictor =>
    {
        var words = new List<Candidate>(most);
        foreach (var prediction in predictor.Next(context.Typed, most * 4))
        {
            if (context.Typed.Length == 0 && Calibration.Confidence(prediction.Probability) < LeastWordConfidence)
            {
                break;
            }

            var isWord = prediction.Kind is TokenKind.Identifier or TokenKind.Keyword || (context.InString && prediction.Kind == TokenKind.String);
            if (isWord && prediction.Text.Length != 0 && prediction.Text != context.Typed && words.Count < most)
            {
                var withMember = words.Count == 0 && prediction.Kind == TokenKind.Identifier ? WithMember(predictor, prediction, context.TypedStart) : null;
                words.Add(new(prediction.Text, context.TypedStart, Calibration.Confidence(prediction.Probability), CompletionLane.Pattern, prediction.Kind, IsLine: false));
                if (withMember is not null && words.Count < most && leastConfidence <= withMember.Confidence)
                {
                    words.Add(withMember);
                }
            }
        }

        return words;
    });

    private static Candidate? WithMember(PatternPredictor predictor, Prediction word, int start)
    {
        if (predictor.After([word], () => predictor.Next("", 1)) is not [{ Text: "." or "::" or "->" } link]
            || predictor.After([word, link], () => predictor.Next("", 1)) is not [{ Kind: TokenKind.Identifier, Text.Length: > 0 } member])
        {
            return null;
        }

        var confidence = Calibration.Confidence(word.Probability * link.Probability * member.Probability);
        return new(word.Text + link.Text + member.Text, start, confidence, CompletionLane.Pattern, TokenKind.Identifier, IsLine: false);
    }

    private T Predict<T>(CompletionContext context, int from, Func<PatternPredictor, T> ask)
    {
        using var leases = host.LeaseAll();
        lock (_gate)
        {
            var current = Use(context.Query.Uri);
            current.Update(context.Window, context.Tokens);
            var others = _documents.Where(document => document.Counts != current).Select(document => document.Counts.Source).ToArray();
            _mixture ??= new(MixtureWeights.Start());
            var predictor = new PatternPredictor(_mixture, _passage, [.. leases.Models], others, [current.Source], LanguagePriors.Of(context.Query.Language));
            var index = current.IndexAt(from - context.WindowStart);
            LearnWhatWasTyped(predictor, context.Query.Uri, current, index);
            predictor.Restart(current.Before(index));
            return current.Without(index, current.EndOfLine(index), () => ask(predictor));
        }
    }

    // Between two requests at most a few symbols are typed; what is more was pasted, or the cursor went elsewhere.
    private void LearnWhatWasTyped(PatternPredictor predictor, string uri, DocumentCounts current, int index)
    {
        var (lastUri, first, before) = _asked;
        _asked = (uri, index, index == 0 ? 0 : current.Before(index)[^1].Hash);
        if (uri != lastUri || index <= first || first + MostTyped < index || (0 < first && current.Before(first)[^1].Hash != before))
        {
            return;
        }

        // What is learned from must not be counted yet.
        predictor.Restart(current.Before(first));
        current.Without(first, current.EndOfLine(index), () =>
        {
            for (var typed = first; typed < index; typed++)
            {
                var symbol = current.Before(typed + 1)[^1];
                predictor.Rate(symbol.Hash);
                predictor.Learn(symbol.Hash);
                predictor.Append(symbol);
            }

            return 0;
        });
    }

    private DocumentCounts Use(string uri)
    {
        var index = _documents.FindIndex(document => document.Uri == uri);
        var used = index < 0 ? (uri, new DocumentCounts()) : _documents[index];
        if (0 <= index)
        {
            _documents.RemoveAt(index);
        }
        else if (_documents.Count == MaximumDocuments)
        {
            _documents.RemoveAt(0);
        }

        _documents.Add(used);
        return used.Item2;
    }
}
