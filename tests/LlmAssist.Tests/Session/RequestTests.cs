using LlmAssist.Engine;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Session;

public sealed class RequestTests
{
    [Theory]
    [InlineData("test/loud", "-32800")]
    [InlineData("test/quiet", "null")]
    public async Task A_request_canceled_in_flight_is_answered_at_once_and_only_once(string method, string answer)
    {
        var work = new Work();
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync();
        var id = await server.RequestAsync(method, """{"name":"a"}""");
        await work.Started.WaitAsync();
        await server.CancelAsync(id);
        Assert.StartsWith(answer, await Shown(server, id), StringComparison.Ordinal);

        // Only now does the handler end, with a result that nobody waits for anymore.
        work.Release("late");
        await server.CancelAsync(id);
        await server.SettleAsync();
        Assert.True(work.WasCanceled("a"));
    }

    [Fact]
    public async Task A_request_may_be_canceled_before_its_handler_starts()
    {
        var work = new Work();
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync();

        // In one piece, so that the loop has both before the handler can run.
        var request = Framed("""{"jsonrpc":"2.0","id":77,"method":"test/loud","params":{"name":"a"}}""");
        var cancel = Framed("""{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":77}}""");
        await server.SendRawAsync([.. request, .. cancel]);
        Assert.Equal(-32800, (await server.ErrorAsync(77)).Code);
        work.Release("a");
    }

    [Fact]
    public async Task Cancellation_after_the_answer_or_of_nothing_is_passed_over()
    {
        var work = new Work();
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync();
        var id = await server.RequestAsync("test/loud", """{"name":"a"}""");
        work.Release("done");
        Assert.Equal("\"done\"", await Shown(server, id));
        await server.CancelAsync(id);
        await server.CancelAsync(4711);
        await server.NotifyAsync("$/cancelRequest", """{"id":"1"}""");
        await server.SettleAsync();
        Assert.False(work.WasCanceled("a"));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"id":null}""")]
    [InlineData("""{"id":{}}""")]
    [InlineData("[1]")]
    public async Task A_cancellation_that_names_no_id_is_passed_over(string parameters)
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        await server.NotifyAsync("$/cancelRequest", parameters);
        await server.SettleAsync();
    }

    [Fact]
    public async Task Of_a_hundred_requests_in_a_burst_each_is_answered_once()
    {
        const int Burst = 100;
        var work = new Work();
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync();
        var ids = new List<int>();
        for (var number = 0; number < Burst; number++)
        {
            ids.Add(await server.RequestAsync(number % 2 == 0 ? "test/loud" : "test/quiet", $$"""{"name":"{{number}}"}"""));
            if (0 < number)
            {
                await server.CancelAsync(ids[number - 1]);
            }
        }

        work.Release("done");
        var answered = new Dictionary<int, string>();
        for (var number = 0; number < Burst; number++)
        {
            var answer = await server.ReadAsync();
            answered.Add(answer.GetProperty("id").GetInt32(), answer.TryGetProperty("result", out var result) ? result.GetRawText() : "error");
        }

        Assert.Equal(ids, answered.Keys.Order());
        Assert.Equal("\"done\"", answered[ids[^1]]);
    }

    [Fact]
    public async Task The_session_changes_while_a_request_runs_and_the_request_keeps_its_own()
    {
        var work = new Work();
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync();
        server.Post(session => session.Now = session.Now with { Folders = ["old"] });
        await server.SettleAsync();
        var id = await server.RequestAsync("test/folders", """{"name":"a"}""");
        await work.Started.WaitAsync();
        server.Post(session => session.Now = session.Now with { Folders = ["new"] });
        await server.SettleAsync();
        work.Release("");
        Assert.Equal("\"old\"", await Shown(server, id));
    }

    [Theory]
    [InlineData("test/loud", "[]", "-32602")]
    [InlineData("test/loud", "{\"name\":7}", "-32602")]
    [InlineData("test/loud", "{\"name\":\"\\ud800\"}", "-32602")]
    [InlineData("test/loud", "{}", "-32602")]
    [InlineData("test/loud", "", "-32602")]
    [InlineData("test/loud", "null", "-32602")]
    [InlineData("test/ask", "7", "-32600")]
    [InlineData("test/ask", "[]", "-32602")]
    [InlineData("test/ask", "{\"name\":\"a\"}", "\"a\"")]
    [InlineData("test/user", "{}", "-32803 No se pudo.")]
    [InlineData("test/io", "{}", "-32803 disk full")]
    [InlineData("test/null", "{}", "null")]
    public async Task Answers(string method, string parameters, string expected)
    {
        var work = new Work();
        work.Release("done");
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync(more: ",\"locale\":\"es-MX\"");
        Assert.StartsWith(expected, await Shown(server, await server.RequestAsync(method, parameters)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("test/bugQuiet", "{}", "null")]
    [InlineData("test/quiet", "{\"name\":null}", "null")]
    [InlineData("test/bug", "{}", "-32603 a bug")]
    [InlineData("test/bugLater", "{}", "-32603 a bug")]
    [InlineData("test/bugAsk", "{}", "-32603 a bug")]
    public async Task A_failure_that_nobody_foresaw_is_logged_and_the_server_goes_on(string method, string parameters, string expected)
    {
        await using var server = new TestServer(new Work().AddTo);
        await server.InitializeAsync();
        var id = await server.RequestAsync(method, parameters);
        Assert.Contains(method, (await server.ReadAsync("window/logMessage")).GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.StartsWith(expected, await Shown(server, id), StringComparison.Ordinal);
        await server.SettleAsync();
    }

    [Theory]
    [InlineData("test/bugChange", "{}", "a bug")]
    [InlineData("test/change", "{}", "cannot be read")]
    [InlineData("test/change", "[]", "cannot be read")]
    public async Task A_notification_that_fails_is_logged_and_the_server_goes_on(string method, string parameters, string reason)
    {
        await using var server = new TestServer(new Work().AddTo);
        await server.InitializeAsync();
        await server.NotifyAsync(method, parameters);
        var message = (await server.ReadAsync("window/logMessage")).GetProperty("message").GetString();
        Assert.StartsWith($"{method}: ", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        await server.SettleAsync();
    }

    [Fact]
    public async Task A_bug_in_a_posted_change_is_logged_and_the_server_goes_on()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        server.Post(_ => throw new InvalidOperationException("a bug"));
        Assert.Contains("a bug", (await server.ReadAsync("window/logMessage")).GetProperty("message").GetString(), StringComparison.Ordinal);
        await server.SettleAsync();
    }

    [Fact]
    public async Task An_id_that_is_in_use_is_refused()
    {
        var work = new Work();
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync();
        var id = await server.RequestAsync("test/loud", """{"name":"a"}""");
        await server.SendAsync($$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"test/loud","params":{"name":"b"}}""");
        Assert.Equal(-32600, (await server.ErrorAsync(id)).Code);
        work.Release("done");
        Assert.Equal("\"done\"", await Shown(server, id));
    }

    [Fact]
    public async Task What_runs_when_the_input_ends_is_answered_before_the_server_ends()
    {
        var work = new Work();
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync();
        var id = await server.RequestAsync("test/loud", """{"name":"a"}""");
        await work.Started.WaitAsync();
        var grace = server.Time.NextTimer();
        await server.CloseInputAsync();
        await grace;
        work.Release("done");
        Assert.Equal("\"done\"", await Shown(server, id));
        Assert.Equal(1, await server.ExitCode);
    }

    [Fact]
    public async Task What_runs_too_long_when_the_input_ends_is_canceled_after_a_second()
    {
        var work = new Work();
        await using var server = new TestServer(work.AddTo);
        await server.InitializeAsync();
        var loud = await server.RequestAsync("test/loud", """{"name":"a"}""");
        var grace = server.Time.NextTimer();
        await server.CloseInputAsync();
        await grace;
        server.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(-32800, (await server.ErrorAsync(loud)).Code);
        Assert.Equal(1, await server.ExitCode);
        work.Release("late");
    }

    // The result, or the error as "code message".
    private static async Task<string> Shown(TestServer server, int id)
    {
        var answer = await server.ReadAsync();
        Assert.Equal(id, answer.GetProperty("id").GetInt32());
        return answer.TryGetProperty("error", out var error) ? $"{error.GetProperty("code")} {error.GetProperty("message")}".TrimEnd() : answer.GetProperty("result").GetRawText();
    }

    private static byte[] Framed(string payload) => System.Text.Encoding.UTF8.GetBytes($"Content-Length: {payload.Length}\r\n\r\n{payload}");

    // Handlers that wait until the test lets them go.
    private sealed class Work
    {
        private readonly TaskCompletionSource<string> _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, CancellationToken> _tokens = [];

        public SemaphoreSlim Started { get; } = new(0);

        public void Release(string result) => _released.TrySetResult(result);

        public bool WasCanceled(string name) => _tokens[name].IsCancellationRequested;

        public void AddTo(Routes routes)
        {
            var (named, text, nothing) = (NamedJson.Default.Named, NamedJson.Default.String!, LspJson.Default.Nothing);
            routes
                .Read("test/loud", named, text, RunAsync)
                .Read("test/quiet", named, text, RunAsync, isQuiet: true)
                .Read("test/folders", named, text, FoldersAsync)
                .Read("test/null", nothing, text, (_, _, _) => new((string?)null))
                .Read("test/user", nothing, text, (_, _, _) => throw new UserException(new("It could not be done.", "No se pudo.")))
                .Read("test/io", nothing, text, (_, _, _) => throw new IOException("disk full"))
                .Read("test/bug", nothing, text, (_, _, _) => throw Bug())
                .Read("test/bugQuiet", nothing, text, (_, _, _) => throw Bug(), isQuiet: true)
                .Read("test/bugLater", nothing, text, BugLaterAsync)
                .Ask("test/ask", named, text, (_, parameters) => parameters.Name)
                .Ask("test/bugAsk", nothing, text, (_, _) => throw Bug())
                .Change("test/change", named, (_, _) => { })
                .Change("test/bugChange", nothing, (_, _) => throw Bug());
        }

        private async ValueTask<string?> RunAsync(SessionSnapshot snapshot, Named parameters, CancellationToken cancellation)
        {
            _tokens[parameters.Name] = cancellation;
            Started.Release();
            return await _released.Task;
        }

        private async ValueTask<string?> FoldersAsync(SessionSnapshot snapshot, Named parameters, CancellationToken cancellation)
        {
            Started.Release();
            await _released.Task;
            return string.Join('|', snapshot.Folders);
        }

        private static async ValueTask<string?> BugLaterAsync(SessionSnapshot snapshot, Nothing parameters, CancellationToken cancellation)
        {
            await Task.Yield();
            throw Bug();
        }

        private static InvalidOperationException Bug() => new("a bug");
    }
}

internal sealed record Named(string Name);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(
    PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[System.Text.Json.Serialization.JsonSerializable(typeof(Named))]
[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class NamedJson : System.Text.Json.Serialization.JsonSerializerContext;
