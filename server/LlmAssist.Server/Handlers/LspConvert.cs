// The gate between LSP's records and the engine's.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Handlers;

internal static class LspConvert
{
    private const string FileScheme = "file://";

    /// <summary>The file that a URI names; null for what is not a file of this machine.</summary>
    public static string? PathOf(string uri) => PathOf(uri, OperatingSystem.IsWindows());

    // By hand rather than by System.Uri, which takes "file:///c%3A/x" (as VS Code writes it) for a path without a drive, and drops the host of
    // "file://server/share".
    internal static string? PathOf(string uri, bool onWindows)
    {
        var slash = uri.StartsWith(FileScheme, StringComparison.OrdinalIgnoreCase) ? uri.IndexOf('/', FileScheme.Length) : -1;
        if (slash < 0)
        {
            return null;
        }

        var host = uri[FileScheme.Length..slash];
        var isRemote = host.Length != 0 && !host.Equals("localhost", StringComparison.OrdinalIgnoreCase);
        var path = Uri.UnescapeDataString(uri[slash..]);
        if (path.Contains('\0') || (isRemote && !onWindows))
        {
            return null;
        }

        if (!onWindows)
        {
            return path;
        }

        var hasDrive = 3 <= path.Length && char.IsAsciiLetter(path[1]) && path[2] == ':';
        return (isRemote ? $@"\\{host}{path}" : hasDrive ? path[1..] : path).Replace('/', '\\');
    }

    /// <summary>
    /// What models are told a document is called: its path in the workspace, with slashes, and the name of the workspace's folder; outside of any
    /// folder its name alone.
    /// </summary>
    public static (string Path, string Repository) Named(string uri, IReadOnlyList<string> folders)
    {
        var path = PathOf(uri) ?? uri;
        foreach (var folder in folders)
        {
            var relative = Path.GetRelativePath(folder, path);
            if (relative != path && !relative.StartsWith("..", StringComparison.Ordinal) && !Path.IsPathRooted(relative))
            {
                return (relative.Replace('\\', '/'), Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)));
            }
        }

        return (path[(path.LastIndexOfAny(['/', '\\', ':']) + 1)..], "");
    }

    /// <summary>An offset in a document. Lines and characters out of range are taken to be the nearest that exist.</summary>
    public static int Offset(SourceText text, Position position, PositionEncoding encoding) =>
        text.Offset(new(position.Line, position.Character), encoding);

    public static Lsp.Range Range(SourceText text, int start, int end, PositionEncoding encoding) =>
        new(Position(text, start, encoding), Position(text, end, encoding));

    /// <summary>The text that a change replaces. A range that runs backward is taken to mean the same text forward.</summary>
    public static TextEdit Edit(SourceText text, TextChange change, PositionEncoding encoding)
    {
        if (change.Range is not { } range)
        {
            return new(0, text.Length, change.Text);
        }

        var start = Offset(text, range.Start, encoding);
        var end = Offset(text, range.End, encoding);
        return new(Math.Min(start, end), Math.Max(start, end), change.Text);
    }

    /// <summary>A surface as settings and answers call it.</summary>
    public static string SurfaceName(CompletionSurface surface) => surface.ToString().ToLowerInvariant();

    /// <summary>The command that tells us that a suggestion was inserted.</summary>
    public static CommandItem Accepted(Candidate candidate, CompletionSurface surface) =>
        new("", AssistMethods.CompletionAccepted, [new(SurfaceName(surface), candidate.Lane.ToString().ToLowerInvariant(), candidate.Text.Length)]);

    /// <summary>Whether an entry of the editor's own list can be continued: it must extend what is typed.</summary>
    public static (int Start, string Text)? Selected(SourceText text, int offset, SelectedCompletionInfo? selected, PositionEncoding encoding)
    {
        if (selected is null)
        {
            return null;
        }

        var start = Offset(text, selected.Range.Start, encoding);
        return start <= offset && selected.Text.AsSpan().StartsWith(text.Content.AsSpan(start, offset - start)) ? (start, selected.Text) : null;
    }

    /// <summary>Whether a word stands in a document, and not only as a part of a longer one.</summary>
    public static bool HasWord(SourceText text, string word)
    {
        var content = text.Content.AsSpan();
        for (var start = 0; ;)
        {
            var found = content[start..].IndexOf(word, StringComparison.Ordinal);
            if (found < 0)
            {
                return false;
            }

            var (first, end) = (start + found, start + found + word.Length);
            if ((first == 0 || !IsInWord(content[first - 1])) && (end == content.Length || !IsInWord(content[end])))
            {
                return true;
            }

            start = end;
        }
    }

    private static bool IsInWord(char character) => char.IsLetterOrDigit(character) || character == '_';

    private static Position Position(SourceText text, int offset, PositionEncoding encoding)
    {
        var position = text.Position(offset, encoding);
        return new(position.Line, position.Character);
    }
}
