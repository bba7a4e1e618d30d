// 'memory': the memory of the machine, how much of it models take, and what has happened. Reads only; nothing is evicted here.
using System.CommandLine;
using System.Globalization;
using System.Text;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Server.Cli;

/// <summary>Shows memory.</summary>
internal static class MemoryVerb
{
    private const double Day = 24;
    private const int EventsWatched = 5;

    private static readonly TimeSpan LeastDrawn = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);

    /// <summary>The verb with its arguments.</summary>
    public static Command Command(VerbContext context)
    {
        var watch = new Option<bool>("--watch") { Description = context.Text(new("Show it again every 2 seconds until Ctrl+C", "Mostrarlo de nuevo cada 2 segundos hasta Ctrl+C")) };
        var history = new Option<bool>("--history")
        {
            Description = context.Text(new("List what has happened to models: loads, evictions, refusals", "Listar lo que ha ocurrido con los modelos: cargas, desalojos, rechazos")),
        };
        var plot = new Option<string?>("--plot")
        {
            HelpName = "FILE",
            Description = context.Text(new("Draw what models took as a picture in FILE, which ends in .svg", "Dibujar lo que ocuparon los modelos como imagen en FILE, que termina en .svg")),
        };
        var hours = HoursOption(context);
        var command = new Command("memory", context.Text(new("Show the memory of the machine and of the models", "Mostrar la memoria del equipo y de los modelos"))) { watch, history, plot, hours };
        command.Validators.Add(result =>
        {
            string[] given = [.. new Option[] { watch, history, plot }.Where(option => result.GetResult(option) is { Implicit: false }).Select(option => option.Name)];
            if (2 <= given.Length)
            {
                result.AddError(context.Text(new(
                    $"{given[0]} and {given[1]} were both given; expected one of them.",
                    $"Se indicaron {given[0]} y {given[1]} a la vez; se esperaba solo una.")));
            }
            else if (result.GetValue(watch) && result.GetValue<bool>("--json"))
            {
                result.AddError(context.Text(new(
                    "--watch and --json were both given; a JSON document has an end. Leave one of them out.",
                    "Se indicaron --watch y --json a la vez; un documento JSON tiene final. Omita uno de los dos.")));
            }
            else if (result.GetResult(hours) is { Implicit: false } && !given.Contains("--history") && !given.Contains("--plot"))
            {
                result.AddError(context.Text(new(
                    "--hours says how far back to look; add --history or --plot FILE.",
                    "--hours indica hasta dónde mirar atrás; añada --history o --plot ARCHIVO.")));
            }

            if (result.GetResult(plot) is { Implicit: false, Tokens: [{ Value: var file }] } && !file.EndsWith(".svg", StringComparison.OrdinalIgnoreCase))
            {
                result.AddError(context.Text(NoPicture(file)));
            }
        });
        var ollama = new OllamaFlags(context).AddAddressTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var visit = ollama.Prepare(parsed, patterns: null);
            var span = TimeSpan.FromHours(parsed.GetValue(hours) ?? Day);
            return parsed.GetValue(plot) is { } file ? Plot(context, visit, file, span)
                : parsed.GetValue(history) ? History(context, visit, span)
                : await RunAsync(context, visit, parsed.GetValue(watch), cancellation);
        });
        return command;
    }

    /// <summary>The tables, for people.</summary>
    /// <param name="visit">Where Ollama is asked what it has in memory; null for nowhere.</param>
    public static async Task ShowAsync(VerbContext context, OllamaVisit? visit, CancellationToken cancellation)
    {
        using var own = visit is null ? OllamaVisit.WithoutOllama(context, context.Terminal.Remark) : null;
        var report = await MemoryReport.ReadAsync(context, visit ?? own!, cancellation);
        var terminal = context.Terminal;
        terminal.Facts(
        [
            (new("machine", "equipo"), report.Reading.System is { } system
                ? context.Text(new(
                    $"{system.Total}, {system.Available} available, {Figures.Number(system.UsedPercent, 0)} % used",
                    $"{system.Total}, {system.Available} disponibles, {Figures.Number(system.UsedPercent, 0)} % en uso"))
                : "?"),
            (new("this process", "este proceso"), report.Reading.Process?.Resident.ToString() ?? "?"),
            (new("models in RAM", "modelos en RAM"), context.Text(new($"{Size(report.InMemory)}, limit {report.Limit}", $"{Size(report.InMemory)}, límite {report.Limit}"))),
        ]);
        if (report.Models.Count != 0)
        {
            terminal.Table(
                [
                    new(new("model", "modelo")),
                    Column.Number(new("mapped file", "archivo mapeado")),
                    Column.Number(new("in RAM", "en RAM")),
                    Column.Number(Phrase.Same("VRAM")),
                    Column.Number(new("context", "contexto")),
                    new(new("last used", "último uso")),
                    new(new("", "")),
                ],
                report.Models.Select(model => (string[])
                [
                    model.Id,
                    model.MappedBytes == 0 ? "–" : Size(new(model.MappedBytes)),
                    Size(model.Bytes is { } bytes ? new(bytes) : null),
                    model.VramBytes == 0 ? "–" : Size(new(model.VramBytes)),
                    .. UseOf(context, model),
                ]));
        }

        foreach (var advice in report.Advice)
        {
            terminal.Say(advice);
        }
    }

    /// <summary>What happened, as rows: when, what, to which model, how much, why.</summary>
    public static IReadOnlyList<string> RowOf(VerbContext context, MemoryEvent happened)
    {
        var (at, now) = (Local(context, happened.At), Local(context, context.Time.GetUtcNow()));
        return
        [
            at.ToString(at.Date == now.Date ? "HH:mm:ss" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            context.Text(MemoryAdvice.NameOf(happened.Kind)),
            happened.Id.Name,
            happened.Bytes == ByteSize.Zero ? "–" : happened.Bytes.ToString(),
            context.Text(happened.Reason),
        ];
    }

    private static Option<double?> HoursOption(VerbContext context) => new("--hours")
    {
        HelpName = "N",
        Description = context.Text(new("How far back --history and --plot look; if not given: 24, which is all there is", "Hasta dónde miran atrás --history y --plot; si no se indica: 24, que es todo lo que hay")),
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (double.TryParse(given, CultureInfo.InvariantCulture, out var number) && 0 < number && number <= Day)
            {
                return number;
            }

            result.AddError(context.Text(new(
                $"--hours was given '{given}'; expected a number above 0, at most {Day}.",
                $"--hours recibió «{given}»; se esperaba un número mayor que 0 y como mucho {Day}.")));
            return null;
        },
    };

    private static async Task<int> RunAsync(VerbContext context, OllamaVisit visit, bool watch, CancellationToken cancellation)
    {
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json((await MemoryReport.ReadAsync(context, visit, cancellation)).Answer(context), CliJson.Default.MemoryAnswer);
            return ExitCode.Success;
        }

        if (!watch)
        {
            await ShowAsync(context, visit, cancellation);
            return ExitCode.Success;
        }

        try
        {
            if (context.Terminal.IsScreen)
            {
                await context.Terminal.LiveAsync(() => PictureAsync(context, visit, cancellation), () => Task.Delay(WatchInterval, context.Time, cancellation));
            }

            while (true)
            {
                await ShowAsync(context, visit, cancellation);
                context.Terminal.Aside(new("Ctrl+C ends this.", "Ctrl+C para terminar."));
                await Task.Delay(WatchInterval, context.Time, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // How it is meant to end.
            return ExitCode.Interrupted;
        }
    }

    // ---- The screen ----

    private static async Task<Picture> PictureAsync(VerbContext context, OllamaVisit visit, CancellationToken cancellation)
    {
        var report = await MemoryReport.ReadAsync(context, visit, cancellation);

        // By name: what moves must not change its color or its place.
        var models = report.Models.Where(static model => model.Bytes is not 0).OrderBy(static model => model.Id, StringComparer.Ordinal).ToList();
        IReadOnlyList<BarPart> parts = [.. models.Select(static (model, index) => new BarPart(model.Bytes ?? 0, index))];
        var taken = models.Sum(static model => model.Bytes ?? 0);
        List<Bar> bars = [];
        if (report.Reading.System is { } system)
        {
            bars.Add(new(
                new("machine", "equipo"),
                [.. parts, new(Math.Max(0, system.Used.Bytes - taken), -1)],
                system.Total.Bytes,
                context.Text(new($"{system.Available} of {system.Total} left", $"quedan {system.Available} de {system.Total}"))));
        }

        bars.Add(new(
            new("limit", "límite"),
            parts,
            Math.Max(1, report.Limit.Bytes),
            context.Text(new($"{new ByteSize(taken)} of {report.Limit}", $"{new ByteSize(taken)} de {report.Limit}"))));
        var events = visit.Keeper.History.Read(TimeSpan.FromHours(Day)).Events;
        var now = Local(context, context.Time.GetUtcNow()).ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        return new(
            new("Memory of models", "Memoria de los modelos"),
            bars,
            [
                new(
                    [
                        new(new("model", "modelo")),
                        Column.Number(new("in RAM", "en RAM")),
                        Column.Number(Phrase.Same("VRAM")),
                        Column.Number(new("context", "contexto")),
                        new(new("last used", "último uso")),
                        new(new("", "")),
                    ],
                    [
                        .. models.Select((model, index) => ((int?)index, (IReadOnlyList<string>)
                        [
                            model.Id,
                            Size(model.Bytes is { } bytes ? new(bytes) : null),
                            model.VramBytes == 0 ? "–" : Size(new(model.VramBytes)),
                            .. UseOf(context, model),
                        ])),
                    ]),
                new(
                    [new(new("when", "cuándo")), new(new("what", "qué")), new(new("model", "modelo")), Column.Number(new("size", "tamaño")), new(new("why", "por qué"))],
                    [.. events.TakeLast(EventsWatched).Reverse().Select(happened => ((int?)null, RowOf(context, happened)))]),
            ],
            report.Advice,
            new($"{now}. Ctrl+C ends this.", $"{now}. Ctrl+C para terminar."));
    }

    // ---- The history ----

    private static int History(VerbContext context, OllamaVisit visit, TimeSpan span)
    {
        var (samples, events) = visit.Keeper.History.Read(span);
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(
                new HistoryAnswer(
                    [
                        .. samples.Select(static sample => new HistorySample(
                            sample.At,
                            sample.Total?.Bytes,
                            sample.Available?.Bytes,
                            sample.Limit.Bytes,
                            [.. sample.Models.Select(static share => new HistoryShare(share.Id.ToString(), share.Bytes.Bytes))])),
                    ],
                    [.. events.Select(happened => new HistoryEvent(happened.At, happened.Kind.ToString().ToLowerInvariant(), happened.Id.ToString(), happened.Bytes.Bytes, context.Text(happened.Reason)))]),
                CliJson.Default.HistoryAnswer);
            return ExitCode.Success;
        }

        var hours = Figures.Number(span.TotalHours, span.TotalHours % 1 == 0 ? 0 : 1);
        if (samples.Count != 0)
        {
            var most = samples.MaxBy(static sample => sample.Models.Sum(static share => (double)share.Bytes.Bytes))!;
            var least = samples.Where(static sample => sample.Available is not null).MinBy(static sample => sample.Available!.Value.Bytes);
            context.Terminal.Facts(
            [
                (new("samples", "muestras"), Figures.Count(samples.Count)),
                (new("models at most", "modelos, máximo"), $"{new ByteSize(most.Models.Sum(static share => share.Bytes.Bytes))} ({Clock(context, most.At)})"),
                (new("machine at least", "equipo, mínimo"), least is null ? "?" : context.Text(new(
                    $"{least.Available} available ({Clock(context, least.At)})",
                    $"{least.Available} disponibles ({Clock(context, least.At)})"))),
            ]);
        }

        if (events.Count == 0)
        {
            context.Terminal.Say(new(
                $"Nothing has happened to models in the last {hours} h, as far as windows were open to see it.",
                $"En las últimas {hours} h no ha ocurrido nada con los modelos, hasta donde alguna ventana abierta pudo verlo."));
            return ExitCode.Success;
        }

        context.Terminal.Table(
            [new(new("when", "cuándo")), new(new("what", "qué")), new(new("model", "modelo")), Column.Number(new("size", "tamaño")), new(new("why", "por qué"))],
            events.Select(happened => RowOf(context, happened)));
        return ExitCode.Success;
    }

    /// <summary>Why a file that was named for a picture is none.</summary>
    public static Phrase NoPicture(string file) => new(
        $"--plot was given '{file}'; expected a file that ends in .svg, which is the only kind of picture that it draws.",
        $"--plot recibió «{file}»; se esperaba un archivo que termine en .svg, la única clase de imagen que dibuja.");

    private static int Plot(VerbContext context, OllamaVisit visit, string file, TimeSpan span)
    {
        var path = Path.GetFullPath(file);
        var now = context.Time.GetUtcNow();
        span = span < LeastDrawn ? LeastDrawn : span;
        var (samples, events) = visit.Keeper.History.Read(span);
        File.WriteAllText(path, HistoryPlot.Svg(samples, events, now - span, now, context.Time.LocalTimeZone, context.Terminal.Speech), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(new PlotAnswer(path, samples.Count, events.Count), CliJson.Default.PlotAnswer);
            return ExitCode.Success;
        }

        context.Terminal.Say(samples.Count == 0
            ? new(
                $"{path} is drawn, but there is nothing in it yet: an editor window records every 30 s while it is open.",
                $"{path} está dibujado, pero todavía no contiene nada: una ventana del editor registra cada 30 s mientras está abierta.")
            : new(
                $"{path} is drawn; samples: {Figures.Count(samples.Count)}, events: {Figures.Count(events.Count)}. Any browser shows it.",
                $"{path} está dibujado; muestras: {Figures.Count(samples.Count)}, sucesos: {Figures.Count(events.Count)}. Cualquier navegador lo muestra."));
        return ExitCode.Success;
    }

    // ---- Cells ----

    private static string[] UseOf(VerbContext context, MemoryModel model) =>
    [
        model.ContextTokens is { } tokens ? Figures.Count(tokens) : "–",
        model.LastUsed is { } used ? context.Text(MemoryAdvice.Ago(context.Time.GetUtcNow() - used)) : "–",
        string.Join(", ", new[] { (model.Pinned, new Phrase("pinned", "fijado")), (model.Busy, new Phrase("in use", "en uso")) }.Where(static mark => mark.Item1).Select(mark => context.Text(mark.Item2))),
    ];

    private static string Size(ByteSize? size) => size?.ToString() ?? "?";

    private static DateTimeOffset Local(VerbContext context, DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, context.Time.LocalTimeZone);

    private static string Clock(VerbContext context, DateTimeOffset at) => Local(context, at).ToString("HH:mm", CultureInfo.InvariantCulture);
}
