// Makes what the pattern model ships with: the list of common words, what is usual in each language, and the weights that the mixture begins
// with. Not shipped itself.
//   tuning words   OUT CORPUS...
//   tuning prior   OUT --megabytes N --prune N CORPUS...
//   tuning baseline [--tokens N] [--splits N] CORPUS...
//   tuning weights OUT [--tokens N] [--passes N] [--without KIND] [--no-priors] CORPUS... [--splits N] [--cold] [--check CORPUS...]
using System.Globalization;
using LlmAssist.Engine.Patterns;
using LlmAssist.Tuning;

#pragma warning disable RS0030 // No protocol here: this program's output is read by people.
var output = Console.Out;
#pragma warning restore RS0030
var options = args.ToList();
var tokens = int.Parse(Take("--tokens") ?? "40000", CultureInfo.InvariantCulture);
var passes = int.Parse(Take("--passes") ?? "6", CultureInfo.InvariantCulture);
var without = Take("--without"); // a kind of context, to see what it is worth
var megabytes = int.Parse(Take("--megabytes") ?? "2", CultureInfo.InvariantCulture);
var prune = int.Parse(Take("--prune") ?? "8", CultureInfo.InvariantCulture);
var withPriors = !options.Remove("--no-priors");
var splits = int.Parse(Take("--splits") ?? "1", CultureInfo.InvariantCulture);
var isCold = options.Remove("--cold");
var check = options.IndexOf("--check") is var at && 0 <= at ? options[(at + 1)..] : [];
var learn = 0 <= at ? options[2..at] : options[2..];
using var work = new WorkFolder();
switch (options[0])
{
    case "words":
        File.WriteAllText(options[1], CommonWords.Of(learn));
        break;
    case "prior":
        output.WriteLine(Prior.Train(work.Path, options[1], learn, megabytes, prune));
        break;
    case "weights":
        var weights = MixtureWeights.Untrained();
        if (learn.Count != 0)
        {
            new Rehearsal(work.Path, output, without, withPriors).Learn(weights, learn, tokens, passes);
            weights.Relax(Rehearsal.Certainty);
            using var file = File.Create(options[1]);
            weights.Write(file);
        }
        else
        {
            weights = options[1].Length == 0 ? MixtureWeights.Start() : MixtureWeights.Read(File.OpenRead(options[1]));
        }

        if (check.Count != 0)
        {
            new Rehearsal(work.Path, output, without, withPriors).Check(weights, check, tokens, isCold, splits);
        }

        break;
    case "baseline":
        new Rehearsal(work.Path, output).CheckBaseline(options[1..], tokens, splits);
        break;
    default:
        output.WriteLine($"'{options[0]}' is neither 'words', 'prior', 'baseline' nor 'weights'.");
        return 2;
}

return 0;

string? Take(string name)
{
    var index = options.IndexOf(name);
    if (index < 0)
    {
        return null;
    }

    var value = options[index + 1];
    options.RemoveRange(index, 2);
    return value;
}
