// What the figures were measured on. No names of hosts or users, no paths: the page is published.
using System.Runtime.InteropServices;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Bench;

internal static class Machine
{
    public static IReadOnlyList<(string Name, string Value)> Describe()
    {
        var reading = MemoryProbe.ForThisMachine().Read();
        return
        [
            ("Processor", $"{ProcessorModel()}, {Environment.ProcessorCount} cores for this process"),
            ("Memory", reading.System is { } system ? $"{system.Total} in all, {system.Available} available" : "unknown"),
            ("System", $"{RuntimeInformation.OSDescription.Split('#')[0].Trim()}, {RuntimeInformation.OSArchitecture}"),
            ("Runtime", RuntimeInformation.FrameworkDescription),
            ("Other load", Load()),
        ];
    }

    // Times by the clock mean little on a machine that is busy with something else, so the page tells.
    private static string Load()
    {
        const string Pressure = "/proc/pressure/cpu";
        return File.Exists(Pressure)
            ? $"in the minute before, processes that wanted to run had to wait {File.ReadLines(Pressure).First().Split(' ').First(word => word.StartsWith("avg60=", StringComparison.Ordinal))["avg60=".Length..]} % of the time (what this command built then included)"
            : "unknown";
    }

    private static string ProcessorModel()
    {
        const string CpuInfo = "/proc/cpuinfo";
        var line = File.Exists(CpuInfo) ? File.ReadLines(CpuInfo).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line is null ? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':') + 1)..].Trim();
    }
}
