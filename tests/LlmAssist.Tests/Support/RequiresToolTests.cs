namespace LlmAssist.Tests.Support;

public sealed class RequiresToolTests
{
    [Theory]
    [InlineData("dotnet", null, false)]
    [InlineData("dotnet", "1", false)]
    [InlineData("no-such-tool", null, true)]
    [InlineData("no-such-tool", "0", true)]
    [InlineData("no-such-tool", "1", false)]
    public void Skips_only_what_is_missing_and_not_required(string tool, string? requireAll, bool skips)
    {
        var reason = RequiresToolAttribute.ReasonToSkip(
            tool,
            name => name == "LLMASSIST_REQUIRE_ALL" ? requireAll : Environment.GetEnvironmentVariable(name));
        Assert.Equal(skips, reason is not null);
    }

    [Fact]
    public void Names_the_missing_tool()
    {
        var error = Assert.Throws<InvalidOperationException>(() => RequiresToolAttribute.PathOf("no-such-tool"));
        Assert.Contains("no-such-tool", error.Message);
    }
}
