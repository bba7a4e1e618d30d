// Where Ollama listens, and how long models stay, as people write them. Parsing only.
using System.Globalization;

namespace LlmAssist.Engine.Ollama;

/// <summary>Addresses of Ollama.</summary>
public static class OllamaEndpoint
{
    /// <summary>Ollama's own variable, read by its command-line tool too.</summary>
    public const string Variable = "OLLAMA_HOST";

    private const int Port = 11434;

    /// <summary>Where Ollama listens unless it is told otherwise.</summary>
    public static Uri Default { get; } = new($"http://127.0.0.1:{Port}");

    /// <summary>
    /// The address that a text means: a host, a host with a port, or all of it with its scheme, as Ollama reads them (envconfig.Host).
    /// An address that means every network of the machine, which is for servers, means this machine. Null for what is no address.
    /// </summary>
    public static Uri? Parse(string text)
    {
        var trimmed = text.Trim().Trim('"', '\'');
        var hasScheme = trimmed.Contains("://", StringComparison.Ordinal);
        if (trimmed.Length == 0
            || !Uri.TryCreate(hasScheme ? trimmed : $"http://{trimmed}", UriKind.Absolute, out var address)
            || address.Host.Length == 0
            || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
            || address.UserInfo.Length != 0)
        {
            return null;
        }

        var builder = new UriBuilder(address) { Query = "", Fragment = "" };
        var hasPort = trimmed[(trimmed.IndexOf("://", StringComparison.Ordinal) + 1)..].TrimStart('/').Split('/')[0] is var authority
            && authority.LastIndexOf(']') < authority.LastIndexOf(':');
        builder.Port = hasScheme || hasPort ? address.Port : Port;
        builder.Host = address.Host is "0.0.0.0" or "[::]" ? "127.0.0.1" : address.Host;
        return builder.Uri;
    }

    /// <summary>What the environment says, else the default.</summary>
    /// <param name="variable">The environment; answers null for what is not set.</param>
    public static Uri OfEnvironment(Func<string, string?> variable) => variable(Variable) is { } text && Parse(text) is { } address ? address : Default;

    /// <summary>Whether what is sent there leaves this machine.</summary>
    public static bool IsRemote(Uri endpoint) => !endpoint.IsLoopback;

    /// <summary>
    /// How long a model stays in memory unused: a duration with units as Go writes it (<c>10m</c>, <c>1h30m</c>), or a number of
    /// seconds; negative for ever (<see cref="Timeout.InfiniteTimeSpan"/>). Null for what is neither, and for nothing at all: Ollama
    /// would unload the model after each request.
    /// </summary>
    public static TimeSpan? ParseKeepAlive(string text)
    {
        var rest = text.AsSpan().Trim();
        if (double.TryParse(rest, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
        {
            return KeepAlive(seconds);
        }

        var isNegative = rest.StartsWith("-");
        rest = isNegative ? rest[1..] : rest;
        if (rest.IsEmpty)
        {
            return null;
        }

        var total = 0.0;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            rest = rest[digits..];
            var letters = rest.IndexOfAny("0123456789.");
            var unit = letters < 0 ? rest : rest[..letters];
            rest = rest[unit.Length..];
            if (SecondsIn(unit) is not { } scale)
            {
                return null;
            }

            total += number * scale;
        }

        return KeepAlive(isNegative ? -total : total);
    }

    /// <summary>The same for a number of seconds.</summary>
    public static TimeSpan? KeepAlive(double seconds) => seconds switch
    {
        < 0 => Timeout.InfiniteTimeSpan,
        > 0 and < 1e9 => TimeSpan.FromSeconds(seconds),
        _ => null,
    };

    private static double? SecondsIn(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 1e-9,
        "us" or "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => null,
    };
}
