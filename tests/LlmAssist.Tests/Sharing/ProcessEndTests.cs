using System.Diagnostics;
using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Ollama;

namespace LlmAssist.Tests.Sharing;

public sealed class ProcessEndTests
{
    [Fact]
    public async Task Ends_when_the_process_does()
    {
        var time = new ArmedTime();
        using var process = Process.Start(new ProcessStartInfo("dotnet", "--help") { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        var ending = ProcessEnd.WaitAsync(process.Id, time, CancellationToken.None);
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        while (!ending.IsCompleted)
        {
            await Task.WhenAny(ending, time.ArmedAsync());
            time.Advance(TimeSpan.FromSeconds(3));
        }

        await ending;
        Assert.True(ProcessEnd.WaitAsync(process.Id, time, CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task Waits_for_one_that_lives_until_canceled()
    {
        using var source = new CancellationTokenSource();
        var ending = ProcessEnd.WaitAsync(Environment.ProcessId, new ArmedTime(), source.Token);
        Assert.False(ending.IsCompleted);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ending);
    }
}
