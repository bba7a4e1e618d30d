// What is not understood: exit code 2, a message that names what was found, nothing on standard output, nothing done.
using LlmAssist.Engine;

namespace LlmAssist.Tests.Cli;

public sealed class UsageTests
{
    [Theory]
    [InlineData("", "Required command was not provided")]
    [InlineData("models", "Required command was not provided")]
    [InlineData("fly", "fly")]
    [InlineData("train", "train")]
    [InlineData("train x --prune 0", "--prune was given '0'; expected a whole number, 1 or more")]
    [InlineData("train x --prune many", "--prune was given 'many'")]
    [InlineData("train x --max-megabytes -1", "--max-megabytes was given '-1'")]
    [InlineData("train x --colour red", "There is no option '--colour'")]
    [InlineData("models inspect --colour", "There is no option '--colour'")]
    [InlineData("complete main.py", "'main.py' is not a place. Expected FILE:LINE:COLUMN")]
    [InlineData("complete main.py:0:1", "'main.py:0:1' is not a place")]
    [InlineData("complete main.py:1:1 --inline --list", "--inline and --list")]
    [InlineData("complete main.py:1:1 --top 0", "--top was given '0'; expected a whole number from 1 to 1000")]
    [InlineData("complete main.py:1:1 --source both", "--source was given 'both'; expected auto, pattern or ollama")]
    [InlineData("complete main.py:1:1 --source ollama --list", "--list and --source ollama")]
    [InlineData("complete main.py:1:1 --ollama http://:x", "--ollama was given 'http://:x'; expected an address")]
    [InlineData("models list --ollama ftp://host", "--ollama was given 'ftp://host'")]
    [InlineData("models pull", "pull")]
    [InlineData("eval x --source none", "--source was given 'none'")]
    [InlineData("eval x --positions 5", "--positions counts places", "add --source auto")]
    [InlineData("eval x --source auto --trace t", "--trace writes", "Leave one of them out")]
    [InlineData("eval x --source auto --plot p.svg", "--plot draws", "Leave one of them out")]
    [InlineData("eval x --plot p.png", "--plot was given 'p.png'; expected a file that ends in .svg")]
    [InlineData("eval x --source auto --positions 0", "--positions was given '0'; expected a whole number from 1 to 100000")]
    [InlineData("models prune", "--keep")]
    [InlineData("models prune --keep 0", "--keep was given '0'")]
    [InlineData("models inspect", "inspect")]
    [InlineData("models compare a b", "compare")]
    [InlineData("memory --watch --json", "--watch and --json")]
    [InlineData("memory --watch --history", "--watch and --history", "one of them")]
    [InlineData("memory --history --plot x.svg", "--history and --plot")]
    [InlineData("memory --plot x.png", "--plot was given 'x.png'; expected a file that ends in .svg")]
    [InlineData("memory --plot", "--plot")]
    [InlineData("memory --hours 3", "add --history or --plot FILE")]
    [InlineData("memory --history --hours 0", "--hours was given '0'; expected a number above 0, at most 24")]
    [InlineData("memory --history --hours 24.1", "--hours was given '24.1'")]
    [InlineData("memory --history --hours NaN", "--hours was given 'NaN'")]
    [InlineData("models pin", "pin")]
    [InlineData("eval", "Expected either FOLDER or both")]
    [InlineData("eval x --train y", "Expected either FOLDER or both")]
    [InlineData("eval --test y", "Expected either FOLDER or both")]
    [InlineData("eval x --holdout 91", "--holdout was given '91'; expected a whole number from 1 to 90")]
    [InlineData("eval x --confidence 1.5", "--confidence was given '1.5'; expected a number from 0 to 1")]
    [InlineData("eval x --confidence NaN", "--confidence was given 'NaN'")]
    [InlineData("eval x --model m --holdout 10", "--model measures a saved model")]
    public Task Refuses(string arguments, params string[] expected) => Check(arguments, Speech.English, ["error: ", .. expected]);

    [Theory]
    [InlineData("train", "Falta el argumento requerido")]
    [InlineData("train x --prune 0", "--prune recibió «0»; se esperaba un número entero, 1 o más")]
    [InlineData("complete main.py", "Se esperaba ARCHIVO:LÍNEA:COLUMNA")]
    [InlineData("eval", "Modo de empleo: llm-assist eval --help")]
    [InlineData("memory --plot x.png", "--plot recibió «x.png»; se esperaba un archivo que termine en .svg")]
    [InlineData("memory --history --hours mucho", "--hours recibió «mucho»; se esperaba un número mayor que 0 y como mucho 24")]
    [InlineData("doctor --ollama http://:x", "--ollama recibió «http://:x»; se esperaba una dirección")]
    public Task RefusesInSpanish(string arguments, string expected) => Check(arguments, Speech.Spanish, "error: ", expected);

    [Theory]
    [InlineData("--help", Speech.English, "Usage:", "Commands:", "Train a model on source code")]
    [InlineData("--help", Speech.Spanish, "Uso:", "Comandos:", "Entrenar un modelo")]
    [InlineData("train --help", Speech.Spanish, "Opciones:", "Descartar los patrones", "Carpetas de código fuente")]
    [InlineData("models --help", Speech.English, "compare", "prune", "unload", "unpin", "never taken out for others")]
    [InlineData("memory --help", Speech.English, "--plot <FILE>", "ends in .svg", "--hours <N>", "How far back", "--history", "evictions")]
    [InlineData("memory --help", Speech.Spanish, "termina en .svg", "Hasta dónde miran atrás", "desalojos")]
    [InlineData("serve --help", Speech.English, "--stdio", "language server", "Usage:")]
    public async Task Helps(string arguments, Speech speech, params string[] expected)
    {
        using var bench = new VerbBench();
        var result = await bench.RunAsync(speech, CancellationToken.None, arguments.Split(' '));
        Assert.Equal(0, result.ExitCode);
        Assert.All(expected, text => Assert.Contains(text, result.Output, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("tour", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TellsItsVersion()
    {
        using var bench = new VerbBench();
        var result = await bench.RunAsync("--version");
        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", result.Output);
    }

    private static async Task Check(string arguments, Speech speech, params string[] expected)
    {
        using var bench = new VerbBench();
        var result = await bench.RunAsync(speech, CancellationToken.None, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.All(expected, text => Assert.Contains(text, result.Error, StringComparison.Ordinal));
        Assert.False(Directory.Exists(bench.Folders.Home));
    }
}
