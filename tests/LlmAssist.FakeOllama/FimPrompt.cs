// Reads a prompt for filling in the middle back: what stands before the hole, what behind it, and in which file. The layouts
// are those that the program under test writes (FimTemplate), so that a prompt it writes wrongly is answered with nonsense.
using System.Text.RegularExpressions;
using LlmAssist.Engine.Completion;

namespace LlmAssist.FakeOllama;

/// <summary>A prompt, taken apart.</summary>
/// <param name="Before">What stands before the hole, of the current file only.</param>
/// <param name="After">What stands behind it; empty for a prompt without a hole.</param>
/// <param name="Path">The current file, where the prompt tells.</param>
internal sealed partial record FimPrompt(string Before, string After, string? Path)
{
    private const string ShortPath = @"[\w./-]+\.\w+";

    /// <summary>Takes a prompt apart. One that has no hole is all before it.</summary>
    public static FimPrompt Read(string prompt)
    {
        foreach (var row in FimTemplate.All)
        {
            if (Read(row, prompt) is { } found)
            {
                return found;
            }
        }

        return new(prompt, "", null);
    }

    // Rows that share their tokens differ in how they write files, which is told by what stands there.
    private static FimPrompt? Read(FimTemplate row, string prompt)
    {
        var prefix = prompt.IndexOf(row.Prefix, StringComparison.Ordinal);
        var suffix = prompt.IndexOf(row.Suffix, StringComparison.Ordinal);
        if (prefix < 0 || suffix < 0 || row.SuffixFirst != suffix < prefix || !prompt.EndsWith(row.Middle, StringComparison.Ordinal))
        {
            return null;
        }

        var end = prompt.Length - row.Middle.Length;
        var inside = prefix + row.Prefix.Length;
        var before = row.SuffixFirst ? prompt[inside..end] : prompt[inside..suffix];
        var after = row.SuffixFirst ? prompt[(suffix + row.Suffix.Length)..prefix] : prompt[(suffix + row.Suffix.Length)..end];
        var above = row.SuffixFirst ? "" : prompt[..prefix];

        // Starcoder2 has its path behind the prefix token, in a line of its own.
        if (above.EndsWith("<file_sep>", StringComparison.Ordinal))
        {
            var line = before.IndexOf('\n', StringComparison.Ordinal);
            return new(before[(line + 1)..], after, line < 0 ? null : before[..line]);
        }

        // Others have it in the line above the prefix token, behind a token of its own or one that ends the file before.
        if (above.EndsWith('\n'))
        {
            return new(before, after, above[(above.TrimEnd('\n').LastIndexOfAny(['\n', '>']) + 1)..].TrimEnd('\n'));
        }

        // And others in headers or comments behind it; the last of them is the current file's.
        if (Header().Match(before) is { Success: true } first)
        {
            var mark = Regex.Escape(first.Groups["mark"].Value);
            var path = mark == @"\#" ? ShortPath : @"[^\n]+";
            var last = Regex.Matches(before, $@"^{mark}(?<path>{path})\n", RegexOptions.Multiline)[^1];
            return new(before[(last.Index + last.Length)..], after, last.Groups["path"].Value);
        }

        return new(before, after, null);
    }

    // '#path', '+++++ path' or a comment 'Path: path' in the first line. What begins with '#' may be a comment or a directive: only
    // a single word with an extension is a path.
    [GeneratedRegex($@"\A(?:(?<mark>#){ShortPath}|(?<mark>\+{{5}} |\S{{1,3}} Path: )[^\n]+)\n")]
    private static partial Regex Header();
}
