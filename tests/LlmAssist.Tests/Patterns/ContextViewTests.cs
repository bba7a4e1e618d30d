using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Patterns;

public class ContextViewTests
{
    private static readonly Language CSharp = Language.ById("csharp");

    [Theory]
    [InlineData("send(a, b, ", "send", 2)]
    [InlineData("send(a, list[i, j], ", "send", 2)]
    [InlineData("send(f(x), g(", "g", 0)]
    [InlineData("send(f(x), g(y)", "send", 1)]
    [InlineData("x = (a, ", "(", 1)] // no name before the bracket
    [InlineData("{ a; b; ", "{", 0)]
    [InlineData("done();", "", 0)]
    public void TheEnclosingCall(string before, string call, int argument)
    {
        var view = Read(before);
        Assert.Equal((call.Length == 0 ? 0 : SymbolHash.Of(call), argument), (view.Call, view.Argument));
    }

    [Theory]
    [InlineData("a = b;\nreturn c", "return", "c", 2, "a", "=")]
    [InlineData("if (x) {\n", "", "", 0, "if", "(")]
    [InlineData("if (x) {\n\n  y", "y", "", 1, "if", "(")]
    [InlineData("x", "x", "", 1, "", "")]
    public void TheStatement(string before, string first, string second, int length, string previousFirst, string previousSecond)
    {
        var view = Read(before);
        static ulong Hash(string text) => text.Length == 0 ? 0 : SymbolHash.Of(text);
        Assert.Equal((Hash(first), Hash(second), length), (view.StatementFirst, view.StatementSecond, view.StatementLength));
        Assert.Equal((Hash(previousFirst), Hash(previousSecond)), (view.PreviousFirst, view.PreviousSecond));
    }

    [Theory]
    [InlineData("zebra = okapi * lemur", "gnu = ibex * kudu")] // the same with other names
    [InlineData("zebra(okapi, okapi)", "gnu(ibex, ibex)")]
    public void RenamedContextsAreBlindToRareNames(string one, string other)
    {
        var (left, right) = (Read(one), Read(other));
        for (var length = 1; length <= ContextView.MaximumRun; length++)
        {
            Assert.Equal(left.Renamed(length), right.Renamed(length));
            Assert.Equal(left.Shape(length), right.Shape(length));
        }

        Assert.NotEqual(left.Run(4), right.Run(4));
        Assert.NotEqual(Read("zebra(okapi, lemur)").Renamed(5), Read("zebra(okapi, okapi)").Renamed(5));
    }

    [Fact]
    public void RareSymbolsAreNumberedFromHere()
    {
        var view = Read("zebra = okapi * lemur + okapi");
        Assert.Equal(["okapi", "lemur", "zebra"], view.Slots.ToArray().Select(slot => new[] { "okapi", "lemur", "zebra" }.First(name => SymbolHash.Of(name) == slot)));
        Assert.Equal([0, 1, 2, -1], new[] { "okapi", "lemur", "zebra", "gnu" }.Select(name => view.SlotOf(SymbolHash.Of(name))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void NothingBeyondItsReachMatters(int seed)
    {
        var random = new Random(seed);
        string[] pieces = ["a", "b", "total", "price", "(", ")", "{", "}", "[", "]", ",", ";", "=", ".", "return", "\n", "1", "\"s\""];
        string Some(int count) => string.Concat(Enumerable.Range(0, count).Select(_ => pieces[random.Next(pieces.Length)] + " "));
        var (used, fresh) = (new ContextView(), new ContextView());
        var (left, right) = (new ulong[Contexts.Kinds], new ulong[Contexts.Kinds]);
        for (var round = 0; round < 200; round++)
        {
            Symbol[] near = [.. NaiveCounts.SymbolsOf(Some(200), CSharp).TakeLast(ContextView.Reach)];
            Symbol[] far = [.. NaiveCounts.SymbolsOf(Some(random.Next(100)), CSharp), .. near];
            if (near.Length < ContextView.Reach)
            {
                continue;
            }

            used.Read(far);
            fresh.Read(near);
            Contexts.Fill(used, left);
            Contexts.Fill(fresh, right);

            // A bracket at the very edge has its name outside.
            var edge = near[0].Traits.Role is SymbolRole.Opens or SymbolRole.OpensBlock;
            Assert.True(edge || left.AsSpan().SequenceEqual(right));
            Assert.Equal(used.Slots, fresh.Slots);
        }
    }

    [Fact]
    public void KindsAreToldApart()
    {
        Assert.Equal(Contexts.Kinds, Contexts.All.Select(kind => kind.Name).Distinct().Count());
        var contexts = new ulong[Contexts.Kinds];
        Contexts.Fill(Read("total = price * count(a, b"), contexts);
        Assert.Equal(Contexts.Kinds, contexts.Distinct().Count());
        Assert.Equal("symbols0", Contexts.All[Contexts.Nothing].Name);
    }

    private static ContextView Read(string before)
    {
        var view = new ContextView();
        view.Read(NaiveCounts.SymbolsOf(before, CSharp).ToArray());
        return view;
    }
}
