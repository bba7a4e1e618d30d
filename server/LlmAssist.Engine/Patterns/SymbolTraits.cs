// What a symbol looks like to the contexts and to the mixture, read once from its text.
using System.Collections.Frozen;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>The class of a symbol, by its kind and its spelling.</summary>
internal enum SymbolClass : byte
{
    /// <summary>A name that begins with a small letter or an underscore.</summary>
    Lower,

    /// <summary>A name that begins with a capital.</summary>
    Capitalized,

    /// <summary>A name in capitals only, of two characters or more.</summary>
    Upper,
    Number,
    Text,

    /// <summary>An operator, a bracket, or anything else that is no word.</summary>
    Operator,
    Newline,
    Keyword,
}

/// <summary>What a symbol does to the structure around it.</summary>
internal enum SymbolRole : byte
{
    None,
    Opens,
    OpensBlock,
    Closes,
    ClosesBlock,
    Comma,
    EndsStatement,
}

/// <summary>What of a symbol's text contexts and mixture go by; a function of its kind and text alone.</summary>
/// <param name="Class">Its class.</param>
/// <param name="Role">What it does to the structure.</param>
/// <param name="IsCommon">
/// Whether it means the same everywhere: operators, keywords, and words that most files of a language have. Everything else is renamed
/// or reduced to its class by some contexts.
/// </param>
/// <param name="FirstWord">16 bits of the hash of a name's first word (<c>get</c> of <c>getValue</c>); its class for others than names.</param>
/// <param name="LastWord">The same for its last word.</param>
internal readonly record struct SymbolTraits(SymbolClass Class, SymbolRole Role, bool IsCommon, ushort FirstWord, ushort LastWord)
{
    /// <summary>How many classes there are.</summary>
    public const int Classes = 8;

    private const string WordsResource = "LlmAssist.Engine.Patterns.CommonWords.txt";
    private static readonly FrozenSet<string> CommonWords = ReadCommonWords();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> IsCommonWord = CommonWords.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether it is a name, whatever its spelling.</summary>
    public bool IsName => Class <= SymbolClass.Upper;

    /// <summary>The traits of a symbol.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="text">Its text; empty for what is withheld.</param>
    public static SymbolTraits Of(TokenKind kind, ReadOnlySpan<char> text)
    {
        switch (kind)
        {
            case TokenKind.Identifier when !text.IsEmpty:
                var (first, last) = (WordHash(text[..FirstWordLength(text)]), WordHash(text[LastWordStart(text)..]));
                return new(ClassOfName(text), SymbolRole.None, IsCommonWord.Contains(text), first, last);
            case TokenKind.Keyword:
                return new(SymbolClass.Keyword, SymbolRole.None, true, WordHash(text), WordHash(text));
            case TokenKind.Newline:
                return new(SymbolClass.Newline, SymbolRole.EndsStatement, true, (ushort)SymbolClass.Newline, (ushort)SymbolClass.Newline);
            case TokenKind.Number:
                return new(SymbolClass.Number, SymbolRole.None, IsCommonWord.Contains(text), (ushort)SymbolClass.Number, (ushort)SymbolClass.Number);
            case TokenKind.Operator or TokenKind.Other:
                return new(SymbolClass.Operator, RoleOf(text), true, WordHash(text), WordHash(text));
            default:
                return new(SymbolClass.Text, SymbolRole.None, IsCommonWord.Contains(text), (ushort)SymbolClass.Text, (ushort)SymbolClass.Text);
        }
    }

    private static SymbolRole RoleOf(ReadOnlySpan<char> text) => text switch
    {
        "(" or "[" => SymbolRole.Opens,
        "{" => SymbolRole.OpensBlock,
        ")" or "]" => SymbolRole.Closes,
        "}" => SymbolRole.ClosesBlock,
        "," => SymbolRole.Comma,
        ";" => SymbolRole.EndsStatement,
        _ => SymbolRole.None,
    };

    private static SymbolClass ClassOfName(ReadOnlySpan<char> name)
    {
        if (!char.IsUpper(name[0]))
        {
            return SymbolClass.Lower;
        }

        foreach (var unit in name)
        {
            if (char.IsLower(unit))
            {
                return SymbolClass.Capitalized;
            }
        }

        return 1 < name.Length ? SymbolClass.Upper : SymbolClass.Capitalized;
    }

    // Words are bounded by underscores and by a change to capitals, or from capitals to a capitalized word: XMLParser is XML and Parser.
    private static bool IsBoundary(ReadOnlySpan<char> name, int index) =>
        name[index] == '_' || name[index - 1] == '_'
        || (char.IsUpper(name[index]) && (!char.IsUpper(name[index - 1]) || (index + 1 < name.Length && char.IsLower(name[index + 1]))));

    private static int FirstWordLength(ReadOnlySpan<char> name)
    {
        var start = name.Length - name.TrimStart('_').Length;
        var index = start + 1;
        while (index < name.Length && !IsBoundary(name, index))
        {
            index++;
        }

        return Math.Min(index, name.Length);
    }

    private static int LastWordStart(ReadOnlySpan<char> name)
    {
        var index = Math.Max(0, name.TrimEnd('_').Length - 1);
        while (0 < index && !IsBoundary(name, index))
        {
            index--;
        }

        return index;
    }

    private static ushort WordHash(ReadOnlySpan<char> word)
    {
        var hash = 14695981039346656037UL;
        foreach (var unit in word.Trim('_'))
        {
            hash = (hash ^ char.ToLowerInvariant(unit)) * 1099511628211UL;
        }

        // Below are the classes of what has no words.
        return (ushort)(Classes + (SymbolHash.Finish(hash) % (ushort.MaxValue - Classes)));
    }

    private static FrozenSet<string> ReadCommonWords()
    {
        using var stream = typeof(SymbolTraits).Assembly.GetManifestResourceStream(WordsResource) ?? Stream.Null;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);
    }
}
