// Ollama's JSON as it is on the wire. Lenient: members we do not know are ignored, those missing, null or of another kind
// count as not told. OllamaClient turns these into what the rest of the program sees.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmAssist.Engine.Ollama;

// Requests.

internal sealed record ShowWireRequest(string Model)
{
    public bool? Verbose { get; init; } // with all lists, of which some have hundreds of thousands of items
}

internal sealed record PullWireRequest(string Model);

internal sealed record GenerateWireRequest(string Model)
{
    public string? Prompt { get; init; } // absent loads or unloads
    public string? Suffix { get; init; }
    public bool? Raw { get; init; }
    public double? KeepAlive { get; init; } // seconds; negative for ever
    public WireOptions? Options { get; init; }
}

internal sealed record ChatWireRequest(string Model, IReadOnlyList<MessageWire> Messages)
{
    public double? KeepAlive { get; init; } // as above
    public WireOptions? Options { get; init; }
}

internal sealed record WireOptions
{
    public int? NumCtx { get; init; }
    public int? NumPredict { get; init; }
    public double? Temperature { get; init; }
    public int? TopK { get; init; }
    public double? TopP { get; init; }
    public double? RepeatPenalty { get; init; }
    public int? Seed { get; init; }
    public IReadOnlyList<string>? Stop { get; init; }
}

// Replies. Any of them may be an error instead, also under status 200.

internal abstract class WireReply
{
    public string? Error { get; set; }
}

internal sealed class ErrorWire : WireReply;

internal sealed class VersionWire : WireReply
{
    public string? Version { get; set; }
}

internal sealed class InstalledWire : WireReply
{
    public List<InstalledModelWire?>? Models { get; set; }
}

internal sealed class InstalledModelWire
{
    public string? Name { get; set; }
    public string? Model { get; set; }
    public string? Digest { get; set; }
    public long? Size { get; set; }
    public DateTimeOffset? ModifiedAt { get; set; }
    public DetailsWire? Details { get; set; }
    public List<string?>? Capabilities { get; set; }
    public string? RemoteHost { get; set; }
}

internal sealed class RunningWire : WireReply
{
    public List<RunningModelWire?>? Models { get; set; }
}

internal sealed class RunningModelWire
{
    public string? Name { get; set; }
    public string? Model { get; set; }
    public string? Digest { get; set; }
    public long? Size { get; set; }
    public long? SizeVram { get; set; }
    public long? ContextLength { get; set; }
    public DateTimeOffset? ExpiresAt { get; set; }
}

internal sealed class DetailsWire
{
    public string? Family { get; set; }
    public string? ParameterSize { get; set; }
    public string? QuantizationLevel { get; set; }
    public long? ContextLength { get; set; }
}

internal sealed class ShowWire : WireReply
{
    public string? Modelfile { get; set; }
    public string? Template { get; set; }
    public DetailsWire? Details { get; set; }
    public Dictionary<string, JsonElement>? ModelInfo { get; set; }
    public List<TensorWire?>? Tensors { get; set; }
    public List<string?>? Capabilities { get; set; }
    public string? RemoteHost { get; set; }
}

internal sealed class TensorWire
{
    public string? Name { get; set; }
    public string? Type { get; set; }
    public List<long?>? Shape { get; set; }
}

// A frame of generated text. It stands in one member or the other, as was asked.
internal sealed class TextWire : WireReply
{
    public string? Response { get; set; }
    public MessageWire? Message { get; set; }
    public bool? Done { get; set; }
    public string? DoneReason { get; set; }
    public long? TotalDuration { get; set; } // nanoseconds, as the other durations
    public long? LoadDuration { get; set; }
    public long? PromptEvalCount { get; set; }
    public long? PromptEvalDuration { get; set; }
    public long? EvalCount { get; set; }
    public long? EvalDuration { get; set; }
}

internal sealed class MessageWire
{
    public string? Role { get; set; }
    public string? Content { get; set; }
}

internal sealed class PullWire : WireReply
{
    public string? Status { get; set; }
    public string? Digest { get; set; }
    public long? Total { get; set; }
    public long? Completed { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(LenientText), typeof(LenientNumber), typeof(LenientTruth), typeof(LenientTime)])]
[JsonSerializable(typeof(ShowWireRequest))]
[JsonSerializable(typeof(PullWireRequest))]
[JsonSerializable(typeof(GenerateWireRequest))]
[JsonSerializable(typeof(ChatWireRequest))]
[JsonSerializable(typeof(ErrorWire))]
[JsonSerializable(typeof(VersionWire))]
[JsonSerializable(typeof(InstalledWire))]
[JsonSerializable(typeof(RunningWire))]
[JsonSerializable(typeof(ShowWire))]
[JsonSerializable(typeof(TextWire))]
[JsonSerializable(typeof(PullWire))]
internal sealed partial class OllamaJson : JsonSerializerContext;

// Text, or a number or truth written as text: versions have been both. Anything with parts is an empty text.
internal sealed class LenientText : JsonConverter<string?>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return reader.GetString();
            case JsonTokenType.Number:
                return System.Text.Encoding.ASCII.GetString(reader.ValueSpan);
            case JsonTokenType.True:
                return "true";
            case JsonTokenType.False:
                return "false";
            case JsonTokenType.Null:
                return null;
            default:
                reader.Skip();
                return "";
        }
    }

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString()!;

    public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}

// A whole number, a fraction cut, or either written as text. Out of range or of another kind: not told.
internal sealed class LenientNumber : JsonConverter<long?>
{
    public override bool HandleNull => true;

    public override long? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var whole) ? whole : reader.TryGetDouble(out var fraction) ? Whole(fraction) : null;
            case JsonTokenType.String:
                return double.TryParse(reader.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var written) ? Whole(written) : null;
            default:
                reader.Skip();
                return null;
        }
    }

    public override void Write(Utf8JsonWriter writer, long? value, JsonSerializerOptions options) => writer.WriteRawValue(value is { } number ? number.ToString(CultureInfo.InvariantCulture) : "null");

    // Doubles are exact only up to 2^53; beyond it no count of ours is meant.
    private static long? Whole(double number) => Math.Abs(number) <= 1L << 53 ? (long)number : null;
}

internal sealed class LenientTruth : JsonConverter<bool?>
{
    public override bool HandleNull => true;

    public override bool? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is JsonTokenType.True or JsonTokenType.False)
        {
            return reader.GetBoolean();
        }

        reader.Skip();
        return null;
    }

    public override void Write(Utf8JsonWriter writer, bool? value, JsonSerializerOptions options) => writer.WriteBooleanValue(value == true);
}

// RFC 3339 with up to nine digits of a second, of which the last two are dropped.
internal sealed class LenientTime : JsonConverter<DateTimeOffset?>
{
    public override bool HandleNull => true;

    public override DateTimeOffset? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.TryGetDateTimeOffset(out var time) ? time : null;
        }

        reader.Skip();
        return null;
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset? value, JsonSerializerOptions options) => writer.WriteRawValue(value is { } time ? $"\"{time:O}\"" : "null");
}
