// textDocument/completion and textDocument/inlineCompletion: convert, ask the engine, convert back.
using System.Globalization;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Handlers;

/// <summary>The two surfaces. Each idea is shown on one of them: words in the list, continuations as ghost text.</summary>
internal sealed class CompletionHandlers(CompletionEngine engine, ClientLink client)
{
    private const int ListInvoked = 1;
    private const int InlineAutomatic = 2;
    private const string Behind = "~"; // sorts behind digits and letters
    private const int KindVariable = 6;
    private const int KindValue = 12;
    private const int KindKeyword = 14;
    private const int KindSnippet = 15;

    /// <summary>Words for what is typed; for clients without ghost text also the best continuation of the line.</summary>
    public async ValueTask<CompletionList?> ListAsync(SessionSnapshot session, CompletionParams parameters, CancellationToken cancellation)
    {
        if (Query(session, parameters.TextDocument, parameters.Position, CompletionSurface.List, session.Settings.List) is not { } query)
        {
            return null;
        }

        query = query with
        {
            IsExplicit = parameters.Context?.TriggerKind == ListInvoked,
            WithLine = !session.Client.ShowsInlineCompletion && session.Settings.Inline,
        };
        var report = await CompleteAsync(session, query, cancellation);
        var items = report.Items.Select((candidate, index) => Item(query, candidate, index, session));

        // Incomplete: with the next character other words may be the likely ones.
        return new(true, [.. items]);
    }

    /// <summary>The continuation of the line.</summary>
    public async ValueTask<InlineCompletionList?> InlineAsync(SessionSnapshot session, InlineCompletionParams parameters, CancellationToken cancellation)
    {
        if (Query(session, parameters.TextDocument, parameters.Position, CompletionSurface.Inline, session.Settings.Inline) is not { } query)
        {
            return null;
        }

        query = query with
        {
            IsExplicit = parameters.Context is { TriggerKind: not InlineAutomatic },
            Selected = LspConvert.Selected(query.Text, query.Offset, parameters.Context?.SelectedCompletionInfo, session.Encoding),
        };
        var report = await CompleteAsync(session, query, cancellation);
        return new(
        [
            .. report.Items.Select(candidate => new InlineCompletionItem(
                candidate.Text,
                null,
                LspConvert.Range(query.Text, candidate.ReplaceStart, query.Offset, session.Encoding),
                LspConvert.Accepted(candidate, CompletionSurface.Inline))),
        ]);
    }

    // The question, if the document is to be served on this surface; if not, the engine notes why.
    private CompletionQuery? Query(SessionSnapshot session, TextDocumentIdentifier identifier, Position position, CompletionSurface surface, bool isOn)
    {
        Phrase? why = !session.Documents.TryGetValue(identifier.Uri, out var document)
            ? new("The document is not open.", "El documento no está abierto.")
            : session.Settings.Source == CompletionSource.Off
                ? new("Completions are switched off (llmAssist.completion.source).", "Las sugerencias están desactivadas (llmAssist.completion.source).")
                : !isOn
                    ? new(
                        $"This surface is switched off (llmAssist.completion.{LspConvert.SurfaceName(surface)}).",
                        $"Esta forma de sugerencia está desactivada (llmAssist.completion.{LspConvert.SurfaceName(surface)}).")
                    : !session.Settings.Serves(document.LanguageId)
                        ? new(
                            $"Completions are switched off for {document.LanguageId} (llmAssist.completion.languages).",
                            $"Las sugerencias están desactivadas para {document.LanguageId} (llmAssist.completion.languages).")
                        : null;
        if (why is { } reason)
        {
            engine.Decline(identifier.Uri, surface, reason);
            return null;
        }

        var (path, repository) = LspConvert.Named(document!.Uri, session.Folders);
        return new()
        {
            Uri = document.Uri,
            Path = path,
            Repository = repository,
            Language = document.Language,
            Text = document.Text,
            Offset = LspConvert.Offset(document.Text, position, session.Encoding),
            Surface = surface,
        };
    }

    private async ValueTask<CompletionReport> CompleteAsync(SessionSnapshot session, CompletionQuery query, CancellationToken cancellation)
    {
        var report = await engine.CompleteAsync(query, session.Settings.Completion(), cancellation);
        if (session.IsTraced)
        {
            var answer = report.Why?.English ?? $"{report.Items.Count} items, the first {report.Items[0].Confidence:F2} sure";
            client.Trace($"{LspConvert.SurfaceName(report.Surface)} {report.Uri}: {report.Lane}, {answer}; {report.Elapsed.TotalMicroseconds:F0} us");
        }

        return report;
    }

    // Entries below are many and say nothing: "0%".
    private const double LeastShown = 0.01;

    // Other servers offer the same names, and know more of them: what to import, what a method takes. So only an entry that is sure
    // and needs no import, because its name stands in the document already, leads; the others come behind theirs.
    private static CompletionItem Item(CompletionQuery query, Candidate candidate, int index, SessionSnapshot session) => new()
    {
        Label = candidate.Text.Trim(),
        Kind = candidate switch
        {
            { IsLine: true } => KindSnippet,
            { Kind: TokenKind.Keyword } => KindKeyword,
            { Kind: TokenKind.String } => KindValue,
            _ => KindVariable,
        },
        Detail = session.Client.ShowsLabelDetails ? null : Percent(candidate.Confidence).In(session.Speech),
        LabelDetails = session.Client.ShowsLabelDetails ? new(candidate.Confidence < LeastShown ? "LLM Assist" : $"LLM Assist {Percent(candidate.Confidence).In(session.Speech)}") : null,
        SortText = (Leads(query, candidate, session) ? "" : Behind) + index.ToString("D4", CultureInfo.InvariantCulture),
        FilterText = candidate.Text,
        TextEdit = new(LspConvert.Range(query.Text, candidate.ReplaceStart, query.Offset, session.Encoding), candidate.Text),
        Command = LspConvert.Accepted(candidate, CompletionSurface.List),
    };

    private static bool Leads(CompletionQuery query, Candidate candidate, SessionSnapshot session) =>
        session.Settings.MinConfidence <= candidate.Confidence && (candidate.IsLine || LspConvert.HasWord(query.Text, candidate.Text));

    private static Phrase Percent(double fraction) => new(
        string.Create(CultureInfo.InvariantCulture, $"{100 * fraction:F0}%"),
        string.Create(CultureInfo.InvariantCulture, $"{100 * fraction:F0} %"));
}
