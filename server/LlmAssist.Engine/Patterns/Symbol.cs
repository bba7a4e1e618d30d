// What models see of a source text: its significant tokens, normalized.
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>A significant token as a model sees it.</summary>
/// <param name="Hash"><see cref="SymbolHash.Of"/> its normalized text.</param>
/// <param name="Kind">What it is; never <see cref="TokenKind.Whitespace"/> or <see cref="TokenKind.Comment"/>.</param>
/// <param name="Start">Offset of the token's first UTF-16 code unit.</param>
/// <param name="Length">Length of the token in UTF-16 code units.</param>
/// <param name="Traits">What contexts see of its text.</param>
internal readonly record struct Symbol(ulong Hash, TokenKind Kind, int Start, int Length, SymbolTraits Traits)
{
    /// <summary>A literal longer than this is not learned by its text; nobody wants it suggested.</summary>
    public const int MaximumLiteralLength = 80;

    // Shell and YAML write secrets without quotes, so that they are names to a lexer; none is shorter than this.
    private const int LeastSecretName = 20;

    /// <summary>The hash of a line's end. Blank lines add nothing to it.</summary>
    public static readonly ulong NewlineHash = SymbolHash.Of("\n");

    /// <summary>What stands for a literal whose text must not or need not be known. Its text is empty: it is never inserted.</summary>
    public static readonly ulong WithheldHash = SymbolHash.Of("");

    /// <summary>The hash of the space between two symbols, which may be none at all; never that of a significant token.</summary>
    public static ulong SpaceHash(ReadOnlySpan<char> space) => SymbolHash.Add(SymbolHash.Of(space), (ulong)TokenKind.Whitespace);

    /// <summary>The shape of a line's end, which also stands before the beginning of a text.</summary>
    public const ulong NewlineShape = (ulong)TokenKind.Newline;

    /// <summary>The offset just behind it.</summary>
    public int End => Start + Length;

    /// <summary>
    /// What it looks like to its neighbors when it comes to spacing: operators and keywords are themselves, everything else
    /// is its kind.
    /// </summary>
    public ulong Shape => Kind is TokenKind.Operator or TokenKind.Keyword ? Hash : (ulong)Kind;

    /// <summary>The symbol of <paramref name="token"/>, which must be significant.</summary>
    public static Symbol Of(ReadOnlySpan<char> text, Token token)
    {
        var own = text.Slice(token.Start, token.Length);
        var isWithheld = token.Kind is TokenKind.String or TokenKind.Number or TokenKind.Identifier && IsWithheld(token.Kind, own);
        var hash = token.Kind == TokenKind.Newline ? NewlineHash : isWithheld ? WithheldHash : SymbolHash.Of(own);
        return new(hash, token.Kind, token.Start, token.Length, SymbolTraits.Of(token.Kind, isWithheld ? "" : own));
    }

    /// <summary>A symbol that stands in no text yet.</summary>
    public static Symbol Of(Prediction prediction) =>
        new(prediction.Hash, prediction.Kind, 0, 0, SymbolTraits.Of(prediction.Kind, prediction.Text));

    private static bool IsWithheld(TokenKind kind, ReadOnlySpan<char> literal) =>
        kind == TokenKind.Identifier
            ? MaximumLiteralLength < literal.Length || (LeastSecretName <= literal.Length && SecretFilter.IsSecretLiteral(literal))
            : MaximumLiteralLength < literal.Length || literal.ContainsAny('\n', '\r') || SecretFilter.IsSecretLiteral(literal);
}

/// <summary>The symbols of a text, in order, and the spaces between them.</summary>
internal static class SymbolSequence
{
    /// <summary>
    /// Writes the symbols of <paramref name="text"/>, whose tokens are given, into <paramref name="into"/>. Comments and blanks are left
    /// out; line ends that follow each other are one; line ends before the first symbol are none.
    /// </summary>
    public static void Read(ReadOnlySpan<char> text, List<Token> tokens, List<Symbol> into)
    {
        into.Clear();
        foreach (var token in tokens)
        {
            if (token.IsSignificant && (token.Kind != TokenKind.Newline || (0 < into.Count && into[^1].Kind != TokenKind.Newline)))
            {
                into.Add(Symbol.Of(text, token));
            }
        }
    }

    /// <summary>
    /// The space before the symbol at <paramref name="index"/>, where there is one to learn: not at the beginning or end of a line,
    /// not around comments, and not where columns are aligned, which is not a habit of the symbols beside it.
    /// </summary>
    public static bool TryGetSpace(ReadOnlySpan<char> text, ReadOnlySpan<Symbol> symbols, int index, out ReadOnlySpan<char> space)
    {
        space = default;
        if (index == 0 || symbols[index].Kind == TokenKind.Newline || symbols[index - 1].Kind == TokenKind.Newline)
        {
            return false;
        }

        space = text[symbols[index - 1].End..symbols[index].Start];
        return space.Length <= 1 && !space.ContainsAnyExcept(' ', '\t');
    }

    /// <summary>The contexts of the space before the symbol at <paramref name="index"/>.</summary>
    public static void FillSpacing(ReadOnlySpan<Symbol> symbols, int index, Span<ulong> into) =>
        Contexts.FillSpacing(1 < index ? symbols[index - 2].Shape : Symbol.NewlineShape, symbols[index - 1].Shape, symbols[index].Shape, into);
}
