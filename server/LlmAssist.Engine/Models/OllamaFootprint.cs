// How much memory a model of Ollama will take, from what the server tells about it. Arithmetic on records: asks nobody. What
// cannot be known before a load is left out: parallel slots and quantized caches that the server's environment may set, what
// goes to a graphics card, and the cache of prompts that grows while a model answers.
using System.Globalization;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Engine.Models;

/// <summary>Predicts what a model takes before it is loaded.</summary>
internal static class OllamaFootprint
{
    private const double Slack = 1.1;
    private const double BytesPerElement = 2; // keys and values are kept as f16
    private const double BytesPerState = 4;
    private const double BytesPerActivation = 4;
    private const int BlockTokens = 256; // contexts are rounded up to it
    private const int Batch = 512;

    // A larger context is read in larger batches, each as long as all smaller ones together.
    private const int LargeContext = 4096;
    private const int HugeContext = 32768;

    // Bounds of what we believe. Beyond them a number is nonsense, and sums of what is below fit into a size.
    private const int MaxLayers = 1024;
    private const double MaxWidth = 1 << 20; // of embeddings and states
    private const double MaxVocabulary = 1 << 24;
    private const double MaxHeads = 1 << 14;
    private const double MaxHeadLength = 1 << 16;
    private const double MaxPerToken = 1L << 30;
    private const double MaxBytes = 1L << 59;

    // What stands in for a number that is not told. Where models differ it is the larger, but not the largest ever seen.
    private const double UsualVocabulary = 1 << 18;
    private const double UsualHeadLength = 128;
    private const double BytesPerParameter = 0.5; // at four bits; with more bits a file has fewer parameters than we think

    private static readonly ByteSize Process = ByteSize.MiB(150);

    // Every so manyth layer sees the whole context where the server does not say so, as its own code has it.
    private static readonly Dictionary<string, long> Patterns = new()
    {
        ["gemma2"] = 2, ["gemma3"] = 6, ["gemma3n"] = 5, ["gptoss"] = 2, ["gpt-oss"] = 2, ["cohere2"] = 4,
    };

    /// <summary>The longest context that a model was trained for, in tokens; above zero.</summary>
    public static int TrainedOf(InstalledModel installed, ModelFacts? facts) =>
        (int)Math.Clamp(facts?.Number("context_length") ?? installed.TrainedContextTokens ?? int.MaxValue, 1, int.MaxValue);

    /// <summary>
    /// What a model takes of memory with one slot; zero for one that runs elsewhere. Never less than its weights, and finite
    /// whatever the server tells.
    /// </summary>
    /// <param name="installed">Tells the weights' size and, where facts are missing, the number of parameters.</param>
    /// <param name="facts">Null if the server did not tell them.</param>
    public static Footprint Of(InstalledModel installed, ModelFacts? facts)
    {
        if ((installed.RemoteHost ?? facts?.RemoteHost) is not null)
        {
            return default;
        }

        var weights = Math.Clamp(installed.SizeBytes, 0, MaxBytes);
        var usual = Usual.Of(installed, facts);
        if (facts is null)
        {
            return new(Size(weights * 1.2), Math.Min(MaxPerToken, usual.BytesPerToken)) { BlockTokens = BlockTokens };
        }

        var width = Within(facts.Number("embedding_length"), usual.Width, MaxWidth);
        var layers = Layers.Of(facts, usual, width);
        var buffer = BytesPerActivation * Batch * (width + Within(facts.VocabularyTokens, UsualVocabulary, MaxVocabulary));
        var perToken = Math.Min(MaxPerToken, Slack * layers.BytesPerToken);
        var perWindowToken = Math.Min(MaxPerToken, Slack * layers.BytesPerWindowToken);

        // A window's layers hold the batch that is being read besides it.
        var batchMore = (Slack * buffer) + (perWindowToken * Batch);
        return new(
            Size((Slack * (weights + buffer + layers.StateBytes)) + Process.Bytes),
            perToken,
            perWindowToken,
            layers.BytesPerWindowToken == 0 ? 0 : Blocks(layers.WindowTokens + Batch))
        {
            BlockTokens = BlockTokens,
            Steps = [new(LargeContext, Size(batchMore)), new(HugeContext, Size(2 * batchMore))],
        };
    }

    private static ByteSize Size(double bytes) => new((long)Math.Min(MaxBytes, bytes));

    private static int Blocks(double tokens) => (int)(Math.Ceiling(Math.Min(tokens, int.MaxValue - BlockTokens) / BlockTokens) * BlockTokens);

    // A number that was told, unless it cannot be meant.
    private static double Within(long? told, double usual, double most) => Math.Min(most, told is >= 0 ? told.Value : usual);

    /// <summary>What a model of this size usually has, for numbers that are not told.</summary>
    private readonly record struct Usual(double LayerCount, double Width)
    {
        // As in models of 2023, where every head has keys and values of its own; later ones need an eighth.
        public double BytesPerToken => 2 * BytesPerElement * LayerCount * Width;

        // Transformers have about 12 · layers · width² parameters, and are 128 times as wide as they are deep.
        public static Usual Of(InstalledModel installed, ModelFacts? facts)
        {
            var parameters = facts?.Numbers.GetValueOrDefault("general.parameter_count") is > 0 and var told ? told
                : ParametersIn(installed.ParameterSize) ?? ParametersIn(facts?.ParameterSize ?? "") ?? Math.Max(0, installed.SizeBytes) / BytesPerParameter;
            var count = Math.Clamp(Math.Ceiling(Math.Cbrt(parameters / (12 * UsualHeadLength * UsualHeadLength))), 1, MaxLayers);
            return new(count, Math.Min(MaxWidth, UsualHeadLength * count));
        }

        // "7.6B", "494.03M"
        private static double? ParametersIn(string text)
        {
            double? unit = text.AsSpan().TrimEnd() is [.., var last] ? char.ToUpperInvariant(last) switch { 'K' => 1e3, 'M' => 1e6, 'B' => 1e9, 'T' => 1e12, _ => null } : null;
            return unit is { } scale
                && double.TryParse(text.AsSpan().Trim()[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
                && 0 < count
                    ? count * scale
                    : null;
        }
    }

    /// <summary>What the layers keep of what they have read, without slack.</summary>
    private readonly record struct Layers(double BytesPerToken, double BytesPerWindowToken, double WindowTokens, double StateBytes)
    {
        public static Layers Of(ModelFacts facts, Usual usual, double width)
        {
            var count = (int)Within(facts.Number("block_count"), usual.LayerCount, MaxLayers);
            var window = Within(facts.Number("attention.sliding_window"), 0, int.MaxValue);
            var state = StateOf(facts);
            var sum = new Layers(0, 0, window, 0);
            for (var layer = 0; layer < count; layer++)
            {
                var isWindow = 0 < window && SeesWindow(facts, layer);
                var kept = KeptOf(facts, width, layer, isWindow);
                sum = isWindow ? sum with { BytesPerWindowToken = sum.BytesPerWindowToken + kept } : sum with { BytesPerToken = sum.BytesPerToken + kept };

                // Hybrid models tell by zero heads which layers are recurrent. Where they do not, each may be either.
                if (kept == 0 || facts.List("attention.head_count_kv") is null)
                {
                    sum = sum with { StateBytes = sum.StateBytes + state };
                }
            }

            return sum;
        }

        // Keys and values of one token in one layer.
        private static double KeptOf(ModelFacts facts, double width, int layer, bool isWindow)
        {
            var heads = InLayer(facts, "attention.head_count", layer) is { } told ? Math.Min(MaxHeads, told) : Math.Ceiling(width / UsualHeadLength);
            var keptHeads = InLayer(facts, "attention.head_count_kv", layer) is { } kept ? Math.Min(MaxHeads, kept) : heads;
            var usualLength = 0 < heads ? Math.Ceiling(width / heads) : UsualHeadLength;
            var elements = keptHeads * (LengthOf(facts, "attention.key_length", isWindow, usualLength) + LengthOf(facts, "attention.value_length", isWindow, usualLength));

            // Latent attention keeps one compressed vector for all heads, and beside it what depends on the position.
            if (facts.Number("attention.kv_lora_rank") is > 0 and var rank)
            {
                elements = Math.Min(elements, rank + Within(facts.Number("rope.dimension_count"), UsualHeadLength, MaxHeadLength));
            }

            return BytesPerElement * elements;
        }

        private static double LengthOf(ModelFacts facts, string key, bool isWindow, double usual) =>
            Within((isWindow ? facts.Number(key + "_swa") : null) ?? facts.Number(key), Math.Min(MaxHeadLength, usual), MaxHeadLength);

        // A list may be shorter than there are layers: its largest number stands for the rest.
        private static double? InLayer(ModelFacts facts, string key, int layer)
        {
            var told = facts.List(key) is { Count: > 0 } list ? layer < list.Count ? list[layer] : list.Max() : facts.Number(key);
            return told is >= 0 ? told : null;
        }

        // With a window but nothing told about which layers have it, all may hold the whole context.
        private static bool SeesWindow(ModelFacts facts, int layer)
        {
            const string Key = "attention.sliding_window_pattern";
            if (facts.List(Key) is { } list)
            {
                return layer < list.Count && list[layer] != 0;
            }

            return (facts.Number(Key) ?? (Patterns.TryGetValue(facts.Architecture, out var usual) ? usual : null)) is > 0 and var pattern
                && layer % pattern < pattern - 1;
        }

        private static double StateOf(ModelFacts facts)
        {
            var inner = Within(facts.Number("ssm.inner_size"), 0, MaxWidth);
            var state = Within(facts.Number("ssm.state_size"), 0, MaxWidth);
            var groups = Within(facts.Number("ssm.group_count"), 0, MaxHeads);
            var kernel = Within(facts.Number("ssm.conv_kernel"), 1, MaxHeadLength);
            return Math.Min(MaxBytes / MaxLayers, BytesPerState * ((Math.Max(0, kernel - 1) * (inner + (2 * groups * state))) + (state * inner)));
        }
    }
}
