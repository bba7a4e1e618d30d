// What 'show' hides and shows on demand: when it is asked for, what is taken of it, and that it may fail.
using System.Net;
using System.Text;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Tests.Ollama;

public sealed class OllamaListsTests
{
    private const string Verbose = """
        {"license":"<x>","modelfile":"FROM /b","details":{"families":["a",{"b":[1]}]},"model_info":{"general.architecture":"a","a.attention.head_count_kv":[0,8,0,8],
        "a.flags":[true,false],"a.block_count":4,"a.mixed":[1,"2"],"a.halves":[0.5],"a.nested":[[1],{"c":[2]}],"a.none":[],"a.object":{"a.inside":[5]},"tokenizer.ggml.token_type":[1,1,3],
        "tokenizer.ggml.tokens":["!","\"","a\u00e9]","#","["],"a.last":[7]},"tensors":[{"name":"t","shape":[1,2]}],"other":{"a.elsewhere":[1]}}
        """;

    private const string Found = "a.attention.head_count_kv=0,8,0,8 a.flags=1,0 a.last=7";

    // The first answer, whether there is a second question, and what is known then.
    [Theory]
    [InlineData("""{"model_info":{"general.architecture":"a","a.attention.head_count_kv":null}}""", true, Found, 5L)]
    [InlineData("""{"model_info":{"general.architecture":"a","a.attention.head_count_kv":[]}}""", true, Found, 5L)]
    [InlineData("""{"model_info":{"general.architecture":"a","a.attention.sliding_window_pattern":null,"a.vocab_size":9}}""", true, Found, 9L)]
    [InlineData("""{"model_info":{"general.architecture":"a","tokenizer.ggml.tokens":null}}""", true, Found, 5L)]
    [InlineData("""{"model_info":{"general.architecture":"a","tokenizer.ggml.tokens":null},"tensors":[null,{"name":"token_embd.weight","shape":[2,3]}]}""", false, "", 3L)]
    [InlineData("""{"model_info":{"general.architecture":"a","a.rope.factors":null,"b.attention.head_count_kv":null,"a.vocab_size":9}}""", false, "", 9L)]
    [InlineData("""{"model_info":{"general.architecture":"a","a.attention.head_count_kv":[2,1],"a.halves":[0.5],"tokenizer.types":[1]}}""", false, "a.attention.head_count_kv=2,1", null)]
    [InlineData("""{"model_info":{"general.architecture":"a","a.vocab_size":-3},"tensors":[{"name":"token_embd.weight","shape":[2]}]}""", false, "", null)]
    [InlineData("""{"model_info":null}""", false, "", null)]
    public async Task Lists_are_asked_for_only_if_they_tell_a_size(string plain, bool isAsked, string lists, long? vocabulary)
    {
        var (facts, asked) = await ShowAsync(plain, () => Body(Verbose));
        Assert.Equal(isAsked ? ["""{"model":"m"}""", """{"model":"m","verbose":true}"""] : ["""{"model":"m"}"""], asked);
        Assert.Equal(lists, Written(facts.Lists));
        Assert.Equal(vocabulary, facts.VocabularyTokens);
    }

    [Fact]
    public async Task Without_an_answer_there_are_no_lists()
    {
        const string Plain = """{"template":"t","model_info":{"general.architecture":"a","a.attention.head_count_kv":null}}""";
        Func<HttpResponseMessage>[] failures =
        [
            () => new(HttpStatusCode.InternalServerError) { Content = new StringContent("""{"error":"out of memory"}""") },
            () => Body("not json"),
            () => Body(Verbose[..^20]),
            () => Body("""{"model_info":""" + new string('[', 100)),
            () => Body(""),
            () => new(HttpStatusCode.OK) { Content = new StreamContent(new Endless("1,"u8.ToArray())) },
            () => new(HttpStatusCode.OK) { Content = new StreamContent(new Endless("a"u8.ToArray())) }, // one text that does not end
            () => throw new HttpRequestException("gone"),
        ];
        foreach (var failure in failures)
        {
            var (facts, asked) = await ShowAsync(Plain, failure);
            Assert.Equal(2, asked.Count);
            Assert.Equal(("t", "", null), (facts.Template, Written(facts.Lists), facts.VocabularyTokens));
        }
    }

    [Fact]
    public async Task Whoever_asks_can_cancel_the_second_question_too()
    {
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ShowAsync(
            """{"model_info":{"general.architecture":"a","a.attention.head_count_kv":null}}""",
            () =>
            {
                cancel.Cancel();
                return Body(Verbose);
            },
            cancel.Token));
    }

    [Fact]
    public void Lists_are_the_same_wherever_bytes_are_cut()
    {
        var bytes = Encoding.UTF8.GetBytes(Verbose);
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var scan = Scan(bytes, piece);
            Assert.Equal((Found, 5L), (Written(scan.Lists), scan.VocabularyTokens));
        }
    }

    // As large as they come: a quarter of a million tokens, and pairs of them.
    [Fact]
    public void A_large_vocabulary_takes_little()
    {
        var tokens = string.Join(',', Enumerable.Range(0, 250_000).Select(number => $"\"token{number}\""));
        var (ones, most) = (string.Join(',', Enumerable.Repeat(1, 1025)), string.Join(',', Enumerable.Repeat(1, 1024)));
        var json = Encoding.UTF8.GetBytes($$$"""{"model_info":{"tokenizer.ggml.merges":[{{{tokens}}}],"tokenizer.ggml.tokens":[{{{tokens}}}],"a.long":[{{{ones}}}],"a.most":[{{{most}}}]}}""");
        var before = GC.GetAllocatedBytesForCurrentThread();
        var scan = Scan(json, 32 << 10);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(250_000, scan.VocabularyTokens);
        Assert.Equal(["a.most"], scan.Lists.Keys);
        Assert.True(6 << 20 < json.Length);
        Assert.InRange(allocated, 0, 64 << 10);
    }

    [Theory]
    [InlineData("# Modelfile generated by \"ollama show\"\n# FROM qwen2.5-coder:1.5b\n\nFROM /usr/share/ollama/.ollama/models/blobs/sha256-aa\nTEMPLATE \"\"\"\nFROM /x\n\"\"\"", "/usr/share/ollama/.ollama/models/blobs/sha256-aa")]
    [InlineData("FROM /weights\nFROM /projector\n", "/weights")]
    [InlineData("from /a b \r\nX", "/a b")]
    [InlineData("FROM \"/a b\"", "/a b")]
    [InlineData("FROM C:\\Users\\me\\blobs\\sha256-aa", "C:\\Users\\me\\blobs\\sha256-aa")]
    [InlineData("FROM \\\\host\\share\\x", "\\\\host\\share\\x")]
    [InlineData("FROM qwen2.5-coder:1.5b", null)]
    [InlineData("FROM c:x", null)]
    [InlineData("FROM ", null)]
    [InlineData("FROMAGE /a", null)]
    [InlineData("", null)]
    public async Task A_modelfile_names_the_weights(string modelfile, string? path)
    {
        var (facts, _) = await ShowAsync(System.Text.Json.JsonSerializer.Serialize(new { modelfile }), () => Body("{}"));
        Assert.Equal(path, facts.WeightsPath);
    }

    private static async Task<(ModelFacts Facts, List<string> Asked)> ShowAsync(string plain, Func<HttpResponseMessage> verbose, CancellationToken cancellation = default)
    {
        var handler = new TwoAnswers(() => Body(plain), verbose);
        using var client = new OllamaClient(new("http://127.0.0.1:1"), TimeProvider.System, null, handler);
        return (await client.ShowWithListsAsync("m", cancellation), handler.Asked);
    }

    private static ListScan Scan(byte[] json, int piece)
    {
        var scan = new ListScan();
        for (var (start, end) = (0, Math.Min(json.Length, piece)); start < json.Length; end = Math.Min(json.Length, end + piece))
        {
            start += scan.Take(json.AsSpan(start, end - start), isEnd: end == json.Length);
        }

        return scan;
    }

    private static HttpResponseMessage Body(string json) => new(HttpStatusCode.OK) { Content = new StringContent(json) };

    private static string Written(IReadOnlyDictionary<string, IReadOnlyList<long>> lists) =>
        string.Join(' ', lists.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={string.Join(',', pair.Value)}"));

    private sealed class TwoAnswers(Func<HttpResponseMessage> first, Func<HttpResponseMessage> second) : HttpMessageHandler
    {
        public List<string> Asked { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(await request.Content!.ReadAsStringAsync(cancellationToken));
            return Asked.Count == 1 ? first() : second();
        }
    }

    // Begins as a list, or as a text in it, and goes on for ever with the same bytes.
    private sealed class Endless(byte[] again) : Stream
    {
        private readonly byte[] _start = Encoding.UTF8.GetBytes("{\"model_info\":{\"a.b\":[" + (again.Length == 1 ? "\"" : ""));
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => _position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            for (var index = 0; index < count; index++, _position++)
            {
                buffer[offset + index] = _position < _start.Length ? _start[_position] : again[(_position - _start.Length) % again.Length];
            }

            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
