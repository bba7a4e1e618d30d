using System.Text.Json;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Server.Background;
using LlmAssist.Server.Session;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Background;

public sealed class OllamaWorkTests
{
    // Settings, and whether the user is told that code leaves the machine. Nobody connects: that is the host's part, and nobody asks it.
    [Theory]
    [InlineData("""{}""", false)]
    [InlineData("""{"ollama.endpoint":"http://127.0.0.1:1"}""", false)]
    [InlineData("""{"ollama.endpoint":"http://localhost:1"}""", false)]
    [InlineData("""{"ollama.endpoint":"http://[::1]:1"}""", false)]
    [InlineData("""{"ollama.endpoint":"http://gpu.example:1"}""", true)]
    [InlineData("""{"ollama.endpoint":"192.168.1.5"}""", true)]
    [InlineData("""{"ollama.endpoint":"http://gpu.example:1","ollama.enabled":false}""", false)]
    [InlineData("""{"ollama.endpoint":"http://gpu.example:1","completion.source":"pattern"}""", false)]
    public async Task A_host_that_is_not_this_machine_is_announced_once_per_workspace(string settings, bool isAnnounced)
    {
        using var folder = new TempFolder();
        await using var server = new TestServer();
        await server.InitializeAsync();
        using var keeper = new MemoryKeeper(folder["shared"], MemoryProbe.ForThisMachine(), TimeProvider.System);
        using var host = new OllamaHost(keeper, RunnerProcesses.ForThisMachine(), TimeProvider.System, CompletionEngine.FillsMiddle);
        var session = new SessionSnapshot { Settings = ServerSettings.Parse(JsonElement.Parse(settings)).Settings, Folders = ["/w"] };

        // Another process of the same user remembers too.
        foreach (var isNew in new[] { true, false })
        {
            var work = new OllamaWork(host, new("http://127.0.0.1:2"), new(new(folder.Path)), server.Client);
            work.Configure(session);
            work.Configure(session);
            if (isNew && isAnnounced)
            {
                var message = (await server.ReadAsync("window/showMessage")).GetProperty("message").GetString();
                Assert.Contains("will be sent there", message, StringComparison.Ordinal);
            }
        }

        if (isAnnounced)
        {
            new OllamaWork(host, new("http://127.0.0.1:2"), new(new(folder.Path)), server.Client).Configure(session with { Folders = ["/other"] });
            await server.ReadAsync("window/showMessage");
        }
    }
}
