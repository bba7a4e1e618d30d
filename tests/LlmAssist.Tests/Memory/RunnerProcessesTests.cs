// Command lines as data, a /proc of our own making, and one process that really runs.
using System.Diagnostics;
using System.Text;
using LlmAssist.Engine.Memory;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Memory;

public sealed class RunnerProcessesTests
{
    private const string Server = "/usr/lib/ollama/llama-server|--model|/blobs/sha256-aa|--port|4711";

    // Arguments are cut at each |.
    [Theory]
    [InlineData("llama-server", Server, "/blobs/sha256-aa")]
    [InlineData("llama-server", "llama-server|-c|4096|-m|/m", "/m")]
    [InlineData("llama-server", "llama-server|--model=/with blank/ñ", "/with blank/ñ")]
    [InlineData("llama-server", "llama-server|--model", null)]
    [InlineData("llama-server", "llama-server|--model|", null)]
    [InlineData("llama-server", "llama-server|--hf-repo|me/it", null)]
    [InlineData("llama-server", "-m|/m", null)]
    [InlineData("llama-server", "", null)]
    [InlineData("ollama_llama_se", "/tmp/ollama1/runners/cpu/ollama_llama_server|--model|/m|--ctx-size|8192", "/m")]
    [InlineData("ollama", "/usr/bin/ollama|runner|--model|/m|--port|1", "/m")]
    [InlineData("ollama", "/usr/bin/ollama|runner|--ollama-engine|--model|/m|--port|1", "/m")]
    [InlineData("ollama", "/usr/bin/ollama|serve", null)]
    [InlineData("ollama", "ollama|run|runner|--model|/m", null)]
    [InlineData("llama-server-x", Server, null)]
    [InlineData("bash", Server, null)]
    public void A_command_line_names_the_weights(string name, string line, string? weights)
    {
        var kind = RunnerProcesses.Linux.KindOf(Encoding.UTF8.GetBytes(name + '\n'));
        Assert.Equal(weights, kind is { } known ? RunnerProcesses.Linux.WeightsPath(Encoding.UTF8.GetBytes(line.Replace('|', '\0')), known) : null);
    }

    [Fact]
    public void Runners_are_found_by_a_scan_and_read_until_they_are_gone()
    {
        using var machine = new Machine();
        machine.Add(7, "bash", "bash", 1, "900 90 9");
        machine.Add(41, "llama-server", Server, 100, "900 90 20");
        machine.Add(42, "ollama", "ollama|serve", 50, "900 90 20");
        File.WriteAllText(Path.Combine(machine.Root, "proc", "meminfo"), "");
        Directory.CreateDirectory(Path.Combine(machine.Root, "proc", "43")); // has ended, so that nothing can be read
        var probe = new RunnerProcesses.Linux(machine.Root);
        Check(probe.Read(rescan: false), "41 /blobs/sha256-aa 70"); // the first call looks in any case

        machine.Add(41, "llama-server", Server, 100, "900 95 20");
        machine.Add(44, "ollama", "ollama|runner|-m|/b", 120, "900 50 50");
        Check(probe.Read(rescan: false), "41 /blobs/sha256-aa 75");
        Check(probe.Read(rescan: true), "41 /blobs/sha256-aa 75; 44 /b 0");

        // Another process has got the id.
        machine.Add(41, "llama-server", "llama-server|-m|/c", 777, "900 30 20");
        Check(probe.Read(rescan: false), "44 /b 0");
        Check(probe.Read(rescan: true), "41 /c 10; 44 /b 0");

        // It has ended and its parent does not know yet; and it is gone.
        machine.Add(41, "llama-server", "", 777, "0 0 0");
        Directory.Delete(Path.Combine(machine.Root, "proc", "44"), recursive: true);
        Check(probe.Read(rescan: false), "");
        Check(probe.Read(rescan: true), "");
    }

    [Fact]
    public void A_machine_without_proc_has_no_runners()
    {
        using var folder = new TempFolder();
        Assert.Empty(new RunnerProcesses.Linux(folder.Path).Read(rescan: true));
        Assert.Empty(new RunnerProcesses.Unknown().Read(rescan: true));
    }

    [Fact]
    public void A_process_that_really_runs_is_found()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Empty(RunnerProcesses.ForThisMachine().Read(rescan: true));
            return;
        }

        using var folder = new TempFolder();
        var program = Path.Combine(folder.Path, "llama-server");
        File.Copy("/bin/sh", program);
        var weights = Path.Combine(folder.Path, "sha256-00");
        var probe = RunnerProcesses.ForThisMachine();
        using (var process = Process.Start(new ProcessStartInfo(program, ["-c", "echo started; read line", "llama-server", "--model", weights]) { RedirectStandardInput = true, RedirectStandardOutput = true })!)
        {
            Assert.Equal("started", process.StandardOutput.ReadLine());
            var runner = Assert.Single(probe.Read(rescan: true), runner => runner.WeightsPath == weights);
            Assert.Equal(process.Id, runner.ProcessId);
            Assert.InRange(runner.Private.Bytes, 1, 100L << 20);
            Assert.Contains(probe.Read(rescan: false), other => other.ProcessId == process.Id);
            process.StandardInput.Close();
            process.WaitForExit();
        }

        Assert.DoesNotContain(probe.Read(rescan: false), runner => runner.WeightsPath == weights);
    }

    [Fact]
    public void A_reading_allocates_little()
    {
        using var machine = new Machine();
        for (var id = 1; id <= 3; id++)
        {
            machine.Add(id, "llama-server", Server, 5, "900 90 20");
        }

        var probe = new RunnerProcesses.Linux(machine.Root);
        Assert.Equal(3, probe.Read(rescan: true).Count);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 10; round++)
        {
            probe.Read(rescan: false);
        }

        // The answer, and a handle for each file.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 10, 0, 3 * 1024);
    }

    private static void Check(IReadOnlyList<RunnerProcess> found, string expected) => Assert.Equal(
        expected,
        string.Join("; ", found.OrderBy(runner => runner.ProcessId).Select(runner => $"{runner.ProcessId} {runner.WeightsPath} {runner.Private.Bytes / Environment.SystemPageSize}")));

    private sealed class Machine : IDisposable
    {
        private readonly TempFolder _folder = new();

        public string Root => _folder.Path;

        public void Add(int id, string name, string line, long start, string statm)
        {
            var process = Directory.CreateDirectory(Path.Combine(Root, "proc", $"{id}")).FullName;
            File.WriteAllText(Path.Combine(process, "comm"), name + '\n');
            File.WriteAllText(Path.Combine(process, "cmdline"), line.Replace('|', '\0') + '\0');
            File.WriteAllText(Path.Combine(process, "stat"), $"{id} ({name}) S 1 41 41 0 -1 4194560 9 8 7 6 5 4 3 2 20 0 31 0 {start} 1048576 200\n");
            File.WriteAllText(Path.Combine(process, "statm"), statm + " 20 0 9000 0\n");
        }

        public void Dispose() => _folder.Dispose();
    }
}
