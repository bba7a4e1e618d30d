// What the file of a model says about it where the scenario does not tell: shapes that are usual in its family. Sizes of a family's
// members are not told apart, except in the number of parameters.
using System.Globalization;
using System.Text.Json.Nodes;

namespace LlmAssist.FakeOllama;

internal static class FakeMetadata
{
    // What the default model has, exactly.
    private const long DefaultParameters = 1_543_714_304;

    private static readonly Dictionary<string, Shape> Shapes = new()
    {
        ["qwen2"] = new(28, 12, 2, 1536, 8960, 151_936),
        ["qwen3"] = new(28, 16, 8, 2048, 6144, 151_936, KeyLength: 128),
        ["llama"] = new(32, 32, 8, 4096, 14_336, 32_768),
        ["mistral"] = new(32, 32, 8, 4096, 14_336, 32_768),
        ["starcoder"] = new(40, 48, 1, 6144, 24_576, 49_152),
        ["starcoder2"] = new(30, 24, 2, 3072, 12_288, 49_152),
        ["gemma"] = new(18, 8, 1, 2048, 16_384, 256_128, KeyLength: 256),
        ["stablelm"] = new(32, 32, 32, 2560, 6912, 50_304),
        ["nomic-bert"] = new(12, 12, 12, 768, 3072, 30_522),
    };

    /// <summary>By key; lists as they are.</summary>
    public static JsonObject Of(FakeModel model)
    {
        if (model.Metadata is { } told)
        {
            return told;
        }

        var (family, shape) = (model.Family, ShapeOf(model));
        var metadata = new JsonObject
        {
            ["general.architecture"] = family,
            ["general.file_type"] = 15,
            ["general.parameter_count"] = Parameters(model.ParameterSize),
            [$"{family}.block_count"] = shape.Layers,
            [$"{family}.context_length"] = model.ContextTokens,
            [$"{family}.embedding_length"] = shape.Width,
            [$"{family}.feed_forward_length"] = shape.InnerWidth,
            [$"{family}.attention.head_count"] = shape.Heads,
            [$"{family}.attention.head_count_kv"] = shape.KeyHeads,
            [$"{family}.rope.freq_base"] = 1e6,
            ["tokenizer.ggml.tokens"] = new JsonArray("!", "\"", "#"),
        };
        if (shape.KeyLength is { } length)
        {
            metadata[$"{family}.attention.key_length"] = length;
            metadata[$"{family}.attention.value_length"] = length;
        }

        if (model.Capabilities.Contains("embedding"))
        {
            metadata[$"{family}.pooling_type"] = 1;
        }

        return metadata;
    }

    /// <summary>The one tensor by which the size of a vocabulary can be told.</summary>
    public static FakeTensor Embeddings(FakeModel model) => new("token_embd.weight", "Q6_K", [ShapeOf(model).Width, ShapeOf(model).Words]);

    private static Shape ShapeOf(FakeModel model) => Shapes.GetValueOrDefault(model.Family) ?? Shapes["qwen2"];

    // As people write it, such as 7.6B or 494.03M.
    private static long Parameters(string size)
    {
        var unit = size.Length == 0 ? 1 : char.ToUpperInvariant(size[^1]) switch { 'B' => 1e9, 'M' => 1e6, 'K' => 1e3, _ => 1 };
        return size == "1.5B" ? DefaultParameters
            : double.TryParse(size.TrimEnd('B', 'M', 'K', 'b', 'm', 'k'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? (long)(number * unit)
            : 0;
    }

    private sealed record Shape(int Layers, int Heads, int KeyHeads, int Width, int InnerWidth, int Words, int? KeyLength = null);
}
