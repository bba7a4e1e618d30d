// How models are asked to fill in the middle: one row per model family. Text in, text out; cutting to size is PromptBudget's part.
using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>What Ollama's <c>/api/show</c> says about a model, as far as prompts depend on it.</summary>
/// <param name="Name">As the user writes it, for example <c>qwen2.5-coder:1.5b</c> or <c>hf.co/owner/name-GGUF:Q4_K_M</c>.</param>
/// <param name="Family"><c>details.family</c>, which is the architecture and so gives the tokenizer away; empty if unknown.</param>
/// <param name="Capabilities">Empty if unknown: servers before 0.6.4 do not tell.</param>
/// <param name="Template">The prompt template in Go's syntax; empty if unknown.</param>
internal sealed record FimFacts(string Name, string Family, IReadOnlyList<string> Capabilities, string Template);

/// <summary>Whether a model fills in the middle, and how it is asked.</summary>
internal abstract record FimSupport
{
    private FimSupport()
    {
    }

    /// <summary>It does, if asked like this.</summary>
    public sealed record Known(FimTemplate Template) : FimSupport;

    /// <summary>It does not, or nobody knows how.</summary>
    /// <param name="Reason">For the user: what was found and what to do.</param>
    public sealed record Missing(Phrase Reason) : FimSupport;
}

/// <summary>How a model family writes other files into the prompt.</summary>
/// <param name="Repository">Begins the name of the repository; empty if there is no such thing.</param>
/// <param name="RepositoryEnd">Ends that name.</param>
/// <param name="File">Begins a path, which a line end closes.</param>
/// <param name="FileEnd">Ends the text of a file, before the next one begins.</param>
/// <param name="Place">Where all that stands.</param>
internal sealed record FimFiles(string Repository, string RepositoryEnd, string File, string FileEnd, FimFilesPlace Place);

/// <summary>Where other files stand in a prompt.</summary>
internal enum FimFilesPlace : byte
{
    /// <summary>Before the prefix token, the current path too.</summary>
    BeforePrefixToken,

    /// <summary>Before the prefix token, which stands between the beginning of the current file and its path.</summary>
    AroundPrefixToken,

    /// <summary>Behind the prefix token, as if they were text above the cursor.</summary>
    InsidePrefix,
}

/// <summary>The prompt layout of a model family, for requests with <c>raw: true</c>.</summary>
/// <remarks>
/// Sources: the model cards (Qwen2.5-Coder, CodeQwen1.5, StarCoder2 §5.1 of arXiv 2402.19173, CodeGemma, DeepSeek-Coder, Seed-Coder), the templates
/// of Ollama's library, and the tables of Continue. Of the last, two sorts of stops are left out because they cut good code: <c>//</c>
/// (DeepSeek) and <c>t.</c> (StarCoder).
/// </remarks>
internal sealed partial class FimTemplate
{
    /// <summary>What a user sets to say that a model does not fill in the middle.</summary>
    public const string NoLayout = "none";

    private static readonly string[] StarCoderTokens = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"];
    private static readonly string[] BarTokens = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"];

    /// <summary>The layout's name, as users set it.</summary>
    public required string Name { get; init; }

    /// <summary>Stands before the text above the cursor; blanks in it count.</summary>
    public required string Prefix { get; init; }

    /// <summary>Stands before the text below the cursor.</summary>
    public required string Suffix { get; init; }

    /// <summary>Stands last; empty where the prefix comes last.</summary>
    public required string Middle { get; init; }

    /// <summary>Whether the text below the cursor comes first.</summary>
    public bool SuffixFirst { get; init; }

    /// <summary>What ends an answer and never belongs to it.</summary>
    public required IReadOnlyList<string> Stops { get; init; }

    /// <summary>Tokens that must not stand in the user's text, beside those named elsewhere in the row.</summary>
    public IReadOnlyList<string> AlsoReserved { get; init; } = [];

    /// <summary>How other files are written; null if the model has no tokens for it, so that they come as comments.</summary>
    public FimFiles? Files { get; init; }

    // What a model's family begins with, what its name contains, and what it must not contain because such variants were not trained for it.
    private string[] Families { get; init; } = [];

    private SearchValues<string> ReservedSearch => field ??= SearchValues.Create([.. Reserved()], StringComparison.Ordinal);

    private Regex? Names { get; init; }

    private Regex? NotNames { get; init; }

    // Whether the family says it all: nothing else has this architecture.
    private bool FamilyDecides { get; init; }

    /// <summary>
    /// For a model that does not fill in the middle and that the user wants all the same: the text above the cursor, and nothing of what
    /// stands below.
    /// </summary>
    public static FimTemplate Plain { get; } = new()
    {
        Name = "plain",
        Prefix = "", Suffix = "", Middle = "",
        Stops = ["<|endoftext|>", "<|end_of_text|>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<eos>", "</s>", "[INST]"],
    };

    /// <summary>Every layout. Where names overlap the more special row comes first.</summary>
    public static IReadOnlyList<FimTemplate> All { get; } =
    [
        new()
        {
            Name = "codeqwen",
            Prefix = "<fim_prefix>", Suffix = "<fim_suffix>", Middle = "<fim_middle>",
            Stops = [.. StarCoderTokens, "<fim_pad>", "<reponame>", "<file_sep>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            Files = new("<reponame>", "\n", "<file_sep>", "\n", FimFilesPlace.BeforePrefixToken),
            Families = ["qwen"], Names = CodeQwenName(), NotNames = ChatName(),
        },
        new()
        {
            Name = "qwen",
            Prefix = "<|fim_prefix|>", Suffix = "<|fim_suffix|>", Middle = "<|fim_middle|>",
            Stops = ["<|endoftext|>", .. BarTokens, "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|im_start|>", "<|im_end|>"],
            Files = new("<|repo_name|>", "\n", "<|file_sep|>", "\n", FimFilesPlace.BeforePrefixToken),
            Families = ["qwen"], Names = QwenCoderName(),
        },
        new()
        {
            // Every blank counts: behind <PRE>, before <SUF>, before <MID>, and none behind <SUF>.
            Name = "codellama",
            Prefix = "<PRE> ", Suffix = " <SUF>", Middle = " <MID>",
            Stops = ["<PRE>", "<SUF>", "<MID>", "<EOT>"],
            AlsoReserved = ["<s>", "</s>"],
            Families = ["llama"], Names = CodeLlamaName(), NotNames = CodeLlamaOtherName(),
        },
        new()
        {
            Name = "starcoder2",
            Prefix = "<fim_prefix>", Suffix = "<fim_suffix>", Middle = "<fim_middle>",
            Stops = [.. StarCoderTokens, "<fim_pad>", "<repo_name>", "<file_sep>", "<|endoftext|>"],
            Files = new("<repo_name>", "", "<file_sep>", "", FimFilesPlace.AroundPrefixToken),
            Families = ["starcoder2"], Names = StarCoder2Name(), NotNames = ChatName(), FamilyDecides = true,
        },
        new()
        {
            // Before 'starcoder': the larger ones have its architecture.
            Name = "granite-code",
            Prefix = "<fim_prefix>", Suffix = "<fim_suffix>", Middle = "<fim_middle>",
            Stops = [.. StarCoderTokens, "<fim_pad>", "<reponame>", "<filename>", "<|endoftext|>"],
            Files = new("<reponame>", "", "<filename>", "\n", FimFilesPlace.BeforePrefixToken),
            Families = ["llama", "starcoder", "gptbigcode", "granite"], Names = GraniteCodeName(),
        },
        new()
        {
            Name = "granite4",
            Prefix = "<|fim_prefix|>", Suffix = "<|fim_suffix|>", Middle = "<|fim_middle|>",
            Stops = [.. BarTokens, "<|fim_pad|>", "<|end_of_text|>"],
            Families = ["granite"], Names = Granite4Name(),
        },
        new()
        {
            Name = "starcoder",
            Prefix = "<fim_prefix>", Suffix = "<fim_suffix>", Middle = "<fim_middle>",
            Stops = [.. StarCoderTokens, "<fim_pad>", "<reponame>", "<filename>", "<file_sep>", "<|endoftext|>"],
            Files = new("<reponame>", "", "<filename>", "\n", FimFilesPlace.BeforePrefixToken),
            Families = ["starcoder", "gptbigcode"], Names = StarCoderName(), NotNames = ChatName(), FamilyDecides = true,
        },
        new()
        {
            // The bars are U+FF5C and the low lines U+2581. The repository level of its model card: '#path', then the code.
            Name = "deepseek",
            Prefix = "<｜fim▁begin｜>", Suffix = "<｜fim▁hole｜>", Middle = "<｜fim▁end｜>",
            Stops = ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<｜end▁of▁sentence｜>"],
            AlsoReserved = ["<｜begin▁of▁sentence｜>"],
            Files = new("", "", "#", "\n", FimFilesPlace.InsidePrefix),
            Families = ["llama", "deepseek"], Names = DeepSeekCoderName(), NotNames = ChatName(),
        },
        new()
        {
            Name = "codestral",
            Prefix = "[PREFIX]", Suffix = "[SUFFIX]", Middle = "", SuffixFirst = true,
            Stops = ["[PREFIX]", "[SUFFIX]", "</s>", "\n+++++ "],
            AlsoReserved = ["<s>", "[MIDDLE]", "[INST]", "[/INST]"],
            Files = new("", "", "+++++ ", "\n\n", FimFilesPlace.InsidePrefix),
            Families = ["llama", "mistral"], Names = CodestralName(), NotNames = MambaName(),
        },
        new()
        {
            Name = "codegemma",
            Prefix = "<|fim_prefix|>", Suffix = "<|fim_suffix|>", Middle = "<|fim_middle|>",
            Stops = [.. BarTokens, "<|file_separator|>", "<end_of_turn>", "<eos>"],
            AlsoReserved = ["<bos>", "<start_of_turn>"],
            Files = new("", "", "", "<|file_separator|>", FimFilesPlace.BeforePrefixToken),
            Families = ["gemma"], Names = CodeGemmaName(), NotNames = ChatName(),
        },
        new()
        {
            Name = "stablecode",
            Prefix = "<fim_prefix>", Suffix = "<fim_suffix>", Middle = "<fim_middle>",
            Stops = [.. StarCoderTokens, "<file_sep>", "<|endoftext|>", "</fim_middle>", "</code>"],
            Families = ["stablelm"], Names = StableCodeName(), NotNames = ChatName(),
        },
        new()
        {
            // Suffix first, as its model card and the models tuned on it have it.
            Name = "seed-coder",
            Prefix = "<[fim-prefix]>", Suffix = "<[fim-suffix]>", Middle = "<[fim-middle]>", SuffixFirst = true,
            Stops = ["<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", "<[end▁of▁sentence]>"],
            AlsoReserved = ["<[begin▁of▁sentence]>", "<[PAD▁TOKEN]>"],
            Families = ["llama"], Names = SeedCoderName(), NotNames = ChatName(),
        },
    ];

    /// <summary>
    /// Finds out how a model is asked: what the user set; else what the server's template does with a suffix, which is how the model's
    /// packager knows it; else the family, where it leaves no doubt; else the name, unless the family contradicts it.
    /// </summary>
    /// <param name="facts">What the server says.</param>
    /// <param name="layout">The name of a layout, <see cref="NoLayout"/>, or empty for finding out.</param>
    /// <exception cref="UserException">There is no such layout.</exception>
    public static FimSupport Detect(FimFacts facts, string layout = "")
    {
        if (layout.Length != 0)
        {
            return layout.Equals(NoLayout, StringComparison.OrdinalIgnoreCase) ? new FimSupport.Missing(TurnedOff(facts.Name)) : new FimSupport.Known(ByName(layout));
        }

        if (facts.Capabilities.Count != 0 && !facts.Capabilities.Contains("completion", StringComparer.OrdinalIgnoreCase))
        {
            return new FimSupport.Missing(WritesNoText(facts.Name));
        }

        var named = All.FirstOrDefault(row => row.Names!.IsMatch(facts.Name) && row.FitsFamily(facts.Family))
            ?? All.FirstOrDefault(row => row.FamilyDecides && row.FitsFamily(facts.Family) && facts.Family.Length != 0);
        if (FromGoTemplate(facts.Template) is { } written)
        {
            return new FimSupport.Known(MostLike(written, named, facts.Family));
        }

        if (named is null)
        {
            return new FimSupport.Missing(Unknown(facts.Name));
        }

        return named.NotNames?.IsMatch(facts.Name) == true
            ? new FimSupport.Missing(WrongVariant(facts.Name))
            : new FimSupport.Known(named);
    }

    /// <summary>Whether other files can be shown to the model from a document of <paramref name="language"/>.</summary>
    public bool CarriesChunks(Language language) => Files is not null || language.LineComments.Count != 0;

    /// <summary>
    /// Writes the prompt. What changes least comes first, so that the server can reuse what it has evaluated: other files, then the
    /// text above the cursor, then the text below; except in families that want the text below first.
    /// </summary>
    public string Render(PromptParts parts)
    {
        var prompt = new StringBuilder();
        var suffix = Suffix.Length == 0 ? "" : Suffix + Sanitize(parts.Suffix);
        if (SuffixFirst)
        {
            prompt.Append(suffix);
        }

        var path = Sanitize(parts.Path);
        switch (Files?.Place)
        {
            case var _ when parts.Chunks.Count == 0:
                prompt.Append(Prefix);
                break;
            case FimFilesPlace.BeforePrefixToken:
                AppendFiles(prompt, Files, parts);
                prompt.Append(Files.File).Append(path).Append('\n').Append(Prefix);
                break;
            case FimFilesPlace.AroundPrefixToken:
                AppendFiles(prompt, Files, parts);
                prompt.Append(Files.File).Append(Prefix).Append(path).Append('\n');
                break;
            case FimFilesPlace.InsidePrefix:
                prompt.Append(Prefix);
                AppendFiles(prompt, Files, parts);
                prompt.Append(Files.File).Append(path).Append('\n');
                break;
            default:
                prompt.Append(Prefix);
                AppendComments(prompt, parts, path);
                break;
        }

        prompt.Append(Sanitize(parts.Prefix));
        return (SuffixFirst ? prompt : prompt.Append(suffix)).Append(Middle).ToString();
    }

    /// <summary>
    /// The text with a blank inside everything that the model would read as one of its own tokens. A file that speaks of such tokens
    /// would otherwise end the prompt in its middle.
    /// </summary>
    public string Sanitize(string text)
    {
        var found = text.AsSpan().IndexOfAny(ReservedSearch);
        if (found < 0)
        {
            return text;
        }

        var clean = new StringBuilder(text.Length + 16);
        var rest = text.AsSpan();
        while (0 <= found)
        {
            // On behind its first character only: another may begin inside.
            clean.Append(rest[..(found + 1)]).Append(' ');
            rest = rest[(found + 1)..];
            found = rest.IndexOfAny(ReservedSearch);
        }

        return clean.Append(rest).ToString();
    }

    /// <summary>Everything that means something to the model wherever it stands. The stops name the tokens for files too.</summary>
    internal IEnumerable<string> Reserved() =>
        Stops.Concat(Tokens()).Concat(AlsoReserved).Where(literal => literal.Length != 0).Distinct();

    private static FimTemplate ByName(string layout) =>
        All.FirstOrDefault(row => row.Name.Equals(layout, StringComparison.OrdinalIgnoreCase)) ?? throw new UserException(NoSuchLayout(layout));

    private bool FitsFamily(string family) =>
        family.Length == 0 || Families.Any(start => family.StartsWith(start, StringComparison.OrdinalIgnoreCase));

    // The row with the same tokens, as it knows files and stops too; the name decides between several, then the family.
    private static FimTemplate MostLike(FimTemplate written, FimTemplate? named, string family)
    {
        var same = All.Where(row => row.SuffixFirst == written.SuffixFirst && row.Tokens().SequenceEqual(written.Tokens())).ToList();
        if (named is not null && same.Contains(named))
        {
            return named;
        }

        var akin = same.Where(row => family.Length != 0 && row.FitsFamily(family)).ToList();
        return akin.Count == 1 ? akin[0] : same.Count == 1 ? same[0] : written;
    }

    private IEnumerable<string> Tokens() => [Prefix.Trim(), Suffix.Trim(), Middle.Trim()];

    /// <summary>Reads the layout off a template such as <c>{{ if .Suffix }}A{{ .Prompt }}B{{ .Suffix }}C{{ else }}…</c>; null if it has none.</summary>
    private static FimTemplate? FromGoTemplate(string template)
    {
        var match = GoFim().Match(template);
        if (!match.Success)
        {
            return null;
        }

        // '{{-' eats the blanks before it, '-}}' those behind.
        var before = Literal("before", trimStart: "ifEats", trimEnd: "firstEats");
        var between = Literal("between", trimStart: "firstEatsBehind", trimEnd: "secondEats");
        var behind = Literal("behind", trimStart: "secondEatsBehind", trimEnd: "endEats");
        var suffixFirst = match.Groups["first"].Value == "Suffix";
        if (before.Trim().Length == 0 || between.Trim().Length == 0)
        {
            return null;
        }

        return new()
        {
            Name = "template",
            Prefix = suffixFirst ? between : before,
            Suffix = suffixFirst ? before : between,
            Middle = behind,
            SuffixFirst = suffixFirst,
            Stops = [.. new[] { before.Trim(), between.Trim(), behind.Trim(), "<|endoftext|>", "<|im_end|>", "<EOT>" }.Where(stop => stop.Length != 0).Distinct()],
        };

        string Literal(string name, string trimStart, string trimEnd)
        {
            var text = match.Groups[name].Value;
            text = match.Groups[trimStart].Length != 0 ? text.TrimStart() : text;
            return match.Groups[trimEnd].Length != 0 ? text.TrimEnd() : text;
        }
    }

    private void AppendFiles(StringBuilder prompt, FimFiles files, PromptParts parts)
    {
        if (files.Repository.Length != 0)
        {
            prompt.Append(files.Repository).Append(Sanitize(parts.Repository)).Append(files.RepositoryEnd);
        }

        foreach (var chunk in parts.Chunks)
        {
            prompt.Append(files.File).Append(Sanitize(chunk.Path)).Append('\n').Append(Sanitize(chunk.Text)).Append(files.FileEnd);
        }
    }

    // For models without tokens for files: Continue's way, comments with the path above.
    private void AppendComments(StringBuilder prompt, PromptParts parts, string path)
    {
        if (parts.Language.LineComments.Count == 0)
        {
            return;
        }

        var mark = parts.Language.LineComments[0] + " ";
        foreach (var chunk in parts.Chunks)
        {
            prompt.Append(mark).Append("Path: ").Append(Sanitize(chunk.Path)).Append('\n');
            foreach (var line in Sanitize(chunk.Text).Split('\n'))
            {
                prompt.Append(mark).Append(line).Append('\n');
            }
        }

        prompt.Append(mark).Append("Path: ").Append(path).Append('\n');
    }

    private static Phrase TurnedOff(string model) => new(
        $"The settings say that {model} does not fill in the middle of code. Remove the layout '{NoLayout}' to let the server's answer decide.",
        $"La configuración dice que {model} no rellena huecos en el código. Quita el formato '{NoLayout}' para que decida la respuesta del servidor.");

    private static Phrase WritesNoText(string model) => new(
        $"{model} does not write text (it is for embeddings or images). Choose a model for code, for example qwen2.5-coder:1.5b.",
        $"{model} no escribe texto (sirve para embeddings o imágenes). Elige un modelo de código, por ejemplo qwen2.5-coder:1.5b.");

    private static Phrase WrongVariant(string model) => new(
        $"{model} is a variant that was not trained to fill in the middle of code. Choose the base or code variant of the same model.",
        $"{model} es una variante que no se entrenó para rellenar huecos en el código. Elige la variante base o code del mismo modelo.");

    private static Phrase Unknown(string model) => new(
        $"{model} does not fill in the middle of code, as far as its name and its template tell. Choose a model that does, for example qwen2.5-coder:1.5b, or name its prompt layout in the settings: {LayoutNames()}.",
        $"{model} no rellena huecos en el código, por lo que dicen su nombre y su plantilla. Elige un modelo que sí lo haga, por ejemplo qwen2.5-coder:1.5b, o indica su formato en la configuración: {LayoutNames()}.");

    private static Phrase NoSuchLayout(string layout) => new(
        $"There is no prompt layout '{layout}'. Expected one of: {LayoutNames()}, {NoLayout}.",
        $"No hay ningún formato de petición '{layout}'. Se esperaba uno de estos: {LayoutNames()}, {NoLayout}.");

    private static string LayoutNames() => string.Join(", ", All.Select(row => row.Name).Order(StringComparer.Ordinal));

    [GeneratedRegex(
        @"(?:\{\{-?\s*if\s[^}]*?(?<ifEats>-?)\}\})?(?<before>[^{}]*)\{\{(?<firstEats>-?)\s*\.(?<first>Prompt|Suffix)\s*(?<firstEatsBehind>-?)\}\}(?<between>[^{}]*)\{\{(?<secondEats>-?)\s*\.(?!\k<first>)(?<second>Prompt|Suffix)\s*(?<secondEatsBehind>-?)\}\}(?<behind>[^{}]*)(?:\{\{(?<endEats>-?))?",
        RegexOptions.CultureInvariant)]
    private static partial Regex GoFim();

    [GeneratedRegex("codeqwen", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodeQwenName();

    [GeneratedRegex(@"qwen[\d.]*-?coder", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex QwenCoderName();

    [GeneratedRegex("code-?llama", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodeLlamaName();

    // Only the variants that say 'code' (Ollama) or nothing (Hugging Face's base models) at 7B and 13B know the tokens.
    [GeneratedRegex(@"instruct|python|34b|70b|code-?llama(?::(?!.*\bcode\b)|$)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodeLlamaOtherName();

    [GeneratedRegex("star-?coder-?2", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex StarCoder2Name();

    [GeneratedRegex("star-?coder(?!-?2)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex StarCoderName();

    [GeneratedRegex(@"granite-?(?:\d+b-?)?code|granite-\d+b-code", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex GraniteCodeName();

    [GeneratedRegex(@"granite-?4", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Granite4Name();

    [GeneratedRegex("deepseek-?coder", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex DeepSeekCoderName();

    [GeneratedRegex("codestral", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodestralName();

    // Ollama's tags without 'code' or '2b' are instruction-tuned, and lost the tokens (ollama#6968).
    [GeneratedRegex(@"codegemma(?:[^:]*-(?:2b|7b)(?!.*-it\b)|:.*(?:code|2b))", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodeGemmaName();

    [GeneratedRegex("stable-?code", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex StableCodeName();

    [GeneratedRegex("seed-?coder", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SeedCoderName();

    [GeneratedRegex("mamba", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MambaName();

    [GeneratedRegex(@"instruct|chat|reasoning|\bit\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ChatName();
}
