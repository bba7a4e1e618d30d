// How a program in Go reads JSON and times, as far as its clients can tell: what it refuses, and in which words.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LlmAssist.FakeOllama;

/// <summary>Decides and words only; statuses are the caller's.</summary>
internal static class GoRules
{
    private const string Map = "map[string]interface {}";

    private static readonly Dictionary<string, (string Struct, (string Member, string GoType)[] Members)> Requests = new()
    {
        ["/api/show"] = ("ShowRequest", [("model", "string"), ("name", "string"), ("verbose", "bool")]),
        ["/api/pull"] = ("PullRequest", [("model", "string"), ("name", "string"), ("stream", "bool"), ("insecure", "bool")]),
        ["/api/generate"] = ("GenerateRequest",
        [
            ("model", "string"), ("prompt", "string"), ("suffix", "string"), ("system", "string"), ("template", "string"),
            ("raw", "bool"), ("stream", "bool"), ("context", "[]int"), ("options", Map),
        ]),
        ["/api/chat"] = ("ChatRequest", [("model", "string"), ("messages", "[]api.Message"), ("tools", "api.Tools"), ("stream", "bool"), ("options", Map)]),
    };

    private static readonly (string Option, string GoType)[] Options =
    [
        ("num_ctx", "integer"), ("num_batch", "integer"), ("num_gpu", "integer"), ("main_gpu", "integer"), ("num_thread", "integer"),
        ("num_predict", "integer"), ("num_keep", "integer"), ("seed", "integer"), ("top_k", "integer"), ("repeat_last_n", "integer"),
        ("temperature", "float32"), ("top_p", "float32"), ("min_p", "float32"), ("repeat_penalty", "float32"), ("stop", "array"),
    ];

    /// <summary>What is wrong with the types of a request's members; null for nothing. Unknown members are fine.</summary>
    public static string? Misfit(string path, JsonObject body)
    {
        var (name, members) = Requests[path];
        foreach (var (member, type) in members)
        {
            if (body[member] is { } value && !Fits(value.GetValueKind(), type))
            {
                return $"json: cannot unmarshal {KindOf(value.GetValueKind())} into Go struct field {name}.{member} of type {type}";
            }
        }

        return (body["messages"] as JsonArray)?.FirstOrDefault(message => message is not (null or JsonObject)) is { } odd
            ? $"json: cannot unmarshal {KindOf(odd.GetValueKind())} into Go struct field {name}.messages of type api.Message"
            : null;
    }

    /// <summary>What is wrong with the options of a request; null for nothing. Null values count as left out.</summary>
    public static string? OptionMisfit(JsonObject body)
    {
        if (body["options"] is not JsonObject options)
        {
            return null;
        }

        foreach (var (option, type) in Options)
        {
            if (options[option] is { } value && !Fits(value.GetValueKind(), type))
            {
                return $"option \"{option}\" must be of type {type}";
            }
        }

        return (options["stop"] as JsonArray)?.Any(stop => stop?.GetValueKind() != JsonValueKind.String) == true
            ? "option \"stop\" must be of an array of strings"
            : null;
    }

    /// <summary>A whole number of the options; a fraction is cut. Null if it is left out.</summary>
    public static int? Whole(JsonObject body, string option) =>
        (body["options"] as JsonObject)?[option] is { } value ? (int)Math.Clamp(value.GetValue<double>(), int.MinValue, int.MaxValue) : null;

    /// <summary>Reads <c>keep_alive</c>: a number is seconds, a text a duration with a unit, anything below zero is for ever.</summary>
    /// <param name="node">What the request has there.</param>
    /// <param name="session">Null if it is left out.</param>
    /// <returns>What is wrong with it; null for nothing.</returns>
    public static string? KeepAlive(JsonNode? node, out TimeSpan? session)
    {
        session = null;
        var seconds = 0.0;
        switch (node?.GetValueKind())
        {
            case null:
                return null;
            case JsonValueKind.Number:
                seconds = node.GetValue<double>();
                break;
            case JsonValueKind.String when Duration(node.GetValue<string>(), out seconds) is { } problem:
                return problem;
            case JsonValueKind.String:
                break;
            default:
                return $"Unsupported type: '{(node is JsonArray ? "[]interface {}" : node is JsonObject ? Map : "bool")}'";
        }

        session = seconds < 0 || Runners.ForEver.TotalSeconds < seconds ? Runners.ForEver : TimeSpan.FromSeconds(seconds);
        return null;
    }

    // Go's time.ParseDuration.
    private static string? Duration(string text, out double seconds)
    {
        seconds = 0;
        var rest = text.AsSpan();
        var sign = rest.StartsWith("-") ? -1 : 1;
        rest = rest.StartsWith("-") || rest.StartsWith("+") ? rest[1..] : rest;
        if (rest is "0")
        {
            return null;
        }

        do
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            digits = digits < 0 ? rest.Length : digits;
            if (!double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return $"time: invalid duration {Quoted(text)}";
            }

            rest = rest[digits..];
            var letters = rest.IndexOfAny("0123456789.");
            var unit = rest[..(letters < 0 ? rest.Length : letters)];
            if (unit.Length == 0)
            {
                return $"time: missing unit in duration {Quoted(text)}";
            }

            double? length = unit switch { "ns" => 1e-9, "us" or "µs" or "μs" => 1e-6, "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, _ => null };
            if (length is null)
            {
                return $"time: unknown unit {Quoted(unit.ToString())} in duration {Quoted(text)}";
            }

            seconds += sign * number * length.Value;
            rest = rest[unit.Length..];
        }
        while (rest.Length != 0);
        return null;
    }

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static bool Fits(JsonValueKind kind, string type) => type switch
    {
        "string" => kind == JsonValueKind.String,
        "bool" => kind is JsonValueKind.True or JsonValueKind.False,
        "integer" or "float32" => kind == JsonValueKind.Number,
        Map => kind == JsonValueKind.Object,
        _ => kind == JsonValueKind.Array,
    };

    private static string KindOf(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Number => "number",
        JsonValueKind.String => "string",
        JsonValueKind.Array => "array",
        JsonValueKind.Object => "object",
        _ => "bool",
    };
}
