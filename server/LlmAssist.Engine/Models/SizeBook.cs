// What models take, predicted from their metadata and corrected by what loads have shown on this machine.
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Sharing;

namespace LlmAssist.Engine.Models;

/// <summary>Predictions, the better the more a machine has loaded. Shared with the other windows. Safe on any thread.</summary>
internal sealed class SizeBook(MachineNotes notes, TimeProvider time)
{
    private const double WorthNoting = 0.02; // of a note; below it every load would write a file

    /// <summary>A model that is to be loaded.</summary>
    /// <param name="contextTokens">The context that the user has fixed; null for whatever fits.</param>
    public Newcomer NewcomerOf(ModelId id, InstalledModel model, ModelFacts? facts, int? contextTokens)
    {
        var footprint = OllamaFootprint.Of(model, facts);
        var trained = OllamaFootprint.TrainedOf(model, facts);
        var tokens = contextTokens is { } given ? [Math.Min(given, trained)] : ContextTier.Ladder(trained);
        return new(id, [.. tokens.Select(count => new ContextChoice(count, Predict(model.Key, footprint, count)))]) { IsContextFree = contextTokens is null };
    }

    /// <summary>What a model takes of the machine's memory. With a context that was seen before, what was seen; with another one, that and the difference that the metadata predict.</summary>
    /// <param name="key">Which weights: the digest.</param>
    /// <param name="footprint">What the metadata predict.</param>
    public ByteSize Predict(string key, Footprint footprint, int contextTokens)
    {
        var predicted = footprint.At(contextTokens);
        var nearest = notes.Read().Sizes
            .Select(pair => (Tokens: TokensOf(pair.Key, key), pair.Value.Ram))
            .Where(static seen => seen.Tokens is not null)
            .OrderBy(seen => Math.Abs((long)seen.Tokens!.Value - contextTokens))
            .FirstOrDefault();
        return nearest.Tokens is { } tokens ? ByteSize.Max(ByteSize.Zero, nearest.Ram + (predicted - footprint.At(tokens))) : predicted;
    }

    /// <summary>Notes what a model was seen to take just after its load, before use has filled its caches.</summary>
    public void Observe(string key, int contextTokens, ByteSize ram, ByteSize vram)
    {
        var name = Notes.SizeKey(key, contextTokens);
        if (notes.Read().Sizes.TryGetValue(name, out var known)
            && Math.Abs((known.Ram - ram).Bytes) <= WorthNoting * known.Ram.Bytes
            && Math.Abs((known.Vram - vram).Bytes) <= WorthNoting * known.Vram.Bytes)
        {
            return;
        }

        notes.Change(all => all with
        {
            Sizes = new Dictionary<string, SizeNote>(all.Sizes) { [name] = new(ram, vram, time.GetUtcNow()) },
        });
    }

    private static int? TokensOf(string name, string key) =>
        name.Length > key.Length + 1 && name[key.Length] == '@' && name.StartsWith(key, StringComparison.Ordinal) && int.TryParse(name.AsSpan(key.Length + 1), out var tokens)
            ? tokens
            : null;
}
