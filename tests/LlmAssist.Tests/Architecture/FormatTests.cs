// How every source file looks. What the compiler and the analyzers already hold is not repeated here.
using System.Text;
using System.Text.RegularExpressions;

namespace LlmAssist.Tests.Architecture;

public sealed partial class FormatTests
{
    private static readonly string[] Folders = ["server", "client-vscode", "tests", "scripts"];
    private static readonly string[] Extensions = [".cs", ".ts", ".mjs"];

    // Made by builds, or text that has to be as strange as it is.
    private static readonly string[] Skipped = ["node_modules", "bin", "obj", "dist", "out", "tests/Fixtures", "client-vscode/server"];

    private static readonly HashSet<string> EmptyWords =
        ["Manager", "Managers", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Service", "Services", "Impl"];

    // A rule answers the number of the first line that breaks it, from 1, or 0. Paths are relative, with slashes.
    private static readonly (string Name, Func<string, string, int> FirstBad)[] Rules =
    [
        ("lines end with LF", (_, text) => LineOf(text, text.IndexOf('\r'))),
        ("the last line ends, and only once", (_, text) => text.Length == 0 || (text.EndsWith('\n') && !text.EndsWith("\n\n", StringComparison.Ordinal)) ? 0 : LineOf(text, text.Length - 1)),
        ("no byte-order mark", (_, text) => text.StartsWith('\uFEFF') ? 1 : 0),
        ("no tabs", (_, text) => LineOf(text, text.IndexOf('\t'))),
        ("no blanks at line ends", (_, text) => LineOf(text, TrailingBlank().Match(text))),
        ("namespaces are file-scoped", (path, text) => IsCSharp(path) ? LineOf(text, BlockNamespace().Match(text)) : 0),
        ("the namespace is the folder", (path, text) => IsCSharp(path) && Namespace().Match(text) is { Success: true } match && match.Groups[1].Value != NamespaceOf(path) ? LineOf(text, match) : 0),
        ("no regions", (_, text) => LineOf(text, Region().Match(text))),
        ("what is to do names its issue", (_, text) => LineOf(text, ToDo().Match(text))),
        ("type names say something", (path, text) => IsTest(path) ? 0 : LineOf(text, TypeName().Matches(text).FirstOrDefault(match => Words(match.Groups[1].Value).Any(EmptyWords.Contains)))),
    ];

    [Fact]
    public void Every_source_file_keeps_the_rules()
    {
        var files = SourceFiles().ToList();
        Assert.Contains("tests/LlmAssist.Tests/Architecture/FormatTests.cs", files);
        Assert.Contains("scripts/lib.mjs", files);
        var broken = files.SelectMany(path => Broken(path, Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(Root, path))))).ToList();
        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }

    [Theory]
    [InlineData("a.cs", "class A;\n", null)]
    [InlineData("a.cs", "", null)]
    [InlineData("a.cs", "class A;\r\n", "lines end with LF:1")]
    [InlineData("a.cs", "class A;\n\nclass B;", "the last line ends, and only once:3")]
    [InlineData("a.mjs", "a();\n\n", "the last line ends, and only once:2")]
    [InlineData("a.ts", "\uFEFFa();\n", "no byte-order mark:1")]
    [InlineData("a.ts", "a();\n\tb();\n", "no tabs:2")]
    [InlineData("a.ts", "a();\nb(); \n", "no blanks at line ends:2")]
    [InlineData("server/X/A/B.cs", "namespace X.A;\n", null)]
    [InlineData("server/X/A/B.cs", "namespace X.A\n{\n}\n", "namespaces are file-scoped:1")]
    [InlineData("server/X/A/B.cs", "namespace X.A {\n}\n", "namespaces are file-scoped:1")]
    [InlineData("server/X/A/B.cs", "// a\nnamespace X.B;\n", "the namespace is the folder:2")]
    [InlineData("server/X/B.cs", "namespace X;\n", null)]
    [InlineData("a.cs", "class A;\n  #" + "region B\n", "no regions:2")]
    [InlineData("a.cs", "// TO" + "DO: later\n", "what is to do names its issue:1")]
    [InlineData("a.ts", "// FIX" + "ME later\n", "what is to do names its issue:1")]
    [InlineData("a.cs", "// TO" + "DO (#12): later\n", null)]
    [InlineData("a.mjs", "say(\"all\", \"todo\");\n", null)]
    [InlineData("a.cs", "public sealed class ModelManager;\n", "type names say something:1")]
    [InlineData("a.cs", "internal readonly record struct StringUtils(int A);\n", "type names say something:1")]
    [InlineData("a.ts", "export interface FooService {}\n", "type names say something:1")]
    [InlineData("a.ts", "export default class RankerImpl {}\n", "type names say something:1")]
    [InlineData("a.cs", "public sealed class ImplicitServiced;\n", null)]
    [InlineData("tests/A.cs", "internal sealed class UserService;\n", null)] // as code to learn from
    public void Rules_mean(string path, string text, string? broken)
    {
        var found = Broken(path, text).Select(violation => violation[(path.Length + 2)..]);
        Assert.Equal(broken is null ? [] : [broken], found);
    }

    [Fact]
    public void Test_types_have_names_that_say_something_too()
    {
        var names = typeof(FormatTests).Assembly.GetTypes()
            .Where(type => type.Namespace?.StartsWith("LlmAssist.", StringComparison.Ordinal) == true)
            .Select(type => type.Name);
        Assert.DoesNotContain(names, name => Words(name).Any(EmptyWords.Contains));
    }

    internal static string Root { get; } = FindRoot();

    private static IEnumerable<string> Broken(string path, string text) =>
        from rule in Rules
        let line = rule.FirstBad(path, text)
        where line != 0
        select $"{path}: {rule.Name}:{line}";

    private static IEnumerable<string> SourceFiles() =>
        Folders.Select(folder => new DirectoryInfo(Path.Combine(Root, folder))).Where(folder => folder.Exists).SelectMany(SourceFilesIn);

    private static IEnumerable<string> SourceFilesIn(DirectoryInfo folder) =>
        Skipped.Contains(folder.Name) || Skipped.Contains(Relative(folder))
            ? []
            : folder.EnumerateFiles().Where(file => Extensions.Contains(file.Extension)).Select(Relative)
                .Concat(folder.EnumerateDirectories().SelectMany(SourceFilesIn));

    private static string Relative(FileSystemInfo entry) => Path.GetRelativePath(Root, entry.FullName).Replace('\\', '/');

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LlmAssist.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"There is no LlmAssist.sln above {AppContext.BaseDirectory}.");
        }

        return folder;
    }

    // server/LlmAssist.Engine/Text/Token.cs -> LlmAssist.Engine.Text
    private static string NamespaceOf(string path) => string.Join('.', path.Split('/')[1..^1]);

    private static bool IsCSharp(string path) => path.EndsWith(".cs", StringComparison.Ordinal);

    private static bool IsTest(string path) => path.StartsWith("tests/", StringComparison.Ordinal) || path.Contains("/test/", StringComparison.Ordinal);

    private static IEnumerable<string> Words(string name) => Word().Matches(name).Select(match => match.Value);

    private static int LineOf(string text, Match? match) => match is { Success: true } ? LineOf(text, match.Groups[match.Groups.Count - 1].Index) : 0;

    private static int LineOf(string text, int offset) => offset < 0 ? 0 : text.AsSpan(0, offset).Count('\n') + 1;

    [GeneratedRegex("[ \t]+$", RegexOptions.Multiline)]
    private static partial Regex TrailingBlank();

    [GeneratedRegex(@"^namespace [\w.]+\s*(?:\{|$)", RegexOptions.Multiline)]
    private static partial Regex BlockNamespace();

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^\s*#(?:end)?region\b|^\s*//\s*#region\b", RegexOptions.Multiline)]
    private static partial Regex Region();

    // In capitals only: in small letters it is an option of node:test, and Spanish.
    [GeneratedRegex(@"\b(?:TO[D]O|FIX[M]E|HA[C]K)\b(?!.*#\d)")]
    private static partial Regex ToDo();

    [GeneratedRegex(@"^\s*(?:(?:public|internal|private|protected|file|sealed|static|abstract|readonly|ref|unsafe|partial|export|default|declare) )*(?:class|struct|interface|enum|type|record(?: class| struct)?) ([A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex TypeName();

    [GeneratedRegex("[A-Z][a-z0-9]*")]
    private static partial Regex Word();
}
