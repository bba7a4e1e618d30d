namespace LlmAssist.Server.Cli;

/// <summary>What a process tells the one that started it.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>It was asked for properly and did not succeed.</summary>
    public const int Failure = 1;

    /// <summary>It was not understood; nothing was tried.</summary>
    public const int BadUsage = 2;

    /// <summary>Ctrl+C, as shells count: 128 + SIGINT.</summary>
    public const int Interrupted = 130;
}
