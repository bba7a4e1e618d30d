// What the tokens of each language are: one fixture per row of Language, blanks left out. The laws are in LexerLawTests.
using System.Text;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Text;

public sealed class LexerGoldenTests
{
    public static TheoryData<string> LanguageIds => new(Language.All.Select(language => language.Id));

    [Theory, MemberData(nameof(LanguageIds))]
    public void Tokens_are_as_recorded(string languageId) =>
        Golden.Check(Path.Combine("lexer", languageId + ".txt"), "tokens", code => Listing(code, Language.ById(languageId)));

    private static string Listing(string code, Language language)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(code, language, tokens);
        var listing = new StringBuilder();
        foreach (var token in tokens.Where(token => token.Kind != TokenKind.Whitespace))
        {
            var text = code[token.Start..token.End].Replace("\\", "\\\\").Replace("\r", "\\r").Replace("\n", "\\n");
            listing.Append(token.Kind).Append(' ').Append(text).Append('\n');
        }

        return listing.ToString();
    }
}
