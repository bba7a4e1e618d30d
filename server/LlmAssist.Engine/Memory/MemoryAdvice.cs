// What the readings mean for the user, in words: what is tight, and what to do. Arithmetic and sentences; reads nothing itself.
namespace LlmAssist.Engine.Memory;

/// <summary>Advice, the most pressing first.</summary>
public static class MemoryAdvice
{
    private const double LimitShare = 0.8; // of the machine: beyond it editor, browser and system have too little
    private const double SmallLimitShare = 0.2;

    private static readonly TimeSpan LongIdle = TimeSpan.FromMinutes(30);
    private static readonly ByteSize WorthUnloading = ByteSize.MiB(500);
    private static readonly ByteSize SmallMachine = ByteSize.GiB(12); // below it a small limit is right

    /// <summary>That the user has switched the governor off.</summary>
    public static Phrase OnlyShown { get; } = new(
        "Memory is only shown: llmAssist.memory.enabled is off, so nothing is refused and nothing is taken out.",
        "La memoria solo se muestra: llmAssist.memory.enabled está desactivado, así que no se rechaza ni se saca nada.");

    /// <summary>What there is to say about this moment.</summary>
    /// <param name="reading">The machine.</param>
    /// <param name="budget">What models may take of it.</param>
    /// <param name="residents">What is in memory.</param>
    public static IEnumerable<Phrase> For(MemoryReading reading, MemoryBudget budget, IReadOnlyList<Resident> residents, DateTimeOffset now)
    {
        foreach (var missing in reading.Missing)
        {
            yield return missing;
        }

        var total = residents.Aggregate(ByteSize.Zero, static (sum, resident) => sum + resident.Bytes);
        var largest = residents.Where(static resident => !resident.IsPinned && !resident.IsBusy && WorthUnloading <= resident.Freed)
            .OrderByDescending(static resident => resident.Freed).FirstOrDefault();
        if (budget.Limit < total)
        {
            var stay = string.Join(", ", residents.Where(static resident => resident.IsPinned || resident.IsBusy).Select(static resident => resident.Id.Name));
            yield return new(
                $"Models take {total}, more than the limit of {budget.Limit}.{(stay.Length == 0 ? "" : $" Pinned or in use: {stay}.")} Unload one, or raise llmAssist.memory.limit.",
                $"Los modelos ocupan {total}, más que el límite de {budget.Limit}.{(stay.Length == 0 ? "" : $" Fijados o en uso: {stay}.")} Descargue uno de la memoria o aumente llmAssist.memory.limit.");
        }

        if (reading.System is { } system && system.Available < budget.Reserve)
        {
            yield return largest is null
                ? new(
                    $"Memory is tight: {system.Available} of {system.Total} are left, and models are not the reason. Close programs that you do not need.",
                    $"Queda poca memoria: {system.Available} de {system.Total}, y no es por los modelos. Cierre los programas que no necesite.")
                : new(
                    $"Memory is tight: {system.Available} of {system.Total} are left. Unloading {largest.Id.Name}, last used {Ago(now - largest.LastUsed).English}, frees {largest.Freed}.",
                    $"Queda poca memoria: {system.Available} de {system.Total}. Descargar de la memoria {largest.Id.Name}, usado por última vez {Ago(now - largest.LastUsed).Spanish}, libera {largest.Freed}.");
        }
        else if (largest is not null && LongIdle <= now - largest.LastUsed)
        {
            yield return new(
                $"{largest.Id.Name} was last used {Ago(now - largest.LastUsed).English}; unloading it frees {largest.Freed}.",
                $"{largest.Id.Name} se usó por última vez {Ago(now - largest.LastUsed).Spanish}; descargarlo de la memoria libera {largest.Freed}.");
        }

        if (budget.Pressure is { Some: >= 10 } pressure)
        {
            yield return new(
                $"The system spends {pressure.Some:F0} % of its time waiting for memory.",
                $"El sistema pasa el {pressure.Some:F0} % del tiempo esperando memoria.");
        }

        if (reading.System is { Total: var machine } && OfLimit(budget.Limit, machine) is { } unsuited)
        {
            yield return unsuited;
        }
    }

    /// <summary>Whether a limit suits a machine; null if it does.</summary>
    /// <param name="limit">What models may take.</param>
    /// <param name="machine">All of the machine's memory.</param>
    public static Phrase? OfLimit(ByteSize limit, ByteSize machine)
    {
        var suits = MemoryBudget.Presets.First(preset => preset.Name == MemoryBudget.PresetFor(machine));
        return machine * LimitShare < limit
            ? new(
                $"The limit of {limit} leaves little of this machine's {machine} for other programs; {suits.Name} ({suits.Limit}) suits it.",
                $"El límite de {limit} deja poco de los {machine} de este equipo para otros programas; le conviene {suits.Name} ({suits.Limit}).")
            : SmallMachine <= machine && limit < machine * SmallLimitShare && limit < suits.Limit
            ? new(
                $"This machine has {machine}: the limit of {limit} could be raised to {suits.Name} ({suits.Limit}).",
                $"Este equipo tiene {machine}: el límite de {limit} podría subirse a {suits.Name} ({suits.Limit}).")
            : null;
    }

    /// <summary>Which models that are not in memory fit now, best first; null if there is none to speak of.</summary>
    /// <param name="models">Installed models with what would be said to loading them.</param>
    public static Phrase? Fitting(IEnumerable<(ModelId Id, Verdict Verdict)> models)
    {
        var fitting = models.Select(static model => (model.Id, (model.Verdict as Verdict.Admit)?.Choice))
            .Where(static model => model.Choice is not null)
            .OrderByDescending(static model => model.Choice!.Value.Bytes)
            .Select(static model => (model.Id.Name, Choice: model.Choice!.Value))
            .Take(3)
            .ToList();
        return fitting.Count == 0
            ? null
            : new(
                $"Fits now: {string.Join("; ", fitting.Select(static model => $"{model.Name} with {model.Choice.Tokens} tokens of context ({model.Choice.Bytes})"))}.",
                $"Cabe ahora: {string.Join("; ", fitting.Select(static model => $"{model.Name} con {model.Choice.Tokens} tokens de contexto ({model.Choice.Bytes})"))}.");
    }

    /// <summary>How long ago, as one says it.</summary>
    public static Phrase Ago(TimeSpan age) => age.TotalMinutes < 1
        ? new("just now", "hace un momento")
        : age.TotalHours < 1 ? new($"{age.TotalMinutes:F0} min ago", $"hace {age.TotalMinutes:F0} min")
        : new($"{age.TotalHours:F0} h ago", $"hace {age.TotalHours:F0} h");

    /// <summary>What happened to a model, in a word or a few.</summary>
    public static Phrase NameOf(MemoryEventKind kind) => kind switch
    {
        MemoryEventKind.Load => new("loaded", "cargado"),
        MemoryEventKind.Unload => new("unloaded", "descargado"),
        MemoryEventKind.Evict => new("taken out for room", "sacado por falta de sitio"),
        MemoryEventKind.Refuse => new("refused", "rechazado"),
        MemoryEventKind.Expire => new("left by itself", "salió por sí solo"),
        _ => new("died", "dejó de funcionar"),
    };
}
