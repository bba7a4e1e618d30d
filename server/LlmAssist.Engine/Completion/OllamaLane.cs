// The lane of Ollama: asks one model for one place at a time, and keeps what it produces for as long as the user types it.
// What a text is worth, and what is shown, is decided elsewhere.
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Completion;

/// <summary>
/// Asks the model in use. At most one generation runs; a new place ends the former one, unless the user is typing what that
/// produces: then the query joins it. A text that comes too late stays, and answers the next query that it fits.
/// </summary>
/// <remarks>
/// Safe on any thread, and never held up: what waits, waits outside the lock. The idea of going on with a stream is Continue's
/// (GeneratorReuseManager.ts).
/// </remarks>
internal sealed class OllamaLane(OllamaHost host, TimeProvider time) : IDisposable
{
    // Between two words of an editor: it cancels a request when a key is pressed, and asks again a moment later. Without an edit
    // there will be no other request, and the stream is closed, well within 50 ms.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan GraceWhileTyping = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan Noticed = TimeSpan.FromMilliseconds(500); // shorter, and nobody has turned a suggestion down

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly LanePace _pace = new();
    private readonly Dictionary<string, TokenRate> _rates = []; // by model
    private readonly Dictionary<string, LaneRecord> _records = []; // by model
    private NeighborChunks _neighbors = NeighborChunks.Empty;
    private int _chunkCapacity;
    private (string Uri, string Path, SourceText Text, int Line)? _lastPlace;
    private long _lastKeyAt;
    private LaneGeneration? _current;
    private Task _running = Task.CompletedTask; // the generation begun last, and with it all before
    private Shown? _shown;

    /// <summary>How a model has done so far.</summary>
    /// <param name="model">Its key.</param>
    public LaneRecord RecordOf(string model)
    {
        lock (_gate)
        {
            return _records.GetValueOrDefault(model);
        }
    }

    /// <summary>
    /// Joins what is being produced if it fits; otherwise, if <paramref name="mayBegin"/>, begins anew. The ticket must be returned
    /// to <see cref="Leave"/>.
    /// </summary>
    /// <param name="report">Why there is no ticket, where there is none.</param>
    public LaneTicket? Ask(LaneQuestion question, bool mayBegin, out LaneReport? report)
    {
        report = null;
        var use = host.TryUse();
        lock (_gate)
        {
            if (question.IsExplicit)
            {
                _pace.Wanted();
            }

            if (_current is { } current && (use is null || current.Model == use.Key) && current.Remaining(question.Uri, question.Text, question.Offset) is not null)
            {
                current.Waiting++;
                current.IsTypedInto = false;
                current.Latest = question.Text;
                return current.Newest = new(current, question, IsJoined: true);
            }

            if (!mayBegin)
            {
                return null;
            }

            EndLocked(_current);
            _current = null;
            if (use is null)
            {
                var state = host.State;
                report = new() { Model = state.Model, Outcome = LaneOutcome.Unavailable, Why = Unavailable(state) };
                return null;
            }

            if (SecretFilter.IsSecretFile(question.Path))
            {
                report = new()
                {
                    Model = use.Name,
                    Outcome = LaneOutcome.Declined,
                    Why = new(
                        $"{question.Path} is a file in which secrets are kept; it is shown to no model.",
                        $"{question.Path} es un archivo en el que se guardan secretos; no se muestra a ningún modelo."),
                };
                return null;
            }

            return FirstTicketLocked(BeginLocked(question, use), question);
        }
    }

    /// <summary>
    /// Asks anew for a ticket whose text turned out to be another one than the user had typed ahead of: editors ask once for a place. Null if
    /// there is no reason to, or if the user has gone on since.
    /// </summary>
    public LaneTicket? AskAgain(LaneTicket ticket)
    {
        var use = host.TryUse();
        lock (_gate)
        {
            var (generation, question) = (ticket.Generation, ticket.Question);
            var isLast = ReferenceEquals(_current, generation) && ReferenceEquals(generation.Newest, ticket) && !generation.IsTypedInto;
            if (!isLast || generation.Failure is not null || use?.Key != generation.Model
                || generation.Remaining(question.Uri, question.Text, question.Offset) is not null)
            {
                return null;
            }

            EndLocked(generation);
            return FirstTicketLocked(BeginLocked(question, use), question);
        }
    }

    /// <summary>What the ticket's model had produced before it was asked for, if that is worth showing at once; null if not.</summary>
    public string? Ready(LaneTicket ticket)
    {
        lock (_gate)
        {
            return !ticket.IsJoined ? null : ticket.Generation.Worth(ticket.Question, LaneStage.Lines) is { Length: > 0 } text ? text : null;
        }
    }

    /// <summary>Whether the ticket's model may be about to say something, rather than be silent for longer than so, as far as is known of it.</summary>
    public bool MaySpeakWithin(LaneTicket ticket, TimeSpan wait)
    {
        lock (_gate)
        {
            var generation = ticket.Generation;
            if (generation.FirstText is not null || generation.IsOver || _pace.Latency == TimeSpan.Zero)
            {
                return true;
            }

            var silent = generation.SentAt is { } sentAt ? time.GetElapsedTime(sentAt) : -generation.Delay;

            // One that is overdue will most likely be so for as long again.
            return (_pace.Latency - silent).Duration() <= wait;
        }
    }

    /// <summary>Waits for something worth showing.</summary>
    /// <param name="patience">For how long at the most.</param>
    /// <param name="linger">For how long at the most once there is a whole line, in case there will be more.</param>
    /// <returns>The text from the cursor on, empty for nothing; and what became of it.</returns>
    /// <exception cref="OperationCanceledException">Nobody waits any more.</exception>
    public async Task<(string Text, LaneReport Report)> WaitAsync(LaneTicket ticket, TimeSpan patience, TimeSpan linger, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        long? firstLineAt = null;
        while (true)
        {
            Task changed;
            TimeSpan left;
            lock (_gate)
            {
                var generation = ticket.Generation;
                var fits = generation.Remaining(ticket.Question.Uri, ticket.Question.Text, ticket.Question.Offset) is not null;
                if (firstLineAt is null && generation.Worth(ticket.Question, LaneStage.Lines) is { Length: > 0 })
                {
                    firstLineAt = time.GetTimestamp();
                }

                left = patience - time.GetElapsedTime(begun);
                if (firstLineAt is { } at && linger - time.GetElapsedTime(at) < left)
                {
                    left = linger - time.GetElapsedTime(at);
                }

                if (generation.IsOver || !fits || left <= TimeSpan.Zero)
                {
                    return AnswerLocked(ticket, fits, time.GetElapsedTime(begun));
                }

                changed = generation.Changed;
            }

            try
            {
                await changed.WaitAsync(left, time, cancellation);
            }
            catch (TimeoutException)
            {
                // Looked at once more above.
            }
        }
    }

    /// <summary>A query is done with its ticket.</summary>
    /// <param name="isCanceled">Whether it was canceled rather than answered: then the stream is closed, unless the user is just typing on.</param>
    public void Leave(LaneTicket ticket, bool isCanceled)
    {
        lock (_gate)
        {
            var generation = ticket.Generation;
            generation.Waiting--;

            // Only the newest query tells whether anybody still wants it. Older ones are canceled because the user has typed on, and their
            // cancellation may be noticed only after the newest was answered.
            generation.IsForsaken |= isCanceled && ReferenceEquals(ticket, generation.Newest);
            if (!generation.IsForsaken || generation.IsOver || 0 < generation.Waiting)
            {
                return;
            }

            generation.Abandon(time, generation.IsTypedInto ? GraceWhileTyping : Grace, () =>
            {
                lock (_gate)
                {
                    // Another query may have come, and been answered, while the timer fired.
                    if (generation is { Waiting: 0, IsForsaken: true })
                    {
                        EndLocked(generation);
                    }
                }
            });
        }
    }

    /// <summary>A document has changed. Costs microseconds: what it decides is whether the stream still has a reader.</summary>
    public void Edited(string uri, SourceText text)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _pace.Typed(time.GetElapsedTime(_lastKeyAt, now));
            _lastKeyAt = now;
            Judge(uri, text);
            if (_current is not { } current || current.Question.Uri != uri)
            {
                return;
            }

            current.IsTypedInto = true;
            if (current.Question.IsAssumed)
            {
                // Only the next query tells whether the list still would insert the same.
                return;
            }

            current.Latest = text;
            TakeDownLocked(current);
            if (!current.IsOver && current.Remaining(uri, text, cursor: null) is null)
            {
                EndLocked(current);
            }
        }
    }

    /// <summary>A suggestion of this lane is shown.</summary>
    /// <param name="suggestion">Its text from the cursor on.</param>
    public void Show(LaneQuestion question, string suggestion)
    {
        lock (_gate)
        {
            _shown = new(question.Uri, question.Text, question.Offset, suggestion.ReplaceLineEndings("\n"), time.GetTimestamp());
        }
    }

    /// <summary>The user has taken a suggestion.</summary>
    public void Accept()
    {
        lock (_gate)
        {
            _shown = null;
            _pace.Wanted();
        }
    }

    /// <summary>A file was opened: its beginning, where names are declared, may help in others.</summary>
    public void Opened(string path, SourceText text)
    {
        lock (_gate)
        {
            NeighborLocked(path, text, 0);
        }
    }

    /// <summary>A document was closed.</summary>
    public void Forget(string uri)
    {
        lock (_gate)
        {
            if (_current?.Question.Uri == uri)
            {
                EndLocked(_current);
                _current = null;
            }

            _shown = _shown?.Uri == uri ? null : _shown;
            _lastPlace = _lastPlace?.Uri == uri ? null : _lastPlace;
        }
    }

    /// <summary>Ends what runs.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            EndLocked(_current);
            _current = null;
        }
    }

    private static LaneTicket FirstTicketLocked(LaneGeneration generation, LaneQuestion question)
    {
        generation.Waiting++;
        return generation.Newest = new(generation, question, IsJoined: false);
    }

    // ---- One generation ----

    private LaneGeneration BeginLocked(LaneQuestion question, OllamaUse use)
    {
        if (_lastPlace is { } last && last.Uri != question.Uri)
        {
            // The user has gone to another file; where they were is what they have in mind.
            NeighborLocked(last.Path, last.Text, last.Line);
        }

        var line = question.Text.LineAt(question.Offset);
        _lastPlace = (question.Uri, question.Path, question.Text, line);
        var linePrefix = question.Text.Content.AsSpan(question.Text.LineStart(line), question.Offset - question.Text.LineStart(line));
        var isAtLineEnd = question.Text.Content.AsSpan(question.Offset, Math.Max(0, question.Text.LineEnd(line) - question.Offset)).IsWhiteSpace();
        var generation = new LaneGeneration(question, use, question.IsExplicit ? TimeSpan.Zero : _pace.Delay(linePrefix, isAtLineEnd));
        var former = _running;
        _current = generation;
        _running = Task.Run(() => RunAsync(generation, use, former), CancellationToken.None);
        return generation;
    }

    // Never fails: what goes wrong is kept in the generation.
    private async Task RunAsync(LaneGeneration generation, OllamaUse use, Task former)
    {
        try
        {
            await Task.Delay(generation.Delay, time, generation.Cancellation);

            // Its stream is closed before this one opens: the server works on one thing at a time.
            await former;
            generation.Cancellation.ThrowIfCancellationRequested();
            var (request, stops) = Compose(generation.Question, use);
            lock (_gate)
            {
                generation.Begin(stops, time.GetTimestamp());
            }

            await foreach (var piece in host.GenerateAsync(use, request, generation.Cancellation))
            {
                if (!Take(generation, stops, request.Prompt, piece))
                {
                    break;
                }
            }

            lock (_gate)
            {
                stops.Finish();
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody reads it any more.
        }
        catch (ObjectDisposedException)
        {
            // The endpoint was changed between two calls.
        }
#pragma warning disable CA1031 // Nobody waits for this task but the generation after it, which must not fail for it: the reason is kept.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            lock (_gate)
            {
                generation.Failure = exception is UserException known ? known.Phrase : Phrase.Same(exception.Message);
            }
        }
        finally
        {
            lock (_gate)
            {
                generation.Finish();
            }
        }
    }

    // The prompt, and where what it brings about ends. Not under the lock: it takes a millisecond, and so it is done only for what is asked.
    private (GenerateRequest Request, StreamStops Stops) Compose(LaneQuestion question, OllamaUse use)
    {
        var support = FimTemplate.Detect(new(use.Name, use.Facts.Family, use.Facts.Capabilities, use.Facts.Template), question.Sampling.Layout);
        var template = support is FimSupport.Known known ? known.Template : FimTemplate.Plain;
        PromptBudget budget;
        var neighbors = NeighborChunks.Empty;
        lock (_gate)
        {
            budget = PromptBudget.Of(use.ContextTokens, question.Sampling.MaxTokens, _rates.GetValueOrDefault(use.Key));
            _chunkCapacity = budget.ChunkLength;
            neighbors = template.CarriesChunks(question.Language) ? _neighbors : neighbors;
        }

        var parts = budget.Cut(question.Text, question.Offset, question.Language, question.Path, question.Repository, neighbors);
        var request = new GenerateRequest(use.Name, template.Render(parts))
        {
            Raw = true,
            MaxTokens = question.Sampling.MaxTokens,
            Temperature = question.Sampling.Temperature,
            TopK = question.Sampling.TopK,
            TopP = question.Sampling.TopP,
            RepeatPenalty = question.Sampling.RepeatPenalty,
            Stop = template.Stops,
        };
        return (request, new(new(parts.Prefix, parts.Suffix, question.Language, question.InLiteral, question.MaximumLines), template.Stops));
    }

    private bool Take(LaneGeneration generation, StreamStops stops, string prompt, GeneratedPiece piece)
    {
        lock (_gate)
        {
            if (generation.FirstText is null && piece.Text.Length != 0)
            {
                generation.FirstText = time.GetElapsedTime(generation.SentAt!.Value);
                _pace.Answered(generation.FirstText.Value);
            }

            var goesOn = stops.Take(piece.Text);
            if (piece.End is { } end)
            {
                _rates[generation.Model] = _rates.GetValueOrDefault(generation.Model).After(prompt, end.PromptTokens);
            }

            // What the user has typed ahead of the model turns out to be something else.
            if (generation.Remaining(generation.Question.Uri, generation.Latest, cursor: null) is null)
            {
                TakeDownLocked(generation);
                EndLocked(generation);
            }

            generation.Tell();
            return goesOn && piece.End is null;
        }
    }

    private void EndLocked(LaneGeneration? generation)
    {
        // A generation that was held back when another one took its place still has to let that one know.
        if (generation is not { IsOver: false, IsCanceled: false })
        {
            return;
        }

        if (generation is { SentAt: { } sentAt, FirstText: null })
        {
            _pace.Unheard(time.GetElapsedTime(sentAt));
        }

        generation.Cancel();
    }

    private (string Text, LaneReport Report) AnswerLocked(LaneTicket ticket, bool fits, TimeSpan waited)
    {
        var generation = ticket.Generation;
        var text = fits ? generation.Worth(ticket.Question, generation.IsOver ? LaneStage.Ended : LaneStage.Words) ?? "" : "";
        var (outcome, why) = generation.Failure is { } failure ? (LaneOutcome.Failed, failure)
            : !fits ? (LaneOutcome.Superseded, new Phrase("The user typed on, or asked elsewhere.", "El usuario siguió escribiendo o preguntó en otro lugar."))
            : text.Length != 0 ? (ticket.IsJoined ? LaneOutcome.Joined : LaneOutcome.Answered, default(Phrase?))
            : generation.IsOver ? (LaneOutcome.Answered, new Phrase("The model had nothing to say here.", "El modelo no tenía nada que decir aquí."))
            : (LaneOutcome.Late, new Phrase("The model is still at it; what it says waits for the next request.", "El modelo aún no ha terminado; lo que diga espera a la próxima petición."));
        return (text, new()
        {
            Model = generation.ModelName,
            Outcome = outcome,
            Why = why,
            Delay = generation.Delay,
            FirstText = generation.FirstText,
            Waited = waited,
            Text = text.Length == 0 ? null : text,
            Ended = generation.End is StreamEnd.None ? null : Named(generation.End),
        });
    }

    // Shown or not, what the user writes tells whether the model was right.
    private void TakeDownLocked(LaneGeneration generation)
    {
        if (generation.WasRight() is { } wasRight)
        {
            _records[generation.Model] = _records.GetValueOrDefault(generation.Model).With(wasRight);
        }
    }

    // What the user typed after a suggestion of ours was shown tells whether it was wanted.
    private void Judge(string uri, SourceText text)
    {
        if (_shown is not { } shown || shown.Uri != uri)
        {
            return;
        }

        var typed = TypeThrough.TypedSince(shown.Text, shown.Offset, text, cursor: null);
        if (typed is not null && shown.Suggestion.StartsWith(typed, StringComparison.Ordinal))
        {
            // They go along with it; all of it, and it has served.
            _shown = typed.Length == shown.Suggestion.Length ? null : _shown;
            return;
        }

        _shown = null;
        if (Noticed <= time.GetElapsedTime(shown.At))
        {
            _pace.Dismissed();
        }
    }

    private void NeighborLocked(string path, SourceText text, int line)
    {
        if (!SecretFilter.IsSecretFile(path))
        {
            // Before the first request nobody knows how much room there will be.
            var capacity = _chunkCapacity == 0 ? PromptBudget.Of(2000, 128, default).ChunkLength : _chunkCapacity;
            _neighbors = _neighbors.With(CodeChunk.Around(path, text, Math.Min(line, text.LineCount - 1)), capacity);
        }
    }

    private static Phrase Unavailable(OllamaState state) => state.Condition switch
    {
        OllamaCondition.Off => new("Ollama is switched off (llmAssist.ollama.enabled).", "Ollama está desactivado (llmAssist.ollama.enabled)."),
        OllamaCondition.Unknown or OllamaCondition.Ready => new("Ollama is being looked for.", "Se está buscando Ollama."),
        _ => state.Message,
    };

    // As JSON writes it.
    private static string Named(StreamEnd end) => char.ToLowerInvariant(end.ToString()[0]) + end.ToString()[1..];

    private sealed record Shown(string Uri, SourceText Text, int Offset, string Suggestion, long At);
}
