using LlmAssist.Server.Lsp;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Session;

public sealed class ClientLinkTests
{
    [Fact]
    public async Task Progress_begins_when_the_client_agrees_and_ends_once()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var beginning = server.Client.BeginProgressAsync("Training", isShown: true, CancellationToken.None);
        await server.AnswerAsync(await server.ReadAsync("window/workDoneProgress/create"), "null");
        var progress = await beginning;
        Assert.Equal("""{"kind":"begin","title":"Training","cancellable":true,"percentage":0}""", await Value(server));
        progress.Report(0.2, "one");
        progress.Report(0.204, "the same percentage");
        Assert.Equal("""{"kind":"report","message":"one","percentage":20}""", await Value(server));
        progress.Report(7, "over");
        Assert.Equal("""{"kind":"report","message":"over","percentage":100}""", await Value(server));
        progress.Dispose();
        Assert.Equal("""{"kind":"end"}""", await Value(server));
    }

    [Fact]
    public async Task Progress_is_canceled_by_its_token_only()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var beginning = server.Client.BeginProgressAsync("Training", isShown: true, CancellationToken.None);
        var create = await server.ReadAsync("window/workDoneProgress/create");
        await server.AnswerAsync(create, "null");
        var progress = await beginning;
        await Value(server);
        await server.NotifyAsync("window/workDoneProgress/cancel", """{"token":"other"}""");
        await server.NotifyAsync("window/workDoneProgress/cancel", """{"token":7}""");
        await server.SettleAsync();
        Assert.False(progress.Cancellation.IsCancellationRequested);

        var canceled = new TaskCompletionSource();
        progress.Cancellation.Register(canceled.SetResult);
        await server.NotifyAsync("window/workDoneProgress/cancel", $$"""{"token":{{create.GetProperty("params").GetProperty("token").GetRawText()}}}""");
        await canceled.Task.WaitAsync(TimeSpan.FromSeconds(20));
        progress.Dispose();
        Assert.Equal("""{"kind":"end"}""", await Value(server));
        await server.NotifyAsync("window/workDoneProgress/cancel", $$"""{"token":{{create.GetProperty("params").GetProperty("token").GetRawText()}}}""");
        await server.SettleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Progress_is_silent_where_the_client_refuses_or_cannot_show_it(bool asks)
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var beginning = server.Client.BeginProgressAsync("Training", asks, CancellationToken.None);
        if (asks)
        {
            var create = await server.ReadAsync("window/workDoneProgress/create");
            await server.SendAsync($$$"""{"jsonrpc":"2.0","id":{{{create.GetProperty("id")}}},"error":{"code":-32601,"message":"no"} }""");
        }

        using var progress = await beginning;
        progress.Report(0.5, "half");
    }

    [Fact]
    public async Task A_question_that_is_never_answered_ends_with_the_connection()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var asking = server.Client.ConfigurationAsync(CancellationToken.None);
        await server.ReadAsync("workspace/configuration");
        await server.CloseInputAsync();
        await server.ExitCode;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task A_refused_registration_is_logged()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var registering = server.Client.RegisterAsync([new("id", LspMethods.DidChangeWatchedFiles, new() { Watchers = [new("**/*.cs")] })], CancellationToken.None);
        var question = await server.ReadAsync("client/registerCapability");
        Assert.Equal(
            """{"registrations":[{"id":"id","method":"workspace/didChangeWatchedFiles","registerOptions":{"watchers":[{"globPattern":"**/*.cs"}]}}]}""",
            question.GetProperty("params").GetRawText());
        await server.SendAsync($$$"""{"jsonrpc":"2.0","id":{{{question.GetProperty("id")}}},"error":{"code":-32601,"message":"no"} }""");
        await registering;
        Assert.Equal("""{"type":2,"message":"client/registerCapability: no"}""", (await server.ReadAsync("window/logMessage")).GetRawText());
    }

    private static async Task<string> Value(TestServer server) => (await server.ReadAsync("$/progress")).GetProperty("value").GetRawText();
}
