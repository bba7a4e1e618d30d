// llmAssist.memory.status and llmAssist.memory.setLimit.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Server.Background;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>What memory there is, and how much of it models may take.</summary>
/// <param name="post">Has the session changed on the loop.</param>
internal sealed class MemoryCommands(StatusReporter status, Action<Action<Session.Session>> post)
{
    public ValueTask<MemoryStatus> StatusAsync(SessionSnapshot session, Nothing argument, CancellationToken cancellation) => new(status.Memory());

    public async ValueTask<SetLimitAnswer> SetLimitAsync(SessionSnapshot session, SetLimitArgument argument, CancellationToken cancellation)
    {
        if (ServerSettings.LimitOf(argument.Limit) is not { } limit)
        {
            throw new UserException(new(
                $"'{argument.Limit}' is no memory limit; expected is one of {string.Join(", ", ServerSettings.MemoryPresets.Keys)} or a number of GiB.",
                $"«{argument.Limit}» no es un límite de memoria; se espera {string.Join(", ", ServerSettings.MemoryPresets.Keys)} o un número de GiB."));
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        post(now =>
        {
            now.Now = now.Now with { Settings = now.Now.Settings with { MemoryLimit = limit } };
            status.Session = now.Now;
            done.SetResult();
        });
        await done.Task.WaitAsync(cancellation);
        return new(limit, new Phrase($"The memory limit is {new ByteSize(limit)}.", $"El límite de memoria es de {new ByteSize(limit)}.").In(session.Speech));
    }
}
