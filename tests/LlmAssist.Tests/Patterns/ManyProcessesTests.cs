// What several processes share, and what is left of one that was killed.
using LlmAssist.Engine.Patterns;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Patterns;

public sealed class ManyProcessesTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly PatternStore _store;
    private readonly string _source;

    public ManyProcessesTests()
    {
        _store = new(_folder["models"], TimeProvider.System);
        _source = TinyCorpus.WriteTo(_folder);
        TinyCorpus.Train(_store, _source);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AKilledTrainingHarmsNothing()
    {
        var random = new Random(9);
        var killed = 0;
        for (var round = 0; round < 50; round++)
        {
            using (var child = ChildProcess.Start("train", _store.Folder, _source))
            {
                // Killed behind a random step: the first is that it began, the sixth that it is saved, and what comes next is the end.
                var line = child.ReadLine();
                for (var step = random.Next(7); 0 < step && line is not null; step--)
                {
                    line = child.ReadLine();
                }

                // Not always right behind the line.
                Thread.SpinWait(random.Next(2) * random.Next(500_000));
                killed += line is null ? 0 : 1;
                child.Kill();
            }

            CheckNothingIsHarmed();
        }

        Assert.InRange(killed, 25, 50);
    }

    // The same with the program itself, which does not say where it is: killed some time after its first file appears.
    [Fact]
    public void AKilledTrainVerbHarmsNothing()
    {
        var random = new Random(10);
        for (var round = 0; round < 12; round++)
        {
            using (var child = ChildProcess.StartProgram(_folder.Path, "train", _source, "--name", "tiny"))
            {
                while (!child.HasEnded && !Directory.EnumerateFiles(_store.Folder, ".*").Any())
                {
                    Thread.Yield();
                }

                Thread.SpinWait(random.Next(1_000_000));
                child.Kill();
            }

            CheckNothingIsHarmed();
        }
    }

    [Fact]
    public async Task TrainingListingAndDeletingAtOnceHarmNobody()
    {
        using var first = ChildProcess.Start("churn", _store.Folder, _source, "12");
        using var second = ChildProcess.Start("churn", _store.Folder, _source, "12");
        var ends = Task.WhenAll(Task.Run(first.End), Task.Run(second.End));
        while (!ends.IsCompleted)
        {
            foreach (var stored in _store.List())
            {
                Assert.Equal("tiny", stored.Name);
            }

            using var model = _store.OpenCurrent("tiny", static exception => throw exception);
            _store.Sweep();
            await Task.Yield();
        }

        foreach (var (exitCode, said) in await ends)
        {
            Assert.True(exitCode == 0, said);
            Assert.DoesNotContain("Exception", said, StringComparison.Ordinal);
        }

        _store.Sweep();
        Assert.All(_store.List(), stored => PatternModel.Verify(stored.Path, CancellationToken.None));
        Assert.NotEmpty(_store.List());
        Assert.Equal(_store.List().Count, Directory.GetFileSystemEntries(_store.Folder).Length);
    }

    // The current model loads, all of them are whole, and the next start leaves nothing else.
    private void CheckNothingIsHarmed()
    {
        var before = _store.List();
        using (var model = _store.OpenCurrent("tiny", static exception => throw exception))
        {
            Assert.NotNull(model);
        }

        Assert.All(before, stored => PatternModel.Verify(stored.Path, CancellationToken.None));
        _store.Sweep();
        Assert.Equal(before.Select(stored => stored.Path).Order(), Directory.GetFileSystemEntries(_store.Folder).Order());
    }
}
