// The settings, parsed once into a record. A row a setting; bad values are reported, never fatal.
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Server.Session;

/// <summary>Which lanes may answer.</summary>
internal enum CompletionSource
{
    Auto,
    Pattern,
    Ollama,
    Off,
}

/// <summary>What becomes of the model that was asked before another was chosen.</summary>
internal enum ModelSwitch
{
    Ask,
    Unload,
    Keep,
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

    /// <summary>Whether Ollama may be spoken to at all.</summary>
    public bool OllamaEnabled { get; init; } = true;

    /// <summary>Where it listens; null leaves that to the environment.</summary>
    public Uri? OllamaEndpoint { get; init; }

    /// <summary>The model to ask; empty for one that it runs already.</summary>
    public string OllamaModel { get; init; } = "";

    /// <summary>How long it stays in memory unused; null leaves that to Ollama.</summary>
    public TimeSpan? OllamaKeepAlive { get; init; }

    /// <summary>How it is asked.</summary>
    public OllamaSampling Sampling { get; init; } = new();

    /// <summary>Tokens of context that models of Ollama are loaded with; null goes by free memory.</summary>
    public int? MemoryContext { get; init; }

    /// <summary>Whether memory is governed; if not, it is only shown.</summary>
    public bool MemoryEnabled { get; init; } = true;

    /// <summary>Bytes that models may take.</summary>
    public long MemoryLimit { get; init; } = 6 * GiB;

    /// <summary>How often memory is looked at while nothing moves.</summary>
    public TimeSpan MemoryPoll { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Models that are never taken out of memory.</summary>
    public IReadOnlyList<ModelId> MemoryPinned { get; init; } = [];

    /// <summary>Which models may be taken out of memory.</summary>
    public EvictionScope MemoryEvict { get; init; } = EvictionScope.All;

    /// <summary>Whether models that this session has loaded leave memory with it.</summary>
    public bool MemoryUnloadOnExit { get; init; }

    /// <summary>What becomes of the model that was asked before another was chosen.</summary>
    public ModelSwitch MemoryOnModelSwitch { get; init; } = ModelSwitch.Ask;

    public bool TrainingAuto { get; init; } = true;

    /// <summary>Folders to learn from instead of the workspace's; relative to its first.</summary>
    public IReadOnlyList<string> TrainingFolders { get; init; } = [];

    /// <summary>Globs of files not to learn from.</summary>
    public IReadOnlyList<string> TrainingExclude { get; init; } = [];

    public int TrainingMaxFileKilobytes { get; init; } = 512;

    /// <summary>The memory presets by name, in bytes.</summary>
    public static IReadOnlyDictionary<string, long> MemoryPresets { get; } = MemoryBudget.Presets.ToDictionary(preset => preset.Name, preset => preset.Limit.Bytes);

    /// <summary>Whether a language is served: its own entry, else that of '*', else yes.</summary>
    public bool Serves(string languageId) =>
        Languages.TryGetValue(languageId, out var served) || Languages.TryGetValue("*", out served) ? served : true;

    /// <summary>What these settings mean for Ollama.</summary>
    /// <param name="environment">Where it listens if the settings do not say.</param>
    public OllamaOptions Ollama(Uri environment) => new()
    {
        Endpoint = OllamaEnabled ? OllamaEndpoint ?? environment : null,
        Model = OllamaModel,
        KeepAlive = OllamaKeepAlive,
        ContextTokens = MemoryContext,
    };

    /// <summary>What these settings mean for memory.</summary>
    public MemoryOptions Memory() => new()
    {
        IsEnabled = MemoryEnabled,
        Limit = new(MemoryLimit),
        Scope = MemoryEvict,
        Poll = MemoryPoll,
        Pinned = MemoryPinned,
    };

    /// <summary>What these settings mean for completions.</summary>
    public CompletionSettings Completion() => new()
    {
        MinConfidence = MinConfidence,
        AsksPatterns = Source is CompletionSource.Auto or CompletionSource.Pattern,
        AsksOllama = OllamaEnabled && Source is CompletionSource.Auto or CompletionSource.Ollama,
        Sampling = Sampling,
    };

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
            new("\"auto\", \"pattern\", \"ollama\" or \"off\"", "\"auto\", \"pattern\", \"ollama\" u \"off\""),
            static (settings, value) => Text(value) switch
            {
                "auto" => settings with { Source = CompletionSource.Auto },
                "pattern" => settings with { Source = CompletionSource.Pattern },
                "ollama" => settings with { Source = CompletionSource.Ollama },
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
        ["ollama.enabled"] = new(YesOrNo, static (settings, value) => Flag(value) is { } flag ? settings with { OllamaEnabled = flag } : null),
        ["ollama.endpoint"] = new(
            new("an address such as \"http://127.0.0.1:11434\", or nothing", "una dirección como \"http://127.0.0.1:11434\", o nada"),
            static (settings, value) => Text(value) switch
            {
                null => null,
                var text when string.IsNullOrWhiteSpace(text) => settings with { OllamaEndpoint = null },
                var text => Engine.Ollama.OllamaEndpoint.Parse(text) is { } address ? settings with { OllamaEndpoint = address } : null,
            }),
        ["ollama.model"] = new(
            new("a model's name such as \"qwen2.5-coder:1.5b\", or nothing", "el nombre de un modelo, como \"qwen2.5-coder:1.5b\", o nada"),
            static (settings, value) => Text(value) is { } text ? settings with { OllamaModel = text.Trim() } : null),
        ["ollama.layout"] = new(
            new($"nothing or one of {string.Join(", ", CompletionEngine.Layouts)}", $"nada o uno de estos: {string.Join(", ", CompletionEngine.Layouts)}"),
            static (settings, value) => Text(value) is { } text && (text.Length == 0 || CompletionEngine.Layouts.Contains(text, StringComparer.OrdinalIgnoreCase))
                ? settings with { Sampling = settings.Sampling with { Layout = text } }
                : null),
        ["ollama.keepAlive"] = new(
            new("a duration such as \"10m\", a number of seconds above 0, -1 for ever, or nothing", "una duración como \"10m\", un número de segundos mayor que 0, -1 para siempre, o nada"),
            static (settings, value) => Text(value) is { } text && text.Length == 0 ? settings with { OllamaKeepAlive = null }
                : KeepAlive(value) is { } duration ? settings with { OllamaKeepAlive = duration }
                : null),
        ["ollama.maxTokens"] = new(
            new("a whole number from 1 to 2048", "un número entero de 1 a 2048"),
            static (settings, value) => Whole(value, 1, 2048) is { } number ? settings with { Sampling = settings.Sampling with { MaxTokens = number } } : null),
        ["ollama.temperature"] = new(
            new("a number from 0 to 2", "un número de 0 a 2"),
            static (settings, value) => Number(value, 0, 2) is { } number ? settings with { Sampling = settings.Sampling with { Temperature = number } } : null),
        ["ollama.topK"] = new(
            new("a whole number from 0 to 1000", "un número entero de 0 a 1000"),
            static (settings, value) => Whole(value, 0, 1000) is { } number ? settings with { Sampling = settings.Sampling with { TopK = number } } : null),
        ["ollama.topP"] = new(
            new("a number from 0 to 1", "un número de 0 a 1"),
            static (settings, value) => Number(value, 0, 1) is { } number ? settings with { Sampling = settings.Sampling with { TopP = number } } : null),
        ["ollama.repeatPenalty"] = new(
            new("a number from 0 to 2", "un número de 0 a 2"),
            static (settings, value) => Number(value, 0, 2) is { } number ? settings with { Sampling = settings.Sampling with { RepeatPenalty = number } } : null),
        ["memory.context"] = new(
            new("\"auto\" or a whole number of tokens from 256 to 131072", "\"auto\" o un número entero de tokens de 256 a 131072"),
            static (settings, value) => Text(value) == "auto" ? settings with { MemoryContext = null }
                : Whole(value, 256, 131_072) is { } tokens ? settings with { MemoryContext = tokens }
                : null),
        ["memory.enabled"] = new(YesOrNo, static (settings, value) => Flag(value) is { } flag ? settings with { MemoryEnabled = flag } : null),
        ["memory.pollSeconds"] = new(
            new("a whole number of seconds from 1 to 3600", "un número entero de segundos de 1 a 3600"),
            static (settings, value) => Whole(value, 1, 3600) is { } seconds ? settings with { MemoryPoll = TimeSpan.FromSeconds(seconds) } : null),
        ["memory.pinned"] = new(
            new("a list of models such as \"ollama:qwen2.5-coder:1.5b\"", "una lista de modelos, como \"ollama:qwen2.5-coder:1.5b\""),
            static (settings, value) => TextList(value) is { } list ? settings with { MemoryPinned = [.. list.SelectMany(IdsOf)] } : null),
        ["memory.evict"] = new(
            new("\"all\" or \"ours\"", "\"all\" u \"ours\""),
            static (settings, value) => Text(value) switch
            {
                "all" => settings with { MemoryEvict = EvictionScope.All },
                "ours" => settings with { MemoryEvict = EvictionScope.Ours },
                _ => null,
            }),
        ["memory.unloadOnExit"] = new(YesOrNo, static (settings, value) => Flag(value) is { } flag ? settings with { MemoryUnloadOnExit = flag } : null),
        ["memory.onModelSwitch"] = new(
            new("\"ask\", \"unload\" or \"keep\"", "\"ask\", \"unload\" o \"keep\""),
            static (settings, value) => Text(value) switch
            {
                "ask" => settings with { MemoryOnModelSwitch = ModelSwitch.Ask },
                "unload" => settings with { MemoryOnModelSwitch = ModelSwitch.Unload },
                "keep" => settings with { MemoryOnModelSwitch = ModelSwitch.Keep },
                _ => null,
            }),
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

    // An id, or a name alone, which may be that of a model of either kind.
    private static IEnumerable<ModelId> IdsOf(string text) => ModelId.TryParse(text, out var id)
        ? [id.Source == ModelSource.Ollama ? OllamaHost.IdOf(id.Name) : id]
        : [OllamaHost.IdOf(text), ModelId.Pattern(text)];

    private static bool? Flag(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private static double? Number(JsonElement value, double least, double most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && least <= number && number <= most ? number : null;

    private static int? Whole(JsonElement value, int least, int most) =>
        Number(value, least, most) is { } number && double.IsInteger(number) ? (int)number : null;

    private static TimeSpan? KeepAlive(JsonElement value) => value.ValueKind == JsonValueKind.Number
        ? value.TryGetDouble(out var seconds) ? Engine.Ollama.OllamaEndpoint.KeepAlive(seconds) : null
        : Text(value) is { } text ? Engine.Ollama.OllamaEndpoint.ParseKeepAlive(text) : null;

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
