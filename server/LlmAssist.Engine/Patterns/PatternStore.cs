// The folder of models: which there are, which is current, how one is added, set aside, deleted. Keeps no state of its own:
// the folder is the truth, and several processes may use it at once.
using System.Globalization;

namespace LlmAssist.Engine.Patterns;

/// <summary>A model file in the store.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Name">The model's name, without the time stamp.</param>
/// <param name="CreatedAt">From the file name, UTC.</param>
/// <param name="Bytes">The file's length.</param>
public sealed record StoredModel(string Path, string Name, DateTimeOffset CreatedAt, long Bytes)
{
    /// <summary>The model's id: its file name without extension.</summary>
    public ModelId Id => ModelId.Pattern(System.IO.Path.GetFileNameWithoutExtension(Path));
}

/// <summary>
/// The folder of pattern models. A published file is never modified; a newer one of the same name is written beside it, and
/// the newest that can be opened is current. Publication is a rename, so that a reader sees a whole file or none.
/// </summary>
public sealed class PatternStore
{
    /// <summary>The extension of model files.</summary>
    public const string Extension = ".pattern";

    private const string StampFormat = "yyyyMMdd_HHmmss";
    private const int StampLength = 15;
    private const int CreationAttempts = 5;

    /// <summary>Length of "_YYYYMMDD_HHMMSS", by which a model's id is longer than its name.</summary>
    internal const int StampSuffixLength = StampLength + 1;

    private const int MaximumNameLength = 64;
    private const string ScratchPrefix = ".draft-";
    private const string LockPrefix = ".training-";
    private const string QuarantineFolder = "quarantine";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TimeProvider _time;

    /// <summary>The store in <paramref name="folder"/>, which is created, readable by its owner only, if it does not exist.</summary>
    public PatternStore(string folder, TimeProvider time)
    {
        Folder = System.IO.Path.GetFullPath(folder);
        _time = time;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Folder);
        }
        else
        {
            Directory.CreateDirectory(Folder, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Absolute path of the folder.</summary>
    public string Folder { get; }

    /// <summary>The models in the folder, by name, the newest of a name first. Only names and sizes are read.</summary>
    public IReadOnlyList<StoredModel> List()
    {
        var models = new List<StoredModel>();
        foreach (var file in new DirectoryInfo(Folder).EnumerateFiles("*" + Extension))
        {
            try
            {
                if (Parse(file.Name) is var (name, createdAt))
                {
                    models.Add(new(file.FullName, name, createdAt, file.Length));
                }
            }
            catch (FileNotFoundException)
            {
                // Deleted by another process while we were looking.
            }
        }

        models.Sort(static (left, right) =>
            string.CompareOrdinal(left.Name, right.Name) is not 0 and var order ? order : right.CreatedAt.CompareTo(left.CreatedAt));
        return models;
    }

    /// <summary>
    /// The model that <paramref name="reference"/> means: a file name with or without extension, or a name without stamp, which
    /// means the newest of that name.
    /// </summary>
    /// <exception cref="UserException">There is no such model; the message lists those that there are.</exception>
    public StoredModel Resolve(string reference)
    {
        var models = List();
        var bare = reference.EndsWith(Extension, StringComparison.Ordinal) ? reference[..^Extension.Length] : reference;
        bare = bare.StartsWith("pattern:", StringComparison.Ordinal) ? bare["pattern:".Length..] : bare;
        var found = models.FirstOrDefault(model => model.Id.Name == bare) ?? models.FirstOrDefault(model => model.Name == bare);
        if (found is not null)
        {
            return found;
        }

        var known = string.Join(", ", models.Select(model => model.Name).Distinct());
        throw new UserException(known.Length == 0
            ? new(
                $"There is no model '{reference}', nor any other. Train one with 'llm-assist train FOLDER'.",
                $"No existe el modelo «{reference}», ni ningún otro. Entrene uno con «llm-assist train CARPETA».")
            : new(
                $"There is no model '{reference}'. There are: {known}.",
                $"No existe el modelo «{reference}». Existen: {known}."));
    }

    /// <summary>Opens the newest model learned from exactly <paramref name="folders"/>; null if there is none. Damaged files on the way are set aside.</summary>
    /// <param name="folders">Absolute paths.</param>
    /// <param name="setAside">Told of each file that was set aside, and why.</param>
    public PatternModel? OpenLearnedFrom(IReadOnlyList<string> folders, Action<PatternFileException> setAside)
    {
        var wanted = folders.Select(NormalizedFolder).ToHashSet();
        foreach (var stored in List().OrderByDescending(model => model.CreatedAt))
        {
            if (TryOpen(stored, setAside) is not { } model)
            {
                continue;
            }

            if (wanted.SetEquals(model.Provenance.Folders))
            {
                return model;
            }

            model.Dispose();
        }

        return null;
    }

    /// <summary>
    /// Opens the newest model called <paramref name="name"/> that is whole; null if there is none. Damaged files on the way are
    /// set aside.
    /// </summary>
    public PatternModel? OpenCurrent(string name, Action<PatternFileException> setAside) =>
        List().Where(model => model.Name == name).Select(stored => TryOpen(stored, setAside)).FirstOrDefault(model => model is not null);

    /// <summary>Moves a file that cannot be used into the folder 'quarantine', where nothing looks for models.</summary>
    /// <returns>Where it lies now; null if it was gone or could not be moved.</returns>
    public string? Quarantine(string path)
    {
        try
        {
            var folder = Directory.CreateDirectory(System.IO.Path.Combine(Folder, QuarantineFolder)).FullName;
            var target = System.IO.Path.Combine(folder, System.IO.Path.GetFileName(path));
            File.Move(path, target, overwrite: true);
            return target;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The files that were set aside, by path.</summary>
    public IReadOnlyList<string> Quarantined()
    {
        var folder = System.IO.Path.Combine(Folder, QuarantineFolder);
        return Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>Deletes a model's file. Processes that have it open keep what they have mapped, where the system allows it.</summary>
    /// <exception cref="UserException">The system refuses, for example because another process uses the file.</exception>
    public void Delete(StoredModel model)
    {
        try
        {
            File.Delete(model.Path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UserException(
                new(
                    $"{model.Path} could not be deleted: {exception.Message} Unload the model in every editor window and try again.",
                    $"No se pudo borrar {model.Path}: {exception.Message} Descargue el modelo en todas las ventanas del editor y vuelva a intentarlo."),
                exception);
        }
    }

    /// <summary>Deletes all but the newest <paramref name="keep"/> files of each name.</summary>
    /// <param name="keep">At least 1.</param>
    /// <param name="only">Restricts this to one name.</param>
    /// <returns>What was deleted.</returns>
    public IReadOnlyList<StoredModel> Prune(int keep, string? only = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        var superfluous = List()
            .Where(model => only is null || model.Name == only)
            .GroupBy(model => model.Name)
            .SelectMany(versions => versions.Skip(keep))
            .ToList();
        superfluous.ForEach(Delete);
        return superfluous;
    }

    /// <summary>Removes what killed processes have left behind. Files that a living process writes are locked and stay.</summary>
    /// <returns>How many files were removed.</returns>
    public int Sweep()
    {
        var removed = 0;
        foreach (var path in Directory.EnumerateFiles(Folder, ScratchPrefix + "*").Concat(Directory.EnumerateFiles(Folder, LockPrefix + "*")))
        {
            try
            {
                // Deleted while it is locked, so that nobody can have taken it up between the question and the answer.
                using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose))
                {
                    removed++;
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // In use, or gone already: not ours to remove.
            }
        }

        return removed;
    }

    /// <summary>
    /// Claims the training of <paramref name="name"/> for this process until disposed; null while another has it. The system gives the
    /// claim back when a process dies. It only saves double work: training twice at once is safe.
    /// </summary>
    public IDisposable? TryClaimTraining(string name)
    {
        try
        {
            return new FileStream(
                System.IO.Path.Combine(Folder, $"{LockPrefix}{SafeName(name)}.lock"),
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None,
                bufferSize: 0,
                FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Starts a file that becomes a model with <see cref="Publish"/>; disposed before that, it is deleted by the next sweep.</summary>
    internal FileStream CreateDraft() => CreateLocked(Folder, FileOptions.None);

    /// <summary>A file in <paramref name="folder"/> that is gone when it is disposed; after a kill, at the next <see cref="Sweep"/>.</summary>
    internal static FileStream CreateScratch(string folder) => CreateLocked(folder, FileOptions.DeleteOnClose);

    // The handle is the lock that Sweep respects. On Unix a file is created first and locked then; a sweep in between may lock or
    // delete it, and then the next name is tried.
    private static FileStream CreateLocked(string folder, FileOptions fileOptions)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,

            // Shared for deletion, so that Windows lets a draft be renamed while it is open.
            Share = FileShare.Delete,

            // Nothing is kept back, so that closing a file never fails after a write has: writers write large pieces.
            BufferSize = 0,
            Options = fileOptions,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        for (var attempt = 1; ; attempt++)
        {
            var path = System.IO.Path.Combine(folder, $"{ScratchPrefix}{Guid.NewGuid():N}.tmp");
            try
            {
                var file = new FileStream(path, options);
                if (File.Exists(path))
                {
                    return file;
                }

                file.Dispose();
            }
            catch (IOException) when (attempt < CreationAttempts && Directory.Exists(folder))
            {
            }
        }
    }

    /// <summary>Gives a finished draft its name. From here on it is a model and is not modified any more.</summary>
    internal StoredModel Publish(FileStream draft, string name)
    {
        // What is published last is the newest, even if the clock was set back meanwhile.
        var newest = List().FirstOrDefault(model => model.Name == name)?.CreatedAt.AddSeconds(1) ?? DateTimeOffset.MinValue;
        for (var stamp = _time.GetUtcNow() is var now && newest < now ? now : newest; ; stamp = stamp.AddSeconds(1))
        {
            var fileName = $"{name}_{stamp.UtcDateTime.ToString(StampFormat, CultureInfo.InvariantCulture)}{Extension}";
            var path = System.IO.Path.Combine(Folder, fileName);
            try
            {
                File.Move(draft.Name, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                // Another process was faster: the later one takes the next second.
                continue;
            }

            return new(path, name, Parse(fileName)!.Value.CreatedAt, draft.Length);
        }
    }

    /// <summary>A name that may stand in a file name: letters, digits, '.', '-' and '_', at most 64.</summary>
    public static string SafeName(string text)
    {
        var safe = string.Concat(text.Take(MaximumNameLength).Select(unit => char.IsLetterOrDigit(unit) || unit is '.' or '-' or '_' ? unit : '-')).Trim('.', '-');
        return safe.Length == 0 ? "model" : safe;
    }

    /// <summary>A folder's path as it is compared: absolute, without a separator at its end.</summary>
    public static string NormalizedFolder(string folder) => System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(folder));

    /// <summary>Opens a model; null, and the file set aside, if it cannot be used.</summary>
    public PatternModel? TryOpen(StoredModel stored, Action<PatternFileException> setAside)
    {
        try
        {
            var model = PatternModel.Open(stored.Path);
            try
            {
                _ = model.Provenance;
                _ = model.Statistics;
                return model;
            }
            catch
            {
                model.Dispose();
                throw;
            }
        }
        catch (PatternFileException exception)
        {
            Quarantine(stored.Path);
            setAside(exception);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Deleted by another process between listing and opening, or not ours to read.
            return null;
        }
    }

    private static (string Name, DateTimeOffset CreatedAt)? Parse(string fileName)
    {
        var bare = fileName.AsSpan(0, fileName.Length - Extension.Length);
        if (bare.Length < StampLength + 2 || bare[^(StampLength + 1)] != '_')
        {
            return null;
        }

        return DateTimeOffset.TryParseExact(bare[^StampLength..], StampFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var createdAt)
            ? (bare[..^(StampLength + 1)].ToString(), createdAt)
            : null;
    }
}
