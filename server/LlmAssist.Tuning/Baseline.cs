// What was best before, to be measured on the same symbols.
using System.Runtime.InteropServices;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tuning;

/// <summary>
/// N-grams of order 6 with Jelinek-Mercer smoothing, over a project and, mixed in by confidence, over the text so far: the model of Hellendoorn
/// and Devanbu (FSE 2017) as far as it says something about a file that is read once. Of our own making after their description; their program
/// is another one.
/// </summary>
internal sealed class Baseline
{
    private const int Orders = 6; // by how many symbols they look back: 0 to 5
    private const double Trust = 0.5; // lambda
    private const int MostOfNothing = 64; // candidates that nothing but their frequency speaks for

    private readonly ContextCounts _project = new();
    private readonly Dictionary<ulong, double> _mixed = [];
    private readonly Dictionary<ulong, double> _scores = [];

    /// <summary>Learns a file of the project.</summary>
    public void Learn(string text, Language language)
    {
        var symbols = Read(text, language);
        for (var index = 0; index < symbols.Count; index++)
        {
            Count(_project, CollectionsMarshal.AsSpan(symbols), index);
        }
    }

    /// <summary>Reads a file, and tells of each of its symbols its rank, 0 for none, and its probability, before it learns it.</summary>
    public void Rehearse(string text, Language language, Action<TokenKind, int, double> tell)
    {
        var cache = new ContextCounts();
        var symbols = Read(text, language);
        for (var index = 0; index < symbols.Count; index++)
        {
            var all = CollectionsMarshal.AsSpan(symbols);
            _mixed.Clear();
            var (rest, weight) = (0.0, 0.0);
            foreach (var source in (ReadOnlySpan<ContextCounts>)[_project, cache])
            {
                var (unseen, seen) = Score(source, all[..index]);
                var its = Math.Pow(1 / (1 - Trust), seen);
                foreach (var (hash, probability) in _scores)
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(_mixed, hash, out _) += its * (probability - unseen);
                }

                rest += its * unseen;
                weight += its;
            }

            var actual = all[index].Hash;
            var own = _mixed.GetValueOrDefault(actual);
            var rank = own == 0 || actual == Symbol.WithheldHash ? 0 : 1 + _mixed.Count(other => own < other.Value && other.Key != Symbol.WithheldHash);
            tell(all[index].Kind, rank, Math.Max(1e-9, (own + rest) / weight));
            Count(cache, all, index);
        }
    }

    // Into _scores, of all that came behind what is before. Answers the probability of all else, and how many contexts were seen.
    private (double Unseen, int Seen) Score(ContextCounts source, ReadOnlySpan<Symbol> before)
    {
        PatternEntry single = default;
        _scores.Clear();
        var (unseen, seen) = (1.0 / (_project.SymbolCount + 1), 0);
        for (var order = 0; order < Orders && order <= before.Length; order++)
        {
            var found = source.Find(ContextOf(before, order), ref single);
            if (found.Total == 0)
            {
                break;
            }

            foreach (var hash in _scores.Keys)
            {
                CollectionsMarshal.GetValueRefOrNullRef(_scores, hash) *= 1 - Trust;
            }

            unseen *= 1 - Trust;
            for (var entry = 0; entry < found.Entries.Length && (order != 0 || entry < MostOfNothing); entry++)
            {
                ref var score = ref CollectionsMarshal.GetValueRefOrAddDefault(_scores, source.HashOf(found.Entries[entry].Symbol), out var isKnown);
                score = (isKnown ? score : unseen) + (Trust * found.Entries[entry].Count / found.Total);
            }

            seen++;
        }

        return (unseen, seen);
    }

    private static void Count(ContextCounts into, ReadOnlySpan<Symbol> symbols, int index)
    {
        var id = into.Intern(symbols[index].Hash, symbols[index].Kind, "");
        for (var order = 0; order < Orders && order <= index; order++)
        {
            into.Add(ContextOf(symbols[..index], order), id);
        }
    }

    private static ulong ContextOf(ReadOnlySpan<Symbol> before, int order)
    {
        var hash = (ulong)order + 1;
        foreach (var symbol in before[^order..])
        {
            hash = SymbolHash.Add(hash, symbol.Hash);
        }

        return SymbolHash.Finish(hash);
    }

    private static List<Symbol> Read(string text, Language language)
    {
        var tokens = new List<Token>();
        var symbols = new List<Symbol>();
        Lexer.Tokenize(text, language, tokens);
        SymbolSequence.Read(text, tokens, symbols);
        return symbols;
    }
}
