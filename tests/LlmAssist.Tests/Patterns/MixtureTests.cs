using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Patterns;

public class MixtureTests
{
    private static readonly Language Python = Language.ById("python");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ProbabilitiesAddUpToOneAlsoWhileItLearns(int seed)
    {
        var random = new Random(seed);
        string[] pieces = ["a", "total", "price", "f", "(", ")", ".", "=", "\n", "1", "if", "return", ","];
        var text = string.Concat(Enumerable.Range(0, 600).Select(_ => pieces[random.Next(pieces.Length)] + " "));
        var mixture = new Mixture(MixtureWeights.Untrained());
        Reading(mixture, text, (passage, actual) =>
        {
            var sum = (double)mixture.None;
            for (var index = 0; index < mixture.Count; index++)
            {
                Assert.InRange(mixture.Probability(index), 0, 1);
                Assert.Equal(index, mixture.IndexOf(mixture[index].Hash));
                sum += mixture.Probability(index);
            }

            Assert.Equal(1, sum, 1e-4);
        });
        Assert.All(mixture.Weights.Values, weight => Assert.True(float.IsFinite(weight)));
        Assert.All(mixture.Weights.Energies, energy => Assert.True(0 < energy));
    }

    [Fact]
    public void LearningMakesWhatCameMoreLikely()
    {
        var mixture = new Mixture(MixtureWeights.Start());
        var document = new GrowingDocument("a = f(x)\nb = g(y)\nc = ", Tokens("a = f(x)\nb = g(y)\nc = "));
        var passage = new Passage();
        while (document.Reached < document.Symbols.Length)
        {
            passage.Append(document.Symbols[document.Reached]);
            document.Read();
        }

        double Likelihood()
        {
            mixture.Predict(passage, [], [document.Source], [], "");
            return mixture.Probability(mixture.IndexOf(SymbolHash.Of("f")));
        }

        var before = Likelihood();
        for (var time = 0; time < 20; time++)
        {
            mixture.Learn(SymbolHash.Of("f"));
            var now = Likelihood();
            Assert.True(before < now, $"{time}: {before}, {now}");
        }

        Assert.True(1.5 * before < Likelihood(), $"{before}, {Likelihood()}");

        // What is not among the candidates makes 'none of these' more likely.
        var none = mixture.None;
        for (var time = 0; time < 20; time++)
        {
            mixture.Learn(SymbolHash.Of("neverSeen"));
            Likelihood();
        }

        Assert.True(1.5 * none < mixture.None, $"{none}, {mixture.None}");
    }

    [Fact]
    public void WhatIsShippedFitsThisProgramAndSurvivesAFile()
    {
        var shipped = MixtureWeights.Start();
        using var file = new MemoryStream();
        shipped.Write(file);
        var read = MixtureWeights.Read(new MemoryStream(file.ToArray()));
        Assert.Equal(shipped.Values, read.Values);
        Assert.Equal(shipped.Energies, read.Energies, (left, right) => MathF.Abs(left - right) <= 0.001f * left);
        Assert.NotEqual(MixtureWeights.Untrained().Values, shipped.Values);

        var other = file.ToArray();
        other[5] ^= 1;
        Assert.Throws<InvalidDataException>(() => MixtureWeights.Read(new MemoryStream(other)));
    }

    [Fact]
    public void ACopyLearnsForItself()
    {
        var weights = MixtureWeights.Start();
        var mixture = new Mixture(weights.Copy());
        Reading(mixture, "a = f(x)\nb = f(x)\n", static (_, _) => { });
        Assert.NotEqual(weights.Values, mixture.Weights.Values);
        Assert.Equal(MixtureWeights.Start().Values, weights.Values);
    }

    // Reads a text as it would be typed, looking at each prediction before it is learned from.
    private static void Reading(Mixture mixture, string text, Action<Passage, ulong> look)
    {
        var document = new GrowingDocument(text, Tokens(text));
        var passage = new Passage();
        while (document.Reached < document.Symbols.Length)
        {
            var symbol = document.Symbols[document.Reached];
            mixture.Predict(passage, [], [document.Source], [], "");
            look(passage, symbol.Hash);
            mixture.Learn(symbol.Hash);
            document.Read();
            passage.Append(symbol);
        }
    }

    private static List<Token> Tokens(string text)
    {
        var tokens = new List<Token>();
        Lexer.Tokenize(text, Python, tokens);
        return tokens;
    }
}
