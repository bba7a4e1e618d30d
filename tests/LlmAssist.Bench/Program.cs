// npm run bench ends here: takes the measures in order and reports them. How each is taken is told in its row.
using System.Diagnostics;
using System.Globalization;
using LlmAssist.Engine;
using LlmAssist.Engine.Completion;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Bench;

/// <summary>The measures.</summary>
/// <param name="server">The published executable.</param>
/// <param name="work">A folder of our own.</param>
/// <param name="corpus">What to train and to type.</param>
internal sealed class Program(string server, string work, BenchCorpus corpus)
{
    private const double Megabyte = 1e6;
    private const double Mebibyte = 1 << 20;
    private const double LargeModelBytes = 100 * Megabyte;
    private const int TypedFileLeastBytes = 10_000;
    private const int TypedFileMostBytes = 100_000;
    private const int TypedFiles = 8;
    private const int TypingRounds = 3;
    private const int RequestsInRound = 1000; // of each surface; a 99th percentile needs them
    private const int WarmUpRequests = 50;
    private const int EvaluatedTokens = 30_000;
    private static readonly TimeSpan IdlePause = TimeSpan.FromSeconds(5);

    private readonly List<Measure> _measures = [];
    private readonly string _home = Path.Combine(work, "home");
    private readonly IReadOnlyList<CorpusFile> _typed = FilesToType(corpus);

    private static int Main(string[] args)
    {
#pragma warning disable RS0030 // No protocol here: this program's output is read by people.
        var output = Console.Out;
#pragma warning restore RS0030
        if (Alone.TryAnswer(args, output))
        {
            return 0;
        }

        var options = args.ToList();
        var server = Take("--server") ?? throw new ArgumentException("--server is missing; start this with 'npm run bench'.");
        var hello = Take("--hello");
        var page = Take("--page");
        var described = Take("--described") ?? "a folder of the user's";
        var only = Take("--only");
        var minutes = double.Parse(Take("--minutes") ?? "10", CultureInfo.InvariantCulture);
        var isJson = options.Remove("--json");
        var speech = Phrase.SpeechOf(Environment.GetEnvironmentVariable("LC_ALL") ?? Environment.GetEnvironmentVariable("LANG"));
        var machine = Machine.Describe();
        var work = Directory.CreateTempSubdirectory("llm-assist-bench-").FullName;
        try
        {
            var report = new Report(machine, described, [], []);
            if (only is null or "lane")
            {
                var corpus = new BenchCorpus(options[0], work);
                var measures = only is null ? new Program(server, work, corpus).Run(hello) : [];
                var (laneMeasures, laneTable) = new LaneBench(server, work, corpus).RunAsync().GetAwaiter().GetResult();
                report = report with
                {
                    Corpus = string.Create(CultureInfo.InvariantCulture, $"{described}; {corpus.TrainBytes / Megabyte:F1} MB of source to train on, {corpus.HeldOut.Count} files held out"),
                    Measures = [.. measures, .. laneMeasures],
                    Tables = [laneTable],
                };
            }

            if (only is null or "watch")
            {
                report = report with { Measures = [.. report.Measures, .. new WatchBench(server, work, minutes).RunAsync().GetAwaiter().GetResult()] };
            }

            if (isJson)
            {
                output.WriteLine(report.ToJson());
            }
            else
            {
                report.Print(speech);
            }

            if (page is not null)
            {
                File.WriteAllText(page, report.ToMarkdown());
            }

            return 0;
        }
        catch (UserException exception)
        {
            Console.Error.WriteLine(exception.Phrase.In(speech));
            return 1;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        string? Take(string name)
        {
            var index = options.IndexOf(name);
            if (index < 0)
            {
                return null;
            }

            var value = options[index + 1];
            options.RemoveRange(index, 2);
            return value;
        }
    }

    private List<Measure> Run(string? hello)
    {
        Start(hello);
        var model = Train();
        LargeModel(new FileInfo(model).Length);
        FirstRequests();
        Typing();
        TrainingInServer();
        Quality(model);
        return _measures;
    }

    // Evenly over the sizes.
    private static IReadOnlyList<CorpusFile> FilesToType(BenchCorpus corpus)
    {
        var fit = corpus.HeldOut.Where(file => file.Bytes is >= TypedFileLeastBytes and <= TypedFileMostBytes).OrderBy(file => file.Bytes).ToList();
        return fit.Count == 0
            ? throw new UserException(new(
                "No held-out file has 10 to 100 KB, so there is nothing to type. Name a folder with more source code.",
                "Ningún archivo reservado tiene entre 10 y 100 KB y no hay qué escribir. Indique una carpeta con más código fuente."))
            : [.. Enumerable.Range(0, Math.Min(TypedFiles, fit.Count)).Select(index => fit[index * fit.Count / Math.Min(TypedFiles, fit.Count)])];
    }

    private void Start(string? hello)
    {
        var resident = new List<double>();
        var processor = new List<double>();
        var start = Sample.Of(20, 3, () =>
        {
            var clock = Stopwatch.StartNew();
            using var session = EditorSession.Start(server, Path.Combine(work, "empty"));
            session.Initialize(work);
            var elapsed = clock.Elapsed.TotalMilliseconds;
            resident.Add(ProcessMemory.Of(session.ProcessId).Resident / Mebibyte);
            using var process = Process.GetProcessById(session.ProcessId);
            processor.Add(process.TotalProcessorTime.TotalMilliseconds);
            return elapsed;
        });
        Add("start", new("Start to initialize answered", "Del arranque a initialize respondido"), "ms", start, new(150),
            new("published executable, real process, pipe; 3 warm-ups", "ejecutable publicado, proceso real, tubería; 3 calentamientos"));
        Add("startProcessor", new("  its processor time", "  su tiempo de procesador"), "ms", new(processor), null,
            new("depends less on other load than the clock does", "depende de otra carga menos que el reloj"));
        if (hello is not null)
        {
            Add("startHello", new("  for scale: a .NET hello world", "  para comparar: un «hola» de .NET"), "ms", Sample.Of(15, 3, () => SayHello(hello)), null,
                new("start of process to its line read", "del arranque a su línea leída"));
        }

        Add("residentAtStart", new("RSS at start, no model", "RSS al arrancar, sin modelo"), "MiB", new(resident), null,
            new("when initialize was answered", "al responder a initialize"));
    }

    private static double SayHello(string hello)
    {
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(new ProcessStartInfo(hello) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadLine();
        var elapsed = clock.Elapsed.TotalMilliseconds;
        process.WaitForExit();
        return elapsed;
    }

    private string Train()
    {
        var costs = Enumerable.Range(0, 3).Select(_ => Alone.Train(corpus.TrainFolder, Path.Combine(_home, "models"))).ToList();
        var megabytes = corpus.TrainBytes / Megabyte;
        Add("trainPerCore", new("Training, per core", "Entrenamiento, por núcleo"), "MB/s", Of(cost => megabytes / cost.ProcessorSeconds), new(3, IsLeast: true),
            new("source / processor time, a fresh process each, walking and saving included", "fuente / tiempo de procesador, un proceso nuevo cada vez, con búsqueda y guardado"));
        Add("trainWall", new("Training, by the clock", "Entrenamiento, por el reloj"), "MB/s", Of(cost => megabytes / cost.WallSeconds), null, new("the same runs", "las mismas ejecuciones"));
        Add("trainPeak", new("Training, peak memory", "Entrenamiento, máximo de memoria"), "MiB", Of(cost => cost.PeakBytes / Mebibyte), null, new("peak RSS of those processes", "RSS máxima de esos procesos"));
        var path = costs[^1].Path;
        using var model = PatternModel.Open(path);
        Add("bytesPerToken", new("Model per training token", "Modelo por token de entrenamiento"), "bytes", new([(double)model.MappedBytes / model.Statistics.Tokens]), null,
            Phrase.Same($"{model.MappedBytes / Megabyte:F1} MB / {model.Statistics.Tokens / 1e6:F2} M"));
        return path;

        Sample Of(Func<TrainingCost, double> figure) => new([.. costs.Select(figure)]);
    }

    private void LargeModel(long bytesOfOne)
    {
        var store = Path.Combine(work, "large");
        var copies = (int)Math.Ceiling(LargeModelBytes / bytesOfOne);
        TrainingCost cost;
        do
        {
            var folder = corpus.Multiply(work, copies++);
            cost = Alone.Train(folder, store);
            Directory.Delete(folder, recursive: true);
        }
        while (new FileInfo(cost.Path).Length < LargeModelBytes);

        var bytes = new FileInfo(cost.Path).Length;
        Add("trainLargePeak", new("  peak memory of the large training", "  máximo de memoria del entrenamiento grande"), "MiB", new([cost.PeakBytes / Mebibyte]), null,
            new($"{copies - 1} copies, names suffixed per copy, {cost.WallSeconds:F0} s", $"{copies - 1} copias, nombres con sufijo por copia, {cost.WallSeconds:F0} s"));
        var opened = Enumerable.Range(0, 7).Select(_ => Alone.Open(cost.Path)).ToList();
        Add("openFirst", new($"Opening a {bytes / Megabyte:F0} MB model, first", $"Abrir un modelo de {bytes / Megabyte:F0} MB, primera vez"), "ms", new([.. opened.Select(open => open.First)]), new(20),
            new("first call in a fresh process, compiling included", "primera llamada de un proceso nuevo, compilación incluida"));
        Add("openAgain", new("  the second time in that process", "  la segunda vez en ese proceso"), "ms", new([.. opened.Select(open => open.Second)]), new(20), default);
        Add("verify", new("  verify", "  verificar"), "MB/s",
            Sample.Of(3, 1, () => bytes / Megabyte / Alone.Milliseconds(() => PatternModel.Verify(cost.Path, CancellationToken.None)) * 1000), null,
            new("every sum and reference, file in the page cache", "todas las sumas y referencias, archivo en la caché"));
        File.Delete(cost.Path);
    }

    private void FirstRequests()
    {
        foreach (var surface in Enum.GetValues<Surface>())
        {
            var first = Sample.Of(5, 0, () =>
            {
                using var session = Started(_home);
                return new Typist(session).Open(_typed[0], surface);
            });
            Add($"first{surface}", new($"Very first request, {Name(surface).English}", $"La primera petición, {Name(surface).Spanish}"), "ms", first, null,
                new("file opened and asked at once, fresh server", "archivo abierto y petición inmediata, servidor nuevo"));
        }
    }

    private void Typing()
    {
        using var session = Started(_home);
        var typist = new Typist(session);
        var opened = new Sample([.. _typed.Select(file => typist.Open(file, Surface.Inline))]);
        typist.Type(_typed[0], 0, 1, WarmUpRequests, static _ => new());
        var rounds = Enumerable.Range(0, TypingRounds).Select(_ => new Dictionary<Surface, Latencies> { [Surface.Inline] = new(), [Surface.List] = new() }).ToList();
        for (var round = 0; round < TypingRounds; round++)
        {
            foreach (var file in _typed)
            {
                typist.Type(file, round, TypingRounds, RequestsInRound / _typed.Count, surface => rounds[round][surface]);
            }
        }

        foreach (var surface in Enum.GetValues<Surface>())
        {
            var all = rounds.Select(round => round[surface]).ToList();
            var count = all.Sum(latencies => latencies.Requests.Count);
            var answered = (double)all.Sum(latencies => latencies.Answered) / count;
            foreach (var percent in new[] { 50, 99 })
            {
                Add($"request{surface}P{percent}", new($"Request p{percent}, {Name(surface).English}", $"Petición p{percent}, {Name(surface).Spanish}"), "ms",
                    new([.. all.Select(latencies => new Sample(latencies.Requests).Percentile(percent))]), percent == 99 ? new(10) : null,
                    percent == 50 ? new($"{count} keystrokes in {_typed.Count} held-out files, {answered:P0} answered", $"{count} pulsaciones en {_typed.Count} archivos no vistos, {answered:P0} con respuesta") : default);
            }

            foreach (var stage in all.SelectMany(latencies => latencies.Stages.Keys).Distinct())
            {
                var rest = all.Where(latencies => latencies.Stages.ContainsKey(stage)).Select(latencies => new Sample(latencies.Stages[stage])).ToList();
                foreach (var percent in new[] { 50, 99 })
                {
                    Add($"stage{surface}{stage}P{percent}", Phrase.Same($"  {stage} p{percent}"), "ms", new([.. rest.Select(values => values.Percentile(percent))]),
                        stage is "predict" or "words" && percent == 99 ? new(1) : null,
                        percent == 50 ? new("as the server explains it", "según lo explica el servidor") : default);
                }
            }
        }

        Add("firstInFile", new("First request in a file just opened", "Primera petición en un archivo recién abierto"), "ms", opened, null,
            new($"{_typed.Min(file => file.Bytes) / 1000}–{_typed.Max(file => file.Bytes) / 1000} KB; waits until the file was read", $"{_typed.Min(file => file.Bytes) / 1000}–{_typed.Max(file => file.Bytes) / 1000} KB; espera a que se lea"));
        Idle("idle", new("Idle RSS, that model open", "RSS en reposo, con ese modelo"), session, new(60),
            new($"5 s after the last request (a deliberate pause), {_typed.Count} files open", $"5 s tras la última petición (pausa deliberada), {_typed.Count} archivos abiertos"));
        var woken = new Latencies();
        typist.Type(_typed[^1], 1, 2, 1, _ => woken);
        Add("firstAfterIdle", new("First request after that pause", "Primera petición tras esa pausa"), "ms", new([woken.Requests[0]]), null,
            new("the model's pages come back", "vuelven las páginas del modelo"));
    }

    private void TrainingInServer()
    {
        using var session = EditorSession.Start(server, Path.Combine(work, "fresh"));
        session.Initialize(corpus.TrainFolder);
        var clock = Stopwatch.StartNew();
        session.BeginWithModel();
        Add("firstTraining", new("First start on that workspace: model in use", "Primer arranque en ese espacio: modelo en uso"), "s", new([clock.Elapsed.TotalSeconds]), null,
            new("trained by the server in the background", "entrenado por el servidor en segundo plano"));
        Idle("idleTrained", new("Idle RSS, trained by this server", "RSS en reposo, entrenado por este servidor"), session, new(60), new("5 s after it was trained", "5 s después de entrenar"));
    }

    private void Idle(string key, Phrase what, EditorSession session, Goal goal, Phrase how)
    {
        Task.Delay(IdlePause, TimeProvider.System, CancellationToken.None).GetAwaiter().GetResult();
        var memory = ProcessMemory.Of(session.ProcessId);
        Add(key, what, "MiB", new([memory.Resident / Mebibyte]), goal, how);
        foreach (var (name, bytes) in new[] { ("PSS", memory.Proportional), ("private", memory.Private), ("anonymous", memory.Anonymous) })
        {
            if (bytes is { } known)
            {
                Add(key + name, Phrase.Same($"  {name}"), "MiB", new([known / Mebibyte]), null, default);
            }
        }
    }

    private void Quality(string path)
    {
        using var model = PatternModel.Open(path);
        var evaluation = new PatternEvaluator(TimeProvider.System).Evaluate(
            model, corpus.HeldOut, new() { MaximumTokens = EvaluatedTokens, Calibrate = Calibration.Confidence }, null, CancellationToken.None);
        Share("top1", new("Held-out symbols right at first", "Símbolos no vistos, acierto a la primera"), evaluation.Top1, new($"{evaluation.Tokens} symbols", $"{evaluation.Tokens} símbolos"));
        Share("top5", new("  among the first five", "  entre los cinco primeros"), evaluation.Top5, default);
        Share("mrr", new("  mean reciprocal rank", "  rango recíproco medio"), evaluation.Mrr, default);
        Share("identifierMrr", new("  the same of identifiers", "  lo mismo, identificadores"), evaluation.Identifier.Mrr, default);
        Add("bits", new("  bits per symbol", "  bits por símbolo"), "bits", new([evaluation.BitsPerToken]), null, default);
        var shown = $"{evaluation.Keystrokes.Precision:F3}";
        Share("keystrokesSaved", new("Keystrokes saved", "Pulsaciones ahorradas"), evaluation.Keystrokes.Saved,
            new($"at confidence 0.5, of those shown {shown} right", $"con confianza 0,5; de las mostradas, {shown} correctas"));

        void Share(string key, Phrase what, double value, Phrase how) => Add(key, what, "", new([value]), null, how);
    }

    private EditorSession Started(string home)
    {
        var session = EditorSession.Start(server, home);
        session.Initialize(corpus.TrainFolder);
        session.BeginWithModel();
        return session;
    }

    private static Phrase Name(Surface surface) => surface == Surface.Inline ? new("ghost text", "texto fantasma") : new("list", "lista");

    private void Add(string key, Phrase what, string unit, Sample sample, Goal? goal, Phrase how) => _measures.Add(new(key, what, unit, sample, goal, new(how.English ?? "", how.Spanish ?? "")));
}
