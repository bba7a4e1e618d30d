// Records of the two completion surfaces: the list, and ghost text as of LSP 3.18.
namespace LlmAssist.Server.Lsp;

internal sealed record CompletionParams
{
    public required TextDocumentIdentifier TextDocument { get; init; }

    public required Position Position { get; init; }

    public CompletionTrigger? Context { get; init; }
}

/// <param name="TriggerKind">1 invoked (typing included), 2 trigger character, 3 again for an incomplete list.</param>
internal sealed record CompletionTrigger(int TriggerKind, string? TriggerCharacter = null);

internal sealed record CompletionList(bool IsIncomplete, IReadOnlyList<CompletionItem> Items);

internal sealed record CompletionItem
{
    public required string Label { get; init; }

    /// <summary>Of LSP's kinds we use Text 1, Variable 6, Keyword 14, Snippet 15.</summary>
    public required int Kind { get; init; }

    public string? Detail { get; init; }

    public CompletionItemLabelDetails? LabelDetails { get; init; }

    public required string SortText { get; init; }

    public required string FilterText { get; init; }

    public required TextEditItem TextEdit { get; init; }

    public CommandItem? Command { get; init; }
}

/// <param name="Description">Stands at the far end of the entry.</param>
internal sealed record CompletionItemLabelDetails(string Description);

internal sealed record TextEditItem(Range Range, string NewText);

internal sealed record CommandItem(string Title, string Command, IReadOnlyList<AcceptedArgument> Arguments);

/// <summary>Argument of llmAssist.completion.accepted.</summary>
/// <param name="Length">UTF-16 code units inserted.</param>
internal sealed record AcceptedArgument(string Surface, string Lane, int Length);

internal sealed record InlineCompletionParams
{
    public required TextDocumentIdentifier TextDocument { get; init; }

    public required Position Position { get; init; }

    public InlineCompletionTrigger? Context { get; init; }
}

/// <param name="TriggerKind">1 invoked, 2 automatic. Some clients send 0 for invoked.</param>
internal sealed record InlineCompletionTrigger(int TriggerKind, SelectedCompletionInfo? SelectedCompletionInfo = null);

internal sealed record SelectedCompletionInfo(Range Range, string Text);

internal sealed record InlineCompletionList(IReadOnlyList<InlineCompletionItem> Items);

/// <param name="Range">On one line; covers what is typed of the text.</param>
internal sealed record InlineCompletionItem(string InsertText, string? FilterText, Range Range, CommandItem Command);
