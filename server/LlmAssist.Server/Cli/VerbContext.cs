// What verbs are given: the world, so that a test can be one.
using System.CommandLine;
using System.Globalization;
using System.Numerics;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>Everything outside that a verb may touch besides the files it is told of.</summary>
/// <param name="Terminal">Where it writes.</param>
/// <param name="Folders">Where models lie.</param>
/// <param name="Time">The clock.</param>
/// <param name="Probe">Reads the memory of the machine.</param>
/// <param name="Variable">The environment; null for what is not set.</param>
internal sealed record VerbContext(Terminal Terminal, DataFolders Folders, TimeProvider Time, IMemoryProbe Probe, Func<string, string?> Variable)
{
    /// <summary>A phrase in the user's language, for libraries that want text.</summary>
    public string Text(Phrase phrase) => phrase.In(Terminal.Speech);

    /// <summary>The user's models. Creates their folder.</summary>
    public PatternStore OpenStore() => new(Folders.Models, Time);

    /// <summary>An argument that names a model.</summary>
    public Argument<string> ModelArgument(string name = "NAME") => new(name)
    {
        Description = Text(new("A model's name, or its file name for one version of it", "El nombre de un modelo, o el de su archivo si se quiere una versión concreta")),
    };

    /// <summary>An argument that names a model of either kind.</summary>
    public Argument<string> AnyModelArgument() => new("NAME")
    {
        Description = Text(new(
            "A pattern model's name, or its file name for one version of it; ollama:NAME for a model of Ollama, NAME alone if no pattern model is called so",
            "El nombre de un modelo de patrones, o el de su archivo si se quiere una versión concreta; ollama:NOMBRE para uno de Ollama, o solo NOMBRE si ningún modelo de patrones se llama así")),
    };

    /// <summary>An option that takes a whole number from a range.</summary>
    public Option<int?> Whole(string name, string helpName, int least, int most, Phrase description) => Number<int>(
        name,
        helpName,
        least,
        most,
        most == int.MaxValue
            ? new($"a whole number, {least} or more", $"un número entero, {least} o más")
            : new($"a whole number from {least} to {most}", $"un número entero del {least} al {most}"),
        description);

    /// <summary>An option that takes a share.</summary>
    public Option<double?> Share(string name, string helpName, Phrase description) =>
        Number(name, helpName, 0.0, 1.0, new("a number from 0 to 1", "un número de 0 a 1"), description);

    private Option<T?> Number<T>(string name, string helpName, T least, T most, Phrase expected, Phrase description)
        where T : struct, INumber<T> => new(name)
        {
            Description = Text(description),
            HelpName = helpName,

            // The parser of the library names .NET types to the user.
            CustomParser = result =>
            {
                var given = result.Tokens[0].Value;
                if (T.TryParse(given, CultureInfo.InvariantCulture, out var number) && least <= number && number <= most)
                {
                    return number;
                }

                result.AddError(Text(new(
                    $"{name} was given '{given}'; expected {expected.English}.",
                    $"{name} recibió «{given}»; se esperaba {expected.Spanish}.")));
                return null;
            },
        };

    /// <summary>A file that cannot be used was met on the way to another; it lies in quarantine now.</summary>
    public void TellSetAside(PatternFileException exception) => Terminal.Remark(new(
        $"Set aside: {exception.Phrase.English}",
        $"Apartado: {exception.Phrase.Spanish}"));
}
