// What the server says to its client unasked, and what it asks. Safe on any thread.
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Rpc;

namespace LlmAssist.Server.Session;

/// <summary>The way to the client.</summary>
internal sealed class ClientLink(RpcConnection connection)
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _progress = new();
    private long _lastProgress;

    /// <summary>A line for the log that the client keeps.</summary>
    public void Log(MessageType type, string message) =>
        connection.Notify(LspMethods.LogMessage, new(type, message), LspJson.Default.MessageParams);

    /// <summary>A message that the client shows.</summary>
    public void Show(MessageType type, Phrase phrase, Speech speech) =>
        connection.Notify(LspMethods.ShowMessage, new(type, phrase.In(speech)), LspJson.Default.MessageParams);

    /// <summary>A question that the client shows.</summary>
    /// <returns>Which of the actions the user chose; null for none.</returns>
    /// <exception cref="OperationCanceledException">Canceled, or the connection ended first.</exception>
    public async Task<int?> AskAsync(Phrase question, IReadOnlyList<Phrase> actions, Speech speech, CancellationToken cancellation)
    {
        try
        {
            var answer = await connection.CallAsync(
                LspMethods.ShowMessageRequest,
                new(MessageType.Info, question.In(speech), [.. actions.Select(action => new MessageAction(action.In(speech)))]),
                LspJson.Default.MessageRequestParams,
                cancellation);
            var title = answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("title"u8, out var chosen) && chosen.ValueKind == JsonValueKind.String ? chosen.GetString() : null;
            var index = actions.Select(action => action.In(speech)).ToList().IndexOf(title ?? "");
            return index < 0 ? null : index;
        }
        catch (RpcException)
        {
            // A client that cannot ask: nothing is answered.
            return null;
        }
    }

    /// <summary>Has the client change a setting of the user's.</summary>
    /// <returns>False if it did not.</returns>
    public async Task<bool> UpdateSettingAsync(string key, string value, CancellationToken cancellation)
    {
        try
        {
            await connection.CallAsync(AssistMethods.UpdateSetting, new(key, value), AssistJson.Default.UpdateSettingParams, cancellation);
            return true;
        }
        catch (RpcException exception)
        {
            Log(MessageType.Warning, $"{AssistMethods.UpdateSetting}: {exception.Message}");
            return false;
        }
    }

    /// <summary>A line for a client that traces.</summary>
    public void Trace(string message) => connection.Notify(LspMethods.LogTrace, new(message), LspJson.Default.LogTraceParams);

    public void Status(StatusParams status) => connection.Notify(AssistMethods.Status, status, AssistJson.Default.StatusParams);

    /// <summary>The client's settings; undefined if it does not answer.</summary>
    public async Task<JsonElement> ConfigurationAsync(CancellationToken cancellation)
    {
        try
        {
            var answer = await connection.CallAsync(
                LspMethods.Configuration,
                new([new("llmAssist")]),
                LspJson.Default.ConfigurationParams,
                cancellation);
            return answer.ValueKind == JsonValueKind.Array && answer.GetArrayLength() == 1 ? answer[0] : default;
        }
        catch (RpcException exception)
        {
            Log(MessageType.Warning, $"workspace/configuration: {exception.Message}");
            return default;
        }
    }

    /// <summary>Asks to be told of events that the client must be asked for.</summary>
    public async Task RegisterAsync(IReadOnlyList<Registration> registrations, CancellationToken cancellation)
    {
        try
        {
            await connection.CallAsync(LspMethods.RegisterCapability, new(registrations), LspJson.Default.RegistrationParams, cancellation);
        }
        catch (RpcException exception)
        {
            Log(MessageType.Warning, $"client/registerCapability: {exception.Message}");
        }
    }

    /// <summary>Begins progress that the user sees and may cancel.</summary>
    /// <param name="isShown">Whether the client draws it; if not, the progress is silent.</param>
    /// <param name="isMeasured">Whether it will be told how far it is; if not, the client just shows that something goes on.</param>
    public async Task<ProgressReport> BeginProgressAsync(string title, bool isShown, CancellationToken cancellation, bool isMeasured = true)
    {
        var token = $"llm-assist-{Interlocked.Increment(ref _lastProgress).ToString(CultureInfo.InvariantCulture)}";
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (isShown)
        {
            _progress[token] = source;
            try
            {
                await connection.CallAsync(LspMethods.WorkDoneProgressCreate, new(token), LspJson.Default.ProgressTokenParams, cancellation);
            }
            catch (RpcException)
            {
                // LSP: a client that does not want to show it must get none. The work goes on.
                isShown = false;
                _progress.TryRemove(token, out _);
            }
        }

        var report = new ProgressReport(source, isShown ? value => connection.Notify(LspMethods.Progress, new(token, value), LspJson.Default.ProgressParams) : null, () => _progress.TryRemove(token, out _));
        report.Begin(title, isMeasured);
        return report;
    }

    /// <summary>The user has canceled a progress.</summary>
    public void CancelProgress(string token)
    {
        if (_progress.TryRemove(token, out var source))
        {
            _ = CancelAsync(source);
        }
    }

    // Not on the caller's thread, which is the loop's: what hangs on the token is the work's code.
    private static async Task CancelAsync(CancellationTokenSource source)
    {
        try
        {
            await source.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The work ended at the same moment.
        }
    }
}

/// <summary>A progress that the client shows, until disposed.</summary>
internal sealed class ProgressReport(CancellationTokenSource cancellation, Action<WorkDoneProgress>? send, Action ended) : IDisposable
{
    private int _lastPercentage = -1;

    /// <summary>Canceled when the user cancels the progress, or when its owner is canceled.</summary>
    public CancellationToken Cancellation { get; } = cancellation.Token;

    public void Begin(string title, bool isMeasured) =>
        send?.Invoke(new() { Kind = "begin", Title = title, Cancellable = true, Percentage = isMeasured ? 0 : null });

    /// <summary>Tells how far it is; sends only when the percentage has changed.</summary>
    /// <param name="fraction">0..1.</param>
    public void Report(double fraction, string message)
    {
        var percentage = (int)(Math.Clamp(fraction, 0, 1) * 100);
        if (percentage != _lastPercentage)
        {
            _lastPercentage = percentage;
            send?.Invoke(new() { Kind = "report", Message = message, Percentage = percentage });
        }
    }

    public void Dispose()
    {
        ended();
        send?.Invoke(new() { Kind = "end" });
        cancellation.Dispose();
    }
}
