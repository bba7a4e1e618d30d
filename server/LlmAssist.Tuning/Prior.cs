// What is usual in a language, from projects of many people.
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Tuning;

/// <summary>Makes one of <see cref="LanguagePriors"/>.</summary>
internal static class Prior
{
    /// <summary>Trains on folders of one language, and keeps what is frequent.</summary>
    /// <param name="work">A folder for intermediate files.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="megabytes">How large it may be.</param>
    /// <param name="prune">What was seen less often is dropped.</param>
    /// <returns>What it was learned from and became.</returns>
    public static string Train(string work, string target, IReadOnlyList<string> folders, int megabytes, int prune)
    {
        var name = Path.GetFileNameWithoutExtension(target);
        var request = new TrainingRequest { Name = name, Folders = folders, Prune = prune, MaximumMegabytes = megabytes, IsPrior = true };
        var store = new PatternStore(Path.Combine(work, name), TimeProvider.System);
        var trained = new PatternTrainer(store, TimeProvider.System).Train(request, null, CancellationToken.None);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(target))!);
        File.Copy(trained.Stored.Path, target, overwrite: true);
        using var model = PatternModel.Open(target);
        return $"{name}: {trained.Provenance.Bytes / 1e6:F1} MB of source, {trained.Statistics.Tokens} tokens; {trained.Statistics.Symbols} symbols, "
            + $"{trained.Statistics.Contexts} contexts seen at least {model.Parameters.Prune} times, {new FileInfo(target).Length / 1e6:F2} MB";
    }
}
