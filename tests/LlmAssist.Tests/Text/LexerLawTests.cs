// The laws of Lexer's doc comment, on arbitrary text in every language. What the tokens are is in LexerGoldenTests.
using System.Text;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Text;

public sealed class LexerLawTests
{
    // Pieces that open, close, escape or nest something in some language, so that random texts reach the odd states.
    private static readonly string[] Pieces =
    [
        "\"", "'", "`", "\"\"\"", "'''", "\\", "/", "//", "/*", "*/", "#", "##", "--", "<!--", "-->", "${", "#{", "{$", "$(", "\\(", "{", "}", "(", ")", "[", "]",
        "$\"", "@\"", "$@\"", "$$\"\"\"", "r#\"", "\"#", "br##\"", "#\"", "R\"x(", ")x\"", "u8R\"(", "f\"", "rb'", "f'''", "<<EOF", "<<~SQL", "<<<X", "\nEOF\n", "\nSQL\n", "%w[", "%q(",
        "=begin", "\n=begin\n", "\n=end\n", "'a", "'a'", "'\\''", "\n", "\r\n", "\r", "\n", " ", "\t", "  ", "a", "b", "r", "u8", "return", "x1", "_", "@", "$", "-", "1", "0x1F", "1e", "+", ".5", "1..2", "=", ":", "=>", "?", "!", ";", "<", "</", "/>", ">", ">>=",
        "é", "ñandú", "变量", "😀", "\ud83d", "\ude00", "\u0301", "\u00a0", "\u2028", "\ufeff", "\0", "’", "don't", "foo-bar", "https://x",
    ];

    public static TheoryData<string> LanguageIds => new(Language.All.Select(language => language.Id));

    [Theory, MemberData(nameof(LanguageIds))]
    public void Tokens_tile_any_text(string languageId)
    {
        var language = Language.ById(languageId);
        var random = new Random(11);
        for (var round = 0; round < 2_000; round++)
        {
            CheckTiling(ArbitraryText(random, random.Next(40)), language);
        }
    }

    [Theory, MemberData(nameof(LanguageIds))]
    public void Tokens_tile_every_prefix_and_every_suffix_of_real_code(string languageId)
    {
        var language = Language.ById(languageId);
        var code = Snippet(languageId);
        for (var cut = 0; cut <= code.Length; cut++)
        {
            CheckTiling(code[..cut], language);
            CheckTiling(code[cut..], language);
        }
    }

    [Theory, MemberData(nameof(LanguageIds))]
    public void A_token_depends_on_the_lines_that_it_touches_only(string languageId)
    {
        var language = Language.ById(languageId);
        var random = new Random(12);
        for (var round = 0; round < 1_000; round++)
        {
            var text = new SourceText(ArbitraryText(random, 2 + random.Next(30)));
            foreach (var token in Tokens(text.Content, language))
            {
                var lineStart = LineStart(text, token.Start);
                var lines = text.Content.AsSpan()[lineStart..NextLineStart(text, token.End - 1)];
                var alone = Lexer.Next(lines, token.Start - lineStart, language);
                Assert.Equal(token, alone with { Start = alone.Start + lineStart });
            }
        }
    }

    [Theory, MemberData(nameof(LanguageIds))]
    public void Lexing_again_from_a_line_start_equals_lexing_all(string languageId)
    {
        var language = Language.ById(languageId);
        var random = new Random(13);
        var snippet = Snippet(languageId);
        var reused = 0;
        for (var round = 0; round < 1_500; round++)
        {
            var before = new SourceText(round % 2 == 0 ? ArbitraryText(random, 5 + random.Next(60)) : snippet);
            var start = random.Next(before.Length + 1);
            var end = random.Next(start, Math.Min(before.Length, start + 12) + 1);
            var edit = new TextEdit(start, end, ArbitraryText(random, random.Next(4)));
            var after = before.With(edit);

            var relexed = Relex(before, Tokens(before.Content, language), edit, after, language, out var lexed);
            Assert.Equal(Tokens(after.Content, language), relexed);
            reused += relexed.Count - lexed;
        }

        // Else this test would pass by lexing everything each time.
        Assert.True(1_500 < reused, $"only {reused} tokens were reused");
    }

    // Linear time, without a clock: a token that is the same whatever stands further away than Reach was found without
    // looking there, so all tokens together cost no more than the text and Reach for each of them.
    [Theory, MemberData(nameof(LanguageIds))]
    public void A_token_depends_on_a_few_characters_around_it_only(string languageId)
    {
        const int Reach = 48;
        var language = Language.ById(languageId);
        var random = new Random(14);
        for (var round = 0; round < 1_000; round++)
        {
            var text = ArbitraryText(random, 40 + random.Next(40));
            foreach (var token in Tokens(text, language))
            {
                var from = Math.Max(0, token.Start - Reach);
                var to = Math.Min(text.Length, token.End + Reach);
                var before = ArbitraryText(random, from == 0 ? 0 : 20);
                var elsewhere = before + text[from..to] + ArbitraryText(random, to == text.Length ? 0 : 20);
                var same = Lexer.Next(elsewhere, before.Length + token.Start - from, language);
                Assert.Equal((token.Kind, token.Length), (same.Kind, same.Length));
            }
        }
    }

    [Theory, MemberData(nameof(LanguageIds))]
    public void Deep_nesting_and_long_runs_do_no_harm(string languageId)
    {
        var language = Language.ById(languageId);
        string[] units = [.. Pieces, "\"\\", "\"\"\" ", "${`", "$\"{", "f'{", "\"#{", "\"$(", "\"\\(", "\"{$x['", "$\"{/*\n", "=/[", "a /", "x=\"", "- '", "<<E ", "/* */"];
        foreach (var unit in units)
        {
            var text = new StringBuilder().Insert(0, unit, 60_000 / unit.Length).ToString();
            var position = 0;
            while (position < text.Length)
            {
                var end = Lexer.Next(text, position, language).End;
                Assert.True(position < end && end <= text.Length, unit);
                position = end;
            }
        }
    }

    private static void CheckTiling(string text, Language language)
    {
        var position = 0;
        foreach (var token in Tokens(text, language))
        {
            Assert.Equal(position, token.Start);
            Assert.InRange(token.Length, 1, text.Length - position);
            position = token.End;
            Assert.False(position < text.Length && char.IsHighSurrogate(text[position - 1]) && char.IsLowSurrogate(text[position]), $"splits a surrogate pair: {text}");
            var piece = text[token.Start..token.End];
            if (token.Kind == TokenKind.Newline)
            {
                Assert.Contains(piece, (string[])["\n", "\r", "\r\n"]);
            }
            else if (token.Kind is not (TokenKind.String or TokenKind.Comment))
            {
                Assert.Equal(-1, piece.AsSpan().IndexOfAny('\n', '\r'));
            }
        }

        Assert.Equal(text.Length, position);
    }

    // The recipe of Lexer's doc comment: begin at the first token of a line before the edit, stop behind a line end.
    private static List<Token> Relex(SourceText before, List<Token> old, TextEdit edit, SourceText after, Language language, out int lexed)
    {
        // One more to the left: the edit can join or part a CRLF.
        var editLine = LineStart(before, Math.Max(0, edit.Start - 1));
        var kept = old.FindLastIndex(token => token.Start <= editLine && token.Start == LineStart(before, token.Start));
        var tokens = old.Take(Math.Max(0, kept)).ToList();
        var position = tokens.Count == 0 ? 0 : tokens[^1].End;
        var shift = after.Length - before.Length;
        var safe = NextLineStart(after, edit.Start + edit.NewText.Length);
        var oldStarts = old.Select(token => token.Start + shift).ToList();
        lexed = 0;
        while (position < after.Length)
        {
            var same = safe <= position ? oldStarts.BinarySearch(position) : -1;
            if (0 <= same)
            {
                tokens.AddRange(old.Skip(same).Select(token => token with { Start = token.Start + shift }));
                break;
            }

            var next = Lexer.Next(after.Content, position, language);
            tokens.Add(next);
            position = next.End;
            lexed++;
        }

        return tokens;
    }

    private static List<Token> Tokens(string text, Language language)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text, language, tokens);
        return tokens;
    }

    private static int LineStart(SourceText text, int position) => text.LineStart(text.LineAt(position));

    private static int NextLineStart(SourceText text, int position)
    {
        var line = text.LineAt(position);
        return line + 1 < text.LineCount ? text.LineStart(line + 1) : text.Length;
    }

    private static string ArbitraryText(Random random, int pieces)
    {
        var text = new StringBuilder();
        for (var count = 0; count < pieces; count++)
        {
            text.Append(random.Next(12) == 0 ? ((char)random.Next(0x3000)).ToString() : Pieces[random.Next(Pieces.Length)]);
        }

        return text.ToString();
    }

    private static string Snippet(string languageId) =>
        Golden.Input(Path.Combine("lexer", languageId + ".txt"), "tokens");
}
