// The end of something, as an object to be disposed of.
namespace LlmAssist.FakeOllama;

/// <summary>Does something when it is first disposed of, and nothing after that.</summary>
internal sealed class Once(Action act) : IDisposable
{
    private Action? _act = act;

    public void Dispose() => Interlocked.Exchange(ref _act, null)?.Invoke();
}
