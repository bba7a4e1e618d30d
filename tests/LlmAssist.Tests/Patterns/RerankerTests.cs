using LlmAssist.Engine.Patterns;

namespace LlmAssist.Tests.Patterns;

public class RerankerTests
{
    // Where its output is to go up, it does; where nothing is wrong, nothing changes.
    [Theory]
    [InlineData(-0.5f)]
    [InlineData(0.5f)]
    [InlineData(0f)]
    public void LearnsInTheRightDirection(float error)
    {
        var random = new Random(1);
        var weights = new float[Reranker.Weights];
        Reranker.Begin(weights);
        var energies = Enumerable.Repeat(0.02f, Reranker.Weights).ToArray();
        var reranker = new Reranker();
        float Output()
        {
            random = new(2);
            foreach (ref var input in reranker.Row(0))
            {
                input = random.NextSingle();
            }

            reranker.VectorsOf(0).Fill(7);
            return reranker.Output(0, weights);
        }

        var before = Output();
        reranker.Learn([error], weights, energies);
        Assert.Equal(-Math.Sign(error), Math.Sign(Output() - before));
    }

    [Fact]
    public void BeginsAlwaysTheSame()
    {
        var (left, right) = (new float[Reranker.Weights], new float[Reranker.Weights]);
        Reranker.Begin(left);
        Reranker.Begin(right);
        Assert.Equal(left, right);
        Assert.All(left, weight => Assert.InRange(weight, -0.3f, 0.3f));
    }
}
