// A small network that looks at the best candidates once more, at all that is known about each at a time.
using System.Numerics;
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// One hidden layer of leaky rectifiers over the inputs of a candidate and the vectors of five symbols around it; what it says is added to the
/// candidate's score. Its weights are a part of <see cref="MixtureWeights"/> and learn on by AdaGrad. Reused; touched by one thread at a time.
/// </summary>
internal sealed class Reranker
{
    /// <summary>How many of the best candidates are looked at.</summary>
    public const int Rows = 10;

    /// <summary>How many symbols have a vector among the inputs.</summary>
    public const int Vectors = 5;

    /// <summary>Numbers about a candidate beside those of the contexts.</summary>
    public const int Numbers = 32;

    private const int VectorLength = 8;
    private const int Hidden = 32;
    private const float Leak = 0.05f;
    private const float LearningRate = 0.02f;
    private const float LeastGradient = 5e-3f;

    private static readonly int Width = ((2 * MixtureWeights.Families * Contexts.Kinds) + Numbers + 7) / 8 * 8;
    private static readonly int Inputs = Width + (Vectors * VectorLength);
    private static readonly int BiasStart = Hidden * Inputs;
    private static readonly int OutputStart = BiasStart + Hidden;
    private static readonly int VectorStart = OutputStart + Hidden;

    private readonly float[] _inputs = new float[Rows * Inputs];
    private readonly float[] _hidden = new float[Rows * Hidden];
    private readonly float[] _gradient = new float[OutputStart + Hidden];
    private readonly float[] _inputGradient = new float[Inputs];
    private readonly int[] _vectors = new int[Rows * Vectors];

    /// <summary>How many weights there are.</summary>
    public static readonly int Weights = VectorStart + (Vectors * MixtureWeights.GateValues * VectorLength);

    /// <summary>Sets weights that have learned nothing: small, different from each other, and always the same.</summary>
    public static void Begin(Span<float> weights)
    {
        var state = 1UL;
        float Next(float range)
        {
            state = SymbolHash.Finish(state + 0x9E3779B97F4A7C15UL);
            return (((state >> 40) / (float)(1 << 24)) - 0.5f) * range;
        }

        for (var index = 0; index < weights.Length; index++)
        {
            weights[index] = index < BiasStart ? Next(2 / MathF.Sqrt(Inputs))
                : index < OutputStart ? 0
                : index < VectorStart ? Next(0.1f)
                : Next(0.5f);
        }
    }

    /// <summary>The inputs of a row, to be filled: two numbers for each context, then <see cref="Numbers"/> others. Cleared.</summary>
    public Span<float> Row(int row)
    {
        var inputs = _inputs.AsSpan(row * Inputs, Width);
        inputs.Clear();
        return inputs;
    }

    /// <summary>Sets one number of a row.</summary>
    public void Set(int row, int input, float value) => _inputs[(row * Inputs) + input] = value;

    /// <summary>The symbols of a row, to be filled with numbers below <see cref="MixtureWeights.GateValues"/>.</summary>
    public Span<int> VectorsOf(int row) => _vectors.AsSpan(row * Vectors, Vectors);

    /// <summary>What the network says of a row.</summary>
    public float Output(int row, ReadOnlySpan<float> weights)
    {
        var inputs = _inputs.AsSpan(row * Inputs, Inputs);
        for (var vector = 0; vector < Vectors; vector++)
        {
            weights.Slice(VectorAt(row, vector), VectorLength).CopyTo(inputs[(Width + (vector * VectorLength))..]);
        }

        var output = 0f;
        for (var unit = 0; unit < Hidden; unit++)
        {
            var sum = Dot(weights.Slice(unit * Inputs, Inputs), inputs) + weights[BiasStart + unit];
            sum = sum < 0 ? sum * Leak : sum;
            _hidden[(row * Hidden) + unit] = sum;
            output += sum * weights[OutputStart + unit];
        }

        return output;
    }

    /// <summary>Learns from how far the probabilities of the rows were off.</summary>
    /// <param name="errors">For each row its probability, less one for the right one.</param>
    public void Learn(ReadOnlySpan<float> errors, Span<float> weights, Span<float> energies)
    {
        var any = false;
        for (var row = 0; row < errors.Length; row++)
        {
            if (LeastGradient < MathF.Abs(errors[row]))
            {
                if (!any)
                {
                    Array.Clear(_gradient);
                    any = true;
                }

                Collect(row, errors[row], weights, energies);
            }
        }

        if (any)
        {
            Step(_gradient, weights[.._gradient.Length], energies[.._gradient.Length]);
        }
    }

    private void Collect(int row, float error, Span<float> weights, Span<float> energies)
    {
        var inputs = _inputs.AsSpan(row * Inputs, Inputs);
        Array.Clear(_inputGradient);
        for (var unit = 0; unit < Hidden; unit++)
        {
            var value = _hidden[(row * Hidden) + unit];
            _gradient[OutputStart + unit] += error * value;
            var own = error * weights[OutputStart + unit] * (value < 0 ? Leak : 1);
            _gradient[BiasStart + unit] += own;
            AddScaled(_gradient.AsSpan(unit * Inputs, Inputs), own, inputs);
            AddScaled(_inputGradient.AsSpan(Width), own, weights.Slice((unit * Inputs) + Width, Inputs - Width));
        }

        for (var vector = 0; vector < Vectors; vector++)
        {
            var at = VectorAt(row, vector);
            Step(_inputGradient.AsSpan(Width + (vector * VectorLength), VectorLength), weights.Slice(at, VectorLength), energies.Slice(at, VectorLength));
        }
    }

    private int VectorAt(int row, int vector) =>
        VectorStart + (((vector * MixtureWeights.GateValues) + _vectors[(row * Vectors) + vector]) * VectorLength);

    private static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var lefts = MemoryMarshal.Cast<float, Vector<float>>(left);
        var rights = MemoryMarshal.Cast<float, Vector<float>>(right);
        var sum = Vector<float>.Zero;
        for (var index = 0; index < lefts.Length; index++)
        {
            sum += lefts[index] * rights[index];
        }

        return Vector.Sum(sum);
    }

    private static void AddScaled(Span<float> sums, float factor, ReadOnlySpan<float> values)
    {
        var into = MemoryMarshal.Cast<float, Vector<float>>(sums);
        var from = MemoryMarshal.Cast<float, Vector<float>>(values);
        var scale = new Vector<float>(factor);
        for (var index = 0; index < into.Length; index++)
        {
            into[index] += scale * from[index];
        }
    }

    private static void Step(ReadOnlySpan<float> gradient, Span<float> weights, Span<float> energies)
    {
        var gradients = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var values = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var sums = MemoryMarshal.Cast<float, Vector<float>>(energies);
        var rate = new Vector<float>(LearningRate);
        for (var index = 0; index < gradients.Length; index++)
        {
            sums[index] += gradients[index] * gradients[index];
            values[index] -= rate * gradients[index] / Vector.SquareRoot(sums[index]);
        }
    }
}
