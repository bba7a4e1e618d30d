using System.Runtime.InteropServices;
using System.Text;
using LlmAssist.Engine;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Patterns;

public sealed class PatternFileTests : IDisposable
{
    private static readonly byte[] Whole = Trained();

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EveryContextIsFoundWithItsCounts()
    {
        using var model = Open(Whole);
        var expected = new NaiveCounts();
        foreach (var (name, text) in TinyCorpus.Files)
        {
            expected.Add(text, Language.ByPath(name));
        }

        expected.CheckAgainst(model, expected.AllContexts(), PatternFormat.MaximumSuccessors);
        Assert.Equal(expected.AllContexts().Count, model.Statistics.Contexts);
        PatternEntry single = default;
        for (var number = 1UL; number <= 10_000; number++)
        {
            Assert.Equal(0u, ((IContextSource)model).Find(SymbolHash.Finish(number), ref single).Total);
        }
    }

    [Fact]
    public void ContextsThatHaveMoreSuccessorsThanAreKeptHaveTheMostFrequent()
    {
        // After 'return' stand a hundred names, name0 once, name1 twice, and so on; after 'pass' always the same, more often than a slot counts.
        var lines = Enumerable.Range(0, 100).SelectMany(name => Enumerable.Repeat($"return name{name}\n", name + 1)).Concat(Enumerable.Repeat("pass end\n", 200));
        using var model = TinyCorpus.Learn(_folder, "many.py", string.Concat(lines));
        PatternEntry single = default;
        var several = ((IContextSource)model).Find(After("return"), ref single);
        Assert.Equal((5050u, 100u, 64), (several.Total, several.Distinct, several.Entries.Length));
        for (var index = 0; index < several.Entries.Length; index++)
        {
            Assert.Equal(($"name{99 - index}", (uint)(100 - index)), (((IContextSource)model).TextOf(several.Entries[index].Symbol), several.Entries[index].Count));
        }

        var lone = ((IContextSource)model).Find(After("pass"), ref single);
        Assert.Equal((127u, 1u), (lone.Total, lone.Distinct));
    }

    [Fact]
    public void EverySymbolIsFound()
    {
        using var model = Open(Whole);
        IContextSource source = model;
        var counts = new Dictionary<ulong, (string Text, TokenKind Kind, ulong Count)>();
        foreach (var (name, text) in TinyCorpus.Files)
        {
            foreach (var symbol in NaiveCounts.SymbolsOf(text, Language.ByPath(name)))
            {
                // A word that is a keyword here and a name there ('get') is one symbol, of the kind that it had first.
                var known = counts.TryGetValue(symbol.Hash, out var before) ? before : (symbol.Kind == TokenKind.Newline ? "\n" : text[symbol.Start..symbol.End], symbol.Kind, 0);
                counts[symbol.Hash] = known with { Item3 = known.Item3 + 1 };
            }
        }

        foreach (var (hash, (text, kind, count)) in counts)
        {
            var id = model.SymbolWith(hash);
            Assert.NotNull(id);
            Assert.Equal((hash, text, kind, count), (source.HashOf(id.Value), source.TextOf(id.Value), source.KindOf(id.Value), model.CountOf(id.Value)));
            Assert.Null(model.SymbolWith(hash + 1));
        }

        foreach (var beyond in new[] { (uint)model.SymbolCount, 0xFF_FFFFu, uint.MaxValue })
        {
            Assert.Equal((0UL, "", 0UL), (source.HashOf(beyond), source.TextOf(beyond), model.CountOf(beyond)));
        }

        var words = counts.Values.Where(symbol => symbol.Kind is TokenKind.Identifier or TokenKind.Keyword).ToList();
        foreach (var prefix in words.SelectMany(word => new[] { word.Text, word.Text[..1], word.Text[..^1] }).Where(prefix => prefix.Length != 0).Append("nowhere").Append("é"))
        {
            var fitting = words.Where(word => word.Text.StartsWith(prefix, StringComparison.Ordinal)).OrderByDescending(word => word.Count).ToList();
            foreach (var most in new[] { 1, 3, 1_000 })
            {
                var found = model.NamesWithPrefix(prefix, most);
                Assert.Equal(fitting.Take(most).Select(word => word.Count), found.Select(model.CountOf));
                Assert.All(found, id => Assert.StartsWith(prefix, source.TextOf(id), StringComparison.Ordinal));
                Assert.Equal(found.Count, found.Distinct().Count());
            }
        }
    }

    [Fact]
    public void AFileThatWasCutIsRefused()
    {
        var cuts = new HashSet<int> { 0, 1, 7, 8, 63, 64, 65, Whole.Length - 1 };
        foreach (var section in Sections(Whole))
        {
            cuts.UnionWith([(int)section.Offset - 1, (int)section.Offset, (int)section.Offset + 1]);
            cuts.UnionWith([EndOf(section) - 1, EndOf(section), EndOf(section) + 1]);
        }

        cuts.UnionWith(Enumerable.Range(0, Whole.Length / 997).Select(index => index * 997));
        foreach (var length in cuts.Where(length => length < Whole.Length))
        {
            Refused(Whole[..length]);
        }

        Refused([.. Whole, 0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AFlippedBitIsFoundByVerifyAndHarmsNobody(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var damaged = (byte[])Whole.Clone();

            // Every other one near the beginning: the header is small and matters most.
            var position = random.Next(round % 2 == 0 ? 600 : damaged.Length);
            damaged[position] ^= (byte)(1 << random.Next(8));
            var path = Write(damaged);
            if (IsPadding(position))
            {
                PatternModel.Verify(path, CancellationToken.None);
            }
            else
            {
                Assert.Throws<PatternFileException>(() => PatternModel.Verify(path, CancellationToken.None));
            }

            UseIfItOpens(path);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void SectionsFullOfNoiseHarmNobody(int seed)
    {
        var random = new Random(seed);
        foreach (var section in Sections(Whole))
        {
            for (var round = 0; round < 8; round++)
            {
                var damaged = (byte[])Whole.Clone();
                var bytes = damaged.AsSpan((int)section.Offset, EndOf(section) - (int)section.Offset);
                switch (round)
                {
                    case 0:
                        bytes.Clear();
                        break;
                    case 1:
                        bytes.Fill(0xFF);
                        break;
                    default:
                        random.NextBytes(bytes);
                        break;
                }

                var path = Write(damaged);
                Assert.Throws<PatternFileException>(() => PatternModel.Verify(path, CancellationToken.None));
                Use(path);
            }
        }
    }

    [Fact]
    public void ContextsWithoutSuccessorsAreUnknown()
    {
        var damaged = (byte[])Whole.Clone();
        var sections = Sections(Whole).ToDictionary(section => (PatternSection)section.Kind, section => damaged.AsMemory((int)section.Offset, EndOf(section) - (int)section.Offset));
        var entries = MemoryMarshal.Cast<byte, PatternEntry>(sections[PatternSection.Entries].Span);
        foreach (var slot in MemoryMarshal.Cast<byte, PatternSlot>(sections[PatternSection.Slots].Span))
        {
            if (!slot.IsEmpty && !slot.IsSingle)
            {
                entries[(int)slot.EntryIndex] = entries[(int)slot.EntryIndex] with { Count = 0 };
            }
        }

        Use(Write(damaged));
    }

    [Theory]
    [InlineData("empty", "has 0 bytes")]
    [InlineData("short", "has 63 bytes")]
    [InlineData("foreign", "not a pattern model")]
    [InlineData("text transfer", "not a pattern model")]
    [InlineData("unfinished", "never finished")]
    [InlineData("version 0", "format version 0")]
    [InlineData("version 3", "format version 3")]
    [InlineData("length", "cut off or appended to")]
    [InlineData("sections 65", "names 65 sections")]
    [InlineData("sections 4294967295", "names 4294967295 sections")]
    [InlineData("checksum", "does not match its checksum")]
    [InlineData("offset beyond", "does not lie inside the file")]
    [InlineData("offset huge", "does not lie inside the file")]
    [InlineData("offset odd", "does not lie inside the file")]
    [InlineData("count beyond", "does not lie inside the file")]
    [InlineData("count wraps", "does not lie inside the file")]
    [InlineData("element of nothing", "does not lie inside the file")]
    [InlineData("element of another size", "missing or of another shape")]
    [InlineData("kind unknown", "missing or of another shape")]
    public void ALieIsRefusedByName(string lie, string reason)
    {
        var exception = Refused(Lie(lie));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.Contains("llm-assist train", exception.Phrase.English, StringComparison.Ordinal);
        Assert.Contains("llm-assist train", exception.Phrase.Spanish, StringComparison.Ordinal);
        Assert.NotEqual(exception.Reason.English, exception.Reason.Spanish);
    }

    [Fact]
    public void EveryRequiredSectionIsRequired()
    {
        for (var index = 0; index < Sections(Whole).Length; index++)
        {
            var changed = index;
            Refused(WithSection(index, section => section with { Kind = 900 + (uint)changed }));
            Refused(WithSection(index, section => section with { ElementSize = 0, Count = ulong.MaxValue }));
            Refused(WithSection(index, section => section with { ElementSize = section.ElementSize + 1, Count = 1 }));
        }
    }

    // 1.5 GB of empty slots that exist as a hole in the file only. Whoever read them all would have them in memory.
    [Fact]
    public void OpenReadsTheHeaderOnly()
    {
        var at = (Whole.Length + PatternFormat.Alignment - 1) / PatternFormat.Alignment * PatternFormat.Alignment;
        const ulong Slots = 190_000_000;
        var head = WithSection(
            Array.FindIndex(Sections(Whole), section => section.Kind == (uint)PatternSection.Slots),
            section => section with { Offset = (ulong)at, Count = Slots });
        var length = at + ((long)Slots * 8);
        BitConverter.TryWriteBytes(head.AsSpan(16), (ulong)length);
        Seal(head);
        var path = Write(head);
        using (var stream = new FileStream(path, FileMode.Open))
        {
            stream.SetLength(length);
        }

        using var model = PatternModel.Open(path);
        Assert.Equal(length, model.MappedBytes);
        PatternEntry single = default;
        Assert.Equal(0u, ((IContextSource)model).Find(After("return"), ref single).Total);
        if (OperatingSystem.IsLinux())
        {
            Assert.InRange(ResidentKilobytes(model.MappedAddress), 0, 1_000);
        }
    }

    [Fact]
    public void AFileThatIsNotThereIsAnInputOutputError()
    {
        Assert.ThrowsAny<IOException>(() => PatternModel.Open(_folder["none.pattern"]));
        using var model = Open(Whole);
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.SymbolWith(1));
    }

    private static byte[] Trained()
    {
        using var folder = new TempFolder();
        var trained = TinyCorpus.Train(new(folder["models"], TimeProvider.System), TinyCorpus.WriteTo(folder));
        PatternModel.Verify(trained.Stored.Path, CancellationToken.None);
        return File.ReadAllBytes(trained.Stored.Path);
    }

    private static ulong After(string word)
    {
        var contexts = new ulong[Contexts.Kinds];
        var view = new ContextView();
        view.Read(CollectionsMarshal.AsSpan(NaiveCounts.SymbolsOf(word, Language.ById("python"))));
        Contexts.Fill(view, contexts);
        return contexts[Contexts.All.ToList().FindIndex(kind => kind.Name == "symbols1")];
    }

    private static byte[] Lie(string lie)
    {
        var bytes = (byte[])Whole.Clone();
        switch (lie)
        {
            case "empty":
                return [];
            case "short":
                return bytes[..63];
            case "foreign":
                return [.. "\x7FELF"u8, .. bytes[4..]];
            case "text transfer":
                // What a transfer in text mode makes of CR LF.
                return [.. "LLMPAT\n"u8, .. bytes[8..], 0];
            case "unfinished":
                BitConverter.TryWriteBytes(bytes, PatternFormat.UnfinishedMagic);
                return bytes;
            case "checksum":
                bytes[30] = 1;
                return bytes;
            case "version 0" or "version 3":
                BitConverter.TryWriteBytes(bytes.AsSpan(8), uint.Parse(lie[8..]));
                return Seal(bytes);
            case "length":
                BitConverter.TryWriteBytes(bytes.AsSpan(16), (ulong)bytes.Length + 64);
                return Seal(bytes);
            case "sections 65" or "sections 4294967295":
                BitConverter.TryWriteBytes(bytes.AsSpan(12), uint.Parse(lie[9..]));
                return bytes;
            case "offset beyond":
                return WithSection(0, section => section with { Offset = (ulong)(Whole.Length + 63) / 64 * 64 });
            case "offset huge":
                return WithSection(0, section => section with { Offset = ulong.MaxValue - 63 });
            case "offset odd":
                return WithSection(0, section => section with { Offset = section.Offset + 8, Count = 1 });
            case "count beyond":
                return WithSection(0, section => section with { Count = (ulong)Whole.Length });
            case "count wraps":
                return WithSection(0, section => section with { Count = (ulong.MaxValue / section.ElementSize) + 1 });
            case "element of nothing":
                return WithSection(0, section => section with { ElementSize = 0 });
            case "element of another size":
                return WithSection(0, section => section with { ElementSize = section.ElementSize - 1 });
            case "kind unknown":
                return WithSection(0, section => section with { Kind = 99 });
            default:
                throw new ArgumentOutOfRangeException(nameof(lie));
        }
    }

    private static SectionRecord[] Sections(byte[] file) =>
        MemoryMarshal.Cast<byte, SectionRecord>(file.AsSpan(PatternFormat.HeaderLength, TableLength(file))).ToArray();

    private static int TableLength(byte[] file) => BitConverter.ToInt32(file, 12) * PatternFormat.SectionRecordLength;

    private static int EndOf(SectionRecord section) => (int)(section.Offset + (section.Count * section.ElementSize));

    private static bool IsPadding(int position) =>
        PatternFormat.HeaderLength + TableLength(Whole) <= position
        && !Sections(Whole).Any(section => (int)section.Offset <= position && position < EndOf(section));

    // A file whose header lies about one section, and is otherwise as it should be.
    private static byte[] WithSection(int index, Func<SectionRecord, SectionRecord> change)
    {
        var bytes = (byte[])Whole.Clone();
        var table = MemoryMarshal.Cast<byte, SectionRecord>(bytes.AsSpan(PatternFormat.HeaderLength, TableLength(bytes)));
        table[index] = change(table[index]);
        return Seal(bytes);
    }

    private static byte[] Seal(byte[] bytes)
    {
        bytes.AsSpan(24, 4).Clear();
        BitConverter.TryWriteBytes(bytes.AsSpan(24), PatternFormat.Checksum(bytes.AsSpan(0, PatternFormat.HeaderLength + TableLength(bytes))));
        return bytes;
    }

    private static void UseIfItOpens(string path)
    {
        try
        {
            PatternModel.Open(path).Dispose();
        }
        catch (PatternFileException)
        {
            return;
        }

        Use(path);
    }

    // Everything that a completion does with a model, and what 'inspect' shows of it.
    private static void Use(string path)
    {
        using var model = PatternModel.Open(path);
        var predictor = new PatternPredictor([model], [], []);
        Symbol[] history = [.. NaiveCounts.SymbolsOf("def get(self):\n return self", Language.ById("python"))];
        for (var length = 0; length <= history.Length; length += 3)
        {
            foreach (var typed in new[] { "", "se" })
            {
                foreach (var prediction in predictor.Next(history.AsSpan(0, length), typed, 5))
                {
                    Assert.False(double.IsNaN(prediction.Probability));
                    _ = predictor.Line(history.AsSpan(0, length), typed, prediction, afterSpace: false, 0, static probability => probability);
                }
            }

            Assert.False(double.IsNaN(predictor.Rate(history.AsSpan(0, length), history[0].Hash).Probability));
        }

        _ = model.SymbolWith(history[0].Hash);
        _ = model.NamesWithPrefix("s", 10);
        foreach (var fact in new Func<object>[] { () => model.Statistics, () => model.Parameters, () => model.Provenance, () => model.LearnedFiles().Count() })
        {
            try
            {
                _ = fact();
            }
            catch (PatternFileException)
            {
            }
        }
    }

    // How much of the mapping at the address is in memory, as the system says.
    private static long ResidentKilobytes(nint address)
    {
        var lines = File.ReadAllLines("/proc/self/smaps");
        var first = Array.FindIndex(lines, line => line.StartsWith($"{address:x}-", StringComparison.Ordinal));
        Assert.NotEqual(-1, first);
        var resident = lines.Skip(first).First(line => line.StartsWith("Rss:", StringComparison.Ordinal));
        return long.Parse(resident.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    private PatternFileException Refused(byte[] bytes)
    {
        var path = Write(bytes);
        var exception = Assert.Throws<PatternFileException>(() => PatternModel.Open(path));
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        return exception;
    }

    private PatternModel Open(byte[] bytes) => PatternModel.Open(Write(bytes));

    private string Write(byte[] bytes)
    {
        var path = _folder["model.pattern"];
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
