// Frames with a Content-Length header, from a pipe of bytes. Knows nothing of JSON.
using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;

namespace LlmAssist.Server.Rpc;

/// <summary>What a read has found.</summary>
/// <param name="Payload">The frame's payload; null at the end of the input or for a frame that was skipped.</param>
/// <param name="SkippedBytes">Length of a payload that was too long and was skipped; 0 otherwise.</param>
internal readonly record struct Frame(byte[]? Payload, long SkippedBytes)
{
    public static readonly Frame End;

    public bool IsEnd => Payload is null && SkippedBytes == 0;
}

/// <summary>Reads frames. Memory is bounded by the longest header and payload it was made for.</summary>
/// <param name="input">Where the bytes come from.</param>
/// <param name="maximumHeader">Bytes of a frame's header fields, at the most.</param>
/// <param name="maximumPayload">Bytes of a payload, at the most; longer ones are skipped.</param>
internal sealed class FrameReader(PipeReader input, int maximumHeader = 8 * 1024, int maximumPayload = 64 * 1024 * 1024)
{
    private static ReadOnlySpan<byte> HeaderEnd => "\r\n\r\n"u8;

    /// <summary>The next frame.</summary>
    /// <exception cref="FramingException">The bytes are not a frame, or end inside one.</exception>
    public async ValueTask<Frame> ReadAsync(CancellationToken cancellation)
    {
        if (await ReadLengthAsync(cancellation) is not { } length)
        {
            return Frame.End;
        }

        if (maximumPayload < length)
        {
            await SkipAsync(length, cancellation);
            return new(null, length);
        }

        var payload = new byte[length];
        var filled = 0;
        while (filled < payload.Length)
        {
            var result = await input.ReadAsync(cancellation);
            var part = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, payload.Length - filled));
            part.CopyTo(payload.AsSpan(filled));
            filled += (int)part.Length;
            input.AdvanceTo(part.End);
            if (result.IsCompleted && filled < payload.Length && part.IsEmpty)
            {
                throw new FramingException($"The input ended {payload.Length - filled} bytes before the end of a payload of {payload.Length} bytes.");
            }
        }

        return new(payload, 0);
    }

    // The Content-Length of the next header, which is consumed; null at the end of the input.
    private async ValueTask<long?> ReadLengthAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellation);
            var buffer = result.Buffer;
            if (TryReadHeader(buffer, out var length, out var consumed))
            {
                input.AdvanceTo(consumed);
                return length;
            }

            if (maximumHeader <= buffer.Length)
            {
                throw new FramingException($"A frame's header does not end within {maximumHeader} bytes; expected 'Content-Length: N' and an empty line.");
            }

            if (result.IsCompleted)
            {
                return buffer.IsEmpty ? null : throw new FramingException("The input ended inside a frame's header.");
            }

            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private bool TryReadHeader(ReadOnlySequence<byte> buffer, out long length, out SequencePosition consumed)
    {
        length = 0;
        consumed = buffer.Start;
        var reader = new SequenceReader<byte>(buffer.Slice(0, Math.Min(buffer.Length, maximumHeader)));
        if (!reader.TryReadTo(out ReadOnlySequence<byte> header, HeaderEnd))
        {
            return false;
        }

        consumed = reader.Position;
        length = LengthIn(header.IsSingleSegment ? header.FirstSpan : header.ToArray());
        return true;
    }

    // Only Content-Length counts; Content-Type says utf-8 if it says anything.
    private static long LengthIn(ReadOnlySpan<byte> header)
    {
        long? length = null;
        foreach (var range in header.Split("\r\n"u8))
        {
            var field = header[range];
            var colon = field.IndexOf((byte)':');
            if (colon <= 0)
            {
                throw new FramingException($"'{Shown(field)}' is not a header field; expected 'Content-Length: N'.");
            }

            if (!Ascii.EqualsIgnoreCase(field[..colon].Trim((byte)' '), "content-length"u8))
            {
                continue;
            }

            var value = field[(colon + 1)..].Trim((byte)' ');
            if (!Utf8Parser.TryParse(value, out long parsed, out var used) || used != value.Length || parsed < 0)
            {
                throw new FramingException($"'{Shown(field)}' does not give a length; expected 'Content-Length: N'.");
            }

            if (length is { } earlier && earlier != parsed)
            {
                throw new FramingException($"A frame's header gives two lengths, {earlier} and {parsed}.");
            }

            length = parsed;
        }

        return length ?? throw new FramingException("A frame's header has no Content-Length.");
    }

    private async ValueTask SkipAsync(long length, CancellationToken cancellation)
    {
        while (0 < length)
        {
            var result = await input.ReadAsync(cancellation);
            var part = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, length));
            length -= part.Length;
            input.AdvanceTo(part.End);
            if (result.IsCompleted && part.IsEmpty)
            {
                throw new FramingException($"The input ended {length} bytes before the end of a payload.");
            }
        }
    }

    // What came may be anything; a message carries only a harmless piece of it.
    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var value in bytes[..Math.Min(40, bytes.Length)])
        {
            text.Append(value is >= 0x20 and < 0x7F ? (char)value : '?');
        }

        return text.ToString();
    }
}
