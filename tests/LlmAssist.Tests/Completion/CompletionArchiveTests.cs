// Each file in Fixtures/completion is a case: why it exists, settings, files, and what is answered at $0. UPDATE_GOLDEN=1 rewrites
// what is expected.
using System.Globalization;
using System.Text;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Completion;

public class CompletionArchiveTests
{
    public static TheoryData<string> Cases => [.. Directory.GetFiles(Path.Combine(Golden.Fixtures, "completion"), "*.txt").Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Answers(string file) => Golden.Check(Path.Combine("completion", file), "expect", Answer);

    [Fact]
    public void ThereAreEnough() => Assert.True(20 <= Directory.GetFiles(Path.Combine(Golden.Fixtures, "completion"), "*.txt").Length);

    // Files below 'train/' are learned by a model, those below 'open/' are other open documents; the one with $0 is completed.
    private static string Answer(string archive)
    {
        using var folder = new TempFolder();
        var time = new StillTime();
        var settings = new Dictionary<string, string>();
        var store = new PatternStore(folder["models"], time);
        using var host = new ModelHost(store, time);
        var engine = new CompletionEngine(host, time);
        CompletionQuery? query = null;
        var trains = false;
        foreach (var (name, text) in Parts(archive))
        {
            if (name == "settings")
            {
                settings = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(": ")).ToDictionary(pair => pair[0], pair => pair[1]);
            }
            else if (name.StartsWith("train/", StringComparison.Ordinal))
            {
                folder.Write(name, text);
                trains = true;
            }
            else if (name.StartsWith("open/", StringComparison.Ordinal))
            {
                engine.Observe(name, new(text), Language.ByPath(name));
            }
            else
            {
                var content = settings.GetValueOrDefault("newlines") == "crlf" ? text.Replace("\n", "\r\n", StringComparison.Ordinal) : text;
                var offset = content.IndexOf("$0", StringComparison.Ordinal);
                query = new() { Uri = name, Language = Language.ByPath(name), Text = new(content.Remove(offset, 2)), Offset = offset, Surface = CompletionSurface.Inline };
            }
        }

        if (trains)
        {
            host.Load(TinyCorpus.Train(store, folder["train"], "tiny", time).Stored);
        }

        // 'selected: 3 console': the list would insert 'console' 3 code units before the cursor.
        var selected = settings.GetValueOrDefault("selected")?.Split(' ', 2);
        var report = engine.CompleteNow(
            query! with
            {
                Surface = settings.GetValueOrDefault("surface") == "list" ? CompletionSurface.List : CompletionSurface.Inline,
                IsExplicit = settings.GetValueOrDefault("explicit") == "yes",
                WithLine = settings.GetValueOrDefault("withLine") == "yes",
                Selected = selected is null ? null : (query.Offset - int.Parse(selected[0], CultureInfo.InvariantCulture), selected[1]),
            },
            new()
            {
                MinConfidence = double.Parse(settings.GetValueOrDefault("minConfidence", "0.2"), CultureInfo.InvariantCulture),
                ListLength = int.Parse(settings.GetValueOrDefault("length", "4"), CultureInfo.InvariantCulture),
            },
            CancellationToken.None);
        return Shown(query!, report);
    }

    // What is replaced stands in brackets.
    private static string Shown(CompletionQuery query, CompletionReport report)
    {
        var shown = new StringBuilder();
        foreach (var item in report.Items)
        {
            var replaced = query.Text.Content[item.ReplaceStart..query.Offset];
            Assert.StartsWith(replaced, item.Text, StringComparison.Ordinal);
            Assert.InRange(item.Confidence, 0, 1);
            shown.Append($"{report.Lane.ToString().ToLowerInvariant()} {(item.IsLine ? "line" : "word")} [{replaced}]{item.Text[replaced.Length..]}\n");
        }

        foreach (var filtered in report.Filtered)
        {
            shown.Append($"filtered by {filtered.Filter}: {filtered.Text}\n");
        }

        Assert.Equal(report.Items.Count == 0, report.Why is not null);
        return shown.Append(report.Why is { } why ? $"why: {why.English}\n" : "").ToString();
    }

    private static IEnumerable<(string Name, string Text)> Parts(string archive)
    {
        string? name = null;
        var text = new StringBuilder();
        foreach (var line in archive.Split('\n').SkipLast(1))
        {
            if (line.StartsWith("-- ", StringComparison.Ordinal) && line.EndsWith(" --", StringComparison.Ordinal))
            {
                if (name is not null)
                {
                    yield return (name, text.ToString());
                }

                name = line[3..^3];
                text.Clear();
            }
            else
            {
                text.Append(line).Append('\n');
            }
        }

        yield return (name!, text.ToString());
    }
}
