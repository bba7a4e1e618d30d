// An amount of memory with a unit: arithmetic, how people read it and how they write it in settings. Knows no machine.
using System.Globalization;

namespace LlmAssist.Engine.Memory;

/// <summary>
/// A number of bytes. May be negative, as the difference of two sizes; arithmetic beyond ±8 EiB throws
/// <see cref="OverflowException"/>.
/// </summary>
/// <param name="Bytes">The number of bytes.</param>
public readonly record struct ByteSize(long Bytes) : IComparable<ByteSize>
{
    private const long Unit = 1024;

    // Binary steps under decimal names, as Windows, VS Code's process explorer and Ollama's users write them.
    private static readonly string[] UnitNames = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];

    public static ByteSize Zero => default;

    /// <summary><paramref name="count"/> × 1024 bytes, rounded to the nearest byte.</summary>
    public static ByteSize KiB(double count) => new(Scaled(count, 1));

    /// <summary><paramref name="count"/> × 1024² bytes, rounded to the nearest byte.</summary>
    public static ByteSize MiB(double count) => new(Scaled(count, 2));

    /// <summary><paramref name="count"/> × 1024³ bytes, rounded to the nearest byte.</summary>
    public static ByteSize GiB(double count) => new(Scaled(count, 3));

    public static ByteSize operator +(ByteSize left, ByteSize right) => new(checked(left.Bytes + right.Bytes));

    public static ByteSize operator -(ByteSize left, ByteSize right) => new(checked(left.Bytes - right.Bytes));

    public static ByteSize operator *(ByteSize size, double factor) => new(Rounded(size.Bytes * factor));

    /// <summary>How many times <paramref name="right"/> goes into <paramref name="left"/>: a fraction, not a size.</summary>
    public static double operator /(ByteSize left, ByteSize right) => (double)left.Bytes / right.Bytes;

    public static bool operator <(ByteSize left, ByteSize right) => left.Bytes < right.Bytes;

    public static bool operator <=(ByteSize left, ByteSize right) => left.Bytes <= right.Bytes;

    public static bool operator >(ByteSize left, ByteSize right) => left.Bytes > right.Bytes;

    public static bool operator >=(ByteSize left, ByteSize right) => left.Bytes >= right.Bytes;

    public static ByteSize Min(ByteSize left, ByteSize right) => left < right ? left : right;

    public static ByteSize Max(ByteSize left, ByteSize right) => left < right ? right : left;

    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    /// <summary>
    /// Reads what a user may write for an amount of memory: a number with B, KB, MB, GB, TB, PB or EB (also KiB, K and so
    /// on; case and blanks do not matter; every unit is binary). A number alone counts GiB, as in <c>memory.limit</c>.
    /// The decimal separator is a point. False for anything else, for negative amounts and for more than 8 EiB.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ByteSize size)
    {
        size = default;
        var trimmed = text.Trim();
        var digits = trimmed.IndexOfAnyExcept("0123456789.");
        var number = digits < 0 ? trimmed : trimmed[..digits];
        var unit = digits < 0 ? "GB" : trimmed[digits..].TrimStart();
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            || PowerOf(unit) is not { } power)
        {
            return false;
        }

        var bytes = count * Math.Pow(Unit, power);
        if (long.MaxValue <= bytes)
        {
            return false;
        }

        size = new(Rounded(bytes));
        return true;
    }

    /// <summary>
    /// About three digits and a unit, "9.0 GB", "512 MB", "0 B", with a decimal point in every culture. Units are binary:
    /// 1 GB is 1024³ bytes here, as in the task managers that users compare with.
    /// </summary>
    public override string ToString()
    {
        // As a double, because the absolute value of the smallest long is not a long.
        var amount = Math.Abs((double)Bytes);
        var power = 0;

        // 1023.5 would be shown as 1024 of a unit; it is 1.0 of the next.
        while (Unit - 0.5 <= amount && power < UnitNames.Length - 1)
        {
            amount /= Unit;
            power++;
        }

        var sign = Bytes < 0 ? "-" : "";
        var format = power == 0 || 99.95 <= amount ? "F0" : "F1";
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{amount.ToString(format, CultureInfo.InvariantCulture)} {UnitNames[power]}");
    }

    private static int? PowerOf(ReadOnlySpan<char> unit)
    {
        for (var power = 0; power < UnitNames.Length; power++)
        {
            var name = UnitNames[power].AsSpan();
            if (unit.Equals(name, StringComparison.OrdinalIgnoreCase)
                || (0 < power && unit.Equals(name[..1], StringComparison.OrdinalIgnoreCase))
                || (0 < power && unit.Equals($"{name[0]}iB", StringComparison.OrdinalIgnoreCase)))
            {
                return power;
            }
        }

        return null;
    }

    private static long Scaled(double count, int power) => Rounded(count * Math.Pow(Unit, power));

    private static long Rounded(double bytes) => checked((long)Math.Round(bytes, MidpointRounding.AwayFromZero));
}
