// Replies as they were recorded or as they could be, and bytes that could be anything.
using System.Text;
using LlmAssist.Engine.Ollama;
using LlmAssist.FakeOllama;

namespace LlmAssist.Tests.Ollama;

public sealed class OllamaWireTests
{
    private const string Stream = """
        {"model":"qwen2.5-coder:1.5b","created_at":"2026-03-02T09:20:01.1Z","response":"return","done":false}
        {"model":"qwen2.5-coder:1.5b","created_at":"2026-03-02T09:20:01.2Z","response":" a \u003c ñ","done":false}
        {"model":"qwen2.5-coder:1.5b","created_at":"2026-03-02T09:20:01.3Z","response":"","done":true,"done_reason":"stop","context":[1,2,3],"total_duration":412000000,"load_duration":21000000,"prompt_eval_count":57,"prompt_eval_duration":90000000,"eval_count":4,"eval_duration":160000000}

        """;

    [Fact]
    public async Task Running_models_are_read_in_all_three_situations()
    {
        await using var play = new Play(Play.Recorded("""
            {"models":[
             {"name":"nomic-embed-text:latest","model":"nomic-embed-text:latest","size":595142656,"size_vram":595142656,"digest":"0a109f422b47e3a30ba2b10eca18548e944e8a23073ee3f3e947efcf3c45e59f","details":{"parent_model":"","format":"gguf","family":"nomic-bert","families":["nomic-bert"],"parameter_size":"137M","quantization_level":"F16"},"expires_at":"2318-06-13T09:07:16.854775807+01:00","context_length":2048},
             {"name":"mistral:7b","model":"mistral:7b","size":5400000000,"size_vram":2100000000,"digest":"f974a74358d62a017b37c6f424fcdf2744ca02926c4f952513ddf474b2fa5091","details":{"parent_model":"","format":"gguf","family":"llama","families":null,"parameter_size":"7.2B","quantization_level":"Q4_0"},"expires_at":"2026-03-02T10:24:12.5+01:00","context_length":8192},
             {"name":"llama2:7b","model":"llama2:7b","size":6039797760,"size_vram":0,"digest":"sha256:78E26419B4469263F75331927A00A0284EF6544C1975B826B15ABDAEF17BB962","expires_at":"2026-03-02T10:19:41+01:00"}]}
            """));
        var now = new DateTimeOffset(2026, 3, 2, 10, 20, 0, TimeSpan.FromHours(1));
        var running = await play.Client.RunningAsync(default);
        Assert.Equal([0, 3_300_000_000, 6_039_797_760], running.Select(model => model.RamBytes));
        Assert.Equal([true, false, false], running.Select(model => model.IsKeptForever(now)));
        Assert.Equal([false, false, true], running.Select(model => model.ExpiresAt < now));
        Assert.Equal([2048, 8192, null], running.Select(model => model.ContextTokens));
        Assert.Equal("78e26419b4469263f75331927a00a0284ef6544c1975b826b15abdaef17bb962", running[2].Key);
    }

    [Theory]
    [InlineData("""{"version":"0.12.6"}""", "0.12.6")]
    [InlineData("""{"version":0.12,"x":{"y":[{}]}}""", "0.12")]
    [InlineData("""{"version":" 1.0 ","error":null}""", "1.0")]
    [InlineData("""{"version":null}""", null)]
    [InlineData("""{"version":{}}""", null)]
    [InlineData("{}", null)]
    public async Task A_version_may_be_a_text_or_a_number(string body, string? version)
    {
        await using var play = new Play(Play.Recorded(body));
        if (version is null)
        {
            Assert.Equal(OllamaReason.BadReply, (await Assert.ThrowsAsync<OllamaException>(() => play.Client.VersionAsync(default))).Reason);
            return;
        }

        Assert.Equal(version, (await play.Client.VersionAsync(default)).Text);
    }

    [Theory]
    [InlineData("""{"models":null}""", "")]
    [InlineData("""{}""", "")]
    [InlineData("""{"models":[null,{},{"name":""}]}""", "")]
    [InlineData("""{"models":[{"name":"a"}]}""", "a:latest 0 0 ?")]
    [InlineData("""{"models":[{"model":"a","size":null,"size_vram":"12","context_length":0}]}""", "a:latest 0 12 ?")]
    [InlineData("""{"models":[{"name":"a","size":-5,"size_vram":1e3,"context_length":4096.0,"digest":"D"}]}""", "d 0 1000 4096")]
    [InlineData("""{"models":[{"name":"a","size":1e300,"size_vram":[1],"context_length":99999999999,"expires_at":"soon","details":null}]}""", "a:latest 0 0 2147483647")]
    [InlineData("""{"models":[{"name":7,"size":true,"expires_at":5}]}""", "7:latest 0 0 ?")]
    public async Task What_is_missing_or_odd_counts_as_not_told(string body, string expected)
    {
        await using var play = new Play(Play.Recorded(body));
        var running = await play.Client.RunningAsync(default);
        Assert.Equal(expected, string.Join(';', running.Select(model => $"{model.Key} {model.SizeBytes} {model.VramBytes} {model.ContextTokens?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "?"}")));
        Assert.All(running, model => Assert.Null(model.ExpiresAt));
    }

    [Theory]
    [InlineData("""{"template":"{{ .Prompt }}"}""", "completion", "")]
    [InlineData("""{"template":"{{ if .Suffix }}"}""", "completion insert", "")]
    [InlineData("""{"template":"{{ if .Suffix }}","capabilities":["completion",null]}""", "completion", "")]
    [InlineData("""{"capabilities":[],"model_info":{"general.architecture":5,"a.b":"x","a.c":1.5,"a.d":null,"a.e":[1]}}""", "", "general.architecture=5")]
    [InlineData("""{"capabilities":[],"model_info":{"general.architecture":"a","a.b":3,"general.file_type":15}}""", "", "a.b=3 general.file_type=15")]
    public async Task Facts_are_taken_from_what_there_is(string body, string capabilities, string numbers)
    {
        await using var play = new Play(Play.Recorded(body));
        var facts = await play.Client.ShowAsync("m", default);
        Assert.Equal(capabilities, string.Join(' ', facts.Capabilities));
        Assert.Equal(numbers, string.Join(' ', facts.Numbers.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_is_the_same_wherever_its_bytes_are_cut(bool windowsLines)
    {
        var bytes = Encoding.UTF8.GetBytes(windowsLines ? Stream.Replace("\n", "\r\n", StringComparison.Ordinal) : Stream);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            using var client = new OllamaClient(new("http://127.0.0.1:1"), TimeProvider.System, null, new Scripted(() => new InTwo(bytes, cut)));
            var generated = await Play.ReadAsync(client.GenerateAsync(new("m", "p"), default));
            Assert.Equal("return a < ñ", generated.Text);
            Assert.Equal(
                new GenerationEnd(EndReason.Stop, Milliseconds(412), Milliseconds(21), 57, Milliseconds(90), 4, Milliseconds(160)),
                generated.End);
        }
    }

    // Cut off anywhere, the text before is there, and nothing is taken for the end that is none.
    [Fact]
    public async Task A_stream_may_end_anywhere()
    {
        var bytes = Encoding.UTF8.GetBytes(Stream);
        var lastFrame = Encoding.UTF8.GetByteCount(Stream[..Stream.LastIndexOf("{\"model", StringComparison.Ordinal)]);
        for (var length = 0; length < bytes.Length - 1; length++)
        {
            using var client = new OllamaClient(new("http://127.0.0.1:1"), TimeProvider.System, null, new Scripted(() => new MemoryStream(bytes, 0, length)));
            var generated = await Play.ReadAsync(client.GenerateAsync(new("m", "p"), default));
            Assert.StartsWith(generated.Text, "return a < ñ", StringComparison.Ordinal);
            Assert.True(lastFrame <= length + 1 ? generated.Text.Length == 12 : generated.Text.Length < 12, $"{length}: {generated.Text}");
            Assert.True(
                length == bytes.Length - 1 ? generated.End?.Reason == EndReason.Stop : generated.Failure?.Reason == OllamaReason.BadReply || generated.End?.Reason == EndReason.Truncated,
                $"{length} of {bytes.Length}: {generated}");
        }
    }

    // Bodies in place of any reply. They are mutations of real ones, so that they get past the first character.
    [Fact]
    public async Task No_body_crashes_the_client()
    {
        var random = new Random(20261120);
        byte[][] seeds = [.. Seeds.Select(Encoding.UTF8.GetBytes)];
        var failures = 0;
        for (var round = 0; round < 3000; round++)
        {
            var body = Mutated(seeds[random.Next(seeds.Length)], random);
            using var client = new OllamaClient(new("http://127.0.0.1:1"), TimeProvider.System, null, new Scripted(() => new MemoryStream(body)));
            failures += await CallAllAsync(client);
        }

        Assert.InRange(failures, 1000, 3000 * 6 - 1000); // both ends were met
    }

    // The same with the bytes of HTTP itself, over sockets.
    [Fact]
    public async Task No_bytes_crash_the_client()
    {
        var random = new Random(3);
        var seeds = Seeds.Select(seed => Play.Recorded(seed).Raw).ToArray();
        for (var round = 0; round < 60; round++)
        {
            var bytes = round % 4 == 0 ? new byte[random.Next(300)] : Mutated(seeds[random.Next(seeds.Length)], random);
            if (round % 4 == 0)
            {
                random.NextBytes(bytes);
            }

            await using var play = new Play(Play.Bytes(bytes));
            await CallAllAsync(play.Client).WaitAsync(Play.Hang);
        }
    }

    [Fact]
    public void A_scenario_is_read_from_json()
    {
        var scenario = Scenario.Parse("""
            {
              "loadMilliseconds": 300, // as a slow disk
              "models": [{ "name": "mistral:7b", "vramBytes": 5, "loadedBytes": 5 }],
              "faults": [{ "kind": "errorLine", "path": "/api/generate", "frame": 2, "times": 1 }],
            }
            """);
        Assert.Equal(300, scenario.LoadMilliseconds);
        Assert.Equal("0.33.0", scenario.Version);
        Assert.Equal(("mistral:7b", 5L, "qwen2"), scenario.Models.Select(model => (model.Name, model.VramBytes, model.Family)).Single());
        Assert.Equal((FaultKind.ErrorLine, 2, 1, 1), scenario.Faults.Select(fault => (fault.Kind, fault.Frame, fault.From, fault.Times)).Single());
        Assert.Throws<System.Text.Json.JsonException>(() => Scenario.Parse("""{"loadMillisecond": 300}"""));
    }

    private static readonly string[] Seeds =
    [
        Stream,
        """{"version":"0.12.6"}""",
        """{"models":[{"name":"a:b","size":5,"size_vram":1,"digest":"ab","modified_at":"2026-03-02T10:11:12.345678901+01:00","expires_at":"2026-03-02T10:24:12.5+01:00","context_length":8192,"details":{"family":"l","families":null},"capabilities":["completion"]}]}""",
        """{"template":"{{ .Suffix }}","details":{"family":"q"},"model_info":{"general.architecture":"q","q.block_count":28},"tensors":[{"name":"t","type":"Q","shape":[1,2]}],"capabilities":["insert"]}""",
        "{\"status\":\"pulling manifest\"}\n{\"status\":\"pulling 29\",\"digest\":\"sha256:29\",\"total\":9,\"completed\":4}\n{\"status\":\"success\"}\n",
        """{"error":"model 'x' not found"}""",
    ];

    private static async Task<int> CallAllAsync(OllamaClient client)
    {
        Func<Task>[] calls =
        [
            () => client.VersionAsync(default),
            () => client.ListAsync(default),
            () => client.RunningAsync(default),
            () => client.ShowAsync("m", default),
            () => client.LoadAsync("m", 4096, null, default),
            async () =>
            {
                await foreach (var piece in client.GenerateAsync(new("m", "p"), default))
                {
                    Assert.NotNull(piece.Text);
                }

                await foreach (var step in client.PullAsync("m", default))
                {
                    Assert.NotNull(step.Status);
                }
            },
        ];
        var failures = 0;
        foreach (var call in calls)
        {
            try
            {
                await call();
            }
            catch (OllamaException exception)
            {
                Assert.DoesNotContain(exception.Phrase.Spanish, char.IsControl);
                failures++;
            }
        }

        return failures;
    }

    private static byte[] Mutated(byte[] seed, Random random)
    {
        var bytes = seed.ToList();
        for (var change = random.Next(4); 0 <= change; change--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.Insert(at, "{}[]\",:\n\\0eE-"u8[random.Next(13)]);
                    break;
                case 2 when 8 < bytes.Count:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 8), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(20, bytes.Count - at)));
                    break;
                default:
                    bytes.InsertRange(at, Enumerable.Repeat((byte)'[', 70));
                    break;
            }
        }

        return [.. bytes];
    }

    private static TimeSpan Milliseconds(int count) => TimeSpan.FromMilliseconds(count);

    private sealed class Scripted(Func<Stream> body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.OK) { Content = new StreamContent(body()) });
    }

    // The first read gets no more than the bytes before the cut.
    private sealed class InTwo(byte[] bytes, int cut) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(Position < cut ? buffer[..Math.Min(buffer.Length, cut - (int)Position)] : buffer, cancellationToken);
    }
}
