using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Patterns;

public class SymbolTraitsTests
{
    [Theory]
    [InlineData(TokenKind.Identifier, "lineCount", "Lower")]
    [InlineData(TokenKind.Identifier, "_line", "Lower")]
    [InlineData(TokenKind.Identifier, "LineCount", "Capitalized")]
    [InlineData(TokenKind.Identifier, "T", "Capitalized")]
    [InlineData(TokenKind.Identifier, "MAX_COUNT", "Upper")]
    [InlineData(TokenKind.Identifier, "", "Text")] // withheld
    [InlineData(TokenKind.Keyword, "return", "Keyword")]
    [InlineData(TokenKind.Number, "17", "Number")]
    [InlineData(TokenKind.String, "\"a\"", "Text")]
    [InlineData(TokenKind.Operator, "=>", "Operator")]
    [InlineData(TokenKind.Newline, "\n", "Newline")]
    public void Class(TokenKind kind, string text, string expected) => Assert.Equal(expected, SymbolTraits.Of(kind, text).Class.ToString());

    [Theory]
    [InlineData("lineCount", "line", "count")]
    [InlineData("XMLParser", "xml", "parser")]
    [InlineData("parseXML", "parse", "xml")]
    [InlineData("MAX_COUNT", "max", "count")]
    [InlineData("__init__", "init", "init")]
    [InlineData("_", "", "")]
    [InlineData("x", "x", "x")]
    [InlineData("Éclair", "éclair", "éclair")]
    public void Words(string name, string first, string last)
    {
        var traits = SymbolTraits.Of(TokenKind.Identifier, name);
        Assert.Equal(SymbolTraits.Of(TokenKind.Keyword, first).FirstWord, traits.FirstWord);
        Assert.Equal(SymbolTraits.Of(TokenKind.Keyword, last).LastWord, traits.LastWord);
    }

    [Theory]
    [InlineData(TokenKind.Identifier, "self", true)]
    [InlineData(TokenKind.Identifier, "inventory", false)]
    [InlineData(TokenKind.Number, "0", true)]
    [InlineData(TokenKind.Number, "1729", false)]
    [InlineData(TokenKind.Keyword, "yield", true)]
    [InlineData(TokenKind.Operator, "::", true)]
    public void IsCommon(TokenKind kind, string text, bool expected) => Assert.Equal(expected, SymbolTraits.Of(kind, text).IsCommon);
}
