using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Patterns;

public sealed class LanguagePriorsTests
{
    private const int MostBytesInAll = 24_000_000;

    public static TheoryData<string> Names => [.. LanguagePriors.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_ships_is_whole_and_names_no_file_of_whoever_made_it(string name)
    {
        var path = LanguagePriors.PathOf(name);
        PatternModel.Verify(path, CancellationToken.None);
        using var model = PatternModel.Open(path);
        Assert.Equal(Contexts.Names, model.Parameters.Contexts);
        Assert.Empty(model.LearnedFiles());
        Assert.Empty(model.Provenance.Folders);
        Assert.True(LanguagePriors.IsThere(name));
        Assert.Contains($"| {name} |", File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "NOTICES.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void All_together_are_small() => Assert.InRange(LanguagePriors.Names.Sum(static name => new FileInfo(LanguagePriors.PathOf(name)).Length), 1, MostBytesInAll);

    [Fact]
    public void A_language_without_one_has_none() => Assert.Empty(LanguagePriors.Of(Language.PlainText));

    /// <summary>Without any model, from an empty document.</summary>
    [Theory]
    [InlineData("go", "if err != ", "nil")]
    [InlineData("csharp", "using ", "System")]
    [InlineData("python", "if __name__ == ", "'__main__'")]
    [InlineData("java", "if (view == ", "null")]
    [InlineData("javascript", "module.exports ", "=")]
    [InlineData("typescript", "export interface ", null)] // a name that is anybody's guess
    [InlineData("rust", "let mut ", null)]
    [InlineData("cpp", "#include ", null)]
    public void What_is_usual_is_known_from_the_start(string language, string before, string? expected)
    {
        var known = Language.ById(language);
        var tokens = new List<Token>();
        Lexer.Tokenize(before, known, tokens);
        var document = new GrowingDocument(before, tokens);
        var predictor = new PatternPredictor([], [], [], LanguagePriors.Of(known));
        var predictions = predictor.Next(document.Symbols, "", 3);
        Assert.NotEmpty(predictions);
        if (expected is not null)
        {
            Assert.Contains(expected, predictions.Select(static prediction => prediction.Text));
        }
    }

    [Fact]
    public void A_prior_forgets_what_is_rare_and_counts_it_all_the_same()
    {
        using var folder = new TempFolder();
        folder.Write("src/a.py", string.Concat(Enumerable.Range(0, 12).Select(static index => $"total = price{index}\n")));
        var store = new PatternStore(folder["models"], TimeProvider.System);
        var trained = new PatternTrainer(store, TimeProvider.System).Train(
            new() { Name = "usual", Folders = [folder["src"]], Prune = 4, IsPrior = true }, null, CancellationToken.None);
        PatternModel.Verify(trained.Stored.Path, CancellationToken.None);
        using var model = PatternModel.Open(trained.Stored.Path);
        Assert.NotNull(model.SymbolWith(SymbolHash.Of("total")));
        Assert.Null(model.SymbolWith(SymbolHash.Of("price3")));
        Assert.Empty(model.Provenance.Folders);

        // Twelve times something came behind '=', and no name of it is known.
        PatternEntry single = default;
        Span<ulong> contexts = stackalloc ulong[Contexts.Kinds];
        Contexts.Fill(new(), contexts);
        var all = ((IContextSource)model).Find(contexts[Contexts.Nothing], ref single);
        Assert.Equal(48u, all.Total);
        Assert.Equal(3, all.Entries.Length);
    }
}
