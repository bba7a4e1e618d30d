// didOpen, didChange, didClose: the documents of the session.
using System.Text;
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
        var (id, language) = (item.LanguageId, Language.ById(item.LanguageId));
        if (language == Language.PlainText && LspConvert.PathOf(item.Uri) is { } path)
        {
            // Editors differ in their ids; the file's name is the better witness then.
            language = Language.ByPath(path);
            id = language == Language.PlainText ? id : language.Id;
        }

        var document = new Document(item.Uri, id, language, item.Version, new(item.Text));
        session.Now = session.Now with { Documents = session.Now.Documents.SetItem(item.Uri, document) };
        var (named, _) = LspConvert.Named(document.Uri, session.Now.Folders);
        _ = Task.Run(() => engine.Observe(document.Uri, document.Text, document.Language, named));
    }

    /// <remarks>A change that cannot be right is applied as far as it makes sense: the client's next full text mends it.</remarks>
    public void DidChange(Session.Session session, DidChangeParams parameters)
    {
        if (!session.Now.Documents.TryGetValue(parameters.TextDocument.Uri, out var document))
        {
            client.Log(MessageType.Warning, $"didChange for {parameters.TextDocument.Uri}, which is not open.");
            return;
        }

        var text = Apply(document.Text, parameters.ContentChanges, session.Now.Encoding);
        document = document with { Text = text, Version = parameters.TextDocument.Version ?? -1 };
        session.Now = session.Now with { Documents = session.Now.Documents.SetItem(document.Uri, document) };
        engine.Edited(document.Uri, text);
    }

    public void DidClose(Session.Session session, DidCloseParams parameters)
    {
        session.Now = session.Now with { Documents = session.Now.Documents.Remove(parameters.TextDocument.Uri) };
        _ = Task.Run(() => engine.Forget(parameters.TextDocument.Uri));
    }

    /// <summary>The text after changes, each of which counts in the text that the one before left.</summary>
    internal static SourceText Apply(SourceText text, IReadOnlyList<TextChange> changes, PositionEncoding encoding)
    {
        // Editors send the edits of many cursors, or of replacing all, from the last to the first. Such a run is one edit: copying
        // a large text once for each would stop the loop for seconds. It may be one because a place before an edit is called the
        // same before and after it. Touching edits are kept apart: a line feed that comes to stand behind a carriage return, or
        // half a surrogate pair behind the other, changes what the place between them is called.
        var run = new List<TextEdit>();
        foreach (var change in changes)
        {
            if (change.Range is null)
            {
                run.Clear();
                text = new(change.Text);
                continue;
            }

            var edit = LspConvert.Edit(text, change, encoding);
            if (run is [.., var last] && last.Start <= edit.End)
            {
                text = text.With(Merged(text, run));
                run.Clear();
                edit = LspConvert.Edit(text, change, encoding);
            }

            run.Add(edit);
        }

        return run.Count == 0 ? text : text.With(Merged(text, run));
    }

    // One edit that does what the run does; the run goes from the last to the first.
    private static TextEdit Merged(SourceText text, List<TextEdit> run)
    {
        if (run is [var only])
        {
            return only;
        }

        var (start, end) = (run[^1].Start, run[0].End);
        var merged = new StringBuilder(end - start);
        var at = start;
        for (var index = run.Count - 1; 0 <= index; index--)
        {
            merged.Append(text.Content, at, run[index].Start - at).Append(run[index].NewText);
            at = run[index].End;
        }

        return new(start, end, merged.ToString());
    }
}
