// Everything that can wake the loop.
using LlmAssist.Server.Rpc;

namespace LlmAssist.Server.Session;

/// <summary>What can happen. The cases below are all there are.</summary>
internal abstract record ServerEvent
{
    private ServerEvent()
    {
    }

    /// <summary>A request or a notification came in.</summary>
    public sealed record Received(RpcMessage Message) : ServerEvent;

    /// <summary>A read handler is done.</summary>
    public sealed record Finished(RequestId Id, Outcome Outcome) : ServerEvent;

    /// <summary>Work off the loop wants the session changed.</summary>
    public sealed record Posted(Action<Session> Change) : ServerEvent;

    /// <summary>Nothing more will come in.</summary>
    /// <param name="Fault">Why, if the input broke rather than ended.</param>
    public sealed record InputEnded(string? Fault) : ServerEvent;

    /// <summary>The client's process is gone.</summary>
    public sealed record ClientDied : ServerEvent;

    /// <summary>The requests that ran when the session began to end have had their time.</summary>
    public sealed record GraceOver : ServerEvent;
}

/// <summary>How a request ended.</summary>
internal abstract record Outcome
{
    private Outcome()
    {
    }

    /// <param name="Json">The result as JSON.</param>
    public sealed record Result(ReadOnlyMemory<byte> Json) : Outcome
    {
        public static readonly Result Null = new("null"u8.ToArray());
    }

    /// <param name="Code">One of <see cref="RpcErrorCode"/>.</param>
    /// <param name="Reason">For the user where a command failed; for a log otherwise.</param>
    public sealed record Failure(int Code, string Reason) : Outcome;
}
