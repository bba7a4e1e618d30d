// llmAssist.memory.status, setLimit and history.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Server.Background;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>What memory there is, and how much of it models may take.</summary>
/// <param name="post">Has the session changed on the loop.</param>
internal sealed class MemoryCommands(StatusReporter status, MemoryWork memory, MemoryKeeper keeper, OllamaHost ollama, Action<Action<Session.Session>> post)
{
    private const double Day = 24;

    /// <summary>The memory part of the status, the limits that have a name, and which models of Ollama fit now.</summary>
    public async ValueTask<MemoryStatus> StatusAsync(SessionSnapshot session, Nothing argument, CancellationToken cancellation)
    {
        var now = status.Memory();
        now = now with { Presets = Presets(now.SystemTotalBytes) };
        if (ollama.Endpoint is null)
        {
            return now;
        }

        try
        {
            var fitting = MemoryAdvice.Fitting(
                (await ollama.ListAsync(cancellation)).Where(model => model is { Verdict: not null, FillsMiddle: true }).Select(model => (OllamaHost.IdOf(model.Installed.Name), model.Verdict!)));
            return fitting is { } phrase ? now with { Advice = [.. now.Advice, phrase.In(session.Speech)] } : now;
        }
        catch (OllamaException)
        {
            // Its models are not to be had now; the status says why.
            return now;
        }
    }

    /// <summary>The last hours, up to a day.</summary>
    public ValueTask<HistoryAnswer> HistoryAsync(SessionSnapshot session, HistoryArgument argument, CancellationToken cancellation)
    {
        var hours = argument.Hours ?? Day;
        if (hours is not (> 0 and <= Day))
        {
            throw new UserException(new(
                $"{hours} is no span of the history; expected are hours above 0, at most {Day}.",
                $"{hours} no es un tramo del historial; se esperan horas, más de 0 y como mucho {Day}."));
        }

        var (samples, events) = keeper.History.Read(TimeSpan.FromHours(hours));
        return new(new HistoryAnswer(
            [
                .. samples.Select(sample => new HistorySample(
                    sample.At,
                    sample.Total?.Bytes,
                    sample.Available?.Bytes,
                    sample.Limit.Bytes,
                    [.. sample.Models.Select(share => new HistoryShare(share.Id.ToString(), share.Bytes.Bytes))])),
            ],
            [.. events.Select(happened => new HistoryEvent(happened.At, happened.Kind.ToString().ToLowerInvariant(), happened.Id.ToString(), happened.Bytes.Bytes, happened.Reason.In(session.Speech)))]));
    }

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
            memory.Configure(now.Now);
            done.SetResult();
        });
        await done.Task.WaitAsync(cancellation);
        return new(limit, new Phrase($"The memory limit is {new ByteSize(limit)}.", $"El límite de memoria es de {new ByteSize(limit)}.").In(session.Speech));
    }

    private static LimitPreset[] Presets(long? machine)
    {
        var suits = machine is { } total ? MemoryBudget.PresetFor(new(total)) : null;
        return [.. MemoryBudget.Presets.Select(preset => new LimitPreset(preset.Name, preset.Limit.Bytes, preset.Machine.Bytes, preset.Name == suits))];
    }
}
