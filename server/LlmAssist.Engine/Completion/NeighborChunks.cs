// Pieces of other files that go into prompts, in an order that spares the server's prompt cache. Who gathers them, and when, is decided elsewhere.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>A piece of a file, whole lines that end with LF.</summary>
/// <param name="Path">The file, as the model shall see it: relative to the workspace, with slashes.</param>
/// <param name="Line">The piece's first line in the file, 0-based.</param>
/// <param name="Text">The lines, without the last line's end.</param>
internal sealed record CodeChunk(string Path, int Line, string Text)
{
    /// <summary>Lines in a chunk, as in llama.vscode.</summary>
    public const int Lines = 64;

    /// <summary>What it takes of a prompt, in UTF-16 code units: its text, and its path with what surrounds it.</summary>
    public int Length => Text.Length + Path.Length + 24;

    /// <summary>
    /// The chunk around a line. Chunks begin at multiples of <see cref="Lines"/>, so that looking at the same place twice gives the same chunk.
    /// </summary>
    /// <param name="path">See <see cref="Path"/>.</param>
    /// <param name="text">The file.</param>
    /// <param name="line">0-based, a line of the file.</param>
    public static CodeChunk Around(string path, SourceText text, int line)
    {
        var first = line / Lines * Lines;
        var last = Math.Min(first + Lines, text.LineCount) - 1;
        var lines = text.Content.AsSpan(text.LineStart(first)..text.LineEnd(last)).TrimEnd();
        return new(path, first, lines.ToString().ReplaceLineEndings("\n"));
    }

    /// <summary>Its first lines, as many as make no more than <paramref name="length"/> of <see cref="Length"/>; blank if there are none.</summary>
    public CodeChunk CutTo(int length)
    {
        if (Length <= length)
        {
            return this;
        }

        var room = length - (Length - Text.Length);
        var end = room < 0 ? -1 : Text.LastIndexOf('\n', Math.Min(room, Text.Length - 1));
        return this with { Text = Text[..Math.Max(0, end)] };
    }
}

/// <summary>
/// The chunks of a session, the oldest first. Immutable. What stands in it stays where it is and is only added to, because a server
/// evaluates a prompt anew from the first token that differs; when it is full the older half goes at once, so that this happens
/// rarely.
/// </summary>
/// <remarks>
/// The idea is llama.vscode's ring (extra-context.ts), which lets the oldest chunk go with every new one and so shifts all others.
/// </remarks>
internal sealed class NeighborChunks
{
    // Above this likeness a chunk tells the model nothing new; llama.vscode's threshold.
    private const double SameLikeness = 0.9;

    private readonly CodeChunk[] _chunks;

    private NeighborChunks(CodeChunk[] chunks) => _chunks = chunks;

    public static NeighborChunks Empty { get; } = new([]);

    /// <summary>The chunks in the order in which prompts show them.</summary>
    public IReadOnlyList<CodeChunk> Chunks => _chunks;

    /// <summary>
    /// With one more chunk, cut to half of the room. The same instance if nothing is left of it or if it is much like one that is there; a
    /// later state of the same place takes the place of the earlier one.
    /// </summary>
    /// <param name="chunk">The chunk to show.</param>
    /// <param name="capacity">How much room there is for all, see <see cref="PromptBudget.ChunkLength"/>.</param>
    public NeighborChunks With(CodeChunk chunk, int capacity)
    {
        chunk = chunk.CutTo(capacity / 2);
        if (string.IsNullOrWhiteSpace(chunk.Text))
        {
            return this;
        }

        var lines = LinesOf(chunk);
        if (Array.Exists(_chunks, other => SameLikeness < Likeness(lines, LinesOf(other))))
        {
            return this;
        }

        var place = Array.FindIndex(_chunks, other => other.Path == chunk.Path && other.Line == chunk.Line);
        List<CodeChunk> chunks = [.. _chunks];
        if (0 <= place)
        {
            chunks[place] = chunk;
        }
        else
        {
            chunks.Add(chunk);
        }

        return new(WithinCapacity(chunks, chunk, capacity));
    }

    // Here: 'newest' alone takes half of the capacity at most.
    private static CodeChunk[] WithinCapacity(List<CodeChunk> chunks, CodeChunk newest, int capacity)
    {
        var length = chunks.Sum(chunk => chunk.Length);
        if (length <= capacity)
        {
            return [.. chunks];
        }

        var kept = new List<CodeChunk>();
        foreach (var chunk in chunks)
        {
            if (length <= capacity / 2 || chunk == newest)
            {
                kept.Add(chunk);
            }
            else
            {
                length -= chunk.Length;
            }
        }

        return [.. kept];
    }

    private static HashSet<string> LinesOf(CodeChunk chunk) =>
        [.. chunk.Text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

    // Jaccard's index: what two sets share of what they have together.
    private static double Likeness(HashSet<string> lines, HashSet<string> others)
    {
        var shared = lines.Count(others.Contains);
        return (double)shared / (lines.Count + others.Count - shared);
    }
}
