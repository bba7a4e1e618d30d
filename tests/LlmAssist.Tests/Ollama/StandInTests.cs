// The stand-in itself, where our client does not go: what it refuses and how, and what it tells tests and benchmarks.
using System.Text;
using System.Text.Json.Nodes;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Ollama;
using LlmAssist.FakeOllama;

namespace LlmAssist.Tests.Ollama;

public sealed class StandInTests
{
    private static readonly TimeSpan Evaluation = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(7);

    [Theory]
    [InlineData("GET /", "", 200, "Ollama is running")]
    [InlineData("HEAD /", "", 200, "")]
    [InlineData("HEAD /api/version", "", 200, "")]
    [InlineData("POST /", "", 405, "405")]
    [InlineData("GET /api/generate", "", 405, "405")]
    [InlineData("GET /api/nothing", "", 404, "404 page not found")]
    [InlineData("POST /api/chat", "", 400, "missing request body")]
    [InlineData("POST /api/show", "{}", 400, "model is required")]
    [InlineData("POST /api/show", """{"name":"QWEN2.5-coder:1.5b"}""", 200, "qwen2.block_count")]
    [InlineData("POST /api/show", """{"model":"nope"}""", 404, "model 'nope:latest' not found")]
    [InlineData("POST /api/pull", """{"model":"a b"}""", 400, "invalid model name")]
    [InlineData("POST /api/pull", """{"model":"nope","stream":false}""", 500, "pull model manifest: file does not exist")]
    [InlineData("POST /api/pull", """{"model":"qwen2.5-coder:1.5b","stream":false}""", 200, """{"status":"success"}""")]
    [InlineData("POST /api/chat", "{}", 400, "model is required")]
    [InlineData("POST /api/chat", """{"model":"nope"}""", 404, "model 'nope' not found")]
    [InlineData("POST /api/chat", """{"model":"nomic","messages":[{"role":"user","content":"a"}]}""", 400, "\\\"nomic\\\" does not support chat")]
    [InlineData("POST /api/chat", """{"model":"nomic","messages":["a"]}""", 400, "json: cannot unmarshal string into Go struct field ChatRequest.messages of type api.Message")]
    [InlineData("POST /api/chat", """{"model":"plain","messages":[{"role":"user","content":"a"}],"tools":[{}]}""", 400, "registry.ollama.ai/library/plain:latest does not support tools")]
    [InlineData("POST /api/chat", """{"model":"plain"}""", 200, """
        "message":{"role":"assistant","content":""},"done":true,"done_reason":"load"
        """)]
    [InlineData("POST /api/chat", """{"model":"plain","messages":[],"keep_alive":0}""", 200, """
        "message":{"role":"assistant","content":""},"done":true,"done_reason":"unload"
        """)]
    [InlineData("POST /api/generate", "{}", 404, "model '' not found")]
    [InlineData("POST /api/generate", """{"model":"a b"}""", 400, "invalid model name")]
    [InlineData("POST /api/generate", """{"model":"plain","prompt":5}""", 400, "json: cannot unmarshal number into Go struct field GenerateRequest.prompt of type string")]
    [InlineData("POST /api/generate", """{"model":"plain","prompt":"p","suffix":"s"}""", 400, "registry.ollama.ai/library/plain:latest does not support insert")]
    [InlineData("POST /api/generate", """{"model":"me/plain","prompt":"p","think":true}""", 400, "\\\"me/plain\\\" does not support thinking")]
    [InlineData("POST /api/generate", """{"model":"plain","prompt":"p","raw":true,"system":"s"}""", 400, "raw mode does not support")]
    [InlineData("POST /api/generate", """{"model":"plain","options":{"num_ctx":"big"}}""", 500, "option \\\"num_ctx\\\" must be of type integer")]
    [InlineData("POST /api/generate", """{"model":"plain","options":{"num_ctx":null,"stop":null,"nobody":[]}}""", 200, "load")]
    [InlineData("POST /api/generate", """{"model":"plain","keep_alive":"300"}""", 400, "time: missing unit in duration \\\"300\\\"")]
    [InlineData("POST /api/generate", """{"model":"plain","keep_alive":"5d"}""", 400, "time: unknown unit \\\"d\\\" in duration \\\"5d\\\"")]
    [InlineData("POST /api/generate", """{"model":"plain","keep_alive":"soon"}""", 400, "time: invalid duration \\\"soon\\\"")]
    [InlineData("POST /api/generate", """{"model":"plain","keep_alive":true}""", 400, "Unsupported type: 'bool'")]
    [InlineData("POST /api/generate", """{"model":"plain","keep_alive":"0"}""", 200, "unload")]
    public async Task It_answers_as_ollama_does(string request, string body, int status, string part)
    {
        await using var play = new Play(Cast);
        var (answered, text) = await AskAsync(play, request, body);
        Assert.Equal((status, true), (answered, text.Contains(part.Trim(), StringComparison.Ordinal)));
        Assert.Equal(part.Length == 0, text.Length == 0);
    }

    [Theory]
    [InlineData("Origin", "http://localhost:3000", 200)]
    [InlineData("Origin", "vscode-webview://a", 200)]
    [InlineData("Origin", "https://example.com", 403)]
    [InlineData("Host", "example.com", 403)]
    [InlineData("Host", "localhost", 200)]
    public async Task It_refuses_what_a_web_page_could_have_sent(string header, string value, int status)
    {
        await using var play = new Play(Cast);
        using var http = new HttpClient();
        using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(play.Server.Endpoint, "/api/version"));
        message.Headers.Add(header, value);
        using var response = await http.SendAsync(message).WaitAsync(Play.Hang);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("-1", 2318)]
    [InlineData("\"-1m\"", 2318)]
    [InlineData("90.5", 2026)]
    [InlineData("\"1h30m0.5s\"", 2026)]
    [InlineData("null", 2026)]
    public async Task A_model_stays_as_long_as_is_said(string keepAlive, int year)
    {
        await using var play = new Play(Cast);
        await AskAsync(play, "POST /api/chat", $$"""{"model":"plain","keep_alive":{{keepAlive}}}""");
        Assert.Equal(year, Assert.Single(await play.Client.RunningAsync(default)).ExpiresAt!.Value.Year);
    }

    [Fact]
    public async Task A_context_is_no_longer_than_trained_and_another_one_waits_for_what_runs()
    {
        await using var play = new Play(Cast with { FirstFrameMilliseconds = (int)Evaluation.TotalMilliseconds });
        await play.Client.LoadAsync(Play.Model, 1_000_000, null, default);
        Assert.Equal(32768, Assert.Single(await play.Client.RunningAsync(default)).ContextTokens);
        var generating = play.GenerateAsync(new(Play.Model, "p") { ContextTokens = 32768 });
        await play.ServerTime.ArmedAsync(Evaluation).WaitAsync(Play.Hang);
        var reloading = play.Client.LoadAsync(Play.Model, 2048, null, default);
        await play.Server.AskedAsync("/api/generate", 3).WaitAsync(Play.Hang);
        Assert.Equal(32768, Assert.Single(await play.Client.RunningAsync(default)).ContextTokens);
        play.ServerTime.Advance(Evaluation);
        Assert.Null((await generating.WaitAsync(Play.Hang)).Failure);
        await reloading.WaitAsync(Play.Hang);
        Assert.Equal((2048, 2), (Assert.Single(await play.Client.RunningAsync(default)).ContextTokens!.Value, play.Server.Loads));
    }

    // The clock stands still, so nothing but the closed connection ends the request.
    [Theory]
    [InlineData("load")]
    [InlineData("load behind a load")]
    [InlineData("evaluation")]
    [InlineData("slot")]
    [InlineData("frame")]
    [InlineData("whole")]
    public async Task It_notices_at_once_that_a_client_has_left(string during)
    {
        await using var play = new Play(Cast with
        {
            Running = during.StartsWith("load", StringComparison.Ordinal) ? [] : [Play.Model],
            LoadMilliseconds = (int)Load.TotalMilliseconds,
            FirstFrameMilliseconds = during is "evaluation" or "slot" ? (int)Evaluation.TotalMilliseconds : 0,
            FrameMilliseconds = 500,
        });
        using var http = new HttpClient();
        using var cancel = new CancellationTokenSource();
        using var staying = new CancellationTokenSource();
        if (during is "load behind a load" or "slot")
        {
            _ = SendAsync(http, play, Question(stream: true), staying.Token);
            await play.ServerTime.ArmedAsync(during == "slot" ? Evaluation : Load).WaitAsync(Play.Hang);
        }

        var leaving = SendAsync(http, play, Question(stream: during != "whole"), cancel.Token);
        var asked = await play.Server.AskedAsync("/api/generate", during is "load behind a load" or "slot" ? 2 : 1).WaitAsync(Play.Hang);
        if (during is not ("load behind a load" or "slot"))
        {
            await play.ServerTime.ArmedAsync(during switch { "load" => Load, "evaluation" => Evaluation, _ => TimeSpan.FromMilliseconds(500) }).WaitAsync(Play.Hang);
        }

        Assert.Null(asked.EndedAt);
        await cancel.CancelAsync();
        Assert.Equal(Outcome.ClientLeft, await asked.Ended.WaitAsync(Play.Hang));
        Assert.Equal(asked.ReceivedAt, asked.EndedAt);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.WaitAsync(Play.Hang));
    }

    [Fact]
    public async Task It_tells_when_and_how_many()
    {
        await using var play = new Play(Cast with { Running = [Play.Model], FirstFrameMilliseconds = (int)Evaluation.TotalMilliseconds });
        var first = play.GenerateAsync();
        await play.ServerTime.ArmedAsync(Evaluation).WaitAsync(Play.Hang);
        var second = Play.ReadAsync(play.Client.ChatAsync(new(Play.Model, [new("user", "int a")]), default));
        var chat = await play.Server.AskedAsync("/api/chat").WaitAsync(Play.Hang);
        await play.Client.VersionAsync(default);
        await play.Client.LoadAsync(Play.Model, null, null, default);
        for (var answer = 0; answer < 2; answer++)
        {
            await play.ServerTime.ArmedAsync(Evaluation).WaitAsync(Play.Hang);
            play.ServerTime.Advance(Evaluation);
        }

        Assert.Equal(TimeSpan.FromSeconds(9), (await first.WaitAsync(Play.Hang)).End!.PromptTime);
        Assert.Null((await second.WaitAsync(Play.Hang)).Failure);
        await chat.Ended.WaitAsync(Play.Hang);
        Assert.Equal((2, 2), (play.Server.Generations, play.Server.MostGenerationsAtOnce));
        Assert.Equal(Evaluation * 2, play.ServerTime.GetElapsedTime(chat.ReceivedAt, chat.FirstFrameAt!.Value));
        Assert.Equal(Evaluation * 2, play.ServerTime.GetElapsedTime(chat.ReceivedAt, chat.EndedAt!.Value));
    }

    // Whoever asks again only when the last answer is there, or when he has let go of it, never has two open.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_after_the_other_is_one_at_once(bool letsGo)
    {
        await using var play = new Play(Cast with { Faults = letsGo ? [new() { Kind = FaultKind.Stall, Path = "/api/generate", Frame = 1 }] : [] });
        for (var round = 0; round < 50; round++)
        {
            await foreach (var piece in play.Client.GenerateAsync(new(Play.Model, "int a"), default))
            {
                if (letsGo || piece.End is not null)
                {
                    break;
                }
            }
        }

        Assert.Equal((50, 1), (play.Server.Generations, play.Server.MostGenerationsAtOnce));
    }

    [Fact]
    public async Task A_model_that_says_the_same_again_and_again_is_cut_off_without_an_end()
    {
        await using var play = new Play(Cast with { Models = [new() { Reply = string.Concat(Enumerable.Repeat(" no", 50)) }] });
        var generated = await play.GenerateAsync(new(Play.Model, "p") { MaxTokens = 100 });
        Assert.Equal((EndReason.Truncated, 30 * 3), (generated.End!.Reason, generated.Text.Length));
        Assert.Contains("\"done\":false", (await AskAsync(play, "POST /api/generate", Question(stream: false))).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("starcoder2:3b", "starcoder2", "starcoder2")]
    [InlineData("codestral:22b", "mistral", "codestral")]
    [InlineData("codellama:7b-code", "llama", "codellama")]
    [InlineData("my-own", "qwen2", "qwen")]
    public async Task A_model_is_asked_as_its_name_says(string name, string family, string layout)
    {
        await using var play = new Play(new Scenario { Models = [new() { Name = name, Family = family }] });
        var facts = await play.Client.ShowAsync(name, default);
        var support = FimTemplate.Detect(new(name, facts.Family, facts.Capabilities, facts.Template));
        Assert.Equal(layout, Assert.IsType<FimSupport.Known>(support).Template.Name);
    }

    [Fact]
    public async Task Old_versions_tell_no_capabilities()
    {
        await using var play = new Play(Cast with { WithoutCapabilities = true });
        Assert.Null((await play.Client.ListAsync(default))[0].Capabilities);
        Assert.Equal(["completion", "insert"], (await play.Client.ShowAsync(Play.Model, default)).Capabilities);
        Assert.Equal(["completion"], (await play.Client.ShowAsync("plain", default)).Capabilities);
    }

    private static Scenario Cast => new()
    {
        Models = [new(), new() { Name = "plain", Capabilities = ["completion"] }, new() { Name = "me/plain", Capabilities = ["completion"] }, new() { Name = "nomic", Capabilities = ["embedding"] }],
    };

    private static string Question(bool stream) =>
        new JsonObject { ["model"] = Play.Model, ["prompt"] = "int a", ["stream"] = stream }.ToJsonString();

    private static async Task<(int Status, string Text)> AskAsync(Play play, string request, string body)
    {
        using var http = new HttpClient();
        var words = request.Split(' ');
        using var message = new HttpRequestMessage(new(words[0]), new Uri(play.Server.Endpoint, words[1]));
        message.Content = body.Length == 0 ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(message).WaitAsync(Play.Hang);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync().WaitAsync(Play.Hang));
    }

    private static async Task SendAsync(HttpClient http, Play play, string body, CancellationToken cancellation)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(play.Server.Endpoint, "/api/generate"), content, cancellation);
    }
}
