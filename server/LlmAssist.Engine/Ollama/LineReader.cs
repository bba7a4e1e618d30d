// Cuts a stream into lines, however its bytes arrive. Knows neither JSON nor HTTP.
namespace LlmAssist.Engine.Ollama;

/// <summary>Lines end with LF or CRLF; the last one may end with the stream. Blank lines are left out.</summary>
internal sealed class LineReader(Stream stream, int maxLineBytes)
{
    private byte[] _buffer = new byte[Math.Min(8192, maxLineBytes + 1)];
    private int _start; // of the line to come
    private int _scanned; // up to here there is no LF after _start
    private int _end; // of what was read

    /// <summary>The next line without its end, valid until the next call; null at the end of the stream.</summary>
    /// <exception cref="LineTooLongException">A line is longer than the limit.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (TakeLine(out var line))
            {
                if (!IsBlank(line.Span))
                {
                    return line;
                }

                continue;
            }

            if (maxLineBytes < _end - _start)
            {
                throw new LineTooLongException();
            }

            MakeRoom();
            var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
            if (count == 0)
            {
                ReadOnlyMemory<byte>? rest = _buffer.AsMemory(_start, _end - _start);
                _start = _scanned = _end;
                return IsBlank(rest.Value.Span) ? null : rest;
            }

            _end += count;
        }
    }

    private bool TakeLine(out ReadOnlyMemory<byte> line)
    {
        var length = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n');
        if (length < 0)
        {
            _scanned = _end;
            line = default;
            return false;
        }

        var end = _scanned + length;
        if (maxLineBytes < end - _start)
        {
            throw new LineTooLongException();
        }

        line = _buffer.AsMemory(_start, end - _start);
        _start = _scanned = end + 1;
        return true;
    }

    // Moves the unfinished line to the front; doubles the buffer if it fills it, to just beyond the limit at most.
    private void MakeRoom()
    {
        if (0 < _start)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _scanned -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, maxLineBytes + 1L));
        }
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.Trim(" \t\r"u8).IsEmpty;
}

/// <summary>A line is longer than the reader's limit.</summary>
internal sealed class LineTooLongException : IOException;
