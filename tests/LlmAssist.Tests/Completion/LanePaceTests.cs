using LlmAssist.Engine.Completion;

namespace LlmAssist.Tests.Completion;

public sealed class LanePaceTests
{
    // Milliseconds between keys, milliseconds to the first text (0: nobody knows), dismissals in a row; line left of the cursor.
    [Theory]
    [InlineData(0, 0, 0, "x = ", true, 300)] // before anything is known: a usual typist
    [InlineData(0, 0, 0, "x = a", true, 450)]
    [InlineData(120, 0, 0, "x = ", true, 180)]
    [InlineData(120, 0, 0, "x = ab", true, 270)]
    [InlineData(120, 0, 0, "x = ab", false, 360)]
    [InlineData(120, 150, 0, "x = ", true, 30)] // what the model takes anyway is not waited for twice
    [InlineData(120, 5000, 0, "x = ", true, 30)]
    [InlineData(120, 5000, 0, "x = ab", true, 100)] // one more letter is likely
    [InlineData(30, 0, 0, "x = ", true, 90)] // nobody is that fast
    [InlineData(390, 0, 0, "x = a", false, 1000)]
    [InlineData(900, 0, 0, "x = ", true, 300)] // a pause is no interval
    [InlineData(120, 5000, 0, "f(x);", true, 360)] // the line is done
    [InlineData(120, 5000, 0, "if (x) {  ", true, 360)]
    [InlineData(120, 5000, 0, "f(x,", false, 30)]
    [InlineData(120, 0, 2, "x = ", true, 180)]
    [InlineData(120, 0, 3, "x = ", true, 500)]
    [InlineData(120, 0, 4, "x = ", true, 1000)]
    [InlineData(120, 0, 50, "x = ", true, 4000)]
    public void Delays(int interval, int latency, int dismissals, string line, bool isAtLineEnd, int expected)
    {
        var pace = new LanePace();
        for (var key = 0; key < 30; key++)
        {
            pace.Typed(TimeSpan.FromMilliseconds(interval));
        }

        if (latency != 0)
        {
            pace.Answered(TimeSpan.FromMilliseconds(latency));
        }

        for (var time = 0; time < dismissals; time++)
        {
            pace.Dismissed();
        }

        Assert.Equal(expected, pace.Delay(line, isAtLineEnd).TotalMilliseconds, 0.01);
        pace.Wanted();
        Assert.InRange(pace.Delay(line, isAtLineEnd).TotalMilliseconds, 30, 1000);
    }

    [Fact]
    public void A_model_that_is_never_heard_is_known_for_slow()
    {
        var pace = new LanePace();
        pace.Answered(TimeSpan.FromMilliseconds(300));
        pace.Unheard(TimeSpan.FromMilliseconds(200));
        Assert.Equal(300, pace.Latency.TotalMilliseconds);
        pace.Unheard(TimeSpan.FromMilliseconds(4000));
        Assert.Equal(4000, pace.Latency.TotalMilliseconds);
    }
}
