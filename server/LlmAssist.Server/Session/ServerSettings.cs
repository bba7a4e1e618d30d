// The settings, parsed once into a record. A row a setting; bad values are reported, never fatal.
using System.Text.Json;
using LlmAssist.Engine;

namespace LlmAssist.Server.Session;

/// <summary>Which lanes may answer.</summary>
internal enum CompletionSource
{
    Auto,
    Pattern,
    Off,
}

/// <summary>The settings <c>llmAssist.*</c> as the server needs them. The defaults are those of the documentation.</summary>
internal sealed record ServerSettings
{
    private const long GiB = 1L << 30;

    public CompletionSource Source { get; init; } = CompletionSource.Auto;

    public bool List { get; init; } = true;

    public bool Inline { get; init; } = true;

    /// <summary>By language id; '*' stands for those not named.</summary>
    public IReadOnlyDictionary<string, bool> Languages { get; init; } = new Dictionary<string, bool> { ["*"] = true };

    /// <summary>0..1.</summary>
    public double MinConfidence { get; init; } = 0.5;

    /// <summary>Bytes that models may take.</summary>
    public long MemoryLimit { get; init; } = 6 * GiB;

    public bool TrainingAuto { get; init; } = true;

    /// <summary>Folders to learn from instead of the workspace's; relative to its first.</summary>
    public IReadOnlyList<string> TrainingFolders { get; init; } = [];

    /// <summary>Globs of files not to learn from.</summary>
    public IReadOnlyList<string> TrainingExclude { get; init; } = [];

    public int TrainingMaxFileKilobytes { get; init; } = 512;

    /// <summary>The memory presets by name, in bytes.</summary>
    public static IReadOnlyDictionary<string, long> MemoryPresets { get; } =
        new Dictionary<string, long> { ["low"] = 2 * GiB, ["medium"] = 6 * GiB, ["high"] = 12 * GiB, ["veryHigh"] = 24 * GiB };

    /// <summary>Whether a language is served: its own entry, else that of '*', else yes.</summary>
    public bool Serves(string languageId) =>
        Languages.TryGetValue(languageId, out var served) || Languages.TryGetValue("*", out served) ? served : true;

    /// <summary>Parses layers of settings, the later ones winning.</summary>
    /// <param name="layers">Objects, nested or dotted, with or without the leading 'llmAssist'; anything else is passed over.</param>
    /// <returns>The settings, and what was wrong with them.</returns>
    public static (ServerSettings Settings, IReadOnlyList<Phrase> Problems) Parse(params ReadOnlySpan<JsonElement> layers)
    {
        var settings = new ServerSettings();
        var problems = new List<Phrase>();
        foreach (var layer in layers)
        {
            Apply(layer, "");
        }

        return (settings, problems);

        void Apply(JsonElement element, string path)
        {
            if (element.ValueKind != JsonValueKind.Object)
            {
                return;
            }

            foreach (var member in element.EnumerateObject())
            {
                var name = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
                name = name == "llmAssist" ? "" : name.StartsWith("llmAssist.", StringComparison.Ordinal) ? name["llmAssist.".Length..] : name;
                if (!Rows.TryGetValue(name, out var row))
                {
                    // A group of settings, or one that is the client's own business.
                    Apply(member.Value, name);
                }
                else if (member.Value.ValueKind != JsonValueKind.Null)
                {
                    settings = row.Apply(settings, member.Value) ?? Default(settings, name, row, member.Value);
                }
            }
        }

        ServerSettings Default(ServerSettings before, string name, Row row, JsonElement found)
        {
            var text = found.GetRawText();
            text = text.Length <= 60 ? text : text[..60] + "…";
            problems.Add(new(
                $"llmAssist.{name} is {text}; expected is {row.Expected.English}. The default is used.",
                $"llmAssist.{name} es {text}; se espera {row.Expected.Spanish}. Se usa el valor predeterminado."));
            return before;
        }
    }

    /// <summary>Bytes of a limit: a preset's name or a number of GiB; null for anything else.</summary>
    public static long? LimitOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when Text(value) is { } name && MemoryPresets.TryGetValue(name, out var preset) => preset,
        JsonValueKind.Number when value.TryGetDouble(out var gigabytes) && gigabytes is > 0 and <= 4096 => (long)(gigabytes * GiB),
        _ => null,
    };

    private sealed record Row(Phrase Expected, Func<ServerSettings, JsonElement, ServerSettings?> Apply);

    private static readonly Phrase YesOrNo = new("true or false", "true o false");
    private static readonly Phrase Texts = new("a list of strings", "una lista de cadenas");

    /// <summary>The settings that the server reads, by name without 'llmAssist.'.</summary>
    public static IEnumerable<string> Names => Rows.Keys;

    private static readonly Dictionary<string, Row> Rows = new()
    {
        ["completion.source"] = new(
            new("\"auto\", \"pattern\" or \"off\"", "\"auto\", \"pattern\" u \"off\""),
            static (settings, value) => Text(value) switch
            {
                "auto" => settings with { Source = CompletionSource.Auto },
                "pattern" => settings with { Source = CompletionSource.Pattern },
                "off" => settings with { Source = CompletionSource.Off },
                _ => null,
            }),
        ["completion.list"] = new(YesOrNo, static (settings, value) => Flag(value) is { } flag ? settings with { List = flag } : null),
        ["completion.inline"] = new(YesOrNo, static (settings, value) => Flag(value) is { } flag ? settings with { Inline = flag } : null),
        ["completion.languages"] = new(
            new("an object from language ids to true or false", "un objeto de identificadores de lenguaje a true o false"),
            static (settings, value) => FlagsByName(value) is { } languages ? settings with { Languages = languages } : null),
        ["completion.minConfidence"] = new(
            new("a number from 0 to 1", "un número de 0 a 1"),
            static (settings, value) => Number(value, 0, 1) is { } number ? settings with { MinConfidence = number } : null),
        ["memory.limit"] = new(
            new("\"low\", \"medium\", \"high\", \"veryHigh\" or a number of GiB", "\"low\", \"medium\", \"high\", \"veryHigh\" o un número de GiB"),
            static (settings, value) => LimitOf(value) is { } limit ? settings with { MemoryLimit = limit } : null),
        ["training.auto"] = new(YesOrNo, static (settings, value) => Flag(value) is { } flag ? settings with { TrainingAuto = flag } : null),
        ["training.folders"] = new(Texts, static (settings, value) => TextList(value) is { } list ? settings with { TrainingFolders = list } : null),
        ["training.exclude"] = new(Texts, static (settings, value) => TextList(value) is { } list ? settings with { TrainingExclude = list } : null),
        ["training.maxFileKilobytes"] = new(
            new("a number of kilobytes from 1 to 100000", "un número de kilobytes de 1 a 100000"),
            static (settings, value) => Number(value, 1, 100_000) is { } number ? settings with { TrainingMaxFileKilobytes = (int)number } : null),
    };

    private static bool? Flag(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private static double? Number(JsonElement value, double least, double most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && least <= number && number <= most ? number : null;

    // Null also for half a surrogate pair, which JSON may hold and at which the reader throws.
    private static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static List<string>? TextList(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var list = new List<string>();
        foreach (var element in value.EnumerateArray())
        {
            if (Text(element) is not { } text)
            {
                return null;
            }

            list.Add(text);
        }

        return list;
    }

    private static Dictionary<string, bool>? FlagsByName(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var flags = new Dictionary<string, bool>();
        foreach (var member in value.EnumerateObject())
        {
            if (Flag(member.Value) is not { } flag)
            {
                return null;
            }

            flags[member.Name] = flag;
        }

        return flags;
    }
}
