// What the shared files contain, as JSON. Lenient: what is missing counts as nothing, what is not known is passed over. Each class of this
// folder turns its own part into what the rest of the program sees.
using System.Text.Json.Serialization;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Engine.Sharing;

internal readonly record struct ProcessWire(int Id, long Started, string? Space)
{
    public static ProcessWire Of(ProcessMark mark) => new(mark.ProcessId, mark.StartedAt, mark.Space);

    public ProcessMark ToMark() => new(Id, Started, Space ?? "");
}

internal sealed record LeaseWire
{
    public string? Token { get; init; }
    public ProcessWire Process { get; init; }
    public string? Model { get; init; }
    public DateTimeOffset Since { get; init; }
    public long Renewals { get; init; }
}

internal sealed record WindowWire
{
    public ProcessWire Process { get; init; }
    public SortedDictionary<string, DateTimeOffset>? Uses { get; init; }
    public IReadOnlyList<string?>? Pinned { get; init; }
    public IReadOnlyList<ShareWire>? Patterns { get; init; }
}

internal readonly record struct ShareWire(string? Model, long Bytes);

internal sealed record NotesWire
{
    public IReadOnlyList<string?>? Pinned { get; init; }
    public SortedDictionary<string, LoadWire?>? Loads { get; init; }
    public SortedDictionary<string, SizeWire?>? Sizes { get; init; }
}

internal sealed record LoadWire
{
    public string? Key { get; init; }
    public long Bytes { get; init; }
    public int ContextTokens { get; init; }
    public DateTimeOffset At { get; init; }
    public DateTimeOffset LastUsed { get; init; }
    public TimeSpan? KeepAlive { get; init; }
}

internal sealed record SizeWire
{
    public long Ram { get; init; }
    public long Vram { get; init; }
    public DateTimeOffset At { get; init; }
}

// A line of the history: a sample, which has a limit, or an event, which has a kind. There are thousands of them, hence the names.
internal sealed record HistoryWire
{
    [JsonPropertyName("t")]
    public long At { get; init; } // milliseconds since 1970

    [JsonPropertyName("m")]
    public long? Total { get; init; }

    [JsonPropertyName("a")]
    public long? Available { get; init; }

    [JsonPropertyName("l")]
    public long? Limit { get; init; }

    [JsonPropertyName("s")]
    public Dictionary<string, long>? Shares { get; init; } // bytes by model

    [JsonPropertyName("k")]
    public MemoryEventKind? Kind { get; init; }

    [JsonPropertyName("i")]
    public string? Model { get; init; }

    [JsonPropertyName("b")]
    public long? Bytes { get; init; }

    [JsonPropertyName("en")]
    public string? English { get; init; }

    [JsonPropertyName("es")]
    public string? Spanish { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(EventKindText)])]
[JsonSerializable(typeof(LeaseWire))]
[JsonSerializable(typeof(WindowWire))]
[JsonSerializable(typeof(NotesWire))]
[JsonSerializable(typeof(HistoryWire))]
internal sealed partial class SharingJson : JsonSerializerContext;

// By name, and by nothing else: numbers would change their meaning with the list.
internal sealed class EventKindText() : JsonStringEnumConverter<MemoryEventKind>(namingPolicy: null, allowIntegerValues: false);
