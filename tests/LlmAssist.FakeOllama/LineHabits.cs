// What symbols alone do not tell about code: how far the next line is indented, whether a blank one comes first, and where texts
// end. Learned from texts by counting, so that it holds for braces and for languages without them.
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.FakeOllama;

/// <summary>Counts of what is usual between two lines, by the last symbol of the one and the first of the other.</summary>
internal sealed class LineHabits
{
    private readonly Dictionary<(ulong Last, ulong First), Dictionary<(int Steps, bool IsBlankFirst), int>> _counts = [];
    private readonly Dictionary<string, int> _steps = [];
    private readonly HashSet<ulong> _ends = [];

    /// <summary>What indents by one step, as most texts have it.</summary>
    public string Step => Likeliest(_steps, "    ");

    /// <summary>Counts the lines of a text.</summary>
    public void Learn(string text, Language language)
    {
        var tokens = new List<Token>();
        var symbols = new List<Symbol>();
        Lexer.Tokenize(text, language, tokens);
        SymbolSequence.Read(text, tokens, symbols);
        _ends.Add(LastOf(symbols));
        var lines = Lines(text, symbols);
        var step = StepOf(text, lines);
        if (step is not null)
        {
            _steps[step] = _steps.GetValueOrDefault(step) + lines.Count;
        }

        var width = step?.Length ?? 1;
        var indentation = new Indentation();
        for (var line = 0; line < lines.Count; line++)
        {
            var (first, end, indent) = lines[line];
            if (0 < line)
            {
                // Steps are rounded: what is aligned to something above is no habit of the symbols beside it.
                var steps = (int)Math.Round((double)(indent - indentation.Base) / width);
                var last = lines[line - 1].End - 1;
                var pair = (symbols[last].Shape, symbols[first].Shape);
                var between = text.AsSpan(symbols[last].End..symbols[first].Start);
                _counts.TryAdd(pair, []);
                _counts[pair][(steps, HasBlankLine(between))] = _counts[pair].GetValueOrDefault((steps, HasBlankLine(between))) + 1;
            }

            indentation.Begin(indent);
            for (var index = first; index < end; index++)
            {
                indentation.Add(symbols[index]);
            }
        }
    }

    /// <summary>What is usual between a line's last symbol and the next line's first; null if nobody has seen them so.</summary>
    public (int Steps, bool IsBlankFirst)? Between(Symbol last, Symbol first) =>
        _counts.TryGetValue((last.Shape, first.Shape), out var counts) ? Likeliest(counts, default) : null;

    /// <summary>Whether a text has ended with the same symbols.</summary>
    public bool IsEnd(List<Symbol> symbols) => _ends.Contains(LastOf(symbols));

    /// <summary>The lines of a text that have symbols: which, without the line's end, and how many characters stand before them.</summary>
    public static List<(int First, int End, int Indent)> Lines(string text, List<Symbol> symbols)
    {
        var lines = new List<(int First, int End, int Indent)>();
        for (var first = 0; first < symbols.Count;)
        {
            var end = first;
            while (end < symbols.Count && symbols[end].Kind != TokenKind.Newline)
            {
                end++;
            }

            if (first < end)
            {
                lines.Add((first, end, IndentAt(text, symbols[first].Start).Length));
            }

            first = end + 1;
        }

        return lines;
    }

    /// <summary>The blanks at the beginning of the line in which an offset lies.</summary>
    public static string IndentAt(string text, int offset)
    {
        var start = offset == 0 ? 0 : text.LastIndexOfAny(['\n', '\r'], offset - 1) + 1;
        var end = start;
        while (end < text.Length && text[end] is ' ' or '\t')
        {
            end++;
        }

        return text[start..end];
    }

    /// <summary>One step of a text's indentation: the most frequent by which a line is deeper than the one before; null if none is.</summary>
    public static string? StepOf(string text, List<(int First, int End, int Indent)> lines)
    {
        if (text.StartsWith('\t') || text.Contains("\n\t", StringComparison.Ordinal))
        {
            return "\t";
        }

        var counts = new Dictionary<string, int>();
        for (var line = 1; line < lines.Count; line++)
        {
            var deeper = lines[line].Indent - lines[line - 1].Indent;
            if (deeper is > 1 and <= 8)
            {
                var step = new string(' ', deeper);
                counts[step] = counts.GetValueOrDefault(step) + 1;
            }
        }

        return counts.Count == 0 ? null : Likeliest(counts, "");
    }

    private static bool HasBlankLine(ReadOnlySpan<char> between)
    {
        // What comes before the first line's end belongs to that line, and what comes behind the last one to the next.
        var rest = between[(between.IndexOf('\n') + 1)..];
        while (rest.IndexOf('\n') is >= 0 and var end)
        {
            if (rest[..end].IsWhiteSpace())
            {
                return true;
            }

            rest = rest[(end + 1)..];
        }

        return false;
    }

    private static ulong LastOf(List<Symbol> symbols)
    {
        const int Enough = 4;
        var last = symbols.FindLastIndex(symbol => symbol.Kind != TokenKind.Newline);
        var hash = 0UL;
        for (var index = last; 0 <= index && last - Enough < index; index--)
        {
            hash = SymbolHash.Add(hash, symbols[index].Hash);
        }

        return hash;
    }

    // Between equals the smaller decides, so that the same texts always give the same.
    private static T Likeliest<T>(Dictionary<T, int> counts, T otherwise)
        where T : notnull =>
        counts.Count == 0 ? otherwise : counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).First().Key;
}

/// <summary>Follows the brackets and statements of a text, symbol by symbol, and knows from where its next line is indented.</summary>
internal sealed class Indentation
{
    private static readonly Dictionary<ulong, ulong> Closers = new()
    {
        [SymbolHash.Of(")")] = SymbolHash.Of("("),
        [SymbolHash.Of("]")] = SymbolHash.Of("["),
        [SymbolHash.Of("}")] = SymbolHash.Of("{"),
    };

    private static readonly ulong Brace = SymbolHash.Of("{");
    private static readonly ulong Semicolon = SymbolHash.Of(";");

    private readonly Stack<(ulong Opener, int Indent, int Line, bool IsBody)> _open = [];
    private int _line;
    private int _indent;
    private int _statement; // indentation of the line on which the statement begins
    private ulong _last;

    /// <summary>From where the next line is indented, in characters.</summary>
    public int Base { get; private set; }

    /// <summary>The innermost bracket that is open, and the indentation of its line; null if none is.</summary>
    public (ulong Opener, int Indent)? Innermost => _open.TryPeek(out var open) ? (open.Opener, open.Indent) : null;

    /// <summary>Whether the innermost bracket holds statements, as far as that can be seen: it follows a list of parameters.</summary>
    public bool IsInBody => _open.TryPeek(out var open) && open.IsBody;

    /// <summary>How many brackets are open.</summary>
    public int Depth => _open.Count;

    /// <summary>The bracket that a closing one belongs to; null for a symbol that closes nothing.</summary>
    public static ulong? OpenerOf(ulong closer) => Closers.TryGetValue(closer, out var opener) ? opener : null;

    /// <summary>Whether a symbol opens something.</summary>
    public static bool IsOpener(ulong symbol) => Closers.ContainsValue(symbol);

    /// <summary>Begins a line.</summary>
    public void Begin(int indent)
    {
        _line++;
        _indent = indent;
        Base = indent;
        if (_last == 0 || _last == Semicolon || _last == Brace || OpenerOf(_last) == Brace)
        {
            _statement = indent;
        }
    }

    /// <summary>Adds a symbol to the line.</summary>
    public void Add(Symbol symbol)
    {
        var last = _last;
        _last = symbol.Hash;
        if (IsOpener(symbol.Hash))
        {
            _open.Push((symbol.Hash, _indent, _line, symbol.Hash == Brace && last == SymbolHash.Of(")")));
        }
        else if (OpenerOf(symbol.Hash) is { } opener && _open.TryPeek(out var open) && open.Opener == opener)
        {
            _open.Pop();
            if (open.Line != _line)
            {
                Base = Math.Min(Base, open.Indent);
            }
        }
        else if (symbol.Hash == Semicolon && _open.All(open => open.Opener == Brace))
        {
            // Whatever a statement's last line was aligned to ends with it.
            Base = Math.Min(Base, _statement);
        }
    }
}
