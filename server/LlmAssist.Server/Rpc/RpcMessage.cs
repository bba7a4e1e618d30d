// One JSON-RPC 2.0 message, read or written. Knows no methods.
using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LlmAssist.Server.Rpc;

/// <summary>A request's id, as the JSON text that the peer sent: a number or a string, echoed exactly.</summary>
internal readonly record struct RequestId(string Json)
{
    public override string ToString() => Json;
}

/// <summary>A message that came in. The cases below are all there are.</summary>
internal abstract record RpcMessage
{
    private const int MaximumDepth = 128;

    private RpcMessage()
    {
    }

    /// <summary>Wants exactly one answer.</summary>
    public sealed record Request(RequestId Id, string Method, JsonElement Params) : RpcMessage;

    public sealed record Notification(string Method, JsonElement Params) : RpcMessage;

    /// <summary>The answer to a call of ours: a result, or an error. The id is null if the peer could not read ours.</summary>
    public sealed record Response(RequestId? Id, JsonElement Result, RpcException? Error) : RpcMessage;

    /// <summary>Nothing of the above; to be answered with this error, with the id as far as one could be read.</summary>
    public sealed record Invalid(RequestId? Id, int Code, string Reason) : RpcMessage;

    /// <summary>Reads a payload. Never fails: what is no message is an <see cref="Invalid"/>.</summary>
    public static RpcMessage Parse(byte[] payload)
    {
        JsonElement message;
        try
        {
            var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = MaximumDepth });
            message = JsonElement.ParseValue(ref reader);
            if (reader.Read())
            {
                return new Invalid(null, RpcErrorCode.ParseError, "There is text behind the JSON value.");
            }
        }
        catch (JsonException exception)
        {
            return new Invalid(null, RpcErrorCode.ParseError, $"The payload is not JSON: {exception.Message}");
        }

        if (message.ValueKind == JsonValueKind.Array)
        {
            return new Invalid(null, RpcErrorCode.InvalidRequest, "Batches are not part of the protocol; send one message a frame.");
        }

        if (message.ValueKind != JsonValueKind.Object)
        {
            return new Invalid(null, RpcErrorCode.InvalidRequest, $"A message is an object; found {message.ValueKind}.");
        }

        return Read(message);
    }

    /// <summary>The payload of a message that goes out: its members besides 'jsonrpc' are written by <paramref name="members"/>.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            members(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The payload of a request or, without id, of a notification.</summary>
    public static byte[] Call<T>(RequestId? id, string method, T parameters, JsonTypeInfo<T> type) => Write(writer =>
    {
        if (id is { } known)
        {
            writer.WritePropertyName("id"u8);
            writer.WriteRawValue(known.Json);
        }

        writer.WriteString("method"u8, method);
        writer.WritePropertyName("params"u8);
        JsonSerializer.Serialize(writer, parameters, type);
    });

    /// <summary>The payload of a successful answer.</summary>
    public static byte[] Answer(RequestId id, ReadOnlyMemory<byte> json) => Write(writer =>
    {
        writer.WritePropertyName("id"u8);
        writer.WriteRawValue(id.Json);
        writer.WritePropertyName("result"u8);
        writer.WriteRawValue(json.Span, skipInputValidation: true);
    });

    /// <summary>The payload of an answer that is an error.</summary>
    public static byte[] Refusal(RequestId? id, int code, string reason) => Write(writer =>
    {
        writer.WritePropertyName("id"u8);
        writer.WriteRawValue(id?.Json ?? "null");
        writer.WriteStartObject("error"u8);
        writer.WriteNumber("code"u8, code);
        writer.WriteString("message"u8, reason);
        writer.WriteEndObject();
    });

    private static RpcMessage Read(JsonElement message)
    {
        var hasId = message.TryGetProperty("id"u8, out var idValue);
        RequestId? id = IsReadable(idValue) ? new(idValue.GetRawText()) : null;
        var hasMethod = message.TryGetProperty("method"u8, out var method);

        // Never refused, however malformed: two peers that answer each other's answers would never stop.
        if (!hasMethod && (message.TryGetProperty("result"u8, out var result) | message.TryGetProperty("error"u8, out var error)))
        {
            return new Response(id, result, error.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? null : ErrorOf(error));
        }

        if (!message.TryGetProperty("jsonrpc"u8, out var version) || version.ValueKind != JsonValueKind.String || !version.ValueEquals("2.0"u8))
        {
            return new Invalid(id, RpcErrorCode.InvalidRequest, "The member 'jsonrpc' must be \"2.0\".");
        }

        if (method.ValueKind != JsonValueKind.String || !IsReadable(method))
        {
            return new Invalid(id, RpcErrorCode.InvalidRequest, "The member 'method' must be a string.");
        }

        if (message.TryGetProperty("params"u8, out var parameters)
            && parameters.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null))
        {
            return new Invalid(id, RpcErrorCode.InvalidRequest, "The member 'params' must be an object or an array.");
        }

        if (!hasId)
        {
            return new Notification(method.GetString()!, parameters);
        }

        return id is { } known
            ? new Request(known, method.GetString()!, parameters)
            : new Invalid(null, RpcErrorCode.InvalidRequest, "The member 'id' must be a number or a string.");
    }

    // A number, or a string that is text: JSON may hold what strings may not, half a surrogate pair.
    private static bool IsReadable(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.Number || (value.ValueKind == JsonValueKind.String && value.GetString() is not null);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    // In whatever shape: it is the peer's failure that is told.
    private static RpcException ErrorOf(JsonElement error)
    {
        var isObject = error.ValueKind == JsonValueKind.Object;
        var code = isObject && error.TryGetProperty("code"u8, out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var known)
            ? known
            : RpcErrorCode.InternalError;
        return isObject && error.TryGetProperty("message"u8, out var text) && text.ValueKind == JsonValueKind.String && IsReadable(text)
            ? new(code, text.GetString()!)
            : new(code, error.GetRawText());
    }
}
