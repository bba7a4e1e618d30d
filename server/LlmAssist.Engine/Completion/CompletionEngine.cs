// The face of completion: one query in, suggestions and a report out. Gates, cache, sources, filters, in this order.
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>Answers completion queries. Never fails: what cannot be answered is answered with nothing and a reason.</summary>
/// <remarks>Safe on any thread; requests are answered one after the other.</remarks>
public sealed class CompletionEngine
{
    private const int MaximumAutomaticSuffix = 8; // more than this right of the cursor, and the line is being edited, not written
    private const int LinesCompared = 3;

    private readonly PatternSource _pattern;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly CompletionCache _cache = new(); // guarded by _gate
    private (int Suggestions, long Characters) _accepted; // guarded by _gate
    private CompletionReport? _lastReport;

    /// <summary>An engine over the models in <paramref name="host"/>.</summary>
    public CompletionEngine(ModelHost host, TimeProvider time)
    {
        _pattern = new(host);
        _time = time;
    }

    /// <summary>Raised, on any thread, when a query was answered or a document was read.</summary>
    public event Action? Worked;

    /// <summary>What happened at the last query; null before the first.</summary>
    public CompletionReport? LastReport => Volatile.Read(ref _lastReport);

    /// <summary>Bytes of memory that the open documents take; an estimate.</summary>
    public long CommittedBytes => _pattern.CommittedBytes;

    /// <summary>Learns from a document that was opened, in the background of nobody: call it where time is cheap.</summary>
    public void Observe(string uri, SourceText text, Language language)
    {
        _pattern.Observe(uri, text, language);
        Worked?.Invoke();
    }

    /// <summary>Frees what is known of a document that was closed.</summary>
    public void Forget(string uri)
    {
        _pattern.Forget(uri);
        lock (_gate)
        {
            _cache.Forget(uri);
        }
    }

    /// <summary>How many suggestions the user has taken since the engine was made, and how many characters they had.</summary>
    public (int Suggestions, long Characters) Accepted
    {
        get
        {
            lock (_gate)
            {
                return _accepted;
            }
        }
    }

    /// <summary>The user has taken a suggestion.</summary>
    /// <param name="characters">UTF-16 code units that it had.</param>
    public void Accept(int characters)
    {
        lock (_gate)
        {
            _accepted = (_accepted.Suggestions + 1, _accepted.Characters + Math.Max(0, characters));
        }
    }

    /// <summary>Notes for the report that a query was not even asked.</summary>
    public void Decline(string uri, CompletionSurface surface, Phrase why) =>
        Volatile.Write(ref _lastReport, new() { Uri = uri, Surface = surface, Lane = CompletionLane.None, Why = why });

    /// <summary>Answers a query.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits for the answer any more.</exception>
    public CompletionReport Complete(CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        CompletionReport report;
        lock (_gate)
        {
            cancellation.ThrowIfCancellationRequested();
            report = new Answering(this, query, settings, cancellation).Run();
            Volatile.Write(ref _lastReport, report);
        }

        Worked?.Invoke();
        return report;
    }

    // One query on its way through the engine.
    private sealed class Answering(CompletionEngine engine, CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        private readonly long _started = engine._time.GetTimestamp();
        private readonly List<StageTime> _stages = [];
        private readonly List<FilteredCandidate> _filtered = [];
        private long _stageStarted = engine._time.GetTimestamp();

        public CompletionReport Run()
        {
            if (query.Surface == CompletionSurface.Inline && engine._cache.TryGet(query) is { } cached)
            {
                Stage("cache");
                return Report(CompletionLane.Cache, [cached]);
            }

            var context = CompletionContext.At(query);
            Stage("context");
            cancellation.ThrowIfCancellationRequested();
            if (Gate(context) is { } closed)
            {
                return Report(CompletionLane.None, [], closed);
            }

            return query.Surface == CompletionSurface.Inline ? Inline(context) : List(context);
        }

        private CompletionReport Inline(CompletionContext context)
        {
            var (typed, typedStart) = query.Selected is var (start, selected) ? (selected, start) : (context.Typed, context.TypedStart);
            var line = Line(context, typed, typedStart, settings.MinConfidence);
            if (line is null)
            {
                engine._cache.Forget(query.Uri);
                return Report(CompletionLane.None, [], _filtered.Count == 0 ? Unsure() : Filtered());
            }

            engine._cache.Remember(query, line);
            return Report(CompletionLane.Pattern, [line]);
        }

        private CompletionReport List(CompletionContext context)
        {
            var items = new List<Candidate>(engine._pattern.Words(context, settings.ListLength, settings.MinConfidence));
            Stage("words");
            if (query.WithLine && Line(context, context.Typed, context.TypedStart, settings.MinConfidence) is { } line && items.TrueForAll(item => item.Text != line.Text))
            {
                items.Insert(0, line);
            }

            return items.Count == 0 ? Report(CompletionLane.None, [], Unsure()) : Report(CompletionLane.Pattern, items);
        }

        private Candidate? Line(CompletionContext context, string typed, int typedStart, double leastConfidence)
        {
            var line = engine._pattern.Line(context, typed, typedStart, leastConfidence);
            Stage("predict");
            if (line is null)
            {
                return null;
            }

            var shown = line.Text[typed.Length..];
            var input = new FilterInput(shown, context.LinePrefix, context.LineSuffix, LineAbove(context), LinesBelow(context), query.IsExplicit);
            var left = PostFilters.Run(input, (filter, before) => _filtered.Add(new(filter, before)));
            Stage("filter");
            return left.Length == 0 ? null : line with { Text = typed + left };
        }

        private Phrase? Gate(CompletionContext context)
        {
            if (context.InComment)
            {
                return new("The cursor is in a comment; pattern models know code only.", "El cursor está en un comentario; los modelos de patrones solo conocen código.");
            }

            if (query.Surface == CompletionSurface.Inline && context.InsideWord)
            {
                return new("The cursor is inside a word.", "El cursor está dentro de una palabra.");
            }

            if (query.Selected is var (start, selected)
                && (start < context.LineStart || query.Offset < start || !selected.StartsWith(query.Text.Content[start..query.Offset], StringComparison.Ordinal)))
            {
                return new(
                    "The selected entry of the list does not go on from what is typed.",
                    "La entrada seleccionada de la lista no continúa lo que se ha escrito.");
            }

            var suffix = context.LineSuffix.AsSpan().Trim();
            var onlyCloses = !suffix.ContainsAnyExcept(")]}>\"'`;,: ");
            if (query.Surface == CompletionSurface.Inline && !query.IsExplicit && !onlyCloses && MaximumAutomaticSuffix < suffix.Length)
            {
                return new(
                    "There is text right of the cursor; ask explicitly to complete here.",
                    "Hay texto a la derecha del cursor; pida la sugerencia explícitamente para completar aquí.");
            }

            return null;
        }

        private Phrase Unsure() => engine._pattern.HasModels
            ? new(
                $"Nothing is at least {100 * settings.MinConfidence:F0}% sure here (llmAssist.completion.minConfidence).",
                $"Nada alcanza aquí una seguridad del {100 * settings.MinConfidence:F0} % (llmAssist.completion.minConfidence).")
            : new(
                "No model is loaded; only the open files are known. Train one on this workspace.",
                "No hay ningún modelo cargado; solo se conocen los archivos abiertos. Entrene uno con este espacio de trabajo.");

        private Phrase Filtered() => new(
            $"What was found was filtered out: {string.Join(", ", _filtered.Select(filtered => filtered.Filter))}.",
            $"Lo que se encontró se descartó: {string.Join(", ", _filtered.Select(filtered => filtered.Filter))}.");

        private CompletionReport Report(CompletionLane lane, IReadOnlyList<Candidate> items, Phrase? why = null) => new()
        {
            Uri = query.Uri,
            Surface = query.Surface,
            Lane = lane,
            Why = why,
            Items = items,
            Filtered = _filtered,
            Stages = _stages,
            Elapsed = engine._time.GetElapsedTime(_started),
        };

        private void Stage(string name)
        {
            var now = engine._time.GetTimestamp();
            _stages.Add(new(name, engine._time.GetElapsedTime(_stageStarted, now)));
            _stageStarted = now;
        }

        private static string LineAbove(CompletionContext context)
        {
            for (var line = context.Line - 1; 0 <= line && context.Line - LinesCompared <= line; line--)
            {
                if (!context.Query.Text.Line(line).IsWhiteSpace())
                {
                    return context.Query.Text.Line(line).ToString();
                }
            }

            return "";
        }

        private static List<string> LinesBelow(CompletionContext context)
        {
            var text = context.Query.Text;
            var lines = new List<string>();
            for (var line = context.Line + 1; line < text.LineCount && line <= context.Line + (2 * LinesCompared) && lines.Count < LinesCompared; line++)
            {
                if (!text.Line(line).IsWhiteSpace())
                {
                    lines.Add(text.Line(line).ToString());
                }
            }

            return lines;
        }
    }
}
