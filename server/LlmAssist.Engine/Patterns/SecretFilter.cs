// What must never be learned because it opens a door. Judges names and text by their looks; reads no files.
using System.Buffers;
using System.Text.RegularExpressions;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// Tells secrets from ordinary code by their looks. It errs on the side of silence: a hash that it takes for a key costs
/// nothing, because nobody wants either completed.
/// </summary>
public static partial class SecretFilter
{
    // Shorter runs are too short to tell chance from words.
    private const int LeastBlobLength = 20;
    private const int LeastHexLength = 32;
    private const int LeastPieceLength = 13;

    private static readonly SearchValues<char> BlobCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-");

    private static readonly HashSet<string> SecretNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ".npmrc", ".yarnrc", ".netrc", "_netrc", ".pypirc", ".pgpass", ".my.cnf", ".htpasswd", ".git-credentials", ".dockercfg",
        ".dockerconfigjson", ".s3cfg", ".boto", ".vault-token", ".vault_pass", ".terraformrc", "kubeconfig", "credentials",
        "credentials.json", "credentials.yml", "credentials.yaml", "credentials.xml", "credentials.toml", "credentials.tfrc.json",
        "secrets.json", "secrets.yml", "secrets.yaml", "secrets.toml", "secrets.xml", "secret.json", "secret.yml", "secret.yaml",
        "appsettings.secrets.json", "local.settings.json", "terraform.tfstate", "master.key", "wp-config.php",
        "service-account.json", "service_account.json", "serviceaccount.json", "google-services.json", "auth.json",
    };

    private static readonly HashSet<string> SecretExtensions = new(StringComparer.OrdinalIgnoreCase)
    {
        ".pem", ".key", ".pfx", ".p12", ".p8", ".jks", ".keystore", ".kdbx", ".kdb", ".ppk", ".gpg", ".asc", ".ovpn", ".tfstate",
        ".tfvars", ".publishsettings", ".mobileprovision", ".cer", ".crt", ".der", ".credentials", ".secret", ".secrets",
    };

    private static readonly string[] SecretPaths = ["/.kube/config", "/.docker/config.json", "/.aws/config", "/.ssh/", "/.gnupg/"];

    private static readonly string[] KeyNames = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];

    /// <summary>Whether a file by this name is likely to hold secrets. Looks at the name and its last folders only.</summary>
    public static bool IsSecretFile(string path)
    {
        var name = path.AsSpan(path.AsSpan().LastIndexOfAny('/', '\\') + 1);
        if (name.StartsWith(".env", StringComparison.OrdinalIgnoreCase) && (name.Length == 4 || name[4] is '.' or '-' or '_'))
        {
            return !IsTemplate(name);
        }

        if (name.EndsWith(".env", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        foreach (var keyName in KeyNames)
        {
            if (name.StartsWith(keyName, StringComparison.OrdinalIgnoreCase) && !(keyName.Length < name.Length && char.IsAsciiLetter(name[keyName.Length])))
            {
                return true;
            }
        }

        if ((name.StartsWith("client_secret", StringComparison.OrdinalIgnoreCase) || name.StartsWith("service-account", StringComparison.OrdinalIgnoreCase))
            && name.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var slashed = '/' + path.Replace('\\', '/');
        return SecretNames.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name)
            || SecretExtensions.GetAlternateLookup<ReadOnlySpan<char>>().Contains(Path.GetExtension(name))
            || SecretPaths.Any(part => slashed.Contains(part, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>
    /// Whether a string literal (with or without its quotes), number or name looks like a key, token or password: by a
    /// prefix that some provider gives its keys, by being a long run of characters as only chance makes them, or by standing
    /// where a URL or connection string has its password. UUIDs, paths, format strings and sentences are none.
    /// </summary>
    public static bool IsSecretLiteral(ReadOnlySpan<char> literal)
    {
        if (literal.Length < 12)
        {
            return false;
        }

        if (HasPassword(literal) || HoldsPrivateKey(literal))
        {
            return true;
        }

        var rest = literal;
        while (rest.IndexOfAny(BlobCharacters) is var start && 0 <= start)
        {
            rest = rest[start..];
            var length = rest.IndexOfAnyExcept(BlobCharacters);
            var run = length < 0 ? rest : rest[..length];
            if (IsKnownKey(rest, run) || IsBlob(run))
            {
                return true;
            }

            rest = rest[run.Length..];
        }

        return false;
    }

    /// <summary>
    /// Whether the text holds a private key: its PEM or PGP header with something like a key behind it. Code that only
    /// mentions the header is not meant.
    /// </summary>
    public static bool HoldsPrivateKey(ReadOnlySpan<char> text)
    {
        const int HeaderSpace = 400;
        const int LeastKeyRun = 32;
        const string Begin = "-----BEGIN ";
        while (text.IndexOf(Begin) is var begin && 0 <= begin)
        {
            text = text[(begin + Begin.Length)..];
            var header = text[..Math.Min(48, text.Length)];
            var end = header.IndexOf("PRIVATE KEY");
            if (end < 0)
            {
                continue;
            }

            var body = text.Slice(end, Math.Min(HeaderSpace, text.Length - end));
            var run = 0;
            foreach (var character in body)
            {
                run = char.IsAsciiLetterOrDigit(character) || character is '+' or '/' ? run + 1 : 0;
                if (run == LeastKeyRun)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool IsTemplate(ReadOnlySpan<char> name) =>
        name.EndsWith(".example", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".sample", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".template", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".dist", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".defaults", StringComparison.OrdinalIgnoreCase);

    // Where providers document a fixed prefix. rest goes on behind the run, for prefixes that hold a dot.
    private static bool IsKnownKey(ReadOnlySpan<char> rest, ReadOnlySpan<char> run)
    {
        if (run.Length < 2)
        {
            return false;
        }

        return run[0] switch
        {
            'A' => (run.Length == 20 && (run.StartsWith("AKIA") || run.StartsWith("ASIA")) && !run[4..].ContainsAnyExceptInRange('0', 'Z'))
                || (run.StartsWith("AIza") && 35 <= run.Length),
            'd' => IsKeyWith("dop_v1_", run),
            'e' => run.StartsWith("eyJ") && 16 <= run.Length && HasDigit(run) && (20 <= run.Length || (run.Length < rest.Length && rest[run.Length] == '.')),
            'g' => IsKeyWith("ghp_", run) || IsKeyWith("gho_", run) || IsKeyWith("ghu_", run) || IsKeyWith("ghs_", run) || IsKeyWith("ghr_", run)
                || IsKeyWith("github_pat_", run) || IsKeyWith("glpat-", run),
            'h' => IsKeyWith("hf_", run),
            'n' => IsKeyWith("npm_", run),
            'p' => IsKeyWith("pypi-", run),
            'r' => IsKeyWith("rk_live_", run) || IsKeyWith("rk_test_", run),
            's' => IsKeyWith("sk-", run) || IsKeyWith("sk_live_", run) || IsKeyWith("sk_test_", run) || IsKeyWith("shpat_", run),
            'S' => run is "SG" && rest.StartsWith("SG.") && 40 <= rest.Length && rest[3..].IndexOf('.') is > 15 and < 30,
            'w' => IsKeyWith("whsec_", run),
            'x' => IsKeyWith("xoxb-", run) || IsKeyWith("xoxp-", run) || IsKeyWith("xoxa-", run) || IsKeyWith("xoxr-", run) || IsKeyWith("xoxs-", run) || IsKeyWith("xapp-", run),
            'y' => run is "ya29" && rest.StartsWith("ya29.") && 24 <= rest.Length,
            _ => false,
        };
    }

    // sk-learn-style-names have words behind the dash; keys have digits.
    private static bool IsKeyWith(string prefix, ReadOnlySpan<char> run) =>
        prefix.Length + 16 <= run.Length && run.StartsWith(prefix) && HasDigit(run[prefix.Length..]);

    private static bool HasDigit(ReadOnlySpan<char> run) => run.ContainsAnyInRange('0', '9');

    // Chance mixes upper case, lower case and digits at every other character; words and camelCase keep to one for long.
    private static bool IsBlob(ReadOnlySpan<char> run)
    {
        if (run.Length < LeastBlobLength || IsUuid(run))
        {
            return false;
        }

        int upper = 0, lower = 0, digits = 0, hex = 0, changes = 0, piece = 0, longestPiece = 0;
        var previous = '\0';
        foreach (var character in run)
        {
            if (char.IsAsciiDigit(character))
            {
                digits++;
                changes += char.IsAsciiLetter(previous) ? 1 : 0;
            }
            else if (char.IsAsciiLetterLower(character))
            {
                // Upper to lower is how a word begins, so it counts as no change.
                lower++;
                changes += char.IsAsciiDigit(previous) ? 1 : 0;
            }
            else if (char.IsAsciiLetterUpper(character))
            {
                upper++;
                changes += char.IsAsciiLetterLower(previous) || char.IsAsciiDigit(previous) ? 1 : 0;
            }

            hex += char.IsAsciiHexDigit(character) ? 1 : 0;
            piece = character is '_' or '-' ? 0 : piece + 1;
            longestPiece = Math.Max(longestPiece, piece);
            previous = character;
        }

        if (digits == 0 || upper + lower == 0)
        {
            return false;
        }

        var prefix = run.StartsWith("0x") ? 1 : 0;
        if (run.Length == hex + prefix && LeastHexLength <= hex)
        {
            return LeastEntropy(run, 2.5);
        }

        // Measured on random strings of 20 characters: a change at 0.45 of the places, and below 0.28 in one of twelve.
        // Names that mix as much, such as CEA_1920X1080P25, are made of short pieces.
        var isMixedCase = upper != 0 && lower != 0;
        return (isMixedCase ? 0.28 : 0.25) * (run.Length - 1) <= changes && (isMixedCase ? 1 : 3) <= digits && LeastPieceLength <= longestPiece && LeastEntropy(run, 3.4);
    }

    private static bool IsUuid(ReadOnlySpan<char> run) => run.Length == 36 && run[8] == '-' && run[13] == '-' && Guid.TryParseExact(run, "D", out _);

    // Whether the Shannon entropy of the run is at least so many bits per character.
    private static bool LeastEntropy(ReadOnlySpan<char> run, double bits)
    {
        Span<int> counts = stackalloc int[128];
        counts.Clear();
        foreach (var character in run)
        {
            counts[character]++;
        }

        var entropy = 0.0;
        foreach (var count in counts)
        {
            if (0 < count)
            {
                var share = (double)count / run.Length;
                entropy -= share * Math.Log2(share);
            }
        }

        return bits <= entropy;
    }

    // scheme://user:password@host, "Password=…;", "Bearer …"; placeholders such as {0}, %s, $X and <x> are no passwords.
    private static bool HasPassword(ReadOnlySpan<char> literal) =>
        (literal.Contains("://", StringComparison.Ordinal) && UrlPassword().IsMatch(literal))
        || (literal.Contains('=') && NamedPassword().IsMatch(literal))
        || ((literal.Contains("Basic ", StringComparison.Ordinal) || literal.Contains("Bearer ", StringComparison.Ordinal)) && AuthorizationHeader().IsMatch(literal));

    [GeneratedRegex(@"://[^\s/:@{}$<>%*\[]{1,64}:[^\s/:@{}$<>%*\[]{3,128}@", RegexOptions.CultureInvariant)]
    private static partial Regex UrlPassword();

    [GeneratedRegex(@"\b(password|passwd|pwd|accountkey|sharedaccesskey|api_?key|client_?secret)\s*=\s*(?=[^\s;,&'""]{0,60}[0-9!#])[^\s;,&'""{}$<>%*\[\]()]{6,}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NamedPassword();

    [GeneratedRegex(@"\b(Basic|Bearer)\s+(?=[A-Za-z+/_.-]*[0-9=])[A-Za-z0-9+/_.-]{16,}", RegexOptions.CultureInvariant)]
    private static partial Regex AuthorizationHeader();
}
