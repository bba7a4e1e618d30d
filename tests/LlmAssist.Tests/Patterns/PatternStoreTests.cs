using LlmAssist.Engine;
using LlmAssist.Engine.Patterns;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Patterns;

public sealed class PatternStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StillTime _time = new();
    private readonly PatternStore _store;
    private readonly string _source;

    public PatternStoreTests()
    {
        _store = new(_folder["models"], _time);
        _source = TinyCorpus.WriteTo(_folder);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("workspace", "workspace")]
    [InlineData("My Project!", "My-Project")]
    [InlineData("año_2.0", "año_2.0")]
    [InlineData("../../etc/passwd", "etc-passwd")]
    [InlineData(".hidden", "hidden")]
    [InlineData("a\0b\nc:d\\e", "a-b-c-d-e")]
    [InlineData("😀", "model")]
    [InlineData("", "model")]
    [InlineData("...", "model")]
    public void NamesAreMadeSafe(string text, string expected)
    {
        Assert.Equal(expected, PatternStore.SafeName(text));
        Assert.Equal(expected, PatternStore.SafeName(expected));
        Publish(expected);
        Assert.Equal(expected, Assert.Single(_store.List()).Name);
    }

    [Fact]
    public void ALongNameIsCut() => Assert.Equal(new string('x', 64), PatternStore.SafeName(new('x', 500)));

    [Fact]
    public void AModelIsNamedByItsSecondInUniversalTime()
    {
        _time.Now = new(2026, 12, 31, 23, 59, 58, TimeSpan.FromHours(-5));
        var stored = Publish("team");
        Assert.Equal("team_20270101_045958", stored.Id.Name);
        Assert.Equal(_store.Folder, Path.GetDirectoryName(stored.Path));
        Assert.Equal(_time.Now, stored.CreatedAt);
        Assert.Equal([stored], _store.List());
    }

    [Fact]
    public void TwoWithinASecondTakeTwoSeconds()
    {
        string[] expected = ["team_20260304_050609", "team_20260304_050608", "team_20260304_050607"];
        foreach (var _ in expected)
        {
            Publish("team");
        }

        Assert.Equal(expected, _store.List().Select(model => model.Id.Name));
    }

    [Fact]
    public void TheLastPublishedIsTheNewestEvenIfTheClockWasSetBack()
    {
        Publish("team");
        _time.Now -= TimeSpan.FromDays(400);
        var later = Publish("team");
        Assert.Equal(later, _store.List()[0]);
        Assert.Equal([later], Pruned(1));
    }

    [Fact]
    public void ListsByNameTheNewestFirst()
    {
        foreach (var name in new[] { "b", "a", "B", "b", "a" })
        {
            Publish(name);
            _time.Now += TimeSpan.FromMinutes(1);
        }

        Assert.Equal(
            ["B_20260304_050807", "a_20260304_051007", "a_20260304_050707", "b_20260304_050907", "b_20260304_050607"],
            _store.List().Select(model => model.Id.Name));
    }

    [Theory]
    [InlineData("notes.txt")]
    [InlineData(".pattern")]
    [InlineData("team.pattern")]
    [InlineData("_20260304_050607.pattern")]
    [InlineData("team_20260304.pattern")]
    [InlineData("team_20261304_050607.pattern")] // there is no thirteenth month
    [InlineData("team-20260304_050607.pattern")]
    [InlineData("team_20260304_050607.pattern.tmp")]
    [InlineData("team_20260304_05060é.pattern")]
    public void OddFilesAreNoModels(string name)
    {
        File.WriteAllText(Path.Combine(_store.Folder, name), "");
        Directory.CreateDirectory(Path.Combine(_store.Folder, "folder_20260304_050607.pattern"));
        Assert.Empty(_store.List());
        Assert.Equal(0, _store.Sweep());
        Assert.True(File.Exists(Path.Combine(_store.Folder, name)));
    }

    [Theory]
    [InlineData("team", "team_20260304_050608")]
    [InlineData("team_20260304_050607", "team_20260304_050607")]
    [InlineData("team_20260304_050607.pattern", "team_20260304_050607")]
    [InlineData("pattern:team_20260304_050607", "team_20260304_050607")]
    [InlineData("pattern:team", "team_20260304_050608")]
    public void Resolves(string reference, string expected)
    {
        Publish("team");
        Publish("team");
        Publish("teams");
        Assert.Equal(expected, _store.Resolve(reference).Id.Name);
    }

    [Fact]
    public void WhatDoesNotResolveIsToldWithWhatThereIs()
    {
        Assert.Contains("llm-assist train", Assert.Throws<UserException>(() => _store.Resolve("x")).Phrase.Spanish, StringComparison.Ordinal);
        Publish("team");
        Publish("team");
        Publish("mine");
        var exception = Assert.Throws<UserException>(() => _store.Resolve("tea"));
        Assert.Equal("There is no model 'tea'. There are: mine, team.", exception.Phrase.English);
        Assert.Equal("No existe el modelo «tea». Existen: mine, team.", exception.Phrase.Spanish);
    }

    [Fact]
    public void ADamagedNewestIsSetAsideAndTheOneBeforeIsCurrent()
    {
        var good = Train().Stored;
        foreach (var stamp in new[] { "20260401_000000", "20260402_000000" })
        {
            var path = Path.Combine(_store.Folder, $"tiny_{stamp}.pattern");
            File.Copy(good.Path, path);
            Damage(path, cut: stamp[7] == '1');
        }

        var damaged = _store.List().Where(model => model != good).ToList();

        var told = new List<PatternFileException>();
        using var byName = _store.OpenCurrent("tiny", told.Add);
        Assert.Equal(good.Id, byName!.Id);
        Assert.Equal(damaged.Select(model => model.Path), told.Select(exception => exception.Path));
        Assert.Equal([good], _store.List());
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_store.Folder, "quarantine")).Length);

        using var byFolder = _store.OpenLearnedFrom([_source + Path.DirectorySeparatorChar], told.Add);
        Assert.Equal(good.Id, byFolder!.Id);
        Assert.Equal(2, told.Count);
    }

    [Fact]
    public void AModelWithUnreadableStatisticsIsSetAside()
    {
        var stored = Train().Stored;
        var bytes = File.ReadAllBytes(stored.Path);
        bytes[bytes.AsSpan().IndexOf("\"patternsObserved\""u8)] = (byte)'!';
        File.WriteAllBytes(stored.Path, bytes);
        Assert.Null(_store.OpenCurrent("tiny", static _ => { }));
        Assert.Empty(_store.List());
    }

    [Fact]
    public void IsFoundByExactlyItsFolders()
    {
        Train();
        Assert.Null(_store.OpenLearnedFrom([_folder.Path], Unexpected));
        Assert.Null(_store.OpenLearnedFrom([_source, _folder.Path], Unexpected));
        Assert.Null(_store.OpenCurrent("Tiny", Unexpected));
        using var model = _store.OpenLearnedFrom([Path.Combine(_source, "..", "src")], Unexpected);
        Assert.NotNull(model);
    }

    [Fact]
    public void PruneKeepsTheNewestOfEachName()
    {
        foreach (var name in new[] { "a", "b", "a", "a", "b", "c" })
        {
            Publish(name);
            _time.Now += TimeSpan.FromMinutes(1);
        }

        Assert.Equal(["a_20260304_050607"], _store.Prune(2, "a").Select(model => model.Id.Name));
        Assert.Equal(["a_20260304_050807", "b_20260304_050707"], _store.Prune(1).Select(model => model.Id.Name));
        Assert.Equal(["a_20260304_050907", "b_20260304_051007", "c_20260304_051107"], _store.List().Select(model => model.Id.Name));
        Assert.Throws<ArgumentOutOfRangeException>(() => _store.Prune(0));
    }

    [Fact]
    public void SweepRemovesWhatIsAbandonedAndNothingThatIsHeld()
    {
        var left = _store.CreateDraft();
        left.Write("left behind"u8);
        left.Dispose();
        using var held = _store.CreateDraft();
        using var scratch = PatternStore.CreateScratch(_store.Folder);
        using var claim = _store.TryClaimTraining("tiny");
        Assert.NotNull(claim);
        Assert.Null(_store.TryClaimTraining("tiny"));
        Assert.Equal(1, _store.Sweep());
        Assert.Equal(0, _store.Sweep());
        Assert.Equal(3, Directory.GetFiles(_store.Folder).Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SweepLeavesWhatAnotherProcessHoldsUntilItIsGone(bool kill)
    {
        using var child = ChildProcess.Start("hold", _store.Folder);
        Assert.Equal("holding", child.ReadLine());
        Assert.Equal(0, _store.Sweep());
        Assert.Equal(2, Directory.GetFiles(_store.Folder).Length);
        if (kill)
        {
            child.Kill();
        }
        else
        {
            Assert.Equal((0, ""), child.End());
        }

        Assert.Equal(kill ? 2 : 1, _store.Sweep()); // one that ends by itself removes its scratch file
        Assert.Empty(Directory.GetFiles(_store.Folder));
    }

    [Fact]
    public void OnlyTheOwnerMayReadIt()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(_store.Folder));
        Assert.Equal(Owner, File.GetUnixFileMode(Train().Stored.Path));
        using var draft = _store.CreateDraft();
        using var scratch = PatternStore.CreateScratch(_store.Folder);
        Assert.Equal(Owner, File.GetUnixFileMode(draft.Name));
        Assert.Equal(Owner, File.GetUnixFileMode(scratch.Name));
    }

    [Fact]
    public void ADeletedModelStaysReadableForThoseWhoHaveIt()
    {
        var stored = Train().Stored;
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var model = _store.OpenCurrent("tiny", Unexpected);
        _store.Delete(stored);
        _store.Delete(stored); // gone already: that is what was wanted
        Assert.Empty(_store.List());
        Assert.NotEmpty(model!.NamesWithPrefix("se", 9));
    }

    private static void Unexpected(PatternFileException exception) => throw exception;

    private static void Damage(string path, bool cut)
    {
        using var file = new FileStream(path, FileMode.Open);
        if (cut)
        {
            file.SetLength(file.Length / 2);
        }
        else
        {
            file.Write("UNFINISH"u8);
        }
    }

    private TrainedModel Train() => TinyCorpus.Train(_store, _source, "tiny", _time);

    private IEnumerable<StoredModel> Pruned(int keep)
    {
        _store.Prune(keep);
        return _store.List();
    }

    // A file is enough of a model where only its name counts.
    private StoredModel Publish(string name)
    {
        using var draft = _store.CreateDraft();
        return _store.Publish(draft, name);
    }
}
