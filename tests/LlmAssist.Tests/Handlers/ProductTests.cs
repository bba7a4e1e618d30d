using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Handlers;

/// <summary>The handlers as a client meets them: the whole product behind a pipe, without a workspace.</summary>
public sealed class ProductTests
{
    private const string CanBeAsked = """{"workspace":{"configuration":true}}""";
    private const long GiB = 1L << 30;

    [Fact]
    public async Task A_command_waits_until_the_settings_are_known()
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync("""{"workspace":{"configuration":true}}""");
        var id = await server.RequestAsync("workspace/executeCommand", """{"command":"llmAssist.memory.status"}""");
        await server.AnswerAsync(await server.ReadAsync("workspace/configuration"), """[{"memory":{"limit":"high"},"ollama":{"enabled":false}}]""");
        Assert.Equal(12L << 30, (await server.ResultAsync(id)).GetProperty("limitBytes").GetInt64());
    }

    [Fact]
    public async Task A_command_that_was_quicker_than_the_settings_knows_them()
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(CanBeAsked);
        var ask = await server.ReadAsync("workspace/configuration");
        var id = await server.RequestAsync("workspace/executeCommand", """{"command":"llmAssist.models.train"}""");
        await server.SettleAsync();
        await server.AnswerAsync(ask, """[{"training":{"auto":false,"folders":["/nowhere/at/all"]}}]""");
        Assert.Contains("nowhere", (await server.ErrorAsync(id)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shows_what_commands_answer_to_the_user_of_a_client_that_does_not()
    {
        await using var server = new TestServer(new TempFolder(), showsAnswers: true);
        await server.InitializeAsync();
        var limit = await server.RequestAsync("workspace/executeCommand", """{"command":"llmAssist.memory.setLimit","arguments":[{"limit":"low"}]}""");
        Assert.Equal("""{"type":3,"message":"The memory limit is 2.0 GB."}""", (await server.ReadAsync("window/showMessage")).GetRawText());
        await server.ResultAsync(limit);
        var load = await server.RequestAsync("workspace/executeCommand", """{"command":"llmAssist.models.load","arguments":[{"id":"nonsense"}]}""");
        var shown = await server.ReadAsync("window/showMessage");
        Assert.Equal(1, shown.GetProperty("type").GetInt32());
        Assert.Equal(shown.GetProperty("message").GetString(), (await server.ErrorAsync(load)).Message);
        await server.ResultAsync(await server.RequestAsync("workspace/executeCommand", """{"command":"llmAssist.models.list"}"""));
    }

    [Fact]
    public async Task A_command_does_not_wait_for_ever_for_a_client_that_never_answers()
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(CanBeAsked, ",\"initializationOptions\":{\"memory.limit\":1}");
        var ask = await server.ReadAsync("workspace/configuration");
        var id = await server.RequestAsync("workspace/executeCommand", """{"command":"llmAssist.memory.status"}""");
        server.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.StartsWith("workspace/configuration has not been answered for 5 s.", (await server.ReadAsync("window/logMessage")).GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(1 * GiB, (await server.ResultAsync(id)).GetProperty("limitBytes").GetInt64());

        // Better late than never, and told once.
        await server.AnswerAsync(ask, """[{"memory":{"limit":3}}]""");
        await EventuallyAsync(server, 3 * GiB);
        server.Time.Advance(TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("", "No existe el modelo")]
    [InlineData(",\"locale\":null", "No existe el modelo")]
    [InlineData(",\"locale\":\"en\"", "There is no model")]
    public async Task Speaks_the_language_of_its_process_to_a_client_that_does_not_tell_its_own(string more, string said)
    {
        await using var server = new TestServer(new TempFolder(), speech: Speech.Spanish);
        await server.InitializeAsync(more: more);
        var (_, message) = await server.ErrorAsync(await server.RequestAsync("workspace/executeCommand", """{"command":"llmAssist.models.load","arguments":[{"id":"nonsense"}]}"""));
        Assert.StartsWith(said, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tells_what_it_offers_and_who_it_is_before_it_says_anything_else()
    {
        await using var server = TestServer.OfProduct();
        var result = await server.ResultAsync(await server.RequestAsync("initialize", """{"capabilities":{}}"""));

        // LSP: no notifications but messages and logs before the answer to initialize.
        Assert.Equal(0, server.PassedOver);
        Assert.Equal("llm-assist", result.GetProperty("serverInfo").GetProperty("name").GetString());
        var capabilities = result.GetProperty("capabilities");
        Assert.Equal("""{"openClose":true,"change":2,"save":true}""", capabilities.GetProperty("textDocumentSync").GetRawText());
        Assert.Equal("true", capabilities.GetProperty("inlineCompletionProvider").GetRawText());
        Assert.Equal("""{"workspaceFolders":{"supported":true,"changeNotifications":true}}""", capabilities.GetProperty("workspace").GetRawText());
        Assert.Contains("llmAssist.models.train", capabilities.GetProperty("executeCommandProvider").GetProperty("commands").GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "utf-16")]
    [InlineData("""{"general":{}}""", "utf-16")]
    [InlineData("""{"general":{"positionEncodings":null}}""", "utf-16")]
    [InlineData("""{"general":{"positionEncodings":[]}}""", "utf-16")]
    [InlineData("""{"general":{"positionEncodings":["utf-32"]}}""", "utf-16")]
    [InlineData("""{"general":{"positionEncodings":["utf-16","utf-8"]}}""", "utf-16")]
    [InlineData("""{"general":{"positionEncodings":["utf-8","utf-16"]}}""", "utf-8")]
    [InlineData("""{"general":{"positionEncodings":["utf-32","utf-8"]}}""", "utf-8")]
    [InlineData("""{"window":{},"workspace":{"configuration":null,"didChangeConfiguration":{}},"textDocument":null,"unknown":[]}""", "utf-16")]
    public async Task Takes_the_first_encoding_that_it_knows(string capabilities, string encoding)
    {
        await using var server = TestServer.OfProduct();
        var result = await server.ResultAsync(await server.RequestAsync("initialize", $$"""{"capabilities":{{capabilities}}}"""));
        Assert.Equal(encoding, result.GetProperty("capabilities").GetProperty("positionEncoding").GetString());
    }

    [Theory]
    [InlineData("textDocument/didOpen", "{}")]
    [InlineData("textDocument/didOpen", """{"textDocument":{"uri":null,"languageId":"x","version":1,"text":""}}""")]
    [InlineData("textDocument/didOpen", """{"textDocument":{"uri":"u","languageId":"x","version":1,"text":null}}""")]
    [InlineData("textDocument/didOpen", """{"textDocument":{"uri":"u","version":1,"text":""}}""")]
    [InlineData("textDocument/didChange", """{"textDocument":{},"contentChanges":[]}""")]
    [InlineData("textDocument/didChange", """{"textDocument":{"uri":"u"},"contentChanges":{}}""")]
    [InlineData("textDocument/didChange", """{"textDocument":{"uri":"u"},"contentChanges":[{"range":7,"text":""}]}""")]
    [InlineData("textDocument/didChange", """{"textDocument":{"uri":"u"},"contentChanges":[{"range":{"start":{"line":0}},"text":""}]}""")]
    [InlineData("textDocument/didChange", """{"textDocument":{"uri":"u","version":1},"contentChanges":[]}""")] // not open
    [InlineData("textDocument/didChange", """{"textDocument":{"uri":"o","version":1},"contentChanges":[null]}""")]
    [InlineData("textDocument/didClose", "[]")]
    [InlineData("textDocument/didClose", """{"textDocument":{"uri":null}}""")]
    [InlineData("textDocument/didSave", """{"textDocument":{}}""")]
    [InlineData("workspace/didChangeWorkspaceFolders", """{"event":{"added":null,"removed":[]}}""")]
    [InlineData("workspace/didChangeWorkspaceFolders", """{"event":{"added":[{"name":"x"}],"removed":[]}}""")]
    [InlineData("workspace/didChangeWatchedFiles", """{"changes":[{}]}""")]
    [InlineData("window/workDoneProgress/cancel", "{}")]
    public async Task Hostile_notifications_are_logged_and_the_server_goes_on(string method, string parameters)
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync();
        await server.NotifyAsync("textDocument/didOpen", """{"textDocument":{"uri":"o","languageId":"x","version":1,"text":""}}""");
        await server.NotifyAsync(method, parameters);
        Assert.Contains(method.Split('/')[^1], (await server.ReadAsync("window/logMessage")).GetProperty("message").GetString(), StringComparison.Ordinal);
        await server.SettleAsync();
    }

    [Theory]
    [InlineData("workspace/executeCommand", "{}", "-32602")]
    [InlineData("workspace/executeCommand", "[]", "-32602")]
    [InlineData("workspace/executeCommand", """{"command":7}""", "-32602")]
    [InlineData("workspace/executeCommand", """{"command":"llmAssist.nonsense"}""", "-32803 «llmAssist.nonsense» no es un comando")]
    [InlineData("workspace/executeCommand", """{"command":"llmAssist.models.load","arguments":[7]}""", "-32803 No se puede leer el argumento")]
    [InlineData("workspace/executeCommand", """{"command":"llmAssist.models.load","arguments":[{"id":"nonsense"}]}""", "-32803 ")]
    [InlineData("workspace/executeCommand", """{"command":"llmAssist.models.list"}""", "[]")]
    [InlineData("workspace/executeCommand", """{"command":"llmAssist.models.list","arguments":null}""", "[]")]
    [InlineData("workspace/executeCommand", """{"command":"llmAssist.completion.explain","arguments":[]}""", "null")]
    [InlineData("textDocument/completion", """{"textDocument":{"uri":"u"},"position":{"line":0,"character":0}}""", "null")] // not open
    [InlineData("textDocument/inlineCompletion", """{"textDocument":{"uri":"u"},"position":{"line":0,"character":0},"context":{"triggerKind":2}}""", "null")]
    public async Task Answers(string method, string parameters, string expected)
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(more: ",\"locale\":\"es\"");
        Assert.StartsWith(expected, Shown(await AnswerAsync(server, method, parameters)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("textDocument/completion", """{"textDocument":{"uri":"o"},"position":"here"}""")]
    [InlineData("textDocument/completion", """{"textDocument":{"uri":null},"position":{"line":0,"character":0}}""")]
    [InlineData("textDocument/inlineCompletion", "[]")]
    public async Task A_hostile_completion_is_answered_with_null_and_logged(string method, string parameters)
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync();
        var id = await server.RequestAsync(method, parameters);
        Assert.StartsWith(method, (await server.ReadAsync("window/logMessage")).GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, (await server.ResultAsync(id)).ValueKind);
    }

    [Theory]
    [InlineData("0", "0")]
    [InlineData("-5", "99999999999")]
    [InlineData("4294967295", "1e308")]
    public async Task Places_outside_of_a_document_are_answered(string line, string character)
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync();
        await server.NotifyAsync("textDocument/didOpen", """{"textDocument":{"uri":"o","languageId":"python","version":1,"text":"value = 1\nval"}}""");
        var place = $$$"""{"textDocument":{"uri":"o"},"position":{"line":{{{line}}},"character":{{{character}}}},"context":{"triggerKind":1} }""";
        await server.ResultAsync(await server.RequestAsync("textDocument/completion", place));
        await server.ResultAsync(await server.RequestAsync("textDocument/inlineCompletion", place));
    }

    [Fact]
    public async Task Settings_come_with_initialize_and_are_overlaid_by_what_is_pushed()
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(more: ",\"initializationOptions\":{\"memory\":{\"limit\":1}}");
        Assert.Equal(1 * GiB, await LimitAsync(server));
        await Push(server, """{"llmAssist":{"memory":{"limit":2}}}""");
        Assert.Equal(2 * GiB, await LimitAsync(server));

        // What is not said any more is as it was at the beginning.
        await Push(server, "{}");
        Assert.Equal(1 * GiB, await LimitAsync(server));
        await server.NotifyAsync("workspace/didChangeConfiguration", "{}");
        Assert.Equal(1 * GiB, await LimitAsync(server));
    }

    [Fact]
    public async Task A_client_that_answers_is_asked_and_what_it_pushes_is_a_hint()
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(CanBeAsked);
        var ask = await server.ReadAsync("workspace/configuration");
        Assert.Equal("""{"items":[{"section":"llmAssist"}]}""", ask.GetProperty("params").GetRawText());
        await server.AnswerAsync(ask, """[{"memory":{"limit":3}}]""");
        await EventuallyAsync(server, 3 * GiB);

        await Push(server, """{"llmAssist":{"memory":{"limit":4}}}""");
        await server.AnswerAsync(await server.ReadAsync("workspace/configuration"), "[null]");
        await EventuallyAsync(server, 6 * GiB);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[7]")]
    public async Task A_client_that_answers_nonsense_changes_nothing(string answer)
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(CanBeAsked, ",\"initializationOptions\":{\"memory.limit\":1}");
        await server.AnswerAsync(await server.ReadAsync("workspace/configuration"), answer);
        await EventuallyAsync(server, 1 * GiB);
    }

    [Fact]
    public async Task Registers_for_changes_where_the_client_wants_that()
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync("""{"workspace":{"didChangeConfiguration":{"dynamicRegistration":true},"didChangeWatchedFiles":{"dynamicRegistration":true}}}""");
        var registrations = (await server.ReadAsync("client/registerCapability")).GetProperty("params").GetProperty("registrations");
        Assert.Equal(
            ["workspace/didChangeConfiguration", "workspace/didChangeWatchedFiles"],
            registrations.EnumerateArray().Select(registration => registration.GetProperty("method").GetString()));
        Assert.Equal("""{"section":"llmAssist"}""", registrations[0].GetProperty("registerOptions").GetRawText());
    }

    [Fact]
    public async Task A_bad_value_is_told_once_in_the_language_of_the_client()
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(more: ",\"locale\":\"es-MX\",\"initializationOptions\":{\"memory.limit\":-1}");
        Assert.StartsWith("llmAssist.memory.limit es -1; se espera", await ShownAsync(), StringComparison.Ordinal);
        await Push(server, """{"memory.limit":-1}""");
        await Push(server, """{"memory.limit":-2}""");
        Assert.StartsWith("llmAssist.memory.limit es -2; se espera", await ShownAsync(), StringComparison.Ordinal);
        Assert.Equal(6 * GiB, await LimitAsync(server));

        async Task<string?> ShownAsync() => (await server.ReadAsync("window/showMessage")).GetProperty("message").GetString();
    }

    private static Task Push(TestServer server, string settings) =>
        server.NotifyAsync("workspace/didChangeConfiguration", $$"""{"settings":{{settings}}}""");

    private static async Task<long> LimitAsync(TestServer server)
    {
        await server.SettleAsync();
        var status = await AnswerAsync(server, "workspace/executeCommand", """{"command":"llmAssist.memory.status"}""");
        return status.GetProperty("result").GetProperty("limitBytes").GetInt64();
    }

    // What the client answers comes to the session by way of the pool, so the limit may be the former one for a moment.
    private static async Task EventuallyAsync(TestServer server, long limit)
    {
        for (var attempt = 0; attempt < 1000 && await LimitAsync(server) != limit; attempt++)
        {
            await Task.Yield();
        }

        Assert.Equal(limit, await LimitAsync(server));
    }

    private static async Task<JsonElement> AnswerAsync(TestServer server, string method, string parameters)
    {
        var id = await server.RequestAsync(method, parameters);
        var answer = await server.ReadAsync();
        Assert.Equal(id, answer.GetProperty("id").GetInt32());
        return answer;
    }

    private static string Shown(JsonElement answer) => answer.TryGetProperty("error", out var error)
        ? $"{error.GetProperty("code")} {error.GetProperty("message")}"
        : answer.GetProperty("result").GetRawText();
}
