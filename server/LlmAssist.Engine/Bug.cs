namespace LlmAssist.Engine;

/// <summary>
/// Reports a broken invariant. In the field it is logged and the program goes on with a safe value; under test it throws,
/// so that no broken invariant passes unseen.
/// </summary>
public static class Bug
{
    /// <summary>
    /// Where reports go. The host sets it once at start; tests leave it at its default, which throws.
    /// </summary>
    public static Action<string> Reporter { get; set; } = static message => throw new InvalidOperationException(message);

    /// <summary>Reports that <paramref name="invariant"/> does not hold.</summary>
    public static void Report(string invariant) => Reporter(invariant);
}
