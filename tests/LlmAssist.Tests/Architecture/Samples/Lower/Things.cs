// The lower of two tiny layers; see Samples/Upper.
namespace LlmAssist.Tests.Architecture.Samples.Lower;

internal class Thing
{
    public const int Constant = 1;
    public static int Field = 1;

    public static void Call()
    {
    }

    public class Nested;
}

internal interface IThing;

internal sealed class ThingException : Exception;

[AttributeUsage(AttributeTargets.All)]
internal sealed class ThingAttribute : Attribute;
