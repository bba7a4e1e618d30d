// Where a line is to begin, as the lines above have it.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>
/// The indentation that is missing where a blank line's cursor stands left of where the line's text belongs. A suggestion that brings
/// it along leaves Tab to the editor, which indents with it there, and is right where it is accepted.
/// </summary>
internal static class LineIndentation
{
    private const int LinesLookedAt = 200; // above the cursor

    /// <summary>What has to stand between the cursor and a suggestion; empty if nothing is missing, or if the lines above leave it open.</summary>
    /// <param name="text">The document.</param>
    /// <param name="line">The cursor's line, 0-based.</param>
    /// <param name="prefix">It, up to the cursor.</param>
    /// <param name="suggestion">What is to be written at the cursor.</param>
    /// <param name="language">What the document is written in.</param>
    public static string Missing(SourceText text, int line, string prefix, string suggestion, Language language)
    {
        if (suggestion.Length == 0 || !prefix.AsSpan().IsWhiteSpace() || StatementAbove(text, line) is not { } above)
        {
            return "";
        }

        var opens = above.AsSpan().TrimEnd() is [.., '{' or '(' or '['] || (language.IsIndentationBased && above.AsSpan().TrimEnd() is [.., ':']);
        var closes = suggestion[0] is '}' or ')' or ']';
        var indentation = above[..^above.AsSpan().TrimStart().Length];
        var unit = opens == closes ? "" : Unit(text, line);
        var expected = opens && !closes ? indentation + unit
            : closes && !opens ? indentation[..Math.Max(0, indentation.Length - unit.Length)]
            // Where indentation is syntax, only who writes knows whether the block goes on.
            : language.IsIndentationBased ? "" : indentation;
        return expected.StartsWith(prefix, StringComparison.Ordinal) ? expected[prefix.Length..] : "";
    }

    // The line above that begins what it belongs to: no continuation such as '.Then()'.
    private static string? StatementAbove(SourceText text, int line)
    {
        for (var above = line - 1; Math.Max(0, line - LinesLookedAt) <= above; above--)
        {
            var content = text.Line(above);
            if (!content.IsWhiteSpace() && content.TrimStart()[0] is not ('.' or '?' or ':' or '|' or '&' or '+'))
            {
                return content.ToString();
            }
        }

        return null;
    }

    // One step of indentation: the smallest that the lines above go to the right by.
    private static string Unit(SourceText text, int line)
    {
        var smallest = int.MaxValue;
        var former = 0;
        for (var above = Math.Max(0, line - LinesLookedAt); above < line; above++)
        {
            var content = text.Line(above);
            if (content.IsWhiteSpace())
            {
                continue;
            }

            if (content[0] == '\t')
            {
                return "\t";
            }

            var spaces = content.Length - content.TrimStart().Length;
            smallest = former < spaces ? Math.Min(smallest, spaces - former) : smallest;
            former = spaces;
        }

        return new string(' ', smallest is 1 or int.MaxValue ? 4 : smallest);
    }
}
