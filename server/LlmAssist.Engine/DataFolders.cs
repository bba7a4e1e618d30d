// Where our files lie on this machine. Computes paths only; whoever writes creates.
namespace LlmAssist.Engine;

/// <summary>The kinds of system that differ in where a user's data belongs.</summary>
public enum DataPlatform
{
    /// <summary>Linux and what follows the XDG base directories.</summary>
    Unix,
    MacOS,
    Windows,
}

/// <summary>The folders of this user's models and state.</summary>
/// <param name="Home">Absolute path of the folder that holds the others.</param>
public sealed record DataFolders(string Home)
{
    /// <summary>Replaces <see cref="Home"/> wherever the system would put it.</summary>
    public const string HomeVariable = "LLMASSIST_HOME";

    private const string OurName = "llm-assist";

    /// <summary>Pattern models.</summary>
    public string Models => Path.Combine(Home, "models");

    /// <summary>State and lock files that windows share.</summary>
    public string State => Path.Combine(Home, "state");

    /// <summary>What the windows on this machine share of its memory. A folder per machine: a home folder on the network has several.</summary>
    public string Shared => Path.Combine(State, FileSafe(Environment.MachineName));

    /// <summary>The folders of the user who runs this process.</summary>
    public static DataFolders OfThisUser() => Of(
        OperatingSystem.IsWindows() ? DataPlatform.Windows : OperatingSystem.IsMacOS() ? DataPlatform.MacOS : DataPlatform.Unix,
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
        Environment.GetEnvironmentVariable);

    /// <summary>The folders on a system of this kind with this environment.</summary>
    /// <param name="platform">Whose customs count.</param>
    /// <param name="userFolder">The user's home folder; empty if there is none.</param>
    /// <param name="variable">The environment; answers null or nothing for what is not set.</param>
    /// <exception cref="UserException">There is neither a home folder nor a variable that names one.</exception>
    public static DataFolders Of(DataPlatform platform, string userFolder, Func<string, string?> variable)
    {
        if (variable(HomeVariable) is { Length: > 0 } replacement)
        {
            return new(Path.GetFullPath(replacement));
        }

        // XDG: a relative path in the variable is to be ignored.
        var (name, belowUser) = platform switch
        {
            DataPlatform.Windows => ("LOCALAPPDATA", Path.Combine("AppData", "Local")),
            DataPlatform.MacOS => (null, Path.Combine("Library", "Application Support")),
            _ => ("XDG_DATA_HOME", Path.Combine(".local", "share")),
        };
        if (name is not null && variable(name) is { Length: > 0 } given && Path.IsPathFullyQualified(given))
        {
            return new(Path.Combine(given, OurName));
        }

        return userFolder.Length != 0
            ? new(Path.Combine(userFolder, belowUser, OurName))
            : throw new UserException(new(
                $"This user has no home folder, so there is no place for models. Set {HomeVariable} to a folder.",
                $"Este usuario no tiene carpeta personal y por eso no hay dónde guardar los modelos. Asigne una carpeta a {HomeVariable}."));
    }

    /// <summary>A machine's name as the name of a folder: letters, digits, '.', '-' and '_'; at most 64.</summary>
    internal static string FileSafe(string machine)
    {
        var safe = string.Concat(machine.Take(64).Select(unit => char.IsLetterOrDigit(unit) || unit is '.' or '-' or '_' ? unit : '-')).Trim('.', '-');
        return safe.Length == 0 ? "machine" : safe;
    }
}
