// From folders of source code to a model in the store. Walking, lexing, counting and writing are others' work; here is their order.
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>What to train on, and how.</summary>
public sealed record TrainingRequest
{
    /// <summary>The model's name; made safe for a file name.</summary>
    public required string Name { get; init; }

    /// <summary>Folders or files.</summary>
    public required IReadOnlyList<string> Folders { get; init; }

    /// <summary>Which files to learn from.</summary>
    public CorpusOptions Corpus { get; init; } = new();

    /// <summary>Contexts seen fewer times are dropped; 1 keeps all.</summary>
    public int Prune { get; init; } = 1;

    /// <summary>Upper bound of the file's size in MB (10^6 bytes), reached by dropping the rarest contexts; null for none.</summary>
    public int? MaximumMegabytes { get; init; }

    /// <summary>Free text kept with the model.</summary>
    public string? Note { get; init; }

    /// <summary>
    /// Whether it is to be one of <see cref="LanguagePriors"/>: then symbols that occur fewer times than <see cref="Prune"/> are counted and
    /// forgotten, and the model does not name the files that it has learned from.
    /// </summary>
    public bool IsPrior { get; init; }
}

/// <summary>What a training is doing.</summary>
public enum TrainingPhase
{
    Finding,
    Reading,
    Saving,
}

/// <summary>How far a training is.</summary>
/// <param name="Phase">What it is doing.</param>
/// <param name="Fraction">Of the whole training, 0..1, never falling.</param>
/// <param name="Files">Files read so far.</param>
/// <param name="FilesInAll">Files to read; 0 while they are being found.</param>
public readonly record struct TrainingProgress(TrainingPhase Phase, double Fraction, int Files, int FilesInAll);

/// <summary>A model that was trained and saved.</summary>
public sealed record TrainedModel(StoredModel Stored, PatternStatistics Statistics, PatternProvenance Provenance);

/// <summary>Trains pattern models.</summary>
/// <remarks>
/// A corpus is counted by every kind of context (<see cref="Contexts"/>) in bounded memory. Until the last step nothing is
/// visible in the store; killed or canceled at any moment, the previous model stays current.
/// </remarks>
public sealed class PatternTrainer(PatternStore store, TimeProvider time)
{
    // Counting takes the larger part of the time; the shares are what a progress bar shows, not a promise.
    private const double ReadingShare = 0.8;

    // Bytes of counts kept in memory before they go to disk. Together with its buffers training stays below half a GiB.
    private const long CountingAllowance = 320L << 20;

    // Bytes of the file kept for statistics and parameters, which are written last, and for padding.
    private const int StatisticsAllowance = 16 << 10;

    private const int LearnedFilesAtOnce = 256;

    // More contexts are worth more than more of what rarely follows one.
    private const int MostSuccessorsOfPrior = 10;

    // How many copies of one name are kept: the current one, and the one before in case it is mapped or wanted back.
    private const int VersionsKept = 2;

    private static readonly string ProgramVersion = typeof(PatternTrainer).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Trains on the calling thread and one more, saves the model, and removes all but the newest two of its name.</summary>
    /// <exception cref="UserException">A folder does not exist, or there is nothing to learn from.</exception>
    /// <exception cref="UserException">The model could not be written, for example because the disk is full; nothing was saved.</exception>
    /// <exception cref="OperationCanceledException">Canceled; nothing was saved.</exception>
    public TrainedModel Train(TrainingRequest request, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        progress?.Report(new(TrainingPhase.Finding, 0, 0, 0));
        return Train(request, FindCorpus(request, cancellation), progress, cancellation);
    }

    /// <summary>The same, on files that were found already.</summary>
    /// <inheritdoc cref="Train(TrainingRequest, IProgress{TrainingProgress}?, CancellationToken)"/>
    public TrainedModel Train(TrainingRequest request, Corpus corpus, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        try
        {
            return TrainAndSave(request, corpus, progress, cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" })
        {
            // The last is how .NET says that the file system, or a limit on the process, does not allow a file that large.
            throw new UserException(
                new(
                    $"The model could not be saved in {store.Folder}: {exception.Message} Nothing was changed there. Make room, or train with --max-megabytes.",
                    $"No se pudo guardar el modelo en {store.Folder}: {exception.Message} Allí no ha cambiado nada. Libere espacio o entrene con --max-megabytes."),
                exception);
        }
    }

    private TrainedModel TrainAndSave(TrainingRequest request, Corpus corpus, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        store.Sweep();
        using var counter = new PatternCounter(store.Folder, CountingAllowance);
        var vocabulary = new Vocabulary();
        var reading = Read(corpus.Files, counter, vocabulary, progress, cancellation);
        if (reading.Learned.Count == 0)
        {
            throw NothingToLearn(request, corpus);
        }

        progress?.Report(new(TrainingPhase.Saving, ReadingShare, reading.Learned.Count, corpus.Files.Count));
        using var draft = store.CreateDraft();
        string[] folders = request.IsPrior ? [] : [.. request.Folders.Select(PatternStore.NormalizedFolder).Distinct()];
        var provenance = new PatternProvenance
        {
            Name = PatternStore.SafeName(request.Name),
            CreatedAt = time.GetUtcNow(),
            Program = ProgramVersion,
            Folders = folders,
            Commits = folders
                .Select(folder => (Folder: folder, Commit: CommitOf(folder)))
                .Where(pair => pair.Commit is not null)
                .ToDictionary(pair => pair.Folder, pair => pair.Commit!),
            Files = reading.Learned.Count,
            Bytes = reading.Bytes,
            Skipped = corpus.Skipped.ToDictionary(pair => pair.Key.ToString(), pair => pair.Value),
            Languages = reading.Languages,
            Note = request.Note,
        };
        try
        {
            var statistics = Write(draft, request, counter, vocabulary, reading, provenance, started, progress, cancellation);

            // The last moment at which it can be called off.
            cancellation.ThrowIfCancellationRequested();
            var stored = store.Publish(draft, provenance.Name);
            ForgetOldVersions(provenance.Name);
            progress?.Report(new(TrainingPhase.Saving, 1, reading.Learned.Count, corpus.Files.Count));
            return new(stored, statistics, provenance);
        }
        catch
        {
            // The draft is deleted at once rather than by the next sweep: after a full disk the space is wanted now.
            File.Delete(draft.Name);
            throw;
        }
    }

    /// <summary>The files that a request means.</summary>
    /// <exception cref="UserException">A folder does not exist.</exception>
    public static Corpus FindCorpus(TrainingRequest request, CancellationToken cancellation)
    {
        foreach (var folder in request.Folders)
        {
            if (!Directory.Exists(folder) && !File.Exists(folder))
            {
                throw new UserException(new(
                    $"{folder} does not exist. Name a folder of source code or a source file.",
                    $"{folder} no existe. Indique una carpeta de código fuente o un archivo fuente."));
            }
        }

        return CorpusWalker.Walk(request.Folders, request.Corpus, cancellation);
    }

    private static UserException NothingToLearn(TrainingRequest request, Corpus corpus)
    {
        var folders = string.Join(", ", request.Folders);
        var skipped = string.Join(", ", corpus.Skipped.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Key} {pair.Value}"));
        return new(skipped.Length == 0
            ? new($"{folders}: no files found. Name a folder of source code.", $"{folders}: no hay archivos. Indique una carpeta de código fuente.")
            : new(
                $"{folders}: no source file to learn from; passed over: {skipped}. Look at --include, --exclude and the ignore files.",
                $"{folders}: ningún archivo fuente del que aprender; omitidos: {skipped}. Revise --include, --exclude y los archivos de exclusión."));
    }

    private static ReadingResult Read(
        IReadOnlyList<CorpusFile> files,
        PatternCounter counter,
        Vocabulary vocabulary,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellation)
    {
        var result = new ReadingResult();
        var bytesInAll = Math.Max(1, files.Sum(file => file.Bytes));
        var learner = new Learner(counter, vocabulary);
        var seen = 0L;
        for (var index = 0; index < files.Count; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            var file = files[index];
            if (CorpusWalker.ReadText(file) is { } text)
            {
                result.Tokens += learner.Learn(text, file.Language);
                result.Bytes += file.Bytes;
                result.Languages[file.Language.Id] = result.Languages.GetValueOrDefault(file.Language.Id) + file.Bytes;
                result.Learned.Add(new(file.FullPath, file.Bytes, file.ModifiedAt, SymbolHash.Of(text).ToString("x16")));
            }

            seen += file.Bytes;
            progress?.Report(new(TrainingPhase.Reading, ReadingShare * seen / bytesInAll, index + 1, files.Count));
        }

        learner.Finish();
        return result;
    }

    private PatternStatistics Write(
        FileStream draft,
        TrainingRequest request,
        PatternCounter counter,
        Vocabulary vocabulary,
        ReadingResult reading,
        PatternProvenance provenance,
        long started,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellation)
    {
        var writer = new PatternModelWriter(draft);
        var ids = vocabulary.Write(writer, request.IsPrior ? request.Prune : 1);
        writer.Section<byte>(PatternSection.Provenance, JsonSerializer.SerializeToUtf8Bytes(provenance, PatternJson.Default.PatternProvenance));
        writer.Begin<byte>(PatternSection.LearnedFiles);
        foreach (var some in request.IsPrior ? [] : reading.Learned.Chunk(LearnedFilesAtOnce))
        {
            var lines = string.Concat(some.Select(learned => JsonSerializer.Serialize(learned, PatternJson.Default.LearnedFile) + "\n"));
            writer.Append<byte>(Encoding.UTF8.GetBytes(lines));
        }

        writer.End();

        // The table of contexts gets what is left, so everything of a size that is not known in advance stands before it.
        var maximumBytes = request.MaximumMegabytes is { } megabytes ? (megabytes * 1_000_000L) - writer.Length - StatisticsAllowance : long.MaxValue;
        var mostSuccessors = request.IsPrior ? MostSuccessorsOfPrior : PatternFormat.MaximumSuccessors;
        var plan = ContextTablePlan.For(counter, ids, mostSuccessors, request.Prune, maximumBytes, cancellation);
        progress?.Report(new(TrainingPhase.Saving, 0.9, reading.Learned.Count, reading.Learned.Count));
        var stored = new ContextTableWriter(writer, ids, mostSuccessors, store.Folder).Write(counter, plan, cancellation);
        var symbols = ids.Count(static id => id != Vocabulary.Forgotten);
        var elapsed = time.GetElapsedTime(started).TotalSeconds;
        var statistics = new PatternStatistics
        {
            PatternsObserved = counter.Observed,
            PatternsStored = stored,
            Contexts = plan.Contexts,
            Symbols = symbols,
            Sparsity = 1 - (stored / Math.Max(1.0, (double)plan.Contexts * symbols)),
            Tokens = reading.Tokens,
            TrainingSeconds = elapsed,
            MegabytesPerSecond = reading.Bytes / 1e6 / Math.Max(elapsed, 1e-9),
        };
        var parameters = new PatternParameters
        {
            Contexts = Contexts.Names,
            Prune = plan.Prune,
            MaximumMegabytes = request.MaximumMegabytes,
            MaximumFileBytes = request.Corpus.MaxFileBytes,
            Include = request.Corpus.Include,
            Exclude = request.Corpus.Exclude,
        };
        writer.Section<byte>(PatternSection.Statistics, JsonSerializer.SerializeToUtf8Bytes(statistics, PatternJson.Default.PatternStatistics));
        writer.Section<byte>(PatternSection.Parameters, JsonSerializer.SerializeToUtf8Bytes(parameters, PatternJson.Default.PatternParameters));
        writer.Finish();
        return statistics;
    }

    private void ForgetOldVersions(string name)
    {
        try
        {
            store.Prune(VersionsKept, name);
        }
        catch (UserException)
        {
            // Another process holds an old file. It goes at the next training.
        }
    }

    // The commit that a folder's work tree is at, read from git's own files so that no process is started for it.
    private static string? CommitOf(string folder)
    {
        try
        {
            var git = Path.Combine(folder, ".git");
            var head = File.ReadAllText(Path.Combine(git, "HEAD")).Trim();
            var commit = head.StartsWith("ref: refs/", StringComparison.Ordinal) ? File.ReadAllText(Path.Combine(git, head["ref: ".Length..])).Trim() : head;

            // A folder from elsewhere can name any file as its head; only what looks like a commit is kept.
            return commit.Length is 40 or 64 && commit.All(char.IsAsciiHexDigit) ? commit : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed class ReadingResult
    {
        public List<LearnedFile> Learned { get; } = [];

        public Dictionary<string, long> Languages { get; } = [];

        public long Bytes { get; set; }

        public long Tokens { get; set; }
    }
}
