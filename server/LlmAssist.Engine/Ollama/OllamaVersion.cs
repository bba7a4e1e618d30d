// The version a server reports, and what one may conclude from it.
using System.Globalization;

namespace LlmAssist.Engine.Ollama;

/// <summary>A version of Ollama, such as <c>0.12.6</c> or <c>0.33.0-rc2</c>.</summary>
/// <param name="Text">As the server wrote it.</param>
public readonly record struct OllamaVersion(string Text)
{
    /// <summary>
    /// Whether this version has what came with the given one. A pre-release counts as its release. True for builds from
    /// source, which report 0.0.0, and for what is no version: who builds by hand or renames has something recent.
    /// </summary>
    public bool Has(int major, int minor, int patch) => Numbers() is not { } numbers || (major, minor, patch).CompareTo(numbers) <= 0;

    public override string ToString() => Text;

    private (int Major, int Minor, int Patch)? Numbers()
    {
        var release = Text.Trim().TrimStart('v', 'V').Split('-', '+')[0];
        Span<int> numbers = [0, 0, 0];
        var index = 0;
        foreach (var part in release.Split('.'))
        {
            if (index == numbers.Length)
            {
                break;
            }

            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out numbers[index++]))
            {
                return null;
            }
        }

        return (numbers[0], numbers[1], numbers[2]) is var parsed && parsed == (0, 0, 0) ? null : parsed;
    }
}
