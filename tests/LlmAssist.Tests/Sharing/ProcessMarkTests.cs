using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Sharing;

public sealed class ProcessMarkTests
{
    [Fact]
    public void ThisProcessLives() => Check(ProcessMark.Own, ProcessLife.Alive);

    [Fact]
    public void ALaterProcessOfTheSameNumberIsNotTheSame() => Check(ProcessMark.Own with { StartedAt = ProcessMark.Own.StartedAt - 1 }, ProcessLife.Dead);

    [Fact]
    public void WithoutABeginningTheNumberCounts() => Check(ProcessMark.Own with { StartedAt = 0 }, ProcessLife.Alive);

    [Fact]
    public void OfAnotherSpaceNothingIsKnown() => Check(ProcessMark.Own with { Space = "elsewhere" }, ProcessLife.Unknown);

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void OfNoNumberNothingIsKnown(int processId) => Check(ProcessMark.Own with { ProcessId = processId }, ProcessLife.Unknown);

    [Fact]
    public void AKilledProcessIsDead()
    {
        using var child = ChildProcess.Start("grow", "0");
        var mark = ProcessMark.Own with { ProcessId = child.Id, StartedAt = 0 };
        child.Kill();
        Check(mark, ProcessLife.Dead);
    }

    private static void Check(ProcessMark mark, ProcessLife expected) => Assert.Equal(expected, mark.Life());
}
