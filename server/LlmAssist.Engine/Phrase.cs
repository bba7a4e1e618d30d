namespace LlmAssist.Engine;

/// <summary>The languages the program speaks to its user.</summary>
public enum Speech
{
    English,
    Spanish,
}

/// <summary>
/// A sentence for the user in every language we speak. Whoever knows the facts writes the sentence, in all languages
/// at once; whoever shows it picks one. A missing translation therefore does not compile.
/// </summary>
/// <param name="English">The sentence in English.</param>
/// <param name="Spanish">The same sentence in Spanish.</param>
public readonly record struct Phrase(string English, string Spanish)
{
    /// <summary>The sentence in <paramref name="speech"/>.</summary>
    public string In(Speech speech) => speech == Speech.Spanish ? Spanish : English;

    /// <summary>A text that is the same in every language: a name, a path, a number.</summary>
    public static Phrase Same(string text) => new(text, text);

    /// <summary>
    /// The language for a locale such as <c>es</c>, <c>es-MX</c> or <c>es_ES.UTF-8</c>; English for anything that is
    /// not Spanish, null included.
    /// </summary>
    public static Speech SpeechOf(string? locale) =>
        locale is not null && locale.StartsWith("es", StringComparison.OrdinalIgnoreCase)
            && (locale.Length == 2 || !char.IsAsciiLetter(locale[2]))
            ? Speech.Spanish
            : Speech.English;

    public override string ToString() => English;
}

/// <summary>
/// A failure that the user can do something about. The phrase tells what was found, what was expected and what to do.
/// </summary>
public class UserException(Phrase phrase, Exception? cause = null) : Exception(phrase.English, cause)
{
    /// <summary>What to tell the user.</summary>
    public Phrase Phrase { get; } = phrase;
}
