// When a model is asked while somebody types. Arithmetic over what was observed; the clock is the caller's.
namespace LlmAssist.Engine.Completion;

/// <summary>
/// Learns how fast the user types, how fast the model answers, and whether its answers are wanted. One owner; no thread safety.
/// </summary>
/// <remarks>
/// The idea is Tabby's debouncer (codeCompletion/debouncer.ts): a multiple of the user's own interval between keys, smaller where
/// a suggestion is likely to be wanted, less the time that the model takes anyway. Ours waits less behind the end of a word,
/// because a generation that has begun goes on while the user types what it produces, and more when answers are turned down.
/// </remarks>
internal sealed class LanePace
{
    private const int Samples = 20;
    private const int FewSamples = 5;
    private const int DismissalsBorne = 3;

    private static readonly TimeSpan LongestInterval = TimeSpan.FromMilliseconds(400); // a longer one is a pause, not typing
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan UsualInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LeastInWord = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LeastBetween = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(4);

    private readonly Queue<TimeSpan> _intervals = new(Samples);
    private TimeSpan _latency;
    private int _dismissals; // in a row

    /// <summary>What the user's interval between two keys is taken to be.</summary>
    public TimeSpan Interval
    {
        get
        {
            // A few keys say little: until there are more, the usual interval stands in.
            var assumed = Math.Max(0, FewSamples - _intervals.Count);
            var sum = _intervals.Aggregate(UsualInterval * assumed, static (total, interval) => total + interval);
            var mean = sum / (_intervals.Count + assumed);
            return mean < ShortestInterval ? ShortestInterval : mean;
        }
    }

    /// <summary>How long the model takes to its first text, on average of late; zero before it has answered.</summary>
    public TimeSpan Latency => _latency;

    /// <summary>How many suggestions in a row were turned down.</summary>
    public int Dismissals => _dismissals;

    /// <summary>A key was pressed.</summary>
    /// <param name="sinceLast">Time since the one before.</param>
    public void Typed(TimeSpan sinceLast)
    {
        if (LongestInterval < sinceLast || sinceLast <= TimeSpan.Zero)
        {
            return;
        }

        if (_intervals.Count == Samples)
        {
            _intervals.Dequeue();
        }

        _intervals.Enqueue(sinceLast);
    }

    /// <summary>The model has begun to answer.</summary>
    public void Answered(TimeSpan latency) => _latency = _latency == TimeSpan.Zero ? latency : (_latency * 0.7) + (latency * 0.3);

    /// <summary>A generation was ended before its first text: a slow model would never be known for one by those that live.</summary>
    /// <param name="silent">For how long it had said nothing.</param>
    public void Unheard(TimeSpan silent) => _latency = _latency < silent ? silent : _latency;

    /// <summary>A suggestion stood there for a while and was not wanted.</summary>
    public void Dismissed() => _dismissals++;

    /// <summary>A suggestion was taken, or asked for: what came before is forgiven.</summary>
    public void Wanted() => _dismissals = 0;

    /// <summary>How long to wait before the model is asked.</summary>
    /// <param name="linePrefix">The line left of the cursor.</param>
    /// <param name="isAtLineEnd">Whether nothing but blanks stands right of the cursor.</param>
    public TimeSpan Delay(ReadOnlySpan<char> linePrefix, bool isAtLineEnd)
    {
        // Behind a word the next key is most likely one more letter of it.
        var isInWord = !linePrefix.IsEmpty && (char.IsLetterOrDigit(linePrefix[^1]) || linePrefix[^1] == '_');
        var score = (isInWord ? 0 : 0.5) + (isAtLineEnd ? 0.5 : 0);
        var delay = (Interval * (3 - (1.5 * score))) - _latency;

        // Behind the end of a line it is Enter, with which the rest of that line is of no more use to anybody.
        var isLineDone = isAtLineEnd && linePrefix.TrimEnd() is [.., ';' or ',' or '{' or '}'];
        var least = isLineDone ? Interval * 3 : isInWord ? LeastInWord : LeastBetween;
        delay = delay < least ? least : Most < delay ? Most : delay;
        if (_dismissals < DismissalsBorne)
        {
            return delay;
        }

        var backOff = FirstBackOff * Math.Pow(2, Math.Min(_dismissals - DismissalsBorne, 10));
        backOff = LongestBackOff < backOff ? LongestBackOff : backOff;
        return delay < backOff ? backOff : delay;
    }
}
