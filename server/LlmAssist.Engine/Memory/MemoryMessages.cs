// What users are told of models that come, leave and are not let in. One place, so that the page that lists them can be held against it.
namespace LlmAssist.Engine.Memory;

/// <summary>Sentences about models in memory. Advice about the machine is in <see cref="MemoryAdvice"/>.</summary>
public static class MemoryMessages
{
    /// <summary>Why something was unloaded, or a model without a context was loaded.</summary>
    public static Phrase Asked { get; } = new("It was asked for.", "Se pidió.");

    /// <summary>Why something was loaded that we have not loaded.</summary>
    public static Phrase LoadedByOthers { get; } = new("Another program loaded it.", "Lo cargó otro programa.");

    /// <summary>Why something crashed.</summary>
    public static Phrase ProcessDied { get; } = new("Its process has died; Ollama still lists it.", "Su proceso ha terminado; Ollama aún lo muestra.");

    /// <summary>Why something left by itself.</summary>
    public static Phrase StayedUnused { get; } = new("It was not used for as long as it may stay.", "No se usó durante el tiempo que puede permanecer.");

    /// <summary>Why something left that neither expired nor was told to by us.</summary>
    public static Phrase LeftOtherwise { get; } = new(
        "Ollama needed the room, another program stopped it, or Ollama was restarted.",
        "Ollama necesitaba el sitio, otro programa lo detuvo o Ollama se reinició.");

    /// <summary>Why something was loaded.</summary>
    public static Phrase AskedWith(int contextTokens) => contextTokens == 0
        ? Asked
        : new($"It was asked for, with {contextTokens} tokens of context.", $"Se pidió, con {contextTokens} tokens de contexto.");

    /// <summary>Why something was taken out for a load.</summary>
    public static Phrase RoomFor(ModelId newcomer) => new($"To make room for {newcomer.Name}.", $"Para hacer sitio a {newcomer.Name}.");

    /// <summary>Why something was taken out after a load.</summary>
    public static Phrase TakesMore(ModelId newcomer) => new($"{newcomer.Name} takes more than was expected.", $"{newcomer.Name} ocupa más de lo previsto.");

    /// <summary>Why something was taken out though we load nothing.</summary>
    public static Phrase Relieved(ReliefCause cause) => cause switch
    {
        ReliefCause.AboveLimit => new("Models were above the limit.", "Los modelos superaban el límite."),
        ReliefCause.LowMemory => new("The machine was short of memory.", "Al equipo le faltaba memoria."),
        _ => new("The system was waiting for memory.", "El sistema estaba esperando memoria."),
    };

    /// <summary>Why a model was not let in, and what to do.</summary>
    /// <param name="limit">The limit that holds.</param>
    /// <param name="pinned">Models that stay because the user wants them to.</param>
    public static Phrase Refused(Newcomer newcomer, Verdict.Refuse verdict, ByteSize limit, IReadOnlyList<ModelId> pinned)
    {
        var name = newcomer.Id.Name;
        var smallest = newcomer.Choices[^1];
        var isFixed = !newcomer.IsContextFree && smallest.Tokens != 0;
        var with = isFixed ? new Phrase($" with {smallest.Tokens} tokens of context", $" con {smallest.Tokens} tokens de contexto") : new("", "");
        var smaller = isFixed
            ? new Phrase("Choose a smaller context (llmAssist.memory.context), a smaller model or quantization", "Elija un contexto menor (llmAssist.memory.context), un modelo o una cuantización más pequeños")
            : new("Choose a smaller model or quantization", "Elija un modelo o una cuantización más pequeños");
        var names = string.Join(", ", pinned.Select(static id => id.Name).Order(StringComparer.Ordinal));
        var unpin = names.Length == 0 ? new Phrase("", "") : new($", unpin {names}", $", quite la fijación de {names}");
        return limit < verdict.Needed
            ? new(
                $"{name} was not loaded: it needs {verdict.Needed}{with.English}, more than the limit of {limit}. {smaller.English}, or raise llmAssist.memory.limit.",
                $"{name} no se cargó: necesita {verdict.Needed}{with.Spanish}, más que el límite de {limit}. {smaller.Spanish} o aumente llmAssist.memory.limit.")
            : verdict.IsByLimit
            ? new(
                $"{name} was not loaded: it needs {verdict.Needed}{with.English}, and of the limit of {limit} no more than {verdict.Room} can be had. {smaller.English}{unpin.English}, or raise llmAssist.memory.limit.",
                $"{name} no se cargó: necesita {verdict.Needed}{with.Spanish} y del límite de {limit} no se pueden obtener más de {verdict.Room}. {smaller.Spanish}{unpin.Spanish} o aumente llmAssist.memory.limit.")
            : new(
                $"{name} was not loaded: it needs {verdict.Needed}{with.English}, and the machine can spare no more than {verdict.Room} without running short. {smaller.English}{unpin.English}, or close other programs.",
                $"{name} no se cargó: necesita {verdict.Needed}{with.Spanish} y el equipo no puede ceder más de {verdict.Room} sin quedarse corto. {smaller.Spanish}{unpin.Spanish} o cierre otros programas.");
    }

    /// <summary>The end of a refusal: what can be loaded in its place; null for nothing.</summary>
    /// <param name="smaller">The model itself with a smaller context than is fixed; null if that does not fit either.</param>
    /// <param name="others">Other models that fit, <see cref="MemoryAdvice.Fitting"/>; null for none.</param>
    public static Phrase? Instead(ContextChoice? smaller, Phrase? others)
    {
        var own = smaller is { } choice
            ? new Phrase($"With {choice.Tokens} tokens of context ({choice.Bytes}) it fits.", $"Con {choice.Tokens} tokens de contexto ({choice.Bytes}) cabe.")
            : default(Phrase?);
        return own is { } first && others is { } second ? new($"{first.English} {second.English}", $"{first.Spanish} {second.Spanish}") : own ?? others;
    }

    /// <summary>A refusal with its end, if it has one.</summary>
    public static Phrase WithInstead(Phrase refusal, Phrase? instead) =>
        instead is { } end ? new($"{refusal.English} {end.English}", $"{refusal.Spanish} {end.Spanish}") : refusal;

    /// <summary>A model was loaded, took more than was predicted, and had to leave at once.</summary>
    public static Phrase UnloadedAgain(ModelId id, ByteSize expected, ByteSize limit) => new(
        $"{id.Name} was unloaded again: it took more than the {expected} that were expected, and with it models were above the limit of {limit}. Choose a smaller model or raise llmAssist.memory.limit.",
        $"{id.Name} se volvió a descargar de la memoria: ocupaba más de los {expected} previstos y con él los modelos superaban el límite de {limit}. Elija un modelo más pequeño o aumente llmAssist.memory.limit.");

    /// <summary>What happened, in a sentence or two, with its reason.</summary>
    public static Phrase Line(MemoryEvent happened)
    {
        var name = happened.Id.Name;
        var size = happened.Bytes == ByteSize.Zero ? "" : $" ({happened.Bytes})";
        var (english, spanish) = happened.Reason;
        return happened.Kind switch
        {
            MemoryEventKind.Load => new($"{name}{size} was loaded. {english}", $"{name}{size} se cargó. {spanish}"),
            MemoryEventKind.Unload => new($"{name}{size} was unloaded. {english}", $"{name}{size} se descargó de la memoria. {spanish}"),
            MemoryEventKind.Evict => new($"LLM Assist took {name}{size} out of memory. {english}", $"LLM Assist sacó {name}{size} de la memoria. {spanish}"),
            MemoryEventKind.Refuse => happened.Reason,
            MemoryEventKind.Expire => new($"{name}{size} has left memory. {english}", $"{name}{size} ha salido de la memoria. {spanish}"),
            _ => new(
                $"{name} has died. {english} Load it again; if that happens often, look into Ollama's log.",
                $"{name} ha dejado de funcionar. {spanish} Cárguelo de nuevo; si ocurre a menudo, consulte el registro de Ollama."),
        };
    }

    /// <summary>A load waits for that of another window.</summary>
    public static Phrase Waits(ModelId id, ModelId other) => new(
        $"{id.Name} waits: another window is loading {other.Name}.",
        $"{id.Name} espera: otra ventana está cargando {other.Name}.");

    /// <summary>A load was given up because this process stood still while it held the turn.</summary>
    public static Phrase Overtaken(ModelId id) => new(
        $"{id.Name} was not loaded: this process stood still for some seconds, and another window has taken its turn to load. Try again.",
        $"{id.Name} no se cargó: este proceso estuvo parado unos segundos y otra ventana tomó su turno para cargar. Inténtelo de nuevo.");

    /// <summary>A model is to be asked that is not in memory any more.</summary>
    public static Phrase HasLeft(ModelId id) => new(
        $"{id.Name} has left memory; it is loaded again when there is room.",
        $"{id.Name} ha salido de la memoria; se vuelve a cargar cuando haya sitio.");

    /// <summary>A model does not leave.</summary>
    /// <param name="patience">How long ago it was told to.</param>
    public static Phrase StillThere(ModelId id, TimeSpan patience) => new(
        $"{id.Name} was told to leave {patience.TotalSeconds:F0} s ago and is still in memory: it may be answering somebody. Try again, or restart Ollama.",
        $"Se pidió a {id.Name} que saliera hace {patience.TotalSeconds:F0} s y sigue en memoria: quizá esté respondiendo a alguien. Inténtelo de nuevo o reinicie Ollama.");

    /// <summary>Advice where the server is too old to tell what it has in memory.</summary>
    public static Phrase TooOld { get; } = new(
        "This Ollama is too old to tell what it has in memory (before 0.1.38): only what LLM Assist has loaded is counted. Update Ollama.",
        "Este Ollama es demasiado antiguo para decir qué tiene en memoria (anterior a 0.1.38): solo se cuenta lo que ha cargado LLM Assist. Actualice Ollama.");

    /// <summary>Advice about a model that was told to leave long ago.</summary>
    public static Phrase Stuck(ModelId id, ByteSize bytes) => new(
        $"{id.Name} was told to leave and stays in memory: it answers somebody, or hangs. Restarting Ollama frees {bytes}.",
        $"Se pidió a {id.Name} que saliera y sigue en memoria: responde a alguien o está bloqueado. Reiniciar Ollama libera {bytes}.");

    /// <summary>Advice about a model whose process has died.</summary>
    public static Phrase Dead(ModelId id) => new(
        $"The process of {id.Name} has died; it takes no memory, though Ollama lists it. Loading it again starts a new one.",
        $"El proceso de {id.Name} ha terminado; no ocupa memoria, aunque Ollama lo muestra. Al cargarlo de nuevo se inicia otro.");

    /// <summary>The end of an answer to a load: what was taken out for it.</summary>
    /// <param name="evicted">Names with sizes.</param>
    public static Phrase TakenOut(string evicted) => evicted.Length == 0
        ? new("", "")
        : new($" Taken out of memory for it: {evicted}.", $" Se sacó de la memoria para ello: {evicted}.");

    /// <summary>The question a while after another model was chosen.</summary>
    public static Phrase UnloadFormer(Resident former) => new(
        $"{former.Id.Name} is no longer asked and takes {former.Bytes} of memory. Unload it?",
        $"A {former.Id.Name} ya no se le pregunta y ocupa {former.Bytes} de memoria. ¿Descargarlo de la memoria?");
}
