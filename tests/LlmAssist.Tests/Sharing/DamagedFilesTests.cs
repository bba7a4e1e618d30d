// Whatever stands in the shared files, nobody throws, and whoever writes next makes them whole.
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Sharing;

public sealed class DamagedFilesTests : IDisposable
{
    private const string Window = "windows/7-0123456789abcdef0123456789abcdef.json";

    private static readonly DateTimeOffset Noon = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    private static readonly ModelId Model = new(ModelSource.Ollama, "qwen:1b");
    private static readonly LeaseRecord Lease = new("ours", ProcessMark.Own, Model, Noon, 3);

    private readonly TempFolder _folder = new();
    private readonly StillTime _time = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("load.lease")]
    [InlineData("notes.json")]
    [InlineData("memory-history.jsonl")]
    [InlineData(Window)]
    public void HarmNobody(string name)
    {
        var whole = Whole(name);
        var damages = Gen.OneOf(
            from bytes in Gen.Choose(0, 255).Select(number => (byte)number).ArrayOf() select bytes,
            from length in Gen.Choose(0, whole.Length) select whole[..length],
            from at in Gen.Choose(0, whole.Length - 1) from value in Gen.Choose(0, 255) select Changed(whole, at, (byte)value),
            from at in Gen.Choose(0, whole.Length - 1) from length in Gen.Choose(0, 40) select (byte[])[.. whole[..at], .. whole[Math.Min(at + length, whole.Length)..]],
            from at in Gen.Choose(0, whole.Length - 1) from text in Gen.Elements("null", "-1", "1e99", "{}", "[", "\"\\ud800\"", "99999999999999999999", "\n") select (byte[])[.. whole[..at], .. Encoding.UTF8.GetBytes(text), .. whole[at..]]);
        Prop.ForAll(Arb.From(damages), content => Survives(name, content)).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(11, 7));
    }

    private static byte[] Changed(byte[] whole, int at, byte value)
    {
        var changed = whole.ToArray();
        changed[at] = value;
        return changed;
    }

    private bool Survives(string name, byte[] content)
    {
        var path = _folder[name];
        File.WriteAllBytes(path, content);
        switch (name)
        {
            case "load.lease":
                var file = new LeaseFile(_folder.Path, FileGuard.Patience);
                file.TryTake(Lease, static _ => false);
                file.Renew(Lease, mayBeMissing: false);
                file.Remove("ours");
                return file.TryTake(Lease, static _ => true).Kind == LeaseAnswerKind.Taken;
            case "notes.json":
                var notes = new MachineNotes(_folder.Path, _time);
                notes.Read();
                notes.Change(static before => before);
                notes.Change(static _ => new() { Pinned = new HashSet<ModelId> { Model } });
                return new MachineNotes(_folder.Path, _time).Read().Pinned.Contains(Model);
            case Window:
                using (var board = new WindowBoard(_folder.Path, new ManualTime()))
                {
                    return board.Others().Count <= 1;
                }

            default:
                var history = new MemoryHistory(_folder.Path, _time);
                history.Read(TimeSpan.FromHours(24));
                _time.Now += TimeSpan.FromSeconds(60);
                history.Add(new MemorySample(_time.Now, null, null, default, []));
                history.Add(new MemoryEvent(_time.Now, MemoryEventKind.Crash, Model, default, Phrase.Same("x")));
                return history.Read(TimeSpan.FromSeconds(1)).Events.Count == 1;
        }
    }

    private byte[] Whole(string name)
    {
        Directory.CreateDirectory(_folder["windows"]);
        new LeaseFile(_folder.Path, FileGuard.Patience).TryTake(Lease, static _ => false);
        new MachineNotes(_folder.Path, _time).Change(static _ => new()
        {
            Pinned = new HashSet<ModelId> { Model },
            Loads = new Dictionary<ModelId, LoadNote> { [Model] = new("k", new(5), 2048, Noon, Noon, TimeSpan.FromMinutes(5)) },
            Sizes = new Dictionary<string, SizeNote> { ["a@2048"] = new(new(1), new(2), Noon) },
        });
        var history = new MemoryHistory(_folder.Path, _time);
        history.Add(new MemorySample(_time.Now, new(5), new(4), new(3), [new(Model, new(2))]));
        history.Add(new MemoryEvent(_time.Now, MemoryEventKind.Load, Model, new(1), new("so", "así")));
        File.WriteAllBytes(_folder[Window], JsonSerializer.SerializeToUtf8Bytes(
            new() { Process = ProcessWire.Of(ProcessMark.Own), Uses = new() { [Model.ToString()] = Noon }, Pinned = [Model.ToString()], Patterns = [new(Model.ToString(), 9)] },
            SharingJson.Default.WindowWire));
        return File.ReadAllBytes(_folder[name]);
    }
}
