// What several processes share, and what becomes of it when one is killed, stopped, or finds the disk full.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Sharing;

public sealed class ManySharersTests : IDisposable
{
    private static readonly ModelId Model = ModelId.Pattern("tests");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ProcessesTakeTurnsAtLoading()
    {
        Run(3, "take-turns", "12");
        Assert.Equal("36", File.ReadAllText(_folder["number"]));
        Assert.False(File.Exists(_folder["load.lease"]));
    }

    [Fact]
    public void NoChangeOfTheNotesIsLost()
    {
        Run(3, "count", "60");
        Assert.Equal(180, new MachineNotes(_folder.Path, TimeProvider.System).Read().Sizes["n"].Ram.Bytes);
    }

    [Fact]
    public async Task TheLeaseOfAKilledProcessIsTakenOver()
    {
        using var child = Hold();
        var waiting = new TaskCompletionSource<LeaseHolder>();
        var acquired = LoadLease.AcquireAsync(_folder.Path, Model, TimeProvider.System, waiting.SetResult, default);
        Assert.Equal((child.Id, ModelId.Pattern("held")), await waiting.Task is var holder ? (holder.ProcessId, holder.Model) : default);
        var killed = TimeProvider.System.GetTimestamp();
        child.Kill();
        await using var lease = await acquired;
        Assert.InRange(TimeProvider.System.GetElapsedTime(killed), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the other is done before the first goes on
    public async Task TheLeaseOfAStoppedProcessIsTakenOverAndItFindsOut(bool isGivenBack)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        using var child = Hold();
        child.Stop();
        var stopped = TimeProvider.System.GetTimestamp();
        await using var lease = await LoadLease.AcquireAsync(_folder.Path, Model, TimeProvider.System, null, default);
        Assert.InRange(TimeProvider.System.GetElapsedTime(stopped), TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(8));
        if (isGivenBack)
        {
            await lease.DisposeAsync();
        }

        child.Continue();
        Assert.Equal("lost", child.ReadLine());
        Assert.Equal((0, ""), child.End());
        Assert.Equal(!isGivenBack, File.Exists(_folder["load.lease"]));
        Assert.False(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task WindowsComeAndGo()
    {
        using var board = new WindowBoard(_folder.Path, TimeProvider.System);
        var first = ChildProcess.Start("post", _folder.Path);
        using var second = ChildProcess.Start("post", _folder.Path);
        Assert.Equal(("posted", "posted"), (first.ReadLine(), second.ReadLine()));
        await Seen(board, 2);
        first.Kill();
        Assert.Single(board.Others());
        Assert.Single(Directory.GetFiles(_folder["windows"]));
        Assert.Equal((0, ""), second.End());
        Assert.Empty(board.Others());
        Assert.Empty(Directory.GetFiles(_folder["windows"]));
        first.Dispose();
    }

    [RequiresTool("bash")]
    public void OnAFullDiskEachProcessWorksAlone()
    {
        using var child = ChildProcess.StartLimited(1, "share-all", _folder.Path);
        Assert.Equal((0, "1 True False 1 0"), child.End() is var (code, said) ? (code, said.Trim()) : default);
        Assert.All(Directory.GetFiles(_folder.Path, "*.json*", SearchOption.AllDirectories), path => Assert.Equal(0, new FileInfo(path).Length));
    }

    private static async Task Seen(WindowBoard board, int count)
    {
        while (board.Others().Count != count)
        {
            await Task.Yield();
        }

        Assert.All(board.Others(), state => Assert.Equal([ModelId.Pattern("child")], state.Pinned));
    }

    private ChildProcess Hold()
    {
        var child = ChildProcess.Start("hold-lease", _folder.Path);
        Assert.Equal("holding", child.ReadLine());
        return child;
    }

    private void Run(int count, string program, string rounds)
    {
        var children = Enumerable.Range(0, count).Select(_ => ChildProcess.Start(program, _folder.Path, rounds)).ToList();
        foreach (var child in children)
        {
            Assert.Equal((0, ""), child.End());
            child.Dispose();
        }
    }
}
