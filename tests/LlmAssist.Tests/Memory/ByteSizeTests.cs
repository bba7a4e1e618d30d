using System.Globalization;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Tests.Memory;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1, "1 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KB")]
    [InlineData(1536, "1.5 KB")]
    [InlineData(102_348, "99.9 KB")]
    [InlineData(102_400, "100 KB")]
    [InlineData(1_048_063, "1023 KB")]
    [InlineData(1_048_064, "1.0 MB")] // 1023.5 KB
    [InlineData(536_870_912, "512 MB")]
    [InlineData(9_663_676_416, "9.0 GB")]
    [InlineData(16_649_000_000, "15.5 GB")]
    [InlineData(-536_870_912, "-512 MB")]
    [InlineData(long.MaxValue, "8.0 EB")]
    [InlineData(long.MinValue, "-8.0 EB")]
    public void Is_shown_as(long bytes, string expected) => Assert.Equal(expected, new ByteSize(bytes).ToString());

    [Fact]
    public void Is_shown_alike_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        var spanish = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        spanish.NumberFormat.NumberDecimalSeparator = ",";
        try
        {
            CultureInfo.CurrentCulture = spanish;
            Assert.Equal("1.5 GB", ByteSize.GiB(1.5).ToString());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData("6", 6_442_450_944L)] // memory.limit counts GiB
    [InlineData("1.5", 1_610_612_736L)]
    [InlineData(" 6 GB ", 6_442_450_944L)]
    [InlineData("6gib", 6_442_450_944L)]
    [InlineData("6G", 6_442_450_944L)]
    [InlineData("512 MB", 536_870_912L)]
    [InlineData("512MiB", 536_870_912L)]
    [InlineData("1 KB", 1024L)]
    [InlineData("100 B", 100L)]
    [InlineData("0", 0L)]
    [InlineData(".5 KB", 512L)]
    [InlineData("", null)]
    [InlineData("GB", null)]
    [InlineData(".", null)]
    [InlineData("-1 GB", null)]
    [InlineData("1,5 GB", null)]
    [InlineData("1.2.3", null)]
    [InlineData("6 GBB", null)]
    [InlineData("6 iB", null)]
    [InlineData("1e9", null)]
    [InlineData("NaN", null)]
    [InlineData("high", null)]
    [InlineData("8 EB", null)]
    [InlineData("99999999999999999999999999", null)]
    public void Is_read_from(string text, long? expected)
    {
        var understood = ByteSize.TryParse(text, out var size);
        Assert.Equal(expected, understood ? size.Bytes : null);
    }

    [Fact]
    public void What_is_shown_reads_back_within_its_rounding()
    {
        var random = new Random(1);
        for (var step = 0; step < 10_000; step++)
        {
            var bytes = random.NextInt64(long.MaxValue / 2) >> random.Next(62);
            var text = new ByteSize(bytes).ToString();
            Assert.True(ByteSize.TryParse(text, out var size), text);

            // Two digits at least: half a unit of the second is 5 %.
            Assert.InRange(size.Bytes, bytes * 0.95 - 1, bytes * 1.05 + 1);
            Assert.Equal(text, size.ToString());
        }
    }

    [Fact]
    public void Counts()
    {
        Assert.Equal(1024, ByteSize.KiB(1).Bytes);
        Assert.Equal(1_572_864, ByteSize.MiB(1.5).Bytes);
        Assert.Equal(ByteSize.GiB(3), ByteSize.GiB(1) + ByteSize.GiB(2));
        Assert.Equal(ByteSize.GiB(-1), ByteSize.GiB(1) - ByteSize.GiB(2));
        Assert.Equal(ByteSize.GiB(0.9), ByteSize.GiB(1) * 0.9);
        Assert.Equal(0.25, ByteSize.MiB(256) / ByteSize.GiB(1));
        Assert.Equal(ByteSize.GiB(1), ByteSize.Min(ByteSize.GiB(2), ByteSize.GiB(1)));
        Assert.Equal(ByteSize.GiB(2), ByteSize.Max(ByteSize.GiB(2), ByteSize.GiB(1)));
        Assert.True(ByteSize.Zero < ByteSize.KiB(1) && ByteSize.KiB(1) <= ByteSize.KiB(1) && ByteSize.KiB(2) > ByteSize.KiB(1));
        Assert.Equal([ByteSize.KiB(1), ByteSize.MiB(1)], new[] { ByteSize.MiB(1), ByteSize.KiB(1) }.Order());
    }

    [Fact]
    public void Throws_rather_than_wraps()
    {
        Assert.Throws<OverflowException>(() => new ByteSize(long.MaxValue) + new ByteSize(1));
        Assert.Throws<OverflowException>(() => new ByteSize(long.MinValue) - new ByteSize(1));
        Assert.Throws<OverflowException>(() => new ByteSize(long.MaxValue) * 2);
        Assert.Throws<OverflowException>(() => ByteSize.GiB(double.NaN));
    }
}
