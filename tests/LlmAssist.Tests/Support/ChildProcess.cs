// A second process that runs ChildProgram.
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LlmAssist.Tests.Support;

internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(string program, IEnumerable<string> arguments, string? home = null) => _process = Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardError = true,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        Environment = { ["LLMASSIST_HOME"] = home },
    })!;

    public static ChildProcess Start(params string[] arguments) => new(Environment.ProcessPath!, [typeof(ChildProgram).Assembly.Location, .. arguments]);

    /// <summary>Runs the program itself, with its models in the folder 'models' of <paramref name="home"/>.</summary>
    public static ChildProcess StartProgram(string home, params string[] arguments) =>
        new(Environment.ProcessPath!, [Path.Combine(AppContext.BaseDirectory, "llm-assist.dll"), .. arguments], home);

    /// <summary>The same with files limited to <paramref name="kilobytes"/>: beyond it a write fails as it does on a full disk. Unix only.</summary>
    /// <remarks>The runtime itself maps its code twice through a large file, unless it is told not to.</remarks>
    public static ChildProcess StartLimited(int kilobytes, params string[] arguments) => new(
        "bash",
        ["-c", $"trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -f {kilobytes}; exec \"$@\"", "bash", Environment.ProcessPath!, typeof(ChildProgram).Assembly.Location, .. arguments]);

    public bool HasEnded => _process.HasExited;

    public int Id => _process.Id;

    /// <summary>Waits for the next line; null when it has ended.</summary>
    public string? ReadLine() => _process.StandardError.ReadLine();

    /// <summary>Ends it as kill -9 does.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Lets it stand still, as if the system gave it no time at all. Linux only.</summary>
    public void Stop() => Signal(19);

    /// <summary>Lets it go on.</summary>
    public void Continue() => Signal(18);

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code and what it still said.</returns>
    public (int ExitCode, string Said) End()
    {
        _process.StandardInput.Close();
        var said = _process.StandardError.ReadToEnd();
        _process.WaitForExit();
        return (_process.ExitCode, said);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Send(int processId, int signal);

    private void Signal(int signal)
    {
        if (Send(_process.Id, signal) != 0)
        {
            throw new InvalidOperationException($"Signal {signal} was not taken.");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
