using LlmAssist.Engine;

namespace LlmAssist.Tests;

public sealed class DataFoldersTests
{
    [Theory]
    [InlineData(DataPlatform.Unix, "/home/ana", "", "/home/ana/.local/share/llm-assist")]
    [InlineData(DataPlatform.Unix, "/home/ana", "XDG_DATA_HOME=/data", "/data/llm-assist")]
    [InlineData(DataPlatform.Unix, "/home/ana", "XDG_DATA_HOME=relative", "/home/ana/.local/share/llm-assist")]
    [InlineData(DataPlatform.Unix, "", "XDG_DATA_HOME=/data", "/data/llm-assist")]
    [InlineData(DataPlatform.Unix, "/home/ana", "XDG_DATA_HOME=/data LLMASSIST_HOME=/own", "/own")]
    [InlineData(DataPlatform.MacOS, "/Users/ana", "XDG_DATA_HOME=/data", "/Users/ana/Library/Application Support/llm-assist")]
    [InlineData(DataPlatform.Windows, "/ana", "LOCALAPPDATA=/local", "/local/llm-assist")]
    [InlineData(DataPlatform.Windows, "/ana", "", "/ana/AppData/Local/llm-assist")]
    public void AreWhereTheSystemWantsThem(DataPlatform platform, string userFolder, string environment, string home)
    {
        var folders = DataFolders.Of(platform, userFolder, Variables(environment));
        Assert.Equal((home, home + "/models", home + "/state"), (Slashes(folders.Home), Slashes(folders.Models), Slashes(folders.State)));
    }

    [Theory]
    [InlineData("ana-pc", "ana-pc")]
    [InlineData("Ana's PC", "Ana-s-PC")]
    [InlineData("../..", "machine")]
    [InlineData("a/b\\c:d", "a-b-c-d")]
    [InlineData("", "machine")]
    public void WhatIsSharedLiesInAFolderOfTheMachine(string machine, string expected)
    {
        Assert.Equal(expected, DataFolders.FileSafe(machine));
        var folders = new DataFolders("/own");
        Assert.Equal(folders.State, Path.GetDirectoryName(folders.Shared));
    }

    [Fact]
    public void WithoutAnyPlaceTheUserIsTold() =>
        Assert.Contains("LLMASSIST_HOME", Assert.Throws<UserException>(() => DataFolders.Of(DataPlatform.Unix, "", Variables(""))).Message, StringComparison.Ordinal);

    private static Func<string, string?> Variables(string environment)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToDictionary(pair => pair.Split('=')[0], pair => pair.Split('=')[1]);
        return name => variables.GetValueOrDefault(name);
    }

    private static string Slashes(string path) => path.Replace('\\', '/');
}
