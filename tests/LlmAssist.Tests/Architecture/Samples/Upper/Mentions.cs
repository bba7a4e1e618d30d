// The upper of two tiny layers: mentions Samples/Lower once in every way that C# knows. LayerTests must find them all.
using LlmAssist.Tests.Architecture.Samples.Lower;

#pragma warning disable CS0169, IDE0044, IDE0051 // Samples are there to be read, not to run.

namespace LlmAssist.Tests.Architecture.Samples.Upper;

internal sealed class ByBase : Thing;

internal sealed class ByInterface : IThing;

internal sealed class ByField
{
    private Thing? _field;
}

internal sealed class ByGenericField
{
    private Dictionary<string, Thing[]>? _field;
}

internal sealed class ByProperty
{
    public Thing? Property => null;
}

internal sealed class ByParameter
{
    public void Method(ref Thing parameter) => ArgumentNullException.ThrowIfNull(parameter);
}

internal sealed class ByConstraint<T>
    where T : IThing;

internal sealed class ByMethodConstraint
{
    public void Method<T>()
        where T : Thing
    {
    }
}

internal sealed class ByStaticCall
{
    public void Method() => Thing.Call();
}

internal sealed class ByStaticField
{
    public int Method() => Thing.Field;
}

internal sealed class ByNew
{
    public object Method() => new Thing();
}

internal sealed class ByNested
{
    public object Method() => new Thing.Nested();
}

internal sealed class ByTypeOf
{
    public string Method() => typeof(Thing).Name;
}

internal sealed class ByCast
{
    public bool Method(object value) => value is Thing;
}

internal sealed class ByCatch
{
    public void Method()
    {
        try
        {
            GC.Collect(0);
        }
        catch (ThingException)
        {
            throw;
        }
    }
}

internal sealed class ByGenericCall
{
    public object Method() => Array.Empty<Thing>();
}

internal sealed class ByAttribute
{
    [Thing]
    public void Method()
    {
    }
}

internal sealed class ByLambda
{
    public Action Method(int times) => () =>
    {
        if (0 < times)
        {
            Thing.Call();
        }
    };
}

internal sealed class ByIterator
{
    public IEnumerable<int> Method()
    {
        yield return Thing.Field;
    }
}

internal sealed class ByAsync
{
    public async Task MethodAsync()
    {
        await Task.Yield();
        Thing.Call();
    }
}

internal sealed class BehindSwitch
{
    // A jump table and long operands before the mention: the reader must not lose its place.
    public double Method(int value)
    {
        var result = value switch { 0 => 1.5, 1 => 2.5, 2 => 3.5, 3 => 4.5, _ => long.MaxValue + (double)value };
        Thing.Call();
        return result;
    }
}

internal sealed class NotAtAll
{
    public string Method() => "Thing " + Thing.Constant + nameof(Thing);
}
