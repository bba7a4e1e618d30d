// Runs the stand-in by itself: fake-ollama [--port N] [--scenario FILE]. Ends when standard input does, or with Ctrl+C.
using System.Globalization;
using System.Text.Json;
using LlmAssist.FakeOllama;

var port = 11434;
var scenario = new Scenario();
try
{
    for (var index = 0; index < args.Length; index += 2)
    {
        switch (args[index])
        {
            case "--port" when index + 1 < args.Length:
                port = int.Parse(args[index + 1], NumberStyles.None, CultureInfo.InvariantCulture);
                break;
            case "--scenario" when index + 1 < args.Length:
                scenario = Scenario.Parse(File.ReadAllText(args[index + 1]));
                break;
            default:
                Console.Error.WriteLine($"Found {args[index]}, expected: fake-ollama [--port N] [--scenario FILE]");
                return 2;
        }
    }

    await using var server = new FakeServer(scenario, TimeProvider.System, port);
    Console.Error.WriteLine($"Stands in for Ollama at {server.Endpoint}");
    var ended = new TaskCompletionSource();
    Console.CancelKeyPress += (_, pressed) =>
    {
        pressed.Cancel = true;
        ended.TrySetResult();
    };
    await Task.WhenAny(ended.Task, Task.Run(() => Console.In.ReadToEnd()));
    return 0;
}
catch (Exception exception) when (exception is JsonException or IOException or FormatException or OverflowException or System.Net.Sockets.SocketException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
