// From contexts to probabilities: candidates gathered across contexts, mixed log-linearly, with weights that learn on.
using System.Runtime.CompilerServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// Mixes what all contexts say about the next symbol. Each context that was seen adds to the score of each of its successors
/// <c>bias + slope * log(count / total)</c>, with weights by the evidence (how often it was seen, how many successors it has), by the longest
/// run of symbols that was seen, and by the previous symbol; candidates have weights of their own by recency, frequency and class. The
/// scores become probabilities by a softmax, in which 'none of these' takes part. Reused; touched by one thread at a time.
/// </summary>
/// <remarks>
/// A maximum-entropy model (Rosenfeld 1996) over counts in place of indicator features, trained online by AdaGrad; gates as in the
/// mixing of PAQ (Mahoney 2005).
/// </remarks>
/// <param name="weights">What is mixed with; it will learn on.</param>
/// <param name="isLeftOut">Kinds of contexts to do without, to find out what they are worth.</param>
internal sealed class Mixture(MixtureWeights weights, Func<ContextKind, bool>? isLeftOut = null)
{
    /// <summary>The step that learning takes at first.</summary>
    public const float LearningRate = 0.05f;

    private const int MostCandidates = 224;
    private const int MostWithTyped = 512;
    private const int MostRecent = 64;
    private const int RecentReach = 600; // symbols back in which recent names are looked for
    private const int RunValues = 9; // of the gate for each family; what is shipped was learned with it, so a kind that goes does not change it
    private const int IndexSize = 2048;
    private const int TraitsSize = 1 << 12;
    private const int FirstChoice = 1 << 20;
    private const int LastChoice = 1 << 21;
    private const int CandidateMask = FirstChoice - 1;
    private const float LeastGradient = 1e-4f;
    private const float LeastOwnGradient = 2e-3f;

    private static readonly float[] Logarithms = [.. Enumerable.Range(0, 4096).Select(count => MathF.Log(Math.Max(1, count)))];

    private static readonly int[] GatheringOrder = [Document, Corpus, Language]; // the nearest first

    private readonly IReadOnlyList<IContextSource>[] _families = new IReadOnlyList<IContextSource>[MixtureWeights.Families];
    private readonly ContextView _view = new();
    private readonly ulong[] _contexts = new ulong[Contexts.Kinds];
    private readonly ushort[] _index = new ushort[IndexSize]; // one more than the candidate; 0 for none
    private readonly int[] _probes = new int[MostWithTyped];
    private readonly Candidate[] _candidates = new Candidate[MostWithTyped];
    private readonly int[] _ownWeights = new int[MostWithTyped * OwnWeights];
    private readonly float[] _scores = new float[MostWithTyped + 1];
    private readonly float[] _probabilities = new float[MostWithTyped + 1];
    private readonly float[] _counts = new float[MostWithTyped];
    private readonly float[] _occurrences = new float[MostWithTyped]; // in the corpus
    private readonly (ulong Hash, SymbolTraits Traits)[] _traits = new (ulong, SymbolTraits)[TraitsSize];
    private readonly int[] _evidence = new int[MixtureWeights.Families * Contexts.Kinds];
    private readonly int[] _featureEnd = new int[MixtureWeights.Families * Contexts.Kinds];
    private readonly int[] _gates = new int[2];
    private readonly float[] _logTotals = new float[MixtureWeights.Families * Contexts.Kinds];
    private readonly float[] _mixed = new float[MostWithTyped + 1]; // probabilities before the reranker
    private readonly int[] _best = new int[Reranker.Rows];
    private readonly sbyte[] _row = new sbyte[MostWithTyped]; // one more than the candidate's row in the reranker; 0 for none
    private readonly float[] _errors = new float[Reranker.Rows];
    private readonly Reranker _reranker = new();
    private int _rows;
    private int[] _featureCandidates = new int[4096];
    private float[] _featureLogs = new float[4096];
    private int _features;

    private const int OwnWeights = 4;
    private const int Corpus = 0; // families
    private const int Document = 1;
    private const int Language = 2;

    /// <summary>How many candidates there are.</summary>
    public int Count { get; private set; }

    /// <summary>What is mixed with; learning changes it.</summary>
    public MixtureWeights Weights { get; } = weights;

    /// <summary>The probability that none of the candidates comes next.</summary>
    public float None => _probabilities[Count];

    /// <summary>A candidate, in no particular order.</summary>
    public ref readonly Candidate this[int index] => ref _candidates[index];

    /// <summary>Its probability.</summary>
    public float Probability(int index) => _probabilities[index];

    /// <summary>The candidate with that hash; -1 if it is not one.</summary>
    public int IndexOf(ulong hash)
    {
        for (var probe = (int)(hash >> 20) & (IndexSize - 1); ; probe = (probe + 1) & (IndexSize - 1))
        {
            var candidate = _index[probe] - 1;
            if (candidate < 0 || _candidates[candidate].Hash == hash)
            {
                return candidate;
            }
        }
    }

    /// <summary>Gathers the candidates for the symbol behind <paramref name="passage"/>, and rates them.</summary>
    /// <param name="passage">The text so far.</param>
    /// <param name="corpus">Models and other documents: their counts are added up.</param>
    /// <param name="document">The current document.</param>
    /// <param name="language">What is usual in the language.</param>
    /// <param name="typed">What is typed of the symbol. Rare successors and unmentioned names compete as well if they begin with it.</param>
    public void Predict(
        Passage passage,
        IReadOnlyList<IContextSource> corpus,
        IReadOnlyList<IContextSource> document,
        IReadOnlyList<IContextSource> language,
        string typed)
    {
        (_families[Corpus], _families[Document], _families[Language]) = (corpus, document, language);
        var before = passage.Symbols;
        _view.Read(before);
        Contexts.Fill(_view, _contexts);
        ForgetCandidates();
        Gather(typed);
        GatherRecent(before);
        if (typed.Length != 0)
        {
            GatherNames(typed);
        }

        CollectFeatures();
        Describe(passage);
        Score();
        Rerank(passage);
    }

    /// <summary>Learns that <paramref name="actual"/> came after what was predicted last.</summary>
    public void Learn(ulong actual)
    {
        var right = IndexOf(actual) is var index && 0 <= index ? index : Count;
        for (var row = 0; row < _rows; row++)
        {
            _errors[row] = _probabilities[_best[row]] - (_best[row] == right ? 1 : 0);
        }

        _reranker.Learn(_errors.AsSpan(0, _rows), Weights.RerankerValues, Weights.RerankerEnergies);
        var gradients = _scores; // not needed any more
        for (var candidate = 0; candidate <= Count; candidate++)
        {
            gradients[candidate] = _mixed[candidate] - (candidate == right ? 1 : 0);
        }

        var none = gradients[Count];
        var feature = 0;
        for (var expert = 0; expert < _evidence.Length; expert++)
        {
            var at = MixtureWeights.EvidenceAt(expert, _evidence[expert]);
            if (LeastGradient < MathF.Abs(none))
            {
                Step(at + 3, none * 0.5f);
            }

            var (bias, slope, first, last) = (0f, 0f, 0f, 0f);
            for (; feature < _featureEnd[expert]; feature++)
            {
                var gradient = gradients[_featureCandidates[feature] & CandidateMask];
                bias += gradient;
                slope += gradient * _featureLogs[feature];
                first += (_featureCandidates[feature] & FirstChoice) != 0 ? gradient : 0;
                last += (_featureCandidates[feature] & LastChoice) != 0 ? gradient : 0;
            }

            if (_evidence[expert] == 0 || (MathF.Abs(bias) < LeastGradient && MathF.Abs(slope) < LeastGradient))
            {
                continue;
            }

            Step(at, bias);
            Step(at + 1, slope);
            Step(at + 2, first);
            Step(at + 4, last);
            for (var gate = 0; gate < _gates.Length; gate++)
            {
                var gateAt = MixtureWeights.GateAt(gate, expert, _gates[gate]);
                Step(gateAt, bias);
                Step(gateAt + 1, slope);
            }
        }

        Step(MixtureWeights.Escape, none);
        for (var candidate = 0; candidate < Count; candidate++)
        {
            if (LeastOwnGradient < MathF.Abs(gradients[candidate]))
            {
                for (var own = 0; own < OwnWeights; own++)
                {
                    Step(_ownWeights[(candidate * OwnWeights) + own], gradients[candidate]);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Step(int weight, float gradient)
    {
        if (gradient != 0)
        {
            ref var energy = ref Weights.Energies[weight];
            energy += gradient * gradient;
            Weights.Values[weight] -= LearningRate * gradient / MathF.Sqrt(energy);
        }
    }

    private void ForgetCandidates()
    {
        foreach (var probe in _probes.AsSpan(0, Count))
        {
            _index[probe] = 0;
        }

        Count = 0;
    }

    // From the most specific context to the least: where there are too many, the general ones go without.
    private void Gather(string typed)
    {
        PatternEntry single = default;
        Span<int> longest = stackalloc int[MixtureWeights.Families];
        for (var kind = 0; kind < Contexts.Kinds; kind++)
        {
            foreach (var family in GatheringOrder)
            {
                var sources = _families[family];
                var (total, distinct) = (0L, 0L);
                for (var index = 0; index < sources.Count && isLeftOut?.Invoke(Contexts.All[kind]) != true; index++)
                {
                    var found = sources[index].Find(_contexts[kind], ref single);
                    total += found.Total;
                    distinct += found.Distinct;
                    for (var entry = 0; entry < found.Entries.Length; entry++)
                    {
                        if (entry < Contexts.All[kind].Candidates)
                        {
                            Add(sources[index], found.Entries[entry].Symbol, MostCandidates);
                        }
                        else if (typed.Length == 0)
                        {
                            break;
                        }
                        else if (found.Entries[entry].Symbol < PatternFormat.FirstSlotSymbol
                            && sources[index].TextOf(found.Entries[entry].Symbol).StartsWith(typed, StringComparison.Ordinal))
                        {
                            Add(sources[index], found.Entries[entry].Symbol, MostWithTyped);
                        }
                    }
                }

                _evidence[(family * Contexts.Kinds) + kind] = total == 0 ? 0 : MixtureWeights.EvidenceOf(total, distinct);
                longest[family] = total == 0 ? longest[family] : Math.Max(longest[family], Contexts.All[kind].Run);
            }
        }

        _gates[0] = (longest[Corpus] * RunValues) + longest[Document];
    }

    private void GatherRecent(ReadOnlySpan<Symbol> before)
    {
        var most = Count + MostRecent;
        for (var index = before.Length - 1; Math.Max(0, before.Length - RecentReach) <= index && Count < most; index--)
        {
            if (!before[index].Traits.IsCommon)
            {
                Add(before[index].Hash);
            }
        }
    }

    // Names that no context offers, but that begin with what was typed: known words in an unknown place. Not those of the language, which are
    // other people's.
    private void GatherNames(string typed)
    {
        const int Most = 32;
        foreach (var source in _families[Corpus])
        {
            if (source is PatternModel model)
            {
                foreach (var name in model.NamesWithPrefix(typed, Most))
                {
                    Add(source, name, MostWithTyped);
                }
            }
        }
    }

    private void Add(IContextSource source, uint symbol, int most)
    {
        if (PatternFormat.FirstSlotSymbol <= symbol)
        {
            var slot = symbol - PatternFormat.FirstSlotSymbol;
            if (slot < (uint)_view.Slots.Length)
            {
                Add(_view.Slots[(int)slot]);
            }

            return;
        }

        // A damaged file can name symbols that it does not have; their hash is 0.
        var hash = source.HashOf(symbol);
        if (hash != 0 && IndexOf(hash) < 0 && Count < most)
        {
            Insert(hash, source, symbol);
        }
    }

    // A symbol of the text so far: whoever knows it can tell what it is.
    private void Add(ulong hash)
    {
        if (0 <= IndexOf(hash) || MostCandidates <= Count)
        {
            return;
        }

        foreach (var family in GatheringOrder)
        {
            var sources = _families[family];
            for (var index = 0; index < sources.Count; index++)
            {
                if (sources[index].SymbolWith(hash) is { } symbol)
                {
                    Insert(hash, sources[index], symbol);
                    return;
                }
            }
        }
    }

    private void Insert(ulong hash, IContextSource source, uint symbol)
    {
        var probe = (int)(hash >> 20) & (IndexSize - 1);
        while (_index[probe] != 0)
        {
            probe = (probe + 1) & (IndexSize - 1);
        }

        ref var known = ref _traits[(int)hash & (TraitsSize - 1)];
        if (known.Hash != hash)
        {
            known = (hash, SymbolTraits.Of(source.KindOf(symbol), source.TextOf(symbol)));
        }

        _candidates[Count] = new(hash, source, symbol, known.Traits);
        _probes[Count] = probe;
        _index[probe] = (ushort)++Count;
    }

    private int CandidateOf(IContextSource source, uint symbol)
    {
        if (symbol < PatternFormat.FirstSlotSymbol)
        {
            return IndexOf(source.HashOf(symbol));
        }

        var slot = symbol - PatternFormat.FirstSlotSymbol;
        return slot < (uint)_view.Slots.Length ? IndexOf(_view.Slots[(int)slot]) : -1;
    }

    private void CollectFeatures()
    {
        _features = 0;
        for (var expert = 0; expert < _evidence.Length; expert++)
        {
            if (_evidence[expert] != 0)
            {
                var sources = _families[expert / Contexts.Kinds];
                var context = _contexts[expert % Contexts.Kinds];
                if (sources.Count == 1)
                {
                    CollectFeatures(expert, sources[0], context);
                }
                else
                {
                    CollectFeatures(expert, sources, context);
                }
            }

            _featureEnd[expert] = _features;
        }
    }

    private void CollectFeatures(int expert, IContextSource source, ulong context)
    {
        PatternEntry single = default;
        var found = source.Find(context, ref single);
        var logOfTotal = Log(found.Total);
        _logTotals[expert] = logOfTotal;
        Reserve(found.Entries.Length);
        for (var entry = 0; entry < found.Entries.Length; entry++)
        {
            var candidate = CandidateOf(source, found.Entries[entry].Symbol);
            if (0 <= candidate)
            {
                var flags = (entry == 0 ? FirstChoice : 0) | (found.Entries[entry].Symbol == found.Last ? LastChoice : 0);
                _featureCandidates[_features] = candidate | flags;
                _featureLogs[_features++] = Log(found.Entries[entry].Count) - logOfTotal;
            }
        }
    }

    // Several sources of one family: their counts are added up.
    private void CollectFeatures(int expert, IReadOnlyList<IContextSource> sources, ulong context)
    {
        PatternEntry single = default;
        var start = _features;
        var total = 0u;
        foreach (var source in sources)
        {
            var found = source.Find(context, ref single);
            total += found.Total;
            Reserve(found.Entries.Length);
            foreach (var entry in found.Entries)
            {
                var candidate = CandidateOf(source, entry.Symbol);
                if (0 <= candidate)
                {
                    if (_counts[candidate] == 0)
                    {
                        _featureCandidates[_features++] = candidate;
                    }

                    _counts[candidate] += entry.Count;
                }
            }
        }

        var (logOfTotal, first, most) = (Log(total), -1, 0f);
        _logTotals[expert] = logOfTotal;
        for (var feature = start; feature < _features; feature++)
        {
            ref var count = ref _counts[_featureCandidates[feature]];
            _featureLogs[feature] = Log((uint)count) - logOfTotal;
            (first, most) = most < count ? (feature, count) : (first, most);
            count = 0;
        }

        if (0 <= first)
        {
            _featureCandidates[first] |= FirstChoice;
        }
    }

    private void Reserve(int more)
    {
        if (_featureLogs.Length < _features + more)
        {
            Array.Resize(ref _featureLogs, Math.Max(_featureLogs.Length * 2, _features + more));
            Array.Resize(ref _featureCandidates, _featureLogs.Length);
        }
    }

    // The weights that candidates have of their own.
    private void Describe(Passage passage)
    {
        var symbols = passage.Symbols;
        var previous = symbols.Length == 0 ? LineEnd : symbols[^1];
        _gates[1] = GateOf(previous);
        for (var candidate = 0; candidate < Count; candidate++)
        {
            ref readonly var its = ref _candidates[candidate];
            var occurrence = passage.Of(its.Hash);
            var own = _ownWeights.AsSpan(candidate * OwnWeights, OwnWeights);
            own[0] = MixtureWeights.RecencyAt(its.Traits.Class, symbols.Length - occurrence.Last, occurrence.Count);
            var occurrences = Occurrences(its);
            _occurrences[candidate] = occurrences;
            own[1] = MixtureWeights.FrequencyAt(its.Traits.Class, occurrences);
            own[2] = MixtureWeights.PairAt(previous, its.Traits);
            own[3] = occurrence.Count == 0 || its.Traits.IsCommon ? MixtureWeights.Unused : MixtureWeights.UseAt(
                occurrence.Last == 0 ? LineEnd : symbols[occurrence.Last - 1],
                occurrence.Last + 1 < symbols.Length ? symbols[occurrence.Last + 1] : LineEnd,
                previous);
        }
    }

    private static readonly Symbol LineEnd = new(Symbol.NewlineHash, Text.TokenKind.Newline, 0, 0, SymbolTraits.Of(Text.TokenKind.Newline, "\n"));

    // In the corpus: what is usual in the language need not be so here.
    private ulong Occurrences(in Candidate its)
    {
        var (corpus, language) = (_families[Corpus], _families[Language]);
        var isOfLanguage = language.Count != 0 && its.Source == language[0];
        if (!isOfLanguage && its.Source.CountOf(its.Symbol) is var known && known != 0)
        {
            return known;
        }

        for (var index = 0; index < corpus.Count; index++)
        {
            if (corpus[index] != its.Source && corpus[index].SymbolWith(its.Hash) is { } symbol)
            {
                return corpus[index].CountOf(symbol);
            }
        }

        return 0;
    }

    private static int GateOf(in Symbol symbol) => GateOf(symbol.Hash, symbol.Traits);

    private static int GateOf(ulong hash, SymbolTraits traits) =>
        traits.IsCommon ? SymbolTraits.Classes + (int)(hash % (MixtureWeights.GateValues - SymbolTraits.Classes)) : (int)traits.Class;

    private void Score()
    {
        var values = Weights.Values;
        Array.Clear(_scores, 0, Count + 1);
        var none = values[MixtureWeights.Escape];
        var feature = 0;
        for (var expert = 0; expert < _evidence.Length; expert++)
        {
            var at = MixtureWeights.EvidenceAt(expert, _evidence[expert]);
            none += values[at + 3];
            if (feature == _featureEnd[expert])
            {
                continue;
            }

            var (bias, slope, first, last) = (values[at], values[at + 1], values[at + 2], values[at + 4]);
            for (var gate = 0; gate < _gates.Length; gate++)
            {
                var gateAt = MixtureWeights.GateAt(gate, expert, _gates[gate]);
                bias += values[gateAt];
                slope += values[gateAt + 1];
            }

            for (; feature < _featureEnd[expert]; feature++)
            {
                var candidate = _featureCandidates[feature];
                var score = bias + (slope * _featureLogs[feature]);
                score += (candidate & FirstChoice) != 0 ? first : 0;
                score += (candidate & LastChoice) != 0 ? last : 0;
                _scores[candidate & CandidateMask] += score;
            }
        }

        for (var candidate = 0; candidate < Count; candidate++)
        {
            for (var own = 0; own < OwnWeights; own++)
            {
                _scores[candidate] += values[_ownWeights[(candidate * OwnWeights) + own]];
            }
        }

        _scores[Count] = none;
        Softmax(_scores.AsSpan(0, Count + 1), _mixed);
    }

    // The best candidates are looked at once more.
    private void Rerank(Passage passage)
    {
        SelectBest();
        for (var row = 0; row < _rows; row++)
        {
            FillNumbers(passage, row, _reranker.Row(row)[(2 * _evidence.Length)..]);
        }

        FillContexts();
        for (var row = 0; row < _rows; row++)
        {
            _scores[_best[row]] += _reranker.Output(row, Weights.RerankerValues);
            _row[_best[row]] = 0;
        }

        Softmax(_scores.AsSpan(0, Count + 1), _probabilities);
    }

    private void SelectBest()
    {
        _rows = 0;
        for (var candidate = 0; candidate < Count; candidate++)
        {
            var place = _rows;
            for (; 0 < place && _scores[_best[place - 1]] < _scores[candidate]; place--)
            {
                if (place < _best.Length)
                {
                    _best[place] = _best[place - 1];
                }
            }

            if (place < _best.Length)
            {
                _best[place] = candidate;
                _rows = Math.Min(_rows + 1, _best.Length);
            }
        }
    }

    // For each context that was seen: how much of it is the candidate's, and how much there was to see.
    private void FillContexts()
    {
        for (var row = 0; row < _rows; row++)
        {
            _row[_best[row]] = (sbyte)(row + 1);
        }

        var feature = 0;
        for (var expert = 0; expert < _evidence.Length; expert++)
        {
            if (_evidence[expert] != 0)
            {
                for (var row = 0; row < _rows; row++)
                {
                    _reranker.Set(row, 2 * expert, -1.5f);
                    _reranker.Set(row, (2 * expert) + 1, _logTotals[expert] * 0.25f);
                }
            }

            for (; feature < _featureEnd[expert]; feature++)
            {
                var row = _row[_featureCandidates[feature] & CandidateMask] - 1;
                if (0 <= row)
                {
                    _reranker.Set(row, 2 * expert, MathF.Max(-1.5f, 1 + (_featureLogs[feature] * 0.5f)));
                }
            }
        }
    }

    private void FillNumbers(Passage passage, int row, Span<float> numbers)
    {
        ref readonly var its = ref _candidates[_best[row]];
        var symbols = passage.Symbols;
        var previous = symbols.Length == 0 ? LineEnd : symbols[^1];
        var occurrence = passage.Of(its.Hash);
        var (top, score) = (_scores[_best[0]], _scores[_best[row]]);
        numbers[0] = MathF.Max(-12, MathF.Log(_mixed[_best[row]] + 1e-9f)) * 0.25f;
        numbers[1] = 1f / (row + 1);
        numbers[2] = MathF.Max(-4, (score - top) * 0.5f);
        numbers[3] = MathF.Log(_mixed[_best[0]] + 1e-9f) * 0.25f;
        numbers[4] = MathF.Log(_mixed[Count] + 1e-9f) * 0.2f;
        numbers[5] = row == 0 ? 1 : 0;
        numbers[6] = row == 0 && 1 < _rows ? MathF.Min(4, (top - _scores[_best[1]]) * 0.5f) : 0;
        numbers[7] = its.Traits.IsCommon ? 0 : 1;
        numbers[8 + (int)its.Traits.Class] = 1;
        if (occurrence.Count != 0)
        {
            var before = occurrence.Last == 0 ? LineEnd : symbols[occurrence.Last - 1];
            numbers[16] = 1;
            numbers[17] = MathF.Log(symbols.Length - occurrence.Last + 1) * 0.2f;
            numbers[18] = MathF.Log(occurrence.Count) * 0.3f;
            numbers[19] = GateOf(before) == GateOf(previous) ? 1 : 0;
            numbers[20] = before.Hash == previous.Hash ? 1 : 0;
        }

        numbers[21] = MathF.Log(1 + _occurrences[_best[row]]) * 0.15f;
        if (its.Traits.IsName)
        {
            numbers[22] = _view.NameTraits.LastWord == its.Traits.LastWord ? 1 : 0;
            numbers[23] = _view.NameTraits.FirstWord == its.Traits.FirstWord ? 1 : 0;
            numbers[24] = _view.CallTraits.LastWord == its.Traits.LastWord || _view.CallTraits.FirstWord == its.Traits.FirstWord ? 1 : 0;
            numbers[25] = _view.Name == its.Hash ? 1 : 0;
            numbers[26] = _view.PreviousName == its.Hash ? 1 : 0;
            numbers[27] = _view.Call == its.Hash ? 1 : 0;
        }

        numbers[28] = MathF.Log(1 + symbols.Length) * 0.1f;
        numbers[29] = MathF.Log(1 + _view.StatementLength) * 0.4f;
        numbers[30] = 1;
        var vectors = _reranker.VectorsOf(row);
        vectors[0] = _gates[1];
        vectors[1] = GateOf(its.Hash, its.Traits);
        vectors[2] = _view.Call == 0 ? 0 : GateOf(_view.Call, _view.CallTraits);
        vectors[3] = _view.StatementFirst == 0 ? 0 : GateOf(_view.StatementFirst, _view.StatementTraits);
        vectors[4] = GateOf(_view.Symbol(2), _view.Traits(2));
    }

    private static void Softmax(ReadOnlySpan<float> scores, Span<float> probabilities)
    {
        var most = float.MinValue;
        foreach (var score in scores)
        {
            most = MathF.Max(most, score);
        }

        var sum = 0f;
        for (var index = 0; index < scores.Length; index++)
        {
            probabilities[index] = MathF.Exp(scores[index] - most);
            sum += probabilities[index];
        }

        for (var index = 0; index < scores.Length; index++)
        {
            probabilities[index] /= sum;
        }
    }

    private static float Log(uint count) => count < (uint)Logarithms.Length ? Logarithms[count] : MathF.Log(count);

    /// <summary>A symbol that may come next.</summary>
    /// <param name="Hash">Its hash.</param>
    /// <param name="Source">Who knows what it is.</param>
    /// <param name="Symbol">Its id there.</param>
    /// <param name="Traits">What of its text the mixture goes by.</param>
    internal readonly record struct Candidate(ulong Hash, IContextSource Source, uint Symbol, SymbolTraits Traits);
}
