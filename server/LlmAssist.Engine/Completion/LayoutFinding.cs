// How a model of Ollama would be asked, for users who want to know before they choose it.
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Engine.Completion;

/// <summary>Whether we know how to ask a model for what stands between two texts.</summary>
/// <param name="Layout">The prompt layout's name, one of <see cref="CompletionEngine.Layouts"/>; null if there is none.</param>
/// <param name="WhyNot">Why there is none, and what to do; null if there is one.</param>
public sealed record LayoutFinding(string? Layout, Phrase? WhyNot)
{
    /// <summary>Looks at a model's name and facts; asks nobody.</summary>
    public static LayoutFinding Of(string name, ModelFacts facts) =>
        FimTemplate.Detect(new(name, facts.Family, facts.Capabilities, facts.Template)) switch
        {
            FimSupport.Known known => new(known.Template.Name, null),
            FimSupport.Missing missing => new(null, missing.Reason),
            _ => new(null, null),
        };
}
