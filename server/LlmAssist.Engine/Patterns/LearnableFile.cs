// Whether one file is worth learning from, by its name and the beginning of its bytes, and what text its bytes are.
// Does not walk and opens nothing.
using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using System.Text.Unicode;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>The judgments on a single file.</summary>
internal static class LearnableFile
{
    /// <summary>How much of a file's beginning <see cref="RefusalByHead"/> wants to see, in bytes.</summary>
    public const int HeadBytes = 16 * 1024;

    /// <summary>The size above which a data or prose file is no example of anything, in bytes.</summary>
    public const long MaxDataFileBytes = 128 * 1024;

    // Files that a generator writes say so near the top, behind a license at most.
    private const int MarkerLines = 40;

    // Characters per line. Code written by people averages 25 to 45; a minified file has one line of many thousands.
    private const int MaxAverageLine = 200;
    private const int MaxLine = 5_000;

    private static readonly FrozenSet<string> LockFiles = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "go.sum",
        "go.work.sum",
        "packages.lock.json",
        "project.assets.json",
        "package.resolved",
        "cartfile.resolved",
        "gradle.lockfile",
        "conda-lock.yml",
        "bun.lockb");

    private static readonly string[] GeneratedEndings =
    [
        ".g.cs", ".g.i.cs", ".designer.cs", ".designer.vb", ".generated.cs", ".generated.ts", ".generated.js", ".generated.go", ".gen.go", ".gen.ts",
        ".pb.go", ".pb.gw.go", ".pb.h", ".pb.cc", ".pb.swift", ".pb.rb", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb.js", "_pb.ts", "_pb.d.ts", "_pb.rb", "_generated.go", "_generated.rs",
    ];

    private static readonly string[] MinifiedEndings =
    [
        ".min.js", ".min.mjs", ".min.cjs", ".min.css", ".min.html", "-min.js", "-min.css", ".bundle.js", ".chunk.js", ".chunk.css",
    ];

    // Control characters that no text has; NUL is among them.
    private static readonly SearchValues<byte> OddControls =
        SearchValues.Create([.. Enumerable.Range(0, 32).Append(127).Where(code => code is not ('\t' or '\n' or '\r' or '\f' or '\v' or '\b' or '\e')).Select(code => (byte)code)]);

    private static readonly string[] CommentLeaders = ["//", "#", "/*", "*", "--", "<!--", ";", "%", "\"\"\"", "'''", "{-", "(*"];

    /// <summary>Why a file of this name is not learned, before anything else is known of it; null if it may be.</summary>
    public static SkipReason? RefusalByName(string path, Language language)
    {
        var name = Path.GetFileName(path);
        return SecretFilter.IsSecretFile(path) ? SkipReason.Secret
            : LockFiles.Contains(name) || name.EndsWith(".lock", StringComparison.OrdinalIgnoreCase) ? SkipReason.LockFile
            : EndsWithAny(name, GeneratedEndings) || name.StartsWith("zz_generated.", StringComparison.Ordinal) ? SkipReason.Generated
            : EndsWithAny(name, MinifiedEndings) ? SkipReason.Minified
            : language == Language.PlainText ? SkipReason.UnknownLanguage
            : null;
    }

    /// <summary>Why a file that begins with <paramref name="head"/> is not learned; null if it is.</summary>
    public static SkipReason? RefusalByHead(ReadOnlySpan<byte> head, Language language)
    {
        if (!IsText(head))
        {
            return SkipReason.NotText;
        }

        var text = Decode(head);
        return IsMarkedAsGenerated(text) ? SkipReason.Generated
            : HasInhumanLines(text, language) ? SkipReason.Minified
            : SecretFilter.HoldsPrivateKey(text) ? SkipReason.Secret
            : null;
    }

    /// <summary>
    /// The text of a file's bytes: UTF-8, UTF-16 if a byte order mark says so, and otherwise Latin-1, which old sources in
    /// European languages are and which never fails.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Encoding.Unicode.Preamble))
        {
            return Encoding.Unicode.GetString(bytes[2..]);
        }

        if (bytes.StartsWith(Encoding.BigEndianUnicode.Preamble))
        {
            return Encoding.BigEndianUnicode.GetString(bytes[2..]);
        }

        var text = bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes;
        return Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : Encoding.Latin1.GetString(text);
    }

    // NUL means binary, as for git. Beyond that, one byte in sixteen and a few more may be neither UTF-8 nor a blank: Latin-1
    // prose in Spanish has one in thirty, images and other alphabets in old encodings have far more.
    private static bool IsText(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith(Encoding.Unicode.Preamble) || head.StartsWith(Encoding.BigEndianUnicode.Preamble))
        {
            return true;
        }

        if (!head.ContainsAny(OddControls) && Utf8.IsValid(head))
        {
            return true;
        }

        if (head.Contains((byte)0))
        {
            return false;
        }

        var odd = 0;
        var rest = head;
        while (!rest.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(rest, out var rune, out var length);
            if (status == OperationStatus.NeedMoreData)
            {
                break;
            }

            odd += status == OperationStatus.InvalidData || (rune.IsAscii && OddControls.Contains((byte)rune.Value)) ? 1 : 0;
            rest = rest[length..];
        }

        return odd <= 4 + (head.Length / 16);
    }

    // Comments only: a program may well contain the words.
    private static bool IsMarkedAsGenerated(string text)
    {
        if (!text.Contains("generated", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var lines = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (lines++ == MarkerLines)
            {
                break;
            }

            var trimmed = line.TrimStart();
            foreach (var leader in CommentLeaders)
            {
                if (trimmed.StartsWith(leader, StringComparison.Ordinal))
                {
                    if (SaysGenerated(trimmed))
                    {
                        return true;
                    }

                    break;
                }
            }
        }

        return false;
    }

    private static bool SaysGenerated(ReadOnlySpan<char> comment)
    {
        if (Says(comment, "<auto-generated") || Says(comment, "<autogenerated"))
        {
            return true;
        }

        // @generated alone: @GeneratedValue and friends are annotations.
        var tag = comment.IndexOf("@generated", StringComparison.Ordinal);
        if (0 <= tag && (tag + 10 == comment.Length || !(char.IsAsciiLetterOrDigit(comment[tag + 10]) || comment[tag + 10] is '(' or '"' or '`' or '\'')))
        {
            return true;
        }

        return Says(comment, "generated")
            && (Says(comment, "autogenerated by") || Says(comment, "do not edit") || Says(comment, "do not modify") || Says(comment, "don't edit") || Says(comment, "do not change")
                || (Says(comment, "this file") && (Says(comment, "automatically") || Says(comment, "autogenerated") || Says(comment, "auto-generated") || Says(comment, "was generated") || Says(comment, "is generated by"))));
    }

    private static bool Says(ReadOnlySpan<char> comment, string words) => comment.Contains(words, StringComparison.OrdinalIgnoreCase);

    private static bool HasInhumanLines(string text, Language language)
    {
        var lines = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            lines++;
            if (MaxLine < line.Length)
            {
                return true;
            }
        }

        // Prose has one line per paragraph.
        return !language.IsData && MaxAverageLine < text.Length / Math.Max(1, lines);
    }

    private static bool EndsWithAny(string name, string[] endings) => endings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase));
}
