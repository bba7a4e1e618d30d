// Lines of a held-out file that somebody writes again: what is there, what is typed, and what the editor does by itself.
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Bench;

/// <summary>Consecutive lines of a file.</summary>
/// <param name="File">A file that no pattern model has seen.</param>
/// <param name="Before">What stands above them, and the indentation of the first.</param>
/// <param name="Typed">The lines, without that indentation and without the end of the last.</param>
/// <param name="After">What stands below.</param>
internal sealed record LanePassage(CorpusFile File, string Before, string Typed, string After)
{
    private const int LongestLine = 90;

    /// <summary>How many keys it takes without any help: the editor indents.</summary>
    public int Keys
    {
        get
        {
            var keys = 0;
            for (var at = 0; at < Typed.Length; at += KeyAt(at).Length)
            {
                keys++;
            }

            return keys;
        }
    }

    /// <summary>The first passage of code in a file behind a blank line, from its middle on, with so many characters; null if there is none.</summary>
    public static LanePassage? In(CorpusFile file, int least, int most)
    {
        var text = CorpusWalker.ReadText(file)!.ReplaceLineEndings("\n");
        var lines = text.Split('\n');
        for (var first = lines.Length / 2; first < lines.Length; first++)
        {
            if (first == 0 || lines[first - 1].Trim().Length != 0)
            {
                continue;
            }

            var length = 0;
            for (var end = first; end < lines.Length && IsCode(lines[end]) && length < most; end++)
            {
                length += lines[end].Trim().Length;
                if (least <= length && length <= most && lines[first].Trim().Length != 0 && lines[end].Trim().Length != 0)
                {
                    return Of(file, lines, first, end + 1);
                }
            }
        }

        return null;
    }

    /// <summary>What the next key inserts: a character, or a line's end with the indentation that editors put behind it.</summary>
    public string KeyAt(int at)
    {
        if (Typed[at] != '\n')
        {
            return Typed[at].ToString();
        }

        var end = at + 1;
        while (end < Typed.Length && Typed[end] is ' ' or '\t')
        {
            end++;
        }

        return Typed[at..end];
    }

    // Comments and texts over lines are left out, because nobody predicts them, and what few people type.
    private static bool IsCode(string line) =>
        line.Length <= LongestLine && !line.Contains("/*", StringComparison.Ordinal) && !line.Contains('`')
        && (line.Trim().Length == 0 || line.Trim()[0] is not ('/' or '*' or '#' or '<' or '"' or '\''));

    private static LanePassage Of(CorpusFile file, string[] lines, int first, int end)
    {
        var indentation = lines[first][..^lines[first].TrimStart().Length];
        var before = string.Concat(lines[..first].Select(line => line + "\n")) + indentation;
        var typed = string.Join('\n', lines[first..end])[indentation.Length..];
        return new(file, before, typed, string.Concat(lines[end..].Select(line => "\n" + line)));
    }
}
