// 'serve': opens the two streams and hands them to the language server. Mentions no library of the other verbs: a process that
// serves must not load them.
using LlmAssist.Engine;

namespace LlmAssist.Server.Cli;

/// <summary>The language server on standard input and output.</summary>
internal static class ServeVerb
{
    /// <summary>Has what commands answer shown to the user.</summary>
    public const string ShowAnswers = "--show-answers";

    /// <summary>Whether these arguments ask for the server itself rather than for help about it.</summary>
    public static bool IsMeantBy(ReadOnlySpan<string> args)
    {
        foreach (var argument in args)
        {
            if (argument is "-h" or "-?" or "/h" or "/?" or "--help")
            {
                return false;
            }
        }

        return args is ["serve", ..] or ["--stdio"];
    }

    /// <summary>Serves until the client leaves.</summary>
    /// <param name="args">The arguments of the process.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(string[] args)
    {
        foreach (var argument in args)
        {
            // VS Code's client adds its process id; 'initialize' says it too.
            var isKnown = argument is "serve" or "--stdio" or ShowAnswers || argument.StartsWith("--clientProcessId=", StringComparison.Ordinal);
            if (!isKnown)
            {
                Console.Error.WriteLine(new Phrase(
                    $"error: 'serve' does not know '{argument}'. It speaks on standard input and output only: llm-assist serve --stdio",
                    $"error: «serve» no conoce «{argument}». Solo habla por la entrada y la salida estándar: llm-assist serve --stdio").In(SpeechOfProcess()));
                return Task.FromResult(ExitCode.BadUsage);
            }
        }

        return ServeAsync(args.Contains(ShowAnswers));
    }

    /// <summary>The language that the process was started in; POSIX gives the order of the variables.</summary>
    public static Speech SpeechOfProcess() => SpeechOf(Environment.GetEnvironmentVariable);

    /// <summary>The same for any environment.</summary>
    public static Speech SpeechOf(Func<string, string?> variable)
    {
        foreach (var name in (ReadOnlySpan<string>)["LC_ALL", "LC_MESSAGES", "LANG"])
        {
            if (variable(name) is { Length: > 0 } locale)
            {
                return Phrase.SpeechOf(locale);
            }
        }

        return Speech.English;
    }

    private static async Task<int> ServeAsync(bool showsAnswers)
    {
        Bug.Reporter = static message => Console.Error.WriteLine(message);
        await using var input = Console.OpenStandardInput();
#pragma warning disable RS0030 // Here and nowhere else; FrameWriter is the only one who writes to it.
        await using var output = Console.OpenStandardOutput();
#pragma warning restore RS0030
        try
        {
            // Signals end the process as the system has it: there is nothing to save, and a read of a console cannot be canceled.
            return await ServerHost.RunAsync(input, output, new() { Speech = SpeechOfProcess(), ShowsAnswers = showsAnswers }, CancellationToken.None);
        }
        catch (UserException exception)
        {
            await Console.Error.WriteLineAsync("error: " + exception.Phrase.In(SpeechOfProcess()));
            return ExitCode.Failure;
        }
    }
}
