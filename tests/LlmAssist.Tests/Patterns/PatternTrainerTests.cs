using System.Text;
using LlmAssist.Engine;
using LlmAssist.Engine.Patterns;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Patterns;

public sealed class PatternTrainerTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StillTime _time = new();
    private readonly PatternStore _store;

    public PatternTrainerTests() => _store = new(_folder["models"], _time);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SavesWhatItWasTold()
    {
        var source = TinyCorpus.WriteTo(_folder);
        var trained = Train(new() { Name = "My team", Folders = [source, source + "/"], Note = "first" });
        PatternModel.Verify(trained.Stored.Path, CancellationToken.None);
        using var model = PatternModel.Open(trained.Stored.Path);
        Assert.Equal("My-team", trained.Stored.Name);
        Assert.Equal(trained.Stored.Bytes, model.MappedBytes);
        Assert.Equal([source], model.Provenance.Folders);
        Assert.Equal("first", model.Provenance.Note);
        Assert.Equal(_time.Now, model.Provenance.CreatedAt);
        Assert.Equal(Contexts.Names, model.Parameters.Contexts);
        Assert.Equal(trained.Statistics, model.Statistics);
        Assert.Equal(model.SymbolCount, model.Statistics.Symbols);
        Assert.InRange(model.Statistics.Sparsity, 0, 1);
        var learned = model.LearnedFiles().ToList();
        Assert.Equal(model.Provenance.Files, learned.Count);
        Assert.Equal(model.Provenance.Bytes, learned.Sum(file => file.Bytes));
        Assert.All(learned, file => Assert.Equal(new FileInfo(file.Path).Length, file.Bytes));
    }

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef01234567", true)]
    [InlineData("ref: refs/heads/main", true)]
    [InlineData("ref: ../../secret", false)]
    [InlineData("ref: refs/heads/../../../secret", false)]
    [InlineData("nonsense", false)]
    public void KnowsTheCommitAndReadsNothingElse(string head, bool known)
    {
        var source = TinyCorpus.WriteTo(_folder);
        _folder.Write("secret", "a password");
        _folder.Write("src/.git/HEAD", head + "\n");
        _folder.Write("src/.git/refs/heads/main", "0123456789abcdef0123456789abcdef01234567\n");
        var commits = Train(new() { Name = "git", Folders = [source] }).Provenance.Commits;
        Assert.Equal(known ? ["0123456789abcdef0123456789abcdef01234567"] : [], commits.Values);
    }

    [Fact]
    public void ProgressNeverFallsAndEndsAtOne()
    {
        var steps = new List<TrainingProgress>();
        Train(new() { Name = "tiny", Folders = [TinyCorpus.WriteTo(_folder)] }, new Steps(steps.Add));
        Assert.Equal(0, steps[0].Fraction);
        Assert.Equal(1, steps[^1].Fraction);
        Assert.Equal(steps.OrderBy(step => step.Fraction), steps);
        Assert.Equal([TrainingPhase.Finding, TrainingPhase.Reading, TrainingPhase.Saving], steps.Select(step => step.Phase).Distinct());
    }

    [Fact]
    public void CanceledAtAnyStepItLeavesTheStoreAsItWas()
    {
        var request = new TrainingRequest { Name = "tiny", Folders = [TinyCorpus.WriteTo(_folder)] };
        Train(request);
        var steps = 0;
        Train(request, new Steps(_ => steps++));
        var before = Snapshot();

        // The last step tells that the model is saved: too late to cancel.
        for (var canceledAt = 1; canceledAt < steps; canceledAt++)
        {
            using var cancellation = new CancellationTokenSource();
            var step = 0;
            var progress = new Steps(_ =>
            {
                if (++step == canceledAt)
                {
                    cancellation.Cancel();
                }
            });
            Assert.ThrowsAny<OperationCanceledException>(() => new PatternTrainer(_store, _time).Train(request, progress, cancellation.Token));
            Assert.Equal(before, Snapshot());
        }
    }

    [Fact]
    public void WhatFailsOnTheWayLeavesTheStoreAsItWas()
    {
        var request = new TrainingRequest { Name = "tiny", Folders = [TinyCorpus.WriteTo(_folder)] };
        Train(request);
        var before = Snapshot();
        Assert.Throws<TimeoutException>(() => Train(request, new Steps(step => _ = 0.85 < step.Fraction ? throw new TimeoutException() : 0)));
        Assert.Throws<UserException>(() => Train(new() { Name = "tiny", Folders = [_folder["nowhere"]] }));
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Throws<UserException>(() => Train(new() { Name = "tiny", Folders = [_folder["empty"]] }));
        Assert.Throws<UserException>(() => Train(request with { MaximumMegabytes = 0 }));
        Assert.Equal(before, Snapshot());
    }

    [Theory]
    [InlineData(1)] // 1 KB blocks: not even the vocabulary
    [InlineData(16)]
    [InlineData(64)]
    public void ADiskThatIsFullLeavesTheStoreAsItWas(int kilobytes)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var source = TinyCorpus.WriteTo(_folder);
        _folder.Write("src/large.py", Invented(5_000));
        TinyCorpus.Train(_store, source, "tiny", _time);
        var before = Snapshot();
        using var child = ChildProcess.StartLimited(kilobytes, "train", _store.Folder, source);
        var (exitCode, said) = child.End();
        Assert.Equal(1, exitCode);
        Assert.Contains("UserException: The model could not be saved in ", said, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TheSizeThatWasAskedForIsHeld(int megabytes)
    {
        _folder.Write("src/large.py", Invented(15_000));
        var request = new TrainingRequest { Name = "large", Folders = [_folder["src"]], Corpus = new() { MaxFileBytes = 10_000_000 } };
        var free = Train(request);
        Assert.True(3_000_000 < free.Stored.Bytes);
        var held = Train(request with { MaximumMegabytes = megabytes });
        Assert.InRange(held.Stored.Bytes, 1, megabytes * 1_000_000);
        using var model = PatternModel.Open(held.Stored.Path);
        Assert.True(1 < model.Parameters.Prune);
        PatternModel.Verify(held.Stored.Path, CancellationToken.None);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(1_000)]
    [InlineData(int.MaxValue)]
    public void PruningDropsWhatIsRarer(int prune)
    {
        var text = Invented(500);
        _folder.Write("src/some.py", text);
        var trained = Train(new() { Name = "some", Folders = [_folder["src"]], Prune = prune });
        PatternModel.Verify(trained.Stored.Path, CancellationToken.None);
        using var model = PatternModel.Open(trained.Stored.Path);
        var expected = new NaiveCounts().Add(text, Engine.Text.Language.ById("python"));
        var totals = expected.GroupBy(pair => pair.Key.Context).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value));
        Assert.Equal(totals.Values.Count(total => Math.Min(prune, 1 << 16) <= total), model.Statistics.Contexts);
        PatternEntry single = default;
        foreach (var (context, total) in totals)
        {
            Assert.Equal(prune <= total, ((IContextSource)model).Find(context, ref single).Total != 0);
        }
    }

    [Fact]
    public void WhatMustNotBeKnownIsNotInTheFile()
    {
        string[] withheld =
        [
            new string('q', Symbol.MaximumLiteralLength + 1),
            "line one of a literal\nline two of it",
            "a comment that nobody learns",
            "ghp_" + "R4nd0mL00k1ngT0k3nOf36Ch4r4ct3rsXyZ9",
        ];
        _folder.Write("src/secrets.py", $"known_name = \"known text\"\nlong = \"{withheld[0]}\"\nlines = \"\"\"{withheld[1]}\"\"\"\n# {withheld[2]}\ntoken = \"{withheld[3]}\"\nname_{withheld[0]} = 1\n");
        var bytes = File.ReadAllBytes(Train(new() { Name = "secrets", Folders = [_folder["src"]] }).Stored.Path);
        Assert.NotEqual(-1, bytes.AsSpan().IndexOf("known text"u8));
        foreach (var text in withheld)
        {
            Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)));
            Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text[..20])));
        }
    }

    [Fact]
    public void TheSameCorpusMakesTheSameFile()
    {
        var source = TinyCorpus.WriteTo(_folder);
        _folder.Write("src/large.py", Invented(2_000));
        var first = Train(new() { Name = "one", Folders = [source] });
        var second = Train(new() { Name = "one", Folders = [source] });
        Assert.Equal(File.ReadAllBytes(first.Stored.Path), File.ReadAllBytes(second.Stored.Path));
    }

    [Fact]
    public void TwoOfANameAreKept()
    {
        var source = TinyCorpus.WriteTo(_folder);
        Train(new() { Name = "other", Folders = [source] });
        foreach (var _ in Enumerable.Range(0, 4))
        {
            Train(new() { Name = "tiny", Folders = [source] });
        }

        Assert.Equal(["other_20260304_050607", "tiny_20260304_050610", "tiny_20260304_050609"], _store.List().Select(model => model.Id.Name));
    }

    // Assignments of invented names, some often and most rarely.
    private static string Invented(int lines)
    {
        var random = new Random(lines);
        var text = new StringBuilder();
        for (var line = 0; line < lines; line++)
        {
            text.Append($"value{random.Next(random.Next(1, 400))} = call{random.Next(random.Next(1, 100))}(item{random.Next(random.Next(1, 400))}, {random.Next(10)})\n");
        }

        return text.ToString();
    }

    private TrainedModel Train(TrainingRequest request, IProgress<TrainingProgress>? progress = null) =>
        new PatternTrainer(_store, _time).Train(request, progress, CancellationToken.None);

    // Every file below the store's folder, with its length.
    private SortedSet<(string Path, long Bytes)> Snapshot() =>
        [.. new DirectoryInfo(_store.Folder).EnumerateFiles("*", SearchOption.AllDirectories).Select(file => (file.FullName, file.Length))];
}
