// The face of completion: one query in, suggestions and a report out. Cache, gates, the two lanes, filters, rank, in this order.
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>Answers completion queries. Never fails: what cannot be answered is answered with nothing and a reason.</summary>
/// <remarks>
/// Safe on any thread. What pattern models say is worked out for one query after the other; while a query waits for a model of Ollama,
/// others are answered.
/// </remarks>
public sealed class CompletionEngine : IDisposable
{
    private const int MaximumAutomaticSuffix = 8; // more than this right of the cursor, and the line is being edited, not written
    private const int LinesCompared = 3;
    private const int LinesOfBlock = 8;
    private const int LinesWhenAsked = 16;

    private readonly PatternSource _pattern;
    private readonly OllamaLane? _lane;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly CompletionCache _cache = new(); // guarded by _gate
    private (int Suggestions, long Characters) _accepted; // guarded by _gate
    private CompletionReport? _lastInline;
    private CompletionReport? _lastList;

    /// <summary>An engine over the models in <paramref name="host"/>, and over the one that is in use of <paramref name="ollama"/>.</summary>
    public CompletionEngine(ModelHost host, TimeProvider time, OllamaHost? ollama = null)
    {
        _pattern = new(host);
        _lane = ollama is null ? null : new(ollama, time);
        _time = time;
    }

    /// <summary>Raised, on any thread, when a query was answered or a document was read.</summary>
    public event Action? Worked;

    /// <summary>The names of the prompt layouts that a user can set for models of Ollama.</summary>
    public static IReadOnlyList<string> Layouts { get; } = [.. FimTemplate.All.Select(template => template.Name).Order(StringComparer.Ordinal), FimTemplate.NoLayout];

    /// <summary>
    /// What happened at the last query; null before the first. Of ghost text if there was any query for it: editors ask for their list right
    /// after it, at every key.
    /// </summary>
    public CompletionReport? LastReport => Volatile.Read(ref _lastInline) ?? Volatile.Read(ref _lastList);

    /// <summary>Bytes of memory that the open documents take; an estimate.</summary>
    public long CommittedBytes => _pattern.CommittedBytes;

    /// <summary>Whether we know how to ask a model of Ollama for what stands between two texts.</summary>
    public static bool FillsMiddle(string name, ModelFacts facts) => LayoutFinding.Of(name, facts).Layout is not null;

    /// <summary>Learns from a document that was opened, in the background of nobody: call it where time is cheap.</summary>
    /// <param name="path">See <see cref="CompletionQuery.Path"/>.</param>
    public void Observe(string uri, SourceText text, Language language, string path = "")
    {
        _pattern.Observe(uri, text, language);
        if (path.Length != 0)
        {
            _lane?.Opened(path, text);
        }

        Worked?.Invoke();
    }

    /// <summary>A document has changed. Never waits.</summary>
    public void Edited(string uri, SourceText text) => _lane?.Edited(uri, text);

    /// <summary>Frees what is known of a document that was closed.</summary>
    public void Forget(string uri)
    {
        _lane?.Forget(uri);
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
        _lane?.Accept();
        lock (_gate)
        {
            _accepted = (_accepted.Suggestions + 1, _accepted.Characters + Math.Max(0, characters));
        }
    }

    /// <summary>Notes for the report that a query was not even asked.</summary>
    public void Decline(string uri, CompletionSurface surface, Phrase why) =>
        Note(new() { Uri = uri, Surface = surface, Lane = CompletionLane.None, Why = why });

    /// <summary>Answers a query. Waits for nobody but the model of Ollama, and for that only as long as the settings' patience.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits for the answer any more.</exception>
    public async ValueTask<CompletionReport> CompleteAsync(CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        var answering = new Answering(this, query, settings, cancellation);
        CompletionReport? report;
        lock (_gate)
        {
            cancellation.ThrowIfCancellationRequested();
            report = answering.Begin();
        }

        report ??= await answering.FinishAsync();
        Note(report);
        Worked?.Invoke();
        return report;
    }

    /// <summary>Ends what a model of Ollama is asked for.</summary>
    public void Dispose() => _lane?.Dispose();

    private void Note(CompletionReport report) => Volatile.Write(ref report.Surface == CompletionSurface.Inline ? ref _lastInline : ref _lastList, report);

    // One query on its way through the engine.
    private sealed class Answering(CompletionEngine engine, CompletionQuery query, CompletionSettings settings, CancellationToken cancellation)
    {
        private readonly long _started = engine._time.GetTimestamp();
        private readonly List<StageTime> _stages = [];
        private readonly List<FilteredCandidate> _filtered = [];
        private readonly OllamaLane? _lane = settings.AsksOllama ? engine._lane : null;
        private long _stageStarted = engine._time.GetTimestamp();
        private CompletionContext? _context;
        private LaneQuestion? _question;
        private LaneTicket? _ticket;
        private LaneReport? _laneReport;
        private Candidate? _patternLine;
        private Candidate? _unsure; // what would have been it, were it surer

        private bool IsInline => query.Surface == CompletionSurface.Inline;

        private CompletionContext Context => _context ??= CompletionContext.At(query);

        /// <summary>Answers, unless the model of Ollama has to be waited for: then null, and <see cref="FinishAsync"/> answers.</summary>
        public CompletionReport? Begin()
        {
            // Who asks explicitly wants to hear what the model of Ollama says too.
            if (IsInline && (_lane is null || !query.IsExplicit) && engine._cache.TryGet(query) is { } cached)
            {
                Stage("cache");
                return Upgraded(cached) ?? Report(CompletionLane.Cache, [cached]);
            }

            var context = Context;
            Stage("context");
            cancellation.ThrowIfCancellationRequested();
            if (Gate(context) is { } closed)
            {
                return Report(CompletionLane.None, [], closed);
            }

            if (IsInline || query.WithLine)
            {
                _question = Question(context);
                _ticket = _lane?.Ask(_question, mayBegin: true, out _laneReport);
                _patternLine = settings.AsksPatterns && !context.InComment ? PatternLine(context) : null;
            }

            if (_ticket is null)
            {
                return Conclude("");
            }

            if (_lane!.Ready(_ticket) is not { } ready)
            {
                return null;
            }

            Join(ready);
            return Conclude(ready);
        }

        /// <summary>Waits for the model of Ollama, and answers. To be called outside of the engine's lock.</summary>
        public async Task<CompletionReport> FinishAsync()
        {
            var text = "";
            do
            {
                var isCanceled = true;
                try
                {
                    (text, _laneReport) = await _lane!.WaitAsync(_ticket!, PatienceNow(), settings.Patience.Linger, cancellation);
                    isCanceled = false;
                }
                finally
                {
                    _lane!.Leave(_ticket!, isCanceled);
                }
            }
            while (text.Length == 0 && AsksAgain());

            Stage("ollama");
            lock (engine._gate)
            {
                return Conclude(text);
            }
        }

        // What is held back for a model that has no say in time is shown to nobody who types fast.
        private TimeSpan PatienceNow() =>
            IsInline && query.IsExplicit ? settings.Patience.Asked
            : IsInline && _patternLine is null ? settings.Patience.Alone
            : _lane!.MaySpeakWithin(_ticket!, settings.Patience.Beside) ? settings.Patience.Beside
            : TimeSpan.Zero;

        private bool AsksAgain()
        {
            if (_lane!.AskAgain(_ticket!) is not { } again)
            {
                return false;
            }

            _ticket = again;
            return true;
        }

        // What the user types into is taken over by the model's text if that came late and is better.
        private CompletionReport? Upgraded(Candidate cached)
        {
            if (_lane?.Ask(_question = Question(context: null), mayBegin: false, out _) is not { } ticket)
            {
                return null;
            }

            _ticket = ticket;
            var ready = _lane.Ready(ticket);
            if (ready is null)
            {
                _lane.Leave(ticket, isCanceled: false);
                return null;
            }

            Join(ready);
            if (OllamaLine(ready) is not { } line || (cached.Lane == CompletionLane.Ollama && line.Text.Length <= cached.Text.Length))
            {
                return null;
            }

            // What the user is typing into does not vanish, whatever is thought of its source by now.
            var lines = Ranker.Rank(cached.Lane == CompletionLane.Ollama ? null : cached, line, settings.MinConfidence);
            return lines.Count == 0 ? null : Shown(lines);
        }

        // The model had said something that fits before it was asked: nothing is waited for.
        private void Join(string ready)
        {
            _laneReport = new()
            {
                Model = _ticket!.Generation.ModelName,
                Outcome = LaneOutcome.Joined,
                FirstText = _ticket.Generation.FirstText,
                Delay = _ticket.Generation.Delay,
                Text = ready,
            };
            _lane!.Leave(_ticket!, isCanceled: false);
            Stage("ollama");
        }

        // The answer, with what the model of Ollama has said; empty for nothing.
        private CompletionReport Conclude(string said)
        {
            var context = Context;
            var line = said.Length == 0 ? null : OllamaLine(said);
            var lines = Ranker.Rank(_patternLine, line, settings.MinConfidence);
            if (IsInline)
            {
                return Shown(lines);
            }

            var items = new List<Candidate>();
            if (settings.AsksPatterns && !context.InComment)
            {
                items.AddRange(engine._pattern.Words(context, settings.ListLength, settings.MinConfidence));
                Stage("words");
            }

            if (0 < lines.Count && items.TrueForAll(item => item.Text != lines[0].Text))
            {
                items.Insert(0, lines[0]);
            }

            return items.Count == 0 ? Report(CompletionLane.None, [], Silent(context)) : Report(items[0].Lane, items);
        }

        private CompletionReport Shown(IReadOnlyList<Candidate> lines)
        {
            if (lines.Count == 0)
            {
                engine._cache.Forget(query.Uri);
                return Report(CompletionLane.None, [], Silent(Context));
            }

            engine._cache.Remember(query, lines[0]);
            if (lines[0].Lane == CompletionLane.Ollama && _question is not null)
            {
                _lane?.Show(_question, lines[0].Text[(query.Offset - lines[0].ReplaceStart)..]);
            }

            return Report(lines[0].Lane, lines);
        }

        private Candidate? PatternLine(CompletionContext context)
        {
            var (typed, typedStart) = Typed(context);
            var line = engine._pattern.Line(context, typed, typedStart, settings.MinConfidence);
            Stage("predict");
            if (line is not null && line.Confidence < settings.MinConfidence)
            {
                _unsure = line;
                return null;
            }

            return line is null ? null : Filtered(typed.Length != 0 ? line : Indented(line), typed.Length);
        }

        private Candidate Indented(Candidate line) =>
            line with { Text = LineIndentation.Missing(query.Text, Context.Line, Context.LinePrefix, line.Text, query.Language) + line.Text };

        private Candidate? OllamaLine(string said)
        {
            var (typed, typedStart) = Typed(Context);
            var text = typed + WithLineEnds(said);
            var line = Filtered(new(text, typedStart, 0, CompletionLane.Ollama, TokenKind.Other, IsLine: true), typed.Length);
            if (line is null)
            {
                return null;
            }

            var bits = engine._pattern.BitsPerSymbol(Context, line.Text, typedStart);
            Stage("judge");
            _laneReport = _laneReport is null ? null : _laneReport with { BitsPerSymbol = bits };
            line = line with { Confidence = Ranker.Confidence(bits, _lane!.RecordOf(_ticket!.Generation.Model)) };
            if (line.Confidence < settings.MinConfidence)
            {
                _filtered.Add(new("confidence", line.Text[typed.Length..]));
            }

            return line;
        }

        // The suggestion as the filters leave it; null if nothing is left.
        private Candidate? Filtered(Candidate line, int typedLength)
        {
            var context = Context;
            var input = new FilterInput(line.Text[typedLength..], context.LinePrefix, context.LineSuffix, LineAbove(context), LinesBelow(context), query.IsExplicit);
            var left = PostFilters.Run(input, (filter, before) => _filtered.Add(new(filter, before)));
            Stage("filter");
            return left.Length == 0 ? null : line with { Text = line.Text[..typedLength] + left };
        }

        // What is typed of the word at the cursor, or would be with the selected entry of the list, and where it begins.
        private (string Typed, int Start) Typed(CompletionContext context) =>
            query.Selected is var (start, selected) ? (selected, start) : (context.Typed, context.TypedStart);

        private LaneQuestion Question(CompletionContext? context)
        {
            var (text, offset) = query.Selected is var (start, selected)
                ? (query.Text.With(new(start, query.Offset, selected)), start + selected.Length)
                : (query.Text, query.Offset);
            return new()
            {
                Uri = query.Uri,
                Text = text,
                Offset = offset,
                IsAssumed = query.Selected is not null,
                Language = query.Language,
                Path = query.Path.Length == 0 ? Path.GetFileName(query.Uri) : query.Path,
                Repository = query.Repository,
                IsExplicit = query.IsExplicit,
                InLiteral = context is { InComment: true } or { InString: true },
                MaximumLines = context is null ? 1 : LinesWanted(context),
                Sampling = settings.Sampling,
            };
        }

        // A block where one is to be written, else the rest of the line.
        private int LinesWanted(CompletionContext context) =>
            !IsInline || context.InComment || context.InString ? 1
            : query.IsExplicit ? LinesWhenAsked
            : context.LinePrefix.AsSpan().TrimEnd() is { IsEmpty: true } or [.., '{' or '(' or '[' or ':'] ? LinesOfBlock
            : 1;

        private string WithLineEnds(string text)
        {
            var end = query.Text.LineCount == 1 ? "\n" : query.Text.Content[query.Text.LineEnd(0)..query.Text.LineStart(1)];
            return end == "\n" ? text : text.Replace("\n", end, StringComparison.Ordinal);
        }

        private Phrase? Gate(CompletionContext context)
        {
            if (context.InComment && (_lane is null || (!IsInline && !query.WithLine)))
            {
                return InComment;
            }

            if (IsInline && context.InsideWord)
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
            if (IsInline && !query.IsExplicit && !onlyCloses && MaximumAutomaticSuffix < suffix.Length)
            {
                return new(
                    "There is text right of the cursor; ask explicitly to complete here.",
                    "Hay texto a la derecha del cursor; pida la sugerencia explícitamente para completar aquí.");
            }

            return null;
        }

        private static Phrase InComment => new(
            "The cursor is in a comment; pattern models know code only.",
            "El cursor está en un comentario; los modelos de patrones solo conocen código.");

        // Why nothing is shown.
        private Phrase Silent(CompletionContext context) =>
            0 < _filtered.Count ? new(
                $"What was found was filtered out: {string.Join(", ", _filtered.Select(filtered => filtered.Filter))}.",
                $"Lo que se encontró se descartó: {string.Join(", ", _filtered.Select(filtered => filtered.Filter))}.")
            : !settings.AsksPatterns ? _laneReport?.Why ?? new("No source may answer.", "Ninguna fuente puede responder.")
            : context.InComment ? InComment
            : engine._pattern.HasModels ? Unsure()
            : new(
                "No model is loaded; only the open files are known. Train one on this workspace.",
                "No hay ningún modelo cargado; solo se conocen los archivos abiertos. Entrene uno con este espacio de trabajo.");

        private Phrase Unsure()
        {
            var least = 100 * settings.MinConfidence;
            var (english, spanish) = _unsure is { } unsure
                ? ($"; the most likely is “{unsure.Text}” with {100 * unsure.Confidence:F0}%", $"; lo más probable es «{unsure.Text}» con un {100 * unsure.Confidence:F0} %")
                : ("", "");
            return new(
                $"Nothing is at least {least:F0}% sure here (llmAssist.completion.minConfidence){english}.",
                $"Nada alcanza aquí una seguridad del {least:F0} % (llmAssist.completion.minConfidence){spanish}.");
        }

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
            Ollama = _laneReport,
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
