// What fits into a prompt, and above all what stays the same in it while the user types: the server evaluates anew from the first difference.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Completion;

public sealed class PromptBudgetTests
{
    private static readonly Language CSharp = Language.ById("csharp");

    // Lines of ten units, "line 0042\n". Usable are 0.9 of the tokens less 16, at 3 units each.
    [Theory]
    [InlineData(100_000, 50, 0, 50)] // all of it
    [InlineData(0, 50, 50, 50)] // nothing
    [InlineData(129, 50, 34, 56)] // usable 100 tokens: 195 and 60 units, the prefix from the first line behind a multiple of 48
    [InlineData(129, 99, 80, 100)] // what the suffix does not need goes to the prefix: 245 units, multiples of 61
    [InlineData(129, 0, 0, 6)]
    public void Cuts_at_line_starts(int tokens, int line, int firstLine, int endLine)
    {
        var text = new SourceText(string.Concat(Enumerable.Range(0, 100).Select(number => $"line {number:0000}\n")));
        var offset = text.LineStart(line);
        var parts = Cut(tokens, text, offset);
        Assert.Equal(text.Content[text.LineStart(firstLine)..offset], parts.Prefix);
        Assert.Equal(text.Content[offset..(tokens == 100_000 ? text.Length : text.LineStart(endLine))], parts.Suffix);
    }

    [Theory]
    [InlineData("a\r\nb|\r\nc\r", "a\nb", "\nc\n")]
    [InlineData("|", "", "")]
    [InlineData("a|", "a", "")]
    public void Line_ends_become_LF(string document, string prefix, string suffix)
    {
        var parts = Cut(1000, new(document.Replace("|", "")), document.IndexOf('|'));
        Assert.Equal((prefix, suffix), (parts.Prefix, parts.Suffix));
    }

    [Fact]
    public void Every_prompt_fits_and_is_a_piece_of_the_document()
    {
        var random = new Random(3);
        for (var round = 0; round < 3_000; round++)
        {
            var text = new SourceText(ArbitraryText(random, random.Next(400)));
            var offset = Offset(random, text);
            var budget = new PromptBudget(random.Next(300), ArbitraryRate(random));
            var neighbors = ArbitraryNeighbors(random, budget.ChunkLength);
            var parts = budget.Cut(text, offset, CSharp, "a.cs", "shop", neighbors);

            Assert.EndsWith(parts.Prefix, WithLineFeeds(text.Content[..offset]), StringComparison.Ordinal);
            Assert.StartsWith(parts.Suffix, WithLineFeeds(text.Content[offset..]), StringComparison.Ordinal);
            Assert.Equal(parts.Chunks, neighbors.Chunks);
            Assert.True(parts.Chunks.Sum(chunk => chunk.Length) <= budget.ChunkLength);
            Assert.True(Tokens(parts.Prefix, budget) + Tokens(parts.Suffix, budget) <= Math.Max(0, budget.Tokens * 0.9), $"{budget} {parts}");
            Assert.False(parts.Prefix.Length != 0 && char.IsLowSurrogate(parts.Prefix[0]));
            Assert.False(parts.Suffix.Length != 0 && char.IsHighSurrogate(parts.Suffix[^1]));
        }
    }

    [Fact]
    public void Much_of_a_long_document_is_used()
    {
        var random = new Random(4);
        for (var round = 0; round < 200; round++)
        {
            var text = new SourceText(string.Concat(Enumerable.Range(0, 2_000).Select(_ => new string('x', random.Next(80)) + "\n")));
            var budget = new PromptBudget(500 + random.Next(3_000), default);
            var parts = budget.Cut(text, text.Length / 2, CSharp, "a.cs", "shop", NeighborChunks.Empty);
            Assert.InRange(Tokens(parts.Prefix, budget) / ((budget.Tokens * 0.9) - 16), 0.65 * 0.75 - 0.06, 0.65);
            Assert.InRange(Tokens(parts.Suffix, budget) / ((budget.Tokens * 0.9) - 16), 0.2 - 0.06, 0.2);
        }
    }

    // The property that the prompt cache lives on. A step of the prefix's start is the exception, and rare.
    [Fact]
    public void Typing_changes_only_the_end_of_the_prefix()
    {
        const string typed = "var total = order.Lines.Sum(line => line.Price);\n        ";
        var random = new Random(5);
        for (var round = 0; round < 100; round++)
        {
            var text = new SourceText(ArbitraryCode(random, 20 + random.Next(300)));
            var offset = text.LineEnd(random.Next(text.LineCount));
            var budget = new PromptBudget(200 + random.Next(600), ArbitraryRate(random));
            var neighbors = ArbitraryNeighbors(random, budget.ChunkLength);
            var before = budget.Cut(text, offset, CSharp, "a.cs", "shop", neighbors);
            var steps = 0;
            var units = 0;
            for (var turn = 0; turn < 5; turn++)
            {
                foreach (var unit in typed)
                {
                    text = text.With(new TextEdit(offset, offset, unit.ToString()));
                    offset++;
                    units++;
                    var after = budget.Cut(text, offset, CSharp, "a.cs", "shop", neighbors);
                    Assert.Equal(before.Chunks, after.Chunks);
                    Assert.Equal(before.Suffix, after.Suffix);
                    if (after.Prefix != before.Prefix + unit)
                    {
                        Assert.EndsWith(after.Prefix, before.Prefix + unit, StringComparison.Ordinal);
                        steps++;
                    }
                    else
                    {
                        CheckCacheReuse(before, after);
                    }

                    before = after;
                }
            }

            // A quarter of the prefix's share, which is at least 0.65 of what is usable.
            var step = ((budget.Tokens * 0.9) - 16) * 0.65 * budget.Rate.CharactersPerToken / 4;
            Assert.True(steps <= (units / Math.Floor(step)) + 1, $"{steps} steps of {step} in {units}");
        }
    }

    [Fact]
    public void Chunks_of_the_current_file_are_left_out()
    {
        var budget = new PromptBudget(1000, default);
        var neighbors = NeighborChunks.Empty.With(new("a.cs", 0, "a"), budget.ChunkLength).With(new("b.cs", 0, "b"), budget.ChunkLength);
        Assert.Equal(["b.cs"], budget.Cut(new("x"), 1, CSharp, "a.cs", "shop", neighbors).Chunks.Select(chunk => chunk.Path));
    }

    [Fact]
    public void A_smaller_budget_takes_the_first_chunks()
    {
        var neighbors = Enumerable.Range(0, 5).Aggregate(NeighborChunks.Empty, (chunks, number) => chunks.With(new($"{number}.cs", 0, $"text {number}"), 1_000));
        var budget = new PromptBudget(200, default);
        Assert.InRange(budget.ChunkLength, neighbors.Chunks[0].Length * 2, neighbors.Chunks[0].Length * 3 - 1);
        Assert.Equal(neighbors.Chunks.Take(2), budget.Cut(SourceText.Empty, 0, CSharp, "a.cs", "shop", neighbors).Chunks);
    }

    [Theory]
    [InlineData(4096, 128, 3968)]
    [InlineData(100, 128, 0)]
    public void The_answer_needs_its_part_of_the_context(int context, int answer, int tokens) => Assert.Equal(tokens, PromptBudget.Of(context, answer, default).Tokens);

    // Prompts of 3000 ASCII units unless said otherwise; the counts as the server says them, one after the other.
    [Theory]
    [InlineData("", 3)]
    [InlineData("0 0", 3)] // it did not say
    [InlineData("5", 3)] // most of it was in its cache
    [InlineData("99", 3)] // too few to say anything
    [InlineData("499", 3)] // more than 6 per token: cached
    [InlineData("1000 1020 980", 3)] // within a tenth: cuts stay where they are
    [InlineData("1500", 2)] // falls at once
    [InlineData("750", 3)] // rises slowly
    [InlineData("750 750", 3.4375)]
    [InlineData("6000", 1)] // never below 1
    public void The_rate_follows_what_the_server_counts(string counts, double expected)
    {
        var rate = counts.Split(' ', StringSplitOptions.RemoveEmptyEntries).Aggregate(default(TokenRate), (rate, count) => rate.After(new string('x', 3_000), int.Parse(count)));
        Assert.Equal(expected, rate.CharactersPerToken, 4);
    }

    [Fact]
    public void The_rate_arrives_at_the_truth()
    {
        var rate = default(TokenRate);
        for (var turn = 0; turn < 60; turn++)
        {
            rate = rate.After(new string('x', 4_200), 1_000);
        }

        Assert.InRange(rate.CharactersPerToken, 4.2 / 1.1, 4.2);
        Assert.Equal(2, default(TokenRate).After(new string('x', 2_000) + new string('变', 1_000), 2_000).CharactersPerToken);
    }

    // What a server with a prompt cache must still have of the former prompt: all up to the cursor, or the text below where that comes first.
    private static void CheckCacheReuse(PromptParts before, PromptParts after)
    {
        foreach (var template in FimTemplate.All)
        {
            var former = template.Render(before);
            var shared = former.AsSpan().CommonPrefixLength(template.Render(after));
            var behindCursor = template.Middle.Length + (template.SuffixFirst ? 0 : template.Suffix.Length + template.Sanitize(before.Suffix).Length);
            Assert.True(former.Length - behindCursor <= shared, template.Name);
        }
    }

    private static PromptParts Cut(int tokens, SourceText text, int offset) =>
        new PromptBudget(tokens, default).Cut(text, offset, CSharp, "a.cs", "shop", NeighborChunks.Empty);

    private static double Tokens(string text, PromptBudget budget) =>
        text.Sum(unit => char.IsAscii(unit) ? 1 / budget.Rate.CharactersPerToken : 1) - 1e-6;

    private static TokenRate ArbitraryRate(Random random) => default(TokenRate).After(new string('x', 3_000), 900 + random.Next(1_500));

    private static NeighborChunks ArbitraryNeighbors(Random random, int capacity)
    {
        var neighbors = NeighborChunks.Empty;
        for (var count = random.Next(6); 0 < count; count--)
        {
            neighbors = neighbors.With(new($"f{random.Next(5)}.cs", 0, ArbitraryCode(random, 1 + random.Next(20))), capacity);
        }

        return neighbors;
    }

    private static string ArbitraryCode(Random random, int lines) =>
        string.Join('\n', Enumerable.Range(0, lines).Select(_ => new string(' ', random.Next(3) * 4) + "call" + random.Next(100) + "(x, y);"));

    private static string ArbitraryText(Random random, int pieces)
    {
        string[] all = ["a", "foo ", "\n", "\r\n", "\r", "    ", "😀", "变量", "(", "<|fim_middle|>"];
        return string.Concat(Enumerable.Range(0, pieces).Select(_ => all[random.Next(all.Length)]));
    }

    // Never between the halves of a surrogate pair or of a line end, where no editor puts a cursor.
    private static int Offset(Random random, SourceText text)
    {
        var offset = random.Next(text.Length + 1);
        return 0 < offset && offset < text.Length && (char.IsLowSurrogate(text.Content[offset]) || text.Content[(offset - 1)..(offset + 1)] == "\r\n") ? offset - 1 : offset;
    }

    private static string WithLineFeeds(string text) => text.ReplaceLineEndings("\n");
}
