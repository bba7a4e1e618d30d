using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Patterns;

public class DocumentCountsTests
{
    private static readonly string LongLiteral = new('7', Symbol.MaximumLiteralLength + 1);

    // Among them what is withheld as a string, as a number and as a name: one symbol, three kinds.
    private static readonly string[] Pieces =
        ["x", "name", "for", "None", " ", "  ", "\t", "\n", "\r\n", "(", ")", "=", "+=", "\"s\"", "'", "\"", "1", ".5", "# note\n", "// note\n", "/*", "*/", "\"" + LongLiteral + "\"", LongLiteral, "_" + LongLiteral, "é", "😀"];

    [Theory]
    [InlineData(1, "python")]
    [InlineData(2, "csharp")]
    [InlineData(3, "javascript")]
    [InlineData(4, null)] // another language every now and then, as when a document's language is changed
    public void CountsLikeAFreshReading(int seed, string? languageId)
    {
        var random = new Random(seed);
        var counts = new DocumentCounts();
        var everSeen = new HashSet<ulong>();
        var language = Language.ById(languageId ?? "go");
        var text = "";
        for (var step = 0; step < 400; step++)
        {
            var start = random.Next(text.Length + 1);
            var end = Math.Min(text.Length, start + (random.Next(4) == 0 ? random.Next(60) : 0));
            var inserted = random.Next(5) == 0 ? "" : string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            text = text[..start] + inserted + text[end..];
            language = languageId is null && step % 7 == 0 ? Language.All[random.Next(Language.All.Count)] : language;
            Update(counts, text, language);

            var fresh = new NaiveCounts().Add(text, language);
            everSeen.UnionWith(fresh.AllContexts());
            fresh.CheckAgainst(counts.Source, step % 20 == 0 ? everSeen : fresh.AllContexts());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void WithoutHidesSymbolsAndRestoresThem(int seed)
    {
        var random = new Random(seed);
        var language = Language.ById("python");
        var text = string.Concat(Enumerable.Range(0, 300).Select(_ => Pieces[random.Next(Pieces.Length)] + " ")) + string.Concat(Enumerable.Range(0, 100).Select(index => $"name{index} = {index}\n"));
        var symbols = NaiveCounts.SymbolsOf(text, language);
        var counts = new DocumentCounts();
        Update(counts, text, language);
        var whole = new NaiveCounts().Add(text, language);
        for (var step = 0; step < 50; step++)
        {
            var first = counts.IndexAt(random.Next(text.Length));
            var beyond = counts.EndOfLine(first);
            Assert.True(beyond == symbols.Count || symbols[beyond - 1].Kind == TokenKind.Newline);
            var answer = counts.Without(first, beyond, () =>
            {
                new NaiveCounts().Add(text, language, first, beyond).CheckAgainst(counts.Source, whole.AllContexts());
                return step;
            });
            Assert.Equal(step, answer);
            whole.CheckAgainst(counts.Source, whole.AllContexts());
        }

        Assert.Throws<TimeoutException>(() => counts.Without<int>(3, 9, () => throw new TimeoutException()));
        whole.CheckAgainst(counts.Source, whole.AllContexts());
    }

    [Fact]
    public void HalfTypedWordsAreForgottenInTheEnd()
    {
        var counts = new DocumentCounts();
        for (var step = 0; step < 45_000; step++)
        {
            Update(counts, $"word{step}", Language.ById("python"));
            Assert.True(counts.Bytes < 5_000_000);
        }

        new NaiveCounts().Add("word44999", Language.ById("python")).CheckAgainst(counts.Source, new NaiveCounts().Add("word44999", Language.ById("python")).AllContexts());
    }

    private static void Update(DocumentCounts counts, string text, Language language)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text, language, tokens);
        counts.Update(text, tokens);
    }
}
