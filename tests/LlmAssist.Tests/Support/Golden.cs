// Expected results kept in files. UPDATE_GOLDEN=1 rewrites them in the source tree; review the difference before committing.
namespace LlmAssist.Tests.Support;

internal static class Golden
{
    private static readonly bool IsUpdating = Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1";

    /// <summary>The repository's tests/Fixtures folder, not its copy beside the test program.</summary>
    public static string Fixtures { get; } = Path.Combine(RepositoryRoot(), "tests", "Fixtures");

    /// <summary>The part of a fixture before the line "-- <paramref name="title"/> --"; the whole where there is none.</summary>
    public static string Input(string path, string title) => Split(File.ReadAllText(Path.Combine(Fixtures, path)), title).Input;

    /// <summary>
    /// Checks the part of a fixture behind the line "-- <paramref name="title"/> --" against what <paramref name="actual"/>
    /// makes of the part before it.
    /// </summary>
    /// <param name="path">Relative to <see cref="Fixtures"/>.</param>
    /// <param name="title">Names the expected part.</param>
    /// <param name="actual">From the input, line ends as in the file, to the result.</param>
    public static void Check(string path, string title, Func<string, string> actual)
    {
        var file = Path.Combine(Fixtures, path);
        var (input, expected) = Split(File.ReadAllText(file), title);
        var result = actual(input);
        if (IsUpdating)
        {
            File.WriteAllText(file, input + Marker(title) + result);
            return;
        }

        Assert.True(expected is not null, $"{file} has no line '{Marker(title).TrimEnd()}'; UPDATE_GOLDEN=1 writes it.");
        Assert.Equal(expected, result);
    }

    private static (string Input, string? Expected) Split(string text, string title)
    {
        var at = text.LastIndexOf(Marker(title), StringComparison.Ordinal);
        return at < 0 ? (text, null) : (text[..at], text[(at + Marker(title).Length)..]);
    }

    private static string Marker(string title) => $"-- {title} --\n";

    private static string RepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LlmAssist.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"no LlmAssist.sln above {AppContext.BaseDirectory}");
        }

        return folder;
    }
}
