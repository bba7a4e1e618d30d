// Where streamed answers end. '|' is the cursor; what stands behind the cursor is the text below, the answer is given apart.
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Text;

namespace LlmAssist.Tests.Completion;

public sealed class StreamStopsTests
{
    private static readonly string[] Stops = ["<|fim_middle|>", "<|endoftext|>", "\n+++++ "];

    [Theory]
    [InlineData("foo(x);", "foo(x);", "None")]
    [InlineData("", "", "None")]
    [InlineData("a\n\n", "a", "None")]
    [InlineData("a \n  \n", "a ", "None")]
    [InlineData("a\r\nb", "a\nb", "None")]
    [InlineData("x + ", "x + ", "None")]
    [InlineData("a<|endoftext|>b", "a", "StopToken")]
    [InlineData("<|fim_middle|>", "", "StopToken")]
    [InlineData("a\n<|endoftext|>", "a", "StopToken")]
    [InlineData("a\n+++++ b.cs\nc", "a", "StopToken")]
    [InlineData("a <|endoftext b", "a <|endoftext b", "None")]
    [InlineData("a <", "a <", "None")]
    public void Ends_at_stop_tokens(string answer, string expected, string end) => CheckEnd("|", answer, expected, end);

    [Theory]
    [InlineData("f(|)", "a\nb", "a", "SingleLine")]
    [InlineData("f(|)", "a", "a", "None")]
    [InlineData("f(|) ", "\na", "", "SingleLine")]
    [InlineData("f(|  \n", "a,\nb)", "a,\nb)", "None")]
    [InlineData("|", "1\n2\n3\n4\n5", "1\n2\n3\n4", "LineCount")]
    [InlineData("|", "1\n2\n3\n4", "1\n2\n3\n4", "None")]
    [InlineData("|", "1\n2\n3\n4\n", "1\n2\n3\n4", "LineCount")]
    public void Ends_when_there_are_lines_enough(string place, string answer, string expected, string end) => CheckEnd(place, answer, expected, end, maximumLines: 4);

    [Theory]
    [InlineData("|\nreturn total;", "a = 1;\nreturn total;\nb = 2;", "a = 1;", "Suffix")]
    [InlineData("|\nreturn total;", "a = 1;\n\nreturn total;", "a = 1;", "Suffix")] // at the stream's own end too
    [InlineData("|\n\n  \nreturn total;", "return total;\n", "", "Suffix")] // blank lines between do not count
    [InlineData("ret|\nreturn total;", "urn total;\nb", "", "Suffix")] // with what is typed of it
    [InlineData("|\nreturn total;", "a = 1; return total;\nb", "a = 1; return total;\nb", "None")]
    [InlineData("|\nreturn total;", "return total;2\nb", "return total;2\nb", "None")]
    [InlineData("|\n  return total;", "return total;\nb", "return total;\nb", "None")] // not at that depth
    [InlineData("|\nend\nend\ncall", "x\nend\ny", "x\nend\ny", "None")] // one such line says nothing
    [InlineData("|\nend\nend\ncall", "x\nend\nend\ny", "x", "Suffix")] // two do
    public void Ends_where_it_says_again_what_stands_below(string place, string answer, string expected, string end) => CheckEnd(place, answer, expected, end);

    [Theory]
    [InlineData("f(|)", "a, b)", "a, b", "Bracket")]
    [InlineData("f(|)", "g(a), b)", "g(a), b", "Bracket")]
    [InlineData("f(|", "a, b);", "a, b);", "None")] // nobody has closed it
    [InlineData("f(g(|)", "a), b)", "a), b", "Bracket")] // one of two is closed
    [InlineData("f(|)", "a, \")\"", "a, \")\"", "None")] // text, not code
    [InlineData("f(|)", "a /* :) */", "a /* :) */", "None")]
    [InlineData("{\n  if (x) {\n    |\n  }\n}", "a();\n    }\n    b();", "a();", "Bracket")]
    [InlineData("{\n  if (x) {\n    |\n}", "a();\n  }\n  b();", "a();\n  }", "Scope")] // its own brace is missing
    [InlineData("x = [|]", "1, 2]", "1, 2", "Bracket")]
    [InlineData("|", "a }", "a ", "Bracket")]
    public void Ends_at_brackets_of_others(string place, string answer, string expected, string end) => CheckEnd(place, answer, expected, end);

    [Theory]
    [InlineData("markdown", "- |", "a) one", "a) one", "None")]
    [InlineData("csharp", "// |", "a) one", "a) one", "None")]
    public void Brackets_in_prose_are_text(string language, string place, string answer, string expected, string end) =>
        CheckEnd(place, answer, expected, end, language: language, inLiteral: language == "csharp");

    [Theory]
    [InlineData("|", "a\na\na\na", "a", "Repetition")]
    [InlineData("|", "a\na\nb\na", "a\na\nb\na", "None")]
    [InlineData("|", "x\na\nb\na\nb\na\nb\n", "x\na\nb", "Repetition")]
    [InlineData("|", "x\n\n\n\ny", "x", "Repetition")]
    [InlineData("|", "x\n\n\ny", "x\n\n\ny", "None")]
    [InlineData("    |", "a();\n    a();\n    a();", "a();", "Repetition")]
    public void Ends_when_it_goes_in_circles(string place, string answer, string expected, string end) => CheckEnd(place, answer, expected, end);

    [Theory]
    [InlineData("x", 500, 33)] // found at the 64th
    [InlineData("ab", 500, 2)]
    [InlineData("foo(bar) ", 500, null)]
    [InlineData("-", 80, 80)] // a ruler
    [InlineData(" ", 500, null)]
    public void Ends_lines_that_never_end(string pattern, int length, int? atMost)
    {
        var answer = string.Concat(Enumerable.Repeat(pattern, length / pattern.Length));
        var stops = Reader("|", 10, "plaintext", false);
        stops.Take(answer);
        Assert.InRange(stops.Finish().Length, 0, atMost ?? 140);
        Assert.Equal(pattern == "-" ? StreamEnd.None : StreamEnd.Repetition, stops.End);
        Assert.True(stops.Received.Length <= 192, "late");
    }

    [Theory]
    [InlineData("python", "def f():\n    |", "a = 1\n    return a\n\ndef g():\n    pass", "a = 1\n    return a", "Scope")]
    [InlineData("python", "def f():\n    |", "if x:\n        y\n    z", "if x:\n        y\n    z", "None")]
    [InlineData("csharp", "{\n    {\n        |", "a;\n    }\n    b;", "a;\n    }", "Scope")] // its closing line comes too
    [InlineData("csharp", "{\n    {\n        |\n    }", "a;\n    }\n    b;", "a;", "Scope")] // unless it is there
    [InlineData("csharp", "{\n    if (x) {\n        |", "a;\n    } else {\n        b;\n    }\n    c;", "a;\n    } else {\n        b;\n    }", "Scope")]
    [InlineData("ruby", "def f\n  if x\n    |", "a\n  end\n  b", "a\n  end", "Scope")]
    [InlineData("ruby", "def f\n  if x\n    |", "a\n  ending = 1", "a", "Scope")]
    [InlineData("shellscript", "f() {\n  if x; then\n    |", "a\n  fi\n  b", "a\n  fi", "Scope")]
    [InlineData("python", "\tif x:\n\t\t|", "a\n\tb", "a", "Scope")]
    [InlineData("python", "|", "a\nb", "a\nb", "None")]
    public void Ends_where_it_leaves_the_block(string language, string place, string answer, string expected, string end) => CheckEnd(place, answer, expected, end, language: language);

    // The sooner the better: how much had to be generated before it was clear.
    [Theory]
    [InlineData("def f():\n    |", "a\nreturn b and much more", "a\nreturn ")]
    [InlineData("def f():\n    |", "a\n@decorated", "a\n@")]
    [InlineData("|\nreturn total;", "return total;\nmore", "return total;\n")]
    [InlineData("f(|)", "a)\nmore", "a)\n")]
    public void Ends_as_soon_as_it_is_clear(string place, string answer, string received)
    {
        var stops = Reader(place, 10, "python", false);
        Assert.False(stops.Take(answer));
        Assert.Equal(received, stops.Received);
        Assert.False(stops.Take("more"));
        Assert.Equal(received, stops.Received);
    }

    [Theory]
    [InlineData("a <", "a ")]
    [InlineData("a <|end", "a ")]
    [InlineData("a <x", "a <x")]
    [InlineData("a\n++", "a")]
    public void Holds_back_what_may_become_a_stop_token(string received, string shown)
    {
        var stops = Reader("|", 10, "csharp", false);
        Assert.True(stops.Take(received));
        Assert.Equal(shown, stops.Text);
        Assert.Equal(received, stops.Finish());
    }

    [Fact]
    public void How_the_text_is_split_makes_no_difference()
    {
        string[] pieces =
        [
            "a", "foo", "(", ")", "{", "}", "[", "]", "\"", "\n", "\n", "\n    ", "\n  ", "\r\n", "  ", "\t", "} else {", "end", "//", " ", "return total;", "<|fim_", "middle|>", "<", "|endoftext|>", "+++++ ",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "😀", "\nsame\nsame",
        ];
        string[] places = ["|", "    |", "f(|)", "{\n  {\n    |\n  }\n}", "{\n  |\n  return total;\n}", "    |\nend\nend", "x = \"|"];
        string[] languages = ["csharp", "python", "ruby", "markdown"];
        var random = new Random(8);
        var ends = new HashSet<StreamEnd>();
        for (var round = 0; round < 4_000; round++)
        {
            var answer = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => pieces[random.Next(pieces.Length)]));
            var place = places[random.Next(places.Length)];
            var language = languages[random.Next(languages.Length)];
            var lines = 1 + random.Next(20);
            var whole = Reader(place, lines, language, false);
            whole.Take(answer);
            var text = whole.Finish();
            ends.Add(whole.End);
            Assert.StartsWith(text, answer.Replace("\r", ""), StringComparison.Ordinal);

            var split = Reader(place, lines, language, false);
            for (var start = 0; start < answer.Length;)
            {
                var end = Math.Min(answer.Length, start + random.Next(6));
                split.Take(answer.AsSpan(start..end));
                Assert.Equal(split.End == StreamEnd.None, split.Take(""));
                start = end;
            }

            Assert.Equal((text, whole.End, whole.Received), (split.Finish(), split.End, split.Received));
            Assert.Equal(text, split.Finish());
        }

        // Else these texts would prove little.
        Assert.Equal(Enum.GetValues<StreamEnd>().ToHashSet(), ends);
    }

    private static void CheckEnd(string place, string answer, string expected, string end, int maximumLines = 10, string language = "csharp", bool inLiteral = false)
    {
        var stops = Reader(place, maximumLines, language, inLiteral);
        stops.Take(answer);
        Assert.Equal((expected, end), (stops.Finish(), stops.End.ToString()));
    }

    private static StreamStops Reader(string place, int maximumLines, string language, bool inLiteral)
    {
        var cursor = place.IndexOf('|');
        return new(new(place[..cursor], place[(cursor + 1)..], Language.ById(language), inLiteral, maximumLines), Stops);
    }
}
