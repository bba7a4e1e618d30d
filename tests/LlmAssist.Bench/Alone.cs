// What is measured in a process of its own, because memory, processor time and the first call of anything belong to a whole process.
using System.Diagnostics;
using System.Globalization;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Bench;

/// <summary>What one training cost.</summary>
internal sealed record TrainingCost(string Path, double ProcessorSeconds, double WallSeconds, long PeakBytes);

/// <summary>Runs parts of the engine in fresh processes of this program, which answer one line.</summary>
internal static class Alone
{
    private const string Training = "train";
    private const string Opening = "open";

    /// <summary>Trains on <paramref name="folder"/> and saves into the store <paramref name="store"/>.</summary>
    public static TrainingCost Train(string folder, string store)
    {
        var words = Run(Training, folder, store).Split('\t');
        return new(words[0], Number(words[1]), Number(words[2]), long.Parse(words[3], CultureInfo.InvariantCulture));
    }

    /// <summary>Opens a model as the first thing that a process does with the engine. Milliseconds, and those of the second time.</summary>
    public static (double First, double Second) Open(string model)
    {
        var words = Run(Opening, model).Split('\t');
        return (Number(words[0]), Number(words[1]));
    }

    /// <summary>The other side.</summary>
    /// <param name="args">As <see cref="Train"/> and <see cref="Open"/> pass them.</param>
    /// <param name="output">Takes the answer.</param>
    /// <returns>Whether the arguments mean such a process.</returns>
    public static bool TryAnswer(string[] args, TextWriter output)
    {
        switch (args)
        {
            case [Training, var folder, var store]:
                var clock = Stopwatch.StartNew();
                var trained = new PatternTrainer(new(store, TimeProvider.System), TimeProvider.System)
                    .Train(new() { Name = "bench", Folders = [folder] }, null, CancellationToken.None);
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{trained.Stored.Path}\t{Environment.CpuUsage.TotalTime.TotalSeconds}\t{clock.Elapsed.TotalSeconds}\t{ProcessMemory.PeakOfThis()}"));
                return true;

            case [Opening, var model]:
                var first = Milliseconds(() => PatternModel.Open(model).Dispose());
                var second = Milliseconds(() => PatternModel.Open(model).Dispose());
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{first}\t{second}"));
                return true;

            default:
                return false;
        }
    }

    /// <summary>How long something takes.</summary>
    public static double Milliseconds(Action action)
    {
        var clock = Stopwatch.StartNew();
        action();
        return clock.Elapsed.TotalMilliseconds;
    }

    private static string Run(params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, args) { RedirectStandardOutput = true })!;
        var answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? answer.Trim() : throw new InvalidOperationException($"The process for '{string.Join(' ', args)}' ended with {process.ExitCode}.");
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
