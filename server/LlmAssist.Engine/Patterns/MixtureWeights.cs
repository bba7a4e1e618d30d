// What the mixture has learned: which weight lies where, and the file that the program ships.
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// The weights of a <see cref="Mixture"/>, and for each of them the sum of its squared gradients so far, by which AdaGrad (Duchi, Hazan
/// and Singer, 2011) takes smaller steps where it has learned much.
/// </summary>
internal sealed class MixtureWeights
{
    /// <summary>Where counts come from: models and other documents, the current document, and what is usual in the language.</summary>
    public const int Families = 3;

    /// <summary>How many cells of evidence a context falls into by how often it was seen, and what followed; the first is for none.</summary>
    public const int Evidences = 1 + (CountSteps * VarietySteps);

    /// <summary>Weights of a cell: bias, slope, first choice, none of these, last choice.</summary>
    public const int PerEvidence = 5;

    /// <summary>Values of a gate.</summary>
    public const int GateValues = 256;

    public const int RecencySteps = 20;
    public const int RepetitionSteps = 6;
    public const int FrequencySteps = 24;

    private const int CountSteps = 10;
    private const int VarietySteps = 5;
    private const int Gates = 2;
    private const int PairValues = 1 << 13;
    private const string Resource = "LlmAssist.Engine.Patterns.Mixture.weights";
    private const uint Magic = 0x5849_4D4C; // "LMIX"
    private const float UnlearnedEnergy = 0.02f;

    private static readonly int Experts = Families * Contexts.Kinds;
    private static readonly int GateStart = Experts * Evidences * PerEvidence;
    private static readonly int RecencyStart = GateStart + (Gates * Experts * GateValues * 2);
    private static readonly int FrequencyStart = RecencyStart + (SymbolTraits.Classes * RecencySteps * RepetitionSteps);
    private static readonly int PairStart = FrequencyStart + (SymbolTraits.Classes * FrequencySteps);

    private static readonly int UseStart = PairStart + PairValues;

    /// <summary>The weight of 'none of these'.</summary>
    public static readonly int Escape = UseStart + PairValues;

    private static readonly int RerankerStart = Escape + 1;
    private static readonly int Count = RerankerStart + Reranker.Weights;

    private MixtureWeights(float[] values, float[] energies) => (Values, Energies) = (values, energies);

    /// <summary>The weights.</summary>
    public float[] Values { get; }

    /// <summary>The sums of their squared gradients.</summary>
    public float[] Energies { get; }

    /// <summary>The weights of the <see cref="Reranker"/>.</summary>
    public Span<float> RerankerValues => Values.AsSpan(RerankerStart);

    public Span<float> RerankerEnergies => Energies.AsSpan(RerankerStart);

    /// <summary>The weights that the program ships, to learn on from.</summary>
    public static MixtureWeights Start()
    {
        using var stream = typeof(MixtureWeights).Assembly.GetManifestResourceStream(Resource);
        return stream is null ? Untrained() : Read(stream);
    }

    /// <summary>Weights that have learned nothing: every context is believed a little.</summary>
    public static MixtureWeights Untrained()
    {
        var values = new float[Count];
        var energies = new float[Count];
        Array.Fill(energies, UnlearnedEnergy);
        for (var cell = 0; cell < Experts * Evidences; cell++)
        {
            (values[cell * PerEvidence], values[(cell * PerEvidence) + 1], values[(cell * PerEvidence) + 2]) = (0.3f, 0.15f, 0.05f);
        }

        Reranker.Begin(values.AsSpan(RerankerStart));
        return new(values, energies);
    }

    public MixtureWeights Copy() => new([.. Values], [.. Energies]);

    /// <summary>Where the <see cref="PerEvidence"/> weights of a context begin.</summary>
    /// <param name="expert">The family times the number of kinds, plus the kind.</param>
    /// <param name="evidence">Its cell.</param>
    public static int EvidenceAt(int expert, int evidence) => ((expert * Evidences) + evidence) * PerEvidence;

    /// <summary>The cell of a context that was seen <paramref name="total"/> times with so many different successors.</summary>
    public static int EvidenceOf(long total, long distinct) => 1 + (CountStep(total) * VarietySteps) + (distinct <= 1 ? 0 : distinct <= 2 ? 1 : distinct <= 4 ? 2 : distinct <= 9 ? 3 : 4);

    /// <summary>Where the two weights (bias, slope) of a context under a gate begin.</summary>
    public static int GateAt(int gate, int expert, int value) => GateStart + (((((gate * Experts) + expert) * GateValues) + value) * 2);

    /// <summary>The weight of a candidate by how long ago and how often it was in the text.</summary>
    public static int RecencyAt(SymbolClass its, int distance, int count)
    {
        var step = count == 0 ? 0 : 1 + Math.Min(RecencySteps - 2, int.Log2(Math.Max(1, distance * 2)));
        var times = count <= 1 ? count : count <= 3 ? 2 : count <= 9 ? 3 : count <= 30 ? 4 : 5;
        return RecencyStart + (((((int)its * RecencySteps) + step) * RepetitionSteps) + times);
    }

    /// <summary>The weight of a candidate by how often it occurs in the corpus.</summary>
    public static int FrequencyAt(SymbolClass its, ulong occurrences) =>
        FrequencyStart + ((int)its * FrequencySteps) + (occurrences == 0 ? 0 : Math.Min(FrequencySteps - 1, 1 + (int)ulong.Log2(occurrences)));

    /// <summary>The weight of a candidate's class behind the previous symbol.</summary>
    public static int PairAt(in Symbol previous, SymbolTraits its)
    {
        var before = previous.Traits.IsCommon ? SymbolTraits.Classes + (uint)(previous.Hash % 1000) : (uint)previous.Traits.Class;
        var after = its.IsName && its.IsCommon ? (uint)SymbolTraits.Classes : (uint)its.Class;
        return PairStart + (int)(((before * (SymbolTraits.Classes + 1)) + after) % PairValues);
    }

    /// <summary>The weight of a candidate by what stood around its last use in the text, and what stands before the place now.</summary>
    public static int UseAt(in Symbol beforeUse, in Symbol behindUse, in Symbol previous) =>
        UseStart + 1 + (int)(SymbolHash.Add(SymbolHash.Add(Around(beforeUse), Around(previous)), Around(behindUse)) % (PairValues - 1));

    /// <summary>The same for one that has not been used.</summary>
    public static int Unused => UseStart;

    private static ulong Around(in Symbol symbol) => symbol.Traits.IsCommon ? symbol.Hash : (ulong)symbol.Traits.Class;

    /// <summary>Reads weights that <see cref="Write"/> has written.</summary>
    /// <exception cref="InvalidDataException">They are of another layout.</exception>
    public static MixtureWeights Read(Stream stream)
    {
        using var reader = new BinaryReader(stream);
        if (reader.ReadUInt32() != Magic || reader.ReadUInt64() != Layout || reader.ReadInt32() != Count)
        {
            throw new InvalidDataException("The weights of the mixture are of another layout than this program's. Train them again: npm run weights.");
        }

        return new(ReadHalves(reader), ReadHalves(reader));
    }

    /// <summary>Makes later learning take larger steps again.</summary>
    /// <param name="certainty">0..1: how much of what was learned counts against what will be.</param>
    public void Relax(float certainty)
    {
        foreach (ref var energy in Energies.AsSpan())
        {
            energy = UnlearnedEnergy + ((energy - UnlearnedEnergy) * certainty);
        }
    }

    /// <summary>Writes the weights, rounded to 16 bits.</summary>
    public void Write(Stream stream)
    {
        using var writer = new BinaryWriter(stream);
        writer.Write(Magic);
        writer.Write(Layout);
        writer.Write(Count);
        foreach (var value in Values)
        {
            writer.Write((Half)value);
        }

        foreach (var energy in Energies)
        {
            writer.Write((Half)Math.Min((float)Half.MaxValue, energy));
        }
    }

    // Kinds and their order decide which weight is whose.
    private static ulong Layout => Contexts.All.Aggregate(SymbolHash.Of("3"), (hash, kind) => SymbolHash.Add(hash, SymbolHash.Of(kind.Name)));

    private static float[] ReadHalves(BinaryReader reader)
    {
        var halves = new Half[Count];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(halves.AsSpan()));
        return Array.ConvertAll(halves, half => (float)half);
    }

    private static int CountStep(long count) => count switch
    {
        <= 1 => 0,
        2 => 1,
        3 => 2,
        <= 5 => 3,
        <= 9 => 4,
        <= 19 => 5,
        <= 49 => 6,
        <= 199 => 7,
        <= 1023 => 8,
        _ => 9,
    };
}
