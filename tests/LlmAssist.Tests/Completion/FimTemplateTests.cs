// Which model is asked how, as tables: detection, the prompt of every layout to the byte, and what is made of tokens in the user's text.
using FsCheck;
using FsCheck.Fluent;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Completion;

public sealed class FimTemplateTests
{
    private const string BarTemplate = "{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>{{ else }}<|im_start|>user\n{{ .Prompt }}<|im_end|>{{ end }}";
    private const string ChatTemplate = "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>{{ end }}<|im_start|>user\n{{ .Prompt }}<|im_end|>";

    // P and S stand for the texts around the cursor.
    [Theory]
    [InlineData("qwen", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>")]
    [InlineData("codeqwen", "<fim_prefix>P<fim_suffix>S<fim_middle>")]
    [InlineData("codellama", "<PRE> P <SUF>S <MID>")]
    [InlineData("starcoder", "<fim_prefix>P<fim_suffix>S<fim_middle>")]
    [InlineData("starcoder2", "<fim_prefix>P<fim_suffix>S<fim_middle>")]
    [InlineData("deepseek", "<\uFF5Cfim\u2581begin\uFF5C>P<\uFF5Cfim\u2581hole\uFF5C>S<\uFF5Cfim\u2581end\uFF5C>")]
    [InlineData("codestral", "[SUFFIX]S[PREFIX]P")]
    [InlineData("codegemma", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>")]
    [InlineData("granite-code", "<fim_prefix>P<fim_suffix>S<fim_middle>")]
    [InlineData("granite4", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>")]
    [InlineData("stablecode", "<fim_prefix>P<fim_suffix>S<fim_middle>")]
    [InlineData("seed-coder", "<[fim-suffix]>S<[fim-prefix]>P<[fim-middle]>")]
    public void Asks_within_one_file(string layout, string prompt) => Assert.Equal(prompt, Row(layout).Render(Parts("P", "S")));

    [Theory]
    [InlineData("qwen", "<|repo_name|>shop\n<|file_sep|>a.cs\nA1\nA2\n<|file_sep|>b.cs\nB\n<|file_sep|>src/c.cs\n<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>")]
    [InlineData("codeqwen", "<reponame>shop\n<file_sep>a.cs\nA1\nA2\n<file_sep>b.cs\nB\n<file_sep>src/c.cs\n<fim_prefix>P<fim_suffix>S<fim_middle>")]
    [InlineData("codellama", "<PRE> // Path: a.cs\n// A1\n// A2\n// Path: b.cs\n// B\n// Path: src/c.cs\nP <SUF>S <MID>")]
    [InlineData("starcoder", "<reponame>shop<filename>a.cs\nA1\nA2\n<filename>b.cs\nB\n<filename>src/c.cs\n<fim_prefix>P<fim_suffix>S<fim_middle>")]
    [InlineData("starcoder2", "<repo_name>shop<file_sep>a.cs\nA1\nA2<file_sep>b.cs\nB<file_sep><fim_prefix>src/c.cs\nP<fim_suffix>S<fim_middle>")]
    [InlineData("deepseek", "<｜fim▁begin｜>#a.cs\nA1\nA2\n#b.cs\nB\n#src/c.cs\nP<｜fim▁hole｜>S<｜fim▁end｜>")]
    [InlineData("codestral", "[SUFFIX]S[PREFIX]+++++ a.cs\nA1\nA2\n\n+++++ b.cs\nB\n\n+++++ src/c.cs\nP")]
    [InlineData("codegemma", "a.cs\nA1\nA2<|file_separator|>b.cs\nB<|file_separator|>src/c.cs\n<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>")]
    [InlineData("granite-code", "<reponame>shop<filename>a.cs\nA1\nA2\n<filename>b.cs\nB\n<filename>src/c.cs\n<fim_prefix>P<fim_suffix>S<fim_middle>")]
    [InlineData("granite4", "<|fim_prefix|>// Path: a.cs\n// A1\n// A2\n// Path: b.cs\n// B\n// Path: src/c.cs\nP<|fim_suffix|>S<|fim_middle|>")]
    [InlineData("seed-coder", "<[fim-suffix]>S<[fim-prefix]>// Path: a.cs\n// A1\n// A2\n// Path: b.cs\n// B\n// Path: src/c.cs\nP<[fim-middle]>")]
    public void Shows_other_files(string layout, string prompt) =>
        Assert.Equal(prompt, Row(layout).Render(Parts("P", "S", new CodeChunk("a.cs", 0, "A1\nA2"), new CodeChunk("b.cs", 0, "B"))));

    [Fact]
    public void Shows_no_other_files_where_they_cannot_be_written()
    {
        var css = Language.ById("css");
        var parts = Parts("P", "S", new CodeChunk("a.css", 0, "A")) with { Language = css };
        Assert.False(Row("codellama").CarriesChunks(css));
        Assert.True(Row("qwen").CarriesChunks(css));
        Assert.Equal("<PRE> P <SUF>S <MID>", Row("codellama").Render(parts));
    }

    [Theory]
    [InlineData("qwen", "<|endoftext|> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|> <|im_start|> <|im_end|>")]
    [InlineData("codeqwen", "<fim_prefix> <fim_suffix> <fim_middle> <reponame> <file_sep> <|endoftext|>")]
    [InlineData("codellama", "<PRE> <SUF> <MID> <EOT>")]
    [InlineData("starcoder", "<fim_prefix> <fim_suffix> <fim_middle> <file_sep> <|endoftext|> <reponame> <filename>")]
    [InlineData("starcoder2", "<fim_prefix> <fim_suffix> <fim_middle> <file_sep> <|endoftext|> <repo_name>")]
    [InlineData("deepseek", "<｜fim▁begin｜> <｜fim▁hole｜> <｜fim▁end｜> <｜end▁of▁sentence｜>")]
    [InlineData("codestral", "[PREFIX] [SUFFIX] </s>")]
    [InlineData("codegemma", "<|fim_prefix|> <|fim_suffix|> <|fim_middle|> <|file_separator|> <end_of_turn> <eos>")]
    [InlineData("granite-code", "<fim_prefix> <fim_suffix> <fim_middle> <fim_pad> <|endoftext|>")]
    [InlineData("granite4", "<|fim_prefix|> <|fim_suffix|> <|fim_middle|> <|fim_pad|> <|end_of_text|>")]
    [InlineData("stablecode", "<fim_prefix> <fim_suffix> <fim_middle> <file_sep> <|endoftext|> </fim_middle> </code>")]
    [InlineData("seed-coder", "<[fim-prefix]> <[fim-suffix]> <[fim-middle]> <[end▁of▁sentence]>")]
    public void Stops_at(string layout, string stops) => Assert.Superset(stops.Split(' ').ToHashSet(), Row(layout).Stops.ToHashSet());

    [Fact]
    public void Stops_at_every_token_of_its_own()
    {
        foreach (var row in FimTemplate.All)
        {
            var tokens = new[] { row.Prefix, row.Suffix, row.Middle, row.Files?.Repository, row.Files?.File, row.Files?.FileEnd }.Select(token => token?.Trim() ?? "");
            Assert.Superset(tokens.Where(token => token.Length != 0 && token is not ("#" or "+++++")).ToHashSet(), row.Stops.ToHashSet());
        }
    }

    [Fact]
    public void Stops_only_at_what_is_no_code()
    {
        Assert.All(FimTemplate.All, row => Assert.DoesNotContain("//", row.Stops));
        Assert.All(FimTemplate.All, row => Assert.DoesNotContain("t.", row.Stops));
        Assert.Contains("\n+++++ ", Row("codestral").Stops);
    }

    // By family and name alone, as before 0.6.4 or when the template knows no suffix.
    [Theory]
    [InlineData("qwen2.5-coder:1.5b", "qwen2", "qwen")]
    [InlineData("hf.co/bartowski/Qwen2.5-Coder-1.5B-GGUF:Q4_K_M", "qwen2", "qwen")]
    [InlineData("qwen3-coder:30b", "qwen3moe", "qwen")] // no .Suffix in its template: ollama#12387
    [InlineData("codeqwen:7b-code", "qwen2", "codeqwen")]
    [InlineData("codeqwen:7b-chat", "qwen2", null)]
    [InlineData("qwen2.5:7b", "qwen2", null)]
    [InlineData("codellama:7b-code", "llama", "codellama")]
    [InlineData("codellama:code", "llama", "codellama")]
    [InlineData("codellama:13b-code-q4_0", "llama", "codellama")]
    [InlineData("hf.co/TheBloke/CodeLlama-7B-GGUF", "llama", "codellama")]
    [InlineData("codellama:latest", "llama", null)]
    [InlineData("codellama:7b", "llama", null)]
    [InlineData("codellama", "llama", null)]
    [InlineData("codellama:7b-instruct", "llama", null)]
    [InlineData("codellama:13b-python", "llama", null)]
    [InlineData("codellama:34b-code", "llama", null)]
    [InlineData("codellama:70b-code", "llama", null)]
    [InlineData("starcoder2:3b", "starcoder2", "starcoder2")]
    [InlineData("my-own:latest", "starcoder2", "starcoder2")]
    [InlineData("starcoder2:15b-instruct", "starcoder2", null)]
    [InlineData("starcoder:1b", "starcoder", "starcoder")]
    [InlineData("deepseek-coder:1.3b-base", "llama", "deepseek")]
    [InlineData("deepseek-coder-v2:16b-lite-base-q4_0", "deepseek2", "deepseek")]
    [InlineData("deepseek-coder:6.7b-instruct", "llama", null)]
    [InlineData("deepseek-r1:8b", "llama", null)]
    [InlineData("codestral:22b", "llama", "codestral")]
    [InlineData("codegemma:2b", "gemma", "codegemma")]
    [InlineData("codegemma:7b-code", "gemma", "codegemma")]
    [InlineData("hf.co/google/codegemma-2b-GGUF", "gemma", "codegemma")]
    [InlineData("codegemma:latest", "gemma", null)]
    [InlineData("codegemma:7b-instruct", "gemma", null)]
    [InlineData("hf.co/google/codegemma-7b-it-GGUF", "gemma", null)]
    [InlineData("granite-code:3b", "llama", "granite-code")]
    [InlineData("granite-code:20b", "starcoder", "granite-code")]
    [InlineData("hf.co/ibm-granite/granite-3b-code-base-2k", "llama", "granite-code")]
    [InlineData("granite4:tiny-h", "granitehybrid", "granite4")]
    [InlineData("stable-code:3b", "stablelm", "stablecode")]
    [InlineData("stable-code:3b-code", "stablelm", "stablecode")]
    [InlineData("stable-code:instruct", "stablelm", null)]
    [InlineData("hf.co/unsloth/Seed-Coder-8B-Base-GGUF", "llama", "seed-coder")]
    [InlineData("hf.co/unsloth/Seed-Coder-8B-Instruct-GGUF", "llama", null)]
    [InlineData("yi-coder:1.5b", "llama", null)]
    [InlineData("llama3.2:3b", "llama", null)]
    [InlineData("qwen2.5-coder-distilled-into-llama", "llama", null)] // another tokenizer
    [InlineData("qwen2.5-coder", "", "qwen")]
    public void Knows_by_family_and_name(string name, string family, string? layout) => CheckDetected(layout, new(name, family, [], ChatTemplate));

    [Theory]
    [InlineData("my-model", "qwen2", BarTemplate, "qwen")]
    [InlineData("my-model", "gemma", BarTemplate, "codegemma")]
    [InlineData("my-model", "granite", BarTemplate, "granite4")]
    [InlineData("my-model", "mamba", BarTemplate, "template")]
    [InlineData("codegemma:7b-instruct", "gemma", BarTemplate, "codegemma")] // its packager says that it can
    [InlineData("my-model", "llama", "{{- if .Suffix }}<PRE> {{ .Prompt }} <SUF>{{ .Suffix }} <MID>\n{{- else }}[INST] {{ .Prompt }} [/INST]\n{{- end }}", "codellama")]
    [InlineData("my-model", "llama", "{{- if .Suffix }}[SUFFIX]{{ .Suffix }}[PREFIX] {{ .Prompt }}\n{{- else }}{{ .Prompt }}{{ end }}", "codestral")]
    [InlineData("my-model", "deepseek2", "{{- if .Suffix }}<｜fim▁begin｜>{{ .Prompt }}<｜fim▁hole｜>{{ .Suffix }}<｜fim▁end｜>{{ else }}{{ end }}", "deepseek")]
    [InlineData("my-model", "", "{{ .System }} {{ .Prompt }} {{ if .Suffix }}{{ .Suffix }}{{ end }}", null)]
    [InlineData("my-model", "", "{{ .Prompt }}", null)]
    [InlineData("my-model", "", "", null)]
    public void Knows_by_template(string name, string family, string template, string? layout) => CheckDetected(layout, new(name, family, ["completion", "insert"], template));

    [Theory]
    [InlineData("{{ if .Suffix }}<A>{{ .Prompt }}<B>{{ .Suffix }}<C>{{ else }}{{ .Prompt }}{{ end }}", "<A>P<B>S<C>")]
    [InlineData("{{ if .Suffix -}}\n  <A>\n{{- .Prompt -}}\n<B> {{ .Suffix }} <C>\n{{- end }}", "<A>P<B> S <C>")]
    [InlineData("x {{ .System }} {{ .Prompt }}{{ end }}{{if .Suffix}}<B>{{.Suffix}}<A>{{.Prompt}}{{end}}", "<B>S<A>P")]
    public void Reads_an_unknown_layout_off_the_template(string template, string prompt)
    {
        var known = Assert.IsType<FimSupport.Known>(FimTemplate.Detect(new("new-model", "", [], template)));
        Assert.Equal(prompt, known.Template.Render(Parts("P", "S")));
        Assert.Contains("<A>", known.Template.Stops);
        Assert.Equal("< A>< B>", known.Template.Sanitize("<A><B>"));
    }

    [Theory]
    [InlineData("nomic-embed-text", "embedding")]
    [InlineData("qwen2.5-coder-embed", "embedding")]
    [InlineData("flux", "image,vision")]
    public void Models_that_write_no_text_cannot_fill_in(string name, string capabilities) => CheckDetected(null, new(name, "", capabilities.Split(','), BarTemplate));

    [Theory]
    [InlineData("qwen", "qwen")]
    [InlineData("CodeLlama", "codellama")]
    [InlineData("none", null)]
    public void The_user_decides(string setting, string? layout) => CheckDetected(layout, new("starcoder2:3b", "starcoder2", ["embedding"], BarTemplate), setting);

    [Fact]
    public void An_unknown_layout_is_answered_with_the_known_ones()
    {
        var exception = Assert.Throws<UserException>(() => FimTemplate.Detect(new("m", "", [], ""), "quen"));
        Assert.All([exception.Phrase.English, exception.Phrase.Spanish], text => Assert.All(["'quen'", "qwen", "starcoder2", "none"], part => Assert.Contains(part, text)));
    }

    [Theory]
    [InlineData("qwen", "a <|fim_middle|> b", "a < |fim_middle|> b")]
    [InlineData("qwen", "<|im_end|><|im_end|>", "< |im_end|>< |im_end|>")]
    [InlineData("qwen", "<fim_middle> [PREFIX] <PRE>", "<fim_middle> [PREFIX] <PRE>")] // other families' tokens are just text
    [InlineData("codellama", "<PRE> x </s> <pre>", "< PRE> x < /s> <pre>")]
    [InlineData("codestral", "[PREFIX]\n+++++ a", "[ PREFIX]\n +++++ a")]
    [InlineData("deepseek", "#include <｜fim▁hole｜>", "#include < ｜fim▁hole｜>")]
    [InlineData("codegemma", "List<|file_separator<|file_separator|>|>", "List<|file_separator< |file_separator|>|>")]
    public void Tokens_in_the_users_text_are_broken(string layout, string text, string clean) => Assert.Equal(clean, Row(layout).Sanitize(text));

    [Fact]
    public void Sanitized_text_has_no_token_and_loses_nothing()
    {
        foreach (var row in FimTemplate.All)
        {
            var reserved = row.Reserved().ToList();
            var pieces = Gen.Elements(reserved.Concat(reserved.Select(literal => literal[1..])).Concat(reserved.Select(literal => literal[..^1])).Concat(["<", "|", "+", " ", "\n", "x", "["]).ToArray());
            var texts = Arb.From(pieces.ListOf().Select(list => string.Concat(list)));
            Check.One(Config.QuickThrowOnFailure.WithReplay(7, 9), Prop.ForAll(texts, text =>
            {
                var clean = row.Sanitize(text);
                return reserved.All(literal => !clean.Contains(literal, StringComparison.Ordinal)) && clean.Replace(" ", "") == text.Replace(" ", "");
            }));
        }
    }

    // Whatever stands in the files: each of the layout's tokens is in the prompt as often as the layout puts it there.
    [Fact]
    public void Hostile_files_add_no_token_to_the_prompt()
    {
        foreach (var row in FimTemplate.All)
        {
            var hostile = string.Join('\n', row.Reserved());
            var calm = row.Render(Parts("p", "s", new CodeChunk("a", 0, "c")));
            var prompt = row.Render(Parts(hostile, hostile, new CodeChunk("a" + hostile.Replace("\n", ""), 0, hostile)));
            foreach (var literal in row.Reserved())
            {
                Assert.Equal(calm.Split(literal).Length, prompt.Split(literal).Length);
            }
        }
    }

    private static void CheckDetected(string? layout, FimFacts facts, string setting = "")
    {
        var support = FimTemplate.Detect(facts, setting);
        Assert.Equal(layout, (support as FimSupport.Known)?.Template.Name);
        if (support is FimSupport.Missing { Reason: var reason })
        {
            Assert.All([reason.English, reason.Spanish], text => Assert.Contains(facts.Name, text));
            Assert.NotEqual(reason.English, reason.Spanish);
        }
    }

    private static FimTemplate Row(string layout) => FimTemplate.All.Single(row => row.Name == layout);

    private static PromptParts Parts(string prefix, string suffix, params CodeChunk[] chunks) => new()
    {
        Path = "src/c.cs",
        Repository = "shop",
        Language = Language.ById("csharp"),
        Chunks = chunks,
        Prefix = prefix,
        Suffix = suffix,
    };
}
