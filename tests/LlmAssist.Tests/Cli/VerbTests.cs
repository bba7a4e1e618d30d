// Every verb: exit code, what people read, and the JSON that scripts rely on.
using System.Text.Json;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Server.Cli;

namespace LlmAssist.Tests.Cli;

public sealed class VerbTests
{
    // The properties of each answer are a contract (design): exactly these, in any order.
    [Theory]
    [InlineData("train CODE", "name path files bytes tokens megabytesPerSecond trainingSeconds sizeBytes patternsStored skipped")]
    [InlineData("complete CODE/order_3.py:10:9", "file line column elapsedMicroseconds items why ollama")]
    [InlineData("models list", "[] name source sizeBytes createdAt modifiedAt loaded patternsStored memoryKb sparsity pinned")]
    [InlineData("models inspect shop", "name path sizeBytes statistics parameters provenance")]
    [InlineData("models verify shop", "name ok reason movedTo")]
    [InlineData("models load shop", "message modelStats")]
    [InlineData("models unload shop", "message unloaded")]
    [InlineData("models prune --keep 1", "deleted freedBytes")]
    [InlineData("models delete shop --yes", "deleted freedBytes")]
    [InlineData("models compare shop shop CODE", "a b")]
    [InlineData("models pin shop", "message id pinned")]
    [InlineData("models unpin shop", "message id pinned")]
    [InlineData("memory --history", "samples events")]
    [InlineData("memory --plot CODE/memory.svg --hours 2.5", "path samples events")]
    [InlineData("memory", "systemTotalBytes systemAvailableBytes systemUsedPercent limitBytes modelsBytes models advice processBytes")]
    [InlineData("eval CODE", "tokens top1 top5 mrr bitsPerToken identifier line keystrokes word speed size calibration coverage perLanguage")]
    [InlineData("eval CODE --model shop", "tokens top1 top5 mrr bitsPerToken identifier line keystrokes word speed size calibration coverage perLanguage")]
    [InlineData("doctor", "ok checks")]
    [InlineData("tour CODE", "model opened places silentPlaces heldOut")]
    public async Task AnswersJson(string arguments, string properties)
    {
        using var bench = await new VerbBench().TrainedAsync();
        var result = await bench.RunAsync([.. arguments.Replace("CODE", bench.Code, StringComparison.Ordinal).Split(' '), "--json"]);
        Assert.True(result.ExitCode == 0, result.Error);
        var isList = properties.StartsWith("[] ", StringComparison.Ordinal);
        var answer = isList ? result.Json[0] : result.Json;
        Assert.Equal(
            (isList ? properties[3..] : properties).Split(' ').Order(StringComparer.Ordinal),
            answer.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("models list", Speech.English, "model", "shop_")]
    [InlineData("models list", Speech.Spanish, "modelo", "shop_")]
    [InlineData("models inspect shop", Speech.Spanish, "De dónde viene", "Python 100.0")]
    [InlineData("models inspect shop", Speech.English, "Where it comes from", "symbols6")]
    [InlineData("models verify shop", Speech.Spanish, "está íntegro", "shop_")]
    [InlineData("models load shop", Speech.English, "opens", "patterns")]
    [InlineData("models unload shop", Speech.English, "nothing to unload", "LLM Assist")]
    [InlineData("models prune --keep 1", Speech.Spanish, "No había nada que borrar", "")]
    [InlineData("models compare shop shop CODE", Speech.Spanish, "pulsaciones ahorradas", "mismos archivos, mismo texto")]
    [InlineData("memory", Speech.Spanish, "9.0 GB disponibles", "límite 6.0 GB", "pattern:shop_")]
    [InlineData("memory --history", Speech.English, "Nothing has happened to models in the last 24 h")]
    [InlineData("memory --history --hours 1.5", Speech.Spanish, "En las últimas 1.5 h no ha ocurrido nada")]
    [InlineData("memory --plot CODE/memory.SVG", Speech.English, "memory.SVG is drawn, but there is nothing in it yet")]
    [InlineData("memory --plot CODE/memory.svg", Speech.Spanish, "está dibujado")]
    [InlineData("models pin shop", Speech.English, "shop stays in memory once it is loaded")]
    [InlineData("models unpin shop", Speech.Spanish, "shop puede salir de la memoria")]
    [InlineData("doctor", Speech.English, "no model in memory", "6.0 GB (medium); for 16.0 GB medium is recommended", "memory pressure (PSI): not told", "shared state")]
    [InlineData("eval CODE", Speech.English, "keystrokes saved", "Python")]
    [InlineData("eval CODE --seed 5 --holdout 30", Speech.Spanish, "Por lenguaje", "tokens predichos")]
    [InlineData("doctor", Speech.Spanish, "carpeta de modelos", "1, ", "se recomienda medium")]
    [InlineData("train CODE --note hello --include *.py", Speech.Spanish, "Guardado en", "shop")]
    [InlineData("tour CODE", Speech.English, "Opened the saved model shop_", "on code that is new to it")]
    [InlineData("tour CODE", Speech.Spanish, "Se abrió el modelo guardado shop_", "Y ahora")]
    public async Task TellsPeople(string arguments, Speech speech, params string[] expected)
    {
        using var bench = await new VerbBench().TrainedAsync();
        var result = await bench.RunAsync(speech, CancellationToken.None, arguments.Replace("CODE", bench.Code, StringComparison.Ordinal).Split(' '));
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.All(expected, text => Assert.Contains(text, result.Output, StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', result.Output + result.Error);
    }

    [Theory]
    [InlineData("train NOWHERE", "does not exist")]
    [InlineData("eval NOWHERE", "does not exist")]
    [InlineData("complete NOWHERE/main.py:1:1", "NOWHERE")]
    [InlineData("complete CODE/order_3.py:99:1", "has 17 lines; line 99 was asked for")]
    [InlineData("complete CODE/order_3.py:1:13", "has columns 1 to 12; column 13 was asked for")]
    [InlineData("complete CODE/order_3.py:1:1 --model absent", "There is no model 'absent'. There are: shop")]
    [InlineData("models inspect absent", "There is no model 'absent'")]
    [InlineData("models delete absent --yes", "There is no model 'absent'")]
    public async Task Fails(string arguments, string expected)
    {
        using var bench = await new VerbBench().TrainedAsync();
        var full = arguments.Replace("CODE", bench.Code, StringComparison.Ordinal).Replace("NOWHERE", bench.PathTo("NOWHERE"), StringComparison.Ordinal);
        var result = await bench.RunAsync(full.Split(' '));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("error: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    [Theory]
    [InlineData("--inline", "        connection.", "inline", "execute(\"insert\", self.customer_name, self.total_price)")]
    [InlineData("--inline", "        self.customer_name", "inline", " = customer_name")]
    [InlineData("--list", "        self.to", "list", "total_price")]
    public async Task Completes(string surface, string line, string answeredOn, string expected)
    {
        using var bench = await new VerbBench().TrainedAsync();
        var file = Path.Combine(bench.Code, "new.py");
        await File.WriteAllTextAsync(file, "class Order99:\n    def save_order(self, connection):\n" + line);
        var result = await bench.RunAsync("complete", $"{file}:3:{line.Length + 1}", surface, "--json");
        var item = result.Json.GetProperty("items")[0];
        Assert.Equal((answeredOn, expected), (item.GetProperty("surface").GetString(), item.GetProperty("text").GetString()));
        Assert.Equal("pattern", item.GetProperty("source").GetString());
        Assert.InRange(item.GetProperty("confidence").GetDouble(), 0, 1);
        Assert.Equal(JsonValueKind.Null, result.Json.GetProperty("why").ValueKind);
    }

    [Fact]
    public async Task SaysWhyNothingIsShown()
    {
        using var bench = await new VerbBench().TrainedAsync();
        var file = Path.Combine(bench.Code, "new.py");
        await File.WriteAllTextAsync(file, "# a comment about ");
        var result = await bench.RunAsync("complete", $"{file}:1:19", "--json");
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Json.GetProperty("items").EnumerateArray());
        Assert.Contains("comment", result.Json.GetProperty("why").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PrefersTheModelOfTheFilesFolder()
    {
        using var bench = await new VerbBench().TrainedAsync();
        Directory.CreateDirectory(bench.PathTo("other"));
        await File.WriteAllTextAsync(bench.PathTo("other/main.go"), "package main\nfunc main() {\n\tprintln(1)\n}\n");
        Assert.Equal(0, (await bench.RunAsync("train", bench.PathTo("other"))).ExitCode);
        var inside = await bench.RunAsync("complete", Path.Combine(bench.Code, "order_3.py") + ":1:1");
        var outside = await bench.RunAsync("complete", bench.PathTo("other/main.go") + ":1:1");
        Assert.Contains("Model: shop_", inside.Output, StringComparison.Ordinal);
        Assert.Contains("Model: other_", outside.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TrainsUnderTheFoldersNameAndTellsWhatItSaved()
    {
        using var bench = new VerbBench();
        var result = await bench.RunAsync("train", bench.Code, "--json");
        Assert.Equal(0, result.ExitCode);
        var path = Assert.Single(bench.ModelFiles);
        Assert.Equal(path, result.Json.GetProperty("path").GetString());
        Assert.Matches(@"^shop_\d{8}_\d{6}$", result.Json.GetProperty("name").GetString());
        Assert.Equal(24, result.Json.GetProperty("files").GetInt32());
        Assert.Equal(new FileInfo(path).Length, result.Json.GetProperty("sizeBytes").GetInt64());
        Assert.Contains("Reading files", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CanceledTrainingSavesNothing()
    {
        using var bench = new VerbBench();
        using var canceled = new CancellationTokenSource();
        await canceled.CancelAsync();
        var result = await bench.RunAsync(Speech.English, canceled.Token, "train", bench.Code);
        Assert.Equal(130, result.ExitCode);
        Assert.Empty(bench.ModelFiles);
    }

    [Fact]
    public async Task DeletesOnlyWhenConfirmed()
    {
        using var bench = await new VerbBench().TrainedAsync();
        var unconfirmed = await bench.RunAsync("models", "delete", "shop");
        Assert.Equal(2, unconfirmed.ExitCode);
        Assert.Contains("add --yes", unconfirmed.Error, StringComparison.Ordinal);
        Assert.Single(bench.ModelFiles);
        Assert.Equal(0, (await bench.RunAsync("models", "delete", "shop", "--yes")).ExitCode);
        Assert.Empty(bench.ModelFiles);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public async Task DeletesOneVersionByFileNameAndAllByName(bool byName, int left)
    {
        using var bench = await new VerbBench().TrainedAsync();
        await bench.TrainedAsync();
        Assert.Equal(2, bench.ModelFiles.Length);
        var reference = byName ? "shop" : Path.GetFileNameWithoutExtension(bench.ModelFiles[0]);
        Assert.Equal(0, (await bench.RunAsync("models", "delete", reference, "--yes")).ExitCode);
        Assert.Equal(left, bench.ModelFiles.Length);
    }

    [Fact]
    public async Task SetsADamagedModelAside()
    {
        using var bench = await new VerbBench().TrainedAsync();
        var path = bench.ModelFiles[0];
        using (var file = new FileStream(path, FileMode.Open))
        {
            file.Position = file.Length / 2;
            var before = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)~before);
        }

        var result = await bench.RunAsync("models", "verify", "shop", "--json");
        Assert.Equal(1, result.ExitCode);
        Assert.False(result.Json.GetProperty("ok").GetBoolean());
        Assert.True(File.Exists(result.Json.GetProperty("movedTo").GetString()));
        Assert.Empty(bench.ModelFiles);
        Assert.Equal("warn", StateOf(await bench.RunAsync("doctor", "--json"), "set aside"));
    }

    [Fact]
    public async Task DoctorFailsWhereModelsCannotBeSaved()
    {
        using var bench = new VerbBench();
        await File.WriteAllTextAsync(bench.Folders.Home, "a file where the folder should be");
        var result = await bench.RunAsync("doctor", "--json");
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("fail", StateOf(result, "model folder"));
    }

    [Fact]
    public async Task AdvisesWhenMemoryIsTight()
    {
        using var bench = new VerbBench { Reading = new(new SystemMemory(ByteSize.GiB(8), ByteSize.MiB(300), LimitedByGroup: false), null, [new("no process", "sin proceso")]) };
        var result = await bench.RunAsync("memory", "--json");
        Assert.Equal(JsonValueKind.Null, result.Json.GetProperty("processBytes").ValueKind);
        var advice = result.Json.GetProperty("advice").EnumerateArray().Select(text => text.GetString()!).ToList();
        Assert.Contains("no process", advice);
        Assert.Contains(advice, text => text.StartsWith("Memory is tight: 300 MB of 8.0 GB are left", StringComparison.Ordinal));
    }

    [Fact]
    public async Task EvaluatesOneFolderWithAnotherAndTracesEveryToken()
    {
        using var bench = new VerbBench();
        Directory.CreateDirectory(bench.PathTo("test"));
        await File.WriteAllTextAsync(bench.PathTo("test/main.py"), "def save_order(self, connection):\n    connection.commit()\n");
        var trace = bench.PathTo("trace.jsonl");
        var plot = bench.PathTo("plot.svg");
        var result = await bench.RunAsync("eval", "--train", bench.Code, "--test", bench.PathTo("test"), "--trace", trace, "--plot", plot, "--json");
        Assert.True(result.ExitCode == 0, result.Error);
        var lines = await File.ReadAllLinesAsync(trace);
        Assert.Equal(result.Json.GetProperty("tokens").GetInt32(), lines.Length);
        var first = lines.Count(line => JsonDocument.Parse(line).RootElement.GetProperty("rank").GetInt32() == 1);
        Assert.Equal((double)first / lines.Length, result.Json.GetProperty("top1").GetDouble(), precision: 9);
        Assert.StartsWith("<svg ", await File.ReadAllTextAsync(plot), StringComparison.Ordinal);
        Assert.Empty(bench.ModelFiles);
    }

    [Fact]
    public async Task SameSeedSameFigures()
    {
        using var bench = new VerbBench();
        var runs = new List<double>();
        for (var run = 0; run < 2; run++)
        {
            runs.Add((await bench.RunAsync("eval", bench.Code, "--seed", "3", "--holdout", "25", "--json")).Json.GetProperty("bitsPerToken").GetDouble());
        }

        Assert.Equal(runs[0], runs[1]);
    }

    [Fact]
    public async Task WarnsThatAModelHasReadTheTest()
    {
        using var bench = await new VerbBench().TrainedAsync();
        var result = await bench.RunAsync("eval", bench.Code, "--model", "shop");
        Assert.Contains("has learned from 100.0", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TourTrainsOnceAndAgainWhenMuchHasChanged()
    {
        using var bench = new VerbBench();
        var opened = new List<bool>();
        for (var visit = 0; visit < 3; visit++)
        {
            if (visit == 2)
            {
                for (var number = 0; number < 8; number++)
                {
                    await File.AppendAllTextAsync(Path.Combine(bench.Code, $"order_{number}.py"), "changed = True\n");
                }
            }

            var result = await bench.RunAsync("tour", bench.Code, "--json");
            Assert.True(result.ExitCode == 0, result.Error);
            opened.Add(result.Json.GetProperty("opened").GetBoolean());
        }

        Assert.Equal([false, true, false], opened);
    }

    [Fact]
    public async Task TourShowsWhatTheFilesReallyHave()
    {
        using var bench = await new VerbBench().TrainedAsync();
        var places = (await bench.RunAsync("tour", bench.Code, "--json")).Json.GetProperty("places").EnumerateArray().ToList();
        Assert.NotEmpty(places);
        Assert.All(places, place =>
        {
            var line = File.ReadAllLines(FileOf(place))[place.GetProperty("line").GetInt32() - 1];
            Assert.Equal(line, Text(place, "before") + Text(place, "actual"));
            var expected = Text(place, "suggestion") == Text(place, "actual") ? "equal" : Text(place, "actual").StartsWith(Text(place, "suggestion"), StringComparison.Ordinal) ? "begins" : "differs";
            Assert.Equal(expected, Text(place, "verdict"));
        });

        string FileOf(JsonElement place) => Path.Combine(bench.Code, Path.GetFileName(Text(place, "file")));

        static string Text(JsonElement place, string property) => place.GetProperty(property).GetString()!;
    }

    private static string? StateOf(VerbResult result, string check) => result.Json
        .GetProperty("checks")
        .EnumerateArray()
        .Single(row => row.GetProperty("check").GetString() == check)
        .GetProperty("state")
        .GetString();
}
