// One hand-written lexer for every row of Language. Knows no grammar, keeps no state, allocates nothing per token.
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace LlmAssist.Engine.Text;

/// <summary>
/// Cuts source text into tokens. Every text has tokens: what a compiler would refuse, the lexer still cuts somewhere.
/// <list type="bullet">
/// <item>Tiling: the first token starts at 0, each starts where the one before ended, the last ends with the text; none is
/// empty and none splits a surrogate pair.</item>
/// <item>No state: a token depends on nothing but the text from the start of the line on which it begins to the end of the
/// line on which it ends, terminators included. A literal or comment that is never closed ends with its line or, where it
/// may span lines, with the text; nothing is read ahead to find out whether something will be closed. Therefore, after an edit,
/// lexing can start at any token that begins a line, if the line ends before the one in which the edit begins, and can stop
/// at any token that starts where an old one did, if its line begins behind the edit.</item>
/// <item>Linear time: no character is looked at more than a bounded number of times.</item>
/// </list>
/// </summary>
public static class Lexer
{
    // Literals inside holes of literals: real code nests two or three deep. Deeper, a hole is text, and the stack is safe.
    private const int MaxDepth = 24;

    /// <summary>Appends the tokens of the whole of <paramref name="text"/> to <paramref name="into"/>.</summary>
    public static void Tokenize(ReadOnlySpan<char> text, Language language, List<Token> into)
    {
        var position = 0;
        while (position < text.Length)
        {
            var token = Next(text, position, language);
            into.Add(token);
            position = token.End;
        }
    }

    /// <summary>
    /// The token that starts at <paramref name="position"/>, which must lie before the end of the text and be 0, the end of
    /// a token or the start of a line.
    /// </summary>
    public static Token Next(ReadOnlySpan<char> text, int position, Language language)
    {
        var end = Scan(text, position, language, oneLine: false, depth: 0, out var kind);
        return new(kind, position, end - position);
    }

    // The end of the token at position. Inside a hole of a literal that ends with its line, oneLine is set: then so does
    // every token, and a line comment would swallow the rest of the literal, so there is none.
    private static int Scan(ReadOnlySpan<char> text, int position, Language language, bool oneLine, int depth, out TokenKind kind)
    {
        var character = text[position];
        if (128 <= character)
        {
            return ScanBeyondAscii(text, position, language, out kind);
        }

        if (character is ' ' or '\t')
        {
            kind = TokenKind.Whitespace;
            return BlankEnd(text, position + 1);
        }

        var traits = language.Traits(character);
        if ((traits & CharacterTraits.NamePart) != 0)
        {
            if (char.IsAsciiDigit(character))
            {
                kind = TokenKind.Number;
                return NumberEnd(text, position, language);
            }

            if ((traits & CharacterTraits.LiteralPrefix) != 0 && HasQuoteSoon(text, position)
                && TryOpen(text, position, language, oneLine, depth, out kind, out var literalEnd))
            {
                return literalEnd;
            }

            var end = NameEnd(text, position + 1, language);
            kind = (traits & CharacterTraits.KeywordStart) != 0 && language.IsKeyword(text[position..end]) ? TokenKind.Keyword : TokenKind.Identifier;
            return end;
        }

        if (character is '\n' or '\r')
        {
            kind = TokenKind.Newline;
            return TerminatorEnd(text, position);
        }

        if (TryOpen(text, position, language, oneLine, depth, out kind, out var openedEnd))
        {
            return openedEnd;
        }

        if ((traits & CharacterTraits.Sigil) != 0 && SigilEnd(text, position, language) is var nameStart && position < nameStart)
        {
            var end = NameEnd(text, nameStart, language);
            kind = (traits & CharacterTraits.KeywordStart) != 0 && language.IsKeyword(text[position..end]) ? TokenKind.Keyword : TokenKind.Identifier;
            return end;
        }

        if (character == '.' && IsDigitAt(text, position + 1) && !(0 < position && (text[position - 1] is '.' or ')' or ']' || IsNamePartBefore(text, position))))
        {
            kind = TokenKind.Number;
            return NumberEnd(text, position, language);
        }

        if (character is '\f' or '\v')
        {
            kind = TokenKind.Whitespace;
            return BlankEnd(text, position + 1);
        }

        kind = char.IsControl(character) ? TokenKind.Other : TokenKind.Operator;
        return position + 1;
    }

    private static int ScanBeyondAscii(ReadOnlySpan<char> text, int position, Language language, out TokenKind kind)
    {
        _ = Rune.DecodeFromUtf16(text[position..], out var rune, out var length);
        if (IsNamePart(rune))
        {
            kind = TokenKind.Identifier;
            return NameEnd(text, position + length, language);
        }

        if (char.IsWhiteSpace(text[position]))
        {
            kind = TokenKind.Whitespace;
            return BlankEnd(text, position + 1);
        }

        kind = TokenKind.Other;
        return position + length;
    }

    private static bool TryOpen(ReadOnlySpan<char> text, int position, Language language, bool oneLine, int depth, out TokenKind kind, out int end)
    {
        foreach (var opening in language.Openings(text[position]))
        {
            var open = opening.Open;
            if (text.Length - position < open.Length || (1 < open.Length && !text.Slice(position, open.Length).SequenceEqual(open)))
            {
                continue;
            }

            if (opening.When != Condition.Always && !Holds(opening.When, text, position, open.Length))
            {
                continue;
            }

            kind = opening.Kind;
            var inside = position + open.Length;
            end = opening.Form switch
            {
                Form.Operator => inside,
                Form.LineComment => oneLine ? -1 : LineEnd(text, inside),
                Form.Delimited => DelimitedEnd(text, inside, opening, language, oneLine, depth),
                Form.RawQuotes => RawQuotesEnd(text, position, oneLine),
                Form.RawHashes => RawHashesEnd(text, position, inside - 1, oneLine),
                Form.RawDelimiter => RawDelimiterEnd(text, inside, oneLine),
                Form.Heredoc => oneLine ? -1 : HeredocEnd(text, inside, mayShift: open is "<<" or "<< "),
                Form.PercentLiteral => PercentLiteralEnd(text, position, oneLine),
                Form.Regex => RegexEnd(text, inside),
                Form.LifetimeOrCharacter => LifetimeOrCharacterEnd(text, inside, language, out kind),
                _ => -1,
            };
            if (0 <= end)
            {
                return true;
            }
        }

        kind = default;
        end = -1;
        return false;
    }

    // ---- Names, numbers, blanks ----

    private static int NameEnd(ReadOnlySpan<char> text, int position, Language language)
    {
        while (position < text.Length)
        {
            var character = text[position];
            if (character < 128)
            {
                var traits = language.Traits(character);
                if ((traits & CharacterTraits.NamePart) != 0)
                {
                    position++;
                }
                else if ((traits & CharacterTraits.NameJoint) != 0 && JointEnd(text, position, language) is var joined && position < joined)
                {
                    position = joined;
                }
                else if ((traits & CharacterTraits.NameEnd) != 0)
                {
                    // Ruby: x.empty? but not x!=y.
                    return IsAt(text, position + 1, '=') ? position : position + 1;
                }
                else
                {
                    return position;
                }
            }
            else
            {
                _ = Rune.DecodeFromUtf16(text[position..], out var rune, out var length);
                var isApostrophe = character == '’' && (language.Traits('\'') & CharacterTraits.NameJoint) != 0 && IsNamePartAt(text, position + 1, language);
                if (!IsNamePart(rune) && !isApostrophe)
                {
                    return position;
                }

                position += length;
            }
        }

        return position;
    }

    // Behind one joint, or two that are equal, if a name part follows; else position.
    private static int JointEnd(ReadOnlySpan<char> text, int position, Language language)
    {
        var end = position + (IsAt(text, position + 1, text[position]) ? 2 : 1);
        return IsNamePartAt(text, end, language) ? end : position;
    }

    // Behind one sigil or two, if a name follows; else position. A dash before a digit is a sign.
    private static int SigilEnd(ReadOnlySpan<char> text, int position, Language language)
    {
        var end = position + 1;
        if (end < text.Length && text[end] < 128 && (language.Traits(text[end]) & CharacterTraits.Sigil) != 0)
        {
            end++;
        }

        var isSign = text[end - 1] == '-' && IsDigitAt(text, end);
        return IsNamePartAt(text, end, language) && !isSign ? end : position;
    }

    private static bool IsNamePartAt(ReadOnlySpan<char> text, int position, Language language)
    {
        if (text.Length <= position)
        {
            return false;
        }

        if (text[position] < 128)
        {
            return (language.Traits(text[position]) & CharacterTraits.NamePart) != 0;
        }

        _ = Rune.DecodeFromUtf16(text[position..], out var rune, out _);
        return IsNamePart(rune);
    }

    private static bool IsNamePartBefore(ReadOnlySpan<char> text, int position)
    {
        if (position == 0)
        {
            return false;
        }

        var character = text[position - 1];
        if (character < 128)
        {
            return char.IsAsciiLetterOrDigit(character) || character == '_';
        }

        _ = Rune.DecodeLastFromUtf16(text[..position], out var rune, out _);
        return IsNamePart(rune);
    }

    // Beyond ASCII, where a digit may also come first.
    private static bool IsNamePart(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation;

    // One shape for all languages: digits of any base, suffixes, separators, exponents; 1.2.3 too, but not the dots of 1..2
    // or 1.abs.
    private static int NumberEnd(ReadOnlySpan<char> text, int position, Language language)
    {
        var isHexadecimal = text[position] == '0' && position + 1 < text.Length && (text[position + 1] | 0x20) == 'x';
        while (position < text.Length)
        {
            var character = text[position];
            if (char.IsAsciiLetterOrDigit(character) || character == '_')
            {
                position++;
                var exponent = character | 0x20;
                if ((isHexadecimal ? exponent == 'p' : exponent == 'e') && position < text.Length && text[position] is '+' or '-' && IsDigitAt(text, position + 1))
                {
                    position++;
                }
            }
            else if (character == '.' && IsDigitAt(text, position + 1))
            {
                position++;
            }
            else if (character < 128 && (language.Traits(character) & CharacterTraits.DigitJoint) != 0
                && position + 1 < text.Length && (isHexadecimal ? char.IsAsciiHexDigit(text[position + 1]) : char.IsAsciiDigit(text[position + 1])))
            {
                position++;
            }
            else
            {
                break;
            }
        }

        return position;
    }

    private static int BlankEnd(ReadOnlySpan<char> text, int position)
    {
        while (position < text.Length && text[position] is not ('\n' or '\r') && char.IsWhiteSpace(text[position]))
        {
            position++;
        }

        return position;
    }

    // Behind the line terminator at position.
    private static int TerminatorEnd(ReadOnlySpan<char> text, int position) =>
        position + (text[position] == '\r' && IsAt(text, position + 1, '\n') ? 2 : 1);

    // Before the next line terminator.
    private static int LineEnd(ReadOnlySpan<char> text, int position)
    {
        var length = text[position..].IndexOfAny('\n', '\r');
        return length < 0 ? text.Length : position + length;
    }

    // ---- Literals; each from behind its opening, to behind its closing ----

    private static int DelimitedEnd(ReadOnlySpan<char> text, int position, Opening opening, Language language, bool oneLine, int depth)
    {
        var continues = opening.Continues && !oneLine;
        oneLine |= !opening.MultiLine;
        var stops = oneLine ? opening.LineStops : opening.Stops;
        var close = opening.Close;
        var open = 1;
        while (true)
        {
            var length = text[position..].IndexOfAny(stops);
            if (length < 0)
            {
                return text.Length;
            }

            position += length;
            var character = text[position];
            if (oneLine && character is '\n' or '\r')
            {
                return position;
            }

            if (HoleAt(text, position, opening) is { } hole && depth < MaxDepth)
            {
                position = hole == "{" && IsAt(text, position + 1, '{') ? position + 2 : HoleEnd(text, position + hole.Length, hole, language, oneLine, depth + 1);
            }
            else if (opening.Escape == character && character != '\0')
            {
                position++;
                if (position < text.Length && text[position] is '\n' or '\r')
                {
                    position = !oneLine || continues ? TerminatorEnd(text, position) : position;
                }
                else if (position < text.Length)
                {
                    position++;
                }
            }
            else if (StartsWith(text, position, close))
            {
                position += close.Length;
                if (opening.Doubled && IsAt(text, position, character))
                {
                    position++;
                }
                else if (--open == 0)
                {
                    // """say "hi"""": quotes beyond the closing three belong to the text.
                    return 3 == close.Length && close[0] is '"' or '\'' ? RunEnd(text, position, character) : position;
                }
            }
            else if (opening.Nested && StartsWith(text, position, opening.Open))
            {
                position += opening.Open.Length;
                open++;
            }
            else
            {
                position++;
            }
        }
    }

    private static string? HoleAt(ReadOnlySpan<char> text, int position, Opening opening)
    {
        foreach (var hole in opening.Holes)
        {
            if (StartsWith(text, position, hole))
            {
                return hole;
            }
        }

        return null;
    }

    // Code up to the bracket that closes the hole's own.
    private static int HoleEnd(ReadOnlySpan<char> text, int position, string hole, Language language, bool oneLine, int depth)
    {
        var (left, right) = hole.Contains('(') ? ('(', ')') : ('{', '}');
        var open = 1;
        while (position < text.Length && !(oneLine && text[position] is '\n' or '\r'))
        {
            var character = text[position];
            if (character == right)
            {
                position++;
                if (--open == 0)
                {
                    break;
                }
            }
            else
            {
                var end = Scan(text, position, language, oneLine, depth, out var kind);
                open += kind == TokenKind.Operator ? text[position..end].Count(left) - text[position..end].Count(right) : 0;
                position = end;
            }
        }

        return position;
    }

    private static int RawQuotesEnd(ReadOnlySpan<char> text, int position, bool oneLine)
    {
        position = RunEnd(text, position, '$');
        var inside = RunEnd(text, position, '"');
        var quotes = inside - position;
        position = inside;
        while (NextStop(text, position, '"', oneLine) is var stop && stop < text.Length && text[stop] == '"')
        {
            position = RunEnd(text, stop, '"');
            if (quotes <= position - stop)
            {
                return position;
            }
        }

        return NextStop(text, position, '"', oneLine);
    }

    // hash is where the first # is. -1 if no quote follows them: r#type in Rust, #if in Swift.
    private static int RawHashesEnd(ReadOnlySpan<char> text, int start, int hash, bool oneLine)
    {
        // A run of # that did not open a literal at its first # opens none at the others; looking again would be quadratic.
        if (start == hash && 0 < start && text[start - 1] == '#')
        {
            return -1;
        }

        var position = RunEnd(text, hash, '#');
        var hashes = position - hash;
        if (!IsAt(text, position, '"'))
        {
            return -1;
        }

        // Swift's raw literal with one quote ends with its line; Rust's and the triple one do not.
        var isTriple = StartsWith(text, position, "\"\"\"");
        oneLine |= start == hash && !isTriple;
        position += isTriple && start == hash ? 3 : 1;
        while (NextStop(text, position, '"', oneLine) is var stop && stop < text.Length && text[stop] == '"')
        {
            position = stop + 1;
            while (position - stop <= hashes && IsAt(text, position, '#'))
            {
                position++;
            }

            if (hashes < position - stop)
            {
                return position;
            }
        }

        return NextStop(text, position, '"', oneLine);
    }

    private static int RawDelimiterEnd(ReadOnlySpan<char> text, int position, bool oneLine)
    {
        // The standard allows 16 characters.
        var window = text.Slice(position, Math.Min(17, text.Length - position));
        var length = window.IndexOfAny("( )\\\"\t\n\r");
        if (length < 0 || window[length] != '(')
        {
            return -1;
        }

        var delimiter = window[..length];
        position += length + 1;
        while (NextStop(text, position, ')', oneLine) is var stop && stop < text.Length && text[stop] == ')')
        {
            position = stop + 1;
            if (text[position..].StartsWith(delimiter) && IsAt(text, position + length, '"'))
            {
                return position + length + 1;
            }
        }

        return NextStop(text, position, ')', oneLine);
    }

    // -1 where no word follows, or where << may as well be a shift: then the word must be quoted or in capitals.
    private static int HeredocEnd(ReadOnlySpan<char> text, int position, bool mayShift)
    {
        var quote = position < text.Length && text[position] is '\'' or '"' ? text[position] : '\0';
        position += quote == '\0' ? 0 : 1;
        var start = position;
        while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '_'))
        {
            position++;
        }

        var word = text[start..position];
        var isWord = !word.IsEmpty && !char.IsAsciiDigit(word[0]) && (quote == '\0' || IsAt(text, position, quote));
        if (!isWord || (mayShift && quote == '\0' && char.IsAsciiLetterLower(word[0])))
        {
            return -1;
        }

        while (true)
        {
            position = LineEnd(text, position);
            if (position == text.Length)
            {
                return position;
            }

            position++;
            while (position < text.Length && text[position] is ' ' or '\t')
            {
                position++;
            }

            if (text[position..].StartsWith(word))
            {
                var end = position + word.Length;
                if (end == text.Length || !(char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
                {
                    return end;
                }
            }
        }
    }

    private static int PercentLiteralEnd(ReadOnlySpan<char> text, int position, bool oneLine)
    {
        var isNamed = position + 1 < text.Length && "wWiIqQrxs".Contains(text[position + 1]);
        var bracket = position + (isNamed ? 2 : 1);
        if (text.Length <= bracket || (isNamed ? IsNamePartBefore(text, position) : !Holds(Condition.OperandExpected, text, position, 1)))
        {
            return -1;
        }

        var left = text[bracket];
        var right = left switch { '(' => ')', '[' => ']', '{' => '}', '<' => '>', '|' or '!' when isNamed => left, _ => '\0' };
        if (right == '\0')
        {
            return -1;
        }

        var open = 1;
        position = bracket + 1;
        while (position < text.Length && !(oneLine && text[position] is '\n' or '\r'))
        {
            var character = text[position];
            position++;
            if (character == '\\' && position < text.Length && text[position] is not ('\n' or '\r'))
            {
                position++;
            }
            else if (character == right)
            {
                if (--open == 0)
                {
                    break;
                }
            }
            else if (character == left)
            {
                open++;
            }
        }

        return position;
    }

    private static int RegexEnd(ReadOnlySpan<char> text, int position)
    {
        var isClass = false;
        while (position < text.Length && text[position] is not ('\n' or '\r'))
        {
            var character = text[position];
            position++;
            if (character == '\\' && position < text.Length && text[position] is not ('\n' or '\r'))
            {
                position++;
            }
            else if (character == '/' && !isClass)
            {
                while (position < text.Length && char.IsAsciiLetter(text[position]))
                {
                    position++;
                }

                break;
            }
            else if (character is '[' or ']')
            {
                isClass = character == '[';
            }
        }

        return position;
    }

    private static int LifetimeOrCharacterEnd(ReadOnlySpan<char> text, int position, Language language, out TokenKind kind)
    {
        kind = TokenKind.String;
        if (text.Length <= position || text[position] is '\n' or '\r')
        {
            kind = TokenKind.Operator;
            return position;
        }

        if (text[position] == '\\')
        {
            position++;
            position += position < text.Length && text[position] is not ('\n' or '\r') ? 1 : 0;
            while (position < text.Length && text[position] is not ('\n' or '\r'))
            {
                if (text[position++] == '\'')
                {
                    break;
                }
            }

            return position;
        }

        _ = Rune.DecodeFromUtf16(text[position..], out _, out var length);
        if (IsAt(text, position + length, '\''))
        {
            return position + length + 1;
        }

        kind = IsNamePartAt(text, position, language) ? TokenKind.Identifier : TokenKind.Operator;
        return kind == TokenKind.Identifier ? NameEnd(text, position, language) : position;
    }

    // ---- Looking around ----

    private static bool Holds(Condition condition, ReadOnlySpan<char> text, int position, int length)
    {
        var before = 0 < position ? text[position - 1] : '\n';
        switch (condition)
        {
            case Condition.LineStart:
                return before is '\n' or '\r';
            case Condition.WordStart:
                return char.IsWhiteSpace(before) || before is ';' or '&' or '|' or '(' or ')';
            case Condition.NotBehindName:
                return !IsNamePartBefore(text, position);
            case Condition.NotBehindColon:
                return before != ':';
            case Condition.NotBeforeBracket:
                return !IsAt(text, position + length, '[');
        }

        // The others ask for the last visible character of the line. The blanks between are one token, so each blank is
        // looked at once more only.
        var at = position - 1;
        while (0 <= at && text[at] is not ('\n' or '\r') && char.IsWhiteSpace(text[at]))
        {
            at--;
        }

        before = at < 0 ? '\n' : text[at];
        return condition switch
        {
            Condition.BehindEquals => before == '=',
            Condition.ValueStart => before is '\n' or '\r' or ':' or '-' or '[' or '{' or ',' or '(' or '=' or '!' or '&' or '|' or '>' or '?',
            _ => IsOperandExpected(text, at, isTagEnd: IsAt(text, position + length, '>')),
        };
    }

    // Whether / behind text[last] begins a regular expression; guesses, because only a parser knows.
    private static bool IsOperandExpected(ReadOnlySpan<char> text, int last, bool isTagEnd)
    {
        if (last < 0 || text[last] is '\n' or '\r')
        {
            return !isTagEnd;
        }

        switch (text[last])
        {
            case ')' or ']' or '}' or '"' or '\'' or '`' or '/':
                return false;
            case '>':
                return 0 < last && text[last - 1] == '=';
            case '+' or '-':
                return !(0 < last && text[last - 1] == text[last]);
        }

        // No keyword below is longer than 10.
        var start = last + 1;
        while (0 < start && last - start < 11 && (char.IsAsciiLetterOrDigit(text[start - 1]) || text[start - 1] is '_' or '$' or '?' or '!'))
        {
            start--;
        }

        var word = text[start..(last + 1)];
        return word.IsEmpty
            ? text[last] < 128
            : word is "return" or "typeof" or "case" or "in" or "of" or "do" or "else" or "void" or "delete" or "throw" or "new"
                or "instanceof" or "yield" or "await" or "if" or "unless" or "while" or "until" or "when" or "and" or "or" or "not" or "then" or "elsif" or "!" or "?";
    }

    // r" br" u8R" r#: cheap enough to ask at every name that begins like a prefix.
    private static bool HasQuoteSoon(ReadOnlySpan<char> text, int position) =>
        text.Slice(position + 1, Math.Min(3, text.Length - position - 1)).IndexOfAny('"', '\'', '#') >= 0;

    // Where stop or, if asked for, a line end comes next; else the end of the text.
    private static int NextStop(ReadOnlySpan<char> text, int position, char stop, bool oneLine)
    {
        var rest = text[position..];
        var length = oneLine ? rest.IndexOfAny(stop, '\n', '\r') : rest.IndexOf(stop);
        return length < 0 ? text.Length : position + length;
    }

    private static int RunEnd(ReadOnlySpan<char> text, int position, char character)
    {
        while (IsAt(text, position, character))
        {
            position++;
        }

        return position;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsAt(ReadOnlySpan<char> text, int position, char character) => position < text.Length && text[position] == character;

    private static bool IsDigitAt(ReadOnlySpan<char> text, int position) => position < text.Length && char.IsAsciiDigit(text[position]);

    private static bool StartsWith(ReadOnlySpan<char> text, int position, string what) => text[position..].StartsWith(what);
}
