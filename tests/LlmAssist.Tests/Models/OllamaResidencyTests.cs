using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Models;

public sealed class OllamaResidencyTests
{
    private const string Name = "qwen2.5-coder:1.5b";

    /// <summary>
    /// What a model is taken for after these steps: <c>leave</c> begins to tell it to leave, <c>told N</c> ends that when N looks have begun; in the
    /// Nth look it <c>stays N</c>, is <c>overdue N</c>, or is <c>gone N</c>.
    /// </summary>
    [Theory]
    [InlineData("stays 1", "there")]
    [InlineData("stays 1, overdue 2", "busy")]
    [InlineData("stays 1, gone 2", "expire")]

    [InlineData("stays 1, leave, told 1, overdue 2", "leaving")]
    [InlineData("stays 1, leave, told 1, gone 2", "gone")]

    // Looks that began before it was told see it as it was.
    [InlineData("stays 1, leave, stays 2", "leaving")]
    [InlineData("stays 1, leave, stays 2, told 2, overdue 3", "leaving")]
    [InlineData("stays 1, leave, told 2, stays 2, overdue 3", "leaving")]
    [InlineData("stays 1, leave, told 2, stays 2, gone 3", "gone")]
    [InlineData("stays 1, leave, gone 2, told 2", "gone")]

    // Somebody has used it after it was told.
    [InlineData("stays 1, leave, told 1, overdue 2, stays 3", "busy")]
    [InlineData("stays 1, leave, told 1, stays 2, gone 3", "expire")]
    public void Leaving_is_told_from_being_used_and_from_expiring(string steps, string expected)
    {
        var time = new ManualTime();
        var residency = new OllamaResidency(time, isUnified: false);
        var model = new RunningModel(Name, "", 1 << 30, 0, 4096, time.GetUtcNow() + TimeSpan.FromMinutes(5));
        var found = "";
        foreach (var step in steps.Split(", "))
        {
            time.Advance(TimeSpan.FromSeconds(1));
            var (what, number) = step.Split(' ') is [var word, var digits] ? (word, long.Parse(digits)) : (step, 0);
            switch (what)
            {
                case "leave":
                    residency.Leave(Name);
                    break;
                case "told":
                    residency.Told(Name, number);
                    break;
                default:
                    var expiry = what == "stays" ? model.ExpiresAt : time.GetUtcNow() - TimeSpan.FromSeconds(1);
                    var changes = residency.See(what == "gone" ? [] : [model with { ExpiresAt = expiry }], [], static _ => null, number);
                    found = changes switch
                    {
                        [var change] => change.Kind.ToString().ToLowerInvariant(),
                        _ => residency.Models switch
                        {
                            [{ IsLeaving: true, IsBusy: false }] => "leaving",
                            [{ IsLeaving: false, IsBusy: true }] => "busy",
                            [{ IsLeaving: false, IsBusy: false }] => "there",
                            _ => "gone",
                        },
                    };
                    break;
            }
        }

        Assert.Equal(expected, found);
    }
}
