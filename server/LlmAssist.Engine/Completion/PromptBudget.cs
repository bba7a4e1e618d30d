// Cuts what stands around the cursor to what fits into the model's context. Knows no model family; FimTemplate writes the prompt.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>What a prompt says, cut to size. All texts have LF as line end.</summary>
internal sealed record PromptParts
{
    /// <summary>The current file, relative to the workspace.</summary>
    public required string Path { get; init; }

    /// <summary>The workspace's name.</summary>
    public required string Repository { get; init; }

    public required Language Language { get; init; }

    /// <summary>Pieces of other files, in stable order.</summary>
    public required IReadOnlyList<CodeChunk> Chunks { get; init; }

    /// <summary>The text above and left of the cursor.</summary>
    public required string Prefix { get; init; }

    /// <summary>The text right of the cursor and below.</summary>
    public required string Suffix { get; init; }
}

/// <summary>How much text a token stands for, learned from what the server counts. A value; measuring gives a new one.</summary>
/// <remarks>
/// A token is assumed to stand for <see cref="CharactersPerToken"/> ASCII characters, or for one UTF-16 code unit of anything else.
/// The rate moves in steps only: a prompt whose cut moves with every answer would never meet the server's prompt cache.
/// </remarks>
internal readonly record struct TokenRate
{
    // Code has 3 to 3.5 characters per token in the tokenizers of fim-capable families.
    private const double Guess = 3;
    private const double Lowest = 1;

    // More than this is no rate: the server did not count what it had in its cache.
    private const double Highest = 6;
    private const double Step = 0.1;
    private const double Weight = 0.25;
    private const int EnoughTokens = 100;

    private readonly double _rate;
    private readonly double _measured;

    private TokenRate(double rate, double measured) => (_rate, _measured) = (rate, measured);

    /// <summary>ASCII characters per token, in [1, 6]; 3 before anything is measured.</summary>
    public double CharactersPerToken => _rate == 0 ? Guess : _rate;

    /// <summary>Takes up a measurement: what became of a prompt.</summary>
    /// <param name="prompt">The prompt as sent.</param>
    /// <param name="evaluatedTokens">The server's <c>prompt_eval_count</c>; 0 if it did not say.</param>
    /// <returns>
    /// The rate after it. Too few tokens say nothing. A rate too high cuts prompts off inside the server, without a word; so it rises
    /// slowly and falls at once.
    /// </returns>
    public TokenRate After(string prompt, int evaluatedTokens)
    {
        var other = prompt.Count(static unit => !char.IsAscii(unit));
        var tokens = evaluatedTokens - other;
        if (evaluatedTokens < EnoughTokens || tokens <= 0)
        {
            return this;
        }

        var seen = (double)(prompt.Length - other) / tokens;
        if (Highest < seen)
        {
            return this;
        }

        seen = Math.Max(seen, Lowest);
        var before = _measured == 0 ? CharactersPerToken : _measured;
        var measured = seen < before ? seen : before + (Weight * (seen - before));
        return Step < Math.Abs((measured / CharactersPerToken) - 1) ? new(measured, measured) : new(CharactersPerToken, measured);
    }
}

/// <summary>How long the parts of a prompt may be.</summary>
/// <param name="Tokens">For the whole prompt: the context less what the answer may take, see <see cref="Of"/>.</param>
/// <param name="Rate">What a token stands for.</param>
internal sealed record PromptBudget(int Tokens, TokenRate Rate)
{
    /// <summary>
    /// The prefix's share. It gets more when the text below the cursor is short, never less: what is typed next depends on it most.
    /// </summary>
    public const double PrefixShare = 0.65;

    /// <summary>The share of the text below the cursor.</summary>
    public const double SuffixShare = 0.2;

    // For the layout's own tokens and for the rate's error: a prompt too long loses its beginning, and with it the tokens that make it one.
    private const double Safety = 0.9;
    private const int LayoutTokens = 16;

    // The prefix begins at the first line behind a multiple of this part of its share, not right where the share ends. So it gives up some
    // text, and in exchange begins at the same place while the user types on.
    private const int StepsInPrefix = 4;

    /// <summary>The room for chunks of other files, in UTF-16 code units.</summary>
    public int ChunkLength => Units(Usable * (1 - PrefixShare - SuffixShare));

    private double Usable => Math.Max(0, (Tokens * Safety) - LayoutTokens);

    /// <summary>The budget in a context.</summary>
    /// <param name="contextTokens">The <c>num_ctx</c> with which the model is loaded.</param>
    /// <param name="answerTokens">The <c>num_predict</c> of the request.</param>
    public static PromptBudget Of(int contextTokens, int answerTokens, TokenRate rate) => new(Math.Max(0, contextTokens - answerTokens), rate);

    /// <summary>
    /// Cuts. The prefix begins and the suffix ends at the start of a line, unless that line alone is too long; the chunks are whole, the first
    /// that fit, without those of the current file.
    /// </summary>
    /// <param name="text">The document.</param>
    /// <param name="offset">The cursor, in [0, text.Length].</param>
    /// <param name="language">The document's language.</param>
    /// <param name="path">The document's path, relative to the workspace.</param>
    /// <param name="repository">The workspace's name.</param>
    /// <param name="neighbors">Collected for <see cref="ChunkLength"/>; empty for a template that cannot carry them.</param>
    public PromptParts Cut(SourceText text, int offset, Language language, string path, string repository, NeighborChunks neighbors)
    {
        var (suffixEnd, suffixTokens) = SuffixEnd(text, offset);
        var prefixTokens = (Usable * (PrefixShare + SuffixShare)) - suffixTokens;
        var prefixStart = PrefixStart(text, offset, prefixTokens);
        return new()
        {
            Path = path,
            Repository = repository,
            Language = language,
            Chunks = Fitting(neighbors, path),
            Prefix = WithLineFeeds(text.Content[prefixStart..offset]),
            Suffix = WithLineFeeds(text.Content[offset..suffixEnd]),
        };
    }

    // The suffix of a document that ends within its share; else the last line start within it.
    private (int End, double Tokens) SuffixEnd(SourceText text, int offset)
    {
        var share = Usable * SuffixShare;
        var tokens = 0.0;
        var end = offset;
        while (end < text.Length && tokens + TokensOf(text.Content[end]) <= share)
        {
            tokens += TokensOf(text.Content[end]);
            end++;
        }

        if (end == text.Length)
        {
            return (end, tokens);
        }

        var lineStart = text.LineStart(text.LineAt(end));
        return (offset < lineStart ? lineStart : WholeCharacter(text, end, offset), share);
    }

    private int PrefixStart(SourceText text, int offset, double share)
    {
        var tokens = 0.0;
        var lowest = offset;
        while (0 < lowest && tokens + TokensOf(text.Content[lowest - 1]) <= share)
        {
            lowest--;
            tokens += TokensOf(text.Content[lowest]);
        }

        if (lowest == 0)
        {
            return 0;
        }

        var step = Math.Max(1, Units(share) / StepsInPrefix);
        var stepped = Math.Min(offset, (lowest + step - 1) / step * step);
        var line = text.LineAt(stepped);
        var lineStart = text.LineStart(line) == stepped ? stepped : line + 1 < text.LineCount ? text.LineStart(line + 1) : text.Length;
        if (lineStart <= text.LineStart(text.LineAt(offset)))
        {
            return lineStart;
        }

        // No line starts between there and the cursor, apart from those that do not fit: the line is cut.
        return stepped < text.Length && char.IsLowSurrogate(text.Content[stepped]) && stepped < offset ? stepped + 1 : stepped;
    }

    private List<CodeChunk> Fitting(NeighborChunks neighbors, string path)
    {
        var room = ChunkLength;
        var chunks = new List<CodeChunk>();
        foreach (var chunk in neighbors.Chunks)
        {
            if (chunk.Path == path)
            {
                continue;
            }

            room -= chunk.Length;
            if (room < 0)
            {
                break;
            }

            chunks.Add(chunk);
        }

        return chunks;
    }

    private double TokensOf(char unit) => char.IsAscii(unit) ? 1 / Rate.CharactersPerToken : 1;

    private int Units(double tokens) => (int)(tokens * Rate.CharactersPerToken);

    private static int WholeCharacter(SourceText text, int end, int offset) =>
        offset < end && char.IsLowSurrogate(text.Content[end]) ? end - 1 : end;

    private static string WithLineFeeds(string text) => text.Contains('\r') ? text.Replace("\r\n", "\n").Replace('\r', '\n') : text;
}
