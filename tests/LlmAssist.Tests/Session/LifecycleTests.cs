using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Session;

public sealed class LifecycleTests
{
    // A line "method" is a request with its answer behind it: ok or an error code. A line "-method" is a notification.
    [Theory]
    [InlineData(1, "shutdown -32002")]
    [InlineData(1, "textDocument/completion -32002")]
    [InlineData(1, "nonsense -32002", "$/nonsense -32002")]
    [InlineData(1, "-textDocument/didOpen", "-initialized", "-$/cancelRequest", "-nonsense", "initialize ok")]
    [InlineData(1, "-exit")]
    [InlineData(1, "initialize ok", "-exit")]
    [InlineData(0, "initialize ok", "-initialized", "shutdown ok", "-exit")]
    [InlineData(0, "initialize ok", "shutdown ok", "-exit")]
    [InlineData(0, "initialize ok", "shutdown ok")]
    [InlineData(1, "initialize ok", "initialize -32600", "initialize -32600")]
    [InlineData(1, "initialize ok", "nonsense -32601", "$/nonsense -32601", "textDocument/didOpen -32601", "initialized -32601")]
    [InlineData(1, "initialize ok", "-nonsense", "-$/nonsense", "-shutdown", "-textDocument/completion", "nonsense -32601")]
    [InlineData(0, "initialize ok", "shutdown ok", "shutdown -32600", "initialize -32600", "nonsense -32600", "-textDocument/didOpen", "-exit")]
    [InlineData(1, "initialize[] -32602", "shutdown -32002", "initialize ok")]
    [InlineData(1, "initialize{\"capabilities\":7} -32602", "initialize{\"capabilities\":{\"general\":[]}} -32602", "initialize ok")]
    [InlineData(1, "initialize{\"capabilities\":{\"general\":null,\"unknown\":{}},\"unknown\":1} ok")]
    public async Task Follows_the_rules_of_LSP(int exitCode, params string[] script)
    {
        await using var server = new TestServer();
        foreach (var line in script)
        {
            if (line[0] == '-')
            {
                await server.NotifyAsync(line[1..], line == "-exit" ? "" : "{}");
                continue;
            }

            var space = line.LastIndexOf(' ');
            var call = line[..space];
            var split = call.AsSpan().IndexOfAny("[{");
            var (method, parameters) = split < 0 ? (call, "{\"capabilities\":{}}") : (call[..split], call[split..]);
            var id = await server.RequestAsync(method, method == "shutdown" ? "" : parameters);
            if (line[(space + 1)..] == "ok")
            {
                await server.ResultAsync(id);
            }
            else
            {
                Assert.Equal(line[(space + 1)..], $"{(await server.ErrorAsync(id)).Code}");
            }
        }

        await server.CloseInputAsync();
        Assert.Equal(exitCode, await server.ExitCode);
    }

    [Fact]
    public async Task Parse_errors_and_batches_leave_the_session_alone()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        await server.SendAsync("{oops");
        await server.SendAsync("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"shutdown\"},{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"shutdown\"}]");
        await server.SendAsync("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
        Assert.Equal("null -32700", Shown(await server.ReadAsync()));
        Assert.Equal("null -32600", Shown(await server.ReadAsync()));
        Assert.Equal(-32601, (await server.ErrorAsync(await server.RequestAsync("nonsense"))).Code);

        static string Shown(System.Text.Json.JsonElement message) =>
            $"{message.GetProperty("id").GetRawText()} {message.GetProperty("error").GetProperty("code")}";
    }

    [Theory]
    [InlineData("\"é\\u0041\\\"\"")]
    [InlineData("\"7\"")]
    [InlineData("-0")]
    [InlineData("1.50")]
    [InlineData("18446744073709551616")]
    public async Task Ids_come_back_exactly_as_they_came(string id)
    {
        await using var server = new TestServer();
        await server.SendAsync($$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"initialize","params":{"capabilities":{ } } }""");
        Assert.Equal(id, (await server.ReadAsync()).GetProperty("id").GetRawText());
    }

    [Fact]
    public async Task Ends_when_the_process_of_its_client_is_gone()
    {
        var exit = new TaskCompletionSource();
        await using var server = new TestServer(processExit: (processId, _) => processId == 4711 ? exit.Task : Task.CompletedTask);
        await server.ResultAsync(await server.RequestAsync("initialize", """{"processId":4711,"capabilities":{}}"""));
        await server.SettleAsync();
        exit.SetResult();
        Assert.Equal(1, await server.ExitCode);
    }

    [Fact]
    public async Task A_garbage_stream_ends_the_server_which_says_why()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        await server.SendRawAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        Assert.Contains("GET / HTTP/1.1", (await server.ReadAsync("window/logMessage")).GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, await server.ExitCode);
    }

    [Fact]
    public async Task Ends_when_a_real_process_is_gone()
    {
        await using var server = new TestServer();
        await server.ResultAsync(await server.RequestAsync("initialize", $$"""{"processId":{{int.MaxValue}},"capabilities":{} }"""));
        Assert.Equal(1, await server.ExitCode);
    }
}
