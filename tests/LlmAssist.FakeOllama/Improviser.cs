// Text that goes with a prompt, the same every time: looks for the longest end of the prompt that occurred before, in the
// prompt or in a sample of code, and goes on as it went on there.
using System.Text.RegularExpressions;

namespace LlmAssist.FakeOllama;

internal static partial class Improviser
{
    private const int LongestEnd = 40;

    private const string Sample = """
        public static int Sum(IReadOnlyList<int> items)
        {
            var total = 0;
            foreach (var item in items)
            {
                total += item;
            }

            return total;
        }

        def average(values):
            if not values:
                return 0
            return sum(values) / len(values)

        function render(items) {
            for (let i = 0; i < items.length; i++) {
                console.log(items[i]);
            }
            return items;
        }

        """;

    /// <summary>At most <paramref name="count"/> pieces, each a word or a sign with the blanks before it.</summary>
    public static IEnumerable<string> Continue(string prompt, int count)
    {
        var text = Sample + BeforeTheHole(prompt);
        for (var piece = 0; piece < count; piece++)
        {
            var next = Piece().Match(text, Likeliest(text)).Value;
            if (next.Length == 0)
            {
                yield break;
            }

            text += next;
            yield return next;
        }
    }

    /// <summary>The pieces of a text.</summary>
    public static IEnumerable<string> Pieces(string text) => Piece().Matches(text).Select(match => match.Value);

    private static int Likeliest(string text)
    {
        for (var length = Math.Min(LongestEnd, text.Length - 1); 0 < length; length--)
        {
            var found = text.LastIndexOf(text[^length..], text.Length - 2, StringComparison.Ordinal);
            if (0 <= found)
            {
                return found + length;
            }
        }

        return 0;
    }

    // In a prompt with marks for prefix, suffix and middle, what stands before the first mark but the opening one.
    private static string BeforeTheHole(string prompt)
    {
        var parts = Mark().Split(prompt);
        return parts.Length == 1 ? prompt : parts[0].Length != 0 ? parts[0] : parts[1];
    }

    [GeneratedRegex(@"\s*(?:\w+|[^\w\s])|\s+")]
    private static partial Regex Piece();

    [GeneratedRegex(@"<[|｜]?[\w▁ ]*(?:fim|PRE|SUF|MID)[\w▁ ]*[|｜]?>", RegexOptions.IgnoreCase)]
    private static partial Regex Mark();
}
