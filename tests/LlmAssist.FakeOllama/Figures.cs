// Figures of what the stand-in's models take, and of the loads it was asked for.
using System.Text.Json.Nodes;

namespace LlmAssist.FakeOllama;

/// <summary>One moment's figures. What each means is said at <see cref="FakeServer"/>.</summary>
internal sealed record MemoryFigures(
    long RamBytes,
    long PeakRamBytes,
    int LoadsInFlight,
    int MostLoadsInFlight,
    int Loads,
    IReadOnlyList<(long At, string What, string Model, long RamBytes)> Log)
{
    /// <summary>As a program that is not ours reads them.</summary>
    /// <param name="begun">The timestamp from which the log counts.</param>
    /// <param name="time">The clock of the timestamps.</param>
    public JsonObject ToJson(long begun, TimeProvider time) => new()
    {
        ["ramBytes"] = RamBytes,
        ["peakRamBytes"] = PeakRamBytes,
        ["loadsInFlight"] = LoadsInFlight,
        ["mostLoadsInFlight"] = MostLoadsInFlight,
        ["loads"] = Loads,
        ["memoryLog"] = new JsonArray([.. Log.Select(entry => new JsonObject
        {
            ["milliseconds"] = time.GetElapsedTime(begun, entry.At).TotalMilliseconds,
            ["what"] = entry.What,
            ["model"] = entry.Model,
            ["ramBytes"] = entry.RamBytes,
        })]),
    };
}
