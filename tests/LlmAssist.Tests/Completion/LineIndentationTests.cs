using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Completion;

public class LineIndentationTests
{
    // The cursor is where the bar is.
    [Theory]
    [InlineData("python", "class A:\n    def f(self):\n|", "pass", "        ")]
    [InlineData("python", "class A:\n    def f(self):\n    |", "pass", "    ")]
    [InlineData("python", "class A:\n    def f(self):\n        |", "pass", "")]
    [InlineData("python", "def f():\n    pass\n\n|", "def", "")] // only who writes knows
    [InlineData("python", "f(\n|", ")", "")]
    [InlineData("csharp", "class A\n{\n  void F()\n  {\n|", "return;", "    ")]
    [InlineData("csharp", "class A\n{\n  void F()\n  {\n|", "}", "  ")]
    [InlineData("csharp", "{\n    a();\n\n|", "b();", "    ")]
    [InlineData("csharp", "{\n    a();\n\n|", "}", "")]
    [InlineData("csharp", "{\n    a\n        .B();\n|", "b();", "    ")]
    [InlineData("go", "func f() {\n|", "return", "\t", "if a {\n\tb()\n}\n")]
    [InlineData("go", "func f() {\n|", "return", "    ")]
    [InlineData("csharp", "a(); |", "b();", "")]
    [InlineData("csharp", "|", "b();", "")]
    [InlineData("csharp", "{\n\t|", "b();", "")] // tabs and spaces do not go on from one another
    [InlineData("csharp", "{\n|", "", "")]
    public void Missing(string language, string marked, string suggestion, string expected, string before = "")
    {
        var content = before + marked;
        var offset = content.IndexOf('|', StringComparison.Ordinal);
        var text = new SourceText(content.Remove(offset, 1));
        var line = text.LineAt(offset);
        Assert.Equal(expected, LineIndentation.Missing(text, line, text.Content[text.LineStart(line)..offset], suggestion, Language.ById(language)));
    }
}
