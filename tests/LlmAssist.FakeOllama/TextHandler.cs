// Answers /api/generate and /api/chat: the two differ in where the text stands, in a request and in a reply, and in a few errors.
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace LlmAssist.FakeOllama;

/// <summary>Generates, loads and unloads. Safe on any thread.</summary>
internal sealed class TextHandler(Scenario scenario, TimeProvider time, Runners runners, Scheduler scheduler, Improviser improviser, Func<string, FakeModel?> find)
{
    private const int DefaultPieces = 64;

    // The server takes a model that says the same so often for a broken one.
    private const int MostEqualPieces = 30;

    private const string DeadRunner =
        "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details";

    /// <summary>What a request wants continued; empty for one that only loads or unloads.</summary>
    public static FimPrompt PromptOf(string path, JsonObject body)
    {
        if (path == "/api/chat")
        {
            var messages = (body["messages"] as JsonArray)?.OfType<JsonObject>().Select(message => Text(message, "content") ?? "") ?? [];
            return FimPrompt.Read(string.Join('\n', messages));
        }

        var prompt = Text(body, "prompt") ?? "";
        var suffix = Text(body, "suffix") ?? "";
        return suffix.Length == 0 ? FimPrompt.Read(prompt) : new(prompt, suffix, null);
    }

    /// <summary>Whether a request has text generated, rather than only loading or unloading.</summary>
    public static bool IsGeneration(string path, JsonObject? body) => path switch
    {
        "/api/generate" => !string.IsNullOrEmpty(Text(body, "prompt")),
        "/api/chat" => body?["messages"] is JsonArray { Count: > 0 },
        _ => false,
    };

    /// <summary>Serves a request whose members have the right types.</summary>
    /// <param name="gone">The client has left.</param>
    public async Task ServeAsync(ReplyWriter writer, string path, JsonObject body, bool streams, CancellationToken gone)
    {
        var isChat = path == "/api/chat";
        var name = Text(body, "model") ?? "";
        if (GoRules.KeepAlive(body["keep_alive"], out var session) is { } problem)
        {
            await writer.ErrorAsync(400, problem, streams);
            return;
        }

        if (Unknown(isChat, name) is { } unknown)
        {
            await writer.ErrorAsync(unknown.Status, unknown.Text, streams);
            return;
        }

        var model = find(name)!;
        var generates = IsGeneration(path, body);
        if (!generates && session == TimeSpan.Zero)
        {
            runners.Unload(model);
            await writer.ObjectAsync(Frame(isChat, name, "", "unload"));
            return;
        }

        if (Refusal(isChat, model, name, body) is { } refusal)
        {
            await writer.ErrorAsync(refusal.Status, refusal.Text, streams);
            return;
        }

        // A dead runner is noticed by using it.
        if (writer.Fault?.Kind == FaultKind.DeadRunner)
        {
            runners.Crash(model);
        }

        if (runners.Bury(model) || writer.Fault?.Kind == FaultKind.DeadRunner)
        {
            await writer.ErrorAsync(500, DeadRunner, streams);
            return;
        }

        var begun = time.GetTimestamp();
        var (runner, error) = await scheduler.BeginAsync(model, RunnerOptions.Of(model, body), session, writer.Fault?.Kind == FaultKind.LoadCrash, () => writer.IsClientGone, gone);
        if (runner is null)
        {
            await writer.ErrorAsync(error.Status, error.Text, streams);
            return;
        }

        try
        {
            if (!generates)
            {
                await writer.ObjectAsync(Frame(isChat, name, "", "load"));
                return;
            }

            using var ended = CancellationTokenSource.CreateLinkedTokenSource(gone, runner.Death.Token);
            try
            {
                await runner.Slots.WaitAsync(ended.Token);
                try
                {
                    await GenerateAsync(writer, model, path, body, streams, begun, ended.Token);
                }
                finally
                {
                    runner.Slots.Release();
                }
            }
            catch (OperationCanceledException) when (runner.IsDead && !gone.IsCancellationRequested)
            {
                await writer.ErrorAsync(500, "an error was encountered while running the model: unexpected EOF", streams);
            }
        }
        finally
        {
            runners.End(runner);
        }
    }

    /// <summary>A time as Go writes it, but with a fixed number of digits.</summary>
    public string Timestamp(DateTimeOffset moment, bool local)
    {
        var face = local ? moment.ToOffset(TimeSpan.FromHours(scenario.OffsetHours)) : moment.ToUniversalTime();
        var nanoseconds = ((face.Ticks % TimeSpan.TicksPerSecond) * TimeSpan.NanosecondsPerTick).ToString("D9", CultureInfo.InvariantCulture);
        var fraction = scenario.FractionDigits == 0 ? "" : $".{nanoseconds[..scenario.FractionDigits]}";
        return face.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + fraction + (local ? face.ToString("zzz", CultureInfo.InvariantCulture) : "Z");
    }

    private (int Status, string Text)? Unknown(bool isChat, string name) =>
        isChat && name.Length == 0 ? (400, "model is required")
        : name.Length != 0 && !ModelNames.IsValid(name) ? (400, "invalid model name")
        : find(name) is null ? (404, $"model '{name}' not found")
        : null;

    private static (int Status, string Text)? Refusal(bool isChat, FakeModel model, string name, JsonObject body)
    {
        if (!model.Capabilities.Contains("completion"))
        {
            return (400, $"\"{name}\" does not support {(isChat ? "chat" : "generate")}");
        }

        // Refused also with raw, where the suffix is of no use.
        if (!isChat && !string.IsNullOrEmpty(Text(body, "suffix")) && !model.Capabilities.Contains("insert"))
        {
            return (400, $"{ModelNames.Full(name)} does not support insert");
        }

        if (isChat && body["tools"] is JsonArray { Count: > 0 } && !model.Capabilities.Contains("tools"))
        {
            return (400, $"{ModelNames.Full(name)} does not support tools");
        }

        if (body["think"] is JsonValue think && think.ToString() != "false" && !model.Capabilities.Contains("thinking"))
        {
            return (400, $"\"{name}\" does not support thinking");
        }

        if (!isChat && IsTrue(body, "raw") && (body["system"] ?? body["template"] ?? body["context"]) is not null)
        {
            return (400, "raw mode does not support template, system, or context");
        }

        return GoRules.OptionMisfit(body) is { } misfit ? (500, misfit) : null;
    }

    private async Task GenerateAsync(ReplyWriter writer, FakeModel model, string path, JsonObject body, bool streams, long begun, CancellationToken ended)
    {
        var isChat = path == "/api/chat";
        var name = Text(body, "model")!;
        var prompt = PromptOf(path, body);
        var loaded = time.GetElapsedTime(begun);
        await Task.Delay(TimeSpan.FromMilliseconds(scenario.FirstFrameMilliseconds), time, ended);
        var evaluated = time.GetTimestamp();
        var limit = GoRules.Whole(body, "num_predict") is { } wanted and > 0 ? wanted : DefaultPieces;
        var stops = ((body["options"] as JsonObject)?["stop"] as JsonArray)?.Select(stop => stop!.ToString()).ToList() ?? [];
        var text = new StringBuilder();
        var (count, reason, equal, before) = (0, "stop", 0, "");
        foreach (var piece in UpToStop(model.Reply is null ? improviser.Continue(prompt) : Improviser.Pieces(model.Reply), stops))
        {
            if (count == limit)
            {
                reason = "length";
                break;
            }

            count++;
            text.Append(piece);
            equal = piece.Trim() == before ? equal + 1 : 0;
            before = piece.Trim();
            if (equal == MostEqualPieces)
            {
                await AbortAsync(writer, isChat, name, text.ToString(), streams);
                return;
            }

            if (streams)
            {
                await writer.FrameAsync(Frame(isChat, name, piece, null), ended);
            }
            else
            {
                await Task.Delay(TimeSpan.FromMilliseconds(scenario.FrameMilliseconds), time, ended);
            }
        }

        var last = Frame(isChat, name, streams ? "" : text.ToString(), reason);
        if (!isChat && !IsTrue(body, "raw"))
        {
            last["context"] = new JsonArray(1, 2, 3);
        }

        // What is zero is left out.
        var evaluation = scenario.FirstFrameMilliseconds == 0 ? 90_000_000 : scenario.FirstFrameMilliseconds * 1_000_000L;
        Set("total_duration", (long)time.GetElapsedTime(begun).TotalNanoseconds + 100_000_000);
        Set("load_duration", (long)loaded.TotalNanoseconds);
        Set("prompt_eval_count", Improviser.Pieces(prompt.Before + prompt.After).Count());
        Set("prompt_eval_duration", evaluation);
        Set("eval_count", count);
        Set("eval_duration", (long)time.GetElapsedTime(evaluated).TotalNanoseconds);
        if (streams)
        {
            await writer.FrameAsync(last, isLast: true);
            await writer.EndAsync();
            return;
        }

        await writer.ObjectAsync(last);

        void Set(string member, long value)
        {
            if (value != 0)
            {
                last[member] = value;
            }
        }
    }

    private async Task AbortAsync(ReplyWriter writer, bool isChat, string name, string text, bool streams) =>
        await (streams ? writer.EndAsync() : writer.ObjectAsync(Frame(isChat, name, text, null)));

    private JsonObject Frame(bool isChat, string model, string text, string? reason)
    {
        var frame = new JsonObject { ["model"] = model, ["created_at"] = Timestamp(time.GetUtcNow(), local: false) };
        if (isChat)
        {
            frame["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text };
        }
        else
        {
            frame["response"] = text;
        }

        frame["done"] = reason is not null;
        if (reason is not null)
        {
            frame["done_reason"] = reason;
        }

        return frame;
    }

    private static IEnumerable<string> UpToStop(IEnumerable<string> pieces, IReadOnlyList<string> stops)
    {
        var text = "";
        foreach (var piece in pieces)
        {
            text += piece;
            var end = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => 0 <= at).DefaultIfEmpty(-1).Min();
            if (0 <= end)
            {
                var kept = piece.Length - (text.Length - end);
                if (0 < kept)
                {
                    yield return piece[..kept];
                }

                yield break;
            }

            yield return piece;
        }
    }

    private static bool IsTrue(JsonObject body, string member) => body[member] is JsonValue value && value.TryGetValue(out bool truth) && truth;

    private static string? Text(JsonObject? body, string member) => body?[member] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
