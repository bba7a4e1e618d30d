using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Sharing;

public sealed class WindowBoardTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 6, 12, 0, 0, TimeSpan.Zero);
    private static readonly ModelId Qwen = new(ModelSource.Ollama, "qwen:1b");
    private static readonly ModelId Team = ModelId.Pattern("team_20260101_000000");

    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly WindowBoard _ours;
    private readonly WindowBoard _theirs;

    public WindowBoardTests()
    {
        _ours = new(_folder.Path, _time);
        _theirs = new(_folder.Path, _time);
    }

    public void Dispose()
    {
        _ours.Dispose();
        _theirs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void OthersSeeWhatIsPosted()
    {
        _ours.Post(State(1));
        _time.Advance(TimeSpan.Zero);
        Assert.Equal([State(1)], _theirs.Others());
        Assert.Empty(_ours.Others());
        _ours.Dispose();
        Assert.Empty(_theirs.Others());
        _ours.Post(State(2));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(_theirs.Others());
    }

    [Fact]
    public void ChangesAreWrittenOnceASecondTheLastOfThem()
    {
        _ours.Post(State(1));
        _time.Advance(TimeSpan.Zero);
        _ours.Post(State(2));
        _time.Advance(TimeSpan.FromMilliseconds(500));
        _ours.Post(State(3));
        _time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.Equal([State(1)], _theirs.Others());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([State(3)], _theirs.Others());
    }

    [Fact]
    public void WhatHasNotChangedIsNotWritten()
    {
        _ours.Post(State(1));
        _time.Advance(TimeSpan.Zero);
        File.Delete(Assert.Single(Files()));
        _ours.Post(State(1));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(Files());
        _ours.Post(State(2));
        _time.Advance(TimeSpan.Zero);
        Assert.Single(Files());
    }

    [Fact]
    public void AFileThatHasNotChangedIsNotReadAgain()
    {
        _ours.Post(State(1));
        _time.Advance(TimeSpan.Zero);
        var path = Assert.Single(Files());
        var old = _time.GetUtcNow().UtcDateTime.AddMinutes(-1);
        File.SetLastWriteTimeUtc(path, old);
        Assert.Single(_theirs.Others());
        var length = (int)new FileInfo(path).Length;
        File.WriteAllText(path, new string('x', length));
        File.SetLastWriteTimeUtc(path, old);
        Assert.Equal([State(1)], _theirs.Others());
        File.SetLastWriteTimeUtc(path, old.AddSeconds(1));
        Assert.Empty(_theirs.Others());
    }

    [Theory]
    [InlineData("{0}-0123456789abcdef0123456789abcdef.json", true)]
    [InlineData("{0}-0123456789abcdef0123456789abcdef.json.tmp", true)]
    [InlineData("{1}-0123456789abcdef0123456789abcdef.json", false)]
    [InlineData("{1}-0123456789abcdef0123456789abcdef.json.tmp", false)]
    [InlineData("{0}-0123.json", false)]
    [InlineData("notes.txt", false)]
    public void WhatTheDeadHaveLeftIsSweptAndNothingElse(string name, bool isSwept)
    {
        var path = _folder.Write(Path.Combine("windows", string.Format(name, int.MaxValue, Environment.ProcessId)), "{");
        Assert.Empty(_ours.Others());
        Assert.Equal(isSwept, !File.Exists(path));
    }

    [Theory]
    [InlineData(0.5, true, true)]
    [InlineData(2, false, true)]
    [InlineData(25, false, false)]
    public void AWindowInAnotherContainerIsBelievedForAWhile(double hours, bool isSeen, bool isKept)
    {
        var path = _folder.Write("windows/7-0123456789abcdef0123456789abcdef.json", """{"process":{"id":7,"started":1,"space":"elsewhere"}}""");
        File.SetLastWriteTimeUtc(path, _time.GetUtcNow().UtcDateTime.AddHours(-hours));
        Assert.Equal((isSeen, isKept), (_ours.Others().Count == 1, File.Exists(path)));
    }

    [Fact]
    public void WithoutAFolderNobodySeesAnybody()
    {
        var nowhere = _folder.Write("file", "");
        using (var board = new WindowBoard(nowhere, _time))
        {
            board.Post(State(1));
            _time.Advance(TimeSpan.Zero);
            Assert.Empty(board.Others());
            File.Delete(nowhere);
            _time.Advance(TimeSpan.FromSeconds(30));
            using var other = new WindowBoard(nowhere, _time);
            Assert.Equal([State(1)], other.Others());
        }

        Assert.Empty(Directory.GetFiles(Path.Combine(nowhere, "windows")));
    }

    [Fact]
    public void StatesAreComparedByContent()
    {
        Assert.Equal(State(1), State(1));
        Assert.Equal(State(1).GetHashCode(), State(1).GetHashCode());
        Assert.NotEqual(State(1), State(2));
        Assert.NotEqual(State(1), State(1) with { Pinned = [] });
        Assert.NotEqual(State(1), State(1) with { Patterns = [] });
        Assert.NotEqual(State(1), State(1) with { Uses = new Dictionary<ModelId, DateTimeOffset> { [Team] = Noon.AddSeconds(1) } });
        Assert.Equal(new WindowState(), new WindowState());
    }

    private static WindowState State(int number) => new()
    {
        Uses = new Dictionary<ModelId, DateTimeOffset> { [Qwen] = Noon.AddSeconds(number) },
        Pinned = [Qwen, Team],
        Patterns = [new(Team, ByteSize.MiB(number))],
    };

    private string[] Files() => Directory.GetFiles(_folder["windows"]);
}
