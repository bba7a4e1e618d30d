// Lines of real code with their end hidden, and what each lane says to them. Asks through CompletionEngine as an editor does;
// only what both say together is ranked here, from the same two candidates, so that a place costs one generation.
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>A place in a line of code; what stands right of it on the line is treated as not written yet.</summary>
/// <param name="File">Where.</param>
/// <param name="Text">All of the file.</param>
/// <param name="Offset">The cursor, in UTF-16 code units.</param>
public sealed record HiddenLine(CorpusFile File, SourceText Text, int Offset)
{
    private const int LeastToWrite = 6; // visible characters right of the cursor: less is not worth asking for

    /// <summary>Line and column, counted from 0.</summary>
    public TextPosition Position => Text.Position(Offset);

    /// <summary>What stands left of the cursor on its line.</summary>
    public string Before => Text.Content[Text.LineStart(Position.Line)..Offset];

    /// <summary>What is hidden, without blanks at its end.</summary>
    public string Actual => Text.Content[Offset..Text.LineEnd(Position.Line)].TrimEnd();

    /// <summary>
    /// The places of a file that are worth asking at: between two tokens of a line of code, with something left of it and enough
    /// right of it. In an order that looks like chance and is the same for a seed.
    /// </summary>
    public static IEnumerable<HiddenLine> In(CorpusFile file, SourceText text, int seed)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text.Content, file.Language, tokens);
        var places = new List<int>();
        var lineEnd = -1;
        var hasLeft = false;
        foreach (var token in tokens)
        {
            if (token.Kind == TokenKind.Newline || lineEnd < token.Start)
            {
                hasLeft = false;
                lineEnd = text.LineEnd(text.LineAt(token.Start));
            }

            if (token.IsSignificant && token.Kind != TokenKind.Newline && token.End <= lineEnd)
            {
                var rest = text.Content.AsSpan(token.Start, lineEnd - token.Start);
                if (hasLeft && LeastToWrite <= VisibleIn(rest) && !HasComment(rest, file.Language))
                {
                    places.Add(token.Start);
                }

                hasLeft = true;
            }
        }

        return places.OrderBy(place => Scatter(seed, file, place)).Select(place => new HiddenLine(file, text, place));
    }

    /// <summary>At the most <paramref name="count"/> places of files, which files and where in them being chosen by the seed. See <see cref="Spread"/>.</summary>
    public static IReadOnlyList<HiddenLine> Sample(IReadOnlyList<CorpusFile> files, int count, int seed, CancellationToken cancellation)
    {
        var shuffled = files.OrderBy(file => Scatter(seed, file, 0)).ToList();
        var code = shuffled.Where(file => !file.Language.IsData).ToList();
        return Spread(code.Count == 0 ? shuffled : code, count, seed, cancellation);
    }

    /// <summary>
    /// At the most <paramref name="count"/> places: one of each file in the order given, more of each only where there are too few
    /// files. They come file by file: a file that was left is not come back to, so nothing that is hidden can have been seen before.
    /// </summary>
    public static IReadOnlyList<HiddenLine> Spread(IEnumerable<CorpusFile> files, int count, int seed, CancellationToken cancellation)
    {
        var places = new List<List<HiddenLine>>();
        foreach (var file in files)
        {
            cancellation.ThrowIfCancellationRequested();
            if (places.Count == count)
            {
                break;
            }

            if (CorpusWalker.ReadText(file) is { } content && In(file, new(content), seed).Take(count).ToList() is { Count: > 0 } found)
            {
                places.Add(found);
            }
        }

        // One of each file, then a second of each, until there are enough.
        var taken = new int[places.Count];
        var total = 0;
        for (var round = 0; total < count && places.Exists(found => round < found.Count); round++)
        {
            for (var index = 0; index < places.Count && total < count; index++)
            {
                if (round < places[index].Count)
                {
                    taken[index]++;
                    total++;
                }
            }
        }

        return [.. places.SelectMany((found, index) => found.Take(taken[index]))];
    }

    /// <summary>The question that an editor would ask here, had the rest of the line not been written.</summary>
    /// <param name="repository">See <see cref="CompletionQuery.Repository"/>.</param>
    /// <param name="isExplicit">See <see cref="CompletionQuery.IsExplicit"/>.</param>
    public CompletionQuery Query(string repository, bool isExplicit) => new()
    {
        Uri = File.FullPath,
        Language = File.Language,
        Text = Text.With(new(Offset, Text.LineEnd(Position.Line), "")),
        Path = File.RelativePath.Replace('\\', '/'),
        Repository = repository,
        Offset = Offset,
        Surface = CompletionSurface.Inline,
        IsExplicit = isExplicit,
    };

    // Nobody predicts a comment. A '//' inside a string counts too: there are places enough.
    private static bool HasComment(ReadOnlySpan<char> text, Language language)
    {
        foreach (var opening in language.LineComments)
        {
            if (0 <= text.IndexOf(opening, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static int VisibleIn(ReadOnlySpan<char> text)
    {
        var visible = 0;
        foreach (var unit in text)
        {
            visible += char.IsWhiteSpace(unit) ? 0 : 1;
        }

        return visible;
    }

    private static ulong Scatter(int seed, CorpusFile file, int place) =>
        SymbolHash.Finish(SymbolHash.Add(SymbolHash.Add((ulong)seed, SymbolHash.Of(file.RelativePath)), (ulong)place));
}

/// <summary>What one lane says to a place.</summary>
/// <param name="Text">From the cursor on; null for nothing that is sure enough.</param>
/// <param name="Confidence">How likely it is to be entirely right, 0..1.</param>
/// <param name="Lane">Whose text it is; of two that agree, the longer one's.</param>
/// <param name="Elapsed">From the question to the answer.</param>
/// <param name="WhyNot">Why there is nothing; null where there is, and where it was not sure enough.</param>
public sealed record LaneAnswer(string? Text, double Confidence, CompletionLane Lane, TimeSpan Elapsed, Phrase? WhyNot = null);

/// <summary>What the lanes say to one place.</summary>
/// <param name="Pattern">Pattern models and the open documents.</param>
/// <param name="Ollama">The model of Ollama in use.</param>
/// <param name="Auto">What is shown where both may answer.</param>
/// <param name="Agree">Whether the two have come to the same, one beginning with the other.</param>
/// <param name="Report">What became of asking the model of Ollama; null if there was none to ask.</param>
public sealed record LaneAnswers(LaneAnswer Pattern, LaneAnswer Ollama, LaneAnswer Auto, bool Agree, LaneReport? Report);

/// <summary>Asks all lanes about one place.</summary>
public static class LineTrial
{
    /// <summary>Asks pattern models, then the model of Ollama, and ranks what they say.</summary>
    /// <param name="engine">Asked about nothing else meanwhile.</param>
    /// <param name="query">An inline query; its document is forgotten afterwards.</param>
    /// <param name="settings">Below its confidence nothing is shown. Which lanes it names does not matter.</param>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static async Task<LaneAnswers> AskAsync(CompletionEngine engine, CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        var pattern = await engine.CompleteAsync(query, settings with { AsksPatterns = true, AsksOllama = false }, cancellation);
        engine.Forget(query.Uri);
        var ollama = await engine.CompleteAsync(query, settings with { AsksPatterns = false, AsksOllama = true, MinConfidence = 0 }, cancellation);
        engine.Forget(query.Uri);
        var (line, said) = (pattern.Items.FirstOrDefault(), ollama.Items.FirstOrDefault());
        var ranked = Ranker.Rank(line, said, settings.MinConfidence);
        return new(
            AnswerOf(line, pattern.Elapsed) with { WhyNot = line is null ? pattern.Why : null },
            AnswerOf(said is not null && settings.MinConfidence <= said.Confidence ? said : null, ollama.Elapsed) with { WhyNot = said is null ? ollama.Ollama?.Why ?? ollama.Why : null },
            AnswerOf(ranked.FirstOrDefault(), pattern.Elapsed + ollama.Elapsed),
            line is not null && said is not null && (line.Text.StartsWith(said.Text, StringComparison.Ordinal) || said.Text.StartsWith(line.Text, StringComparison.Ordinal)),
            ollama.Ollama);

        LaneAnswer AnswerOf(Candidate? candidate, TimeSpan elapsed) => new(
            candidate?.Text[Math.Min(candidate.Text.Length, query.Offset - candidate.ReplaceStart)..],
            candidate?.Confidence ?? 0,
            candidate?.Lane ?? CompletionLane.None,
            elapsed);
    }
}

/// <summary>How well one lane did at places whose lines were hidden. Of a suggestion its first line counts.</summary>
/// <param name="Shown">Share of the places at which it had something sure enough.</param>
/// <param name="Exact">Share of the places at which that was all of the rest of the line.</param>
/// <param name="Precision">The same among those shown.</param>
/// <param name="Similarity">1 - edit distance / length of the longer, on average over all places; nothing shown counts 0.</param>
/// <param name="KeystrokesSaved">Share of the hidden characters that need not be typed if each right suggestion is accepted with one key.</param>
/// <param name="LatencyMilliseconds">From the question to the answer.</param>
public sealed record LineFiguresOfLane(double Shown, double Exact, double Precision, double Similarity, double KeystrokesSaved, Percentiles LatencyMilliseconds);

/// <summary>Counts how well one lane does, place by place.</summary>
public sealed class LineTally
{
    private readonly List<double> _milliseconds = [];
    private int _shown;
    private int _exact;
    private double _similarity;
    private long _hidden;
    private long _saved;

    /// <summary>How many places there were.</summary>
    public int Places => _milliseconds.Count;

    /// <summary>At how many of them it had something to show.</summary>
    public int Shown => _shown;

    /// <summary>At how many of them what it showed was right, all of the line or a beginning of it.</summary>
    public int Right { get; private set; }

    /// <summary>The first line of a suggestion, as it is compared: without blanks at its end.</summary>
    public static string FirstLine(string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        return (end < 0 ? text : text[..end]).TrimEnd();
    }

    /// <summary>Whether all of <paramref name="suggestion"/> is right: the line goes on from it without breaking a word.</summary>
    public static bool Begins(string suggestion, string actual) =>
        suggestion.Length != 0
        && actual.StartsWith(suggestion, StringComparison.Ordinal)
        && (suggestion.Length == actual.Length || !IsOfWord(suggestion[^1]) || !IsOfWord(actual[suggestion.Length]));

    /// <summary>Counts an answer.</summary>
    /// <param name="answer">What the lane said.</param>
    /// <param name="actual">What the line has.</param>
    public void Add(LaneAnswer answer, string actual)
    {
        var line = answer.Text is { } text ? FirstLine(text) : "";
        _milliseconds.Add(answer.Elapsed.TotalMilliseconds);
        _hidden += actual.Length;
        if (line.Length == 0)
        {
            return;
        }

        _shown++;
        _exact += line == actual ? 1 : 0;
        _similarity += 1 - ((double)PatternEvaluator.EditDistance(line, actual) / Math.Max(line.Length, actual.Length));
        if (Begins(line, actual))
        {
            Right++;
            _saved += line.Length - 1;
        }
    }

    /// <summary>The figures so far.</summary>
    public LineFiguresOfLane Figures() => new(
        Share(_shown, Places),
        Share(_exact, Places),
        Share(_exact, _shown),
        Share(_similarity, Places),
        Share(_saved, _hidden),
        PatternEvaluator.PercentilesOf([.. _milliseconds.Order()]));

    private static bool IsOfWord(char unit) => char.IsLetterOrDigit(unit) || unit == '_';

    private static double Share(double part, double whole) => whole == 0 ? 0 : part / whole;
}
