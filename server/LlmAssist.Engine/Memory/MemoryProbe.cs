// Reads the memory of the machine at hand. One file per operating system beside this one; no arithmetic of budgets here.
using System.Runtime.InteropServices;

namespace LlmAssist.Engine.Memory;

/// <summary>Tells how much memory there is. Any thread may ask.</summary>
public interface IMemoryProbe
{
    /// <summary>
    /// The memory at this moment. Never throws; costs well below a millisecond, so it may be asked for every status.
    /// </summary>
    MemoryReading Read();
}

/// <summary>The probes.</summary>
public static partial class MemoryProbe
{
    /// <summary>The probe for the operating system we run on.</summary>
    public static IMemoryProbe ForThisMachine() =>
        OperatingSystem.IsLinux() ? new Linux()
        : OperatingSystem.IsWindows() ? new Windows()
        : OperatingSystem.IsMacOS() ? new MacOS()
        : new Unknown();

    private static MemoryReading ReadingOf(SystemMemory? system, ProcessMemory? process, Phrase noSystem, Phrase noProcess)
    {
        IReadOnlyList<Phrase> missing = (system, process) switch
        {
            (null, null) => [noSystem, noProcess],
            (null, _) => [noSystem],
            (_, null) => [noProcess],
            _ => [],
        };
        return new(system, process, missing);
    }

    private static Phrase NoSystem(string source) => new(
        $"How much memory this machine has is unknown: {source} did not tell. Expected its total and what is available; models are not checked against it until it can be read.",
        $"No se sabe cuánta memoria tiene este equipo: {source} no lo indicó. Se esperaban el total y lo disponible; los modelos no se comprueban contra ella mientras no se pueda leer.");

    private static Phrase NoProcess(string source) => new(
        $"How much memory this server itself uses is unknown: {source} did not tell. Nothing else is affected; your system's process list shows it.",
        $"No se sabe cuánta memoria usa este servidor: {source} no lo indicó. No afecta a nada más; la lista de procesos del sistema la muestra.");

    /// <summary>For systems we do not know.</summary>
    internal sealed class Unknown : IMemoryProbe
    {
        private readonly MemoryReading _nothing = ReadingOf(null, null, NoSystem(RuntimeInformation.OSDescription), NoProcess(RuntimeInformation.OSDescription));

        public MemoryReading Read() => _nothing;
    }
}
