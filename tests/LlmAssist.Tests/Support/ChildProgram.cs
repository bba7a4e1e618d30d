// What this assembly does when it is run rather than tested: a second process for tests of what several processes share, and of
// what is left when one is killed. It says on stderr where it is, one line at a time.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Sharing;
using LlmAssist.Tests.Handlers;

namespace LlmAssist.Tests.Support;

internal static class ChildProgram
{
    public static int Main(string[] args)
    {
        switch (args[0])
        {
            case "walk":
                return Walk(args[1], args[2]);
            case "grow":
                return Grow(int.Parse(args[1]));
            case "take-turns":
                return TakeTurns(args[1], int.Parse(args[2])).GetAwaiter().GetResult();
            case "hold-lease":
                return HoldLease(args[1]).GetAwaiter().GetResult();
            case "count":
                return Count(args[1], int.Parse(args[2]));
            case "post":
                return Post(args[1]);
            case "share-all":
                return ShareAll(args[1]).GetAwaiter().GetResult();
            case "hours":
                MemoryHours.RunAsync(int.Parse(args[1]), Console.Error.WriteLine).GetAwaiter().GetResult();
                return 0;
        }

        var store = new PatternStore(args[1], TimeProvider.System);
        switch (args[0])
        {
            case "train":
                return Train(store, args[2]);
            case "hold":
                return Hold(store);
            case "churn":
                return Churn(store, args[2], int.Parse(args[3]));
            default:
                return 2;
        }
    }

    // Trains a model, and tells each step.
    private static int Train(PatternStore store, string source)
    {
        try
        {
            new PatternTrainer(store, TimeProvider.System).Train(
                new() { Name = "tiny", Folders = [source] },
                new Steps(progress => Console.Error.WriteLine($"{progress.Phase} {progress.Fraction:F2}")),
                CancellationToken.None);
            return 0;
        }
        catch (UserException exception)
        {
            Console.Error.WriteLine("UserException: " + exception.Message);
            return 1;
        }
    }

    // Tells the files to learn from in a folder, in an environment that names another repository.
    private static int Walk(string folder, string gitFolder)
    {
        Environment.SetEnvironmentVariable("GIT_DIR", gitFolder);
        Environment.SetEnvironmentVariable("GIT_INDEX_FILE", Path.Combine(gitFolder, "index"));
        foreach (var file in CorpusWalker.Walk([folder], new(), default).Files)
        {
            Console.Error.WriteLine(file.RelativePath);
        }

        return 0;
    }

    // Tells by how many bytes the probe sees this process grow when it takes that many megabytes and writes to all of them.
    private static int Grow(int megabytes)
    {
        var probe = MemoryProbe.ForThisMachine();
        var before = probe.Read().Process!.Value;
        var block = GC.AllocateUninitializedArray<byte>(megabytes << 20, pinned: true);
        block.AsSpan().Fill(1);
        Console.Error.WriteLine((probe.Read().Process!.Value.Private - before.Private).Bytes);
        GC.KeepAlive(block);
        return 0;
    }

    // Adds one to the number in a file, each time under the lease, and proves that nobody else is at it.
    private static async Task<int> TakeTurns(string folder, int rounds)
    {
        var (number, inside) = (Path.Combine(folder, "number"), Path.Combine(folder, "inside"));
        for (var round = 0; round < rounds; round++)
        {
            await using var lease = await LoadLease.AcquireAsync(folder, ModelId.Pattern("turn"), TimeProvider.System, null, default);
            using (new FileStream(inside, FileMode.CreateNew))
            {
                var count = File.Exists(number) ? int.Parse(File.ReadAllText(number)) : 0;
                Thread.Yield();
                File.WriteAllText(number, (count + 1).ToString());
            }

            File.Delete(inside);
        }

        return 0;
    }

    // Holds the lease until it is told to end, or killed; tells when it has lost it.
    private static async Task<int> HoldLease(string folder)
    {
        await using var lease = await LoadLease.AcquireAsync(folder, ModelId.Pattern("held"), TimeProvider.System, null, default);
        using var told = lease.Lost.Register(static () => Console.Error.WriteLine("lost"));
        Console.Error.WriteLine("holding");
        Console.In.ReadLine();
        return 0;
    }

    // Adds one to a number in the notes, again and again.
    private static int Count(string folder, int rounds)
    {
        var notes = new MachineNotes(folder, TimeProvider.System);
        for (var round = 0; round < rounds; round++)
        {
            notes.Change(static before => before with { Sizes = new Dictionary<string, SizeNote> { ["n"] = new((before.Sizes.GetValueOrDefault("n")?.Ram ?? default) + new ByteSize(1), default, default) } });
        }

        return 0;
    }

    // Tells the other windows something until it is told to end, or killed.
    private static int Post(string folder)
    {
        using var board = new WindowBoard(folder, TimeProvider.System);
        board.Post(new() { Pinned = [ModelId.Pattern("child")] });
        Console.Error.WriteLine("posted");
        Console.In.ReadLine();
        return 0;
    }

    // Uses all that is shared where nothing can be written: each works for this process alone.
    private static async Task<int> ShareAll(string folder)
    {
        // A long name, so that some of each file fits where files are limited.
        var (id, now) = (ModelId.Pattern(new('a', 2000)), TimeProvider.System.GetUtcNow());
        var sample = new MemorySample(now, null, null, default, [new(id, default)]);
        for (var round = 0; round < 2; round++)
        {
            await using var lease = await LoadLease.AcquireAsync(folder, id, TimeProvider.System, null, default);
        }

        var notes = new MachineNotes(folder, TimeProvider.System);
        notes.Change(before => before with { Pinned = new HashSet<ModelId> { id } });
        var history = new MemoryHistory(folder, TimeProvider.System);
        var (first, second) = (history.Add(sample), history.Add(sample));
        using var board = new WindowBoard(folder, TimeProvider.System);
        board.Post(new() { Pinned = [id] });
        Console.Error.WriteLine($"{notes.Read().Pinned.Count} {first} {second} {history.Read(TimeSpan.FromHours(1)).Samples.Count} {board.Others().Count}");
        return 0;
    }

    // Keeps a draft and a scratch file open until it is told to end, or killed.
    private static int Hold(PatternStore store)
    {
        using var draft = store.CreateDraft();
        using var scratch = PatternStore.CreateScratch(store.Folder);
        Console.Error.WriteLine("holding");
        Console.In.ReadLine();
        return 0;
    }

    // Trains, lists, opens and deletes, as other processes do at the same time.
    private static int Churn(PatternStore store, string source, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            Train(store, source);
            using var model = store.OpenCurrent("tiny", exception => throw exception);
            foreach (var stored in store.List().Skip(1))
            {
                store.Delete(stored);
            }
        }

        return 0;
    }
}
