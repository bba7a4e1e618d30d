// What the server knows of its client's session. Mutable, and changed by the loop only.
using System.Collections.Immutable;
using LlmAssist.Engine;
using LlmAssist.Engine.Text;

namespace LlmAssist.Server.Session;

/// <summary>An open document.</summary>
/// <param name="LanguageId">As the client calls it, and the settings too.</param>
/// <param name="Version">As the client counts; -1 if it does not.</param>
internal sealed record Document(string Uri, string LanguageId, Language Language, int Version, SourceText Text);

/// <summary>What the client can do, as far as it matters to us.</summary>
internal sealed record ClientFeatures
{
    public bool ShowsInlineCompletion { get; init; }

    /// <summary>Whether its list has room for who offers an entry.</summary>
    public bool ShowsLabelDetails { get; init; }

    public bool ShowsProgress { get; init; }

    public bool HasConfiguration { get; init; }

    public bool RegistersConfiguration { get; init; }

    public bool RegistersWatchedFiles { get; init; }

    /// <summary>Whether it changes a setting of ours when it is asked to.</summary>
    public bool UpdatesSettings { get; init; }
}

/// <summary>An immutable view of the session: what handlers off the loop work on.</summary>
internal sealed record SessionSnapshot
{
    public ImmutableDictionary<string, Document> Documents { get; init; } = ImmutableDictionary<string, Document>.Empty;

    /// <summary>Absolute paths of the workspace's folders.</summary>
    public ImmutableArray<string> Folders { get; init; } = [];

    public ServerSettings Settings { get; init; } = new();

    /// <summary>Whether the settings are those of the client, as far as it has any.</summary>
    public bool HasSettings { get; init; }

    public PositionEncoding Encoding { get; init; } = PositionEncoding.Utf16;

    /// <summary>The client's language.</summary>
    public Speech Speech { get; init; } = Speech.English;

    public ClientFeatures Client { get; init; } = new();

    /// <summary>Whether the client wants to be told of every completion.</summary>
    public bool IsTraced { get; init; }
}

/// <summary>Where a session is in its life.</summary>
internal enum SessionStage
{
    New,
    Initialized,
    ShutDown,
}

/// <summary>The session itself: a snapshot that is replaced, and what nobody off the loop needs to see.</summary>
internal sealed class Session
{
    private readonly HashSet<string> _reported = [];

    public SessionStage Stage { get; set; }

    /// <summary>The present state. Replaced as a whole by change handlers.</summary>
    public SessionSnapshot Now { get; set; } = new();

    /// <summary>The client's process, which we do not outlive; null if it did not say.</summary>
    public int? ClientProcessId { get; set; }

    /// <summary>Those of <paramref name="problems"/> that the user has not been told yet; they count as told from here on.</summary>
    public IReadOnlyList<Phrase> NotYetReported(IReadOnlyList<Phrase> problems) => [.. problems.Where(problem => _reported.Add(problem.English))];
}
