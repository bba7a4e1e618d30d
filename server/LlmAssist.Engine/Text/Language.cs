// The languages we know, one row each: names, files, words, comments, literals, operators. Reads no source text; Lexer does.
using System.Buffers;
using System.Collections.Frozen;

namespace LlmAssist.Engine.Text;

/// <summary>
/// A programming, markup or data language as far as <see cref="Lexer"/> and the corpus walker need to know it. To add a
/// language, add a row to the table in this file. Immutable, for any thread.
/// </summary>
public sealed class Language
{
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _keywords;

    // Both by ASCII code.
    private readonly CharacterTraits[] _traits = new CharacterTraits[128];
    private readonly Opening[][] _openings = new Opening[128][];

    private Language(Row row)
    {
        Ids = Words(row.Ids);
        Name = row.Name;
        Extensions = Words(row.Extensions);
        FileNames = Words(row.FileNames);
        IsIndentationBased = row.IsIndentationBased;
        IsData = row.IsData;
        Prior = row.Prior;
        LineComments = [.. row.Comments.Where(comment => comment.Form == Form.LineComment && comment.When != Condition.LineStart).Select(comment => comment.Open)];

        var keywords = Words(row.Keywords);
        var comparison = row.IgnoreKeywordCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        _keywords = keywords.ToFrozenSet(comparison).GetAlternateLookup<ReadOnlySpan<char>>();

        // Order of trial: a comment or literal before an operator, the longer before the shorter.
        var openings = row.Comments.Concat(row.Literals)
            .Concat(Words(row.Operators).Select(symbol => new Opening(symbol, Form.Operator) { Kind = TokenKind.Operator }))
            .OrderBy(opening => opening.Form == Form.Operator)
            .ThenByDescending(opening => opening.Open.Length)
            .ToLookup(opening => opening.Open[0]);
        for (var code = 0; code < _traits.Length; code++)
        {
            var character = (char)code;
            var isNamePart = char.IsAsciiLetterOrDigit(character) || character == '_' || row.NameLetters.Contains(character);
            _openings[code] = [.. openings[character]];
            _traits[code] = (isNamePart ? CharacterTraits.NamePart : 0)
                | (row.NameJoints.Contains(character) ? CharacterTraits.NameJoint : 0)
                | (row.NameEnds.Contains(character) ? CharacterTraits.NameEnd : 0)
                | (row.DigitJoints.Contains(character) ? CharacterTraits.DigitJoint : 0)
                | (row.Sigils.Contains(character) ? CharacterTraits.Sigil : 0)
                | (isNamePart && 0 < _openings[code].Length ? CharacterTraits.LiteralPrefix : 0)
                | (keywords.Any(word => comparison.Equals(word[..1], character.ToString())) ? CharacterTraits.KeywordStart : 0);
        }
    }

    /// <summary>Every language, <see cref="PlainText"/> last.</summary>
    public static IReadOnlyList<Language> All { get; } = [.. Rows().Select(row => new Language(row))];

    /// <summary>The language of every text whose language we do not know.</summary>
    public static Language PlainText { get; } = All[^1];

    /// <summary>Its LSP language id; the first where editors use several.</summary>
    public string Id => Ids[0];

    /// <summary>Every LSP language id that means it.</summary>
    public IReadOnlyList<string> Ids { get; }

    /// <summary>Its name as people write it.</summary>
    public string Name { get; }

    /// <summary>Whether indentation is syntax, so that nobody but its author may change it.</summary>
    public bool IsIndentationBased { get; }

    /// <summary>Whether its files are data or prose rather than code: worth learning from, but not from a large one.</summary>
    public bool IsData { get; }

    /// <summary>The name of what ships with the program about it (<see cref="Patterns.LanguagePriors"/>); null for nothing.</summary>
    internal string? Prior { get; }

    /// <summary>What begins a comment that ends with its line, for example <c>//</c>; empty where there is none.</summary>
    public IReadOnlyList<string> LineComments { get; }

    /// <summary>Lower-case file extensions without the dot.</summary>
    internal IReadOnlyList<string> Extensions { get; }

    /// <summary>Names of files that no extension gives away.</summary>
    internal IReadOnlyList<string> FileNames { get; }

    /// <summary>The language of an LSP language id; <see cref="PlainText"/> when it is unknown or null.</summary>
    public static Language ById(string? languageId) =>
        languageId is not null && Index.Ids.TryGetValue(languageId, out var language) ? language : PlainText;

    /// <summary>The language of a file by its name, else by its extension; <see cref="PlainText"/> when neither is known.</summary>
    public static Language ByPath(string path)
    {
        var name = Path.GetFileName(path);
        return Index.FileNames.TryGetValue(name, out var named) ? named
            : Index.Extensions.TryGetValue(Path.GetExtension(name).TrimStart('.'), out var known) ? known
            : PlainText;
    }

    public override string ToString() => Name;

    /// <summary>What an ASCII character can be in a name.</summary>
    internal CharacterTraits Traits(char ascii) => _traits[ascii];

    /// <summary>What can open at an ASCII character, in the order of trial.</summary>
    internal ReadOnlySpan<Opening> Openings(char ascii) => _openings[ascii];

    internal bool IsKeyword(ReadOnlySpan<char> name) => _keywords.Contains(name);

    private static string[] Words(string list) => list.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static class Index
    {
        public static readonly FrozenDictionary<string, Language> Ids = Of(language => language.Ids, StringComparer.Ordinal);
        public static readonly FrozenDictionary<string, Language> FileNames = Of(language => language.FileNames, StringComparer.Ordinal);
        public static readonly FrozenDictionary<string, Language> Extensions = Of(language => language.Extensions, StringComparer.OrdinalIgnoreCase);

        private static FrozenDictionary<string, Language> Of(Func<Language, IReadOnlyList<string>> keys, StringComparer comparer) =>
            All.SelectMany(keys, (language, key) => KeyValuePair.Create(key, language)).ToFrozenDictionary(comparer);
    }

    // ---- The table ----

    private sealed record Row(string Name, string Ids)
    {
        // Lists are separated by one blank.
        public string Extensions { get; init; } = "";
        public string FileNames { get; init; } = "";
        public string Keywords { get; init; } = "";
        public bool IgnoreKeywordCase { get; init; }
        public string Operators { get; init; } = "";
        public Opening[] Comments { get; init; } = [];
        public Opening[] Literals { get; init; } = [];

        // Beyond letters, digits and '_': what may stand anywhere in a name, between two parts of one (foo-bar, don't),
        // at its end (empty?), and before one (@media), once or twice; and between digits (1'000).
        public string NameLetters { get; init; } = "";
        public string NameJoints { get; init; } = "";
        public string NameEnds { get; init; } = "";
        public string Sigils { get; init; } = "";
        public string DigitJoints { get; init; } = "";
        public bool IsIndentationBased { get; init; }
        public bool IsData { get; init; }
        public string? Prior { get; init; }
    }

    private static Opening LineComment(string open) => new(open, Form.LineComment) { Kind = TokenKind.Comment };

    private static Opening BlockComment(string open, string close) => new(open, Form.Delimited) { Close = close, MultiLine = true, Kind = TokenKind.Comment };

    // With backslash escapes, and on one line unless told otherwise.
    private static Opening Quoted(string open, string close) => new(open, Form.Delimited) { Close = close, Escape = '\\' };

    private static Opening Quoted(string quote) => Quoted(quote, quote);

    private static Row[] Rows()
    {
        var slashes = LineComment("//");
        var slashStar = BlockComment("/*", "*/");
        var markup = BlockComment("<!--", "-->");
        var single = Quoted("'");
        var twice = Quoted("\"");
        var triple = Quoted("\"\"\"") with { MultiLine = true };
        var continuedSingle = single with { Continues = true };
        var continuedTwice = twice with { Continues = true };
        const string CommonOperators = "++ -- && || == != <= >= += -= *= /= %= &= |= ^= << >> <<= >>=";

        var c = new Row("C", "c")
        {
            Prior = "cpp",
            Extensions = "c i",
            Keywords = "alignas alignof auto bool break case char const constexpr continue default do double else enum extern false float for goto if inline int long nullptr register restrict return short signed sizeof static static_assert struct switch thread_local true typedef typeof union unsigned void volatile while _Atomic _Bool _Generic _Noreturn _Static_assert NULL",
            Comments = [slashes, slashStar],
            DigitJoints = "'",
            Literals = [continuedTwice, single, .. Prefixed("L u U u8", continuedTwice, single)],
            Operators = CommonOperators + " -> ... ##",
        };

        var javascript = new Row("JavaScript", "javascript")
        {
            Prior = "javascript",
            Extensions = "js mjs cjs es6",
            Keywords = "async await break case catch class const continue debugger default delete do else export extends false finally for function if import in instanceof let new null of return static super switch this throw true try typeof undefined var void while with yield",
            NameLetters = "$",
            Sigils = "#",
            Comments = [slashes, slashStar, LineComment("#!") with { When = Condition.LineStart }],

            // A quote behind a letter is an apostrophe in JSX text; no program has one there.
            Literals =
            [
                continuedTwice with { When = Condition.NotBehindName },
                continuedSingle with { When = Condition.NotBehindName },
                Quoted("`") with { MultiLine = true, Holes = ["${"] },
                new("/", Form.Regex) { When = Condition.OperandExpected },
            ],
            Operators = CommonOperators + " => ... === !== ** **= ?. ?? ??= &&= ||= >>> >>>= </ />",
        };
        var typescript = javascript with
        {
            Name = "TypeScript",
            Ids = "typescript",
            Extensions = "ts mts cts",
            Keywords = javascript.Keywords + " abstract any as asserts boolean declare enum implements infer interface is keyof namespace never number object private protected public readonly satisfies string symbol type unique unknown",
        };

        // Attribute values stay on their line: a stray quote must not swallow the rest of the document.
        var html = new Row("HTML", "html vue svelte handlebars")
        {
            Extensions = "html htm xhtml vue svelte hbs handlebars",
            NameJoints = "-",
            Comments = [markup],
            Literals = [Quoted("\"") with { Escape = '\0', When = Condition.BehindEquals }, Quoted("'") with { Escape = '\0', When = Condition.BehindEquals }],
            Operators = "</ /> <! <? ?> {{ }} {% %} :// => && || == != <= >= === !==",
            IsData = true,
        };

        var css = new Row("CSS", "css")
        {
            Extensions = "css",
            Sigils = "@#-",
            NameJoints = "-",
            Keywords = "@charset @container @font-face @import @keyframes @layer @media @namespace @page @property @supports",
            Comments = [slashStar],
            Literals = [continuedTwice, continuedSingle],
            Operators = ":// :: <= >= ~= |= ^= $= *=",
        };
        var scss = css with
        {
            Name = "SCSS",
            Ids = "scss sass",
            Extensions = "scss",
            Sigils = "@#-$",
            Keywords = css.Keywords + " @content @debug @each @else @error @extend @for @forward @function @if @include @mixin @return @use @warn @while",
            Comments = [slashStar, slashes with { When = Condition.NotBehindColon }],
            Operators = css.Operators + " #{ == !=",
        };

        return
        [
            new("C#", "csharp")
            {
                Prior = "csharp",
                Extensions = "cs csx",
                Keywords = "abstract and as async await base bool break byte case catch char checked class const continue decimal default delegate do double dynamic else enum event explicit extern false finally fixed float for foreach get global goto if implicit in init int interface internal is lock long nameof namespace new nint not notnull nuint null object operator or out override params partial private protected public readonly record ref required return sbyte sealed set short sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked unmanaged unsafe ushort using var virtual void volatile when where while with yield",
                Sigils = "@",
                Comments = [slashes, slashStar],
                Literals =
                [
                    twice,
                    single,
                    twice with { Open = "$\"", Holes = ["{"] },
                    new("@\"", Form.Delimited) { Close = "\"", Doubled = true, MultiLine = true },
                    new("$@\"", Form.Delimited) { Close = "\"", Doubled = true, MultiLine = true, Holes = ["{"] },
                    new("@$\"", Form.Delimited) { Close = "\"", Doubled = true, MultiLine = true, Holes = ["{"] },
                    new("\"\"\"", Form.RawQuotes),
                    new("$\"\"\"", Form.RawQuotes),
                    new("$$\"\"\"", Form.RawQuotes),
                    new("$$$\"\"\"", Form.RawQuotes),
                ],
                Operators = CommonOperators + " => -> :: .. ?. ?? ??= >>> >>>=",
            },
            typescript,
            typescript with { Name = "TypeScript JSX", Ids = "typescriptreact", Extensions = "tsx" },
            javascript,
            javascript with { Name = "JavaScript JSX", Ids = "javascriptreact", Extensions = "jsx" },
            new("Python", "python")
            {
                Prior = "python",
                Extensions = "py pyi pyw",
                FileNames = "SConstruct SConscript wscript",
                Keywords = "False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield",
                Comments = [LineComment("#")],
                Literals =
                [
                    .. PythonLiterals("", "b B r R u U br bR Br BR rb rB Rb RB"),
                    .. PythonLiterals("{", "f F t T fr fR Fr FR rf rF Rf RF tr Tr rt Rt"),
                ],
                Operators = "== != <= >= += -= *= /= //= %= **= &= |= ^= >>= <<= @= ** // << >> -> := ...",
                IsIndentationBased = true,
            },
            new("Go", "go")
            {
                Prior = "go",
                Extensions = "go",
                Keywords = "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var any bool byte complex64 complex128 error false float32 float64 int int8 int16 int32 int64 iota nil rune string true uint uint8 uint16 uint32 uint64 uintptr",
                Comments = [slashes, slashStar],
                Literals = [twice, single, Quoted("`") with { Escape = '\0', MultiLine = true }],
                Operators = CommonOperators + " := <- ... &^ &^=",
            },
            new("Java", "java")
            {
                Prior = "java",
                Extensions = "java",
                Keywords = "abstract assert boolean break byte case catch char class const continue default do double else enum extends false final finally float for goto if implements import instanceof int interface long native new null package permits private protected public record return sealed short static strictfp super switch synchronized this throw throws transient true try var void volatile while yield",
                NameLetters = "$",
                Comments = [slashes, slashStar],
                Literals = [twice, single, triple],
                Operators = CommonOperators + " -> :: ... >>> >>>=",
            },
            new("Kotlin", "kotlin")
            {
                Extensions = "kt kts",
                Keywords = "abstract actual annotation as break by catch class companion const constructor continue crossinline data do else enum expect external false final finally for fun if import in infix init inline inner interface internal is lateinit noinline null object open operator out override package private protected public reified return sealed super suspend tailrec this throw true try typealias val value var vararg when where while",
                Comments = [slashes, slashStar with { Nested = true }],
                Literals =
                [
                    twice with { Holes = ["${"] },
                    single,
                    triple with { Escape = '\0' },
                    Quoted("`") with { Escape = '\0', Kind = TokenKind.Identifier },
                ],
                Operators = "++ -- && || == != === !== <= >= += -= *= /= %= -> :: .. ..< ?. ?: !!",
            },
            new("Rust", "rust")
            {
                Prior = "rust",
                Extensions = "rs",
                Keywords = "Self as async await bool break char const continue crate dyn else enum extern f32 f64 false fn for i8 i16 i32 i64 i128 if impl in isize let loop macro match mod move mut pub ref return self static str struct super trait true try type u8 u16 u32 u64 u128 union unsafe use usize where while yield",
                Comments = [slashes, slashStar with { Nested = true }],
                Literals =
                [
                    twice with { MultiLine = true },
                    .. Prefixed("b c", twice with { MultiLine = true }),
                    .. Prefixed("b", single),
                    new("'", Form.LifetimeOrCharacter),
                    .. Prefixed("r br cr", twice with { Escape = '\0', MultiLine = true }),
                    .. Prefixed("r br cr", new Opening("#", Form.RawHashes)),
                ],
                Operators = "&& || == != <= >= += -= *= /= %= &= |= ^= << >> <<= >>= -> => :: .. ..= ...",
            },
            c,
            c with
            {
                Name = "C++",
                Ids = "cpp cuda-cpp",
                Extensions = "cpp cppm cc ccm cxx cxxm c++ hpp hh hxx h++ h ii ino inl ipp tpp cu cuh",
                Keywords = c.Keywords + " and and_eq asm bitand bitor catch char8_t char16_t char32_t class co_await co_return co_yield compl concept const_cast consteval constinit decltype delete dynamic_cast explicit export final friend mutable namespace new noexcept not not_eq operator or or_eq override private protected public reinterpret_cast requires static_cast template this throw try typeid typename using virtual wchar_t xor xor_eq",
                Literals = [.. c.Literals, .. Prefixed("R LR uR UR u8R", new Opening("\"", Form.RawDelimiter))],
                Operators = c.Operators + " :: .* ->* <=>",
            },
            new("Ruby", "ruby")
            {
                Extensions = "rb rake gemspec podspec",
                FileNames = "config.ru Gemfile Rakefile Podfile Vagrantfile Guardfile Fastfile Brewfile",
                Keywords = "BEGIN END alias and begin break case class def defined? do else elsif end ensure false for if in module next nil not or redo rescue retry return self super then true undef unless until when while yield attr_accessor attr_reader attr_writer extend include private protected public raise require require_relative",
                Sigils = "@$",
                NameEnds = "?!",
                Comments = [LineComment("#"), BlockComment("=begin", "\n=end") with { When = Condition.LineStart }],
                Literals =
                [
                    twice with { MultiLine = true, Holes = ["#{"] },
                    single with { MultiLine = true },
                    Quoted("`") with { MultiLine = true, Holes = ["#{"] },
                    new("/", Form.Regex) { When = Condition.OperandExpected },
                    new("%", Form.PercentLiteral),
                    new("<<", Form.Heredoc) { When = Condition.NotBehindName },
                    new("<<-", Form.Heredoc),
                    new("<<~", Form.Heredoc),
                ],
                Operators = "&& || == != === =~ !~ <= >= <=> += -= *= /= %= **= ** &= |= ^= &&= ||= << >> <<= >>= => -> :: .. ... &.",
            },
            new("PHP", "php")
            {
                Extensions = "php phtml php5 phps",
                Keywords = "abstract and array as bool break callable case catch class clone const continue declare default do echo else elseif empty enddeclare endfor endforeach endif endswitch endwhile enum exit extends false final finally float fn for foreach function global goto if implements include include_once instanceof insteadof int interface isset iterable list match mixed namespace new null object or parent print private protected public readonly require require_once return self static string switch throw trait true try unset use var void while xor yield",
                Sigils = "$",
                Comments = [slashes, slashStar, LineComment("#") with { When = Condition.NotBeforeBracket }],

                // Apostrophes of the HTML around the program are no quotes.
                Literals =
                [
                    twice with { MultiLine = true, Holes = ["{$"], When = Condition.NotBehindName },
                    single with { MultiLine = true, When = Condition.NotBehindName },
                    new("<<<", Form.Heredoc),
                ],
                Operators = CommonOperators + " === !== <> <=> => -> ?-> :: ... .= ** **= ?? ??= <?php <?= <? ?> </ />",
            },
            new("Swift", "swift")
            {
                Extensions = "swift",
                Keywords = "Any Self actor any as associatedtype async await break case catch class continue convenience default defer deinit didSet do dynamic else enum extension fallthrough false fileprivate final for func get guard if import in indirect init inout internal is lazy let mutating nil nonisolated open operator optional override precedencegroup private protocol public repeat required rethrows return self set some static struct subscript super switch throw throws true try typealias unowned var weak where while willSet",
                Sigils = "$",
                Comments = [slashes, slashStar with { Nested = true }],
                Literals =
                [
                    twice with { Holes = ["\\("] },
                    triple,
                    new("#", Form.RawHashes),
                    Quoted("`") with { Escape = '\0', Kind = TokenKind.Identifier },
                ],
                Operators = "&& || == != === !== <= >= += -= *= /= %= &= |= ^= << >> <<= >>= -> ... ..< ?? ?. &+ &- &* ~=",
            },
            new("Shell", "shellscript sh bash zsh")
            {
                Extensions = "sh bash zsh ksh bats",
                FileNames = ".bashrc .bash_profile .bash_aliases .profile .zshrc .zshenv .zprofile PKGBUILD",
                Keywords = "break case continue coproc declare do done elif else esac eval exec exit export fi for function if in local readonly return select set shift source then time trap unset until while",
                NameJoints = "-",
                Comments = [LineComment("#") with { When = Condition.WordStart }],
                Literals =
                [
                    twice with { MultiLine = true, Holes = ["$(", "${"] },
                    Quoted("'") with { Escape = '\0', MultiLine = true },
                    Quoted("$'", "'") with { MultiLine = true },
                    new("<<", Form.Heredoc),
                    new("<< ", Form.Heredoc),
                    new("<<-", Form.Heredoc),
                    new("<<- ", Form.Heredoc),
                ],
                Operators = "&& || ;; ;& == != =~ <= >= += -= << <<< >> >& <& &> &>> >| |& $( ${ $# $? $@ $* $$ $! [[ ]] -- ++ ## %% := :- :+ :? \\\" \\' \\` \\# \\$ \\\\",
            },
            new("SQL", "sql")
            {
                Extensions = "sql ddl dml pgsql psql",
                Keywords = "add all alter and any as asc auto_increment begin between bigint blob boolean by cascade case cast char check collate column commit constraint create cross current_date current_timestamp database date decimal declare default delete desc distinct double drop else end except exists explain false fetch float foreign from full function grant group having if in index inner insert int integer intersect interval into is join json jsonb key language left like limit materialized natural not null numeric offset on or order outer over partition primary procedure real references replace return returning returns revoke right rollback row rows select set smallint table temporary text then timestamp to transaction trigger true truncate union unique update using uuid values varchar view when where window with",
                IgnoreKeywordCase = true,
                Sigils = "@$#",
                Comments = [LineComment("--"), slashStar],
                Literals =
                [
                    new("'", Form.Delimited) { Close = "'", Doubled = true, MultiLine = true },
                    new("\"", Form.Delimited) { Close = "\"", Doubled = true },
                    Quoted("`") with { Escape = '\0', Kind = TokenKind.Identifier },
                ],
                Operators = "<> <= >= != := :: || -> ->> #> #>> @> <@ $$ =>",
            },
            html,
            html with { Name = "XML", Ids = "xml xsl xaml msbuild", Extensions = "xml xsd xsl xslt svg xaml axaml csproj fsproj vbproj props targets resx plist nuspec pom wsdl" },
            css,
            scss,
            scss with { Name = "Less", Ids = "less", Extensions = "less", Sigils = "@#-" },
            new("JSON", "json jsonc json5 jsonl")
            {
                Extensions = "json jsonc json5 jsonl ndjson geojson webmanifest code-workspace code-snippets",
                FileNames = ".babelrc .eslintrc .prettierrc .swcrc",
                Keywords = "true false null",
                Comments = [slashes, slashStar],
                Literals = [twice],
                IsData = true,
            },
            new("YAML", "yaml dockercompose")
            {
                Extensions = "yaml yml",
                FileNames = ".clang-format .clang-tidy .clangd",
                Keywords = "true false null yes no on off True False",
                NameJoints = "-",
                Comments = [LineComment("#") with { When = Condition.WordStart }],
                Literals =
                [
                    twice with { When = Condition.ValueStart },
                    new("'", Form.Delimited) { Close = "'", Doubled = true, When = Condition.ValueStart },
                ],
                Operators = "--- ... :// |- |+ >- >+ << {{ }} ${{ && || == != !!",
                IsIndentationBased = true,
                IsData = true,
            },
            new("Markdown", "markdown mdx")
            {
                Extensions = "md markdown mdown mkd mdx",
                NameJoints = "-'",
                Comments = [markup],
                Operators = ":// ``` ~~~ ** __ ~~ ## ### #### ##### ###### ]( ![ --- *** ... -> => == != <= >= :: && ||",
                IsData = true,
            },
            new("Plain text", "plaintext")
            {
                Extensions = "txt text log",
                NameJoints = "'",
                Literals = [twice with { When = Condition.NotBehindName }],
                Operators = CommonOperators + " => -> <- :: := .. ... === !== ** ?. ?? :// // /* */ -- </ />",
                IsData = true,
            },
        ];
    }

    private static IEnumerable<Opening> Prefixed(string prefixes, params Opening[] openings) =>
        from prefix in Words(prefixes) from opening in openings select opening with { Open = prefix + opening.Open };

    // Triple quotes need no holes: nothing inside a hole can hold the closing quotes.
    private static IEnumerable<Opening> PythonLiterals(string hole, string prefixes)
    {
        string[] holes = hole == "" ? [] : [hole];
        Opening[] unprefixed =
        [
            Quoted("\"") with { Continues = true, Holes = holes },
            Quoted("'") with { Continues = true, Holes = holes },
            Quoted("\"\"\"") with { MultiLine = true },
            Quoted("'''") with { MultiLine = true },
        ];
        return hole == "" ? unprefixed.Concat(Prefixed(prefixes, unprefixed)) : Prefixed(prefixes, unprefixed);
    }
}

/// <summary>What an ASCII character can be in a name of a language.</summary>
[Flags]
internal enum CharacterTraits : byte
{
    None = 0,

    /// <summary>Stands anywhere in a name (a digit nowhere first).</summary>
    NamePart = 1,

    /// <summary>Joins two parts of a name, once or doubled.</summary>
    NameJoint = 2,

    /// <summary>May end a name, once.</summary>
    NameEnd = 4,

    /// <summary>May stand before a name, once or twice.</summary>
    Sigil = 8,

    /// <summary>A name part that may also begin the prefix of a literal.</summary>
    LiteralPrefix = 16,

    /// <summary>Some keyword begins with it.</summary>
    KeywordStart = 32,

    /// <summary>Separates digits of a number, beside '_'.</summary>
    DigitJoint = 64,
}

/// <summary>How a token that begins with an <see cref="Opening"/> goes on.</summary>
internal enum Form : byte
{
    /// <summary>Ends with its opening.</summary>
    Operator,

    /// <summary>Up to the end of the line.</summary>
    LineComment,

    /// <summary>Up to <see cref="Opening.Close"/>.</summary>
    Delimited,

    /// <summary>C#: up to a run of at least as many quotes as opened it.</summary>
    RawQuotes,

    /// <summary>Rust, Swift: up to a quote with as many # as before the opening quote.</summary>
    RawHashes,

    /// <summary>C++: <c>"delimiter(</c> up to <c>)delimiter"</c>.</summary>
    RawDelimiter,

    /// <summary>Up to the line that consists of the word behind the opening.</summary>
    Heredoc,

    /// <summary>Ruby: <c>%w[…]</c> and its relatives; brackets nest.</summary>
    PercentLiteral,

    /// <summary>Up to the next slash of the line that is neither escaped nor in a character class, with its flags.</summary>
    Regex,

    /// <summary>Rust: <c>'a</c> or <c>'a'</c>.</summary>
    LifetimeOrCharacter,
}

/// <summary>Where an <see cref="Opening"/> counts. Every condition looks at its own line only.</summary>
internal enum Condition : byte
{
    Always,

    /// <summary>First on the line.</summary>
    LineStart,

    /// <summary>First on the line or behind a blank or a shell separator.</summary>
    WordStart,

    /// <summary>Not directly behind a name.</summary>
    NotBehindName,

    /// <summary>Not directly behind a colon, as in https://.</summary>
    NotBehindColon,

    /// <summary>Not directly before [, as in PHP attributes.</summary>
    NotBeforeBracket,

    /// <summary>Behind = and blanks.</summary>
    BehindEquals,

    /// <summary>Where YAML expects a value.</summary>
    ValueStart,

    /// <summary>Where an expression expects an operand, so that / is no division.</summary>
    OperandExpected,
}

/// <summary>A way for a comment, literal or operator to begin, tried where the text has <paramref name="Open"/>.</summary>
internal sealed record Opening(string Open, Form Form)
{
    public TokenKind Kind { get; init; } = TokenKind.String;

    public Condition When { get; init; }

    /// <summary>What ends a <see cref="Form.Delimited"/> token.</summary>
    public string Close { get; init; } = "";

    /// <summary>Makes the next character stand for itself; NUL where nothing does.</summary>
    public char Escape { get; init; }

    /// <summary>Whether a literal of one line goes on behind an escaped line end.</summary>
    public bool Continues { get; init; }

    /// <summary>Whether two <see cref="Close"/> in a row stand for one.</summary>
    public bool Doubled { get; init; }

    /// <summary>Whether the same <see cref="Open"/> inside must be closed too.</summary>
    public bool Nested { get; init; }

    /// <summary>Whether it goes on over line ends, if need be to the end of the text.</summary>
    public bool MultiLine { get; init; }

    /// <summary>What begins code inside the literal; its bracket must be closed. Two "{" in a row are text.</summary>
    public string[] Holes { get; init; } = [];

    /// <summary>The characters at which scanning the inside must stop to think, line ends aside.</summary>
    public SearchValues<char> Stops => field ??= SearchValues.Create(StopCharacters());

    /// <summary><see cref="Stops"/> and the line ends.</summary>
    public SearchValues<char> LineStops => field ??= SearchValues.Create(StopCharacters() + "\r\n");

    private string StopCharacters() =>
        string.Concat(Close.AsSpan(0, 1), Escape == '\0' ? "" : Escape.ToString(), Nested ? Open[..1] : "") + string.Concat(Holes.Select(hole => hole[0]));
}
