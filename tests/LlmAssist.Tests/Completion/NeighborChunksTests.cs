// The order of chunks: what is shown stays where it is as long as it can.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Completion;

public sealed class NeighborChunksTests
{
    // Chunks as path:line:text, where each word of the text is a line; capacity in chunks of 30 units ("a.cs", one letter, 24 around it: 29).
    [Theory]
    [InlineData("a:0:x b:0:y", "a:0:x b:0:y")]
    [InlineData("a:0:x b:0:x", "a:0:x")] // says nothing new
    [InlineData("a:0:x a:64:y", "a:0:x a:64:y")]
    [InlineData("a:0:x b:0:y a:0:z", "a:0:z b:0:y")] // a later state of the same place
    [InlineData("a:0:x b:0:y a:0:y", "a:0:x b:0:y")]
    [InlineData("a:0: b:0:y", "b:0:y")]
    [InlineData("a:0:u b:0:v c:0:w d:0:x", "a:0:u b:0:v c:0:w d:0:x")]
    [InlineData("a:0:u b:0:v c:0:w d:0:x e:0:y", "d:0:x e:0:y")] // full: the older half goes at once
    [InlineData("a:0:u b:0:v c:0:w d:0:x e:0:y f:0:z", "d:0:x e:0:y f:0:z")]
    public void Collects(string added, string expected) => Assert.Equal(expected, Shown(Collect(added, 120)));

    [Fact]
    public void A_chunk_much_like_another_is_left_out()
    {
        var lines = Enumerable.Range(0, 20).Select(number => $"line {number}").ToList();
        var neighbors = NeighborChunks.Empty.With(new("a.cs", 0, string.Join('\n', lines)), 10_000);
        Assert.Same(neighbors, neighbors.With(new("a.cs", 0, string.Join("\n  ", lines.Append("one more"))), 10_000));
        Assert.Equal(2, neighbors.With(new("b.cs", 0, string.Join('\n', lines.Take(17))), 10_000).Chunks.Count);
    }

    [Theory]
    [InlineData("aaa\nbbb\nccc", 35, "aaa\nbbb\nccc")]
    [InlineData("aaa\nbbb\nccc", 34, "aaa\nbbb")]
    [InlineData("aaa\nbbb\nccc", 31, "aaa\nbbb")]
    [InlineData("aaa\nbbb\nccc", 30, "aaa")]
    [InlineData("aaa\nbbb\nccc", 26, "")]
    [InlineData("aaa\nbbb\nccc", 0, "")]
    public void Is_cut_to_whole_lines(string text, int length, string expected)
    {
        var chunk = new CodeChunk("", 0, text).CutTo(length);
        Assert.Equal(expected, chunk.Text);
        Assert.True(chunk.Text.Length == 0 || chunk.Length <= length);
    }

    [Fact]
    public void Chunks_begin_at_multiples()
    {
        var text = new SourceText(string.Join("\r\n", Enumerable.Range(0, 150)) + "\r\n\r\n");
        foreach (var (line, first, last) in new[] { (0, 0, 63), (63, 0, 63), (64, 64, 127), (127, 64, 127), (128, 128, 149), (151, 128, 149) })
        {
            Assert.Equal(new("a", first, string.Join('\n', Enumerable.Range(first, last - first + 1))), CodeChunk.Around("a", text, line));
        }

        Assert.Equal("", CodeChunk.Around("a", SourceText.Empty, 0).Text);
    }

    // Adding one leaves all as they were, in front; or it is one of the rare moments in which half of them go. Never beyond the capacity.
    [Fact]
    public void Only_grows_until_half_of_it_goes()
    {
        var random = new Random(6);
        for (var round = 0; round < 50; round++)
        {
            var capacity = 200 + random.Next(2_000);
            var neighbors = NeighborChunks.Empty;
            var (added, shifts) = (0, 0);
            for (var number = 0; number < 300; number++)
            {
                var text = string.Join('\n', Enumerable.Range(0, 1 + random.Next(5)).Select(line => $"{number} {line}"));
                var after = neighbors.With(new($"{number}.cs", 0, text), capacity);
                Assert.True(after.Chunks.Sum(chunk => chunk.Length) <= capacity);
                Assert.Equal($"{number}.cs", after.Chunks[^1].Path);
                if (after.Chunks.Take(after.Chunks.Count - 1).SequenceEqual(neighbors.Chunks))
                {
                    added++;
                }
                else
                {
                    Assert.Equal(neighbors.Chunks.TakeLast(after.Chunks.Count - 1), after.Chunks.SkipLast(1));
                    shifts++;
                }

                neighbors = after;
            }

            // The longest chunk takes 64 units, so that a shift frees room for capacity / 2 / 64 of them, less the one that caused it.
            Assert.True(shifts <= 300 / Math.Max(1, (capacity / 2 / 64) - 1) + 1, $"{shifts} shifts in {added} at {capacity}");
        }
    }

    private static NeighborChunks Collect(string added, int capacity) =>
        added.Split(' ').Select(chunk => chunk.Split(':')).Aggregate(NeighborChunks.Empty, (chunks, parts) => chunks.With(new(parts[0] + ".cs", int.Parse(parts[1]), parts[2]), capacity));

    private static string Shown(NeighborChunks neighbors) =>
        string.Join(' ', neighbors.Chunks.Select(chunk => $"{chunk.Path[..^3]}:{chunk.Line}:{chunk.Text}"));
}
