// 10,000 random histories of two windows, of other programs, and of a server with rules of its own: the limit holds all the while.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Models;

public sealed class MemoryKeeperHistoryTests
{
    private const int Histories = 10_000;
    private const int Parts = 4;
    private const int Steps = 14;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task The_limit_holds_whatever_happens(int part)
    {
        for (var history = part; history < Histories; history += Parts)
        {
            using var folder = new TempFolder();
            using var world = new World(folder.Path, history);
            try
            {
                for (var step = 0; step < Steps; step++)
                {
                    await world.StepAsync();
                }
            }
            catch (Exception exception) when (exception is Xunit.Sdk.XunitException or UserException or InvalidOperationException)
            {
                Assert.Fail($"History {history}: {exception.Message}\n{string.Join('\n', world.Log)}\n{exception.StackTrace}");
            }
        }
    }

    // What may happen, and what must hold then.
    private sealed class World : IDisposable
    {
        private static readonly TimeSpan[] Stays = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), Timeout.InfiniteTimeSpan];
        private static readonly int[] Contexts = [8000, 6000, 4000, 2000, 1000];

        private readonly Random _random;
        private readonly SettableTime _time = new();
        private readonly SimulatedOllama _server;
        private readonly Machine _machine;
        private readonly Window[] _windows;
        private readonly ByteSize[] _sizes;
        private readonly double[] _estimates;
        private readonly bool _mayJump;
        private readonly bool _mayErr;
        private readonly ByteSize _limit;
        private SimulatedOllama.Loaded? _foreign; // another program is being answered by it

        public World(string folder, int seed)
        {
            _random = new(seed);
            _mayJump = seed % 5 == 0;
            _mayErr = seed % 4 == 0;
            _server = new(_time);
            _machine = new(_server) { Others = ByteSize.GiB(2 + (_random.NextDouble() * 6)) };
            _limit = ByteSize.GiB(2 + (_random.NextDouble() * 8));
            _sizes = [.. Enumerable.Range(0, 5).Select(_ => ByteSize.MiB(300 + (_random.NextDouble() * 5000)))];
            _estimates = [.. _sizes.Select(_ => _mayErr ? 0.7 + (_random.NextDouble() * 0.6) : 1 + (_random.NextDouble() * 0.3))];
            _windows = [new(this, folder), new(this, folder)];
            var options = new MemoryOptions { Limit = _limit, Scope = _random.Next(4) == 0 ? EvictionScope.Ours : EvictionScope.All };
            foreach (var window in _windows)
            {
                window.Keeper.Configure(options);
            }

            Log.Add($"limit {_limit}, sizes {string.Join(", ", _sizes)}, {options.Scope}");
        }

        public List<string> Log { get; } = [];

        public async Task StepAsync()
        {
            var window = _windows[_random.Next(2)];
            var model = _random.Next(_sizes.Length);
            switch (_random.Next(20))
            {
                case < 7:
                    await LoadAsync(window, model);
                    break;
                case < 10:
                    Use(window, model);
                    break;
                case < 12:
                    LoadByOther(model);
                    break;
                case 12:
                    BeginOrEndByOther(model);
                    break;
                case 13:
                    Log.Add($"m{model} crashes");
                    _server.Crash(Name(model));
                    break;
                case 14 when _random.Next(3) == 0:
                    Log.Add("restart");
                    _server.Restart();
                    break;
                case 15:
                    var isPinned = _random.Next(2) == 0;
                    Log.Add($"m{model} {(isPinned ? "pinned" : "unpinned")}");
                    window.Keeper.Pin(Id(model), isPinned);
                    break;
                case 16 when _mayJump:
                    _time.Offset += TimeSpan.FromMinutes(_random.Next(-180, 180));
                    Log.Add($"the clock is set to {_time.GetUtcNow():t}");
                    break;
                case 17:
                    _machine.Others = ByteSize.GiB(2 + (_random.NextDouble() * 12));
                    Log.Add($"other programs take {_machine.Others}");
                    break;
                default:
                    break;
            }

            // At least long enough for what one window tells to reach the other.
            _time.Advance(TimeSpan.FromSeconds(2 + (_random.NextDouble() * (_random.Next(3) == 0 ? 600 : 20))));
            foreach (var one in _windows)
            {
                await one.PollAsync();
            }

            CheckLimit();
        }

        public void Dispose()
        {
            foreach (var window in _windows)
            {
                window.Keeper.Dispose();
            }
        }

        private async Task LoadAsync(Window window, int model)
        {
            var (name, estimate, stay) = (Name(model), _estimates[model], Stays[_random.Next(Stays.Length)]);
            var choices = Contexts.Select(tokens => new ContextChoice(tokens, BytesOf(model, tokens) * estimate)).ToList();
            var isFixed = _random.Next(5) == 0;
            var before = _server.Find(name);
            window.Evicted.Clear();
            window.HasStayed = false;
            try
            {
                var choice = await window.Keeper.LoadAsync(
                    Id(model),
                    _ => Task.FromResult<Newcomer?>(_server.Find(name) is not null && _random.Next(2) == 0
                        ? null
                        : new(Id(model), isFixed ? [choices[_random.Next(choices.Count)]] : choices) { IsContextFree = !isFixed, Replaces = _server.Find(name)?.Bytes ?? ByteSize.Zero }),
                    async (choice, cancellation) =>
                    {
                        CheckNeeded(window, choice.Bytes - (_server.Find(name)?.Bytes ?? ByteSize.Zero));
                        window.Evicted.Clear();
                        await window.LoadAsync(name, choice.Tokens, BytesOf(model, choice.Tokens), stay);
                        if (1 <= estimate)
                        {
                            Assert.True(_server.Ram <= _limit, $"{_server.Ram} are taken, which we have caused; the limit is {_limit}.");
                        }

                        // Nobody else can begin now; others may.
                        var other = _windows.First(other => other != window);
                        Assert.False(other.IsLoading);
                        await other.PollAsync();
                    },
                    default);
                Log.Add($"m{model} ({before?.Context}) loaded with {choice?.Tokens}: {_server.Ram}");
                if (window.Residents.Any(resident => resident.Id == Id(model)))
                {
                    window.Use(name);
                }
            }
            catch (UserException exception)
            {
                Log.Add($"m{model} refused: {exception.Message}");
            }

            CheckNeeded(window, ByteSize.Zero);
        }

        private void Use(Window window, int model)
        {
            if (_server.Find(Name(model)) is { } loaded)
            {
                Log.Add($"m{model} used by window {Array.IndexOf(_windows, window)}");
                _server.Begin(loaded);
                window.Use(loaded.Name);
                _server.Finish(loaded);
            }
        }

        private void LoadByOther(int model)
        {
            var context = Contexts[_random.Next(Contexts.Length)];
            var isLoaded = _server.Load(Name(model), context, BytesOf(model, context), _random.Next(2) == 0 ? null : Stays[_random.Next(3)], isOurs: false);
            Log.Add($"m{model} loaded by others: {isLoaded}, {_server.Ram}");
        }

        private void BeginOrEndByOther(int model)
        {
            if (_foreign is not null)
            {
                _server.Finish(_foreign);
                _foreign = null;
            }
            else if (_server.Find(Name(model)) is { } loaded)
            {
                Log.Add($"m{model} begins to answer somebody");
                _server.Begin(loaded);
                _foreign = loaded;
            }
        }

        // After every look of a window: below the limit, or nothing is left that may leave.
        private void CheckLimit()
        {
            if (_limit < _server.Ram)
            {
                var movable = _windows[1].Movable().ToList();
                Assert.True(movable.Count == 0, $"{_server.Ram} are taken and the limit is {_limit}; {string.Join(", ", movable.Select(resident => resident.Id))} could leave.");
            }
        }

        // Whoever left could not have stayed: with each of them the mark or the reserve would not have been kept.
        private void CheckNeeded(Window window, ByteSize needed)
        {
            // Where one of them did not leave, others may have left in vain: nobody could know.
            if (window.HasStayed)
            {
                return;
            }

            var budget = window.Keeper.Budget();
            foreach (var (id, bytes) in window.Evicted)
            {
                var isAboveMark = budget.LowMark < _server.Ram + bytes + needed;
                var isBelowReserve = budget.Available!.Value - bytes - needed < budget.Reserve;
                Assert.True(isAboveMark || isBelowReserve, $"{id} ({bytes}) left, and {_server.Ram} of {_limit} are taken, {budget.Available} are left.");
            }
        }

        private ByteSize BytesOf(int model, int tokens) => _sizes[model] + ByteSize.KiB(tokens * 64.0);

        private static string Name(int model) => $"m{model}:latest";

        private static ModelId Id(int model) => OllamaHost.IdOf(Name(model));

        private sealed class Machine(SimulatedOllama server) : IMemoryProbe
        {
            public ByteSize Others { get; set; }

            public MemoryReading Read() =>
                new(new SystemMemory(ByteSize.GiB(24), ByteSize.Max(ByteSize.Zero, ByteSize.GiB(24) - Others - server.Ram), LimitedByGroup: false), null, []);
        }

        // One window's keeper, and what it sees of the server.
        private sealed class Window : IModelHost
        {
            private readonly World _world;
            private readonly OllamaResidency _residency;
            private readonly Dictionary<string, DateTimeOffset> _uses = [];
            private long _looks;

            public Window(World world, string folder)
            {
                _world = world;
                _residency = new(world._time, isUnified: false);
                Keeper = new(folder, world._machine, world._time);
                Keeper.Add(this);
            }

            public MemoryKeeper Keeper { get; }

            public List<(ModelId Id, ByteSize Bytes)> Evicted { get; } = [];

            /// <summary>Whether a model did not leave that was told to, since it was last asked.</summary>
            public bool HasStayed { get; set; }

            public bool IsLoading { get; private set; }

            public IReadOnlyList<Resident> Residents =>
            [
                .. _residency.Models.Select(model => new Resident(OllamaHost.IdOf(model.Running.Name), new(model.RamBytes), model.LastUsed)
                {
                    IsBusy = model.IsBusy || model.IsLeaving,
                    IsOurs = _world._server.Find(model.Running.Name) is { IsOurs: true },
                }),
            ];

            public async Task PollAsync()
            {
                await LookAsync(default);
                Evicted.Clear();
                HasStayed = false;
                await Keeper.TickAsync(default);
                _world.CheckNeeded(this, ByteSize.Zero);
            }

            public IEnumerable<Resident> Movable() => Keeper.Residents().Where(resident =>
                !resident.IsBusy && !resident.IsPinned && ByteSize.Zero < resident.Bytes && (resident.IsOurs || Keeper.Options.Scope == EvictionScope.All));

            public void Use(string name)
            {
                Keeper.Used(OllamaHost.IdOf(name));
                _uses[name] = _world._time.GetUtcNow();
                _residency.Use(name);
            }

            public async Task LoadAsync(string name, int context, ByteSize bytes, TimeSpan stay)
            {
                IsLoading = true;
                _residency.Loading(name);
                var isLoaded = _world._server.Load(name, context, bytes, stay == Timeout.InfiniteTimeSpan ? TimeSpan.FromTicks(long.MaxValue / 100) : stay, isOurs: true);
                _residency.Keep(name, stay);
                await LookAsync(default);
                _residency.Loaded(name);
                IsLoading = false;
                if (!isLoaded)
                {
                    throw new UserException(Phrase.Same("All are busy."));
                }
            }

            public Task LookAsync(CancellationToken cancellation)
            {
                _residency.See(_world._server.Running, [], static _ => null, ++_looks);
                return Task.CompletedTask;
            }

            public async Task<bool> EvictAsync(ModelId id, CancellationToken cancellation)
            {
                var name = id.Name;
                if (_world._server.Find(name) is not { } model)
                {
                    return false;
                }

                var now = _world._time.GetUtcNow();
                Assert.False(Keeper.IsPinned(id), $"{id} is pinned and was told to leave.");

                // Nobody answers for ten minutes: a clock was set, or something hangs.
                Assert.True(_world._mayJump || now < model.ExpiresAt || model.ExpiresAt + TimeSpan.FromMinutes(10) <= now, $"{id} answers somebody, as everybody can see, and was told to leave.");
                var other = _world._windows.First(other => other != this);
                Assert.True(
                    _world._mayJump || !other._uses.TryGetValue(name, out var used) || TimeSpan.FromMinutes(1) <= now - used,
                    $"{id} is in use in the other window and was told to leave.");
                _world.Log.Add($"{name} told to leave");
                Evicted.Add((id, model.Bytes));
                _residency.Leave(name);
                _world._server.Unload(name);
                _residency.Told(name, _looks);
                await LookAsync(cancellation);
                HasStayed |= _world._server.Find(name) is not null;
                return !HasStayed ? true : throw new UserException(Phrase.Same("It answers somebody whom nobody could see."));
            }

            public void DropCaches()
            {
                // There are none.
            }
        }
    }
}
