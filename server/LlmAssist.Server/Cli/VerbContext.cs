// What verbs are given: the world, so that a test can be one.
using System.CommandLine;
using System.CommandLine.Parsing;
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

    /// <summary>An option that takes a whole number.</summary>
    public Option<int?> Whole(string name, string helpName, int least, int most, Phrase description)
    {
        var option = new Option<int?>(name) { Description = Text(description), HelpName = helpName };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var given) && (given < least || most < given))
            {
                var range = most == int.MaxValue
                    ? new Phrase($"{least} or more", $"{least} o más")
                    : new Phrase($"a number from {least} to {most}", $"un número del {least} al {most}");
                result.AddError(Text(new(
                    $"{name} was given {given}; expected {range.English}.",
                    $"{name} recibió {given}; se esperaba {range.Spanish}.")));
            }
        });
        return option;
    }

    /// <summary>A file that cannot be used was met on the way to another; it lies in quarantine now.</summary>
    public void TellSetAside(PatternFileException exception) => Terminal.Remark(new(
        $"Set aside: {exception.Phrase.English}",
        $"Apartado: {exception.Phrase.Spanish}"));
}
