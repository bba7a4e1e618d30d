// Somebody who types a passage key by key in real time, looks at what is suggested, and takes what is worth it.
using System.Diagnostics;

namespace LlmAssist.Bench;

/// <summary>How somebody types.</summary>
/// <param name="Key">Between two keys.</param>
/// <param name="Pause">Before the first key of each line; zero for none.</param>
internal sealed record LaneRhythm(TimeSpan Key, TimeSpan Pause);

/// <summary>What came of typing.</summary>
internal sealed class LaneTally
{
    /// <summary>Keys that it would have taken without help.</summary>
    public int Needed { get; set; }

    /// <summary>Keys that it took; taking a suggestion is one. Before each the screen was looked at.</summary>
    public int Keys { get; set; }

    /// <summary>Looks that found something useful, by who proposed it.</summary>
    public Dictionary<string, int> Useful { get; } = [];

    /// <summary>Looks that found something wrong.</summary>
    public int Wrong { get; set; }

    /// <summary>Suggestions taken, by who proposed them.</summary>
    public Dictionary<string, int> Accepted { get; } = [];

    /// <summary>Milliseconds from a key to the useful text that it brought onto the screen.</summary>
    public List<double> UntilUseful { get; } = [];

    /// <summary>Useful texts that came while another suggestion stood there, and were not seen.</summary>
    public int Unseen { get; set; }

    public double UsefulShare => (double)Useful.Values.Sum() / Keys;

    public double WrongShare => (double)Wrong / Keys;

    public double Saved => 1 - ((double)Keys / Needed);
}

/// <summary>Types passages with one assistant's help.</summary>
internal sealed class LaneTypist(ILaneAssistant assistant, LaneRhythm rhythm)
{
    private const int LeastUseful = 2; // visible characters
    private const int LeastWorthTaking = 8; // of them, unless the line ends

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly LaneTally _tally = new();
    private LaneSuggestion? _shown;
    private LanePassage? _passage;
    private int _at;
    private int _key;
    private long _keyAt;

    /// <summary>Whether a text at a place of a passage is worth reading: it is how the passage goes on, and more than a character.</summary>
    public static bool IsUseful(string text, LanePassage passage, int at) => LeastUseful <= Visible(text) && IsRight(text, passage, at);

    /// <summary>Types passages to their end, one after the other.</summary>
    public async Task<LaneTally> TypeAsync(IReadOnlyList<LanePassage> passages)
    {
        foreach (var passage in passages)
        {
            await TypeAsync(passage);
        }

        return _tally;
    }

    private async Task TypeAsync(LanePassage passage)
    {
        var document = new LaneDocument(passage.Before + passage.After, passage.Before.Length);
        assistant.Open(passage, document);
        lock (_gate)
        {
            (_passage, _at, _shown) = (passage, 0, null);
            _tally.Needed += passage.Keys;
        }

        while (_at < passage.Typed.Length)
        {
            await WaitAsync(passage);
            var (inserted, accepted, key) = Press(passage);
            assistant.Insert(document, inserted, accepted, suggestion => Show(key, suggestion));
            document = document.With(inserted);
        }
    }

    // Until the next key is due. People think before they begin a line, and may find there that they need not.
    private async Task WaitAsync(LanePassage passage)
    {
        var begun = Stopwatch.GetTimestamp();
        var isLineBegin = passage.Typed[_at] != '\n' && _at != 0 && passage.Typed.AsSpan(0, _at).TrimEnd([' ', '\t']) is [.., '\n'];
        do
        {
            await Task.Delay(rhythm.Key, TimeProvider.System, CancellationToken.None);
        }
        while (isLineBegin && Stopwatch.GetElapsedTime(begun) < rhythm.Pause && !IsWorthTaking());
    }

    // One look at the screen, and the key that it leads to.
    private (string Inserted, LaneSuggestion? Accepted, int Key) Press(LanePassage passage)
    {
        lock (_gate)
        {
            var accepted = IsWorthTakingLocked() ? _shown : null;
            _tally.Keys++;
            if (_shown is { } shown && IsUsefulLocked(shown))
            {
                Count(_tally.Useful, shown.Lane);
            }
            else if (_shown is not null && !IsRightLocked(_shown))
            {
                _tally.Wrong++;
            }

            var inserted = accepted?.Text ?? passage.KeyAt(_at);
            if (accepted is not null)
            {
                Count(_tally.Accepted, accepted.Lane);
            }

            // What is typed into stays, as VS Code has it.
            _shown = _shown is { } stays && inserted.Length < stays.Text.Length && stays.Text.StartsWith(inserted, StringComparison.Ordinal)
                ? stays with { Text = stays.Text[inserted.Length..] }
                : null;
            _at += inserted.Length;
            _keyAt = Stopwatch.GetTimestamp();
            return (inserted, accepted, ++_key);
        }
    }

    // VS Code puts a new answer behind the suggestion that the user is typing into: that one stays for as long as it fits.
    private void Show(int key, LaneSuggestion? suggestion)
    {
        lock (_gate)
        {
            if (key != _key || suggestion is null)
            {
                return;
            }

            if (_shown is not null)
            {
                _tally.Unseen += !IsUsefulLocked(_shown) && IsUsefulLocked(suggestion) ? 1 : 0;
                return;
            }

            _shown = suggestion;
            if (IsUsefulLocked(suggestion))
            {
                _tally.UntilUseful.Add(Stopwatch.GetElapsedTime(_keyAt).TotalMilliseconds);
            }
        }
    }

    private bool IsWorthTaking()
    {
        lock (_gate)
        {
            return IsWorthTakingLocked();
        }
    }

    private bool IsWorthTakingLocked()
    {
        if (_shown is not { } shown || !IsUsefulLocked(shown))
        {
            return false;
        }

        var end = _at + shown.Text.Length;
        return LeastWorthTaking <= Visible(shown.Text) || shown.Text.Contains('\n') || end == _passage!.Typed.Length || _passage.Typed[end] == '\n';
    }

    private bool IsUsefulLocked(LaneSuggestion suggestion) => IsUseful(suggestion.Text, _passage!, _at);

    private bool IsRightLocked(LaneSuggestion suggestion) => IsRight(suggestion.Text, _passage!, _at);

    private static bool IsRight(string text, LanePassage passage, int at) => passage.Typed.AsSpan(at).StartsWith(text);

    private static int Visible(string text) => text.Count(static unit => !char.IsWhiteSpace(unit));

    private static void Count(Dictionary<string, int> counts, string lane) => counts[lane] = counts.GetValueOrDefault(lane) + 1;
}
