// What the keeper makes of hosts that do not do as they are told.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Tests.Ollama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Models;

public sealed class MemoryKeeperTests
{
    private static readonly ModelId Model = new(ModelSource.Ollama, "codellama:7b");

    public static TheoryData<Exception> Failures => [new UserException(Phrase.Same("It stays.")), new ObjectDisposedException("connection"), new OperationCanceledException()];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_host_that_fails_does_not_end_the_watch(Exception failure)
    {
        using var folder = new TempFolder();
        var time = new ArmedTime();
        using var keeper = new MemoryKeeper(folder.Path, new Machine(), time);
        var host = new Host(failure);
        keeper.Add(host);
        keeper.Configure(new() { Limit = ByteSize.GiB(1) });
        using var ending = new CancellationTokenSource();
        var watching = keeper.WatchAsync(ending.Token);
        await time.ArmedAsync(TimeSpan.FromSeconds(2)).WaitAsync(Play.Hang);
        time.Advance(TimeSpan.FromSeconds(2));
        for (var look = 1; look <= 3; look++)
        {
            await time.ArmedAsync(TimeSpan.FromSeconds(30)).WaitAsync(Play.Hang);
            Assert.Equal(look, host.Asked);
            time.Advance(TimeSpan.FromSeconds(30));
        }

        await time.ArmedAsync(TimeSpan.FromSeconds(30)).WaitAsync(Play.Hang);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Fact]
    public async Task What_pattern_models_hold_back_is_let_go_first_when_the_machine_is_short()
    {
        using var folder = new TempFolder();
        using var keeper = new MemoryKeeper(folder.Path, new Machine { Available = ByteSize.MiB(100) }, new ArmedTime());
        var host = new Host(null) { Size = ByteSize.MiB(900) };
        keeper.Add(host);
        await keeper.TickAsync(default);
        Assert.Equal(["caches", "evict"], host.Told);
    }

    [Fact]
    public async Task A_load_waits_for_what_is_leaving_already()
    {
        using var folder = new TempFolder();
        var time = new ArmedTime();
        using var keeper = new MemoryKeeper(folder.Path, new Machine(), time);
        var host = new Host(null) { IsLeaving = true };
        keeper.Add(host);
        keeper.Configure(new() { Limit = ByteSize.GiB(5) });
        var newcomer = new Newcomer(new(ModelSource.Ollama, "mistral:7b"), [new(1000, ByteSize.GiB(4))]);
        var loading = keeper.LoadAsync(newcomer.Id, _ => Task.FromResult<Newcomer?>(newcomer), (_, _) => Task.CompletedTask, default);
        await time.ArmedAsync(TimeSpan.FromMilliseconds(100)).WaitAsync(Play.Hang);
        Assert.False(loading.IsCompleted);
        host.Leave();
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(1000, (await loading.WaitAsync(Play.Hang))!.Value.Tokens);
        Assert.Empty(host.Told);
    }

    private sealed class Machine : IMemoryProbe
    {
        public ByteSize Available { get; init; } = ByteSize.GiB(8);

        public MemoryReading Read() => new(new SystemMemory(ByteSize.GiB(16), Available, LimitedByGroup: false), null, []);
    }

    private sealed class Host(Exception? failure) : IModelHost
    {
        private bool _isGone;

        public ByteSize Size { get; init; } = ByteSize.GiB(4);

        public List<string> Told { get; } = [];

        public int Asked => Told.Count(static told => told == "evict");

        public bool IsLeaving { get; init; }

        public IReadOnlyList<Resident> Residents => _isGone ? [] : [new(Model, Size, DateTimeOffset.UnixEpoch) { IsOurs = true, IsLeaving = IsLeaving, IsBusy = IsLeaving }];

        public void Leave() => _isGone = true;

        public Task LookAsync(CancellationToken cancellation) => Task.CompletedTask;

        public Task<bool> EvictAsync(ModelId id, CancellationToken cancellation)
        {
            Told.Add("evict");
            if (failure is not null)
            {
                throw failure;
            }

            _isGone = true;
            return Task.FromResult(true);
        }

        public void DropCaches() => Told.Add("caches");
    }
}
