// Hours of a user who cannot make up their mind: another model every minute, typing in between, pauses in which models expire, and other
// programs that load what they like. Tells what is left of each hour; what that may be is the test's business.
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Handlers;

internal static class MemoryHours
{
    /// <summary>Notes, history, lease, their guards, and the file of the window itself.</summary>
    public const int MostSharedFiles = 10;

    private const string Uri = "file:///w/shop.py";
    private const int RoundsToPause = 30;
    private const int RoundsToOther = 15;

    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Expiring = TimeSpan.FromMinutes(6);

    /// <summary>Lets so many hours pass, and tells each in a line that <see cref="Hour.Parse"/> reads.</summary>
    public static async Task RunAsync(int hours, Action<string> tell)
    {
        await using var play = new MemoryPlay(MemoryScenarioTests.Scene() with { UnloadMilliseconds = 300 });
        (play.Time.Stride, play.Time.Rest) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(0.2));
        await play.BeginAsync("\"memory.pollSeconds\":20,\"completion.minConfidence\":0.2");
        var user = new User(play);
        for (var number = 1; number <= hours; number++)
        {
            tell((await user.LiveAsync(number)).ToString());
        }
    }

    /// <summary>What is left of an hour.</summary>
    /// <param name="ManagedBytes">Of this process, after collection.</param>
    /// <param name="PeakRamBytes">The most that models took, but for the moments at which other programs load.</param>
    internal sealed record Hour(
        int Number, int Switches, int Completions, int Questions, int Evictions, int Expiries, int Refusals, int Deletes, long PeakRamBytes, int SharedFiles, long ManagedBytes)
    {
        public static Hour Parse(string line)
        {
            // As records write themselves: Hour { Number = 1, ... }
            var values = line.Split(['{', '}'])[1].Split(',').ToDictionary(static part => part.Split('=')[0].Trim(), static part => long.Parse(part.Split('=')[1], CultureInfo.InvariantCulture));
            return new(
                Of(nameof(Number)), Of(nameof(Switches)), Of(nameof(Completions)), Of(nameof(Questions)), Of(nameof(Evictions)), Of(nameof(Expiries)), Of(nameof(Refusals)), Of(nameof(Deletes)),
                values[nameof(PeakRamBytes)], Of(nameof(SharedFiles)), values[nameof(ManagedBytes)]);

            int Of(string name) => (int)values[name];
        }
    }

    private sealed class User(MemoryPlay play)
    {
        private readonly Random _random = new(4711);
        private readonly string[] _models = [.. MemoryScenarioTests.Scene().Models.Where(static model => model.Name != MemoryScenarioTests.Huge).Select(static model => model.Name)];
        private readonly string _shared = new DataFolders(play[""]).Shared;
        private string _current = "";
        private int _version = 1;
        private int _switches;
        private int _completions;
        private int _questions;
        private long _peak;

        public async Task<Hour> LiveAsync(int number)
        {
            (_switches, _completions, _questions, _peak) = (0, 0, 0, 0);
            var begun = play.Time.GetTimestamp();
            await play.Server.NotifyAsync("textDocument/didOpen", JsonSerializer.Serialize(new { textDocument = new { uri = Uri, languageId = "python", version = _version, text = "" } }));
            for (var round = 1; play.Time.GetElapsedTime(begun) < OneHour; round++)
            {
                await SwitchAsync();
                await TypeAsync();
                await play.PassAsync(TimeSpan.FromSeconds(_random.Next(5, 20)));
                await AnswerAsync();
                if (round % RoundsToOther == 0)
                {
                    await LetOtherLoadAsync();
                }

                if (round % RoundsToPause == 0)
                {
                    await play.PassAsync(Expiring);
                    await AnswerAsync();
                }
            }

            // All hours end alike.
            await play.Server.NotifyAsync("textDocument/didClose", JsonSerializer.Serialize(new { textDocument = new { uri = Uri } }));
            await play.CommandAsync("models.unloadAll");
            await play.PassAsync(Settling);
            NotePeak();
            var hour = Told(number);
            return hour with { SharedFiles = Directory.GetFiles(_shared, "*", SearchOption.AllDirectories).Length, ManagedBytes = Managed() };
        }

        // By itself, so that nothing of what is told is still held when memory is counted. Not by the product's history, whose answers grow by the hour and
        // leave pooled buffers as large as they are.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private Hour Told(int number)
        {
            var log = play.Ollama.MemoryLog;
            var refusals = play.Server.Logged.Count(static line => line.Contains("was not loaded", StringComparison.Ordinal));
            var deletes = play.Forget().Count(static asked => asked.Method == "DELETE");
            return new(number, _switches, _completions, _questions, log.Count(static entry => entry.What == "unload"), log.Count(static entry => entry.What == "expire"), refusals, deletes, _peak, 0, 0);
        }

        private async Task SwitchAsync()
        {
            var others = _models.Where(name => name != _current).ToList();
            _current = others[_random.Next(others.Count)];
            await play.LoadAsync(_current);
            _switches++;
        }

        private async Task TypeAsync()
        {
            for (var key = 0; key < 2; key++)
            {
                var before = $"row{_random.Next(1000)} = {_random.Next(1000)}\ntotal_price = ";
                var lines = string.Concat(Enumerable.Repeat("total_price = unit_price * quantity\n", 20));
                await play.Server.NotifyAsync(
                    "textDocument/didChange", JsonSerializer.Serialize(new { textDocument = new { uri = Uri, version = ++_version }, contentChanges = new[] { new { text = lines + before } } }));
                var answer = await play.AskAsync("textDocument/inlineCompletion", JsonSerializer.Serialize(new
                {
                    textDocument = new { uri = Uri },
                    position = new { line = 21, character = "total_price = ".Length },
                    context = new { triggerKind = 1 },
                }));
                _completions += answer.GetProperty("result").GetProperty("items").GetArrayLength() == 0 ? 0 : 1;
            }
        }

        private async Task AnswerAsync()
        {
            while (play.Questions.Count != 0)
            {
                await play.AnswerAsync(_random.Next(3) switch { 0 => """{"title":"Unload"}""", 1 => """{"title":"Keep"}""", _ => "null" });
                _questions++;
            }
        }

        // What other programs load is not ours to prevent: only that it leaves soon.
        private async Task LetOtherLoadAsync()
        {
            NotePeak();
            play.Ollama.LoadByOther(_random.Next(2) == 0 ? MemoryScenarioTests.Huge : _models[_random.Next(_models.Length)]);
            await play.UntilAsync(() => play.Ollama.RamBytes <= MemoryPlay.Limit.Bytes);
            await play.PassAsync(Settling);
            play.Ollama.ResetPeaks();
        }

        private void NotePeak()
        {
            _peak = Math.Max(_peak, play.Ollama.PeakRamBytes);
            play.Ollama.ResetPeaks();
        }

        private static long Managed()
        {
            for (var pass = 0; pass < 3; pass++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }
}
