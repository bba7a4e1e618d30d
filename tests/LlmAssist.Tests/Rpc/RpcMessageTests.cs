using System.Text;
using LlmAssist.Server.Rpc;

namespace LlmAssist.Tests.Rpc;

public sealed class RpcMessageTests
{
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"m"}""", "request 1 m ()")]
    [InlineData("""{"jsonrpc":"2.0","id":"1","method":"m","params":{"a":[1]}}""", """request "1" m ({"a":[1]})""")]
    [InlineData("""{"params":[ 1 ],"method":"m","id":-7,"jsonrpc":"2.0"}""", "request -7 m ([ 1 ])")]
    [InlineData("""{"jsonrpc":"2.0","id":1.0,"method":"m","params":null}""", "request 1.0 m (null)")]
    [InlineData("""{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"m"}""", "request 123456789012345678901234567890 m ()")]
    [InlineData("""{"jsonrpc":"2.0","id":"\u0041","method":"\u006d"}""", "request \"\\u0041\" m ()")]
    [InlineData("""{"jsonrpc":"2.0","method":"m","x":{"method":"n"}}""", "notification m ()")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","method":"b"}""", "notification b ()")]
    [InlineData(" \r\n {\"jsonrpc\":\"2.0\",\"method\":\"m\"} \n", "notification m ()")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":null}""", "response 1 null")]
    [InlineData("""{"id":"x","result":{"a":1}}""", """response "x" {"a":1}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}""", "response 1 failed -32601 no")]
    [InlineData("""{"jsonrpc":"2.0","id":null,"error":{"code":99999999999,"message":7}}""", """response - failed -32603 {"code":99999999999,"message":7}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":"no"}""", "response 1 failed -32603 \"no\"")]
    public void Sorts(string payload, string expected) => Check(payload, expected);

    [Theory]
    [InlineData("", null, RpcErrorCode.ParseError)]
    [InlineData("  ", null, RpcErrorCode.ParseError)]
    [InlineData("{", null, RpcErrorCode.ParseError)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"m" """, null, RpcErrorCode.ParseError)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"m"} x""", null, RpcErrorCode.ParseError)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"m"}{}""", null, RpcErrorCode.ParseError)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"m",}""", null, RpcErrorCode.ParseError)]
    [InlineData("""{"jsonrpc":"2.0","id":01,"method":"m"}""", null, RpcErrorCode.ParseError)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"\ud800"}""", "1", RpcErrorCode.InvalidRequest)]
    [InlineData("\u0001", null, RpcErrorCode.ParseError)]
    [InlineData("[{", null, RpcErrorCode.ParseError)]
    [InlineData("""[{"jsonrpc":"2.0","id":1,"method":"m"}]""", null, RpcErrorCode.InvalidRequest)]
    [InlineData("[]", null, RpcErrorCode.InvalidRequest)]
    [InlineData("1", null, RpcErrorCode.InvalidRequest)]
    [InlineData("null", null, RpcErrorCode.InvalidRequest)]
    [InlineData("{}", null, RpcErrorCode.InvalidRequest)]
    [InlineData("""{"id":5,"method":"m"}""", "5", RpcErrorCode.InvalidRequest)]
    [InlineData("""{"jsonrpc":"1.0","id":"a","method":"m"}""", "\"a\"", RpcErrorCode.InvalidRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":5}""", "5", RpcErrorCode.InvalidRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":5,"method":1}""", "5", RpcErrorCode.InvalidRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":5,"method":"m","params":"p"}""", "5", RpcErrorCode.InvalidRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":null,"method":"m"}""", null, RpcErrorCode.InvalidRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":{"a":1},"method":"m"}""", null, RpcErrorCode.InvalidRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":true,"method":"m"}""", null, RpcErrorCode.InvalidRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":"\ud800","method":"m"}""", null, RpcErrorCode.InvalidRequest)]
    public void Refuses(string payload, string? id, int code)
    {
        var malformed = Assert.IsType<RpcMessage.Invalid>(RpcMessage.Parse(Encoding.UTF8.GetBytes(payload)));
        Assert.Equal((id, code), (malformed.Id?.Json, malformed.Code));
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(127, true)]
    [InlineData(128, false)]
    [InlineData(100_000, false)]
    public void Depth_is_bounded(int arrays, bool accepted)
    {
        var payload = $$"""{"jsonrpc":"2.0","method":"m","params":{{new string('[', arrays)}}{{new string(']', arrays)}}}""";
        Assert.Equal(accepted, RpcMessage.Parse(Encoding.UTF8.GetBytes(payload)) is RpcMessage.Notification);
    }

    [Fact]
    public void Mutated_payloads_never_throw()
    {
        var random = new Random(7);
        var valid = Encoding.UTF8.GetBytes("""{"jsonrpc":"2.0","id":"\u0041ñ😀","method":"m\ud83d\ude00","params":{"a":[1,null,"\ud83d"]},"error":{"code":1,"message":"\ud83d"}}""");
        for (var round = 0; round < 20_000; round++)
        {
            var payload = (byte[])valid.Clone();
            for (var change = random.Next(1, 4); 0 < change; change--)
            {
                payload[random.Next(payload.Length)] = (byte)random.Next(256);
            }

            Assert.NotNull(RpcMessage.Parse(payload[..random.Next(payload.Length + 1)]));
        }
    }

    private static void Check(string payload, string expected)
    {
        var shown = RpcMessage.Parse(Encoding.UTF8.GetBytes(payload)) switch
        {
            RpcMessage.Request request => $"request {request.Id} {request.Method} ({Raw(request.Params)})",
            RpcMessage.Notification notification => $"notification {notification.Method} ({Raw(notification.Params)})",
            RpcMessage.Response { Error: { } error } response => $"response {response.Id?.Json ?? "-"} failed {error.Code} {error.Message}",
            RpcMessage.Response response => $"response {response.Id?.Json ?? "-"} {Raw(response.Result)}",
            RpcMessage.Invalid invalid => $"invalid {invalid.Reason}",
            _ => "?",
        };
        Assert.Equal(expected, shown);

        static string Raw(System.Text.Json.JsonElement element) => element.ValueKind == System.Text.Json.JsonValueKind.Undefined ? "" : element.GetRawText();
    }
}
