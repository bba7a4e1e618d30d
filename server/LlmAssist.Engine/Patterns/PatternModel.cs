// A trained model, opened by mapping its file. Immutable, usable from any thread; it must not be disposed while in use.
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LlmAssist.Engine.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// A pattern model in a file. <see cref="Open"/> reads the header only; pages come in when they are looked at.
/// </summary>
public sealed class PatternModel : IDisposable, IContextSource
{
    private readonly MappedFile _file;
    private readonly Dictionary<PatternSection, SectionRecord> _sections;
    private readonly uint _slotCapacity;

    private PatternModel(string path, MappedFile file, Dictionary<PatternSection, SectionRecord> sections)
    {
        Path = path;
        _file = file;
        _sections = sections;
        var slots = sections[PatternSection.Slots];
        _slotCapacity = (uint)Math.Max(0, (long)slots.Count - SlotOverflow);
    }

    /// <summary>Empty slots that every table has behind its nominal capacity, so that probing never wraps around.</summary>
    internal const int SlotOverflow = 1024;

    /// <summary>The file it was opened from.</summary>
    public string Path { get; }

    /// <summary>Names it for as long as the file exists.</summary>
    public ModelId Id => ModelId.Pattern(System.IO.Path.GetFileNameWithoutExtension(Path));

    /// <summary>Bytes mapped: the length of the file. They belong to the page cache and are shared between processes.</summary>
    public long MappedBytes => _file.Length;

    /// <summary>Where the mapping begins in this process.</summary>
    public nint MappedAddress => _file.Address;

    /// <summary>Bytes of private memory that the open model takes, without what predictions allocate; an estimate.</summary>
    public long CommittedBytes => 1024 + (_sections.Count * 64);

    /// <summary>What training counted.</summary>
    public PatternStatistics Statistics => Json(PatternSection.Statistics, PatternJson.Default.PatternStatistics);

    /// <summary>How it was trained.</summary>
    public PatternParameters Parameters => Json(PatternSection.Parameters, PatternJson.Default.PatternParameters);

    /// <summary>Where it comes from.</summary>
    public PatternProvenance Provenance => Json(PatternSection.Provenance, PatternJson.Default.PatternProvenance);

    /// <summary>Number of symbols.</summary>
    internal int SymbolCount => (int)_sections[PatternSection.Symbols].Count;

    /// <summary>Opens a file by mapping it. Costs the same whatever the file's size.</summary>
    /// <exception cref="PatternFileException">The file is damaged, unfinished, foreign, or of another version.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static PatternModel Open(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            return new(path, file, ReadSectionTable(path, file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads all of a file and checks every sum and every reference in it.</summary>
    /// <exception cref="PatternFileException">Something does not hold; the exception says what.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Verify(string path, CancellationToken cancellation)
    {
        using var model = Open(path);
        foreach (var section in model._sections.Values)
        {
            cancellation.ThrowIfCancellationRequested();
            var bytes = model._file.Slice((long)section.Offset, (int)(section.Count * section.ElementSize));
            if (PatternFormat.Checksum(bytes) != section.Checksum)
            {
                throw new PatternFileException(path, new(
                    $"the section '{(PatternSection)section.Kind}' does not match its checksum: the file was damaged after it was saved.",
                    $"la sección «{(PatternSection)section.Kind}» no coincide con su suma de control: el archivo se dañó después de guardarse."));
            }
        }

        model.VerifyReferences(cancellation);
        _ = model.Statistics;
        _ = model.Parameters;
        _ = model.Provenance;
        foreach (var learned in model.LearnedFiles())
        {
            cancellation.ThrowIfCancellationRequested();
            _ = learned.Path;
        }
    }

    /// <summary>The files learned from, in the order of training.</summary>
    public IEnumerable<LearnedFile> LearnedFiles()
    {
        var section = _sections[PatternSection.LearnedFiles];
        var position = 0;
        while (position < (int)section.Count)
        {
            yield return Next(ref position);
        }

        LearnedFile Next(ref int at)
        {
            var bytes = Bytes(section)[at..];
            var end = bytes.IndexOf((byte)'\n');
            var line = end < 0 ? bytes : bytes[..end];
            at += line.Length + 1;
            return Parse(line, PatternJson.Default.LearnedFile, PatternSection.LearnedFiles);
        }
    }

    /// <summary>The names that begin with <paramref name="prefix"/>, most frequent first.</summary>
    /// <param name="prefix">At least one character; case counts.</param>
    /// <param name="most">How many names at the most.</param>
    internal IReadOnlyList<uint> NamesWithPrefix(ReadOnlySpan<char> prefix, int most)
    {
        const int ScanAtMost = 4096; // a one-letter prefix of a large vocabulary; the names beyond are not looked at
        var names = Section<uint>(PatternSection.NamesInOrder);
        var utf8 = Encoding.UTF8.GetBytes(prefix.ToArray());
        var first = 0;
        var beyond = names.Length;
        while (first < beyond)
        {
            var middle = (int)(((uint)first + (uint)beyond) / 2);
            if (Utf8Of(names[middle]).SequenceCompareTo(utf8) < 0)
            {
                first = middle + 1;
            }
            else
            {
                beyond = middle;
            }
        }

        var best = new PriorityQueue<uint, ulong>();
        for (var index = first; index < names.Length && index - first < ScanAtMost && Utf8Of(names[index]).StartsWith(utf8); index++)
        {
            if (best.Count < most)
            {
                best.Enqueue(names[index], CountOf(names[index]));
            }
            else
            {
                best.EnqueueDequeue(names[index], CountOf(names[index]));
            }
        }

        var found = new uint[best.Count];
        for (var index = found.Length - 1; 0 <= index; index--)
        {
            found[index] = best.Dequeue();
        }

        return found;
    }

    Successors IContextSource.Find(ulong context, ref PatternEntry single)
    {
        var slots = Section<PatternSlot>(PatternSection.Slots);
        var check = (uint)context;
        for (var index = PatternSlot.Home(context, _slotCapacity); index < slots.Length; index++)
        {
            var slot = slots[index];
            if (slot.IsEmpty)
            {
                break;
            }

            if (slot.Check != check)
            {
                continue;
            }

            if (slot.IsSingle)
            {
                single = new(slot.SingleSymbol, slot.SingleCount);
                return new(slot.SingleCount, 1, null, new ReadOnlySpan<PatternEntry>(in single));
            }

            // Open does not read the entries, so a damaged file can point anywhere: such a context is simply unknown.
            var entries = Section<PatternEntry>(PatternSection.Entries);
            if ((uint)entries.Length <= slot.EntryIndex)
            {
                break;
            }

            var header = entries[(int)slot.EntryIndex];
            var length = (int)Math.Min(header.Distinct, PatternFormat.MaximumSuccessors);
            if (length == 0 || entries.Length - (int)slot.EntryIndex - 1 < length)
            {
                break;
            }

            return new(header.Total, header.Distinct, null, entries.Slice((int)slot.EntryIndex + 1, length));
        }

        return default;
    }

    ulong IContextSource.HashOf(uint symbol) => symbol < (uint)SymbolCount ? SymbolAt(symbol).Hash : 0;

    TokenKind IContextSource.KindOf(uint symbol) => symbol < (uint)SymbolCount ? SymbolAt(symbol).Kind : TokenKind.Other;

    string IContextSource.TextOf(uint symbol) => Encoding.UTF8.GetString(Utf8Of(symbol));

    uint? IContextSource.SymbolWith(ulong hash) => SymbolWith(hash);

    ulong IContextSource.CountOf(uint symbol) => CountOf(symbol);

    /// <summary>How often the symbol occurred in training; 0 for an id that does not exist.</summary>
    internal ulong CountOf(uint symbol) => symbol < (uint)SymbolCount ? SymbolAt(symbol).Count : 0;

    /// <summary>The symbol with <paramref name="hash"/>, or null.</summary>
    internal uint? SymbolWith(ulong hash)
    {
        // Hashes are spread evenly, so interpolation finds the place in a few steps.
        var symbols = Section<PatternSymbol>(PatternSection.Symbols);
        var low = 0;
        var high = symbols.Length - 1;
        while (low <= high && symbols[low].Hash <= hash && hash <= symbols[high].Hash)
        {
            var span = symbols[high].Hash - symbols[low].Hash;
            var middle = span == 0 ? low : low + (int)((UInt128)(hash - symbols[low].Hash) * (ulong)(high - low) / span);
            var found = symbols[middle].Hash;
            if (found == hash)
            {
                return (uint)middle;
            }

            if (found < hash)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return null;
    }

    /// <summary>Unmaps the file: its pages and its handle are gone.</summary>
    public void Dispose() => _file.Dispose();

    private static Dictionary<PatternSection, SectionRecord> ReadSectionTable(string path, MappedFile file)
    {
        PatternFileException Refused(string english, string spanish) => new(path, new(english, spanish));

        if (!BitConverter.IsLittleEndian)
        {
            throw Refused("pattern files are little-endian and this machine is not.", "los modelos son «little-endian» y esta máquina no lo es.");
        }

        if (file.Length < PatternFormat.HeaderLength)
        {
            throw Refused(
                $"the file has {file.Length} bytes, less than a header of {PatternFormat.HeaderLength}.",
                $"el archivo tiene {file.Length} bytes, menos que una cabecera de {PatternFormat.HeaderLength}.");
        }

        var header = file.Slice(0, PatternFormat.HeaderLength);
        var magic = BitConverter.ToUInt64(header);
        if (magic == PatternFormat.UnfinishedMagic)
        {
            throw Refused("the file was never finished: its training was interrupted.", "el archivo quedó sin terminar: su entrenamiento se interrumpió.");
        }

        if (magic != PatternFormat.Magic)
        {
            throw Refused("this is not a pattern model (its first bytes are not ours).", "no es un modelo de patrones (sus primeros bytes no son los nuestros).");
        }

        var version = BitConverter.ToUInt32(header[8..]);
        if (version != PatternFormat.Version)
        {
            throw Refused(
                $"the file has format version {version}, this program reads version {PatternFormat.Version}.",
                $"el archivo tiene la versión de formato {version}; este programa lee la versión {PatternFormat.Version}.");
        }

        var count = BitConverter.ToUInt32(header[12..]);
        var length = BitConverter.ToUInt64(header[16..]);
        if (length != (ulong)file.Length)
        {
            throw Refused(
                $"the file has {file.Length} bytes, its header says {length}: it was cut off or appended to.",
                $"el archivo tiene {file.Length} bytes y su cabecera dice {length}: se cortó o se le añadió algo.");
        }

        var tableEnd = PatternFormat.HeaderLength + ((long)count * PatternFormat.SectionRecordLength);
        if (PatternFormat.MaximumSections < count || file.Length < tableEnd)
        {
            throw Refused($"the header names {count} sections, more than the file can hold.", $"la cabecera nombra {count} secciones, más de las que caben en el archivo.");
        }

        Span<byte> covered = stackalloc byte[(int)tableEnd];
        file.Slice(0, (int)tableEnd).CopyTo(covered);
        var sum = BitConverter.ToUInt32(covered[24..]);
        covered.Slice(24, 4).Clear();
        if (PatternFormat.Checksum(covered) != sum)
        {
            throw Refused("the header does not match its checksum: the file is damaged.", "la cabecera no coincide con su suma de control: el archivo está dañado.");
        }

        var sections = new Dictionary<PatternSection, SectionRecord>();
        foreach (var record in MemoryMarshal.Cast<byte, SectionRecord>(covered[PatternFormat.HeaderLength..]))
        {
            var bytes = (UInt128)record.Count * record.ElementSize;
            if (record.ElementSize == 0 || int.MaxValue < bytes || length < record.Offset || length - record.Offset < (ulong)bytes || record.Offset % PatternFormat.Alignment != 0)
            {
                throw Refused(
                    $"the section '{(PatternSection)record.Kind}' does not lie inside the file.",
                    $"la sección «{(PatternSection)record.Kind}» no cabe en el archivo.");
            }

            sections[(PatternSection)record.Kind] = record;
        }

        Expect<PatternSlot>(PatternSection.Slots);
        Expect<PatternEntry>(PatternSection.Entries);
        Expect<PatternSymbol>(PatternSection.Symbols);
        Expect<byte>(PatternSection.SymbolText);
        Expect<uint>(PatternSection.NamesInOrder);
        Expect<byte>(PatternSection.Statistics);
        Expect<byte>(PatternSection.Parameters);
        Expect<byte>(PatternSection.Provenance);
        Expect<byte>(PatternSection.LearnedFiles);
        return sections;

        void Expect<T>(PatternSection kind)
            where T : unmanaged
        {
            if (!sections.TryGetValue(kind, out var section) || section.ElementSize != Marshal.SizeOf<T>())
            {
                throw Refused($"the section '{kind}' is missing or of another shape.", $"la sección «{kind}» falta o tiene otra forma.");
            }
        }
    }

    private void VerifyReferences(CancellationToken cancellation)
    {
        var symbols = Section<PatternSymbol>(PatternSection.Symbols);
        var texts = Bytes(_sections[PatternSection.SymbolText]);
        for (var index = 0; index < symbols.Length; index++)
        {
            var symbol = symbols[index];
            Hold(symbol.TextOffset <= texts.Length && symbol.TextLength <= texts.Length - (int)symbol.TextOffset, PatternSection.Symbols);
            Hold(index == 0 || symbols[index - 1].Hash < symbol.Hash, PatternSection.Symbols);
        }

        foreach (var name in Section<uint>(PatternSection.NamesInOrder))
        {
            Hold(name < (uint)symbols.Length, PatternSection.NamesInOrder);
        }

        cancellation.ThrowIfCancellationRequested();
        var entries = Section<PatternEntry>(PatternSection.Entries);
        foreach (var slot in Section<PatternSlot>(PatternSection.Slots))
        {
            if (slot.IsEmpty)
            {
                continue;
            }

            if (slot.IsSingle)
            {
                Hold(IsSuccessor(slot.SingleSymbol), PatternSection.Slots);
                continue;
            }

            Hold(slot.EntryIndex < (uint)entries.Length, PatternSection.Slots);
            var header = entries[(int)slot.EntryIndex];
            var length = (int)Math.Min(header.Distinct, PatternFormat.MaximumSuccessors);
            Hold(length <= entries.Length - (int)slot.EntryIndex - 1, PatternSection.Entries);
            foreach (var entry in entries.Slice((int)slot.EntryIndex + 1, length))
            {
                Hold(IsSuccessor(entry.Symbol), PatternSection.Entries);
            }
        }

        void Hold(bool invariant, PatternSection section)
        {
            if (!invariant)
            {
                throw new PatternFileException(Path, new(
                    $"the section '{section}' refers to something that is not in the file.",
                    $"la sección «{section}» hace referencia a algo que no está en el archivo."));
            }
        }
    }

    private bool IsSuccessor(uint symbol) =>
        symbol < (uint)SymbolCount || (PatternFormat.FirstSlotSymbol <= symbol && symbol < PatternFormat.FirstSlotSymbol + ContextView.RenamedReach);

    private PatternSymbol SymbolAt(uint symbol) => Section<PatternSymbol>(PatternSection.Symbols)[(int)symbol];

    // Empty for ids and offsets that only a damaged file can hold.
    private ReadOnlySpan<byte> Utf8Of(uint id)
    {
        if ((uint)SymbolCount <= id)
        {
            return [];
        }

        var symbol = SymbolAt(id);
        var texts = Bytes(_sections[PatternSection.SymbolText]);
        return symbol.TextOffset <= texts.Length && symbol.TextLength <= texts.Length - (int)symbol.TextOffset
            ? texts.Slice((int)symbol.TextOffset, symbol.TextLength)
            : [];
    }

    private ReadOnlySpan<T> Section<T>(PatternSection kind)
        where T : unmanaged
    {
        var section = _sections[kind];
        return _file.Slice<T>((long)section.Offset, (long)section.Count);
    }

    private ReadOnlySpan<byte> Bytes(SectionRecord section) => _file.Slice((long)section.Offset, (int)section.Count);

    private T Json<T>(PatternSection kind, JsonTypeInfo<T> type) => Parse(Bytes(_sections[kind]), type, kind);

    private T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, PatternSection section)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("null");
        }
        catch (JsonException exception)
        {
            throw new PatternFileException(
                Path,
                new($"the section '{section}' cannot be read: {exception.Message}", $"no se puede leer la sección «{section}»: {exception.Message}"),
                exception);
        }
    }
}
