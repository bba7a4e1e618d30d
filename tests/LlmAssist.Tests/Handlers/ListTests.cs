using System.Text.Json;
using LlmAssist.Engine.Text;
using LlmAssist.Server.Handlers;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Handlers;

/// <summary>The suggestion list as clients get it.</summary>
public sealed class ListTests
{
    private const string DrawsGhostText = """{"textDocument":{"inlineCompletion":{}}}""";
    private const string Text = "customer_name = 1\ncustomer_name = 2\ncustomer_name = 3\ncustomer_count = 4\ncust";

    [Theory]
    [InlineData("{}", "42%|-")]
    [InlineData("""{"textDocument":{"completion":{"completionItem":{"labelDetailsSupport":true}}}}""", "-|LLM Assist 42%")]
    public async Task An_entry_tells_who_offers_it_where_there_is_room(string capabilities, string expected)
    {
        var first = (await ItemsAsync(capabilities, "0"))[0];
        var detail = first.TryGetProperty("detail", out var plain) ? plain.GetString() : "-";
        var description = first.TryGetProperty("labelDetails", out var details) ? details.GetProperty("description").GetString() : "-";
        Assert.Equal(expected, string.Create(null, $"{Masked(detail)}|{Masked(description)}"));
    }

    // With 0 every name is sure enough, with 1 none.
    [Theory]
    [InlineData("0", "customer_name 0000, customer_count 0001")]
    [InlineData("1", "customer_name ~0000, customer_count ~0001")]
    public async Task Only_sure_names_stand_before_those_of_other_servers(string minConfidence, string expected) =>
        Assert.Equal(expected, string.Join(", ", (await ItemsAsync(DrawsGhostText, minConfidence)).Select(item => $"{item.GetProperty("label")} {item.GetProperty("sortText")}")));

    [Theory]
    [InlineData("go", """{"go":false}""", false)]
    [InlineData("go", """{"*":false,"go":true}""", true)]
    [InlineData("typescriptreact", """{"typescript":false}""", true)]
    [InlineData("typescriptreact", """{"typescriptreact":false}""", false)]
    [InlineData("markdown", """{"markdown":false}""", false)] // no language of ours
    [InlineData("markdown", """{"plaintext":false}""", true)]
    public async Task A_language_is_switched_by_the_name_that_the_client_gives_it(string language, string languages, bool isServed)
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(more: $$$""","initializationOptions":{"completion":{"languages":{{{languages}}}}}""");
        var answer = await AskAsync(server, language);
        Assert.Equal(isServed ? JsonValueKind.Object : JsonValueKind.Null, answer.ValueKind);
    }

    [Theory]
    [InlineData("a name b", "name", true)]
    [InlineData("name", "name", true)]
    [InlineData("rename names name_ _name", "name", false)]
    [InlineData("names.name", "name", true)]
    [InlineData("fmt.Println(x)", "fmt.Println", true)]
    [InlineData("", "name", false)]
    public void A_word_is_found_only_whole(string text, string word, bool expected) =>
        Assert.Equal(expected, LspConvert.HasWord(new SourceText(text), word));

    private static async Task<JsonElement[]> ItemsAsync(string capabilities, string minConfidence)
    {
        await using var server = TestServer.OfProduct();
        await server.InitializeAsync(capabilities, $$$""","initializationOptions":{"completion":{"minConfidence":{{{minConfidence}}}}}""");
        return [.. (await AskAsync(server, "python")).GetProperty("items").EnumerateArray().Select(static item => item.Clone())];
    }

    private static async Task<JsonElement> AskAsync(TestServer server, string language)
    {
        await server.NotifyAsync("textDocument/didOpen", JsonSerializer.Serialize(new { textDocument = new { uri = "o", languageId = language, version = 1, text = Text } }));
        return await server.ResultAsync(await server.RequestAsync(
            "textDocument/completion",
            """{"textDocument":{"uri":"o"},"position":{"line":4,"character":4},"context":{"triggerKind":1}}"""));
    }

    // How sure it is, is measured elsewhere.
    private static string Masked(string? text) => System.Text.RegularExpressions.Regex.Replace(text ?? "", "[0-9]+%", "42%");
}
