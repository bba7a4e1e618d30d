// What ignore files say about the files below them, as git reads them. Reads ignore files; does not walk.
using System.Text.RegularExpressions;
using MAB.DotIgnore;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// The ignore rules that hold in one folder, from its own ignore files and those of the folders above: the last rule that
/// matches decides, and files further down come later. Immutable once made.
/// </summary>
internal sealed class IgnoreRules
{
    private readonly IgnoreRules? _parent;
    private readonly string _name;
    private readonly List<IgnorePattern> _patterns = [];

    private IgnoreRules(IgnoreRules? parent, string folder, IReadOnlyList<string> fileNames)
    {
        _parent = parent;
        _name = Path.GetFileName(folder);
        foreach (var file in fileNames.Select(name => Path.Combine(folder, name)).Where(File.Exists))
        {
            try
            {
                _patterns.AddRange(File.ReadLines(file).Select(IgnorePattern.Parse).OfType<IgnorePattern>());
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Gone, or not ours to read: no rules, as for git.
            }
        }
    }

    /// <summary>The rules of the topmost folder.</summary>
    /// <param name="folder">Full path.</param>
    /// <param name="fileNames">Names of ignore files; the one that has the last word comes last.</param>
    public static IgnoreRules Of(string folder, IReadOnlyList<string> fileNames) => new(null, folder, fileNames);

    /// <summary>The rules of a folder directly in this one.</summary>
    public IgnoreRules Below(string folder, IReadOnlyList<string> fileNames) => new(this, folder, fileNames);

    /// <summary>
    /// Whether the entry called <paramref name="name"/> directly in this folder is ignored, supposing that no folder above
    /// it is: git looks into no ignored folder.
    /// </summary>
    public bool IsIgnored(string name, bool isFolder)
    {
        var path = name;
        for (var rules = this; rules is not null; rules = rules._parent)
        {
            if (IgnorePattern.LastMatch(rules._patterns, path, name, isFolder) is { } last)
            {
                return !last.IsNegated;
            }

            path = rules._name + '/' + path;
        }

        return false;
    }
}

/// <summary>
/// One line of an ignore file. MAB.DotIgnore translates the globs; what a line means around its glob is decided here,
/// because that library also matches plain names against the folders of a path, which breaks negated rules.
/// </summary>
internal sealed class IgnorePattern
{
    private static readonly RegexOptions Casing = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? RegexOptions.IgnoreCase : RegexOptions.None;

    private readonly Regex _glob;
    private readonly bool _isForFolders;
    private readonly bool _isForNames;

    private IgnorePattern(Regex glob, bool isNegated, bool isForFolders, bool isForNames)
    {
        _glob = glob;
        IsNegated = isNegated;
        _isForFolders = isForFolders;
        _isForNames = isForNames;
    }

    /// <summary>Whether a match means that the entry is not ignored after all.</summary>
    public bool IsNegated { get; }

    /// <summary>The pattern of a line; null for blank lines, comments and what is no pattern.</summary>
    public static IgnorePattern? Parse(string line)
    {
        var pattern = WithoutTrailingBlanks(line);
        var isNegated = pattern.StartsWith('!');
        pattern = isNegated ? pattern[1..] : pattern;
        var isForFolders = pattern.EndsWith('/');
        pattern = isForFolders ? pattern[..^1] : pattern;
        if (pattern.Length == 0 || line[0] == '#' || pattern.EndsWith('\\'))
        {
            return null;
        }

        var isForNames = !pattern.Contains('/');
        var components = pattern.TrimStart('/').Split('/').Select(part => part == "**" ? part : Regex.Replace(part, @"\*{2,}", "*"));
        try
        {
            var expression = Matcher.ToRegex(string.Join('/', components));
            return string.IsNullOrEmpty(expression) ? null : new(new(expression, Casing | RegexOptions.CultureInvariant | RegexOptions.Singleline), isNegated, isForFolders, isForNames);
        }
        catch (ArgumentException)
        {
            // For example "[": git matches nothing with it either.
            return null;
        }
    }

    /// <summary>The last of the patterns that matches an entry; null if none does.</summary>
    /// <param name="patterns">In the order of the ignore file.</param>
    /// <param name="path">Relative to the ignore file's folder, with slashes.</param>
    /// <param name="name">The last part of the path.</param>
    /// <param name="isFolder">What the entry is.</param>
    public static IgnorePattern? LastMatch(List<IgnorePattern> patterns, string path, string name, bool isFolder) =>
        patterns.FindLast(pattern => (isFolder || !pattern._isForFolders) && pattern._glob.IsMatch(pattern._isForNames ? name : path));

    /// <summary>Whether patterns of an option, which have no folders of their own, mean a file or a folder that it is in.</summary>
    public static bool Selects(List<IgnorePattern> patterns, string path)
    {
        for (var end = path.IndexOf('/'); 0 <= end; end = path.IndexOf('/', end + 1))
        {
            var folder = path[..end];
            if (LastMatch(patterns, folder, Path.GetFileName(folder), isFolder: true) is { IsNegated: false })
            {
                return true;
            }
        }

        return LastMatch(patterns, path, Path.GetFileName(path), isFolder: false) is { IsNegated: false };
    }

    private static string WithoutTrailingBlanks(string line)
    {
        var end = line.Length;
        while (0 < end && line[end - 1] == ' ' && !(1 < end && line[end - 2] == '\\'))
        {
            end--;
        }

        return line[..end];
    }
}
