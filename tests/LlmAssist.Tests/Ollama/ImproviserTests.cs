// What the stand-in writes: the same for the same prompt, and what somebody would write who has read the code it has read.
using LlmAssist.FakeOllama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Ollama;

public sealed class ImproviserTests : IDisposable
{
    private const string Braces = """
        public sealed class Ledger
        {
            private readonly Dictionary<string, decimal> _balances = [];

            public void Pay(string account, decimal amount)
            {
                if (amount <= 0)
                {
                    throw new ArgumentException("Nothing to pay.", nameof(amount));
                }

                foreach (var entry in _balances
                    .Where(entry => entry.Key == account))
                {
                    Log(entry.Key, entry.Value);
                }

                _balances[account] += amount;
            }
        }

        """;

    private const string Colons = """
        class Ledger:
            def pay(self, account, amount):
                if amount <= 0:
                    raise ValueError("nothing to pay")
                for entry in self.entries:
                    self.log(entry)
                self.balances[account] += amount

            def balance(self, account):
                return self.balances[account]

        """;

    private const string Script = """
        export function pay(account, amount) {
          if (amount <= 0) {
            throw new Error('nothing to pay');
          }
          const entry = {
            account,
            amount,
          };
          return log(entry);
        }

        """;

    private readonly TempFolder _folder = new();
    private readonly Improviser _improviser;

    public ImproviserTests()
    {
        _folder.Write("src/Ledger.cs", Braces);
        _folder.Write("src/ledger.py", Colons);
        _folder.Write("src/ledger.js", Script);
        _improviser = Learned();
    }

    public void Dispose()
    {
        _improviser.Dispose();
        _folder.Dispose();
    }

    // The text between the marks is what comes; what it has learned has it in the same place.
    [Theory]
    [InlineData(Braces, "if (amo", "_balances[account]")]
    [InlineData(Braces, "(string account, decimal amount)\n", "\n\n        foreach")]
    [InlineData(Braces, "foreach (var", "entry.Value);")]
    [InlineData(Braces, "throw new ", "nameof(amount)")]
    [InlineData(Braces, "\"Nothing", ", nameof")]
    [InlineData(Colons, "if amount", "self.balances[account] += amount")]
    [InlineData(Colons, "for entry ", ".balances[account] += amount")]
    [InlineData(Colons, "raise", "\n\n    def balance")]
    [InlineData(Script, "if (", "account,\n")]
    [InlineData(Script, "'noth", "return")]
    public void It_goes_on_as_the_code_does(string text, string behind, string before)
    {
        text = text.ReplaceLineEndings("\n");
        var start = text.IndexOf(behind, StringComparison.Ordinal) + behind.Length;
        var end = text.IndexOf(before, start, StringComparison.Ordinal);
        Assert.StartsWith(text[start..end], Written(text[..start], ""), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("        if (amount <= 0)\n        {\n            ", "\n        }\n", "throw new ArgumentException(\"Nothing to pay.\", nameof(amount));")]
    [InlineData("            throw new ArgumentException(", ");\n", "\"Nothing to pay.\", nameof(amount)")]
    [InlineData("        foreach (var entry in _balances\n            .Where(", "))\n        {", "entry => entry.Key == account")]
    [InlineData("        if (amount <= 0)\n        {\n", "\n\n        foreach (var entry in _balances\n", "            throw new ArgumentException(\"Nothing to pay.\", nameof(amount));\n        }")]
    public void It_stops_where_the_text_behind_the_hole_goes_on(string before, string after, string written) => Assert.Equal(written, Written(before, after));

    [Fact]
    public void The_same_prompt_gives_the_same_text_in_every_program()
    {
        using var other = Learned();
        using var sample = new Improviser([], null, TimeProvider.System);
        using var sampleAgain = new Improviser([], null, TimeProvider.System);
        foreach (var prompt in new[] { "", "x", "public ", "def f(", "// a comment", "{\n", "return \"", "}}}" })
        {
            Assert.Equal(Written(prompt, ""), Written(prompt, "", other));
            Assert.Equal(Written(prompt, "", sample), Written(prompt, "", sampleAgain));
        }
    }

    [Fact]
    public void Its_folder_goes_with_it()
    {
        var improviser = Learned();
        Assert.True(Directory.Exists(improviser.Folder));
        improviser.Dispose();
        Assert.False(Directory.Exists(improviser.Folder));
        Assert.Throws<Engine.UserException>(() => new Improviser([_folder["nothing"]], null, TimeProvider.System));
    }

    private Improviser Learned() => new([_folder["src"]], null, TimeProvider.System);

    private string Written(string before, string after, Improviser? improviser = null) =>
        string.Concat((improviser ?? _improviser).Continue(new(before, after, null)).Take(200));
}
