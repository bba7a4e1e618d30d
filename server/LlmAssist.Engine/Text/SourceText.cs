// Immutable text with a line table. Knows positions and edits, and nothing of languages or protocols.
using System.Text;

namespace LlmAssist.Engine.Text;

/// <summary>What <see cref="TextPosition.Character"/> counts.</summary>
public enum PositionEncoding
{
    /// <summary>UTF-16 code units, as in C# strings.</summary>
    Utf16,

    /// <summary>UTF-8 bytes.</summary>
    Utf8,
}

/// <summary>A place in a text.</summary>
/// <param name="Line">0-based line; lines end with LF, CRLF or CR.</param>
/// <param name="Character">0-based distance from the line's start, in units of a <see cref="PositionEncoding"/>.</param>
public readonly record struct TextPosition(int Line, int Character);

/// <summary>Replaces the text in [Start, End) by <paramref name="NewText"/>. Offsets are UTF-16 code units.</summary>
public readonly record struct TextEdit(int Start, int End, string NewText);

/// <summary>A text that never changes. Offsets are 0-based UTF-16 code units.</summary>
public sealed class SourceText
{
    private readonly int[] _lineStarts;

    /// <summary>The text of <paramref name="content"/>.</summary>
    public SourceText(string content)
        : this(content, LineStartsIn(content, 0, content.Length, [0]).ToArray())
    {
    }

    private SourceText(string content, int[] lineStarts)
    {
        Content = content;
        _lineStarts = lineStarts;
    }

    public static SourceText Empty { get; } = new("");

    public string Content { get; }

    /// <summary>Length in UTF-16 code units.</summary>
    public int Length => Content.Length;

    /// <summary>At least 1: an empty text has one empty line.</summary>
    public int LineCount => _lineStarts.Length;

    /// <summary>The offset at which <paramref name="line"/> begins.</summary>
    public int LineStart(int line) => _lineStarts[line];

    /// <summary>The offset at which <paramref name="line"/> ends, before its terminator.</summary>
    public int LineEnd(int line)
    {
        var end = line + 1 < _lineStarts.Length ? _lineStarts[line + 1] : Content.Length;
        var start = _lineStarts[line];
        if (line + 1 < _lineStarts.Length)
        {
            end--;
            if (start < end && Content[end] == '\n' && Content[end - 1] == '\r')
            {
                end--;
            }
        }

        return end;
    }

    /// <summary>The line's characters, without its terminator.</summary>
    public ReadOnlySpan<char> Line(int line) => Content.AsSpan(LineStart(line), LineEnd(line) - LineStart(line));

    /// <summary>The line that holds <paramref name="offset"/>; an offset at the very end belongs to the last line.</summary>
    public int LineAt(int offset)
    {
        var found = Array.BinarySearch(_lineStarts, offset);
        return 0 <= found ? found : ~found - 1;
    }

    /// <summary>
    /// The offset of <paramref name="position"/>. Lenient as LSP asks: a line or character beyond the end means the end, and
    /// a character inside a surrogate pair or a UTF-8 sequence means the start of that character.
    /// </summary>
    public int Offset(TextPosition position, PositionEncoding encoding = PositionEncoding.Utf16)
    {
        if (position.Line < 0)
        {
            return 0;
        }

        if (LineCount <= position.Line)
        {
            return Length;
        }

        var start = LineStart(position.Line);
        var line = Line(position.Line);
        if (encoding == PositionEncoding.Utf16)
        {
            var offset = Math.Clamp(position.Character, 0, line.Length);
            var splitsPair = 0 < offset && offset < line.Length && char.IsLowSurrogate(line[offset]) && char.IsHighSurrogate(line[offset - 1]);
            return start + (splitsPair ? offset - 1 : offset);
        }

        var bytes = 0;
        var index = 0;
        while (index < line.Length)
        {
            _ = Rune.DecodeFromUtf16(line[index..], out var rune, out var consumed);
            if (position.Character < bytes + rune.Utf8SequenceLength)
            {
                break;
            }

            bytes += rune.Utf8SequenceLength;
            index += consumed;
        }

        return start + index;
    }

    /// <summary>The position of <paramref name="offset"/>, which is clamped into the text.</summary>
    public TextPosition Position(int offset, PositionEncoding encoding = PositionEncoding.Utf16)
    {
        var clamped = Math.Clamp(offset, 0, Length);
        var line = LineAt(clamped);
        var units = Content.AsSpan(LineStart(line), clamped - LineStart(line));
        return new(line, encoding == PositionEncoding.Utf16 ? units.Length : Encoding.UTF8.GetByteCount(units));
    }

    /// <summary>
    /// The text after <paramref name="edit"/>. Costs one copy of the text and of the line table; only the lines that the
    /// edit touches are scanned again.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The edit's range does not lie in this text.</exception>
    public SourceText With(TextEdit edit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(edit.Start);
        ArgumentOutOfRangeException.ThrowIfLessThan(edit.End, edit.Start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(edit.End, Length);
        var content = string.Concat(Content.AsSpan(0, edit.Start), edit.NewText, Content.AsSpan(edit.End));
        var shift = content.Length - Length;

        // One more unit on either side, because an edit can join or part a CRLF.
        var firstLine = LineAt(Math.Max(0, edit.Start - 1));
        var lastLine = LineAt(Math.Min(Length, edit.End + 1));
        var scanEnd = lastLine + 1 < LineCount ? _lineStarts[lastLine + 1] + shift : content.Length;
        var starts = new List<int>(LineCount + 8);
        starts.AddRange(_lineStarts.AsSpan(0, firstLine + 1));
        LineStartsIn(content, _lineStarts[firstLine], scanEnd, starts);
        for (var line = lastLine + 2; line < LineCount; line++)
        {
            starts.Add(_lineStarts[line] + shift);
        }

        return new(content, [.. starts]);
    }

    public override string ToString() => Content;

    // Adds the starts of the lines that follow a terminator in [start, end). A CRLF whose halves lie on either side of end
    // cannot occur: end is a line start or the end of the text.
    private static List<int> LineStartsIn(string content, int start, int end, List<int> into)
    {
        var at = start;
        while (at < end)
        {
            var next = content.AsSpan(at, end - at).IndexOfAny('\n', '\r');
            if (next < 0)
            {
                break;
            }

            at += next + 1;
            if (content[at - 1] == '\r' && at < content.Length && content[at] == '\n')
            {
                at++;
            }

            into.Add(at);
        }

        return into;
    }
}
