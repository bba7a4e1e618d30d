// What is wanted of Ollama, and how things stand with it. Plain records.
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Ollama;

namespace LlmAssist.Engine.Models;

/// <summary>What the user wants of Ollama.</summary>
public sealed record OllamaOptions
{
    /// <summary>Where it listens; null for none: then no socket is opened.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The model to ask; empty for one that Ollama runs already. Only a model that is named is ever loaded.</summary>
    public string Model { get; init; } = "";

    /// <summary>How long a model stays unused; <see cref="Timeout.InfiniteTimeSpan"/> for ever, null leaves it to Ollama.</summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>Tokens of context to load with; null goes by the memory that is free at the load.</summary>
    public int? ContextTokens { get; init; }
}

/// <summary>How things stand with Ollama.</summary>
public enum OllamaCondition
{
    /// <summary>Switched off.</summary>
    Off,

    /// <summary>Nobody has looked yet.</summary>
    Unknown,

    /// <summary>It does not run here, and nobody said that it should.</summary>
    Absent,

    /// <summary>It runs, and no model is to be asked.</summary>
    Idle,

    /// <summary>A model is being loaded.</summary>
    Loading,

    /// <summary>A model can be asked.</summary>
    Ready,

    /// <summary>The model that should be asked cannot be.</summary>
    Degraded,
}

/// <summary>How things stand, and why.</summary>
/// <param name="Condition">In a word.</param>
/// <param name="Message">For the user; empty where there is nothing to say.</param>
/// <param name="Model">The model it is about; null for none.</param>
public sealed record OllamaState(OllamaCondition Condition, Phrase Message, string? Model);

/// <summary>A model that can be asked now.</summary>
/// <param name="Name">Its display name.</param>
/// <param name="Key">See <see cref="RunningModel.Key"/>.</param>
/// <param name="ContextTokens">The context that it is loaded with: another one in a request would load it anew.</param>
/// <param name="Facts">What the server knows about it.</param>
/// <param name="SeenContextTokens">The context as the server lists it; null if it does not.</param>
/// <param name="RemoteHost">Where it runs, if not at this server: then it takes no memory here, and code is sent there.</param>
public sealed record OllamaUse(string Name, string Key, int ContextTokens, ModelFacts Facts, int? SeenContextTokens, string? RemoteHost);

/// <summary>A model of Ollama, for lists.</summary>
/// <param name="Installed">On disk.</param>
/// <param name="Running">In memory; null if it is not.</param>
/// <param name="Facts">What the server knows about it; null if it did not tell.</param>
/// <param name="FillsMiddle">Whether we know how to ask it for what stands between two texts.</param>
/// <param name="IsInUse">Whether completions are asked of it.</param>
/// <param name="Newcomer">What it would take; null if it is in memory, or runs elsewhere.</param>
/// <param name="Verdict">What would be said to loading it now; null if it is in memory, or runs elsewhere.</param>
public sealed record OllamaModel(
    InstalledModel Installed,
    RunningModel? Running,
    ModelFacts? Facts,
    bool FillsMiddle,
    bool IsInUse,
    Newcomer? Newcomer,
    Verdict? Verdict);

/// <summary>A model in Ollama's memory, whoever loaded it.</summary>
/// <param name="Id">Which.</param>
/// <param name="RamBytes">Memory of the machine.</param>
/// <param name="VramBytes">Memory of graphics cards.</param>
/// <param name="ContextTokens">Its context; null if not told.</param>
/// <param name="LastUsed">When anybody used it last, as well as that can be told.</param>
/// <param name="IsBusy">Whether it answers somebody right now.</param>
/// <param name="IsStuck">Whether it was told to leave long ago and has not.</param>
/// <param name="IsDead">Whether its process has died while the server still lists it.</param>
public sealed record OllamaResident(ModelId Id, long RamBytes, long VramBytes, int? ContextTokens, DateTimeOffset LastUsed, bool IsBusy, bool IsStuck, bool IsDead);
