namespace LlmAssist.Server.Rpc;

/// <summary>Error codes of JSON-RPC 2.0 and of the protocol built on it.</summary>
internal static class RpcErrorCode
{
    public const int ParseError = -32700;
    public const int InvalidRequest = -32600;
    public const int MethodNotFound = -32601;
    public const int InvalidParams = -32602;
    public const int InternalError = -32603;
    public const int ServerNotInitialized = -32002;

    /// <summary>The request was well-formed and could not be done; the message says why.</summary>
    public const int RequestFailed = -32803;
    public const int RequestCancelled = -32800;

    /// <summary>Our own: a model was not loaded because it does not fit within the limit of memory.</summary>
    public const int ModelRefused = -32050;
}

/// <summary>An error that is answered, or was answered, to a request.</summary>
internal sealed class RpcException(int code, string message) : Exception(message)
{
    /// <summary>One of <see cref="RpcErrorCode"/>, or whatever the peer sent.</summary>
    public int Code { get; } = code;
}

/// <summary>The peer's bytes are not frames; there is no way to find the next one, so the connection ends.</summary>
internal sealed class FramingException(string message) : Exception(message);
