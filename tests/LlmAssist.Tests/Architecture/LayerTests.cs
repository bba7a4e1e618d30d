// Who may import whom, as data. A new line in one of these tables is what a review is about.
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using LlmAssist.Engine;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Architecture.Samples.Upper;

namespace LlmAssist.Tests.Architecture;

public sealed class LayerTests
{
    private const string Engine = "LlmAssist.Engine";
    private const string Server = "LlmAssist.Server";
    private const string Lower = "LlmAssist.Tests.Architecture.Samples.Lower";
    private const string Upper = "LlmAssist.Tests.Architecture.Samples.Upper";

    // A folder may always mention itself. "X.*" is X and everything below; without the star it is X's own types only.
    private static readonly Dictionary<string, string[]> Layers = new()
    {
        [Engine] = [], // ModelId, Bug, Phrase: above all folders, because every folder may use them
        [$"{Engine}.Text"] = [Engine],
        [$"{Engine}.Patterns"] = [Engine, $"{Engine}.Text"],
        [$"{Engine}.Ollama"] = [Engine],
        [$"{Engine}.Memory"] = [Engine], // ids and byte counts, never models
        [$"{Engine}.Sharing"] = [Engine, $"{Engine}.Memory"],
        [$"{Engine}.Models"] = [Engine, $"{Engine}.Text", $"{Engine}.Patterns", $"{Engine}.Ollama", $"{Engine}.Memory", $"{Engine}.Sharing"],
        [$"{Engine}.Completion"] = [Engine, $"{Engine}.Text", $"{Engine}.Patterns", $"{Engine}.Ollama", $"{Engine}.Models"],
        [$"{Server}.Rpc"] = [],
        [$"{Server}.Lsp"] = [],
        [$"{Server}.Session"] = [$"{Server}.Rpc", $"{Server}.Lsp", $"{Engine}.*"],
        [$"{Server}.Background"] = [$"{Server}.Lsp", $"{Server}.Session", $"{Engine}.*"],
        [$"{Server}.Handlers"] = [$"{Server}.Lsp", $"{Server}.Session", $"{Server}.Background", $"{Engine}.*"],
        [$"{Server}.Commands"] = [$"{Server}.Lsp", $"{Server}.Session", $"{Server}.Background", $"{Engine}.*"],
        [Server] = [$"{Server}.*", $"{Engine}.*"], // ServerHost, where everything is wired
        [$"{Server}.Cli"] = [Server, $"{Engine}.*"],
    };

    // What folders must not use of the system: names that start like this, as Type or Type.Member.
    private static readonly (string Folder, string[] Never)[] Forbidden =
    [
        ($"{Engine}.Text", ["System.Net.", "System.IO.File", "System.IO.Directory"]),
        ($"{Engine}.Patterns", ["System.Net."]),
        ($"{Engine}.Ollama", ["System.IO.File", "System.IO.Directory"]),
        ($"{Engine}.Memory", ["System.Net."]),
        ($"{Engine}.Sharing", ["System.Net."]),
        ($"{Engine}.Models", ["System.Net."]),
        ($"{Engine}.Completion", ["System.Net.", "System.IO.File", "System.IO.Directory"]),

        // Only the loop changes the session, so there is nothing to lock.
        ($"{Server}.Session", ["System.Threading.Lock", "System.Threading.Monitor", "System.Threading.ReaderWriterLock", "System.Threading.Mutex"]),
    ];

    // Standard output carries protocol frames. Who may touch what leads to it, by the type's name.
    private static readonly (string Target, string[] Only)[] StandardOutput =
    [
        ("System.Console.Write", ["Terminal"]),
        ("System.Console.get_Out", ["Terminal"]),
        ("System.Console.SetOut", ["Terminal"]),
        ("System.Console.OpenStandardOutput", ["FrameWriter", "ServeVerb", "Terminal"]),
        ("Spectre.Console.AnsiConsole.", ["Terminal"]),
    ];

    private static readonly string[] MutableStatics =
    [
        "LlmAssist.Engine.Bug.Reporter", // the host sets it once, before anything else runs
    ];

    private static readonly string EngineFile = typeof(SourceText).Assembly.Location;
    private static readonly string ServerFile = Assembly.Load("llm-assist").Location;
    private static readonly string SampleFile = typeof(LayerTests).Assembly.Location;

    [Fact]
    public void Folders_mention_only_what_their_layer_may() => Check(Violations(Ours(), Layers));

    [Fact]
    public void Folders_keep_away_from_what_they_must_not_do() => Check(Trespasses(Ours()));

    [Fact]
    public void Only_the_writers_of_standard_output_touch_it() => Check(Writers(Ours()));

    [Fact]
    public void The_engine_has_no_protocol_in_it()
    {
        using var file = new PEReader(File.OpenRead(EngineFile));
        var metadata = file.GetMetadataReader();
        var texts = new List<string>();
        for (var handle = MetadataTokens.UserStringHandle(0); !handle.IsNil || texts.Count == 0; handle = metadata.GetNextHandle(handle))
        {
            texts.Add(metadata.GetUserString(handle));
        }

        Assert.True(1 < texts.Count, "No strings were read from the engine.");
        string[] protocol = ["textDocument/", "jsonrpc", "$/cancelRequest", "$/progress", "Content-Length"];
        Assert.DoesNotContain(texts, text => protocol.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public void Statics_do_not_change() => Check(MutableStaticsOf(typeof(Bug).Assembly, Assembly.Load("llm-assist")).Except(MutableStatics));

    // What follows proves that the tests above can fail.

    public static TheoryData<string> Samples => new(
        typeof(LayerTests).Assembly.GetTypes()
            .Where(type => type.Namespace == Upper && !type.IsNested && type.Name != nameof(NotAtAll))
            .Select(type => type.Name));

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_way_of_mentioning_is_seen(string sample) =>
        Assert.Contains(sample, Violations(TypeReferences.In(SampleFile), SampleLayers(upperMay: [])).Select(violation => violation.Split(' ')[0].Split('.')[^1]));

    [Fact]
    public void What_is_allowed_or_only_looks_like_a_mention_is_no_violation()
    {
        Assert.Empty(Violations(TypeReferences.In(SampleFile), SampleLayers(upperMay: [Lower])));
        Assert.DoesNotContain(Violations(TypeReferences.In(SampleFile), SampleLayers(upperMay: [])), violation => violation.Contains(nameof(NotAtAll)));
    }

    [Theory]
    [InlineData("LlmAssist.Engine.Memory", "LlmAssist.Engine.Patterns", true)]
    [InlineData("LlmAssist.Engine.Memory", "LlmAssist.Engine", false)]
    [InlineData("LlmAssist.Engine.Completion", "LlmAssist.Engine.Memory", true)]
    [InlineData("LlmAssist.Server.Rpc", "LlmAssist.Engine", true)]
    [InlineData("LlmAssist.Server.Session", "LlmAssist.Engine.Models", false)]
    [InlineData("LlmAssist.Server.Session", "LlmAssist.Server", true)]
    [InlineData("LlmAssist.Server.Handlers", "LlmAssist.Server.Commands", true)]
    [InlineData("LlmAssist.Server.Cli", "LlmAssist.Server.Session", true)]
    [InlineData("LlmAssist.Server", "LlmAssist.Server.Handlers", false)]
    [InlineData("LlmAssist.Engine.Patterns", "System.IO", false)]
    [InlineData("LlmAssist.Engine.Patterns.Inner", "LlmAssist.Engine.Text", true)] // a folder that is not in the table
    public void The_table_means(string from, string to, bool violates) =>
        Assert.Equal(violates, Violations([new(from, "A", to, "B", "")], Layers).Count != 0);

    [Theory]
    [InlineData("LlmAssist.Engine.Patterns", "System.Net.Http", "HttpClient", "SendAsync", true)]
    [InlineData("LlmAssist.Engine.Ollama", "System.Net.Http", "HttpClient", "SendAsync", false)]
    [InlineData("LlmAssist.Engine.Ollama", "System.IO", "File", "ReadAllText", true)]
    [InlineData("LlmAssist.Engine.Ollama", "System.IO", "FileStream", ".ctor", true)]
    [InlineData("LlmAssist.Engine.Ollama", "System.IO", "Stream", "ReadAsync", false)]
    [InlineData("LlmAssist.Engine.Patterns", "System.IO", "File", "ReadAllText", false)]
    [InlineData("LlmAssist.Server.Session", "System.Threading", "Monitor", "Enter", true)]
    [InlineData("LlmAssist.Server.Rpc", "System.Threading", "Monitor", "Enter", false)]
    public void The_table_of_what_is_forbidden_means(string from, string space, string type, string member, bool violates) =>
        Assert.Equal(violates, Trespasses([new(from, "A", space, type, member)]).Any());

    [Theory]
    [InlineData("FrameReader", "System", "Console", "OpenStandardOutput", true)]
    [InlineData("FrameWriter", "System", "Console", "OpenStandardOutput", false)]
    [InlineData("FrameWriter", "System", "Console", "WriteLine", true)]
    [InlineData("Terminal", "System", "Console", "WriteLine", false)]
    [InlineData("TrainVerb", "System", "Console", "get_Error", false)]
    [InlineData("TrainVerb", "Spectre.Console", "AnsiConsole", "MarkupLine", true)]
    [InlineData("TrainVerb", "Spectre.Console", "AnsiConsoleExtensions", "MarkupLine", false)]
    public void The_output_table_means(string from, string space, string type, string member, bool violates) =>
        Assert.Equal(violates, Writers([new("LlmAssist.Server.Cli", from, space, type, member)]).Any());

    [Fact]
    public void A_static_that_changes_is_seen() =>
        Assert.Contains($"{Lower}.Thing.Field", MutableStaticsOf(typeof(LayerTests).Assembly));

    private static void Check(IEnumerable<string> violations)
    {
        var all = violations.ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }

    private static IEnumerable<TypeReference> Ours() => TypeReferences.In(EngineFile).Concat(TypeReferences.In(ServerFile));

    private static List<string> Violations(IEnumerable<TypeReference> references, IReadOnlyDictionary<string, string[]> layers)
    {
        var scope = layers.Keys.Select(key => string.Join('.', key.Split('.')[..2])).Distinct().ToArray();
        return references
            .Select(reference => reference with { FromNamespace = FolderOf(reference) })
            .Where(reference => scope.Any(name => IsBelow(reference.FromNamespace, name)) && scope.Any(name => IsBelow(reference.ToNamespace, name)))
            .Where(reference => reference.FromNamespace != reference.ToNamespace)
            .Where(reference => layers.TryGetValue(reference.FromNamespace, out var allowed)
                ? !allowed.Any(pattern => Matches(reference.ToNamespace, pattern))
                : layers.ContainsKey(reference.ToNamespace)) // A new folder needs its line before it may mention others.
            .Select(reference => $"{reference.FromNamespace}.{reference.FromType} mentions {Target(reference)}")
            .ToList();
    }

    private static IEnumerable<string> Trespasses(IEnumerable<TypeReference> references) =>
        from reference in references
        from rule in Forbidden
        where IsBelow(FolderOf(reference), rule.Folder) && rule.Never.Any(name => Target(reference).StartsWith(name, StringComparison.Ordinal))
        select $"{rule.Folder}.{reference.FromType} uses {Target(reference)}";

    private static IEnumerable<string> Writers(IEnumerable<TypeReference> references) =>
        from reference in references
        from rule in StandardOutput
        where Target(reference).StartsWith(rule.Target, StringComparison.Ordinal) && !rule.Only.Contains(reference.FromType)
        select $"{reference.FromNamespace}.{reference.FromType} uses {Target(reference)}";

    private static IEnumerable<string> MutableStaticsOf(params Assembly[] assemblies) =>
        from assembly in assemblies
        from type in assembly.GetTypes()
        where type.GetCustomAttribute<System.CodeDom.Compiler.GeneratedCodeAttribute>() is null
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where !field.IsInitOnly && !field.IsLiteral
        let name = field.Name.EndsWith(">k__BackingField", StringComparison.Ordinal) ? field.Name[1..field.Name.IndexOf('>')] : field.Name
        // The compiler's own caches of delegates and hash tables.
        where !name.StartsWith('<') && !type.FullName!.StartsWith('<') && type.GetCustomAttribute<CompilerGeneratedAttribute>() is null
        select $"{type.FullName!.Replace('+', '.')}.{name}";

    private static Dictionary<string, string[]> SampleLayers(string[] upperMay) => new()
    {
        [Lower] = [],
        [Upper] = upperMay,
    };

    // Top-level statements have no namespace; the only ones are those of Cli/Program.cs.
    private static string FolderOf(TypeReference reference) =>
        reference is { FromNamespace: "", FromType: "Program" } ? $"{Server}.Cli" : reference.FromNamespace;

    private static string Target(TypeReference reference) => $"{reference.ToNamespace}.{reference.ToType}.{reference.Member}";

    private static bool Matches(string name, string pattern) =>
        pattern.EndsWith(".*", StringComparison.Ordinal) ? IsBelow(name, pattern[..^2]) : name == pattern;

    private static bool IsBelow(string name, string root) => name == root || name.StartsWith(root + '.', StringComparison.Ordinal);
}
