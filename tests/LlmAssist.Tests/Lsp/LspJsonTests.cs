using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LlmAssist.Server.Lsp;

namespace LlmAssist.Tests.Lsp;

public sealed class LspJsonTests
{
    [Fact]
    public void Inline_completion_has_the_shape_of_LSP_3_18() => Check(
        new([new("text", null, new(new(1, 2), new(1, 5)), new("", "c", [new("inline", "pattern", 4)]))]),
        LspJson.Default.InlineCompletionList,
        """{"items":[{"insertText":"text","range":{"start":{"line":1,"character":2},"end":{"line":1,"character":5}},"command":{"title":"","command":"c","arguments":[{"surface":"inline","lane":"pattern","length":4}]}}]}""");

    [Fact]
    public void Completion_items_have_the_shape_of_LSP() => Check(
        new(true, [new() { Label = "l", Kind = 14, Detail = "d", SortText = "0", FilterText = "f", TextEdit = new(new(new(0, 0), new(0, 1)), "n") }]),
        LspJson.Default.CompletionList,
        """{"isIncomplete":true,"items":[{"label":"l","kind":14,"detail":"d","sortText":"0","filterText":"f","textEdit":{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":1}},"newText":"n"}}]}""");

    [Theory]
    [InlineData("""{"textDocument":{"uri":"a"},"position":{"line":1,"character":2},"context":{"triggerKind":2}}""", "a 1 2 2 -")]
    [InlineData("""{"textDocument":{"uri":"a","x":1},"position":{"line":1,"character":2},"context":{"triggerKind":1,"selectedCompletionInfo":{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":1}},"text":"s"}},"workDoneToken":1}""", "a 1 2 1 s")]
    [InlineData("""{"textDocument":{"uri":"a"},"position":{"line":2147483647,"character":4294967295},"context":{"triggerKind":9}}""", "a 2147483647 2147483647 9 -")]
    [InlineData("""{"textDocument":{"uri":"a"},"position":{"line":1.0,"character":1e308},"context":{"triggerKind":2}}""", "a 1 2147483647 2 -")]
    [InlineData("""{"textDocument":{"uri":"a"},"position":{"line":-1,"character":-1e308},"context":{"triggerKind":2}}""", "a -1 -2147483648 2 -")]
    [InlineData("""{"position":{"line":1,"character":2},"context":{"triggerKind":2}}""", null)]
    [InlineData("""{"textDocument":null,"position":{"line":1,"character":2},"context":{"triggerKind":2}}""", null)]
    [InlineData("""{"textDocument":{"uri":7},"position":{"line":1,"character":2},"context":{"triggerKind":2}}""", null)]
    [InlineData("""{"textDocument":{"uri":"a"},"position":{"line":1},"context":{"triggerKind":2}}""", null)]
    [InlineData("""{"textDocument":{"uri":"a"},"position":{"line":"1","character":2},"context":{"triggerKind":2}}""", null)]
    [InlineData("""{"textDocument":{"uri":"a"},"position":null,"context":{"triggerKind":2}}""", null)]
    [InlineData("""{"textDocument":{"uri":"a"},"position":{"line":1,"character":2}}""", "a 1 2  -")]
    [InlineData("""{"textDocument":{"uri":"a"},"position":{"line":1,"character":2},"context":{"triggerKind":"automatic"}}""", null)]
    public void Inline_completion_is_read_leniently_and_no_further(string json, string? expected)
    {
        string? shown = null;
        try
        {
            var parameters = JsonSerializer.Deserialize(json, LspJson.Default.InlineCompletionParams)!;
            shown = $"{parameters.TextDocument.Uri} {parameters.Position.Line} {parameters.Position.Character} {parameters.Context?.TriggerKind} {parameters.Context?.SelectedCompletionInfo?.Text ?? "-"}";
        }
        catch (JsonException)
        {
            // What cannot be used is a JsonException and nothing else.
        }

        Assert.Equal(expected, shown);
    }

    // Half a pair is shown as its number: the test runner cannot pass it.
    [Theory]
    [InlineData(@"""plain ñ😀""", "plain ñ😀")]
    [InlineData(@"""a\ud83d\ude00b""", "a😀b")]
    [InlineData(@"""\ud83d""", "<D83D>")]
    [InlineData(@"""ñ\""\\\/\b\f\n\r\t\u0041\ude00😀""", "ñ\"\\/\b\f\n\r\tA<DE00>😀")]
    [InlineData("7", null)]
    [InlineData("null", null)]
    public void Text_with_half_a_surrogate_pair_is_text(string json, string? expected)
    {
        string? text = null;
        try
        {
            text = JsonSerializer.Deserialize($$"""{"text":{{json}}}""", LspJson.Default.TextChange)!.Text;
        }
        catch (JsonException)
        {
            // As above.
        }

        Assert.Equal(expected, text is null ? null : Shown(text));
    }

    private static string Shown(string text)
    {
        var shown = new System.Text.StringBuilder();
        for (var at = 0; at < text.Length; at++)
        {
            var isPair = char.IsSurrogatePair(text, Math.Max(0, at - 1)) || (at + 1 < text.Length && char.IsSurrogatePair(text, at));
            shown.Append(char.IsSurrogate(text[at]) && !isPair ? $"<{(int)text[at]:X4}>" : $"{text[at]}");
        }

        return shown.ToString();
    }

    private static void Check<T>(T value, JsonTypeInfo<T> type, string expected) => Assert.Equal(expected, JsonSerializer.Serialize(value, type));
}
