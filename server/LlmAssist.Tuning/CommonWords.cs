// Words that mean the same everywhere: contexts that rename or reduce rare words keep them.
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tuning;

/// <summary>The list of common words.</summary>
internal static class CommonWords
{
    private const double Share = 0.15; // of the files of a language in a corpus
    private const int LeastCorpora = 3; // so that the names of one project stay out
    private const int LeastFiles = 20;
    private const int LongestWord = 40;

    /// <summary>The words that many files of several of these folders have, one a line, in ordinal order.</summary>
    public static string Of(IReadOnlyList<string> corpora)
    {
        var words = corpora
            .SelectMany(corpus => CorpusWalker.Walk([corpus], new(), CancellationToken.None).Files.GroupBy(file => file.Language).SelectMany(OfLanguage).Distinct())
            .GroupBy(word => word)
            .Where(word => LeastCorpora <= word.Count())
            .Select(word => word.Key);
        return string.Join('\n', words.Order(StringComparer.Ordinal)) + "\n";
    }

    private static IEnumerable<string> OfLanguage(IGrouping<Language, CorpusFile> files)
    {
        var texts = files.Select(CorpusWalker.ReadText).OfType<string>().ToList();
        return LeastFiles <= texts.Count
            ? texts.SelectMany(text => WordsOf(text, files.Key)).CountBy(word => word).Where(word => Share * texts.Count <= word.Value).Select(word => word.Key)
            : [];
    }

    // Each word of a text once.
    private static HashSet<string> WordsOf(string text, Language language)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text, language, tokens);
        return [.. tokens
            .Where(token => token.Kind is TokenKind.Identifier or TokenKind.Number or TokenKind.String && token.Length <= LongestWord)
            .Select(token => text.Substring(token.Start, token.Length))
            .Where(word => !word.AsSpan().ContainsAny('\n', '\r'))];
    }
}
