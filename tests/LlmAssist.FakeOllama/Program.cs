// Runs the stand-in by itself, for people and for programs that are not ours. Ends when standard input does, or with Ctrl+C.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using LlmAssist.Engine;

namespace LlmAssist.FakeOllama;

internal static class Program
{
    private const string Usage = """
        fake-ollama: stands in for Ollama on 127.0.0.1. It has no model; what it generates is made up from code.

          --port N             where it listens; 0 for any free port (default: 11434)
          --scenario FILE      a scenario in JSON: see Scenario.cs for its members; the options below change it
          --learn FOLDER       code to learn from, so that what it generates looks like it; may be repeated
          --model NAME         an installed model; may be repeated (default: qwen2.5-coder:1.5b)
          --load-ms N          how long a model takes to load
          --first-frame-ms N   how long a prompt takes before its first piece of text
          --frame-ms N         how long each piece of text takes
          --help               this

        Prints one line when it listens. Ends with Ctrl+C, or when its standard input does.
        """;

    public static async Task<int> Main(string[] args)
    {
        try
        {
            if (args.Contains("--help"))
            {
                Say(Usage);
                return 0;
            }

            var (scenario, port) = Understood(args);
            var ended = new TaskCompletionSource();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
            await using var server = new FakeServer(scenario, TimeProvider.System, port);
            Say($"Stands in for Ollama at {server.Endpoint}");
            await Task.WhenAny(ended.Task, Task.Run(Console.In.ReadToEnd));
            return 0;

            void End(PosixSignalContext signal)
            {
                signal.Cancel = true;
                ended.TrySetResult();
            }
        }
        catch (Exception exception) when (exception is UserException or System.Net.Sockets.SocketException)
        {
            Console.Error.WriteLine(exception is UserException ? exception.Message : $"The port cannot be used: {exception.Message}. Choose another with --port, or 0 for any.");
            return 2;
        }
    }

#pragma warning disable RS0030 // Standard output carries no protocol here.
    private static void Say(string text) => Console.WriteLine(text);
#pragma warning restore RS0030

    private static (Scenario Scenario, int Port) Understood(string[] args)
    {
        var values = new Dictionary<string, List<string>>();
        string[] known = ["--port", "--scenario", "--learn", "--model", "--load-ms", "--first-frame-ms", "--frame-ms"];
        for (var index = 0; index < args.Length; index += 2)
        {
            if (!known.Contains(args[index]))
            {
                throw Wrong($"'{args[index]}'", $"one of {string.Join(", ", known)}");
            }

            if (args.Length <= index + 1)
            {
                throw Wrong($"{args[index]} at the end", "a value behind it");
            }

            values.TryAdd(args[index], []);
            values[args[index]].Add(args[index + 1]);
        }

        var scenario = Last("--scenario") is { } file ? ScenarioIn(file) : new();
        scenario = scenario with
        {
            LearnFrom = [.. scenario.LearnFrom, .. (values.GetValueOrDefault("--learn") ?? []).Select(Existing)],
            LoadMilliseconds = Number("--load-ms", int.MaxValue) ?? scenario.LoadMilliseconds,
            FirstFrameMilliseconds = Number("--first-frame-ms", int.MaxValue) ?? scenario.FirstFrameMilliseconds,
            FrameMilliseconds = Number("--frame-ms", int.MaxValue) ?? scenario.FrameMilliseconds,
            Models = values.TryGetValue("--model", out var names) ? [.. names.Select(name => new FakeModel { Name = Valid(name), Family = FamilyOf(name) })] : scenario.Models,
        };
        return (scenario, Number("--port", ushort.MaxValue) ?? 11434);

        string? Last(string option) => values.TryGetValue(option, out var found) ? found[^1] : null;

        int? Number(string option, int most) =>
            Last(option) is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most ? number
            : throw Wrong($"{option} {text}", $"a whole number from 0 to {most}");
    }

    private static Scenario ScenarioIn(string file)
    {
        try
        {
            return Scenario.Parse(File.ReadAllText(file));
        }
        catch (JsonException exception)
        {
            throw Wrong($"{file}, which is no scenario: {exception.Message}", "JSON with the members of Scenario.cs");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"--scenario {file}, which cannot be read: {exception.Message}", "a file");
        }
    }

    private static string Existing(string path) => Path.Exists(path) ? path : throw Wrong($"--learn {path}, which does not exist", "a folder or a file");

    private static string Valid(string name) => ModelNames.IsValid(name) ? name : throw Wrong($"--model {name}", "a name such as qwen2.5-coder:1.5b");

    // Programs tell by it how a model is asked.
    private static string FamilyOf(string name)
    {
        (string Part, string Family)[] families =
        [
            ("qwen", "qwen2"), ("starcoder2", "starcoder2"), ("starcoder", "starcoder"), ("gemma", "gemma"), ("granite4", "granitehybrid"), ("stable-code", "stablelm"),
        ];
        return families.FirstOrDefault(row => name.Contains(row.Part, StringComparison.OrdinalIgnoreCase)).Family ?? "llama";
    }

    private static UserException Wrong(string found, string expected) => new(Phrase.Same($"Found {found}; expected {expected}. See fake-ollama --help."));
}
