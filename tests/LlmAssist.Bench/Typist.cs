// Somebody who types held-out lines into held-out files, and asks at every keystroke. Real text, real protocol, no pauses.
using System.Diagnostics;
using System.Text.Json.Nodes;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Bench;

/// <summary>Where a suggestion is asked for.</summary>
internal enum Surface
{
    Inline,
    List,
}

/// <summary>Latencies of one surface, in milliseconds.</summary>
internal sealed class Latencies
{
    /// <summary>From before the request is written until its answer is read.</summary>
    public List<double> Requests { get; } = [];

    /// <summary>The parts that the server tells of in its explanation, by name.</summary>
    public Dictionary<string, List<double>> Stages { get; } = [];

    /// <summary>Requests that were answered with something.</summary>
    public int Answered { get; set; }
}

/// <summary>Types files into a session. Touched by one thread.</summary>
internal sealed class Typist(EditorSession session)
{
    private const int LongestTyped = 60;  // keystrokes of a line; generated tables have longer ones, which nobody types
    private const int ShortestTyped = 8;

    private readonly Dictionary<string, int> _versions = [];

    /// <summary>Opens a file, and waits for the answer to a first request in it, in milliseconds.</summary>
    public double Open(CorpusFile file, Surface surface)
    {
        var text = CorpusWalker.ReadText(file)!;
        var uri = UriOf(file);
        session.Tell("textDocument/didOpen", new()
        {
            ["textDocument"] = new JsonObject { ["uri"] = uri, ["languageId"] = file.Language.Id, ["version"] = 1, ["text"] = text },
        });
        _versions[uri] = 1;
        var places = Places(text);
        var (line, column) = places[places.Count / 2];
        return Ask(uri, line, column + (ShortestTyped / 2), surface, out _);
    }

    /// <summary>Types lines of an open file, chosen evenly over it and differently in each round, until enough was asked.</summary>
    public void Type(CorpusFile file, int round, int rounds, int requests, Func<Surface, Latencies> into)
    {
        var text = CorpusWalker.ReadText(file)!;
        var lines = text.Split('\n');
        var uri = UriOf(file);
        var places = Places(text);
        var average = places.Average(place => Math.Min(LongestTyped, lines[place.Line].TrimEnd().Length - place.Column));
        var wanted = (int)Math.Ceiling(requests * 2 / average);
        var step = Math.Max(1.0, (double)places.Count / wanted);
        for (var index = 0; index < wanted; index++)
        {
            var (line, column) = places[(int)((index + ((double)round / rounds)) * step) % places.Count];
            var whole = lines[line].TrimEnd();
            var typed = whole.AsSpan(column, Math.Min(LongestTyped, whole.Length - column)).ToString();
            var surface = index % 2 == 0 ? Surface.Inline : Surface.List;
            Change(uri, line, column, whole.Length, "");
            for (var done = 0; done < typed.Length; done++)
            {
                Change(uri, line, column + done, column + done, typed[done].ToString());
                var latencies = into(surface);
                latencies.Requests.Add(Ask(uri, line, column + done + 1, surface, out var isAnswered));
                latencies.Answered += isAnswered ? 1 : 0;
                foreach (var stage in session.Ask("workspace/executeCommand", new() { ["command"] = "llmAssist.completion.explain" })!["stages"]!.AsArray())
                {
                    var name = stage!["stage"]!.GetValue<string>();
                    latencies.Stages.TryAdd(name, []);
                    latencies.Stages[name].Add(stage["microseconds"]!.GetValue<double>() / 1000);
                }
            }

            Change(uri, line, column + typed.Length, column + typed.Length, whole[(column + typed.Length)..]);
        }
    }

    private double Ask(string uri, int line, int character, Surface surface, out bool isAnswered)
    {
        var parameters = new JsonObject
        {
            ["textDocument"] = new JsonObject { ["uri"] = uri },
            ["position"] = Position(line, character),
            ["context"] = new JsonObject { ["triggerKind"] = surface == Surface.Inline ? 2 : 1 },
        };
        var clock = Stopwatch.StartNew();
        var answer = session.Ask(surface == Surface.Inline ? "textDocument/inlineCompletion" : "textDocument/completion", parameters);
        var elapsed = clock.Elapsed.TotalMilliseconds;
        isAnswered = answer?["items"] is JsonArray { Count: > 0 };
        return elapsed;
    }

    private void Change(string uri, int line, int from, int to, string text) => session.Tell("textDocument/didChange", new()
    {
        ["textDocument"] = new JsonObject { ["uri"] = uri, ["version"] = ++_versions[uri] },
        ["contentChanges"] = new JsonArray(new JsonObject
        {
            ["range"] = new JsonObject { ["start"] = Position(line, from), ["end"] = Position(line, to) },
            ["text"] = text,
        }),
    });

    // Where lines of code begin behind their indentation. Lines that look like comments are left out: nothing is predicted there, at once.
    private static List<(int Line, int Column)> Places(string text)
    {
        var places = new List<(int Line, int Column)>();
        var lines = text.Split('\n');
        for (var line = 0; line < lines.Length; line++)
        {
            var code = lines[line].Trim();
            if (ShortestTyped <= code.Length && code[0] is not ('/' or '*' or '#' or '<'))
            {
                places.Add((line, lines[line].IndexOf(code[0])));
            }
        }

        return places;
    }

    private static JsonObject Position(int line, int character) => new() { ["line"] = line, ["character"] = character };

    private static string UriOf(CorpusFile file) => new Uri(file.FullPath).AbsoluteUri;
}
