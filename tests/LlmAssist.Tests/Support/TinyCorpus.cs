// A few small texts, and models trained on them.
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Tests.Support;

internal static class TinyCorpus
{
    /// <summary>Two files in two languages; small enough to count by hand or by dictionary.</summary>
    public static readonly (string Name, string Text)[] Files =
    [
        ("store.py", "import os\n\n\nclass Store:\n    def __init__(self, path):\n        self.path = path\n        self.items = {}\n\n    def add(self, key, value):\n        self.items[key] = value\n\n    def get(self, key):\n        return self.items.get(key)\n\n    def size(self):\n        return len(self.items)\n"),
        ("store.ts", "export class Store {\n  private items = new Map<string, number>();\n\n  add(key: string, value: number): void {\n    this.items.set(key, value);\n  }\n\n  get(key: string): number | undefined {\n    return this.items.get(key);\n  }\n\n  get size(): number {\n    return this.items.size; // entries\n  }\n}\n"),
    ];

    /// <summary>Writes <see cref="Files"/> into the folder 'src' of <paramref name="folder"/>.</summary>
    /// <returns>Its path.</returns>
    public static string WriteTo(TempFolder folder)
    {
        foreach (var (name, text) in Files)
        {
            folder.Write(Path.Combine("src", name), text);
        }

        return folder["src"];
    }

    /// <summary>Trains on a folder.</summary>
    public static TrainedModel Train(PatternStore store, string source, string name = "tiny", TimeProvider? time = null) =>
        new PatternTrainer(store, time ?? TimeProvider.System).Train(new() { Name = name, Folders = [source] }, null, CancellationToken.None);

    /// <summary>Trains on one text and opens the model.</summary>
    public static PatternModel Learn(TempFolder folder, string fileName, string text)
    {
        folder.Write(Path.Combine("src", fileName), text);
        return PatternModel.Open(Train(new(folder["models"], TimeProvider.System), folder["src"]).Stored.Path);
    }
}
