// A document that is read from its beginning to its end, and learned from on the way: what an editor's document is at the speed of a test.
using System.Runtime.InteropServices;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>The symbols of a text, and the counts of those before the place that has been reached. Touched by one thread at a time.</summary>
internal sealed class GrowingDocument
{
    private readonly ContextView _view = new();
    private readonly ContextCounts _counts = new();
    private readonly List<Symbol> _symbols = [];
    private readonly string _text;

    /// <summary>A document of which nothing has been read yet.</summary>
    /// <param name="text">All of it.</param>
    /// <param name="tokens">Its tokens, which tile it.</param>
    public GrowingDocument(string text, List<Token> tokens)
    {
        _text = text;
        SymbolSequence.Read(text, tokens, _symbols);
    }

    /// <summary>All symbols, those that have not been read included.</summary>
    public ReadOnlySpan<Symbol> Symbols => CollectionsMarshal.AsSpan(_symbols);

    /// <summary>Index of the next symbol to be read.</summary>
    public int Reached { get; private set; }

    /// <summary>The counts of what has been read.</summary>
    public IContextSource Source => _counts;

    /// <summary>Reads the next symbol.</summary>
    public void Read()
    {
        var symbols = Symbols;
        ref readonly var symbol = ref symbols[Reached];
        Span<ulong> contexts = stackalloc ulong[Contexts.Kinds];
        Span<uint> successors = stackalloc uint[Contexts.Kinds];
        var id = _counts.Intern(symbol.Hash, symbol.Kind, _text.AsSpan(symbol.Start, symbol.Length));
        Contexts.Fill(_view, symbols, Reached, id, contexts, successors);
        for (var kind = 0; kind < contexts.Length; kind++)
        {
            _counts.Add(contexts[kind], successors[kind]);
        }

        if (SymbolSequence.TryGetSpace(_text, symbols, Reached, out var space))
        {
            Span<ulong> spacing = stackalloc ulong[Contexts.SpacingKinds];
            SymbolSequence.FillSpacing(symbols, Reached, spacing);
            var spaceId = _counts.Intern(Symbol.SpaceHash(space), TokenKind.Whitespace, space);
            foreach (var context in spacing)
            {
                _counts.Add(context, spaceId);
            }
        }

        Reached++;
    }
}
