// From the symbols of one text after another to counts for a model. Open documents count the same events in DocumentCounts.
using System.Runtime.InteropServices;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>Turns texts into counts, on one thread.</summary>
internal sealed class Learner(PatternCounter counter, Vocabulary vocabulary)
{
    private readonly List<Token> _tokens = [];
    private readonly List<Symbol> _symbols = [];
    private readonly ContextView _view = new();
    private readonly Dictionary<(ulong Context, uint Space), uint> _spacing = []; // few and hot: summed here, handed over at the end

    /// <summary>Counts a text.</summary>
    /// <returns>How many symbols it had.</returns>
    public int Learn(string text, Language language)
    {
        _tokens.Clear();
        Lexer.Tokenize(text, language, _tokens);
        SymbolSequence.Read(text, _tokens, _symbols);
        var symbols = CollectionsMarshal.AsSpan(_symbols);
        Span<ulong> contexts = stackalloc ulong[Contexts.Kinds];
        Span<uint> successors = stackalloc uint[Contexts.Kinds];
        Span<ulong> spacing = stackalloc ulong[Contexts.SpacingKinds];
        for (var index = 0; index < symbols.Length; index++)
        {
            ref readonly var symbol = ref symbols[index];
            var id = vocabulary.Observe(symbol.Hash, symbol.Kind, text.AsSpan(symbol.Start, symbol.Length));
            Contexts.Fill(_view, symbols, index, id, contexts, successors);

            // The context of nothing is the vocabulary's own counts: Finish hands them over.
            for (var kind = 0; kind < Contexts.Nothing; kind++)
            {
                counter.Add(contexts[kind], successors[kind]);
            }

            if (SymbolSequence.TryGetSpace(text, symbols, index, out var space))
            {
                var spaceId = vocabulary.Observe(Symbol.SpaceHash(space), TokenKind.Whitespace, space);
                SymbolSequence.FillSpacing(symbols, index, spacing);
                foreach (var context in spacing)
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(_spacing, (context, spaceId), out _)++;
                }
            }
        }

        return symbols.Length;
    }

    /// <summary>Hands over what was summed up on the way. Nothing may be learned after it.</summary>
    public void Finish()
    {
        Span<ulong> contexts = stackalloc ulong[Contexts.Kinds];
        _view.Read([]);
        Contexts.Fill(_view, contexts);
        foreach (var (symbol, occurrences) in vocabulary.Occurrences())
        {
            counter.Add(contexts[Contexts.Nothing], symbol, (uint)Math.Min(occurrences, uint.MaxValue));
        }

        foreach (var ((context, space), count) in _spacing)
        {
            counter.Add(context, space, count);
        }
    }
}
