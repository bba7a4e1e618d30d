// What is usual in a language, whoever writes it: small models that ship with the program.
using System.Collections.Concurrent;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// A model for each of some languages, learned from permissively licensed projects (<c>npm run weights</c> makes them; <c>NOTICES.md</c> beside
/// them says of what): what is known before anything was learned from the user's own code. Files of the usual format, mapped when they are first
/// asked for, and then for as long as the process lives; all processes share their pages.
/// </summary>
public static class LanguagePriors
{
    /// <summary>The names of all of them.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Language.All.Select(static language => language.Prior).OfType<string>().Distinct()];

    private static readonly ConcurrentDictionary<string, IReadOnlyList<IContextSource>> Opened = new();

    /// <summary>Whether the prior of that name is there and can be used.</summary>
    public static bool IsThere(string name) => Opened.GetOrAdd(name, Open).Count != 0;

    /// <summary>Where the prior of that name is: beside the program.</summary>
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "priors", $"{name}.pattern");

    /// <summary>The prior of a language; empty if there is none, or its file cannot be used: suggestions then know less, and nothing else happens.</summary>
    internal static IReadOnlyList<IContextSource> Of(Language language) => language.Prior is { } name ? Opened.GetOrAdd(name, Open) : [];

    private static IReadOnlyList<IContextSource> Open(string name)
    {
        try
        {
            return [PatternModel.Open(PathOf(name))];
        }
        catch (Exception exception) when (exception is PatternFileException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
