// Who may load when, by a clock that the test moves. What several processes do to each other is in ManySharersTests.
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Ollama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Sharing;

public sealed class LoadLeaseTests : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly ModelId Model = new(ModelSource.Ollama, "qwen:1b");

    private readonly TempFolder _folder = new();
    private readonly ArmedTime _time = new();
    private readonly List<LeaseHolder> _told = [];
    private Task<LoadLease> _acquired = new TaskCompletionSource<LoadLease>().Task;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task OneLoadsAndTheOtherIsToldWhomItWaitsFor()
    {
        var first = await Acquire();
        var second = Acquire();
        await Polls(5);
        Assert.False(second.IsCompleted);
        Assert.Equal([new(Environment.ProcessId, Model, Since(first))], _told);
        await first.DisposeAsync();
        await first.DisposeAsync();
        await Polls(1);
        await using var lease = await second;
        Assert.NotNull(Read());
        Assert.False(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task NothingStaysBehind()
    {
        await (await Acquire()).DisposeAsync();
        Assert.Null(Read());
        await (await Acquire()).DisposeAsync();
        Assert.Empty(_told);
    }

    [Fact]
    public async Task IsRenewedEverySecond()
    {
        await using var lease = await Acquire();
        for (var renewals = 0; renewals < 12; renewals++)
        {
            Assert.Equal(renewals, Read()!.Renewals);
            _time.Advance(Second - Poll);
            Assert.Equal(renewals, Read()!.Renewals);
            _time.Advance(Poll);
        }
    }

    [Fact]
    public async Task IsTakenOverAfterFourSecondsWithoutARenewal()
    {
        Write("other");
        var acquired = Acquire();
        await Polls(39);
        Assert.False(acquired.IsCompleted);
        await Polls(1);
        await (await acquired).DisposeAsync();
        Assert.Single(_told);
    }

    [Fact]
    public async Task ARenewalBeginsTheFourSecondsAnew()
    {
        Write("other", renewals: 5);
        var acquired = Acquire();
        await Polls(39);
        Write("other", renewals: 6);
        await Polls(40);
        Assert.False(acquired.IsCompleted);
        await Polls(1);
        await (await acquired).DisposeAsync();
    }

    [Fact]
    public async Task SleepIsNoLackOfRenewals()
    {
        Write("other");
        var acquired = Acquire();
        await Polls(1);
        await Polls(3, TimeSpan.FromHours(1));
        await Polls(8);
        Assert.False(acquired.IsCompleted);
        await Polls(1);
        await (await acquired).DisposeAsync();
    }

    [Theory]
    [InlineData(int.MaxValue, 0)]
    [InlineData(null, -1)]
    public async Task IsTakenOverAtOnceFromTheDead(int? processId, int startedEarlier)
    {
        Write("other", mark: ProcessMark.Own with { ProcessId = processId ?? Environment.ProcessId, StartedAt = ProcessMark.Own.StartedAt + startedEarlier });
        await (await Acquire()).DisposeAsync();
        Assert.Empty(_told);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"token":"x","process":{"id":1},"model":"unheard:of"}""")]
    public async Task WhatMakesNoSenseIsNobodys(string content)
    {
        _folder.Write("load.lease", content);
        await using var lease = await Acquire();
        Assert.Equal(Model.ToString(), Read()!.Model);
    }

    [Fact]
    public async Task IsLostWhenAnotherHasIt()
    {
        var lease = await Acquire();
        Write("other");
        _time.Advance(Second - Poll);
        Assert.False(lease.Lost.IsCancellationRequested);
        _time.Advance(Poll);
        Assert.True(lease.Lost.IsCancellationRequested);
        _time.Advance(Second * 3);
        await lease.DisposeAsync();
        Assert.Equal("other", Read()!.Token);
    }

    [Fact]
    public async Task IsWrittenAgainWhenTheFolderWasEmptied()
    {
        await using var lease = await Acquire();
        Directory.Delete(_folder.Path, recursive: true);
        _time.Advance(Second);
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.NotNull(Read());
    }

    [Fact]
    public async Task IsLostWhenAnotherHadItMeanwhile()
    {
        await using var lease = await Acquire();
        using (new FileStream(_folder["load.guard"], FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            _time.Advance(Second * 4);
        }

        File.Delete(_folder["load.lease"]);
        _time.Advance(Second);
        Assert.True(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task WithoutAFolderLoadsExcludeEachOtherInThisProcess()
    {
        var nowhere = Path.Combine(_folder.Write("file", ""), "folder");
        var first = await Acquire(nowhere);
        var second = Acquire(nowhere);
        await Polls(5);
        Assert.False(second.IsCompleted);
        Assert.Single(_told);
        await Polls(3, Second);
        Assert.False(first.Lost.IsCancellationRequested);
        await first.DisposeAsync();
        await Polls(1);
        await (await second).DisposeAsync();
    }

    [Fact]
    public async Task IsSharedAsSoonAsThereIsAFolder()
    {
        var nowhere = Path.Combine(_folder.Write("file", ""), "folder");
        await using var lease = await Acquire(nowhere);
        File.Delete(_folder["file"]);
        _time.Advance(Second);
        Assert.True(File.Exists(Path.Combine(nowhere, "load.lease")));
    }

    [Fact]
    public async Task WhoStandsStillInTheGuardStopsNobodyForEver()
    {
        using var guard = new FileStream(_folder["load.guard"], FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        var acquired = Acquire();
        await Polls(4, Second);
        await (await acquired).DisposeAsync();
        Assert.Null(Read());
    }

    [Fact]
    public async Task WaitingEndsWhenCanceled()
    {
        await using var lease = await Acquire();
        using var cancellation = new CancellationTokenSource();
        var second = LoadLease.AcquireAsync(_folder.Path, Model, _time, null, cancellation.Token);
        await _time.ArmedAsync(Poll);
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
    }

    [Fact]
    public async Task ManyInOneProcessTakeTurns()
    {
        var inside = 0;
        var tasks = Enumerable.Range(0, 6).Select(async _ =>
        {
            await using var lease = await LoadLease.AcquireAsync(_folder.Path, Model, new QuickTime(20), null, default);
            Assert.Equal(1, Interlocked.Increment(ref inside));
            await Task.Yield();
            Interlocked.Decrement(ref inside);
        });
        await Task.WhenAll(tasks);
    }

    // Ends when it is acquired, or waits for the first time.
    private Task<LoadLease> Acquire(string? folder = null)
    {
        _acquired = LoadLease.AcquireAsync(folder ?? _folder.Path, Model, _time, _told.Add, default);
        Task.WhenAny(_acquired, _time.ArmedAsync(Poll)).Wait();
        return _acquired;
    }

    // Each ends when what was last asked for is acquired, or waits again.
    private async Task Polls(int count, TimeSpan? span = null)
    {
        for (; 0 < count; count--)
        {
            _time.Advance(span ?? Poll);
            await Task.WhenAny(_acquired, _time.ArmedAsync(Poll));
        }
    }

    private DateTimeOffset Since(LoadLease lease)
    {
        Assert.False(lease.Lost.IsCancellationRequested);
        return Read()!.Since;
    }

    private LeaseWire? Read() =>
        File.Exists(_folder["load.lease"]) ? JsonSerializer.Deserialize(File.ReadAllBytes(_folder["load.lease"]), SharingJson.Default.LeaseWire) : null;

    private void Write(string token, long renewals = 0, ProcessMark? mark = null) => _folder.Write("load.lease", JsonSerializer.Serialize(
        new() { Token = token, Process = ProcessWire.Of(mark ?? ProcessMark.Own), Model = "pattern:theirs", Since = default, Renewals = renewals },
        SharingJson.Default.LeaseWire));
}
