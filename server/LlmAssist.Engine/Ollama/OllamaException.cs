// What can go wrong with Ollama, told apart as far as callers or users act differently.
using System.Text;

namespace LlmAssist.Engine.Ollama;

/// <summary>Why Ollama did not answer as asked.</summary>
public enum OllamaReason
{
    /// <summary>Nobody listens at the endpoint, or the connection broke before an answer began.</summary>
    Unreachable,

    /// <summary>The server does not want us: its rules for hosts and origins, or a password in front of it.</summary>
    Forbidden,

    /// <summary>The model is not installed, or not in the registry it should be pulled from.</summary>
    ModelMissing,

    /// <summary>The model or this version of the server cannot do what was asked.</summary>
    Unsupported,

    /// <summary>Too many requests wait already.</summary>
    Busy,

    /// <summary>The model does not fit into memory.</summary>
    OutOfMemory,

    /// <summary>The server tried and failed: a load that failed, a runner that died.</summary>
    Failed,

    /// <summary>No answer, or no next part of it, within the deadline.</summary>
    TimedOut,

    /// <summary>An answer began and broke off.</summary>
    Interrupted,

    /// <summary>Something answered that does not speak as Ollama does.</summary>
    BadReply,
}

/// <summary>Ollama did not answer as asked: what was found, what was expected, what to do.</summary>
public sealed class OllamaException : UserException
{
    private OllamaException(OllamaReason reason, Phrase phrase, Exception? cause = null)
        : base(phrase, cause) => Reason = reason;

    /// <summary>Why.</summary>
    public OllamaReason Reason { get; }

    /// <summary>Whether it says something about the server as a whole, and not only about this model or request.</summary>
    public bool ConcernsServer => Reason is OllamaReason.Unreachable or OllamaReason.Forbidden or OllamaReason.Busy
        or OllamaReason.TimedOut or OllamaReason.Interrupted or OllamaReason.BadReply;

    internal static OllamaException Unreachable(Uri endpoint, Exception? cause) => new(
        OllamaReason.Unreachable,
        new(
            $"Ollama does not answer at {endpoint}. Start it with 'ollama serve', or correct the setting llmAssist.ollama.endpoint.",
            $"Ollama no responde en {endpoint}. Inícielo con «ollama serve» o corrija el ajuste llmAssist.ollama.endpoint."),
        cause);

    internal static OllamaException TimedOut(Uri endpoint, TimeSpan deadline) => new(
        OllamaReason.TimedOut,
        new(
            $"Ollama at {endpoint} was silent for {Seconds(deadline)} s, longer than it may be. It may be overloaded or stuck: try again, choose a smaller model, or restart Ollama.",
            $"Ollama, en {endpoint}, no ha dado señales durante {Seconds(deadline)} s, más de lo admitido. Puede estar sobrecargado o bloqueado: inténtelo de nuevo, elija un modelo más pequeño o reinicie Ollama."));

    internal static OllamaException Interrupted(Uri endpoint, Exception? cause) => new(
        OllamaReason.Interrupted,
        new(
            $"The answer of Ollama at {endpoint} broke off before its end. Try again; if that happens often, look into Ollama's log.",
            $"La respuesta de Ollama, en {endpoint}, se interrumpió antes del final. Inténtelo de nuevo; si ocurre a menudo, consulte el registro de Ollama."),
        cause);

    internal static OllamaException TooLong(Uri endpoint, int limitBytes) => new(
        OllamaReason.BadReply,
        new(
            $"{endpoint} answered with more than {limitBytes} bytes in one piece, expected was an answer of Ollama. See which program listens there, or correct the setting llmAssist.ollama.endpoint.",
            $"{endpoint} respondió con más de {limitBytes} bytes de una vez y se esperaba una respuesta de Ollama. Compruebe qué programa escucha ahí o corrija el ajuste llmAssist.ollama.endpoint."));

    internal static OllamaException BadReply(Uri endpoint, ReadOnlySpan<byte> found, Exception? cause) =>
        BadReply(endpoint, found.IsEmpty ? new("an empty answer", "una respuesta vacía") : Phrase.Same($"'{Shown(found)}'"), cause);

    internal static OllamaException BadReply(Uri endpoint, Phrase found, Exception? cause = null) => new(
        OllamaReason.BadReply,
        new(
            $"{endpoint} answered with {found.English}, expected was an answer of Ollama. See which program listens there, or correct the setting llmAssist.ollama.endpoint.",
            $"{endpoint} respondió con {found.Spanish} y se esperaba una respuesta de Ollama. Compruebe qué programa escucha ahí o corrija el ajuste llmAssist.ollama.endpoint."),
        cause);

    /// <summary>What the server says is wrong.</summary>
    /// <param name="endpoint">The server.</param>
    /// <param name="status">The HTTP status; 200 for an error in the midst of a stream.</param>
    /// <param name="said">The server's words; null when its reply was none of Ollama's.</param>
    /// <param name="body">The reply, for the case that it was none of Ollama's.</param>
    /// <param name="model">The model that was asked for; null for calls without one.</param>
    internal static OllamaException Told(Uri endpoint, int status, string? said, ReadOnlySpan<byte> body, string? model)
    {
        if (status is 401 or 403 or 407)
        {
            return new(OllamaReason.Forbidden, new(
                $"Ollama at {endpoint} refuses us (status {status}). It accepts requests to a local name or address only, unless OLLAMA_HOST and OLLAMA_ORIGINS allow more: correct the setting llmAssist.ollama.endpoint or these variables.",
                $"Ollama, en {endpoint}, nos rechaza (estado {status}). Solo acepta peticiones a un nombre o una dirección locales, salvo que OLLAMA_HOST y OLLAMA_ORIGINS permitan más: corrija el ajuste llmAssist.ollama.endpoint o esas variables."));
        }

        if (said is null)
        {
            // Ollama answers like this to a path or method that its version does not have.
            return status is 404 or 405
                ? new(OllamaReason.Unsupported, new(
                    $"The server at {endpoint} does not know this call (status {status}). Update Ollama, or correct the setting llmAssist.ollama.endpoint.",
                    $"El servidor de {endpoint} no conoce esta llamada (estado {status}). Actualice Ollama o corrija el ajuste llmAssist.ollama.endpoint."))
                : BadReply(endpoint, body.IsEmpty
                    ? new($"status {status}", $"el estado {status}")
                    : new($"status {status} and '{Shown(body)}'", $"el estado {status} y «{Shown(body)}»"));
        }

        var words = Shown(Encoding.UTF8.GetBytes(said));
        var name = model ?? "?";
        var with = model is null ? Phrase.Same("") : new Phrase($" with the model {model}", $" con el modelo {model}");
        return ReasonOf(status, said) switch
        {
            OllamaReason.ModelMissing when Says(said, "pull model manifest") => new(OllamaReason.ModelMissing, new(
                $"Ollama's registry has no model {name} ({words}). Its models are listed at https://ollama.com/library; mind the tag behind the colon.",
                $"El registro de Ollama no tiene el modelo {name} ({words}). Sus modelos figuran en https://ollama.com/library; fíjese en la etiqueta tras los dos puntos.")),
            OllamaReason.ModelMissing => new(OllamaReason.ModelMissing, new(
                $"Ollama does not have the model {name} ({words}). Get it with 'ollama pull {name}', or choose another.",
                $"Ollama no tiene el modelo {name} ({words}). Descárguelo con «ollama pull {name}» o elija otro.")),
            OllamaReason.OutOfMemory => new(OllamaReason.OutOfMemory, new(
                $"The model {name} does not fit into memory ({words}). Unload another model, or choose a smaller model or context.",
                $"El modelo {name} no cabe en la memoria ({words}). Descargue de la memoria otro modelo o elija un modelo o un contexto más pequeños.")),
            OllamaReason.Busy => new(OllamaReason.Busy, new(
                $"Ollama has too much to do ({words}). Try again in a moment.",
                $"Ollama tiene demasiado trabajo ({words}). Inténtelo de nuevo dentro de un momento.")),
            OllamaReason.TimedOut => new(OllamaReason.TimedOut, new(
                $"Ollama took too long to load the model {name} ({words}). Choose a smaller model, or set OLLAMA_LOAD_TIMEOUT.",
                $"Ollama tardó demasiado en cargar el modelo {name} ({words}). Elija un modelo más pequeño o ajuste OLLAMA_LOAD_TIMEOUT.")),
            OllamaReason.Unsupported => new(OllamaReason.Unsupported, new(
                $"Ollama cannot do this{with.English} ({words}). Choose another model, or update Ollama.",
                $"Ollama no puede hacer esto{with.Spanish} ({words}). Elija otro modelo o actualice Ollama.")),
            _ => new(OllamaReason.Failed, new(
                $"Ollama failed{with.English} ({words}). Try again; if it stays so, look into Ollama's log or choose another model.",
                $"Ollama falló{with.Spanish} ({words}). Inténtelo de nuevo; si persiste, consulte el registro de Ollama o elija otro modelo.")),
        };
    }

    // Statuses come first; errors within a stream, and those of old versions, have their words only.
    private static OllamaReason ReasonOf(int status, string said) => status switch
    {
        404 => OllamaReason.ModelMissing,
        503 or 429 => OllamaReason.Busy,
        _ when Says(said, "requires more system memory", "out of memory", "insufficient memory", "unable to allocate", "failed to allocate", "signal: killed") => OllamaReason.OutOfMemory,
        _ when Says(said, "server busy") => OllamaReason.Busy,
        _ when Says(said, "does not support", "must be of type", "invalid model name", "missing unit in duration") => OllamaReason.Unsupported,
        _ when Says(said, "pull model manifest: file does not exist") || (Says(said, "model '") && Says(said, "' not found")) => OllamaReason.ModelMissing,
        >= 400 and < 500 => OllamaReason.Unsupported,
        _ => OllamaReason.Failed,
    };

    private static bool Says(string said, params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
        {
            if (said.Contains(part, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    // What others wrote goes into one line of ours: bounded, and without anything that could move a cursor.
    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        const int Limit = 200;
        var cut = bytes.Length <= Limit ? bytes : bytes[..Limit];
        var text = new StringBuilder();
        foreach (var rune in Encoding.UTF8.GetString(cut).EnumerateRunes())
        {
            text.Append(Rune.IsControl(rune) || rune == Rune.ReplacementChar ? "·" : rune.ToString());
        }

        return bytes.Length <= Limit ? text.ToString().Trim() : $"{text.ToString().Trim()}…";
    }

    private static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture);
}
