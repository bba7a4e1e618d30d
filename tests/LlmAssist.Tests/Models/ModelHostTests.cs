using LlmAssist.Engine;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Patterns;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Models;

public sealed class ModelHostTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StillTime _time = new();
    private readonly PatternStore _store;
    private readonly ModelHost _host;

    public ModelHostTests()
    {
        _store = new(_folder["models"], _time);
        _host = new(_store, _time);
    }

    public void Dispose()
    {
        _host.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ALeasedModelStaysAndAnUnloadedOneGoes(int seed)
    {
        var random = new Random(seed);
        var stored = Train(5);
        var resident = new List<StoredModel>(); // what the host must have, in the order of loading
        var leases = new List<(ModelLeases Leases, List<StoredModel> Models)>();
        var leaving = new List<(StoredModel Model, Task<bool> Gone)>();
        for (var step = 0; step < 400; step++)
        {
            _time.Now += TimeSpan.FromSeconds(1);
            var model = stored[random.Next(stored.Count)];
            switch (random.Next(4))
            {
                case 0:
                    _host.Load(model);
                    if (!resident.Contains(model))
                    {
                        resident.Add(model);
                    }

                    break;
                case 1:
                    leases.Add((_host.LeaseAll(), [.. resident]));
                    Assert.Equal(resident.Select(one => one.Id), leases[^1].Leases.Models.Select(one => one.Id));
                    break;
                case 2 when leases.Count != 0:
                    var index = random.Next(leases.Count);
                    leases[index].Leases.Dispose();
                    leases[index].Leases.Dispose(); // once is enough, twice does no harm
                    leases.RemoveAt(index);
                    break;
                case 3:
                    var gone = _host.UnloadAsync(model.Id);
                    if (resident.Remove(model))
                    {
                        leaving.Add((model, gone));
                    }
                    else
                    {
                        Assert.False(await gone);
                    }

                    break;
            }

            Assert.Equal(resident.Select(one => one.Id), _host.Residents.Select(one => one.Id));
            foreach (var one in leases.SelectMany(lease => lease.Leases.Models))
            {
                _ = one.Statistics; // would fail, or crash, if it were unmapped
            }

            foreach (var one in _host.Residents.Where(one => leases.Exists(lease => lease.Leases.Models.Any(model => model.MappedAddress == one.Address))))
            {
                Assert.True(one.IsBusy);
            }

            leaving.RemoveAll(left => left.Gone.IsCompleted);
            CheckMapped([.. resident.Concat(leases.SelectMany(lease => lease.Models)).Select(one => one.Path)]);
        }

        leases.ForEach(lease => lease.Leases.Dispose());
        foreach (var (_, gone) in leaving)
        {
            Assert.True(await gone);
        }

        CheckMapped([.. resident.Select(one => one.Path)]);
        _host.Dispose();
        CheckMapped([]);
    }

    [Fact]
    public async Task UnloadingWaitsForThoseWhoUseTheModel()
    {
        var model = Train(1)[0];
        _host.Load(model);
        var first = _host.LeaseAll();
        var second = _host.LeaseAll();
        var gone = _host.UnloadAsync(model.Id);
        Assert.Empty(_host.Residents);
        Assert.Empty(_host.LeaseAll().Models);
        first.Dispose();
        Assert.False(gone.IsCompleted);
        Assert.NotEmpty(second.Models[0].NamesWithPrefix("se", 1));
        second.Dispose();
        Assert.True(await gone);
        Assert.Throws<ObjectDisposedException>(() => second.Models[0].NamesWithPrefix("se", 1));
    }

    [Fact]
    public async Task TellsWhatComesAndGoes()
    {
        var stored = Train(2);
        var changes = 0;
        _host.Changed += () => changes++;
        var statistics = _host.Load(stored[0]);
        Assert.Equal(statistics, _host.Load(stored[0]));
        Assert.Equal(1, changes);
        _host.Load(stored[1]);
        _time.Now += TimeSpan.FromHours(1);
        _host.LeaseAll().Dispose();
        Assert.All(_host.Residents, resident => Assert.Equal((_time.Now, false), (resident.LastUsed, resident.IsBusy)));
        Assert.All(_host.Residents, resident => Assert.Equal(new FileInfo(Path.Combine(_store.Folder, resident.Id.Name + PatternStore.Extension)).Length, resident.MappedBytes));
        await _host.UnloadAsync(stored[0].Id);
        Assert.Equal(3, changes);
    }

    [Theory]
    [InlineData("LLMPAT")] // the header
    [InlineData("\"patternsObserved\"")] // only the statistics
    public void ADamagedModelIsSetAside(string damaged)
    {
        var model = Train(1)[0];
        var bytes = File.ReadAllBytes(model.Path);
        bytes[bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(damaged))] = (byte)'!';
        File.WriteAllBytes(model.Path, bytes);
        Assert.Throws<PatternFileException>(() => _host.Load(model));
        Assert.Empty(_host.Residents);
        Assert.Empty(_store.List());
        CheckMapped([]);
        Assert.ThrowsAny<IOException>(() => _host.Load(model)); // it lies in quarantine now
    }

    [Fact]
    public async Task ManyThreadsAtOnce()
    {
        var stored = Train(2);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var round = 0; round < 300; round++)
            {
                var model = stored[random.Next(2)];
                switch (random.Next(3))
                {
                    case 0:
                        Assert.NotEqual(0, _host.Load(model).Tokens);
                        break;
                    case 1:
                        await _host.UnloadAsync(model.Id);
                        break;
                    default:
                        using (var leases = _host.LeaseAll())
                        {
                            Assert.All(leases.Models, leased => Assert.NotEmpty(leased.NamesWithPrefix("se", 1)));
                        }

                        break;
                }
            }
        })));
        CheckMapped([.. _host.Residents.Select(resident => Path.Combine(_store.Folder, resident.Id.Name + PatternStore.Extension))]);
    }

    // Which files of the store this process has mapped, as the system says, and that it has no others open.
    private void CheckMapped(HashSet<string> expected)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var mapped = File.ReadLines("/proc/self/maps").Where(line => line.Contains(_store.Folder, StringComparison.Ordinal)).Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..]);
        Assert.Equal(expected.Order(), mapped.Distinct().Order());
        var open = Directory.GetFiles("/proc/self/fd").Select(path => new FileInfo(path).LinkTarget).Where(target => target?.StartsWith(_store.Folder, StringComparison.Ordinal) == true);
        Assert.Empty(open.Except(expected));
    }

    private List<StoredModel> Train(int count)
    {
        var source = TinyCorpus.WriteTo(_folder);
        return [.. Enumerable.Range(0, count).Select(number => TinyCorpus.Train(_store, source, $"model{number}", _time).Stored)];
    }
}
