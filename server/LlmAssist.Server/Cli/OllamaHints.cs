// Why Ollama may not be where one looks for it, concluded from the environment. Pure: the world is a parameter.
using LlmAssist.Engine;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Server.Cli;

/// <summary>The part of the world that hints follow from.</summary>
/// <param name="Variable">The environment; null for what is not set.</param>
/// <param name="FileExists">Whether there is a file.</param>
/// <param name="FileText">What a file says; null if it cannot be read.</param>
internal sealed record Surroundings(Func<string, string?> Variable, Func<string, bool> FileExists, Func<string, string?> FileText)
{
    /// <summary>Those of this process.</summary>
    public static Surroundings Of(Func<string, string?> variable) => new(variable, File.Exists, static path =>
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    });
}

/// <summary>What to do so that Ollama is found.</summary>
internal static class OllamaHints
{
    /// <summary>What is wrong with <c>OLLAMA_HOST</c>; null if nothing.</summary>
    public static Phrase? BadVariable(Surroundings surroundings) =>
        surroundings.Variable(OllamaEndpoint.Variable) is { } text && !string.IsNullOrWhiteSpace(text) && OllamaEndpoint.Parse(text) is null
            ? new(
                $"{OllamaEndpoint.Variable} is '{text}', which is no address; expected is HOST, HOST:PORT or http://HOST:PORT. {OllamaEndpoint.Default} is used.",
                $"{OllamaEndpoint.Variable} es «{text}», que no es una dirección; se espera EQUIPO, EQUIPO:PUERTO o http://EQUIPO:PUERTO. Se usa {OllamaEndpoint.Default}.")
            : null;

    /// <summary>What the user must know of an address that is not this machine; null for one that is.</summary>
    public static Phrase? Remote(Uri endpoint) => OllamaEndpoint.IsRemote(endpoint)
        ? new($"code is sent to {endpoint.Host}", $"el código se envía a {endpoint.Host}")
        : null;

    /// <summary>Where Ollama may be instead, if nobody answers at <paramref name="endpoint"/>. The most special first.</summary>
    public static IEnumerable<Phrase> WhenUnreachable(Surroundings surroundings, Uri endpoint)
    {
        if (OllamaEndpoint.IsRemote(endpoint))
        {
            yield return new(
                $"{endpoint.Host} is another machine: Ollama there must listen on the network (OLLAMA_HOST=0.0.0.0), and no firewall may stand between.",
                $"{endpoint.Host} es otra máquina: Ollama debe escuchar allí en la red (OLLAMA_HOST=0.0.0.0) y ningún cortafuegos debe impedirlo.");
            yield break;
        }

        if (IsWsl(surroundings))
        {
            yield return new(
                "This is WSL: 'localhost' of Windows is another one than here, unless .wslconfig has networkingMode=mirrored. If Ollama runs on Windows, set OLLAMA_HOST=0.0.0.0 there and restart it; here use the address of Windows ('ip route show default' shows it), for example --ollama http://ADDRESS:11434.",
                "Esto es WSL: el «localhost» de Windows no es el de aquí, salvo que .wslconfig tenga networkingMode=mirrored. Si Ollama se ejecuta en Windows, ponga allí OLLAMA_HOST=0.0.0.0 y reinícielo; aquí use la dirección de Windows (la muestra «ip route show default»), por ejemplo --ollama http://DIRECCIÓN:11434.");
        }

        if (IsContainer(surroundings))
        {
            yield return new(
                "This is a container: 'localhost' is the container itself. If Ollama runs on the machine outside, use --ollama http://host.docker.internal:11434 (with Docker on Linux start the container with --add-host=host.docker.internal:host-gateway), and let Ollama listen there with OLLAMA_HOST=0.0.0.0.",
                "Esto es un contenedor: «localhost» es el propio contenedor. Si Ollama se ejecuta fuera, en la máquina anfitriona, use --ollama http://host.docker.internal:11434 (con Docker en Linux inicie el contenedor con --add-host=host.docker.internal:host-gateway) y haga que Ollama escuche allí con OLLAMA_HOST=0.0.0.0.");
        }

        if (IsOverSsh(surroundings))
        {
            yield return new(
                "You work on this machine from another one: Ollama must run here, or be forwarded from yours with 'ssh -R 11434:localhost:11434'.",
                "Está trabajando en esta máquina desde otra: Ollama debe ejecutarse aquí, o reenviarse desde la suya con «ssh -R 11434:localhost:11434».");
        }
    }

    private static bool IsWsl(Surroundings surroundings) =>
        IsSet(surroundings, "WSL_DISTRO_NAME") || surroundings.FileText("/proc/version")?.Contains("microsoft", StringComparison.OrdinalIgnoreCase) == true;

    private static bool IsContainer(Surroundings surroundings) =>
        IsSet(surroundings, "KUBERNETES_SERVICE_HOST")
        || IsSet(surroundings, "REMOTE_CONTAINERS")
        || IsSet(surroundings, "CODESPACES")
        || surroundings.FileExists("/.dockerenv")
        || surroundings.FileExists("/run/.containerenv");

    // The last is set by VS Code's server in its terminals; containers and WSL, which have hints of their own, run one too.
    private static bool IsOverSsh(Surroundings surroundings) =>
        IsSet(surroundings, "SSH_CONNECTION")
        || (IsSet(surroundings, "VSCODE_IPC_HOOK_CLI") && !IsWsl(surroundings) && !IsContainer(surroundings));

    private static bool IsSet(Surroundings surroundings, string variable) => surroundings.Variable(variable) is { Length: > 0 };
}
