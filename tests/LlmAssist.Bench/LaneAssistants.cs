// What answers somebody who types: our server as an editor uses it, or a client of Ollama that does nothing but wait for a pause.
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Text;

namespace LlmAssist.Bench;

/// <summary>A document that is typed into.</summary>
/// <param name="Text">All of it.</param>
/// <param name="Cursor">An offset in it.</param>
internal sealed record LaneDocument(string Text, int Cursor)
{
    public LaneDocument With(string inserted) => new(Text.Insert(Cursor, inserted), Cursor + inserted.Length);
}

/// <summary>A suggestion.</summary>
/// <param name="Text">What would be inserted at the cursor.</param>
/// <param name="Lane">Who proposed it.</param>
/// <param name="Accepted">What is to be executed when it was inserted; null for nothing.</param>
internal sealed record LaneSuggestion(string Text, string Lane, JsonNode? Accepted);

/// <summary>Answers one typist, who waits for nothing.</summary>
internal interface ILaneAssistant : IAsyncDisposable
{
    /// <summary>A document is opened; the former one is of no more interest.</summary>
    void Open(LanePassage passage, LaneDocument document);

    /// <summary>The user has inserted something at the cursor. What comes of it is told on any thread, or not at all.</summary>
    void Insert(LaneDocument before, string inserted, LaneSuggestion? accepted, Action<LaneSuggestion?> show);
}

/// <summary>Our server, spoken to as VS Code does: change, cancel what is open, ask.</summary>
internal sealed class ServerAssistant(LiveEditor editor) : ILaneAssistant
{
    private string _uri = "";
    private int _version;
    private (int Id, Task Answer) _asked = (0, Task.CompletedTask);

    public void Open(LanePassage passage, LaneDocument document)
    {
        _uri = new Uri(passage.File.FullPath).AbsoluteUri;
        _version = 1;
        editor.Tell("textDocument/didOpen", new()
        {
            ["textDocument"] = new JsonObject { ["uri"] = _uri, ["languageId"] = passage.File.Language.Id, ["version"] = 1, ["text"] = document.Text },
        });
    }

    public void Insert(LaneDocument before, string inserted, LaneSuggestion? accepted, Action<LaneSuggestion?> show)
    {
        Change(before, inserted);
        if (accepted?.Accepted is { } command)
        {
            _ = editor.AskAsync("workspace/executeCommand", new() { ["command"] = command["command"]!.DeepClone(), ["arguments"] = command["arguments"]!.DeepClone() });
        }

        if (!_asked.Answer.IsCompleted)
        {
            editor.Cancel(_asked.Id);
        }

        var answer = Ask(before.With(inserted), triggerKind: 2, out var id);
        _asked = (id, answer);
        _ = ShowAsync(answer, before.With(inserted), show);
    }

    public void Change(LaneDocument before, string inserted) => editor.Tell("textDocument/didChange", new()
    {
        ["textDocument"] = new JsonObject { ["uri"] = _uri, ["version"] = ++_version },
        ["contentChanges"] = new JsonArray(new JsonObject
        {
            ["range"] = new JsonObject { ["start"] = Position(before), ["end"] = Position(before) },
            ["text"] = inserted,
        }),
    });

    /// <param name="triggerKind">1 where the user asks, 2 where they just type.</param>
    public Task<JsonObject> Ask(LaneDocument document, int triggerKind, out int id) => editor.Ask(
        "textDocument/inlineCompletion",
        new()
        {
            ["textDocument"] = new JsonObject { ["uri"] = _uri },
            ["position"] = Position(document),
            ["context"] = new JsonObject { ["triggerKind"] = triggerKind },
        },
        out id);

    public ValueTask DisposeAsync() => editor.DisposeAsync();

    private static async Task ShowAsync(Task<JsonObject> answer, LaneDocument document, Action<LaneSuggestion?> show)
    {
        // An error is the answer to what was canceled, and shows nothing either.
        var items = (await answer)["result"]?["items"]?.AsArray();
        show(items is null or [] ? null : Suggestion(items[0]!, document));
    }

    private static LaneSuggestion Suggestion(JsonNode item, LaneDocument document)
    {
        var position = Position(document);
        var typed = position["character"]!.GetValue<int>() - item["range"]!["start"]!["character"]!.GetValue<int>();
        var command = item["command"]!;
        return new(item["insertText"]!.GetValue<string>()[typed..], command["arguments"]![0]!["lane"]!.GetValue<string>(), command);
    }

    private static JsonObject Position(LaneDocument document)
    {
        var before = document.Text.AsSpan(0, document.Cursor);
        return new() { ["line"] = before.Count('\n'), ["character"] = document.Cursor - (before.LastIndexOf('\n') + 1) };
    }
}

/// <summary>
/// The usual plain way: so long after the last key the model is asked for the rest of the line; a key cancels; what has come is shown
/// when it is complete.
/// </summary>
internal sealed class DebouncingAssistant(OllamaClient client, string model, int contextTokens, TimeSpan wait) : ILaneAssistant
{
    private readonly FimTemplate _template = FimTemplate.Detect(new(model, "", [], "")) is FimSupport.Known known
        ? known.Template
        : throw new UnreachableException("The stand-in's model has a layout of its own.");

    private CancellationTokenSource _pending = new();
    private LanePassage? _passage;

    public void Open(LanePassage passage, LaneDocument document)
    {
        _pending.Cancel();
        _passage = passage;
    }

    public void Insert(LaneDocument before, string inserted, LaneSuggestion? accepted, Action<LaneSuggestion?> show)
    {
        _pending.Cancel();
        _pending = new();
        _ = AskAsync(_passage!, before.With(inserted), show, _pending.Token);
    }

    public ValueTask DisposeAsync()
    {
        _pending.Cancel();
        _pending.Dispose();
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AskAsync(LanePassage passage, LaneDocument document, Action<LaneSuggestion?> show, CancellationToken cancellation)
    {
        try
        {
            var sampling = new OllamaSampling();
            await Task.Delay(wait, TimeProvider.System, cancellation);
            var parts = PromptBudget.Of(contextTokens, sampling.MaxTokens, default)
                .Cut(new(document.Text), document.Cursor, passage.File.Language, Path.GetFileName(passage.File.FullPath), "bench", NeighborChunks.Empty);
            var request = new GenerateRequest(model, _template.Render(parts))
            {
                Raw = true,
                ContextTokens = contextTokens,
                MaxTokens = sampling.MaxTokens,
                Temperature = sampling.Temperature,
                Stop = [.. _template.Stops, "\n"],
            };
            var text = new StringBuilder();
            await foreach (var piece in client.GenerateAsync(request, cancellation))
            {
                text.Append(piece.Text);
            }

            cancellation.ThrowIfCancellationRequested();
            show(text.Length == 0 ? null : new(text.ToString(), "ollama", null));
        }
        catch (OperationCanceledException)
        {
            // A key was pressed.
        }
    }
}
