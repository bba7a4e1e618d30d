// The space between two symbols, as the neighbors have it.
using System.Runtime.InteropServices;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// Predicts the space before a symbol from two contexts of shapes, over the language, models and documents. Interpolated counts (Jelinek and Mercer 1980):
/// each step mixes what it has counted into what the more general and the farther ones say. Touched by one thread at a time.
/// </summary>
internal sealed class Spacing(IReadOnlyList<IContextSource> corpus, IReadOnlyList<IContextSource> document, IReadOnlyList<IContextSource> language)
{
    // How much a step is trusted with n occurrences and d different spaces: the logistic function of a + b ln n + c ln d. The general context first.
    private static readonly (double Bias, double Occurrences, double Variety)[] Trust = [(1, 0.5, -0.7), (0, 0.7, -0.7)];

    private readonly Dictionary<ulong, double> _masses = [];

    /// <summary>The space that is usual between the last symbol of <paramref name="before"/> and <paramref name="next"/>.</summary>
    public string Before(ReadOnlySpan<Symbol> before, Symbol next)
    {
        if (before.IsEmpty || before[^1].Kind == TokenKind.Newline)
        {
            return "";
        }

        Span<ulong> contexts = stackalloc ulong[Contexts.SpacingKinds];
        Contexts.FillSpacing(1 < before.Length ? before[^2].Shape : Symbol.NewlineShape, before[^1].Shape, next.Shape, contexts);
        _masses.Clear();
        var best = (Mass: 0.0, Text: "");
        var scale = 1.0;
        PatternEntry single = default;
        for (var step = 0; step < Contexts.SpacingKinds; step++)
        {
            // The table has the special context first.
            var context = contexts[^(step + 1)];
            foreach (var sources in (ReadOnlySpan<IReadOnlyList<IContextSource>>)[language, corpus, document])
            {
                var (total, distinct) = (0L, 0L);
                foreach (var source in sources)
                {
                    var found = source.Find(context, ref single);
                    total += found.Total;
                    distinct += found.Distinct;
                }

                if (total == 0)
                {
                    continue;
                }

                var (bias, occurrences, variety) = Trust[step];
                var trust = 1 / (1 + Math.Exp(-(bias + (occurrences * Math.Log(total)) + (variety * Math.Log(distinct)))));
                scale *= 1 - trust;
                foreach (var source in sources)
                {
                    foreach (var entry in source.Find(context, ref single).Entries)
                    {
                        ref var mass = ref CollectionsMarshal.GetValueRefOrAddDefault(_masses, source.HashOf(entry.Symbol), out _);
                        mass += trust * entry.Count / total / scale;
                        best = best.Mass < mass ? (mass, source.TextOf(entry.Symbol)) : best;
                    }
                }
            }
        }

        return best.Text;
    }
}
