// How languages are found by id and by file. What they mean for tokens is in LexerGoldenTests.
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Text;

public sealed class LanguageTests
{
    [Theory]
    [InlineData("src/Program.cs", "csharp")]
    [InlineData("src/app.component.ts", "typescript")]
    [InlineData("App.TSX", "typescriptreact")]
    [InlineData("types.d.ts", "typescript")]
    [InlineData("/abs/path with blanks/main.py", "python")]
    [InlineData("include/shop.h", "cpp")]
    [InlineData("Gemfile", "ruby")]
    [InlineData("home/.bashrc", "shellscript")]
    [InlineData("shop.csproj", "xml")]
    [InlineData(".eslintrc", "json")]
    [InlineData("docker-compose.yml", "yaml")]
    [InlineData("Makefile", "plaintext")]
    [InlineData("notes.unknown", "plaintext")]
    [InlineData("no-extension", "plaintext")]
    [InlineData("cs", "plaintext")]
    [InlineData("", "plaintext")]
    public void A_path_tells_the_language(string path, string id) => Assert.Equal(id, Language.ByPath(path).Id);

    [Theory]
    [InlineData("csharp", "C#")]
    [InlineData("vue", "HTML")]
    [InlineData("jsonc", "JSON")]
    [InlineData("bash", "Shell")]
    [InlineData("CSharp", "Plain text")]
    [InlineData("klingon", "Plain text")]
    [InlineData("", "Plain text")]
    [InlineData(null, "Plain text")]
    public void An_id_tells_the_language(string? id, string name) => Assert.Equal(name, Language.ById(id).Name);

    [Theory]
    [InlineData("csharp", "//")]
    [InlineData("javascript", "//")]
    [InlineData("php", "// #")]
    [InlineData("sql", "--")]
    [InlineData("css", "")]
    public void Line_comments_are_known(string id, string comments) =>
        Assert.Equal(comments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), Language.ById(id).LineComments.Order());

    [Fact]
    public void No_two_languages_claim_the_same_id_extension_or_file()
    {
        Func<Language, IEnumerable<string>>[] claims = [language => language.Ids, language => language.Extensions, language => language.FileNames];
        foreach (var claim in claims)
        {
            var all = Language.All.SelectMany(claim).ToList();
            Assert.Equal(all.Distinct(), all);
        }
    }

    [Fact]
    public void Indentation_is_syntax_in_Python_and_YAML_only() =>
        Assert.Equal(["Python", "YAML"], Language.All.Where(language => language.IsIndentationBased).Select(language => language.Name));
}
