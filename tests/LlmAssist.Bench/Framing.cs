// Messages of the protocol as bytes on a pipe, from the editor's side.
using System.Text;
using System.Text.Json.Nodes;

namespace LlmAssist.Bench;

/// <summary>Writes and reads whole messages. Each side touched by one thread at a time.</summary>
internal sealed class Framing(Stream toServer, Stream fromServer)
{
    private readonly Stream _output = new BufferedStream(fromServer, 1 << 16);
    private readonly byte[] _header = new byte[256];

    public void Write(JsonObject message)
    {
        var body = Encoding.UTF8.GetBytes(message.ToJsonString());
        byte[] frame = [.. Encoding.ASCII.GetBytes($"Content-Length: {body.Length}\r\n\r\n"), .. body];
        toServer.Write(frame);
        toServer.Flush();
    }

    /// <summary>The next message.</summary>
    /// <exception cref="EndOfStreamException">There are no more.</exception>
    public JsonObject Read()
    {
        var length = 0;
        while (length < 4 || !_header.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            var read = _output.ReadByte();
            _header[length++] = 0 <= read ? (byte)read : throw new EndOfStreamException();
        }

        const string Name = "Content-Length:";
        var line = Encoding.ASCII.GetString(_header, 0, length).Split("\r\n").First(line => line.StartsWith(Name, StringComparison.OrdinalIgnoreCase));
        var body = new byte[int.Parse(line.AsSpan(Name.Length))];
        _output.ReadExactly(body);
        return JsonNode.Parse(body)!.AsObject();
    }
}
