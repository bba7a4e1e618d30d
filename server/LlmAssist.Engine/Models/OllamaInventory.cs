// What one Ollama server has, as of the last look. A value; looking gives a new one.
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Engine.Models;

/// <summary>What is installed and what is in memory.</summary>
/// <param name="Installed">On disk, the latest first.</param>
/// <param name="Running">In memory; null if the server does not tell, as before 0.1.38.</param>
/// <param name="ListedAt">When <paramref name="Installed"/> was looked at, a timestamp.</param>
/// <param name="SeenAt">When <paramref name="Running"/> was looked at, a timestamp.</param>
internal sealed record OllamaInventory(IReadOnlyList<InstalledModel> Installed, IReadOnlyList<RunningModel>? Running, long ListedAt, long SeenAt)
{
    private static readonly TimeSpan ListIsOld = TimeSpan.FromMinutes(1); // the server reads a file for each model

    /// <summary>Looks. Touches no model.</summary>
    /// <param name="known">What was seen before; null to look at everything.</param>
    /// <param name="isAsked">Whether a person asked: then everything is looked at too.</param>
    /// <exception cref="OllamaException">The server does not answer as it should.</exception>
    public static async Task<OllamaInventory> LookAsync(
        OllamaConnection connection, OllamaInventory? known, bool isAsked, TimeProvider time, CancellationToken cancellation)
    {
        var running = await RunningAsync(connection, isAsked, cancellation);
        var isListed = known is not null && !isAsked && time.GetElapsedTime(known.ListedAt) < ListIsOld
            && (running ?? []).All(model => known.Installed.Any(installed => installed.Key == model.Key));
        return isListed
            ? known! with { Running = running, SeenAt = time.GetTimestamp() }
            : new(
                await connection.CallAsync(isAsked, isOfModel: false, static (client, either) => client.ListAsync(either), cancellation),
                running,
                time.GetTimestamp(),
                time.GetTimestamp());
    }

    /// <summary>The installed model of this name, in any spelling; null if there is none.</summary>
    public InstalledModel? Find(string name)
    {
        var wanted = OllamaName.Normalize(name);
        return Installed.FirstOrDefault(model => OllamaName.Normalize(model.Name) == wanted);
    }

    /// <summary>The model in memory with this key; null if there is none, or the server does not tell.</summary>
    public RunningModel? RunningOf(string? key) => Running?.FirstOrDefault(model => model.Key == key);

    private static async Task<IReadOnlyList<RunningModel>?> RunningAsync(OllamaConnection connection, bool isAsked, CancellationToken cancellation)
    {
        try
        {
            var running = await connection.CallAsync(isAsked, isOfModel: false, static (client, either) => client.RunningAsync(either), cancellation);
            connection.Health.Observe(running);
            return running;
        }
        catch (OllamaException exception) when (exception.Reason == OllamaReason.Unsupported)
        {
            return null;
        }
    }
}
