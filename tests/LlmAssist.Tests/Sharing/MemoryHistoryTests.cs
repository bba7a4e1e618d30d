using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Sharing;

public sealed class MemoryHistoryTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);
    private static readonly ModelId Qwen = new(ModelSource.Ollama, "qwen:1b");

    private readonly TempFolder _folder = new();
    private readonly StillTime _time = new();

    private string Path => _folder["memory-history.jsonl"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EverybodyReadsWhatWasAdded()
    {
        var sample = new MemorySample(_time.Now, ByteSize.GiB(16), null, ByteSize.GiB(6), [new(Qwen, ByteSize.GiB(1)), new(ModelId.Pattern("team"), ByteSize.MiB(30))]);
        var evicted = new MemoryEvent(_time.Now.AddSeconds(-1), MemoryEventKind.Evict, Qwen, ByteSize.GiB(1), new("To make\nroom.", "Para hacer sitio, señor."));
        Assert.True(Open().Add(sample));
        Open().Add(evicted);
        var (samples, events) = Open().Read(Day);
        var read = Assert.Single(samples);
        Assert.Equal(sample.Models, read.Models);
        Assert.Equal(sample, read with { Models = sample.Models });
        Assert.Equal([evicted], events);
        Assert.Equal(2, File.ReadLines(Path).Count());
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(24.9, false)]
    [InlineData(25, true)]
    [InlineData(30, true)]
    [InlineData(-24.9, false)] // taken before, added after
    [InlineData(-25, true)] // the clock was set back
    [InlineData(-7200, true)]
    public void OneSampleForAllWindows(double seconds, bool isAdded)
    {
        Assert.True(AddSample(Open()));
        Open().Add(Event());
        _time.Now += TimeSpan.FromSeconds(seconds);
        Assert.Equal(isAdded, AddSample(Open()));
        Assert.False(AddSample(Open()));
    }

    [Theory]
    [InlineData("", "team", true, true)]
    [InlineData("team", "", true, true)]
    [InlineData("team", "lib", true, true)]
    [InlineData("team", "team", true, false)] // another window has told it
    [InlineData("", "team", false, false)] // another window sees more
    public void WhatCameOrWentIsSampledAtOnce(string before, string after, bool isNews, bool isAdded)
    {
        Assert.True(Open().Add(Sample(before)));
        Assert.Equal(isAdded, Open().Add(Sample(after), isNews));

        MemorySample Sample(string model) => new(_time.Now, null, null, ByteSize.GiB(6), model.Length == 0 ? [] : [new(ModelId.Pattern(model), ByteSize.MiB(30))]);
    }

    [Fact]
    public void ManyThreadsAddOneSample()
    {
        var added = 0;
        Parallel.For(0, 20, new() { MaxDegreeOfParallelism = 4 }, _ => Interlocked.Add(ref added, AddSample(Open()) ? 1 : 0));
        Assert.Equal(1, added);
    }

    [Fact]
    public void ReadsTheLastTimeInOrderAndNothingFromTheFuture()
    {
        var begun = _time.Now;
        foreach (var minute in new[] { 0, 300, 100, 200 })
        {
            _time.Now = begun.AddMinutes(minute);
            AddSample(Open());
            Open().Add(Event());
        }

        Check(100, 100, 200);
        Check(0, 200);
        Check(1000, 0, 100, 200);

        void Check(int last, params int[] minutes)
        {
            var (samples, events) = Open().Read(TimeSpan.FromMinutes(last));
            Assert.Equal(minutes.Select(minute => begun.AddMinutes(minute)), samples.Select(sample => sample.At));
            Assert.Equal(minutes.Select(minute => begun.AddMinutes(minute)), events.Select(happened => happened.At));
        }
    }

    [Theory]
    [InlineData("{\"t\":17", true)]
    [InlineData("nonsense\n", true)]
    [InlineData("{\"t\":9223372036854775807,\"l\":1}\n", true)]
    [InlineData("{\"t\":1,\"l\":1,\"k\":7}\n\n\n[]\n", true)]
    [InlineData("", false)]
    public void LinesThatMakeNoSenseArePassedOver(string content, bool isFirst)
    {
        AddSample(Open());
        File.AppendAllText(Path, content);
        if (isFirst)
        {
            File.WriteAllText(Path, content + "\n" + File.ReadAllLines(Path)[0] + "\n" + content);
        }

        Assert.False(AddSample(Open()));
        Open().Add(Event());
        var (samples, events) = Open().Read(Day);
        Assert.Equal((1, 1), (samples.Count, events.Count));
    }

    [Fact]
    public void WhatIsOlderThanADayGoesWhenTheFirstLineIsOlderThanTwo()
    {
        for (var hour = 0; hour < 48; hour++)
        {
            AddSample(Open());
            Open().Add(Event());
            _time.Now += TimeSpan.FromHours(1);
        }

        Assert.Equal(96, File.ReadLines(Path).Count());
        AddSample(Open());
        Assert.Equal(24 + 25, File.ReadLines(Path).Count());
        Assert.False(File.Exists(Path + ".tmp"));
    }

    [Theory]
    [InlineData(6000, 100)]
    [InlineData(100, 6000)]
    public void IsBoundedAndEventsWin(int sampleCount, int eventCount)
    {
        AddSample(Open());
        Open().Add(Event());
        var lines = File.ReadAllLines(Path);
        File.WriteAllLines(Path, Enumerable.Repeat(lines[0] + new string(' ', 200), sampleCount).Concat(Enumerable.Repeat(lines[1] + new string(' ', 200), eventCount)));
        _time.Now += TimeSpan.FromMinutes(1);
        Assert.True(AddSample(Open()));
        Assert.InRange(new FileInfo(Path).Length, 1, 1 << 20);
        var (samples, events) = Open().Read(Day);
        Assert.Equal(eventCount, events.Count);
        Assert.InRange(samples.Count, 1, sampleCount + 1);
        Assert.Contains(samples, sample => sample.At == _time.Now);
    }

    [Fact]
    public void AForeignFileDoesNoHarm()
    {
        using (var file = File.Create(Path))
        {
            file.SetLength(20 << 20);
        }

        Assert.True(AddSample(Open()));
        Assert.Single(Open().Read(Day).Samples);
        Assert.InRange(new FileInfo(Path).Length, 1, 1000);
    }

    [Fact]
    public void WithoutAFileThisProcessRemembersAlone()
    {
        Directory.CreateDirectory(Path);
        var history = Open();
        Assert.True(AddSample(history));
        Assert.False(AddSample(history));
        for (var count = 0; count < 1000; count++)
        {
            history.Add(Event());
        }

        Assert.Equal(256, history.Read(Day).Events.Count);
        Directory.Delete(Path);
        _time.Now += TimeSpan.FromSeconds(30);
        Assert.True(AddSample(history));
        Assert.Single(Open().Read(Day).Samples);
    }

    private bool AddSample(MemoryHistory history) => history.Add(new MemorySample(_time.Now, ByteSize.GiB(16), ByteSize.GiB(8), ByteSize.GiB(6), []));

    private MemoryEvent Event() => new(_time.Now, MemoryEventKind.Load, Qwen, ByteSize.GiB(1), Phrase.Same("x"));

    private MemoryHistory Open() => new(_folder.Path, _time);
}
