// What a suggestion must pass before it is shown. Pure functions over text; shared by all lanes.
namespace LlmAssist.Engine.Completion;

/// <summary>What a filter sees.</summary>
/// <param name="Text">The suggestion from the cursor on.</param>
/// <param name="LinePrefix">The line left of the cursor.</param>
/// <param name="LineSuffix">The line right of the cursor.</param>
/// <param name="LineAbove">The last line above that is not blank; empty if none.</param>
/// <param name="LinesBelow">The next lines below that are not blank, as many as are worth comparing.</param>
/// <param name="IsExplicit">Whether the user asked.</param>
internal sealed record FilterInput(string Text, string LinePrefix, string LineSuffix, string LineAbove, IReadOnlyList<string> LinesBelow, bool IsExplicit);

/// <summary>
/// The filters, in their order. Each gets the suggestion as the one before has left it and answers what remains of it; an empty
/// answer drops it. The union of what other products filter, as far as it proved harmless.
/// </summary>
internal static class PostFilters
{
    private const int MinimumVisible = 2;

    /// <summary>Filters by name, as 'explain' shows them.</summary>
    public static IReadOnlyList<(string Name, Func<FilterInput, string> Apply)> All { get; } =
    [
        ("midLine", MidLine),
        ("scope", Scope),
        ("repetition", Repetition),
        ("lineAbove", LineAbove),
        ("linesBelow", LinesBelow),
        ("brackets", Brackets),
        ("duplicateSuffix", DuplicateSuffix),
        ("tooShort", TooShort),
    ];

    /// <summary>Runs all filters.</summary>
    /// <param name="input">The suggestion and its surroundings.</param>
    /// <param name="filtered">Told the name of each filter that changed the text, and the text before.</param>
    /// <returns>What may be shown; empty for nothing.</returns>
    public static string Run(FilterInput input, Action<string, string> filtered)
    {
        foreach (var (name, apply) in All)
        {
            if (input.Text.Length == 0)
            {
                break;
            }

            var result = apply(input);
            if (result != input.Text)
            {
                filtered(name, input.Text);
                input = input with { Text = result };
            }
        }

        return input.Text;
    }

    /// <summary>With text right of the cursor, only what fits on this line.</summary>
    private static string MidLine(FilterInput input) =>
        input.LineSuffix.AsSpan().IsWhiteSpace() ? input.Text : FirstLine(input.Text);

    /// <summary>
    /// Stays in the block: ends before the first line that is indented less than the cursor's line. The block's own closing line may
    /// come too, unless the text below has it already.
    /// </summary>
    private static string Scope(FilterInput input)
    {
        var lines = Lines(input.Text);
        var indentation = IndentationOf(input.LinePrefix);
        for (var index = 1; index < lines.Count; index++)
        {
            var line = lines[index];
            if (string.IsNullOrWhiteSpace(line) || indentation <= IndentationOf(line))
            {
                continue;
            }

            var closes = line.TrimStart()[0] is '}' or ')' or ']';
            var isThere = 0 < input.LinesBelow.Count && input.LinesBelow[0].Trim() == line.Trim();
            var staysIn = closes && line.TrimEnd().EndsWith('{');
            if (staysIn)
            {
                continue;
            }

            return Joined(lines, closes && !isThere ? index + 1 : index);
        }

        return input.Text;
    }

    /// <summary>
    /// Cuts what runs in circles: three equal lines in a row; within the last line, a pattern of 3 or more characters five times or of 10
    /// or more three times.
    /// </summary>
    private static string Repetition(FilterInput input)
    {
        var lines = Lines(input.Text);
        for (var index = 2; index < lines.Count; index++)
        {
            if (!string.IsNullOrWhiteSpace(lines[index]) && lines[index] == lines[index - 1] && lines[index] == lines[index - 2])
            {
                return Joined(lines, index - 1);
            }
        }

        var last = lines[^1];
        for (var length = 3; length * 3 <= last.Length; length++)
        {
            var pattern = last.AsSpan(last.Length - length);
            var times = 1;
            while (length * (times + 1) <= last.Length && last.AsSpan(last.Length - (length * (times + 1)), length).SequenceEqual(pattern))
            {
                times++;
            }

            if ((length < 10 ? 5 : 3) <= times && !pattern.IsWhiteSpace())
            {
                return input.Text[..^(length * (times - 1))];
            }
        }

        return input.Text;
    }

    /// <summary>Drops a line that only says again what the line above says.</summary>
    private static string LineAbove(FilterInput input)
    {
        var line = (input.LinePrefix + FirstLine(input.Text)).Trim();
        return line.Length != 0 && IsWorthComparing(line) && line == input.LineAbove.Trim() ? "" : input.Text;
    }

    /// <summary>Drops or ends what the lines below say already.</summary>
    private static string LinesBelow(FilterInput input)
    {
        if (input.LinesBelow.Count == 0)
        {
            return input.Text;
        }

        var lines = Lines(input.Text);
        for (var index = 0; index < lines.Count; index++)
        {
            var line = (index == 0 ? input.LinePrefix + lines[0] : lines[index]).Trim();
            if (IsWorthComparing(line) && line == input.LinesBelow[0].Trim())
            {
                return Joined(lines, index);
            }
        }

        return input.Text;
    }

    /// <summary>
    /// Ends before a closing bracket that the suggestion did not open and that already stands right of the cursor, as editors insert it.
    /// </summary>
    private static string Brackets(FilterInput input)
    {
        var waiting = input.LineSuffix.AsSpan().TrimStart();
        if (waiting.IsEmpty || !")]}".Contains(waiting[0]))
        {
            return input.Text;
        }

        var open = new Stack<char>();
        for (var index = 0; index < input.Text.Length; index++)
        {
            var unit = input.Text[index];
            switch (unit)
            {
                case '(' or '[' or '{':
                    open.Push(unit == '(' ? ')' : unit == '[' ? ']' : '}');
                    break;
                case ')' or ']' or '}' when open.TryPeek(out var expected) && expected == unit:
                    open.Pop();
                    break;
                case ')' or ']' or '}' when unit == waiting[0]:
                    return input.Text[..index];
            }
        }

        return input.Text;
    }

    /// <summary>
    /// Cuts the longest end of the suggestion that the text right of the cursor begins with, but no bracket that closes one of the suggestion.
    /// </summary>
    private static string DuplicateSuffix(FilterInput input)
    {
        var suffix = input.LineSuffix.AsSpan().TrimEnd();
        if (suffix.IsEmpty)
        {
            return input.Text;
        }

        var text = input.Text.AsSpan();
        var open = OpenBrackets(text);
        for (var length = Math.Min(text.Length, suffix.Length); 0 < length; length--)
        {
            if (text.EndsWith(suffix[..length]) && OpenBrackets(text[..^length]) <= open)
            {
                return text[..^length].ToString();
            }
        }

        // The same with other spaces between: '| )' and 'x)'.
        var bare = suffix.TrimStart();
        var trimmed = text.TrimEnd();
        return bare.Length != suffix.Length && trimmed.EndsWith(bare) && OpenBrackets(trimmed[..^bare.Length]) <= open
            ? trimmed[..^bare.Length].ToString()
            : input.Text;
    }

    private static int OpenBrackets(ReadOnlySpan<char> text)
    {
        var depth = 0;
        foreach (var unit in text)
        {
            depth += unit is '(' or '[' or '{' ? 1 : unit is ')' or ']' or '}' && 0 < depth ? -1 : 0;
        }

        return depth;
    }

    /// <summary>Drops what saves less than a glance costs.</summary>
    private static string TooShort(FilterInput input)
    {
        var visible = input.Text.Count(static unit => !char.IsWhiteSpace(unit));
        return visible < (input.IsExplicit ? 1 : MinimumVisible) ? "" : input.Text;
    }

    // Lines such as '}' or 'end' repeat in good code.
    private static bool IsWorthComparing(string line) => line.Count(char.IsLetterOrDigit) is var count && 4 <= count;

    private static string FirstLine(string text) => text.AsSpan().IndexOfAny('\n', '\r') is var end && 0 <= end ? text[..end] : text;

    private static List<string> Lines(string text) => [.. text.Split('\n')];

    private static string Joined(List<string> lines, int count) => string.Join('\n', lines.Take(count));

    private static int IndentationOf(string line)
    {
        var columns = 0;
        foreach (var unit in line)
        {
            switch (unit)
            {
                case ' ':
                    columns++;
                    break;
                case '\t':
                    columns += 4;
                    break;
                default:
                    return columns;
            }
        }

        return columns;
    }
}
