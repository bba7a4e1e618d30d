using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;
using LlmAssist.Server.Handlers;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Rpc;
using LlmAssist.Server.Session;
using LlmAssist.Tests.Support;
using LoopSession = LlmAssist.Server.Session.Session;
using Position = LlmAssist.Server.Lsp.Position;
using Range = LlmAssist.Server.Lsp.Range;

namespace LlmAssist.Tests.Handlers;

public sealed class TextSyncTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ModelHost _host;
    private readonly TextSyncHandlers _handlers;
    private readonly LoopSession _session = new();

    public TextSyncTests()
    {
        _host = new(new PatternStore(_folder.Path, TimeProvider.System), TimeProvider.System);
        _handlers = new(new CompletionEngine(_host, TimeProvider.System), new ClientLink(new RpcConnection(new Pipe().Reader, Stream.Null)));
    }

    // Changes are "line:character-line:character text", one after the other; a change without a range replaces all.
    [Theory]
    [InlineData("abc", "aXc", "0:1-0:2 X")]
    [InlineData("abc", "abc!", "0:3-0:3 !")]
    [InlineData("one\r\ntwo\rthree\nfour", "one\r\ntwo\rTHREE\nfour", "2:0-2:5 THREE")]
    [InlineData("one\r\ntwo", "onetwo", "0:3-1:0 ")]
    [InlineData("a\nb\nc", "c\nb\na", "0:0-0:1 c", "2:0-2:1 a")]
    [InlineData("a\nb\nc", "C\nB\nA", "2:0-2:1 A", "1:0-1:1 B", "0:0-0:1 C")]
    [InlineData("aaa", "XYZ", "0:2-0:3 Z", "0:1-0:2 Y", "0:0-0:1 X")]
    [InlineData("abc", "xy", "new", "0:0-0:3 x", "0:1-0:1 y")]
    [InlineData("a\nb", "new", "1:0-1:1 x", "new")]
    [InlineData("😀b", "😀X", "0:2-0:3 X")]
    [InlineData("😀b", "Xb", "0:0-0:2 X")]
    [InlineData("abc", "aXc", "0:2-0:1 X")]
    [InlineData("a\nb", "a\nbX", "9:0-9:9 X")]
    [InlineData("a\nb", "aX\nb", "0:99-0:99 X")]
    [InlineData("a\nb", "X", "0:0-99:99 X")]
    [InlineData("a\r\nb", "aX\r\nb", "0:2-0:2 X")]
    [InlineData("", "x", "0:0-0:0 x")]
    public void Follows_changes(string text, string expected, params string[] changes)
    {
        Open(text);
        Change(2, [.. changes.Select(Parse)]);
        Assert.Equal((expected, 2), (_session.Now.Documents["u"].Text.Content, _session.Now.Documents["u"].Version));
    }

    [Theory]
    [InlineData("utf-8", "ñ😀b", "ñ😀X", "0:6-0:7 X")]
    [InlineData("utf-8", "ñ😀b", "ñXb", "0:2-0:6 X")]
    [InlineData("utf-8", "ñ😀b", "Xb", "0:1-0:6 X")]
    [InlineData("utf-16", "ñ😀b", "ñ😀X", "0:3-0:4 X")]
    [InlineData("utf-16", "ñ😀b", "ñX😀b", "0:2-0:2 X")]
    public void Counts_as_negotiated(string encoding, string text, string expected, string change)
    {
        _session.Now = _session.Now with { Encoding = encoding == "utf-8" ? PositionEncoding.Utf8 : PositionEncoding.Utf16 };
        Open(text);
        Change(2, [Parse(change)]);
        Assert.Equal(expected, _session.Now.Documents["u"].Text.Content);
    }

    [Fact]
    public void Opening_again_replaces_and_closing_frees()
    {
        Open("a");
        Open("b");
        Assert.Equal("b", Assert.Single(_session.Now.Documents).Value.Text.Content);
        _handlers.DidClose(_session, new(new("u")));
        _handlers.DidClose(_session, new(new("u")));
        Assert.Empty(_session.Now.Documents);
    }

    [Fact]
    public void Half_a_surrogate_pair_does_not_put_a_document_out_of_step()
    {
        Open("ab");
        Change("""{"textDocument":{"uri":"u","version":2},"contentChanges":[{"range":{"start":{"line":0,"character":1},"end":{"line":0,"character":1}},"text":"\ud83d"}]}""");
        Change("""{"textDocument":{"uri":"u","version":3},"contentChanges":[{"range":{"start":{"line":0,"character":2},"end":{"line":0,"character":2}},"text":"\ude00"}]}""");
        Assert.Equal("a😀b", _session.Now.Documents["u"].Text.Content);
    }

    [Fact]
    public void The_end_of_a_line_may_be_written_as_any_large_number()
    {
        Open("ab\ncd");
        Change("""{"textDocument":{"uri":"u","version":2},"contentChanges":[{"range":{"start":{"line":0,"character":1},"end":{"line":0,"character":4294967295}},"text":"X"}]}""");
        Change("""{"textDocument":{"uri":"u","version":2},"contentChanges":[{"range":{"start":{"line":9007199254740991,"character":0},"end":{"line":1e308,"character":0}},"rangeLength":0,"text":"!"}]}""");
        Assert.Equal("aX\ncd!", _session.Now.Documents["u"].Text.Content);
    }

    // Edits in any order and in the order of editors (last to first), against the definition: one after the other on plain strings.
    [Fact]
    public void Random_changes_equal_naive_ones()
    {
        var piece = Gen.Elements("", "a", "ñ", "😀", "\ud83d", "\ude00", "\r", "\n", "\r\n", "word ", "x\ny", "\r\r\n");
        var text = piece.ListOf().Select(string.Concat);
        var place = from line in Gen.Choose(0, 6) from character in Gen.Choose(0, 9) select new Position(line, character);
        var change = from start in place from end in place from newText in piece select new TextChange(newText, new Range(start, end));
        var changes = Gen.OneOf(
            change.ListOf().Select(all => all.ToArray()),
            change.ListOf().Select(all => all.OrderByDescending(one => (one.Range!.Value.Start.Line, one.Range.Value.Start.Character)).ToArray()));
        var cases = from before in text from edits in changes from encoding in Gen.Elements(PositionEncoding.Utf16, PositionEncoding.Utf8) select (before, edits, encoding);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5000).WithReplay(20261120, 77),
            Prop.ForAll(cases.ToArbitrary(), sample => Assert.Equal(
                Naive(sample.before, sample.edits, sample.encoding),
                TextSyncHandlers.Apply(new(sample.before), sample.edits, sample.encoding).Content)));
    }

    [Fact]
    public void Replacing_all_in_a_large_document_copies_it_once()
    {
        const int Lines = 20_000;
        var text = new SourceText(string.Concat(Enumerable.Repeat("some name here\n", Lines)));
        var changes = Enumerable.Range(0, Lines).Reverse().Select(line => new TextChange("other", new Range(new(line, 5), new(line, 9)))).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var after = TextSyncHandlers.Apply(text, changes, PositionEncoding.Utf16);
        Assert.Equal(string.Concat(Enumerable.Repeat("some other here\n", Lines)), after.Content);

        // One copy for each change would be 12 GB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000_000);
    }

    private static string Naive(string text, TextChange[] changes, PositionEncoding encoding)
    {
        foreach (var change in changes)
        {
            var (start, end) = (Offset(text, change.Range!.Value.Start, encoding), Offset(text, change.Range.Value.End, encoding));
            (start, end) = start <= end ? (start, end) : (end, start);
            text = text[..start] + change.Text + text[end..];
        }

        return text;
    }

    // By walking the text one character at a time.
    private static int Offset(string text, Position position, PositionEncoding encoding)
    {
        var (line, at) = (0, 0);
        while (line < position.Line && at < text.Length)
        {
            if (text[at] == '\n' || (text[at] == '\r' && (at + 1 == text.Length || text[at + 1] != '\n')))
            {
                line++;
            }

            at++;
        }

        var units = line < position.Line ? 0 : position.Character;
        while (at < text.Length && text[at] is not ('\r' or '\n'))
        {
            _ = Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var length);
            units -= encoding == PositionEncoding.Utf16 ? length : rune.Utf8SequenceLength;
            if (units < 0)
            {
                break;
            }

            at += length;
        }

        return at;
    }

    public void Dispose()
    {
        _host.Dispose();
        _folder.Dispose();
    }

    private void Open(string text) => _handlers.DidOpen(_session, new(new("u", "x", 1, text)));

    private void Change(int version, TextChange[] changes) => _handlers.DidChange(_session, new(new("u", version), changes));

    private void Change(string json) => _handlers.DidChange(_session, JsonSerializer.Deserialize(json, LspJson.Default.DidChangeParams)!);

    private static TextChange Parse(string change)
    {
        var space = change.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0)
        {
            return new(change);
        }

        var numbers = change[..space].Split('-', ':').Select(int.Parse).ToArray();
        return new(change[(space + 1)..], new Range(new(numbers[0], numbers[1]), new(numbers[2], numbers[3])));
    }
}
