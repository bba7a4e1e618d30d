// Models as their servers describe them, what they take by hand calculation, and numbers that no server should tell.
using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Tests.Models;

public sealed class OllamaFootprintTests
{
    private const double Slack = 1.1;

    private const string Llama2 = "block_count=32 context_length=4096 embedding_length=4096 attention.head_count=32 attention.head_count_kv=32 vocab_size=32000";
    private const string Mistral = "block_count=32 context_length=32768 embedding_length=4096 attention.head_count=32 attention.head_count_kv=8 vocab_size=32768";
    private const string Qwen = "block_count=28 context_length=32768 embedding_length=1536 attention.head_count=12 attention.head_count_kv=2 vocab_size=151936";
    private const string Gemma3 = "block_count=34 embedding_length=2560 attention.head_count=8 attention.head_count_kv=4 attention.key_length=256 attention.value_length=256 attention.sliding_window=1024 vocab_size=262144";
    private const string GptOss = "block_count=24 embedding_length=2880 attention.head_count=64 attention.head_count_kv=8 attention.key_length=64 attention.value_length=64 attention.sliding_window=128 vocab_size=201088";
    private const string Small = "block_count=6 embedding_length=1024 attention.head_count=8 vocab_size=1000";

    // Weights in GiB; keys and values in bytes a token and in MiB; all of it with 4096 tokens in GiB, before slack.
    [Theory]
    [InlineData("llama", Llama2, 3.56, 524288, 2048, 2048, 5.6)] // trained for 4096
    [InlineData("llama", Mistral, 3.83, 131072, 512, 4096, 4.4)]
    [InlineData("qwen2", Qwen, 0.92, 28672, 112, 896, 1.3)]
    public void What_is_known_of_models_is_predicted(string architecture, string numbers, double weights, double perToken, double at4096, double at32768, double total)
    {
        var facts = Facts(architecture, numbers);
        var footprint = OllamaFootprint.Of(Installed(ByteSize.GiB(weights)), facts);
        var trained = (int)facts.Number("context_length")!.Value;
        Assert.Equal(perToken, footprint.BytesPerToken / Slack, precision: 3);
        Assert.Equal(ByteSize.MiB(at4096).Bytes, Cache(footprint, 4096), 16.0);
        Assert.Equal(ByteSize.MiB(at32768).Bytes, Cache(footprint, Math.Min(32768, trained)), 16.0);
        Assert.InRange(footprint.At(4096) / ((ByteSize.GiB(total) * Slack) + ByteSize.MiB(150)), 0.97, 1.03);
    }

    // Bytes a token in layers that see everything, and in those that see a window; and tokens of the window.
    [Theory]
    [InlineData("gemma3", Gemma3, 5 * 4096, 29 * 4096, 1536)]
    [InlineData("gemma3", Gemma3 + " attention.sliding_window_pattern=2", 17 * 4096, 17 * 4096, 1536)]
    [InlineData("gemma3", Gemma3 + " attention.sliding_window_pattern=1", 34 * 4096, 0, 0)]
    [InlineData("gptoss", GptOss, 12 * 2048, 12 * 2048, 768)] // 128 and the batch, in whole blocks
    [InlineData("gpt-oss", GptOss, 12 * 2048, 12 * 2048, 768)]
    [InlineData("llama", GptOss, 24 * 2048, 0, 0)] // nobody says which layers have it
    [InlineData("x", Small + " attention.sliding_window=1000 attention.sliding_window_pattern=[1,1,0,1,1,0]", 2 * 4096, 4 * 4096, 1536)]
    [InlineData("x", Small + " attention.sliding_window=1000 attention.sliding_window_pattern=[1,1]", 4 * 4096, 2 * 4096, 1536)]
    [InlineData("x", Small + " attention.sliding_window=1000 attention.sliding_window_pattern=2 attention.key_length_swa=64", 3 * 4096, 3 * 3072, 1536)]
    [InlineData("x", Small + " attention.sliding_window=0 attention.sliding_window_pattern=2", 6 * 4096, 0, 0)]
    // Heads by layer, none in some.
    [InlineData("x", Small + " attention.head_count_kv=[0,2,0,4,0,8]", 14 * 512, 0, 0)]
    [InlineData("x", Small + " attention.head_count_kv=[2,4]", (2 + (5 * 4)) * 512, 0, 0)]
    [InlineData("x", "block_count=2 embedding_length=1024 vocab_size=1 attention.head_count=[4,8] attention.head_count_kv=2", (2 * 512 * 2) + (2 * 256 * 2), 0, 0)]
    // Latent attention, and where it saves nothing.
    [InlineData("deepseek2", "block_count=27 embedding_length=2048 attention.head_count=16 attention.head_count_kv=16 attention.key_length=192 attention.value_length=128 attention.kv_lora_rank=512 rope.dimension_count=64 vocab_size=102400", 27 * 576 * 2, 0, 0)]
    [InlineData("x", Small + " attention.head_count_kv=1 attention.kv_lora_rank=512 rope.dimension_count=64", 6 * 512, 0, 0)]
    public void Layers_differ(string architecture, string numbers, double all, double window, int windowTokens)
    {
        var footprint = OllamaFootprint.Of(Installed(ByteSize.GiB(1)), Facts(architecture, numbers));
        Assert.Equal(all, footprint.BytesPerToken / Slack, precision: 3);
        Assert.Equal(window, footprint.BytesPerWindowToken / Slack, precision: 3);
        Assert.Equal(windowTokens, footprint.WindowTokens);
    }

    // Kernel 4, inner size 2048, state 128, one group: (3 · (2048 + 256) + 128 · 2048) · 4 bytes a layer.
    [Theory]
    [InlineData("attention.head_count_kv=[0,0,2,0,0,2]", 4)]
    [InlineData("attention.head_count_kv=2", 6)] // which of them are recurrent is not told
    [InlineData("attention.head_count=0", 6)] // none has attention
    public void A_recurrent_layer_has_a_state_whatever_the_context(string heads, int layers)
    {
        const string States = " ssm.conv_kernel=4 ssm.inner_size=2048 ssm.state_size=128 ssm.group_count=1";
        var with = OllamaFootprint.Of(Installed(ByteSize.GiB(1)), Facts("x", $"{Small} {heads}{States}"));
        var without = OllamaFootprint.Of(Installed(ByteSize.GiB(1)), Facts("x", $"{Small} {heads}"));
        Assert.Equal(layers * ((3 * (2048 + 256)) + (128 * 2048)) * 4 * Slack, (with.Fixed - without.Fixed).Bytes, 2.0);
        Assert.Equal(with.BytesPerToken, without.BytesPerToken);
    }

    [Fact]
    public void A_context_is_paid_in_blocks_and_a_large_one_is_read_in_larger_batches()
    {
        var footprint = OllamaFootprint.Of(Installed(ByteSize.GiB(0.92)), Facts("qwen2", Qwen));
        Assert.Equal(footprint.At(4096), footprint.At(4000));
        Assert.Equal(footprint.At(8192), footprint.At(8000));
        Assert.True(footprint.At(3840) < footprint.At(3841));
        Assert.Equal(300 * Slack, Step(footprint, 4096).Bytes / 1048576.0, 1.0);
        Assert.Equal(600 * Slack, Step(footprint, 32768).Bytes / 1048576.0, 1.0);
    }

    // A model of so many parameters, of which only some is told: in GiB, without context and with 4096 tokens.
    [Theory]
    [InlineData("1.5B", 0.92, null, 1.1, 1.9)]
    [InlineData("7B", 3.83, null, 4.5, 6.8)]
    [InlineData("7B", 3.83, "", 4.9, 7.6)]
    [InlineData("", 3.83, "", 4.9, 7.6)] // from the size alone
    [InlineData("many", 3.83, "", 4.9, 7.6)]
    [InlineData("", 3.83, "general.parameter_count=7000000000", 4.9, 7.6)]
    [InlineData("7B", 3.83, "block_count=32 embedding_length=4096 attention.head_count=32 attention.head_count_kv=8", 4.9, 5.5)]
    [InlineData("494.03M", 0.37, "", 1, 1.6)]
    public void What_is_not_told_is_guessed_rather_too_high(string parameters, double weights, string? numbers, double least, double most)
    {
        var footprint = OllamaFootprint.Of(Installed(ByteSize.GiB(weights)) with { ParameterSize = parameters }, numbers is null ? null : Facts("x", numbers));
        Assert.InRange(footprint.At(0) / ByteSize.GiB(1), least, most);
        Assert.InRange(footprint.At(4096) / ByteSize.GiB(1), least, most);
    }

    [Fact]
    public void A_model_that_runs_elsewhere_takes_nothing() =>
        Assert.Equal(ByteSize.Zero, OllamaFootprint.Of(Installed(new(384)) with { RemoteHost = "https://example.org" }, null).At(8000));

    [Fact]
    public void Whatever_a_server_tells_it_is_a_size()
    {
        string[] keys =
        [
            "block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
            "attention.key_length_swa", "attention.sliding_window", "attention.sliding_window_pattern", "attention.kv_lora_rank", "rope.dimension_count",
            "ssm.conv_kernel", "ssm.inner_size", "ssm.state_size", "ssm.group_count",
        ];
        var number = Gen.OneOf(
            Gen.Elements(0L, 1, -1, 2, long.MinValue, long.MaxValue, int.MaxValue, 1L << 32, 1L << 62),
            Gen.Choose(-3, 200).Select(small => (long)small),
            Gen.Choose(0, int.MaxValue).Select(large => (long)large << 20));
        var told = from key in Gen.Elements(keys) from value in number select (key, value);
        var listed = from key in Gen.Elements(keys) from values in number.ListOf() select (key, values);
        var cases =
            from size in number
            from numbers in told.ListOf()
            from lists in listed.ListOf()
            from vocabulary in number
            from architecture in Gen.Elements("gemma3", "x")
            from parameters in Gen.Elements("", "7B", "-7B", "1e300B", "99999999999999999999999999T", "B", "0B")
            select (size, numbers, lists, vocabulary, architecture, parameters);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(11, 13), Prop.ForAll(Arb.From(cases), told =>
        {
            var installed = Installed(new(told.size)) with { ParameterSize = told.parameters };
            var facts = Facts(told.architecture, "") with
            {
                Numbers = told.numbers.DistinctBy(pair => pair.key).ToDictionary(pair => $"{told.architecture}.{pair.key}", pair => pair.value),
                Lists = told.lists.DistinctBy(pair => pair.key).ToDictionary(pair => $"{told.architecture}.{pair.key}", IReadOnlyList<long> (pair) => [.. pair.values]),
                VocabularyTokens = told.vocabulary,
            };
            return IsSane(OllamaFootprint.Of(installed, facts), told.size) && IsSane(OllamaFootprint.Of(installed, null), told.size);
        }));
    }

    private static bool IsSane(Footprint footprint, long weights)
    {
        int[] contexts = [0, 1, 255, 256, 257, 4096, 4097, 8000, 32769, 1 << 20, int.MaxValue];
        var sizes = contexts.Select(footprint.At).ToList();
        return Math.Min(weights, 1L << 59) <= footprint.Fixed.Bytes
            && 0 <= footprint.BytesPerToken && 0 <= footprint.BytesPerWindowToken && 0 <= footprint.WindowTokens
            && ByteSize.Zero <= sizes[0]
            && sizes.SequenceEqual(sizes.Order());
    }

    private static double Cache(Footprint footprint, int tokens) => footprint.BytesPerToken * tokens / Slack;

    // What one token more adds beyond its block of keys and values.
    private static ByteSize Step(Footprint footprint, int tokens) =>
        footprint.At(tokens + 1) - footprint.At(tokens) - new ByteSize((long)(footprint.BytesPerToken * 256));

    private static InstalledModel Installed(ByteSize size) => new("m:latest", "", size.Bytes, null, "", "", "", null, null, null);

    // key=number or key=[numbers], of the architecture unless they have a prefix of their own. Later ones win.
    private static ModelFacts Facts(string architecture, string told)
    {
        var numbers = new Dictionary<string, long>();
        var lists = new Dictionary<string, IReadOnlyList<long>>();
        foreach (var pair in told.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = (pair.Split('=')[0], pair.Split('=')[1]);
            key = key.StartsWith("general.", StringComparison.Ordinal) ? key : $"{architecture}.{key}";
            if (value.StartsWith('['))
            {
                lists[key] = [.. value.Trim('[', ']').Split(',').Select(item => long.Parse(item, CultureInfo.InvariantCulture))];
            }
            else
            {
                numbers[key] = long.Parse(value, CultureInfo.InvariantCulture);
            }
        }

        return new("", "", "", "", [], architecture, numbers, [], null)
        {
            Lists = lists,
            VocabularyTokens = numbers.TryGetValue($"{architecture}.vocab_size", out var vocabulary) ? vocabulary : null,
        };
    }
}
