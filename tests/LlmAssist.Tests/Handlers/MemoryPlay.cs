// One editor at the whole server, on a machine whose memory the stand-in's models take. Knows how to speak and to let time pass; what is
// right is the tests' business.
using System.Text.Json;
using LlmAssist.Engine.Memory;
using LlmAssist.FakeOllama;
using LlmAssist.Server.Rpc;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Handlers;

/// <summary>The server behind a pipe, the stand-in behind a socket, and one clock for both, which passes while somebody waits here.</summary>
internal sealed class MemoryPlay : IAsyncDisposable
{
    public static readonly ByteSize Total = ByteSize.GiB(16);
    public static readonly ByteSize Free = ByteSize.GiB(12); // while no model is in memory
    public static readonly ByteSize Limit = ByteSize.GiB(6); // the default

    // Longer than anything waits here for by design.
    private static readonly TimeSpan Never = TimeSpan.FromMinutes(10);

    private readonly TempFolder _home = new();
    private readonly Dictionary<int, JsonElement> _answers = [];
    private Task<JsonElement>? _reading;
    private bool _hasEnded;

    /// <param name="runners">The processes of models that can be seen; null for none.</param>
    public MemoryPlay(Scenario scenario, IRunnerProbe? runners = null)
    {
        Ollama = new(scenario, Time.OfServer);
        Server = new(_home, Ollama.Endpoint, Time, new Machine(Ollama), runners ?? new RunnerProcesses.Unknown());
    }

    public DrivenTime Time { get; } = new();

    public FakeServer Ollama { get; }

    public TestServer Server { get; }

    /// <summary>What the user was shown.</summary>
    public List<string> Shown { get; } = [];

    /// <summary>What the server has asked of the client and not been answered, in order.</summary>
    public List<JsonElement> Questions { get; } = [];

    /// <summary>The memory part of the last status notification.</summary>
    public JsonElement Status => Server.Statuses[^1].GetProperty("memory");

    /// <summary>The models of the last status notification.</summary>
    public IReadOnlyList<string> StatusModels => Server.Statuses.Count == 0 ? [] : Ids(Status);

    /// <summary>Something in the server's data folder.</summary>
    public string this[string relative] => _home[relative];

    /// <param name="settings">Members of an object, as the editor sends them.</param>
    public async Task BeginAsync(string settings = "", string locale = "en", bool updatesSettings = false)
    {
        await Server.InitializeAsync(
            $$"""{"textDocument":{"inlineCompletion":{} },"experimental":{"llmAssist":{"updateSetting":{{(updatesSettings ? "true" : "false")}}} } }""",
            $$""","locale":"{{locale}}","initializationOptions":{ {{settings}} }""");
        _reading = Server.ReadAsync();
    }

    /// <summary>A command's result.</summary>
    public async Task<JsonElement> CommandAsync(string command, string argument = "")
    {
        var answer = await AskAsync("workspace/executeCommand", $$"""{"command":"llmAssist.{{command}}","arguments":[{{argument}}]}""");
        Assert.True(answer.TryGetProperty("result", out var result), $"Expected a result, found {answer}\n{Story}");
        return result;
    }

    /// <summary>Why a model is refused.</summary>
    public async Task<string> RefusalAsync(string command, string argument)
    {
        var answer = await AskAsync("workspace/executeCommand", $$"""{"command":"llmAssist.{{command}}","arguments":[{{argument}}]}""");
        Assert.True(answer.TryGetProperty("error", out var error), $"Expected an error, found {answer}");
        Assert.Equal(RpcErrorCode.ModelRefused, error.GetProperty("code").GetInt32());
        return error.GetProperty("message").GetString()!;
    }

    /// <summary>What the load of a model of Ollama says.</summary>
    public async Task<string> LoadAsync(string name) => (await CommandAsync("models.load", Id(name))).GetProperty("message").GetString()!;

    /// <summary>What happened last, for a test that fails.</summary>
    private string Story => string.Join('\n', Server.Logged.TakeLast(12).Concat(Ollama.MemoryLog.TakeLast(12).Select(entry => $"{entry.At} {entry.What} {entry.Model} {entry.RamBytes}")).Concat(
        Ollama.Asked.TakeLast(12).Select(static asked => $"{asked.ReceivedAt} {asked.Path} {asked.Body} {asked.EndedAt}")));

    /// <summary>Sends a request and lets time pass until it is answered.</summary>
    /// <returns>The whole answer.</returns>
    public async Task<JsonElement> AskAsync(string method, string parameters)
    {
        var id = await Server.RequestAsync(method, parameters);
        await UntilAsync(() => _answers.ContainsKey(id));
        _answers.Remove(id, out var answer);
        return answer;
    }

    /// <summary>Lets time pass until something holds.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> UntilAsync(Func<bool> holds)
    {
        var begun = Time.GetTimestamp();
        for (Take(); !holds(); Take())
        {
            Assert.True(Time.GetElapsedTime(begun) < Never, $"It never came about. Last status: {(Server.Statuses is [.., var last] ? last : "none")}. Shown: {string.Join(' ', Shown)}");
            await Time.StepAsync();
        }

        return Time.GetElapsedTime(begun);
    }

    /// <summary>Lets time pass.</summary>
    public async Task PassAsync(TimeSpan span)
    {
        var begun = Time.GetTimestamp();
        var stride = Time.Stride;
        Time.Stride = TimeSpan.FromTicks(Math.Max(stride.Ticks, span.Ticks / 20));
        for (Take(); Time.GetElapsedTime(begun) < span; Take())
        {
            await Time.StepAsync();
        }

        Time.Stride = stride;
    }

    /// <summary>Answers the first question that is open.</summary>
    public async Task AnswerAsync(string result)
    {
        var question = Questions[0];
        Questions.RemoveAt(0);
        await Server.AnswerAsync(question, result);
    }

    /// <summary>What happened to models, the oldest first: kind, model, reason.</summary>
    public async Task<IReadOnlyList<(string Kind, string Model, string Reason)>> EventsAsync()
    {
        var history = await CommandAsync("memory.history");
        return
        [
            .. history.GetProperty("events").EnumerateArray().Select(static happened =>
                (happened.GetProperty("kind").GetString()!, happened.GetProperty("id").GetString()!, happened.GetProperty("reason").GetString()!)),
        ];
    }

    /// <summary>Forgets what was said and asked so far, on both sides.</summary>
    /// <returns>The requests that the stand-in has answered since the last time.</returns>
    public IReadOnlyList<Asked> Forget()
    {
        Shown.Clear();
        Server.Forget();
        return Ollama.Forget();
    }

    /// <summary>Ends the session as an editor does.</summary>
    public async Task EndAsync()
    {
        if (_hasEnded || _reading is null)
        {
            return;
        }

        _hasEnded = true;
        await AskAsync("shutdown", "");
        await Server.NotifyAsync("exit");
        while (!Server.ExitCode.IsCompleted)
        {
            await Time.StepAsync();
        }

        Assert.Equal(0, await Server.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await Server.DisposeAsync();
        await Ollama.DisposeAsync();
    }

    /// <summary>The argument that names a model of Ollama.</summary>
    public static string Id(string name) => $$"""{"id":"ollama:{{name}}"}""";

    /// <summary>The ids of a memory status.</summary>
    public static IReadOnlyList<string> Ids(JsonElement memory) => [.. memory.GetProperty("models").EnumerateArray().Select(static model => model.GetProperty("id").GetString()!)];

    /// <summary>A size as the product writes it.</summary>
    public static string Written(long bytes) => new ByteSize(bytes).ToString();

    // Takes over what has come. After the answer to shutdown nothing is waited for: what may still come is the disposal's.
    private void Take()
    {
        while (_reading is { IsCompleted: true } read)
        {
            var message = read.GetAwaiter().GetResult();
            if (!message.TryGetProperty("method", out var method))
            {
                _answers.Add(message.GetProperty("id").GetInt32(), message);
            }
            else if (message.TryGetProperty("id", out _))
            {
                Questions.Add(message);
            }
            else
            {
                Assert.Equal("window/showMessage", method.GetString());
                Shown.Add(message.GetProperty("params").GetProperty("message").GetString()!);
            }

            _reading = _hasEnded ? null : Server.ReadAsync();
        }
    }

    // What models take, others cannot have.
    private sealed class Machine(FakeServer ollama) : IMemoryProbe
    {
        public MemoryReading Read() => new(new SystemMemory(Total, Free - new ByteSize(ollama.RamBytes), LimitedByGroup: false), null, []);
    }
}
