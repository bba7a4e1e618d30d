// The last suggestion of each document, so that typing into it asks nobody. Memory only; touched by one thread at a time.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>
/// Remembers the last suggestion of a document. A hit is: the text before its place and behind the cursor are as they were, and
/// what was typed since begins the suggestion.
/// </summary>
internal sealed class CompletionCache
{
    private const int Reach = 200; // code units before the place that must be unchanged
    private const int MaximumDocuments = 32;

    private readonly Dictionary<string, Entry> _entries = [];

    /// <summary>Remembers <paramref name="candidate"/> as the suggestion shown at the cursor of <paramref name="query"/>.</summary>
    public void Remember(CompletionQuery query, Candidate candidate)
    {
        if (MaximumDocuments <= _entries.Count && !_entries.ContainsKey(query.Uri))
        {
            _entries.Clear();
        }

        _entries[query.Uri] = new(Before(query.Text, candidate.ReplaceStart), candidate, Behind(query.Text, query.Offset), query.Offset - candidate.ReplaceStart);
    }

    /// <summary>What is left of the last suggestion, if the user has typed nothing but its beginning.</summary>
    public Candidate? TryGet(CompletionQuery query)
    {
        if (!_entries.TryGetValue(query.Uri, out var entry))
        {
            return null;
        }

        var start = entry.Candidate.ReplaceStart;
        if (query.Selected is var (selectedStart, selected)
            && (selectedStart != start || selected.Length == entry.Candidate.Text.Length || !entry.Candidate.Text.StartsWith(selected, StringComparison.Ordinal)))
        {
            // The user has gone on to another entry of the list, which this suggestion does not begin with.
            return null;
        }

        if (query.Text.Length < start || query.Offset - start < entry.ShownAfter)
        {
            return null;
        }

        var typed = query.Text.Content.AsSpan(start, query.Offset - start);
        return typed.Length < entry.Candidate.Text.Length
            && entry.Candidate.Text.AsSpan().StartsWith(typed)
            && Before(query.Text, start) == entry.Before
            && Behind(query.Text, query.Offset) == entry.Behind
            ? entry.Candidate
            : null;
    }

    /// <summary>Forgets what was shown in a document.</summary>
    public void Forget(string uri) => _entries.Remove(uri);

    private static string Before(SourceText text, int offset) => text.Content[Math.Max(0, offset - Reach)..offset];

    private static string Behind(SourceText text, int offset) => text.Content[offset..Math.Max(offset, text.LineEnd(text.LineAt(offset)))];

    private sealed record Entry(string Before, Candidate Candidate, string Behind, int ShownAfter);
}
