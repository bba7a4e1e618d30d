// Typing with a model of Ollama beside the pattern models: what is on the screen when, and what that costs the model. The model is
// a stand-in, so latencies and knowledge are ours to set; what is measured is everything between it and the screen.
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using LlmAssist.Engine;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Patterns;
using LlmAssist.FakeOllama;

namespace LlmAssist.Bench;

/// <summary>The measures of the lane of Ollama.</summary>
/// <param name="server">The published executable.</param>
/// <param name="work">A folder of our own.</param>
/// <param name="corpus">What to train and to type.</param>
internal sealed class LaneBench(string server, string work, BenchCorpus corpus)
{
    private const string Model = "qwen2.5-coder:1.5b";
    private const int ContextTokens = 4096;
    private const int FrameMilliseconds = 20;
    private const int Passages = 2;
    private const int PassageLeast = 380; // visible characters and blanks between them
    private const int PassageMost = 450;
    private const int PassageFileLeastBytes = 4_000;
    private const int PassageFileMostBytes = 60_000;
    private const int Closings = 50;
    private const int Bursts = 10;
    private const int RequestsInBurst = 100;

    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(300);
    private static readonly int[] FirstTexts = [300, 1000, 5000];

    private static readonly LaneRhythm[] Rhythms =
    [
        new(TimeSpan.FromMilliseconds(60), TimeSpan.FromMilliseconds(700)),
        new(TimeSpan.FromMilliseconds(120), TimeSpan.FromMilliseconds(700)),
        new(TimeSpan.FromMilliseconds(120), TimeSpan.FromSeconds(2)),
        new(TimeSpan.FromMilliseconds(120), TimeSpan.Zero),
    ];

    private static readonly Who[] Everybody =
    [
        new(new("both lanes", "ambas vías"), "auto"),
        new(new("only Ollama's", "solo la de Ollama"), "ollama"),
        new(new("plain client", "cliente simple"), null),
    ];

    private static readonly Who PatternsAlone = new(new("only patterns", "solo patrones"), "pattern");

    private readonly List<Measure> _measures = [];
    private readonly string _store = Path.Combine(work, "lane-models");

    /// <summary>Measures everything.</summary>
    public async Task<(IReadOnlyList<Measure> Measures, ReportTable Table)> RunAsync()
    {
        Alone.Train(corpus.TrainFolder, _store);
        var passages = PassagesToType();
        using var knowledge = new Improviser([corpus.Folder], language: null, TimeProvider.System);
        await ClosingAsync(passages[0]);
        await BurstAsync(passages[0], knowledge);
        return (_measures, await TypingAsync(passages, knowledge));
    }

    // ---- Typing ----

    private List<LanePassage> PassagesToType()
    {
        var fit = corpus.HeldOut
            .Where(file => file.Bytes is >= PassageFileLeastBytes and <= PassageFileMostBytes)
            .OrderBy(file => file.Bytes)
            .Select(file => LanePassage.In(file, PassageLeast, PassageMost))
            .OfType<LanePassage>()
            .ToList();
        return fit.Count == 0
            ? throw new UserException(new(
                "No held-out file has enough lines of code to type. Name a folder with more source code.",
                "Ningún archivo reservado tiene bastantes líneas de código que escribir. Indique una carpeta con más código fuente."))
            : [.. Enumerable.Range(1, Passages).Select(index => fit[index * fit.Count / (Passages + 1)])];
    }

    private async Task<ReportTable> TypingAsync(IReadOnlyList<LanePassage> passages, Improviser knowledge)
    {
        var runs = new List<Run>();
        foreach (var rhythm in Rhythms)
        {
            runs.Add(await StartedAsync(PatternsAlone, 0, rhythm, passages, knowledge));
            foreach (var firstText in FirstTexts)
            {
                foreach (var who in Everybody)
                {
                    runs.Add(await StartedAsync(who, firstText, rhythm, passages, knowledge));
                }
            }
        }

        // All at once: each mostly waits.
        var used = ProcessorTime(runs);
        var begun = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(runs.Select(run => run.TypeAsync(passages)));
        var busy = $"{(ProcessorTime(runs) - used) / TimeProvider.System.GetElapsedTime(begun) / Environment.ProcessorCount:P0}";
        var rows = runs.ConvertAll(run => run.Row());
        foreach (var run in runs)
        {
            await run.DisposeAsync();
        }

        var right = $"{passages.Average(passage => RightShare(passage, knowledge)):P0}";
        var what = passages.Sum(passage => passage.Typed.Length);
        var lines = passages.Sum(passage => passage.Typed.Count(unit => unit == '\n') + 1);
        return new(
            "laneTyping",
            new("Typing with a model of Ollama", "Escribir con un modelo de Ollama"),
            new(
                string.Create(CultureInfo.InvariantCulture, $"{lines} lines of {passages.Count} held-out files ({what} characters) are typed key by key in real time, as VS Code would send it; before each key, and while thinking before a line (“pauses”), the typist looks at the screen and takes what is right and at least 8 characters long or goes to the line's end. Ollama is played by a stand-in on loopback: its latency and its knowledge (it has read the files that are typed, the pattern model has not, and of the lines that it would write at each key {right} are right) are set here and are not those of a real model, so the table compares ways of asking and tells nothing about models. “Plain client” asks {Debounce.TotalMilliseconds:F0} ms after the last key for the rest of the line, cancels at the next key, and shows what is complete. “Unheard” are generations that were cut before their first text; a suggestion is useful if at least two visible characters of it are right and none is wrong; all runs at once kept the cores {busy} busy."),
                string.Create(CultureInfo.InvariantCulture, $"Se escriben tecla a tecla y en tiempo real {lines} líneas de {passages.Count} archivos no vistos ({what} caracteres), tal como las enviaría VS Code; antes de cada tecla, y mientras piensa antes de cada línea («pausas»), quien escribe mira la pantalla y acepta lo que es correcto y tiene al menos 8 caracteres o llega al final de la línea. El papel de Ollama lo hace un sustituto local: su latencia y lo que sabe (ha leído los archivos que se escriben, el modelo de patrones no, y de las líneas que escribiría a cada tecla el {right} son correctas) se fijan aquí y no son los de un modelo real; la tabla compara maneras de preguntar y no dice nada de los modelos. El «cliente simple» pide {Debounce.TotalMilliseconds:F0} ms después de la última tecla el resto de la línea, cancela con la tecla siguiente y muestra lo que está completo. «Sin oír» son las generaciones cortadas antes de su primer texto; una sugerencia es útil si al menos dos de sus caracteres visibles son correctos y ninguno es erróneo; todas las ejecuciones a la vez ocuparon los núcleos al {busy}.")),
            [
                new("First text", "Primer texto"), new("Per key", "Por tecla"), new("Pauses", "Pausas"), new("Who helps", "Quién ayuda"),
                new("Useful shown", "Útil a la vista"), new("of it Ollama's", "de ello, de Ollama"), new("Wrong shown", "Errónea a la vista"), new("Key to useful text", "De tecla a texto útil"),
                new("Keys saved", "Pulsaciones ahorradas"), new("Generations", "Generaciones"), new("Unheard", "Sin oír"), new("Accepted", "Aceptadas"),
                new("Generations per accepted", "Generaciones por aceptada"), new("At once", "A la vez"),
            ],
            rows);
    }

    // How often the stand-in would be right if it were asked at every key and answered at once.
    private static double RightShare(LanePassage passage, Improviser knowledge)
    {
        var (places, right) = (0, 0);
        for (var at = 0; at < passage.Typed.Length; at += passage.KeyAt(at).Length)
        {
            var line = new StringBuilder();
            foreach (var piece in knowledge.Continue(new(passage.Before + passage.Typed[..at], passage.After, passage.File.FullPath)))
            {
                if (piece.Contains('\n') && !string.IsNullOrWhiteSpace(line.ToString()))
                {
                    break;
                }

                line.Append(piece);
            }

            places++;
            right += LaneTypist.IsUseful(line.ToString(), passage, at) ? 1 : 0;
        }

        return (double)right / places;
    }

    private static TimeSpan ProcessorTime(IEnumerable<Run> runs) =>
        runs.Aggregate(Environment.CpuUsage.TotalTime, static (total, run) => total + run.ProcessorTime);

    private async Task<Run> StartedAsync(Who who, int firstText, LaneRhythm rhythm, IReadOnlyList<LanePassage> passages, Improviser knowledge)
    {
        var ollama = new FakeServer(new() { FirstFrameMilliseconds = firstText, FrameMilliseconds = FrameMilliseconds }, TimeProvider.System, 0, knowledge);
        if (who.Source is null)
        {
            var client = new OllamaClient(ollama.Endpoint, TimeProvider.System);
            await client.LoadAsync(Model, ContextTokens, keepAlive: null, CancellationToken.None);
            return new(who, firstText, rhythm, ollama, null, new DebouncingAssistant(client, Model, ContextTokens, Debounce));
        }

        var editor = await EditorAsync(who.Source, ollama);
        await WarmAsync(editor, passages[0]);
        return new(who, firstText, rhythm, ollama, editor, new ServerAssistant(editor));
    }

    // By the list, of which the lane of Ollama is not asked: what a server compiles at its first requests is no part of this.
    private static async Task WarmAsync(LiveEditor editor, LanePassage passage)
    {
        const int Enough = 30;
        var uri = new Uri(passage.File.FullPath + ".warm").AbsoluteUri;
        editor.Tell("textDocument/didOpen", new()
        {
            ["textDocument"] = new JsonObject { ["uri"] = uri, ["languageId"] = passage.File.Language.Id, ["version"] = 1, ["text"] = passage.Before },
        });
        for (var index = 0; index < Enough; index++)
        {
            await editor.AskAsync("textDocument/completion", new()
            {
                ["textDocument"] = new JsonObject { ["uri"] = uri },
                ["position"] = new JsonObject { ["line"] = index, ["character"] = 0 },
            });
        }

        editor.Tell("textDocument/didClose", new() { ["textDocument"] = new JsonObject { ["uri"] = uri } });
    }

    private async Task<LiveEditor> EditorAsync(string source, FakeServer ollama)
    {
        var home = Directory.CreateDirectory(Path.Combine(work, Path.GetRandomFileName())).FullName;
        foreach (var file in Directory.EnumerateFiles(_store, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(home, "models", Path.GetRelativePath(_store, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var settings = new JsonObject
        {
            ["completion"] = new JsonObject { ["source"] = source },
            ["ollama"] = new JsonObject { ["enabled"] = source != "pattern", ["endpoint"] = ollama.Endpoint.AbsoluteUri, ["model"] = Model },
            ["memory"] = new JsonObject { ["context"] = ContextTokens },
            ["training"] = new JsonObject { ["auto"] = false },
        };
        var editor = await LiveEditor.StartAsync(server, home, corpus.TrainFolder, settings);
        if (source != "pattern")
        {
            // It would be loaded at the first request; loading is no part of this.
            await editor.AskAsync("workspace/executeCommand", new()
            {
                ["command"] = "llmAssist.models.load",
                ["arguments"] = new JsonArray(new JsonObject { ["id"] = $"ollama:{Model}" }),
            });
        }

        return editor;
    }

    // ---- Closing ----

    private async Task ClosingAsync(LanePassage passage)
    {
        const int SilenceMilliseconds = 60_000;
        const int SlowFrameMilliseconds = 60;
        const int FramesHeard = 3;
        var never = await ClosingAsync(passage, new() { FirstFrameMilliseconds = SilenceMilliseconds }, frames: 0);
        var slowly = await ClosingAsync(passage, new() { FrameMilliseconds = SlowFrameMilliseconds, Models = [new() { Reply = string.Join(" + ", Enumerable.Range(0, 500)) }] }, FramesHeard);
        Add("laneCloseSilent", new("Canceled to closed, nothing said yet", "De cancelada a cerrada, sin texto aún"), "ms", never, new(50),
            new("an editor cancels its request; until a stand-in for Ollama sees the connection closed", "un editor cancela su petición; hasta que un sustituto de Ollama ve cerrada la conexión"));
        Add("laneCloseStreaming", new("  between two pieces of text", "  entre dos trozos de texto"), "ms", slowly, new(50),
            new($"behind the third, {SlowFrameMilliseconds} ms a piece", $"tras el tercero, {SlowFrameMilliseconds} ms por trozo"));
    }

    private async Task<Sample> ClosingAsync(LanePassage passage, Scenario scenario, int frames)
    {
        await using var ollama = new FakeServer(scenario, TimeProvider.System);
        var editor = await EditorAsync("ollama", ollama);
        await using var assistant = new ServerAssistant(editor);
        var document = new LaneDocument(passage.Before + passage.After, passage.Before.Length);
        assistant.Open(passage, document);
        var times = new List<double>();
        for (var index = 0; index < Closings; index++)
        {
            var next = ollama.AskedAsync("/api/generate", ollama.Asked.Count(asked => asked.Path == "/api/generate") + 1);
            var answer = assistant.Ask(document, triggerKind: 1, out var id);
            var asked = await next;
            await asked.FramesAsync(frames);
            var canceledAt = TimeProvider.System.GetTimestamp();
            editor.Cancel(id);
            await asked.Ended;
            times.Add(TimeProvider.System.GetElapsedTime(canceledAt, asked.EndedAt!.Value).TotalMilliseconds);
            await answer;
        }

        return new(times);
    }

    // ---- Burst ----

    private async Task BurstAsync(LanePassage passage, Improviser knowledge)
    {
        await using var ollama = new FakeServer(new() { FirstFrameMilliseconds = FirstTexts[0], FrameMilliseconds = FrameMilliseconds }, TimeProvider.System, 0, knowledge);
        var editor = await EditorAsync("auto", ollama);
        await using var assistant = new ServerAssistant(editor);
        await WarmAsync(editor, passage);
        var document = new LaneDocument(passage.Before + passage.After, passage.Before.Length);
        assistant.Open(passage, document);
        var handled = new List<Sample>();
        var ids = new List<int>();
        for (var burst = -1; burst < Bursts; burst++)
        {
            var (at, now) = (0, document);
            var answers = new List<Task>();
            var probes = new List<Task<double>>();
            for (var index = 0; index < RequestsInBurst; index++)
            {
                var key = passage.KeyAt(at);
                var writtenAt = TimeProvider.System.GetTimestamp();
                assistant.Change(now, key);
                (at, now) = (at + key.Length, now.With(key));
                answers.Add(assistant.Ask(now, triggerKind: 2, out var id));
                ids.Add(id);
                probes.Add(ProbeAsync(writtenAt));
            }

            await Task.WhenAll(answers);
            var sample = new Sample(await Task.WhenAll(probes));
            if (0 <= burst)
            {
                // The first shows what the server compiles on its way.
                handled.Add(sample);
            }

            // All that was typed is taken back, so that the next burst types it again.
            editor.Tell("textDocument/didClose", new() { ["textDocument"] = new JsonObject { ["uri"] = new Uri(passage.File.FullPath).AbsoluteUri } });
            assistant.Open(passage, document);
        }

        Add("laneBurstAnswers", new("Answers to a request in a burst", "Respuestas a una petición en una ráfaga"), "", new([.. ids.Select(id => (double)editor.Answers[id])]), new(1),
            new($"{Bursts} times {RequestsInBurst} changes, each with a request behind it, written without waiting", $"{Bursts} veces {RequestsInBurst} cambios, cada uno con una petición detrás, escritos sin esperar"));
        Add("laneBurstGenerations", new("  generations at once", "  generaciones a la vez"), "", new([ollama.MostGenerationsAtOnce]), new(1),
            new($"the most that the stand-in saw; {ollama.Generations} in all", $"las más que vio el sustituto; {ollama.Generations} en total"));
        foreach (var percent in new[] { 50, 99, 100 })
        {
            Add($"laneBurstChangeP{percent}", percent == 100 ? new("  the longest", "  lo más largo") : new($"  change handled p{percent}", $"  cambio atendido p{percent}"), "ms",
                new([.. handled.Select(sample => sample.Percentile(percent))]), percent == 99 ? new(10) : null,
                percent == 50 ? new("until something behind it is answered by the loop", "hasta que el bucle responde a algo que va detrás") : default);
        }

        // A request that no server knows: the loop answers it itself, in its turn.
        async Task<double> ProbeAsync(long writtenAt)
        {
            await editor.AskAsync("llmAssist/probe", []);
            return TimeProvider.System.GetElapsedTime(writtenAt).TotalMilliseconds;
        }
    }

    private void Add(string key, Phrase what, string unit, Sample sample, Goal? goal, Phrase how) => _measures.Add(new(key, what, unit, sample, goal, new(how.English ?? "", how.Spanish ?? "")));

    /// <param name="Name">For the table.</param>
    /// <param name="Source">The server's <c>completion.source</c>; null for the client that is not ours.</param>
    private sealed record Who(Phrase Name, string? Source);

    // One typist, one assistant, one stand-in.
    private sealed class Run(Who who, int firstText, LaneRhythm rhythm, FakeServer ollama, LiveEditor? editor, ILaneAssistant assistant) : IAsyncDisposable
    {
        private LaneTally _tally = new();

        public TimeSpan ProcessorTime => editor?.ProcessorTime ?? TimeSpan.Zero;

        public async Task TypeAsync(IReadOnlyList<LanePassage> passages) => _tally = await new LaneTypist(assistant, rhythm).TypeAsync(passages);

        public IReadOnlyList<Phrase> Row()
        {
            var generations = ollama.Asked.Where(asked => asked.IsGeneration).ToList();
            var accepted = _tally.Accepted.Values.Sum();
            var asks = who != PatternsAlone;
            return
            [
                Phrase.Same(!asks ? "" : firstText < 1000 ? $"{firstText} ms" : $"{firstText / 1000} s"),
                Phrase.Same($"{rhythm.Key.TotalMilliseconds:F0} ms"),
                Phrase.Same(rhythm.Pause == TimeSpan.Zero ? "–" : $"{rhythm.Pause.TotalMilliseconds:F0} ms"),
                who.Name,
                Phrase.Same($"{_tally.UsefulShare:P0}"),
                Phrase.Same($"{(double)_tally.Useful.GetValueOrDefault("ollama") / _tally.Keys:P0}"),
                Phrase.Same($"{_tally.WrongShare:P0}"),
                Phrase.Same(_tally.UntilUseful.Count == 0 ? "–" : $"{Sample.Text(new Sample(_tally.UntilUseful).Median)} ms"),
                Phrase.Same($"{_tally.Saved:P0}"),
                Phrase.Same(asks ? $"{generations.Count}" : ""),
                Phrase.Same(asks ? $"{generations.Count(asked => asked.Frames == 0)}" : ""),
                Phrase.Same($"{accepted}"),
                Phrase.Same(!asks ? "" : accepted == 0 ? "–" : Sample.Text((double)generations.Count / accepted)),
                Phrase.Same(asks ? $"{ollama.MostGenerationsAtOnce}" : ""),
            ];
        }

        public async ValueTask DisposeAsync()
        {
            await assistant.DisposeAsync();
            await ollama.DisposeAsync();
        }
    }
}
