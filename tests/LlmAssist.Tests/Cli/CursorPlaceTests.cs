using LlmAssist.Engine;
using LlmAssist.Engine.Text;
using LlmAssist.Server.Cli;

namespace LlmAssist.Tests.Cli;

public sealed class CursorPlaceTests
{
    [Theory]
    [InlineData("main.py:3:7", "main.py", 3, 7)]
    [InlineData(@"C:\code\main.py:3:7", @"C:\code\main.py", 3, 7)]
    [InlineData("odd:name.py:12:1", "odd:name.py", 12, 1)]
    public void Reads(string text, string file, int line, int column) => Assert.Equal(new CursorPlace(file, line, column), CursorPlace.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("main.py")]
    [InlineData("main.py:3")]
    [InlineData(":3:7")]
    [InlineData("main.py:0:7")]
    [InlineData("main.py:3:0")]
    [InlineData("main.py:3:-1")]
    [InlineData("main.py:three:7")]
    [InlineData("main.py:99999999999:7")]
    public void Refuses(string text) => Assert.Null(CursorPlace.Parse(text));

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(1, 3, 2)]
    [InlineData(2, 1, 4)]
    [InlineData(3, 1, 5)]
    public void FindsItsOffset(int line, int column, int offset) => Assert.Equal(offset, new CursorPlace("f", line, column).OffsetIn(new SourceText("ab\r\n\nc")));

    [Theory]
    [InlineData(4, 1)]
    [InlineData(1, 4)]
    public void RefusesPlacesOutside(int line, int column) =>
        Assert.Throws<UserException>(() => new CursorPlace("f", line, column).OffsetIn(new SourceText("ab\r\n\nc")));
}
