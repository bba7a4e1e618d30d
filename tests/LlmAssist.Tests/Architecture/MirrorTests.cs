// What is written in more than one place says the same in all: commands and records in the server, on its page of the
// protocol and in the client; settings in the server and in the client's manifest. What the client has of its own
// (palette, texts in two languages) is tested beside it.
using System.IO.Pipelines;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Server;
using LlmAssist.Server.Background;
using LlmAssist.Server.Commands;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Rpc;
using LlmAssist.Server.Session;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Architecture;

public sealed partial class MirrorTests : IDisposable
{
    private const string PagePath = "server/docs/protocol-extensions.md";
    private const string ClientPath = "client-vscode/src/server/protocol.ts";
    private const string ManifestPath = "client-vscode/package.json";

    // Settings that the server never sees the use of.
    private static readonly string[] ClientSettings = ["statusBar", "keyboard.ctrlM", "server.path", "trace.server"];

    // The client's name of a record, and ours. What the client declares must be a member of ours.
    private static readonly (string Interface, Type Record)[] ClientRecords =
    [
        ("ServerStatus", typeof(StatusParams)),
        ("MemoryStatus", typeof(MemoryStatus)),
        ("MemoryReport", typeof(MemoryStatus)),
        ("LimitPreset", typeof(LimitPreset)),
        ("ModelMemory", typeof(ModelMemory)),
        ("ModelEntry", typeof(ModelInfo)),
        ("PatternModel", typeof(ModelInfo)),
        ("OllamaModel", typeof(ModelInfo)),
        ("ModelStatistics", typeof(ModelStats)),
        ("ModelAnswer", typeof(ModelAnswer)),
        ("MemoryHistory", typeof(HistoryAnswer)),
        ("MemorySample", typeof(HistorySample)),
        ("ModelShare", typeof(HistoryShare)),
        ("MemoryEvent", typeof(HistoryEvent)),
        ("PinAnswer", typeof(PinAnswer)),
        ("SettingUpdate", typeof(UpdateSettingParams)),
        ("Explanation", typeof(ExplainAnswer)),
        ("ExplainedOllama", typeof(ExplainedLane)),
    ];

    private static readonly string[] NoCommands = [AssistMethods.Status, AssistMethods.UpdateSetting];

    // The client can show these already; no state of the server has one yet.
    private static readonly string[] NotYetSent = ["command"];

    // Examples are held against the records without mercy: nothing unknown in them, and nothing missing in answers.
    private static readonly JsonSerializerOptions Arguments = Strict(allMembers: false);
    private static readonly JsonSerializerOptions Answers = Strict(allMembers: true);

    private static readonly Dictionary<string, List<JsonElement>> Page = Examples(Read(PagePath));

    private readonly TempFolder _folder = new();
    private readonly PatternStore _store;
    private readonly ModelHost _host;
    private readonly MemoryKeeper _keeper;
    private readonly OllamaHost _ollama;
    private readonly WorkspaceModels _models;
    private readonly CommandTable _commands;

    public MirrorTests()
    {
        var time = TimeProvider.System;
        var client = new ClientLink(new RpcConnection(PipeReader.Create(Stream.Null), Stream.Null));
        _store = new(_folder.Path, time);
        _host = new(_store, time);
        _models = new(_store, _host, time);
        var probe = MemoryProbe.ForThisMachine();
        _keeper = new(_folder["shared"], probe, time);
        _ollama = new(_keeper, RunnerProcesses.ForThisMachine(), time, CompletionEngine.FillsMiddle);
        var engine = new CompletionEngine(_host, time, _ollama);
        var status = new StatusReporter(client, _host, _ollama, _keeper, engine, probe, time);
        var work = new ModelWork(_models, client, status, CancellationToken.None);
        var memory = new MemoryWork(_keeper, _ollama, new(_folder["choices.json"]), client, time, static _ => { }, CancellationToken.None);
        _commands = ServerHost.Commands(_store, _host, _ollama, _keeper, memory, _models, engine, status, work, client, time, static _ => { });
    }

    public static TheoryData<string> CommandIds => [.. Ids().Except(NoCommands)];

    public static TheoryData<string> ClientInterfaces => [.. ClientRecords.Select(static row => row.Interface)];

    public static TheoryData<string> SettingNames => [.. Settings().Keys.Except(ClientSettings)];

    public void Dispose()
    {
        _models.Dispose();
        _ollama.Dispose();
        _keeper.Dispose();
        _host.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Every_name_is_a_command_or_sent_by_the_server() =>
        Same("AssistMethods", Ids(), "the command table and what the server sends", [.. _commands.Ids, .. NoCommands]);

    [Fact]
    public void The_page_has_a_chapter_for_every_name() => Same(PagePath, Page.Keys, "AssistMethods", Ids());

    [Theory]
    [MemberData(nameof(CommandIds))]
    public void The_page_shows_what_a_command_takes_and_answers(string id)
    {
        Assert.True(Page.TryGetValue(id, out var examples), $"{PagePath} has no chapter '{id}'.");
        Assert.True(2 <= examples.Count, $"{PagePath}, {id}: expected are an example of the arguments and one of the answer.");
        var (argument, answer) = _commands.TypesOf(id);
        var arguments = examples[0];
        Assert.True(
            arguments.ValueKind == JsonValueKind.Array && arguments.GetArrayLength() <= 1,
            $"{PagePath}, {id}: the first example is the list of arguments, with one object or none.");
        foreach (var example in arguments.EnumerateArray())
        {
            Fits(id, example, argument, Arguments);
        }

        foreach (var example in examples.Skip(1))
        {
            Fits(id, example, answer, Answers);
        }
    }

    [Fact]
    public void The_page_shows_the_notification()
    {
        var example = Assert.Single(Page[AssistMethods.Status]);
        Fits(AssistMethods.Status, example, AssistJson.Default.StatusParams, Answers);
    }

    [Fact]
    public void The_page_shows_the_request() =>
        Fits(AssistMethods.UpdateSetting, Assert.Single(Page[AssistMethods.UpdateSetting]), AssistJson.Default.UpdateSettingParams, Answers);

    [Fact]
    public void The_client_knows_only_names_that_exist()
    {
        var source = Read(ClientPath);
        var named = QuotedName().Matches(source).Select(static match => match.Groups[1].Value).ToHashSet();
        Assert.Contains(AssistMethods.Status, named);
        Assert.Contains(AssistMethods.ModelsTrain, named);
        var unknown = named.Except(Ids()).ToList();
        Assert.True(unknown.Count == 0, $"{ClientPath} names {string.Join(", ", unknown)}; AssistMethods does not.");
    }

    [Theory]
    [MemberData(nameof(ClientInterfaces))]
    public void The_client_reads_only_members_that_are_sent(string name)
    {
        var declaration = Regex.Match(Read(ClientPath), $@"^export interface {name}(?: extends \w+)? \{{\n(.*?)^\}}", RegexOptions.Multiline | RegexOptions.Singleline);
        Assert.True(declaration.Success, $"{ClientPath} has no interface {name}.");
        var members = Member().Matches(declaration.Groups[1].Value).Select(static match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(members);
        var record = ClientRecords.Single(row => row.Interface == name).Record;
        var sent = AssistJson.Default.GetTypeInfo(record)!.Properties.Select(static property => property.Name);
        var unknown = members.Except(sent).Except(NotYetSent).ToList();
        Assert.True(unknown.Count == 0, $"{ClientPath}: {name} has {string.Join(", ", unknown)}; the server's {record.Name} has not.");
    }

    [Fact]
    public void The_manifest_has_the_settings_that_the_server_reads() =>
        Same(ManifestPath, Settings().Keys.Except(ClientSettings), "ServerSettings.Names", ServerSettings.Names);

    [Theory]
    [MemberData(nameof(SettingNames))]
    public void The_defaults_agree(string name)
    {
        var (settings, problems) = Parse(name, Settings()[name].GetProperty("default"));
        Assert.True(problems.Count == 0, $"The default of {name} in {ManifestPath} is refused: {string.Join(' ', problems)}");
        Assert.Equal(Written(new()), Written(settings));
    }

    [Theory]
    [MemberData(nameof(SettingNames))]
    public void The_server_takes_what_the_manifest_allows(string name)
    {
        foreach (var (value, isAllowed) in ValuesAround(Settings()[name]))
        {
            var (_, problems) = Parse(name, value);
            Assert.True(
                problems.Count == 0 == isAllowed,
                $"{ManifestPath} {(isAllowed ? "allows" : "does not allow")} {value.GetRawText()} for {name}; the server {(isAllowed ? "refuses" : "takes")} it.");
        }
    }

    [Theory]
    [InlineData("memory.limit", "low medium high veryHigh")]
    [InlineData("completion.source", "auto pattern ollama off")]
    [InlineData("memory.evict", "all ours")]
    [InlineData("memory.onModelSwitch", "ask unload keep")]
    public void The_choices_agree(string name, string choices)
    {
        Same(ManifestPath, ChoicesOf(Settings()[name]).Select(static choice => choice.GetString()!), name, choices.Split(' '));
        var known = name switch
        {
            "memory.limit" => ServerSettings.MemoryPresets.Keys,
            "memory.evict" => Enum.GetNames<EvictionScope>().Select(JsonNamingPolicy.CamelCase.ConvertName),
            "memory.onModelSwitch" => Enum.GetNames<ModelSwitch>().Select(JsonNamingPolicy.CamelCase.ConvertName),
            _ => Enum.GetNames<CompletionSource>().Select(JsonNamingPolicy.CamelCase.ConvertName),
        };
        Same("ServerSettings", known, name, choices.Split(' '));
    }

    // Deserializes, and has the server write the value again: an example shows every member that is sent.
    private static void Fits(string id, JsonElement example, JsonTypeInfo type, JsonSerializerOptions options)
    {
        try
        {
            var value = example.Deserialize(options.GetTypeInfo(type.Type));
            if (options == Answers)
            {
                var written = JsonSerializer.SerializeToElement(value, type);
                Assert.True(JsonElement.DeepEquals(written, example), $"{PagePath}, {id} shows\n{example.GetRawText()}\nbut the server writes\n{written.GetRawText()}");
            }
        }
        catch (JsonException exception)
        {
            Assert.Fail($"{PagePath}, {id}: {example.GetRawText()} is no {type.Type.Name}: {exception.Message}");
        }
    }

    private static JsonSerializerOptions Strict(bool allMembers) => new(AssistJson.Default.Options)
    {
        TypeInfoResolver = AssistJson.Default,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = allMembers,
    };

    private static void Same(string leftName, IEnumerable<string> left, string rightName, IEnumerable<string> right)
    {
        var (lefts, rights) = (left.ToHashSet(), right.ToHashSet());
        var onlyLeft = lefts.Except(rights).ToList();
        var onlyRight = rights.Except(lefts).ToList();
        Assert.True(
            onlyLeft.Count + onlyRight.Count == 0,
            $"Only in {leftName}: [{string.Join(", ", onlyLeft)}]. Only in {rightName}: [{string.Join(", ", onlyRight)}].");
    }

    private static IEnumerable<string> Ids() =>
        typeof(AssistMethods).GetFields(BindingFlags.Public | BindingFlags.Static).Select(static field => (string)field.GetRawConstantValue()!);

    // The chapters whose headings name something of ours, with the JSON that stands in them.
    private static Dictionary<string, List<JsonElement>> Examples(string page)
    {
        var chapters = new Dictionary<string, List<JsonElement>>();
        foreach (var chapter in Regex.Split(page, "^(?=##)", RegexOptions.Multiline))
        {
            if (Heading().Match(chapter) is { Success: true } heading)
            {
                chapters.Add(heading.Groups[1].Value, [.. JsonBlock().Matches(chapter).Select(static match => JsonElement.Parse(match.Groups[1].Value))]);
            }
        }

        return chapters;
    }

    private static Dictionary<string, JsonElement> Settings()
    {
        var groups = JsonElement.Parse(Read(ManifestPath)).GetProperty("contributes").GetProperty("configuration");
        return groups.EnumerateArray()
            .SelectMany(static group => group.GetProperty("properties").EnumerateObject())
            .ToDictionary(static property => property.Name["llmAssist.".Length..], static property => property.Value);
    }

    private static (ServerSettings Settings, IReadOnlyList<Phrase> Problems) Parse(string name, JsonElement value) =>
        ServerSettings.Parse(JsonSerializer.SerializeToElement(new Dictionary<string, JsonElement> { [$"llmAssist.{name}"] = value }));

    private static string Written(ServerSettings settings) => JsonSerializer.Serialize(settings);

    private static IEnumerable<JsonElement> ChoicesOf(JsonElement setting) =>
        Alternatives(setting).Where(static alternative => alternative.TryGetProperty("enum", out _)).SelectMany(static alternative => alternative.GetProperty("enum").EnumerateArray());

    private static IEnumerable<JsonElement> Alternatives(JsonElement setting) =>
        setting.TryGetProperty("anyOf", out var alternatives) ? alternatives.EnumerateArray() : [setting];

    // Values at the edges of what a setting's schema allows, and one of a type that no setting has.
    private static IEnumerable<(JsonElement Value, bool IsAllowed)> ValuesAround(JsonElement setting)
    {
        yield return (JsonElement.Parse("[[]]"), false);
        var choices = ChoicesOf(setting).ToList();
        foreach (var choice in choices)
        {
            yield return (choice, true);
        }

        if (choices.Count != 0)
        {
            yield return (JsonElement.Parse("\"nonsense\""), false);
        }

        foreach (var alternative in Alternatives(setting))
        {
            foreach (var (edge, step, isAllowed) in new[] { ("minimum", -1.0, true), ("maximum", 1, true), ("exclusiveMinimum", -1, false) })
            {
                if (alternative.TryGetProperty(edge, out var bound))
                {
                    yield return (bound, isAllowed);
                    yield return (JsonSerializer.SerializeToElement(bound.GetDouble() + step), false);
                }
            }
        }
    }

    private static string Read(string relative) => File.ReadAllText(Path.Combine(FormatTests.Root, relative));

    [GeneratedRegex("^##+ .*`(llmAssist[./][A-Za-z./]+)`")]
    private static partial Regex Heading();

    [GeneratedRegex("^```json\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex("\"(llmAssist[./][A-Za-z./]+)\"")]
    private static partial Regex QuotedName();

    [GeneratedRegex(@"^  (\w+)\??:", RegexOptions.Multiline)]
    private static partial Regex Member();
}
