using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Sharing;

public sealed class MachineNotesTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 6, 12, 0, 0, TimeSpan.Zero);
    private static readonly ModelId Qwen = new(ModelSource.Ollama, "qwen:1b");

    private static readonly Notes Full = new()
    {
        Pinned = new HashSet<ModelId> { Qwen, ModelId.Pattern("team") },
        Loads = new Dictionary<ModelId, LoadNote>
        {
            [Qwen] = new("http://127.0.0.1:11434", ByteSize.GiB(1.5), 8192, Noon, Noon.AddMinutes(3), TimeSpan.FromMinutes(5)),
            [new(ModelSource.Ollama, "b")] = new("", ByteSize.Zero, 0, Noon, Noon, TimeSpan.FromSeconds(-1)),
            [new(ModelSource.Ollama, "c")] = new("ñ\n\"", ByteSize.Zero, 0, Noon, Noon, null),
        },
        Sizes = new Dictionary<string, SizeNote> { [Notes.SizeKey("sha256:ab", 8192)] = new(ByteSize.GiB(1), ByteSize.MiB(300), Noon) },
    };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OthersReadWhatWasChanged()
    {
        var (ours, theirs) = (Open(), Open());
        Assert.Equal(new(), theirs.Read());
        Assert.Equal(Full, ours.Change(_ => Full));
        Assert.Equal(Full, theirs.Read());
        theirs.Change(before => before with { Pinned = new HashSet<ModelId>() });
        Assert.Equal(Full with { Pinned = new HashSet<ModelId>() }, ours.Read());
        Assert.Equal(["notes.guard", "notes.json"], Directory.GetFiles(_folder["shared"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void ThreadsAndInstancesLoseNothing()
    {
        Parallel.For(0, 100, new() { MaxDegreeOfParallelism = 4 }, number => Open().Change(before => WithSize(before, $"{number}", Noon)));
        Assert.Equal(100, Open().Read().Sizes.Count);
    }

    [Fact]
    public void TheOldestSizesGo()
    {
        var notes = Open().Change(_ => new() { Sizes = Enumerable.Range(0, 250).ToDictionary(number => $"{number}", number => new SizeNote(default, default, Noon.AddHours(number))) });
        Assert.Equal(Enumerable.Range(50, 200).Select(number => $"{number}").Order(), notes.Sizes.Keys.Order());
        Assert.Equal(notes, Open().Read());
    }

    [Fact]
    public void WhatIsTheSameIsNotWritten()
    {
        Open().Change(_ => Full);
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(_folder["shared/notes.json"], old);
        Open().Change(before => before with { Pinned = before.Pinned.Reverse().ToHashSet() });
        Assert.Equal(old, File.GetLastWriteTimeUtc(_folder["shared/notes.json"]));
    }

    [Fact]
    public void AFileThatHasNotChangedIsNotReadAgain()
    {
        var notes = Open();
        notes.Change(_ => Full);
        var path = _folder["shared/notes.json"];
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, old);
        Assert.Equal(Full, notes.Read());
        File.WriteAllText(path, new string('x', (int)new FileInfo(path).Length));
        File.SetLastWriteTimeUtc(path, old);
        Assert.Equal(Full, notes.Read());
        File.SetLastWriteTimeUtc(path, old.AddSeconds(1));
        Assert.Equal(new(), notes.Read());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"pinned\":[\"ollama:x\"")]
    [InlineData("[]")]
    [InlineData("null")]
    public void ADamagedFileIsEmptyAndReplaced(string content)
    {
        _folder.Write("shared/notes.json", content);
        Assert.Equal(new(), Open().Read());
        Open().Change(_ => Full);
        Assert.Equal(Full, Open().Read());
    }

    [Fact]
    public void WhatIsUnknownInAFileIsPassedOver()
    {
        _folder.Write("shared/notes.json", """{"later":1,"pinned":["ollama:x",null,"martian:y"],"loads":{"martian:y":{},"ollama:x":null},"sizes":{"a@1":null}}""");
        Assert.Equal(new() { Pinned = new HashSet<ModelId> { new(ModelSource.Ollama, "x") } }, Open().Read());
    }

    [Fact]
    public void WithoutAFolderThisProcessRemembersAlone()
    {
        _folder.Write("shared", "");
        var notes = Open();
        Assert.Equal(Full, notes.Change(_ => Full));
        Assert.Equal(Full, notes.Read());
        Assert.Equal(new(), Open().Read());
        File.Delete(_folder["shared"]);
        notes.Change(before => WithSize(before, "more", Noon));
        Assert.Equal(WithSize(Full, "more", Noon), Open().Read());
    }

    [Fact]
    public void AChangeThatThrowsChangesNothing()
    {
        var notes = Open();
        notes.Change(_ => Full);
        Assert.Throws<InvalidOperationException>(() => notes.Change(_ => throw new InvalidOperationException()));
        Assert.Equal(Full, notes.Read());
        Assert.Equal(new(), notes.Change(_ => new()));
    }

    private static Notes WithSize(Notes notes, string key, DateTimeOffset at) =>
        notes with { Sizes = new Dictionary<string, SizeNote>(notes.Sizes) { [key] = new(default, default, at) } };

    private MachineNotes Open() => new(_folder["shared"], TimeProvider.System);
}
