// Names of models as the server reads them: [host/][namespace/]model[:tag]. Not the client's code on purpose: the stand-in has
// to be right where the client is wrong.
using System.Text;
using System.Text.RegularExpressions;

namespace LlmAssist.FakeOllama;

internal static partial class ModelNames
{
    private const string Registry = "registry.ollama.ai/";
    private const string Library = "library/";

    /// <summary>The form in which the server lists a model, in small letters; the same for all spellings of one model.</summary>
    public static string Normal(string name)
    {
        var rest = name.Trim().ToLowerInvariant();
        rest = rest.StartsWith(Registry, StringComparison.Ordinal) ? rest[Registry.Length..] : rest;
        rest = rest.StartsWith(Library, StringComparison.Ordinal) ? rest[Library.Length..] : rest;
        return rest.LastIndexOf(':') <= rest.LastIndexOf('/') ? rest + ":latest" : rest;
    }

    /// <summary>The form with everything in it, as some errors have it.</summary>
    public static string Full(string name)
    {
        var normal = Normal(name);
        return normal.Count(unit => unit == '/') switch
        {
            0 => Registry + Library + normal,
            1 => Registry + normal,
            _ => normal,
        };
    }

    /// <summary>Whether the server can read a name at all.</summary>
    public static bool IsValid(string name) => Valid().IsMatch(name.Trim());

    /// <summary>The digest of a model that was given none.</summary>
    public static string DigestOf(FakeModel model) =>
        model.Digest ?? Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Normal(model.Name))));

    /// <summary>Where the weights of a model are. Models with one digest are one model, so they have one place.</summary>
    public static string BlobPath(FakeModel model) => $"/var/lib/ollama/blobs/sha256-{model.Blob ?? DigestOf(model)}";

    [GeneratedRegex(@"^(?:(?:[A-Za-z0-9_][\w.:-]{0,349}/)?[A-Za-z0-9_][\w-]{0,79}/)?[A-Za-z0-9_][\w.-]{0,79}(?::[A-Za-z0-9_][\w.-]{0,79})?$", RegexOptions.ECMAScript)]
    private static partial Regex Valid();
}
