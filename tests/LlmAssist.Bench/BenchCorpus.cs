// The corpus in the forms that the measures need: what is trained on, what is held out, and a many times larger one.
using System.Text;
using LlmAssist.Engine.Patterns;
using LlmAssist.Engine.Text;

namespace LlmAssist.Bench;

/// <summary>A corpus in two parts, laid out below a folder of the bench's own.</summary>
internal sealed class BenchCorpus
{
    private const int HeldOutPercent = 10;
    private const int Seed = 1;

    private readonly IReadOnlyList<CorpusFile> _train;

    /// <summary>Takes what the walker accepts of <paramref name="folder"/>, and copies the larger part below <paramref name="work"/>.</summary>
    public BenchCorpus(string folder, string work)
    {
        Folder = folder;
        (_train, HeldOut) = PatternEvaluator.Split(CorpusWalker.Walk([folder], new(), CancellationToken.None).Files, HeldOutPercent, Seed);
        TrainFolder = Path.Combine(work, "train");
        foreach (var file in _train)
        {
            File.Copy(file.FullPath, Target(TrainFolder, file));
        }
    }

    /// <summary>Where all of it lies, what is held out included.</summary>
    public string Folder { get; }

    /// <summary>Copies of the files to train on, and nothing else: an ordinary workspace.</summary>
    public string TrainFolder { get; }

    /// <summary>Their size.</summary>
    public long TrainBytes => _train.Sum(file => file.Bytes);

    /// <summary>The files that no model has seen, where they were found.</summary>
    public IReadOnlyList<CorpusFile> HeldOut { get; }

    /// <summary>
    /// The training files <paramref name="copies"/> times, the names in each copy but the first with its number behind them, so that every
    /// copy is new to a model as another project of the same authors would be.
    /// </summary>
    public string Multiply(string work, int copies)
    {
        var folder = Path.Combine(work, $"times{copies}");
        var tokens = new List<Token>();
        foreach (var file in _train)
        {
            if (CorpusWalker.ReadText(file) is not { } text)
            {
                continue;
            }

            tokens.Clear();
            Lexer.Tokenize(text, file.Language, tokens);
            for (var copy = 1; copy <= copies; copy++)
            {
                var suffixed = new StringBuilder(text.Length * 5 / 4);
                foreach (var token in tokens)
                {
                    suffixed.Append(text, token.Start, token.Length);
                    if (token.Kind == TokenKind.Identifier && 1 < copy)
                    {
                        suffixed.Append('_').Append(copy);
                    }
                }

                File.WriteAllText(Target(Path.Combine(folder, $"copy{copy}"), file), suffixed.ToString());
            }
        }

        return folder;
    }

    // Where a copy belongs below another folder; the folders on the way are made.
    private string Target(string folder, CorpusFile file)
    {
        var target = Path.Combine(folder, Path.GetRelativePath(Folder, file.FullPath));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        return target;
    }
}
