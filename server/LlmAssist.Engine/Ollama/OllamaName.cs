// Names of models as Ollama understands them. Which models exist is the server's affair.
namespace LlmAssist.Engine.Ollama;

/// <summary>Model names have the form <c>[host/][namespace/]model[:tag]</c>, with defaults for all but the model.</summary>
public static class OllamaName
{
    private const string DefaultHost = "registry.ollama.ai/";
    private const string DefaultNamespace = "library/";
    private const string DefaultTag = ":latest";

    /// <summary>
    /// The one spelling of a name: lowercase, without the default host and namespace, always with a tag. Two names mean the
    /// same model if and only if their normal forms are equal. Nothing is checked: the server refuses what is no name.
    /// </summary>
    public static string Normalize(string name)
    {
        var normal = name.Trim().ToLowerInvariant();
        normal = WithoutStart(normal, DefaultHost);
        normal = WithoutStart(normal, DefaultNamespace);

        // A colon before the last slash belongs to the port of a host.
        return normal.LastIndexOf('/') < normal.LastIndexOf(':') ? normal : normal + DefaultTag;
    }

    // A digest is written with and without its algorithm, depending on the call.
    internal static string NormalizeDigest(string? digest) =>
        digest is null ? "" : WithoutStart(digest.Trim().ToLowerInvariant(), "sha256:");

    private static string WithoutStart(string text, string start) =>
        text.StartsWith(start, StringComparison.Ordinal) ? text[start.Length..] : text;
}
