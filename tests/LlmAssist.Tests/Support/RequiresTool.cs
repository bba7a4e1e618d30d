// Marks tests that need a program which is not part of the SDK. Finds it; starts nothing.
namespace LlmAssist.Tests.Support;

/// <summary>
/// A fact that is skipped, with the reason, where <paramref name="tool"/> is not on the PATH. With LLMASSIST_REQUIRE_ALL=1
/// it runs all the same, and fails in <see cref="PathOf"/> with that reason.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresToolAttribute : FactAttribute
{
    public RequiresToolAttribute(string tool)
    {
        Skip = ReasonToSkip(tool, Environment.GetEnvironmentVariable);
    }

    /// <summary>The full path of <paramref name="tool"/>.</summary>
    /// <exception cref="InvalidOperationException">It is not on the PATH.</exception>
    public static string PathOf(string tool) =>
        Find(tool, Environment.GetEnvironmentVariable) ?? throw new InvalidOperationException(Missing(tool));

    internal static string? ReasonToSkip(string tool, Func<string, string?> environment) =>
        environment("LLMASSIST_REQUIRE_ALL") == "1" || Find(tool, environment) is not null ? null : Missing(tool);

    private static string Missing(string tool) => $"'{tool}' is not on the PATH; install it to run this test";

    private static string? Find(string tool, Func<string, string?> environment)
    {
        string[] names = OperatingSystem.IsWindows() ? [$"{tool}.exe", $"{tool}.cmd"] : [tool];
        var folders = (environment("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
