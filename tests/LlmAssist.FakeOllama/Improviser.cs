// Text that goes with a prompt, the same every time: walks from the prompt's end to the likeliest next symbol, again and again,
// by what it has learned from code and by the prompt itself.
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.FakeOllama;

/// <summary>
/// Writes text that looks like code somebody would write: the habits of the folders it was given, or of a small sample. Safe
/// on any thread. What it learns lies in a temporary folder until it is disposed.
/// </summary>
internal sealed partial class Improviser : IDisposable
{
    private const int MostPromptCharacters = 16 << 10; // the nearest; what stands farther off says little
    private const int MostTrialCharacters = 800;
    private const int FewSymbols = 8; // a shorter text has no habits; it would be continued with itself
    private const int Choices = 16;
    private const double LeastAlternative = 0.1;
    private const double LeastContinuation = 0.5;

    private const string CSharpSample = """
        public static int Sum(IReadOnlyList<int> items)
        {
            var total = 0;
            foreach (var item in items)
            {
                total += item;
            }

            return total;
        }

        """;

    private const string PythonSample = """
        def average(values):
            if not values:
                return 0
            total = 0
            for value in values:
                total += value
            return total / len(values)

        """;

    private const string ScriptSample = """
        function render(items) {
          for (let i = 0; i < items.length; i++) {
            console.log(items[i]);
          }
          return items;
        }

        """;

    private readonly DirectoryInfo? _folder;
    private readonly PatternModel? _model;
    private readonly List<(string Text, Language Language)> _samples = [];
    private readonly LineHabits _habits = new(); // changed in the constructor only
    private readonly IReadOnlyList<Language> _languages; // the most frequent first
    private readonly Language? _language;

    /// <param name="learnFrom">Folders or files to learn from; none for the sample.</param>
    /// <param name="language">What prompts are written in where they do not tell; null for finding out.</param>
    /// <exception cref="Engine.UserException">There is nothing to learn from there.</exception>
    public Improviser(IReadOnlyList<string> learnFrom, Language? language, TimeProvider time)
    {
        _language = language;
        if (learnFrom.Count == 0)
        {
            _samples = [(CSharpSample, Language.ById("csharp")), (PythonSample, Language.ById("python")), (ScriptSample, Language.ById("typescript"))];
            _samples.ForEach(sample => _habits.Learn(sample.Text, sample.Language));
            _languages = [.. _samples.Select(sample => sample.Language)];
            return;
        }

        _folder = Directory.CreateTempSubdirectory("fake-ollama-");
        try
        {
            var request = new TrainingRequest { Name = "fake-ollama", Folders = learnFrom };
            var corpus = CorpusWalker.Walk(learnFrom, request.Corpus, CancellationToken.None);
            var trained = new PatternTrainer(new(_folder.FullName, time), time).Train(request, corpus, null, CancellationToken.None);
            _model = PatternModel.Open(trained.Stored.Path);
            foreach (var file in corpus.Files)
            {
                _habits.Learn(CorpusWalker.ReadText(file) ?? "", file.Language);
            }

            _languages = [.. trained.Provenance.Languages.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Language.ById(pair.Key))];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where lies what it has learned; null for the sample.</summary>
    public string? Folder => _folder?.FullName;

    /// <summary>The pieces of a text, each a word or a sign with the blanks before it.</summary>
    public static IEnumerable<string> Pieces(string text) => Piece().Matches(text).Select(match => match.Value);

    /// <summary>Pieces that continue a prompt up to where what stands behind the hole goes on, or for ever.</summary>
    public IEnumerable<string> Continue(FimPrompt prompt)
    {
        var before = Nearest(prompt.Before.ReplaceLineEndings("\n"));
        var after = prompt.After.ReplaceLineEndings("\n");
        var language = LanguageOf(prompt.Path, before);
        var walk = new Walk(before, after, language, _habits, counts => PredictorWith(counts.Source));
        return walk.Symbols().SelectMany(Pieces);
    }

    public void Dispose()
    {
        _model?.Dispose();
        _folder?.Delete(recursive: true);
    }

    // Predictors are for one thread at a time, so each walk has its own; the model behind them is shared.
    private PatternPredictor PredictorWith(IContextSource current)
    {
        var samples = _samples.Select(sample => Counts(sample.Text, sample.Language).Source);
        return new(_model is null ? [] : [_model], [.. samples], [current]);
    }

    // By the path; else as was set; else the one in which the end of the text is least of a surprise.
    private Language LanguageOf(string? path, string before)
    {
        var named = path is null ? Language.PlainText : Language.ByPath(path);
        if (named != Language.PlainText || _language is not null || _languages.Count == 1)
        {
            return named != Language.PlainText ? named : _language ?? _languages[0];
        }

        var trial = before[Math.Max(0, before.Length - MostTrialCharacters)..];
        return _languages.MaxBy(language => Likelihood(trial, language))!;
    }

    private double Likelihood(string text, Language language)
    {
        var symbols = SymbolsOf(text, language);
        var predictor = PredictorWith(new ContextCounts());
        var history = CollectionsMarshal.AsSpan(symbols);
        var likelihood = 0.0;
        for (var index = 0; index < symbols.Count; index++)
        {
            likelihood += Math.Log(predictor.Rate(history[..index], symbols[index].Hash).Probability);
        }

        return likelihood;
    }

    private static string Nearest(string before)
    {
        if (before.Length <= MostPromptCharacters)
        {
            return before;
        }

        var near = before[^MostPromptCharacters..];
        return near[(near.IndexOf('\n', StringComparison.Ordinal) + 1)..];
    }

    private static DocumentCounts Counts(string text, Language language)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text, language, tokens);
        var counts = new DocumentCounts();
        counts.Update(text, tokens);
        return counts;
    }

    private static List<Symbol> SymbolsOf(string text, Language language)
    {
        var tokens = new List<Token>();
        var symbols = new List<Symbol>();
        Lexer.Tokenize(text, language, tokens);
        SymbolSequence.Read(text, tokens, symbols);
        return symbols;
    }

    [GeneratedRegex(@"\s*(?:\w+|[^\w\s])|\s+")]
    private static partial Regex Piece();

    // One walk from one hole.
    private sealed class Walk
    {
        private static readonly HashSet<ulong> Declarers = [.. new[] { "class", "interface", "enum", "namespace", "var", "def" }.Select(word => SymbolHash.Of(word))];

        private const int SymbolsOfAPlace = 6; // the ways from places with so many equal symbols before them are the same

        private readonly LineHabits _habits;
        private readonly PatternPredictor _predictor;
        private readonly List<Symbol> _history;
        private readonly Indentation _indentation = new();
        private readonly HashSet<(ulong Context, ulong Next)> _gone = []; // the ways taken, so that none is taken twice
        private readonly Token _unfinished;
        private readonly string _before;
        private readonly string _step;
        private readonly bool _isIndentationBased;
        private readonly List<Symbol> _behind; // on the line of the hole, or where that is empty, on the next that is not
        private readonly bool _endsOnLine;
        private readonly int _depth;

        public Walk(string before, string after, Language language, LineHabits habits, Func<DocumentCounts, PatternPredictor> predictorWith)
        {
            _before = before;
            _habits = habits;
            _isIndentationBased = language.IsIndentationBased;
            var tokens = new List<Token>();
            Lexer.Tokenize(before, language, tokens);
            _unfinished = 0 < tokens.Count ? tokens[^1] : default;
            var known = IsWord ? before[.._unfinished.Start] : before;
            _history = SymbolsOf(known, language);
            _predictor = predictorWith(_history.Count < FewSymbols ? new() : Counts(known, language));
            var lines = LineHabits.Lines(known, _history);
            _step = LineHabits.StepOf(known, lines) ?? habits.Step;
            foreach (var (first, end, indent) in lines)
            {
                _indentation.Begin(indent);
                for (var index = first; index < end; index++)
                {
                    _indentation.Add(_history[index]);
                }
            }

            _depth = _indentation.Depth;
            var lineEnd = after.IndexOf('\n', StringComparison.Ordinal);
            _endsOnLine = !after.AsSpan(0, lineEnd < 0 ? after.Length : lineEnd).IsWhiteSpace();
            _behind = SymbolsOf(after.TrimStart(), language);
        }

        // Whether the last token may go on: a name half typed, a text not closed.
        private bool IsWord => _unfinished.Kind is TokenKind.Identifier or TokenKind.Keyword or TokenKind.Number or TokenKind.String;

        public IEnumerable<string> Symbols()
        {
            var typed = IsWord ? _before[_unfinished.Start..] : "";
            var isAfterBlank = typed.Length != 0 || _before.Length == 0 || char.IsWhiteSpace(_before[^1]);
            var isLineBegun = _history.Count != 0 && _history[^1].Kind != TokenKind.Newline;
            if (_unfinished.Kind == TokenKind.Comment)
            {
                // What follows a comment is another line; what a comment says cannot be known.
                isLineBegun = false;
                if (0 < _history.Count && _history[^1].Kind != TokenKind.Newline)
                {
                    _history.Add(Newline);
                }
            }

            var indentTyped = _before[(_before.LastIndexOf('\n') + 1)..];
            var lineEnds = _unfinished.Kind == TokenKind.Comment ? "\n" : "";
            while (Next(typed) is { } next)
            {
                if (next.Kind == TokenKind.Newline)
                {
                    lineEnds = "\n";
                    isLineBegun = false;
                    indentTyped = "";
                    _history.Add(Newline);
                    continue;
                }

                var symbol = Symbol.Of(next);
                var text = new StringBuilder();
                if (!isLineBegun)
                {
                    var (indent, isBlankFirst) = IndentBefore(symbol);
                    text.Append(lineEnds).Append(isBlankFirst && lineEnds.Length != 0 ? "\n" : "");

                    // What is typed of the indentation stays, also where it is too much.
                    var missing = lineEnds.Length != 0 ? indent : indentTyped.Length < indent.Length && indent.StartsWith(indentTyped, StringComparison.Ordinal) && typed.Length == 0 ? indent[indentTyped.Length..] : "";
                    text.Append(missing);
                    _indentation.Begin(lineEnds.Length != 0 ? indent.Length : indentTyped.TakeWhile(char.IsWhiteSpace).Count() + missing.Length);
                    isLineBegun = true;
                }
                else if (!isAfterBlank)
                {
                    text.Append(SpaceBefore(symbol));
                }

                text.Append(next.Text, typed.Length, next.Text.Length - typed.Length);
                typed = "";
                isAfterBlank = false;
                _history.Add(symbol);
                _indentation.Add(symbol);
                if (text.Length != 0)
                {
                    yield return text.ToString();
                }
            }
        }

        private static Symbol Newline => new(Symbol.NewlineHash, TokenKind.Newline, 0, 0, SymbolTraits.Of(TokenKind.Newline, "\n"));

        private string SpaceBefore(Symbol symbol)
        {
            _predictor.Restart(CollectionsMarshal.AsSpan(_history));
            return _predictor.Space(symbol);
        }

        // The likeliest that fits, or null where the text behind the hole goes on.
        private Prediction? Next(string typed)
        {
            var place = _history.TakeLast(SymbolsOfAPlace).Aggregate(0UL, (hash, symbol) => SymbolHash.Add(hash, symbol.Hash));
            var choices = _predictor.Next(CollectionsMarshal.AsSpan(_history), typed, Choices);
            if (IsEnd(choices))
            {
                return null;
            }

            Prediction? repeated = null;
            foreach (var choice in choices.Where(choice => choice.Text.Length != 0 && Fits(choice)))
            {
                // Where the likeliest way has been taken before, another must be likely too; else all has been said, but the line
                // is written to its end.
                if (repeated is not null && choice.Probability < LeastAlternative)
                {
                    break;
                }

                if (_gone.Add((place, choice.Hash)))
                {
                    return MeetsWhatFollows(choice) ? null : choice;
                }

                repeated ??= choice;
            }

            if (repeated is not null)
            {
                return _history[^1].Kind == TokenKind.Newline || MeetsWhatFollows(repeated.Value) ? null : repeated;
            }

            // Nobody knows how the word goes on: then it is whole, and a text is closed with what opened it.
            return typed.Length == 0 ? null
                : typed[0] is '"' or '\'' or '`' && (typed.Length == 1 || typed[^1] != typed[0]) ? new(SymbolHash.Of(typed + typed[0]), 0, TokenKind.String, typed + typed[0])
                : new(SymbolHash.Of(typed), 0, _unfinished.Kind, typed);
        }

        // Behind what has been the end of a text, unless something else is more likely than not.
        private bool IsEnd(IReadOnlyList<Prediction> choices) =>
            _indentation.Depth == 0 && 1 < _history.Count && _history[^1].Kind == TokenKind.Newline && _habits.IsEnd(_history)
                && (choices.Count == 0 || choices[0].Probability < LeastContinuation);

        // Brackets close in the order in which they were opened, statements do not end inside of them, bodies have no members, and what
        // is declared has a name: names are where counts are least sure, so that something else is often the likeliest.
        private bool Fits(Prediction choice)
        {
            if (_history.Count != 0 && Declarers.Contains(_history[^1].Hash) && choice.Kind != TokenKind.Identifier)
            {
                return false;
            }

            var closes = Indentation.OpenerOf(choice.Hash);
            if (_indentation.Innermost is not { } innermost)
            {
                // What was opened above the prompt's beginning shows in its indentation only.
                return closes is null || _step.Length <= _indentation.Base;
            }

            return closes is { } opener ? opener == innermost.Opener
                : choice.Text == ";" ? innermost.Opener == SymbolHash.Of("{") || IsInFor()
                : !_indentation.IsInBody || choice.Text is not ("public" or "private" or "protected" or "internal");
        }

        private bool IsInFor()
        {
            var line = _history.FindLastIndex(symbol => symbol.Kind == TokenKind.Newline);
            return _history.FindLastIndex(symbol => symbol.Hash == SymbolHash.Of("for")) is var found && line < found;
        }

        private bool MeetsWhatFollows(Prediction choice)
        {
            if (_behind.Count == 0 || _depth < _indentation.Depth)
            {
                return false;
            }

            // On the line of the hole, anything that already stands there ends the text, and so does the line's end.
            if (_endsOnLine)
            {
                return choice.Hash == _behind[0].Hash || choice.Kind == TokenKind.Newline;
            }

            // Below it, the bracket that closes what the hole stands in, or the same line.
            return choice.Hash == _behind[0].Hash && (Indentation.OpenerOf(choice.Hash) is not null || IsLineBehind());
        }

        // Whether the walk would go through all of the line behind the hole.
        private bool IsLineBehind()
        {
            if (_history.Count != 0 && _history[^1].Kind != TokenKind.Newline)
            {
                return false;
            }

            var ahead = _history.ToList();
            foreach (var symbol in _behind.TakeWhile(symbol => symbol.Kind != TokenKind.Newline))
            {
                if (_predictor.Next(CollectionsMarshal.AsSpan(ahead), "", 1) is not [var next] || next.Hash != symbol.Hash)
                {
                    return false;
                }

                ahead.Add(symbol);
            }

            return true;
        }

        private (string Indent, bool IsBlankFirst) IndentBefore(Symbol symbol)
        {
            var last = _history.FindLastIndex(earlier => earlier.Kind != TokenKind.Newline);
            var habit = last < 0 ? null : _habits.Between(_history[last], symbol);
            var isBlankFirst = habit?.IsBlankFirst == true;
            if (Indentation.OpenerOf(symbol.Hash) is not null)
            {
                return (Blanks(_indentation.Innermost?.Indent ?? _indentation.Base - _step.Length), isBlankFirst);
            }

            var opens = 0 <= last && (Indentation.IsOpener(_history[last].Hash) || (_isIndentationBased && _history[last].Hash == SymbolHash.Of(":")));
            return (Blanks(_indentation.Base + (_step.Length * (habit?.Steps ?? (opens ? 1 : 0)))), isBlankFirst);
        }

        private string Blanks(int count) => new(_step[0], Math.Max(0, count));
    }
}
