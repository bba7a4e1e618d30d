using LlmAssist.Server.Handlers;

namespace LlmAssist.Tests.Handlers;

public sealed class PathOfTests
{
    [Theory]
    [InlineData("file:///home/ada/a.cs", "/home/ada/a.cs")]
    [InlineData("FILE:///a%20b/%C3%B1%25.cs", "/a b/ñ%.cs")]
    [InlineData("file://localhost/a", "/a")]
    [InlineData("file:///", "/")]
    [InlineData("file:///a%00b", null)]
    [InlineData("file://server/share/a", null)]
    [InlineData("file://", null)]
    [InlineData("untitled:Untitled-1", null)]
    [InlineData("/home/ada", null)]
    [InlineData("", null)]
    public void On_Unix(string uri, string? path) => Assert.Equal(path, LspConvert.PathOf(uri, onWindows: false));

    [Theory]
    [InlineData("file:///c%3A/Users/ada/a.cs", @"c:\Users\ada\a.cs")]
    [InlineData("file:///C:/a%20b", @"C:\a b")]
    [InlineData("file://server/share/a", @"\\server\share\a")]
    [InlineData("file:///x", @"\x")]
    public void On_Windows(string uri, string? path) => Assert.Equal(path, LspConvert.PathOf(uri, onWindows: true));
}
