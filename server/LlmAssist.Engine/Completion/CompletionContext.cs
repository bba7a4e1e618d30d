// The place of the cursor, read once per request: what stands around it and in what.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>
/// What stands around the cursor. Only a window of the document is read, so that a request costs the same in a file of 5 MB.
/// </summary>
internal sealed class CompletionContext
{
    /// <summary>How far the window reaches back and forward, in UTF-16 code units, rounded outward to whole lines.</summary>
    public const int WindowBefore = 80_000;
    public const int WindowAfter = 20_000;

    // The window moves in steps, so that its contents change by typing and not with every movement of the cursor.
    private const int WindowStep = 20_000;

    private CompletionContext(CompletionQuery query, int windowStart, int windowEnd, List<Token> tokens)
    {
        Query = query;
        WindowStart = windowStart;
        WindowEnd = windowEnd;
        Tokens = tokens;
        var line = query.Text.LineAt(query.Offset);
        LineStart = query.Text.LineStart(line);
        LinePrefix = query.Text.Content[LineStart..query.Offset];
        LineSuffix = query.Text.Content[query.Offset..Math.Max(query.Offset, query.Text.LineEnd(line))];
        Line = line;
        TypedStart = query.Offset;
        ReadPlace();
    }

    public CompletionQuery Query { get; }

    /// <summary>Offset of the window in the document.</summary>
    public int WindowStart { get; }

    public int WindowEnd { get; }

    public ReadOnlySpan<char> Window => Query.Text.Content.AsSpan(WindowStart, WindowEnd - WindowStart);

    /// <summary>The window's tokens, which tile it; offsets count from <see cref="WindowStart"/>.</summary>
    public List<Token> Tokens { get; }

    /// <summary>The cursor's line, 0-based.</summary>
    public int Line { get; }

    /// <summary>Offset of its first character.</summary>
    public int LineStart { get; }

    /// <summary>The line left of the cursor.</summary>
    public string LinePrefix { get; }

    /// <summary>The line right of the cursor, without its end.</summary>
    public string LineSuffix { get; }

    /// <summary>Where the word or literal at the cursor begins; the cursor itself if there is none.</summary>
    public int TypedStart { get; private set; }

    /// <summary>What is typed of the word or literal at the cursor.</summary>
    public string Typed => Query.Text.Content[TypedStart..Query.Offset];

    public bool InComment { get; private set; }

    /// <summary>Inside a string or another literal with delimiters.</summary>
    public bool InString { get; private set; }

    /// <summary>Whether the cursor stands inside a word, with some of it on the right.</summary>
    public bool InsideWord { get; private set; }

    /// <summary>Reads the place of a query.</summary>
    public static CompletionContext At(CompletionQuery query)
    {
        var (start, end) = WindowOf(query.Text, query.Offset);
        var tokens = new List<Token>((end - start) / 3);
        Lexer.Tokenize(query.Text.Content.AsSpan(start, end - start), query.Language, tokens);
        return new(query, start, end, tokens);
    }

    /// <summary>The window around an offset: [start, end), whole lines unless they are monstrous.</summary>
    public static (int Start, int End) WindowOf(SourceText text, int offset)
    {
        var start = Math.Max(0, offset - WindowBefore) / WindowStep * WindowStep;

        // Measured from the text's end, so that typing moves it along with what it cuts. A fixed offset would cut another place at
        // every keystroke, and everything between the cursor and there would be counted anew: 10 ms of a file of 40 KB.
        var end = text.Length - (Math.Max(0, text.Length - offset - WindowAfter) / WindowStep * WindowStep);
        if (0 < start)
        {
            var line = text.LineAt(start);
            var next = line + 1 < text.LineCount ? text.LineStart(line + 1) : start;
            start = next <= offset && next - start < WindowStep ? next : start;
        }

        // Never between the halves of a surrogate pair.
        start -= 0 < start && char.IsLowSurrogate(text.Content[start]) ? 1 : 0;
        end -= end < text.Length && char.IsLowSurrogate(text.Content[end]) ? 1 : 0;
        return (start, Math.Max(end, offset));
    }

    private void ReadPlace()
    {
        var cursor = Query.Offset - WindowStart;
        var token = TokenEndingAtOrAround(cursor);
        if (token is not { } at)
        {
            return;
        }

        var inside = cursor < at.End;
        switch (at.Kind)
        {
            case TokenKind.Comment:
                // Behind the end of a block comment one is outside; behind a line comment still inside.
                InComment = inside || EndsWithLine(at);
                break;
            case TokenKind.String:
                InString = inside || !IsClosed(at);
                TypedStart = InString ? WindowStart + at.Start : Query.Offset;
                break;
            case TokenKind.Identifier or TokenKind.Keyword or TokenKind.Number:
                InsideWord = inside;
                TypedStart = WindowStart + at.Start;
                break;
        }
    }

    // The token that the cursor is in, or else the one that ends at it.
    private Token? TokenEndingAtOrAround(int cursor)
    {
        var low = 0;
        var high = Tokens.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Tokens[middle].End < cursor)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low < Tokens.Count && Tokens[low].Start < cursor ? Tokens[low] : null;
    }

    private bool EndsWithLine(Token comment)
    {
        foreach (var opening in Query.Language.LineComments)
        {
            if (Window[comment.Start..].StartsWith(opening))
            {
                return true;
            }
        }

        // A block comment that is never closed reaches to the end of the window.
        return comment.End == Window.Length;
    }

    // Lexed alone with something behind it, a closed literal ends where it ended; an open one swallows what follows.
    private bool IsClosed(Token literal)
    {
        var probe = string.Concat(Window.Slice(literal.Start, literal.Length), " ");
        return Lexer.Next(probe, 0, Query.Language).Length == literal.Length;
    }
}
