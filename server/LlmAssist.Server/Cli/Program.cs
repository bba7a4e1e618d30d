// The executable: the fast way into 'serve', the table of verbs, exit codes. What a verb does is in its own file.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Server.Cli;

/// <summary>The entry point.</summary>
internal static class Program
{
    private static int Main(string[] args) =>
        ServeVerb.IsMeantBy(args) ? ServeVerb.RunAsync(args).GetAwaiter().GetResult() : RunVerb(args);

    /// <summary>Runs a verb on this machine: reads the environment, catches Ctrl+C.</summary>
    // A method of its own, so that the console libraries are not loaded to start the server.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int RunVerb(string[] args)
    {
        using var interrupted = new CancellationTokenSource();
        void Interrupt(PosixSignalContext signal)
        {
            // The second time the system has its way: the process ends at once. Models are published by a rename, so even
            // then nothing half-saved is left under a model's name.
            signal.Cancel = !interrupted.IsCancellationRequested;
            interrupted.Cancel();
        }

        using var interruption = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        using var termination = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        var terminal = Terminal.OfProcess();
        Bug.Reporter = message => terminal.Remark(Phrase.Same(message));
        try
        {
            var context = new VerbContext(terminal, DataFolders.OfThisUser(), TimeProvider.System, MemoryProbe.ForThisMachine(), Environment.GetEnvironmentVariable);
            return RunAsync(args, context, interrupted.Token).GetAwaiter().GetResult();
        }
        catch (UserException exception)
        {
            terminal.Fail(exception.Phrase);
            return ExitCode.Failure;
        }
    }

    /// <summary>Runs a verb.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, VerbContext context, CancellationToken cancellation)
    {
        var terminal = context.Terminal;

        // The parser's own texts come from its resources. Flows with this call only.
        CultureInfo.CurrentUICulture = terminal.Speech == Speech.Spanish ? new CultureInfo("es") : CultureInfo.InvariantCulture;
        var json = new Option<bool>("--json")
        {
            Description = context.Text(new("Print one JSON document on standard output", "Escribir un único documento JSON en la salida estándar")),
            Recursive = true,
        };
        var root = Root(context, json);
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        IReadOnlyList<Phrase> errors = parsed.Errors.Count != 0 ? [.. parsed.Errors.Select(error => Phrase.Same(error.Message)).Distinct()] : [.. UnknownOptions(parsed)];
        if (errors.Count != 0)
        {
            foreach (var error in errors)
            {
                terminal.Fail(error);
            }

            var verb = string.Join(' ', PathTo(parsed.CommandResult.Command, root));
            terminal.Remark(new($"How it is used: llm-assist {verb}--help", $"Modo de empleo: llm-assist {verb}--help"));
            return ExitCode.BadUsage;
        }

        terminal.IsJson = parsed.GetValue(json);
        try
        {
            var invocation = new InvocationConfiguration
            {
                Output = terminal.RawOutput,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(invocation, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            terminal.Remark(new("Canceled; nothing was changed.", "Cancelado; no se ha modificado nada."));
            return ExitCode.Interrupted;
        }
        catch (UserException exception)
        {
            terminal.Fail(exception.Phrase);
            return ExitCode.Failure;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            terminal.Fail(Phrase.Same(exception.Message));
            return ExitCode.Failure;
        }
    }

    private static RootCommand Root(VerbContext context, Option<bool> json)
    {
        var root = new RootCommand(context.Text(new(
            "Code completion from models that live on your own machine. Your code stays here.",
            "Autocompletado de código con modelos que viven en su propia máquina. Su código no sale de aquí.")))
        {
            json,
            Serve(context),
            TrainVerb.Command(context),
            CompleteVerb.Command(context),
            ModelsVerb.Command(context),
            MemoryVerb.Command(context),
            EvalVerb.Command(context),
            DoctorVerb.Command(context),
            TourVerb.Command(context),
        };
        return root;
    }

    // Here for its help only; the server itself is started before any of this is loaded.
    private static Command Serve(VerbContext context)
    {
        var stdio = new Option<bool>("--stdio")
        {
            Description = context.Text(new("Speak on standard input and output; there is no other way", "Hablar por la entrada y la salida estándar; no hay otra forma")),
        };
        var answers = new Option<bool>(ServeVerb.ShowAnswers)
        {
            Description = context.Text(new("Show what commands answer as messages too, for editors that throw answers away", "Mostrar también como mensajes lo que responden los comandos, para editores que descartan las respuestas")),
        };
        var serve = new Command("serve", context.Text(new("Run the language server for an editor", "Ejecutar el servidor de lenguaje para un editor"))) { stdio, answers };
        serve.SetAction((_, _) => ServeVerb.RunAsync(["serve"]));
        return serve;
    }

    // The library takes an option that it does not know for a file or a name where one is expected.
    private static IEnumerable<Phrase> UnknownOptions(ParseResult parsed)
    {
        if (parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash))
        {
            return [];
        }

        return parsed.CommandResult.Children
            .OfType<ArgumentResult>()
            .SelectMany(argument => argument.Tokens)
            .Where(token => 1 < token.Value.Length && token.Value[0] == '-')
            .Select(token => new Phrase(
                $"There is no option '{token.Value}'. Put -- before it if it is a name.",
                $"No existe la opción «{token.Value}». Anteponga -- si es un nombre."));
    }

    // The names from below the root down to a command, each followed by nothing; empty for the root.
    private static IEnumerable<string> PathTo(Command command, Command root)
    {
        var names = new Stack<string>();
        for (var at = command; at != root; at = at.Parents.OfType<Command>().First())
        {
            names.Push(at.Name);
        }

        return names.Count == 0 ? [] : names.Append("");
    }
}
