// Where a streamed answer ends. Decides while the text comes in, so that no time goes into what nobody will see; what may be shown of the
// rest is PostFilters' part.
using System.Collections.Frozen;
using System.Text;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>Why a stream was ended.</summary>
internal enum StreamEnd : byte
{
    /// <summary>It goes on.</summary>
    None,

    /// <summary>A token that never belongs to an answer.</summary>
    StopToken,

    /// <summary>The line is complete, and the text right of the cursor leaves room for one line only.</summary>
    SingleLine,

    /// <summary>As many lines as were asked for.</summary>
    LineCount,

    /// <summary>It says again what stands below.</summary>
    Suffix,

    /// <summary>It closes a bracket that is not its own to close.</summary>
    Bracket,

    /// <summary>It goes in circles.</summary>
    Repetition,

    /// <summary>It leaves the block.</summary>
    Scope,
}

/// <summary>Where an answer is going to stand. All texts have LF as line end.</summary>
/// <param name="Prefix">The text above and left of the cursor, as the prompt has it.</param>
/// <param name="Suffix">The text right of the cursor and below, as the prompt has it.</param>
/// <param name="Language">The document's language.</param>
/// <param name="InLiteral">Whether the cursor is in a comment or a string, where brackets are just text.</param>
/// <param name="MaximumLines">How many lines are wanted; at least 1.</param>
internal sealed record StreamPlace(string Prefix, string Suffix, Language Language, bool InLiteral, int MaximumLines);

/// <summary>
/// Reads an answer piece by piece and says where it ends. How the text is cut into pieces makes no difference: each rule is asked at
/// places that the text itself gives, which are stop tokens, first words of lines, line ends and every 64th character of a line.
/// </summary>
/// <remarks>
/// The rules are those on which Continue (lineStream.ts, BracketMatchingService.ts) and Tabby (limitScopeByIndentation.ts, removeRepetitiveLines.ts)
/// agree or complete each other. Left out on purpose: ending at a line that is merely similar to the next one (Continue, 10 % of edit
/// distance), because neighboring lines of good code are. One owner; no thread safety.
/// </remarks>
internal sealed class StreamStops
{
    // Brackets in prose are not code: 'a)'.
    private static readonly FrozenSet<string> Prose = FrozenSet.Create("markdown", "plaintext");

    // Words that close a block, for languages without braces.
    private static readonly FrozenSet<string> ClosingWords = FrozenSet.Create("end", "fi", "done", "esac");

    private const string Openers = "([{";
    private const string Closers = ")]}";

    // Fewer letters and digits than this in a line say nothing: '}', 'end'.
    private const int Telling = 4;
    private const int ComparedLines = 3;
    private const int LongestCycle = 8;
    private const int Cycles = 3;
    private const int LineCheckEvery = 64;
    private const int TabWidth = 4;

    private readonly StreamPlace _place;
    private readonly string[] _stops;
    private readonly string _linePrefix;
    private readonly bool _isSingleLine;
    private readonly int _indentation;
    private readonly List<string> _linesBelow;
    private readonly int[] _mayClose; // by kind: brackets that are open above and not closed below

    private readonly StringBuilder _received = new();
    private readonly List<(int Start, string Text)> _lines = []; // complete ones; the first with what stands left of the cursor
    private int _lineStart;
    private bool _firstWordSeen;
    private int _cut = -1;

    /// <summary>Begins to read.</summary>
    /// <param name="place">Where the answer is going to stand.</param>
    /// <param name="stops">What ends it wherever it occurs, see <see cref="FimTemplate.Stops"/>.</param>
    public StreamStops(StreamPlace place, IReadOnlyList<string> stops)
    {
        _place = place;
        _stops = [.. stops.Where(stop => stop.Length != 0)];
        _linePrefix = place.Prefix[(place.Prefix.LastIndexOf('\n') + 1)..];
        _indentation = IndentationOf(_linePrefix);
        var lineEnd = place.Suffix.IndexOf('\n');
        var lineSuffix = lineEnd < 0 ? place.Suffix : place.Suffix[..lineEnd];
        _isSingleLine = !string.IsNullOrWhiteSpace(lineSuffix);
        _linesBelow = lineEnd < 0 ? [] : [.. place.Suffix[lineEnd..].Split('\n').Where(line => !string.IsNullOrWhiteSpace(line)).Take(ComparedLines).Select(line => line.TrimEnd())];
        var (above, _) = Unmatched(place.Prefix);
        var (_, below) = Unmatched(place.Suffix);
        _mayClose = [.. above.Zip(below, (open, closed) => Math.Max(0, open - closed))];
    }

    /// <summary>Why the stream was ended; <see cref="StreamEnd.None"/> while it goes on and when it ended by itself.</summary>
    public StreamEnd End { get; private set; }

    /// <summary>Everything received up to a stop token, with LF as line end: <see cref="Text"/> before any rule.</summary>
    public string Received => _received.ToString();

    /// <summary>
    /// The answer so far, without blank lines at its end. While the stream goes on, what may become a stop token is held back, and the last
    /// line is not judged yet.
    /// </summary>
    public string Text
    {
        get
        {
            if (HasEnded)
            {
                return WithoutBlankLines(_received.ToString(0, _cut));
            }

            var text = _received.ToString();
            return WithoutBlankLines(text[..^HeldBack(text)]);
        }
    }

    private bool HasEnded => 0 <= _cut;

    /// <summary>Takes the next piece.</summary>
    /// <returns>Whether the stream shall go on.</returns>
    public bool Take(ReadOnlySpan<char> piece)
    {
        foreach (var unit in piece)
        {
            if (HasEnded)
            {
                return false;
            }

            // Our line ends are LF; whoever inserts the text gives it the document's.
            if (unit != '\r')
            {
                Take(unit);
            }
        }

        return !HasEnded;
    }

    /// <summary>The stream ended by itself: the last line is complete too.</summary>
    /// <returns>The answer.</returns>
    public string Finish()
    {
        if (!HasEnded)
        {
            AtFirstWord();
        }

        if (!HasEnded && (_lineStart < _received.Length || _lineStart == 0))
        {
            AtLineEnd(_received.Length);
        }

        if (!HasEnded)
        {
            _cut = _received.Length;
        }

        return Text;
    }

    private void Take(char unit)
    {
        _received.Append(unit);
        foreach (var stop in _stops)
        {
            if (EndsWith(stop))
            {
                Stop(StreamEnd.StopToken, _received.Length - stop.Length);
            }
        }

        if (HasEnded)
        {
            AtStopToken();
            return;
        }

        if (unit != '\n')
        {
            if (!IsOfWord(unit))
            {
                AtFirstWord();
            }

            if ((_received.Length - _lineStart) % LineCheckEvery == 0)
            {
                AtLongLine();
            }

            return;
        }

        AtFirstWord();
        if (!HasEnded)
        {
            AtLineEnd(_received.Length - 1);
        }

        _lineStart = _received.Length;
        _firstWordSeen = false;
    }

    // The token completes the last line. If another rule finds that the answer ended before, that rule is the reason.
    private void AtStopToken()
    {
        _received.Length = _cut;
        if (_cut < _lineStart)
        {
            return;
        }

        (End, _cut) = (StreamEnd.None, -1);
        Finish();
        End = End == StreamEnd.None ? StreamEnd.StopToken : End;
    }

    // The first line that is indented less than the cursor's leaves the block, unless it closes it: that is known with its first word.
    private void AtFirstWord()
    {
        if (_firstWordSeen || _lineStart == 0)
        {
            return;
        }

        var line = _received.ToString(_lineStart, _received.Length - _lineStart).TrimEnd('\n');
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }

        _firstWordSeen = true;
        if (IndentationOf(line) < _indentation && !Closes(line))
        {
            Stop(StreamEnd.Scope, _lineStart);
        }
    }

    private void AtLineEnd(int end)
    {
        var text = _received.ToString(_lineStart, end - _lineStart);
        var line = ((_lineStart == 0 ? _linePrefix : "") + text).TrimEnd();
        _lines.Add((_lineStart, line));
        CheckBrackets(end);
        CheckBelow();
        CheckRepetition();
        CheckScopeClosed(line, end);
        if (_isSingleLine)
        {
            Stop(StreamEnd.SingleLine, end, isEarlier: end < _received.Length);
        }
        else if (_place.MaximumLines <= _lines.Count)
        {
            Stop(StreamEnd.LineCount, end, isEarlier: end < _received.Length);
        }
    }

    // A closing bracket that the answer did not open may only close what is open above and not closed below: an editor puts the closing one
    // right of the cursor as soon as the opening one is typed.
    private void CheckBrackets(int end)
    {
        if (_place.InLiteral || Prose.Contains(_place.Language.Id))
        {
            return;
        }

        var code = _linePrefix + _received.ToString(0, end);
        var open = new Stack<int>();
        var mayClose = (int[])_mayClose.Clone();
        var tokens = new List<Token>();
        Lexer.Tokenize(code, _place.Language, tokens);
        foreach (var position in BracketsIn(tokens, code))
        {
            if (position < _linePrefix.Length)
            {
                continue;
            }

            var opened = Openers.IndexOf(code[position]);
            if (0 <= opened)
            {
                open.Push(opened);
                continue;
            }

            var kind = Closers.IndexOf(code[position]);
            if (open.TryPeek(out var last) && last == kind)
            {
                open.Pop();
            }
            else if (--mayClose[kind] < 0)
            {
                Stop(StreamEnd.Bracket, position - _linePrefix.Length);
                return;
            }
        }
    }

    // The last lines are the next ones below, and say enough for that to be no accident.
    private void CheckBelow()
    {
        for (var count = 1; count <= _linesBelow.Count; count++)
        {
            var lines = LastLines(count);
            if (lines.Count == count && lines.Select(line => line.Text).SequenceEqual(_linesBelow.Take(count)) && Telling <= lines.Sum(line => line.Text.Count(char.IsLetterOrDigit)))
            {
                Stop(StreamEnd.Suffix, lines[0].Start);
            }
        }
    }

    // The same lines three times, one line or several in turn; blank ones too.
    private void CheckRepetition()
    {
        for (var length = 1; length <= LongestCycle && length * Cycles <= _lines.Count; length++)
        {
            var first = _lines.Count - (length * Cycles);
            var isCycle = Enumerable.Range(first, length * (Cycles - 1)).All(index => _lines[index].Text == _lines[index + length].Text);
            if (isCycle)
            {
                Stop(StreamEnd.Repetition, _lines[first + length].Start);
            }
        }
    }

    // The line that closes the cursor's block is the last; '} else {' opens the next part of it.
    private void CheckScopeClosed(string line, int end)
    {
        if (_lineStart == 0 || line.Length == 0 || _indentation <= IndentationOf(line) || !Closes(line) || line.EndsWith('{'))
        {
            return;
        }

        var isThere = 0 < _linesBelow.Count && _linesBelow[0] == line;
        Stop(StreamEnd.Scope, isThere ? _lineStart : end, isEarlier: isThere || end < _received.Length);
    }

    // A line that never ends: its last pattern, 3 or more characters five times or 10 or more three times, as in PostFilters.
    private void AtLongLine()
    {
        var line = _received.ToString(_lineStart, _received.Length - _lineStart);
        for (var length = 1; length * Cycles <= line.Length; length++)
        {
            var times = 1;
            while (length * (times + 1) <= line.Length && line.AsSpan(line.Length - (length * (times + 1)), length).SequenceEqual(line.AsSpan(line.Length - length)))
            {
                times++;
            }

            // What has no letter is a ruler ('-----') or a gap, until it is longer than either.
            var least = !line[^length..].Any(char.IsLetterOrDigit) ? 2 * LineCheckEvery : length < 3 ? LineCheckEvery / 2 : length * (length < 10 ? 5 : Cycles);
            if (Cycles <= times && least <= length * times)
            {
                Stop(StreamEnd.Repetition, _received.Length - (length * (times - 1)));
                return;
            }
        }
    }

    // The earliest cut wins; of equal ones the first reason given.
    private void Stop(StreamEnd reason, int cut, bool isEarlier = true)
    {
        if (isEarlier && (!HasEnded || cut < _cut))
        {
            (End, _cut) = (reason, cut);
        }
    }

    // The last lines that are not blank, as many as asked for or as there are.
    private List<(int Start, string Text)> LastLines(int count)
    {
        var lines = new List<(int Start, string Text)>();
        for (var index = _lines.Count - 1; 0 <= index && lines.Count < count; index--)
        {
            if (_lines[index].Text.Length != 0)
            {
                lines.Insert(0, _lines[index]);
            }
        }

        return lines;
    }

    // How many brackets of each kind a text leaves open, and how many it closes that it did not open.
    private (int[] Open, int[] Closed) Unmatched(string text)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text, _place.Language, tokens);
        var open = new int[Openers.Length];
        var closed = new int[Openers.Length];
        foreach (var position in BracketsIn(tokens, text))
        {
            var opened = Openers.IndexOf(text[position]);
            var kind = Closers.IndexOf(text[position]);
            if (0 <= opened)
            {
                open[opened]++;
            }
            else if (0 < open[kind])
            {
                open[kind]--;
            }
            else
            {
                closed[kind]++;
            }
        }

        return (open, closed);
    }

    private static IEnumerable<int> BracketsIn(List<Token> tokens, string text)
    {
        foreach (var token in tokens)
        {
            for (var position = token.Start; position < token.End && token.Kind is TokenKind.Operator or TokenKind.Other; position++)
            {
                if (Openers.Contains(text[position]) || Closers.Contains(text[position]))
                {
                    yield return position;
                }
            }
        }
    }

    private static bool IsOfWord(char unit) => char.IsLetterOrDigit(unit) || unit == '_';

    private static bool Closes(string line)
    {
        var trimmed = line.AsSpan().TrimStart();
        if (trimmed.IsEmpty)
        {
            return false;
        }

        var wordEnd = 0;
        while (wordEnd < trimmed.Length && IsOfWord(trimmed[wordEnd]))
        {
            wordEnd++;
        }

        return Closers.Contains(trimmed[0]) || ClosingWords.Contains(trimmed[..wordEnd].ToString());
    }

    private bool EndsWith(string stop)
    {
        if (_received.Length < stop.Length)
        {
            return false;
        }

        for (var index = 0; index < stop.Length; index++)
        {
            if (_received[_received.Length - stop.Length + index] != stop[index])
            {
                return false;
            }
        }

        return true;
    }

    private int HeldBack(string text) =>
        _stops.Select(stop => Enumerable.Range(1, stop.Length - 1).LastOrDefault(length => text.EndsWith(stop[..length], StringComparison.Ordinal))).DefaultIfEmpty().Max();

    private static string WithoutBlankLines(string text)
    {
        var content = text.AsSpan().TrimEnd().Length;
        var lineEnd = text.IndexOf('\n', content);
        return lineEnd < 0 ? text : text[..lineEnd];
    }

    private static int IndentationOf(string line)
    {
        var columns = 0;
        foreach (var unit in line)
        {
            if (unit != ' ' && unit != '\t')
            {
                break;
            }

            columns += unit == '\t' ? TabWidth : 1;
        }

        return columns;
    }
}
