// What the user has typed at a place since it was looked at. Text in, text out; shared by all that remember suggestions.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>Compares a document with what it was when somebody was asked about a place in it.</summary>
internal static class TypeThrough
{
    // Code units around the place that must be as they were. What lies farther off decided little, and comparing it would cost
    // a millisecond in a large file.
    private const int Reach = 20_000;

    private const string Openers = "([{\"'`";
    private const string Closers = ")]}\"'`";

    /// <summary>
    /// What stands between the place and the cursor, with LF as line end; null if anything else has changed, as when the user has
    /// deleted something or gone elsewhere. Closing brackets and quotes that the editor has put right of the cursor for those
    /// that the user typed are no change.
    /// </summary>
    /// <param name="then">The document as it was.</param>
    /// <param name="place">The place, an offset in it.</param>
    /// <param name="now">The document as it is.</param>
    /// <param name="cursor">The cursor; null if only the document is known, then closers count as the editor's.</param>
    public static string? TypedSince(SourceText then, int place, SourceText now, int? cursor)
    {
        var grown = now.Length - then.Length;
        if (grown < 0 || now.Length < place)
        {
            return null;
        }

        var before = Math.Max(0, place - Reach);
        if (!then.Content.AsSpan(before, place - before).SequenceEqual(now.Content.AsSpan(before, place - before)))
        {
            return null;
        }

        // All that is new stands in [place, place + grown), and what stood behind the place follows it.
        var behind = Math.Min(Reach, then.Length - place);
        if (!then.Content.AsSpan(place, behind).SequenceEqual(now.Content.AsSpan(place + grown, behind)))
        {
            return null;
        }

        var added = now.Content.AsSpan(place, grown);
        var end = cursor is { } at ? at - place : grown - ClosersAtEnd(added);
        if (end < 0 || grown < end)
        {
            return null;
        }

        var typed = added[..end];
        return AreClosersOf(typed, added[end..]) ? WithLineFeeds(typed.ToString()) : null;
    }

    private static string WithLineFeeds(string text) => text.Contains('\r') ? text.ReplaceLineEndings("\n") : text;

    private static bool AreClosersOf(ReadOnlySpan<char> typed, ReadOnlySpan<char> closers)
    {
        var open = Unclosed(typed);
        foreach (var closer in closers)
        {
            if (!open.TryPop(out var opener) || Closers[Openers.IndexOf(opener)] != closer)
            {
                return false;
            }
        }

        return true;
    }

    // How many of the last characters close what those before them opened, innermost first: 'f(' typed and ')' put behind it. As many
    // as can be: whoever wants to know whether a text can still agree is served best by what is certain to have been typed.
    private static int ClosersAtEnd(ReadOnlySpan<char> added)
    {
        var most = 0;
        for (var count = 1; count <= added.Length && Closers.Contains(added[^count]); count++)
        {
            most = AreClosersOf(added[..^count], added[^count..]) ? count : most;
        }

        return most;
    }

    private static Stack<char> Unclosed(ReadOnlySpan<char> text)
    {
        var open = new Stack<char>();
        foreach (var unit in text)
        {
            var closes = Closers.IndexOf(unit);
            if (0 <= closes && open.TryPeek(out var opener) && Openers.IndexOf(opener) == closes)
            {
                open.Pop();
            }
            else if (Openers.Contains(unit))
            {
                open.Push(unit);
            }
        }

        return open;
    }
}
