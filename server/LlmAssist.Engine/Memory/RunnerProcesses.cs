// What the processes that run models for Ollama really hold: a server's own figures leave out its prompt cache and the process
// itself. One file per operating system beside this one; who asks for a model's memory joins it by the file of its weights.
namespace LlmAssist.Engine.Memory;

/// <summary>A process that runs one model for a server of models.</summary>
/// <param name="ProcessId">Its id.</param>
/// <param name="WeightsPath">The file of the model's weights, as the command line names it.</param>
/// <param name="Private">What goes away with it: anonymous resident memory. Leaves out mapped weights, what is swapped out, and graphics cards.</param>
public sealed record RunnerProcess(int ProcessId, string WeightsPath, ByteSize Private);

/// <summary>Tells what processes that run models hold. Any thread may ask.</summary>
public interface IRunnerProbe
{
    /// <summary>
    /// The runners at this moment, whoever started them. Never throws: what cannot be read is left out.
    /// </summary>
    /// <param name="rescan">
    /// Whether to look for new ones among all processes, at about 10 µs for each of the machine's processes: for when there is
    /// reason to expect one. Without, those found by the last scan that are still there, at about 20 µs each. The first call
    /// always looks.
    /// </param>
    IReadOnlyList<RunnerProcess> Read(bool rescan);
}

/// <summary>The probes.</summary>
public static partial class RunnerProcesses
{
    /// <summary>
    /// The probe for the operating system we run on. Only on Linux can processes of other users, such as Ollama's, be looked
    /// into without rights of an administrator; elsewhere it knows of no runner.
    /// </summary>
    public static IRunnerProbe ForThisMachine() => OperatingSystem.IsLinux() ? new Linux() : new Unknown();

    /// <summary>Whether processes of other users, such as Ollama's, can be looked into here: on Linux, unless its /proc hides them (hidepid).</summary>
    public static bool CanSeeOthers() => OperatingSystem.IsLinux() && !LinuxFile.BytesOf("/proc/1/stat", stackalloc byte[16]).IsEmpty;

    /// <summary>For systems that do not tell.</summary>
    internal sealed class Unknown : IRunnerProbe
    {
        public IReadOnlyList<RunnerProcess> Read(bool rescan) => [];
    }
}
