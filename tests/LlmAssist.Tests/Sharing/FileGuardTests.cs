using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Sharing;

public sealed class FileGuardTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LetsOneThreadInAtATime()
    {
        var count = 0;
        var inside = 0;
        Parallel.For(0, 200, new() { MaxDegreeOfParallelism = 4 }, _ =>
        {
            using var guard = Enter("new/folder/guard", FileGuard.Patience * 10, GuardEntry.Entered);
            Assert.Equal(1, Interlocked.Increment(ref inside));
            count++;
            Interlocked.Decrement(ref inside);
        });
        Assert.Equal(200, count);
    }

    [Fact]
    public void IsBusyWhileAnotherThreadIsIn()
    {
        using var guard = Enter("guard", TimeSpan.Zero, GuardEntry.Entered);
        var other = new Thread(() => Enter("guard", TimeSpan.FromMilliseconds(20), GuardEntry.Busy));
        other.Start();
        other.Join();
    }

    [Fact]
    public void IsBusyWhileAnotherProcessHasTheFile()
    {
        // The system's lock alone, as if held elsewhere.
        using (new FileStream(_folder["guard"], FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            Enter("guard", TimeSpan.FromMilliseconds(20), GuardEntry.Busy);
        }

        Enter("guard", TimeSpan.Zero, GuardEntry.Entered)!.Dispose();
    }

    [Fact]
    public void IsUnusableWhereThereCanBeNoFolder()
    {
        _folder.Write("file", "");
        Enter("file/guard", FileGuard.Patience, GuardEntry.Unusable);
        Enter("file/folder/guard", FileGuard.Patience, GuardEntry.Unusable);
        Directory.CreateDirectory(_folder["taken"]);
        Enter("taken", FileGuard.Patience, GuardEntry.Unusable);
    }

    [Fact]
    public void MakesFilesForTheOwnerOnly()
    {
        Enter("private/guard", FileGuard.Patience, GuardEntry.Entered)!.Dispose();
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode others = (UnixFileMode)0b111_111;
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_folder["private"]) & others);
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_folder["private/guard"]) & others);
        }
    }

    private FileGuard? Enter(string name, TimeSpan patience, GuardEntry expected)
    {
        var guard = FileGuard.TryEnter(_folder[name], patience, out var entry);
        Assert.Equal((expected, expected == GuardEntry.Entered), (entry, guard is not null));
        return guard;
    }
}
