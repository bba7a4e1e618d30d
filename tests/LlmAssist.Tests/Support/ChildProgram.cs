// What this assembly does when it is run rather than tested: a second process for tests of what several processes share, and of
// what is left when one is killed. It says on stderr where it is, one line at a time.
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Patterns;
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
