// didOpen, didChange, didClose: the documents of the session.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Handlers;

/// <summary>Keeps the open documents as the client has them.</summary>
internal sealed class TextSyncHandlers(CompletionEngine engine, ClientLink client)
{
    public void DidOpen(Session.Session session, DidOpenParams parameters)
    {
        var item = parameters.TextDocument;
        var language = Language.ById(item.LanguageId);
        if (language == Language.PlainText && LspConvert.PathOf(item.Uri) is { } path)
        {
            // Editors differ in their ids; the file's name is the better witness then.
            language = Language.ByPath(path);
        }

        var document = new Document(item.Uri, language, item.Version, new(item.Text));
        session.Now = session.Now with { Documents = session.Now.Documents.SetItem(item.Uri, document) };
        _ = Task.Run(() => engine.Observe(document.Uri, document.Text, document.Language));
    }

    /// <remarks>A change that cannot be right is applied as far as it makes sense: the client's next full text mends it.</remarks>
    public void DidChange(Session.Session session, DidChangeParams parameters)
    {
        if (!session.Now.Documents.TryGetValue(parameters.TextDocument.Uri, out var document))
        {
            client.Log(MessageType.Warning, $"didChange for {parameters.TextDocument.Uri}, which is not open.");
            return;
        }

        var text = document.Text;
        foreach (var change in parameters.ContentChanges)
        {
            text = change.Range is null ? new(change.Text) : text.With(LspConvert.Edit(text, change, session.Now.Encoding));
        }

        document = document with { Text = text, Version = parameters.TextDocument.Version ?? -1 };
        session.Now = session.Now with { Documents = session.Now.Documents.SetItem(document.Uri, document) };
    }

    public void DidClose(Session.Session session, DidCloseParams parameters)
    {
        session.Now = session.Now with { Documents = session.Now.Documents.Remove(parameters.TextDocument.Uri) };
        _ = Task.Run(() => engine.Forget(parameters.TextDocument.Uri));
    }
}
