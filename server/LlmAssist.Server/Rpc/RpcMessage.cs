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

    /// <summary>The answer to a call of ours: a result, or an error.</summary>
    public sealed record Response(RequestId Id, JsonElement Result, RpcException? Error) : RpcMessage;

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

        try
        {
            return Read(message);
        }
        catch (InvalidOperationException exception)
        {
            // JSON may hold what strings may not: a lone surrogate, escaped.
            return new Invalid(null, RpcErrorCode.InvalidRequest, $"The message cannot be read: {exception.Message}");
        }
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
        RequestId? id = message.TryGetProperty("id"u8, out var idValue) && idValue.ValueKind is JsonValueKind.Number or JsonValueKind.String
            ? new(idValue.GetRawText())
            : null;
        if (!message.TryGetProperty("jsonrpc"u8, out var version) || version.ValueKind != JsonValueKind.String || !version.ValueEquals("2.0"u8))
        {
            return new Invalid(id, RpcErrorCode.InvalidRequest, "The member 'jsonrpc' must be \"2.0\".");
        }

        if (message.TryGetProperty("method"u8, out var method))
        {
            if (method.ValueKind != JsonValueKind.String)
            {
                return new Invalid(id, RpcErrorCode.InvalidRequest, "The member 'method' must be a string.");
            }

            message.TryGetProperty("params"u8, out var parameters);
            if (idValue.ValueKind == JsonValueKind.Undefined)
            {
                return new Notification(method.GetString()!, parameters);
            }

            return id is { } known
                ? new Request(known, method.GetString()!, parameters)
                : new Invalid(null, RpcErrorCode.InvalidRequest, "The member 'id' must be a number or a string.");
        }

        if (id is not { } answered)
        {
            return new Invalid(null, RpcErrorCode.InvalidRequest, "The message has neither a method nor an id.");
        }

        if (message.TryGetProperty("error"u8, out var error) && error.ValueKind == JsonValueKind.Object)
        {
            var code = error.TryGetProperty("code"u8, out var number) && number.TryGetInt32(out var value) ? value : RpcErrorCode.InternalError;
            var reason = error.TryGetProperty("message"u8, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "";
            return new Response(answered, default, new(code, reason));
        }

        return message.TryGetProperty("result"u8, out var result)
            ? new Response(answered, result, null)
            : new Invalid(answered, RpcErrorCode.InvalidRequest, "The message has neither a method, nor a result, nor an error.");
    }
}
