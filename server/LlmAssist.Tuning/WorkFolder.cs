namespace LlmAssist.Tuning;

/// <summary>A folder that is gone in the end.</summary>
internal sealed class WorkFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("llm-assist-tuning-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
