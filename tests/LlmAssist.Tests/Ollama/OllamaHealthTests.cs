using LlmAssist.Engine.Ollama;

namespace LlmAssist.Tests.Ollama;

public sealed class OllamaHealthTests
{
    private static readonly Uri Endpoint = new("http://127.0.0.1:11434");
    private static readonly OllamaException Refused = OllamaException.Unreachable(Endpoint, null);
    private static readonly OllamaException Garbled = OllamaException.BadReply(Endpoint, "x"u8, null);
    private static readonly OllamaException Missing = OllamaException.Told(Endpoint, 404, "model 'x' not found", default, "x");

    private readonly ArmedTime _time = new();

    // Each step is a word: ok, refused, garbled, missing, cancelled are calls with this result; none is a call not allowed;
    // +N is N seconds later. The state is that after the last step.
    [Theory]
    [InlineData("", HealthState.Closed, 0)]
    [InlineData("refused", HealthState.Open, 1)]
    [InlineData("refused none +0.9 none", HealthState.Open, 0.1)]
    [InlineData("refused +1", HealthState.HalfOpen, 0)]
    [InlineData("refused +1 ok", HealthState.Closed, 0)]
    [InlineData("refused +1 missing", HealthState.Closed, 0)] // it answered
    [InlineData("refused +1 refused", HealthState.Open, 2)]
    [InlineData("refused +1 garbled", HealthState.Open, 2)]
    [InlineData("refused +1 cancelled", HealthState.HalfOpen, 0)]
    [InlineData("refused +1 cancelled ok", HealthState.Closed, 0)]
    [InlineData("refused +1 refused +2 refused +4 refused +8 refused", HealthState.Open, 16)]
    [InlineData("refused +1 refused +2 refused +4 refused +8 refused +16 refused", HealthState.Open, 30)]
    [InlineData("refused +1 refused +2 refused +4 refused +8 refused +16 refused +30 refused", HealthState.Open, 30)]
    [InlineData("refused +1 refused +2 ok refused", HealthState.Open, 1)] // starts anew
    [InlineData("garbled garbled", HealthState.Closed, 0)]
    [InlineData("garbled garbled garbled", HealthState.Open, 1)]
    [InlineData("garbled garbled ok garbled garbled", HealthState.Closed, 0)]
    [InlineData("garbled garbled missing garbled", HealthState.Closed, 0)]
    [InlineData("missing missing missing missing", HealthState.Closed, 0)]
    [InlineData("garbled cancelled garbled cancelled garbled", HealthState.Open, 1)]
    public void Failures_open_it_and_time_heals(string steps, HealthState state, double retrySeconds)
    {
        var health = new OllamaHealth(_time);
        foreach (var step in steps.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            Take(health, step);
        }

        Assert.Equal(state, health.State);
        Assert.Equal(retrySeconds, health.RetryIn.TotalSeconds, 6);
        Assert.Equal(state == HealthState.Closed, health.LastFailure is null);
    }

    [Fact]
    public void One_call_tries_and_the_others_wait_for_its_result()
    {
        var health = new OllamaHealth(_time);
        Take(health, "refused");
        Take(health, "+1");
        using var trial = health.TryBegin();
        Assert.NotNull(trial);
        Assert.Null(health.TryBegin());
        trial.Succeeded();
        Assert.NotNull(health.TryBegin());
    }

    [Fact]
    public void Late_results_of_calls_from_before_change_nothing()
    {
        var health = new OllamaHealth(_time);
        using var late = health.TryBegin()!;
        using var later = health.TryBegin()!;
        Take(health, "refused");
        late.Failed(Refused);
        later.Succeeded();
        Assert.Equal(HealthState.Open, health.State);
        Assert.Equal(TimeSpan.FromSeconds(1), health.RetryIn);
    }

    // Each step is what runs (names with their seconds to expiry; - for nothing), a version, a result of a call, or an unload.
    [Theory]
    [InlineData("ok", 0)]
    [InlineData("refused +1 ok", 1)]
    [InlineData("refused +1 refused +2 ok ok", 1)]
    [InlineData("garbled garbled garbled +1 ok", 0)] // it answered, if badly
    [InlineData("v0.30.0 v0.30.0", 0)]
    [InlineData("v0.30.0 v0.31.0", 1)]
    [InlineData("- -", 0)]
    [InlineData("a:300 a:300 -", 1)]
    [InlineData("a:300,b:300 -", 1)]
    [InlineData("a:300,b:300 a:300", 0)]
    [InlineData("a:300 b:300", 0)] // made room for
    [InlineData("a:300 +300 -", 0)] // expired
    [InlineData("a:300,b:900 +300 -", 1)] // one had not
    [InlineData("a:300 unload:a -", 0)]
    [InlineData("a:300 unload:a - a:300 -", 1)]
    [InlineData("a:300,b:300 unload:a -", 1)]
    [InlineData("a:300 refused +1 ok -", 1)] // the same restart
    public void A_restart_is_noticed(string steps, int incarnation)
    {
        var health = new OllamaHealth(_time);
        foreach (var step in steps.Split(' '))
        {
            Take(health, step);
        }

        Assert.Equal(incarnation, health.Incarnation);
    }

    private void Take(OllamaHealth health, string step)
    {
        if (step.StartsWith('+'))
        {
            _time.Advance(TimeSpan.FromSeconds(double.Parse(step[1..], System.Globalization.CultureInfo.InvariantCulture)));
            return;
        }

        if (step.StartsWith('v'))
        {
            health.Observe(new OllamaVersion(step[1..]));
            return;
        }

        if (step.StartsWith("unload:", StringComparison.Ordinal))
        {
            health.Unloading(Runs(step[7..] + ":1").Key);
            return;
        }

        if (step == "-" || step.Contains(':'))
        {
            health.Observe(step == "-" ? [] : [.. step.Split(',').Select(Runs)]);
            return;
        }

        using var attempt = health.TryBegin();
        if (step == "none")
        {
            Assert.Null(attempt);
            return;
        }

        Assert.NotNull(attempt);
        switch (step)
        {
            case "ok":
                attempt.Succeeded();
                break;
            case "refused":
                attempt.Failed(Refused);
                break;
            case "garbled":
                attempt.Failed(Garbled);
                break;
            case "missing":
                attempt.Failed(Missing);
                break;
            default:
                Assert.Equal("cancelled", step);
                break;
        }
    }

    private RunningModel Runs(string text) =>
        new(text.Split(':')[0], "", 1, 0, 4096, _time.GetUtcNow().AddSeconds(int.Parse(text.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture)));
}
