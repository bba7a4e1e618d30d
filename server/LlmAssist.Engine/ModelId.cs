namespace LlmAssist.Engine;

/// <summary>Where a model's answers come from.</summary>
public enum ModelSource
{
    /// <summary>A pattern model of our own, trained on the user's code.</summary>
    Pattern,

    /// <summary>A model served by Ollama.</summary>
    Ollama,
}

/// <summary>Names one model; at the root because every folder may say it.</summary>
/// <param name="Source">Where the model lives.</param>
/// <param name="Name">
/// For a pattern model its file name without extension (<c>NAME_YYYYMMDD_HHMMSS</c>); for Ollama the normalized model name.
/// </param>
public readonly record struct ModelId(ModelSource Source, string Name)
{
    /// <summary>The pattern model in the file <c>NAME.pattern</c>.</summary>
    public static ModelId Pattern(string name) => new(ModelSource.Pattern, name);

    /// <summary>Reads what <see cref="ToString"/> writes: <c>ollama:NAME</c> or <c>pattern:NAME</c>, exactly. False for anything else, and for an empty name.</summary>
    public static bool TryParse(string? text, out ModelId id)
    {
        var colon = text is null ? -1 : text.IndexOf(':');
        id = default;
        if (colon < 0 || colon == text!.Length - 1)
        {
            return false;
        }

        var name = text[(colon + 1)..];
        switch (text[..colon])
        {
            case "pattern":
                id = Pattern(name);
                return true;
            case "ollama":
                id = new(ModelSource.Ollama, name);
                return true;
            default:
                return false;
        }
    }

    public override string ToString() => Source == ModelSource.Pattern ? $"pattern:{Name}" : $"ollama:{Name}";
}
