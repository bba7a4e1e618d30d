// The stand-in reads back what the layouts write: what stands before the cursor, what behind, and in which file.
using FsCheck;
using FsCheck.Fluent;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;
using LlmAssist.FakeOllama;

namespace LlmAssist.Tests.Ollama;

public sealed class FimPromptTests
{
    private static readonly CodeChunk[][] Others = [[], [new("src/a.cs", 0, "A1\nA2")], [new("a.cs", 0, "#if A\n// A\n"), new("src/b.cs", 0, "B")]];

    [Fact]
    public void Every_layout_is_read_back()
    {
        foreach (var row in FimTemplate.All)
        {
            string[] code = ["total += item;", "\n", "    ", "#include <a>\n", "#endif\n", "# note\n", "// Path\n", "+++++", "a > b", "ñ", .. row.Reserved()];
            var texts = Gen.Elements(code).ListOf().Select(list => string.Concat(list));
            var cases = from prefix in texts from suffix in texts from chunks in Gen.Elements(Others) select (prefix, suffix, chunks);
            Check.One(Config.QuickThrowOnFailure.WithReplay(7, 9), Prop.ForAll(Arb.From(cases), parts =>
            {
                var prompt = row.Render(new()
                {
                    Path = "src/c.cs", Repository = "shop", Language = Language.ById("csharp"), Chunks = parts.chunks, Prefix = parts.prefix, Suffix = parts.suffix,
                });
                var path = parts.chunks.Length == 0 ? null : "src/c.cs";
                return FimPrompt.Read(prompt) == new FimPrompt(row.Sanitize(parts.prefix), row.Sanitize(parts.suffix), path);
            }));
        }
    }

    [Theory]
    [InlineData("just a text", "just a text")]
    [InlineData("", "")]
    [InlineData("about <|fim_prefix|> alone", "about <|fim_prefix|> alone")]
    public void A_text_without_a_hole_is_all_before_it(string prompt, string before) =>
        Assert.Equal(new(before, "", null), FimPrompt.Read(prompt));
}
