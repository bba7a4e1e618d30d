using System.Text;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Tests.Ollama;

public sealed class LineReaderTests
{
    private const string Stream = "{\"a\":1}\n\r\n{\"ñ\":\"€\"}\r\n \t\n{}";

    [Fact]
    public async Task Lines_are_the_same_wherever_the_bytes_are_cut()
    {
        var bytes = Encoding.UTF8.GetBytes(Stream);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
            {
                Assert.Equal(["{\"a\":1}", "{\"ñ\":\"€\"}", "{}"], await LinesOf(1000, bytes[..first], bytes[first..second], bytes[second..]));
            }
        }
    }

    [Theory]
    [InlineData(10, 10, true, true)]
    [InlineData(10, 10, false, true)]
    [InlineData(11, 10, true, false)]
    [InlineData(11, 10, false, false)]
    [InlineData(50_000, 50_000, true, true)]
    [InlineData(50_001, 50_000, true, false)]
    [InlineData(50_001, 50_000, false, false)]
    public async Task A_line_may_be_as_long_as_the_limit(int length, int limit, bool isEnded, bool isRead)
    {
        var line = new string('x', length);
        var reading = LinesOf(limit, Encoding.ASCII.GetBytes(isEnded ? $"a\n{line}\nb" : $"a\n{line}"));
        if (isRead)
        {
            Assert.Equal(isEnded ? ["a", line, "b"] : ["a", line], await reading);
            return;
        }

        await Assert.ThrowsAsync<LineTooLongException>(() => reading);
    }

    private static async Task<List<string>> LinesOf(int limit, params byte[][] parts)
    {
        var reader = new LineReader(new InParts(parts), limit);
        var lines = new List<string>();
        while (await reader.ReadAsync(CancellationToken.None) is { } line)
        {
            lines.Add(Encoding.UTF8.GetString(line.Span).TrimEnd('\r'));
        }

        Assert.Null(await reader.ReadAsync(CancellationToken.None));
        return lines;
    }

    // Each part is what one read gets at most; empty ones are passed over, since they would mean the end.
    private sealed class InParts(byte[][] parts) : MemoryStream
    {
        private readonly Queue<byte[]> _parts = new(parts.Where(part => part.Length != 0));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_parts.TryPeek(out var part))
            {
                return new(0);
            }

            _parts.Dequeue();
            var count = Math.Min(part.Length, buffer.Length);
            part.AsSpan(0, count).CopyTo(buffer.Span);
            if (count < part.Length)
            {
                // What is left comes first next time.
                var rest = _parts.ToArray();
                _parts.Clear();
                _parts.Enqueue(part[count..]);
                Array.ForEach(rest, _parts.Enqueue);
            }

            return new(count);
        }
    }
}
