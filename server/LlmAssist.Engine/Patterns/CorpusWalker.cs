// Which files to learn from, and their text. Changes nothing on disk and goes to no network.
using System.Buffers;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>What the user asked to learn from.</summary>
public sealed record CorpusOptions
{
    /// <summary>Patterns as in ignore files, relative to each root; a file must match one, or lie in a folder that does. None: every file.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Patterns as in ignore files, relative to each root; what matches is left out.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>The size above which a file is left out, in bytes.</summary>
    public long MaxFileBytes { get; init; } = 512 * 1024;
}

/// <summary>A file to learn from.</summary>
/// <param name="FullPath">Its path with the system's separators.</param>
/// <param name="RelativePath">Its path in its root, with slashes; the file's name where the root is the file.</param>
/// <param name="Language">Never <see cref="Language.PlainText"/>.</param>
/// <param name="Bytes">Its size; at least 1.</param>
/// <param name="ModifiedAt">Its time of change, in 100 ns ticks of UTC.</param>
public sealed record CorpusFile(string FullPath, string RelativePath, Language Language, long Bytes, long ModifiedAt);

/// <summary>Why an entry was passed over.</summary>
public enum SkipReason
{
    /// <summary>An ignore file says so. What git ignores is not counted, because git does not list it.</summary>
    Ignored,

    /// <summary>The user's options say so.</summary>
    Excluded,

    /// <summary>A folder of other people's code or of build results.</summary>
    Dependency,

    /// <summary>No text in an encoding that we read.</summary>
    NotText,

    /// <summary>Written by a program that says so.</summary>
    Generated,

    /// <summary>Lines that nobody typed.</summary>
    Minified,

    /// <summary>The record of a package manager.</summary>
    LockFile,

    /// <summary>Above the size limit for its kind.</summary>
    TooLarge,

    /// <summary>Made to hold secrets, or holding a private key.</summary>
    Secret,

    /// <summary>Gone, or not ours to read.</summary>
    Unreadable,

    /// <summary>Of no language that the lexer knows.</summary>
    UnknownLanguage,
}

/// <summary>What there is to learn from.</summary>
/// <param name="Files">In ordinal order of full paths, each once.</param>
/// <param name="Skipped">How many entries were passed over, by reason; a folder counts once.</param>
public sealed record Corpus(IReadOnlyList<CorpusFile> Files, IReadOnlyDictionary<SkipReason, int> Skipped);

/// <summary>
/// Finds the files to learn from. In a git work tree git itself names them; elsewhere the walk honors .gitignore, .ignore
/// and .llmassistignore, looks into no hidden folder and passes over the folders of package managers and builds, the
/// ambiguous ones (bin, target, vendor) only beside the project file that explains them. .llmassistignore holds in work
/// trees too. Symbolic links are never followed, so a walk neither leaves its root nor goes in circles.
/// </summary>
public static class CorpusWalker
{
    private const string OwnIgnoreFile = ".llmassistignore";

    /// <summary>Finds the files of every root, each of them a folder or a file. Reads the first 16 KB of each candidate.</summary>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static Corpus Walk(IReadOnlyList<string> roots, CorpusOptions options, CancellationToken cancellation)
    {
        var survey = new Survey(options, cancellation);
        foreach (var root in roots)
        {
            survey.AddRoot(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)));
        }

        return survey.Result();
    }

    /// <summary>
    /// The text of a file; null when it is gone, unreadable, has grown beyond recognition since the walk, or turns out to
    /// hold a private key.
    /// </summary>
    public static string? ReadText(CorpusFile file)
    {
        const long Growth = 1024 * 1024;
        try
        {
            using var handle = File.OpenHandle(file.FullPath, options: FileOptions.SequentialScan, share: FileShare.ReadWrite | FileShare.Delete);
            var length = RandomAccess.GetLength(handle);
            if (file.Bytes + Growth < length)
            {
                return null;
            }

            var buffer = ArrayPool<byte>.Shared.Rent((int)length);
            try
            {
                var bytes = buffer.AsSpan(0, ReadFully(handle, buffer.AsSpan(0, (int)length)));
                var text = LearnableFile.Decode(bytes);
                return SecretFilter.HoldsPrivateKey(text) ? null : text;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static int ReadFully(Microsoft.Win32.SafeHandles.SafeFileHandle handle, Span<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length && RandomAccess.Read(handle, buffer[filled..], filled) is var count && 0 < count)
        {
            filled += count;
        }

        return filled;
    }

    // One walk over all roots. Used on one thread.
    private sealed class Survey(CorpusOptions options, CancellationToken cancellation)
    {
        // The one that has the last word comes last.
        private static readonly string[] WalkIgnoreFiles = [".gitignore", ".ignore", OwnIgnoreFile];
        private static readonly string[] GitIgnoreFiles = [OwnIgnoreFile];

        private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = true };

        // Folders of other people's code, tracked or not.
        private static readonly HashSet<string> DependencyFolders = new(StringComparer.OrdinalIgnoreCase)
        {
            "node_modules", "bower_components", "jspm_packages", "site-packages", "dist-packages", "__pycache__", "__pypackages__", "Pods", "Carthage", "DerivedData",
        };

        // Folders that are build results or dependencies beside such a file, and somebody's sources elsewhere.
        private static readonly Dictionary<string, string[]> ExplainedFolders = new(StringComparer.OrdinalIgnoreCase)
        {
            ["bin"] = ["*.csproj", "*.fsproj", "*.vbproj"],
            ["obj"] = ["*.csproj", "*.fsproj", "*.vbproj"],
            ["target"] = ["Cargo.toml", "pom.xml", "build.sbt"],
            ["build"] = ["build.gradle", "build.gradle.kts", "CMakeLists.txt", "setup.py", "pyproject.toml", "package.json", "meson.build"],
            ["dist"] = ["package.json", "setup.py", "pyproject.toml"],
            ["out"] = ["package.json", "build.gradle", "build.gradle.kts"],
            ["coverage"] = ["package.json"],
            ["vendor"] = ["go.mod", "composer.json", "Gemfile"],
            ["packages"] = ["packages.config", "NuGet.config"],
            ["venv"] = ["requirements.txt", "pyproject.toml", "setup.py"],
            ["env"] = ["requirements.txt", "pyproject.toml", "setup.py"],
        };

        private readonly List<IgnorePattern> _include = [.. options.Include.Select(IgnorePattern.Parse).OfType<IgnorePattern>()];
        private readonly List<IgnorePattern> _exclude = [.. options.Exclude.Select(IgnorePattern.Parse).OfType<IgnorePattern>()];
        private readonly SortedDictionary<string, CorpusFile> _files = new(StringComparer.Ordinal);
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
        private readonly Dictionary<SkipReason, int> _skipped = [];
        private readonly byte[] _head = new byte[LearnableFile.HeadBytes];

        public Corpus Result() => new([.. _files.Values], _skipped);

        public void AddRoot(string root)
        {
            if (File.Exists(root))
            {
                // A link that the user names is meant; links in folders are not followed.
                AddFile(File.ResolveLinkTarget(root, returnFinalTarget: true) as FileInfo ?? new FileInfo(root), Path.GetFileName(root));
            }
            else if (!TryAddWorkTree(root, "", null))
            {
                WalkFolder(root);
            }
        }

        // Whether git named any file: a root that is itself ignored, or a tree without files yet, is walked instead.
        private bool TryAddWorkTree(string folder, string relativeFolder, IgnoreRules? outerRules)
        {
            if (GitListing.TryList(folder, cancellation) is not { Count: > 0 } paths)
            {
                return false;
            }

            // Null for a folder that is passed over.
            var folders = new Dictionary<string, IgnoreRules?>(StringComparer.Ordinal)
            {
                [""] = outerRules is null ? IgnoreRules.Of(folder, GitIgnoreFiles) : outerRules.Below(folder, GitIgnoreFiles),
            };
            foreach (var path in paths)
            {
                cancellation.ThrowIfCancellationRequested();
                var slash = path.LastIndexOf('/');
                var name = path[(slash + 1)..];

                // A path that ends with a slash is somebody's repository in this one, like a submodule.
                if (name.Length != 0 && RulesOf(slash < 0 ? "" : path[..slash]) is { } rules)
                {
                    AddEntry(rules, folder, path, name);
                }
            }

            return true;

            IgnoreRules? RulesOf(string path)
            {
                if (folders.TryGetValue(path, out var known))
                {
                    return known;
                }

                var slash = path.LastIndexOf('/');
                var name = path[(slash + 1)..];
                IgnoreRules? rules = null;
                if (RulesOf(slash < 0 ? "" : path[..slash]) is { } outer)
                {
                    var reason = outer.IsIgnored(name, isFolder: true) ? SkipReason.Ignored
                        : DependencyFolders.Contains(name) ? SkipReason.Dependency
                        : (SkipReason?)null;
                    Count(reason);
                    rules = reason is null ? outer.Below(Path.Combine(folder, path), GitIgnoreFiles) : null;
                }

                folders[path] = rules;
                return rules;
            }

            void AddEntry(IgnoreRules rules, string folder, string path, string name)
            {
                if (rules.IsIgnored(name, isFolder: false))
                {
                    Count(SkipReason.Ignored);
                    return;
                }

                // Not counted if it does not exist: git also lists what was deleted and not committed, and submodules.
                var file = new FileInfo(Path.Combine(folder, path.Replace('/', Path.DirectorySeparatorChar)));
                if (file.Exists)
                {
                    AddFile(file, relativeFolder + path);
                }
            }
        }

        private void WalkFolder(string root)
        {
            var pending = new Stack<(DirectoryInfo Folder, string RelativePath, IgnoreRules Rules)>();
            pending.Push((new(root), "", IgnoreRules.Of(root, WalkIgnoreFiles)));
            while (pending.TryPop(out var current))
            {
                cancellation.ThrowIfCancellationRequested();
                var entries = EntriesOf(current.Folder);
                foreach (var entry in entries)
                {
                    var path = current.RelativePath + entry.Name;
                    if (IsLink(entry))
                    {
                        continue;
                    }

                    if (current.Rules.IsIgnored(entry.Name, entry is DirectoryInfo))
                    {
                        Count(SkipReason.Ignored);
                    }
                    else if (entry is FileInfo file)
                    {
                        AddFile(file, path);
                    }
                    else if (entry is DirectoryInfo folder && IsWorthEntering(folder.Name, entries)
                        && !(Path.Exists(Path.Combine(folder.FullName, ".git")) && TryAddWorkTree(folder.FullName, path + '/', current.Rules)))
                    {
                        pending.Push((folder, path + '/', current.Rules.Below(folder.FullName, WalkIgnoreFiles)));
                    }
                }
            }
        }

        private List<FileSystemInfo> EntriesOf(DirectoryInfo folder)
        {
            try
            {
                return [.. folder.EnumerateFileSystemInfos("*", Everything)];
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Count(SkipReason.Unreadable);
                return [];
            }
        }

        // Hidden folders hold the state of tools: caches, virtual environments, histories. .github holds sources.
        private bool IsWorthEntering(string name, List<FileSystemInfo> siblings)
        {
            if (name.StartsWith('.'))
            {
                return name == ".github";
            }

            var isExplained = ExplainedFolders.TryGetValue(name, out var explanations)
                && siblings.Any(sibling => explanations.Any(explanation => Explains(explanation, sibling.Name)));
            if (isExplained || DependencyFolders.Contains(name))
            {
                Count(SkipReason.Dependency);
                return false;
            }

            return true;
        }

        private static bool Explains(string explanation, string name) =>
            explanation[0] == '*' ? name.EndsWith(explanation[1..], StringComparison.OrdinalIgnoreCase) : name.Equals(explanation, StringComparison.OrdinalIgnoreCase);

        private void AddFile(FileInfo file, string relativePath)
        {
            if (_seen.Add(file.FullName))
            {
                var language = Language.ByPath(file.Name);
                var reason = ReasonToSkip(file, relativePath, language, out var isEmpty);
                Count(reason);
                if (reason is null && !isEmpty)
                {
                    _files.Add(file.FullName, new(file.FullName, relativePath, language, file.Length, file.LastWriteTimeUtc.Ticks));
                }
            }
        }

        // From what the name tells to what must be read.
        private SkipReason? ReasonToSkip(FileInfo file, string relativePath, Language language, out bool isEmpty)
        {
            isEmpty = false;
            if ((0 < _include.Count && !IgnorePattern.Selects(_include, relativePath)) || IgnorePattern.Selects(_exclude, relativePath))
            {
                return SkipReason.Excluded;
            }

            if (LearnableFile.RefusalByName(file.FullName, language) is { } byName)
            {
                return byName;
            }

            try
            {
                var length = file.Length;
                if ((language.IsData ? Math.Min(options.MaxFileBytes, LearnableFile.MaxDataFileBytes) : options.MaxFileBytes) < length)
                {
                    return SkipReason.TooLarge;
                }

                // Pipes and devices have no length either; reading one might never end.
                isEmpty = length == 0 || IsLink(file);
                if (isEmpty)
                {
                    return null;
                }

                using var handle = File.OpenHandle(file.FullName, share: FileShare.ReadWrite | FileShare.Delete);
                var count = ReadFully(handle, _head.AsSpan(0, (int)Math.Min(length, _head.Length)));
                return LearnableFile.RefusalByHead(_head.AsSpan(0, count), language);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return SkipReason.Unreadable;
            }
        }

        private static bool IsLink(FileSystemInfo entry) => entry.Attributes.HasFlag(FileAttributes.ReparsePoint) && entry.LinkTarget is not null;

        private void Count(SkipReason? reason)
        {
            if (reason is { } known)
            {
                _skipped[known] = _skipped.GetValueOrDefault(known) + 1;
            }
        }
    }
}
