// Giving back a model's pages: they are gone from this process, and the model is none the worse for it.
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Models;

public sealed class ModelPagesTests
{
    [Fact]
    public void ReleasedPagesLeaveTheProcessAndComeBackWhole()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Elsewhere nothing is released, and nothing tells.
        }

        using var folder = new TempFolder();
        var store = new PatternStore(folder["models"], TimeProvider.System);
        var trained = TinyCorpus.Train(store, TinyCorpus.WriteTo(folder));
        using var host = new ModelHost(store, TimeProvider.System);
        host.Load(trained.Stored);
        using (var leases = host.LeaseAll())
        {
            var model = leases.Models[0];
            var before = model.LearnedFiles().ToArray();
            Assert.NotEqual(0, ResidentKilobytes(trained.Stored.Path));

            host.ReleasePages();

            Assert.Equal(0, ResidentKilobytes(trained.Stored.Path));
            Assert.Equal(before, model.LearnedFiles().ToArray());
            Assert.Equal(trained.Statistics, model.Statistics);
        }
    }

    // What of a mapped file this process has in its page tables, as the kernel tells it.
    private static long ResidentKilobytes(string path)
    {
        var ofFile = File.ReadLines("/proc/self/smaps").SkipWhile(line => !line.EndsWith(path, StringComparison.Ordinal));
        return long.Parse(ofFile.First(line => line.StartsWith("Rss:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1]);
    }
}
