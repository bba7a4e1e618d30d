using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Completion;

public sealed class CompletionEngineTests : IDisposable
{
    private static readonly Language Python = Language.ById("python");
    private static readonly CompletionSettings Settings = new() { MinConfidence = 0.2 };

    private readonly TempFolder _folder = new();
    private readonly ModelHost _host;
    private readonly CompletionEngine _engine;

    public CompletionEngineTests()
    {
        _host = new(new(_folder["models"], new StillTime()), new StillTime());
        _engine = new(_host, new StillTime());
    }

    public void Dispose()
    {
        _host.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("total = price * count\n", "x = 1\n", "", "total", "\n")]
    [InlineData("total = price * count\r\n", "x = 1\r\n", "", "total", "\r\ny = 2\r\n")]
    [InlineData("smile = \"😀😀\" + 'é'\n", "x = '😀'\n", "sm", "smile", "")]
    [InlineData("smile = \"😀😀\" + 'é'\r\n", "x = '😀'\r\n  ", "sm", "smile", "\r\n")]
    [InlineData("call(first, second)\n", "x = 1\n", "ca", "call", ")")]
    [InlineData("𝒳name = 𝒳other(1)\n", "x = 1\n", "𝒳", "𝒳name", "\n")]
    public void TypingIntoASuggestionAsksNobody(string often, string before, string typed, string begins, string behind)
    {
        var learned = string.Concat(Enumerable.Repeat(often, 30)) + before;
        var first = Ask(learned + typed, behind);
        var suggestion = Assert.Single(first.Items);
        Assert.Equal(CompletionLane.Pattern, first.Lane);
        Assert.StartsWith(begins, suggestion.Text, StringComparison.Ordinal);
        Assert.True(typed.Length + 4 < suggestion.Text.Length);

        // Halves of surrogate pairs among them: an editor may send them one by one.
        for (var length = typed.Length; length < suggestion.Text.Length; length++)
        {
            var again = Ask(learned + suggestion.Text[..length], behind);
            Assert.Equal(CompletionLane.Cache, again.Lane);
            Assert.Equal(suggestion, Assert.Single(again.Items));
            Assert.Equal("cache", Assert.Single(again.Stages).Stage);
        }

        Assert.NotEqual(CompletionLane.Cache, Ask(learned + suggestion.Text, behind).Lane);
    }

    [Theory]
    [InlineData("x = 1\nto", "\n", CompletionLane.Cache)] // nothing has changed
    [InlineData("x = 1\nt", "\n", CompletionLane.Pattern)] // less is typed than when it was shown
    [InlineData("x = 1\ntx", "\n", CompletionLane.None)] // something else is typed
    [InlineData("x = 2\nto", "\n", CompletionLane.Pattern)] // an edit before the place
    [InlineData("xx = 1\nto", "\n", CompletionLane.Pattern)] // one that moves it
    [InlineData("x = 1\nto", " \n", CompletionLane.Pattern)] // an edit behind the cursor
    [InlineData("x = 1\nto", "\n# more\n", CompletionLane.Cache)] // one further down
    public void AnEditBeforeOrBehindThePlaceForgetsTheSuggestion(string before, string behind, CompletionLane lane)
    {
        var learned = string.Concat(Enumerable.Repeat("total = price\n", 8));
        Assert.Equal(CompletionLane.Pattern, Ask(learned + "x = 1\nto", "\n").Lane);
        Assert.Equal(lane, Ask(learned + before, behind).Lane);
    }

    [Theory]
    [InlineData(null, CompletionLane.Cache)]
    [InlineData("tot", CompletionLane.Cache)]
    [InlineData("total", CompletionLane.Cache)]
    [InlineData("toast", CompletionLane.None)]
    [InlineData("TOTAL", CompletionLane.None)]
    public void AnotherEntryOfTheListIsNotAnsweredFromTheCache(string? selected, CompletionLane lane)
    {
        var learned = string.Concat(Enumerable.Repeat("total = price\n", 8)) + "x = 1\n";
        Ask(learned + "to", "\n");
        Assert.Equal(lane, Ask(learned + "to", "\n", selected is null ? null : (learned.Length, selected)).Lane);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(int.MaxValue)]
    public void ASelectionThatLiesElsewhereIsAnsweredWithNothing(int start)
    {
        var report = Ask("a = 1\nb", "\n", (start, "bar"));
        Assert.Equal(CompletionLane.None, report.Lane);
        Assert.NotNull(report.Why);
    }

    [Fact]
    public void AClosedDocumentIsForgotten()
    {
        var learned = string.Concat(Enumerable.Repeat("total = price\n", 8)) + "x = 1\n";
        var empty = _engine.CommittedBytes;
        Assert.Equal(CompletionLane.Pattern, Ask(learned + "to", "\n").Lane);
        Assert.Equal(CompletionLane.Cache, Ask(learned + "to", "\n").Lane);
        Assert.True(empty < _engine.CommittedBytes);
        _engine.Forget("main.py");
        Assert.Equal(empty, _engine.CommittedBytes);
        Assert.Equal(CompletionLane.Pattern, Ask(learned + "to", "\n").Lane);
    }

    [Fact]
    public void ManyDocumentsCostNoMoreThanAFew()
    {
        for (var number = 0; number < 100; number++)
        {
            _engine.Observe($"file{number}.py", new($"name{number} = {number}\n"), Python);
        }

        Assert.InRange(_engine.CommittedBytes, 1, 1_000_000);
        _engine.Observe("file.py", new("zenith = 1\n"), Python);
        Assert.Equal("zenith", Ask("x = ze", "", surface: CompletionSurface.List).Items[0].Text);
    }

    [Fact]
    public void AskingAgainAndAgainChangesNothing()
    {
        // More names than a prediction mixes: what a question takes out of the counts, it puts back.
        var text = string.Concat(Enumerable.Range(0, 200).Select(number => $"name{number} = other{number}\n"));
        var first = Ask(text + "print(na", ")", surface: CompletionSurface.List).Items;
        for (var round = 0; round < 20; round++)
        {
            Ask(text + "print(", ")");
            Assert.Equal(first.Select(item => item.Confidence), Ask(text + "print(na", ")", surface: CompletionSurface.List).Items.Select(item => item.Confidence));
        }
    }

    /// <summary>The same text in the end; but one who has seen it typed knows by then that here lines are repeated.</summary>
    [Fact]
    public void WhatIsTypedIsLearnedFrom()
    {
        string[] typed = ["alpha", " =", " beta", "(", "gamma", ",", " delta", ")", "\n", "other", " =", " 1", "\n"];
        var text = "";
        foreach (var piece in Enumerable.Repeat(typed, 3).SelectMany(static pieces => pieces))
        {
            text += piece;
            Ask(text, "", surface: CompletionSurface.List);
        }

        var seen = Ask(text + "alpha = be", "").Items[0];
        using var host = new ModelHost(new(_folder["others"], new StillTime()), new StillTime());
        var opened = new CompletionEngine(host, new StillTime()).CompleteNow(Query(text + "alpha = be", "", null, CompletionSurface.Inline), Settings, CancellationToken.None);
        Assert.StartsWith("beta(gamma", seen.Text, StringComparison.Ordinal);
        Assert.True(opened.Items.Count == 0 || opened.Items[0].Text.Length < seen.Text.Length || opened.Items[0].Confidence < seen.Confidence, $"{opened} {seen}");
    }

    [Fact]
    public void ALanguageMayChange()
    {
        foreach (var language in Language.All)
        {
            var report = _engine.CompleteNow(Query("for x in y: get(x)\nif get", "(1)\nclass x: pass", language: language), Settings, CancellationToken.None);
            Assert.Equal("main.py", report.Uri);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AnyPlaceInAnyTextIsAnswered(int seed)
    {
        using var model = TinyCorpus.Learn(_folder, "tiny.py", TinyCorpus.Files[0].Text);
        _host.Adopt(PatternModel.Open(model.Path));
        var random = new Random(seed);
        string[] pieces = ["self", ".", "items", "(", ")", "\n", "\r\n", "\r", " ", "\t", "\"", "'", "\"\"\"", "#", "😀", "\uD83D", "\0", "=", "0x", "def ", "\u2028"];
        for (var round = 0; round < 150; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => pieces[random.Next(pieces.Length)]));
            var offset = random.Next(text.Length + 1);
            var language = Language.All[random.Next(Language.All.Count)];
            foreach (var surface in new[] { CompletionSurface.Inline, CompletionSurface.List })
            {
                var query = Query(text[..offset], text[offset..], null, surface, language) with { IsExplicit = random.Next(2) == 0, WithLine = true };
                var report = _engine.CompleteNow(query, Settings with { MinConfidence = random.NextDouble() }, CancellationToken.None);
                foreach (var item in report.Items)
                {
                    Assert.InRange(item.ReplaceStart, 0, offset);
                    Assert.StartsWith(text[item.ReplaceStart..offset], item.Text, StringComparison.Ordinal);
                    Assert.True(offset - item.ReplaceStart < item.Text.Length);
                    Assert.InRange(item.Confidence, 0, 1);
                }
            }
        }
    }

    [Fact]
    public void NobodyWaitsForACanceledAnswer() =>
        Assert.Throws<OperationCanceledException>(() => _engine.CompleteNow(Query("a", ""), Settings, new CancellationToken(canceled: true)));

    private static CompletionQuery Query(
        string before,
        string behind,
        (int, string)? selected = null,
        CompletionSurface surface = CompletionSurface.Inline,
        Language? language = null) =>
        new() { Uri = "main.py", Language = language ?? Python, Text = new(before + behind), Offset = before.Length, Surface = surface, Selected = selected };

    private CompletionReport Ask(string before, string behind, (int, string)? selected = null, CompletionSurface surface = CompletionSurface.Inline) =>
        _engine.CompleteNow(Query(before, behind, selected, surface), Settings, CancellationToken.None);
}
