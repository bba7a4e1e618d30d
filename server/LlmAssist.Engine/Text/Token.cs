namespace LlmAssist.Engine.Text;

/// <summary>What a piece of source text is.</summary>
public enum TokenKind : byte
{
    /// <summary>A run of blanks and tabs inside one line.</summary>
    Whitespace,

    /// <summary>One line terminator: LF, CRLF or CR.</summary>
    Newline,

    /// <summary>A comment with its delimiters; a line comment stops before the line terminator.</summary>
    Comment,

    /// <summary>A name that is not a keyword of the language.</summary>
    Identifier,

    /// <summary>A reserved word of the language.</summary>
    Keyword,

    /// <summary>A numeric literal with its suffix.</summary>
    Number,

    /// <summary>A string, character, template or regular-expression literal with its delimiters.</summary>
    String,

    /// <summary>An operator, bracket or separator, the longest that the language knows.</summary>
    Operator,

    /// <summary>One character (a whole surrogate pair) that is nothing of the above.</summary>
    Other,
}

/// <summary>A piece of source text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Offset of its first UTF-16 code unit.</param>
/// <param name="Length">Its length in UTF-16 code units; at least 1.</param>
public readonly record struct Token(TokenKind Kind, int Start, int Length)
{
    /// <summary>The offset just behind it.</summary>
    public int End => Start + Length;

    /// <summary>Whether pattern models see it: everything but blanks and comments.</summary>
    public bool IsSignificant => Kind is not (TokenKind.Whitespace or TokenKind.Comment);
}
