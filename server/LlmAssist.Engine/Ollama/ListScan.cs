// Takes the lists out of a reply to 'show' that shows them all, as its bytes arrive: the vocabulary alone has many MiB, of which
// only the number of tokens is wanted. Knows neither sockets nor what the lists mean.
using System.Text.Json;

namespace LlmAssist.Engine.Ollama;

/// <summary>Collects lists of whole numbers from <c>model_info</c>. Keeps no more than some hundred KiB, whatever comes.</summary>
internal sealed class ListScan
{
    /// <summary>The list of tokens, which is as long as the vocabulary.</summary>
    public const string Tokens = "tokenizer.ggml.tokens";

    private const string Tokenizer = "tokenizer."; // its lists have no number for each layer
    private const int MaxItems = 1024;
    private const int MaxLists = 64;
    private const int MaxKey = 200;

    private readonly Dictionary<string, IReadOnlyList<long>> _lists = [];
    private JsonReaderState _state;
    private bool _isInside; // of model_info
    private string? _key; // of the value that comes; null for one that is not wanted
    private List<long>? _list; // null where there is none, or none of whole numbers
    private long _count; // items of the list

    /// <summary>What was found so far, by full keys.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Lists => _lists;

    /// <summary>How many tokens were listed; null if they were not.</summary>
    public long? VocabularyTokens { get; private set; }

    /// <summary>Takes what it can of the bytes; the rest must come again, with more behind it.</summary>
    /// <returns>How many bytes were taken.</returns>
    /// <exception cref="JsonException">This is no JSON.</exception>
    public int Take(ReadOnlySpan<byte> json, bool isEnd)
    {
        var reader = new Utf8JsonReader(json, isEnd, _state);
        while (reader.Read())
        {
            Take(ref reader);
        }

        _state = reader.CurrentState;
        return (int)reader.BytesConsumed;
    }

    /// <summary>A list of whole numbers, true being 1; null if it is empty, too long, not about layers or of anything else.</summary>
    public static IReadOnlyList<long>? ListOf(string key, JsonElement array)
    {
        var length = array.GetArrayLength();
        if (length is 0 or > MaxItems || !IsWanted(key))
        {
            return null;
        }

        var list = new List<long>(length);
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind is JsonValueKind.True or JsonValueKind.False)
            {
                list.Add(item.ValueKind == JsonValueKind.True ? 1 : 0);
            }
            else if (item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out var number))
            {
                list.Add(number);
            }
            else
            {
                return null;
            }
        }

        return list;
    }

    // The reader's depth: 1 within the reply, 2 within model_info, 3 within a list there. Brackets have the depth around them.
    private void Take(ref Utf8JsonReader reader)
    {
        switch (reader.CurrentDepth, reader.TokenType)
        {
            case (1, JsonTokenType.PropertyName):
                _isInside = reader.ValueTextEquals("model_info"u8);
                break;
            case (2, JsonTokenType.PropertyName) when _isInside:
                _key = KeyOf(ref reader);
                break;
            case (2, JsonTokenType.StartArray) when _isInside && _key is not null:
                _list = [];
                _count = 0;
                break;
            case (2, JsonTokenType.EndArray) when _isInside && _key is not null:
                End(_key);
                _key = null;
                break;
            case (3, JsonTokenType.EndArray or JsonTokenType.EndObject):
                break;
            case (3, _) when _isInside && _key is not null:
                Add(ref reader);
                break;
        }
    }

    private void Add(ref Utf8JsonReader reader)
    {
        _count++;
        long? number = reader.TokenType switch
        {
            JsonTokenType.True => 1,
            JsonTokenType.False => 0,
            JsonTokenType.Number when reader.TryGetInt64(out var whole) => whole,
            _ => null,
        };
        if (number is { } item && _count <= MaxItems)
        {
            _list?.Add(item);
        }
        else
        {
            _list = null;
        }
    }

    private void End(string key)
    {
        if (key == Tokens)
        {
            VocabularyTokens = 0 < _count ? _count : null;
        }
        else if (_list is { Count: > 0 } && IsWanted(key) && _lists.Count < MaxLists)
        {
            _lists[key] = _list;
        }

        _list = null;
    }

    private static bool IsWanted(string key) => !key.StartsWith(Tokenizer, StringComparison.Ordinal);

    private static string? KeyOf(ref Utf8JsonReader reader)
    {
        var length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (MaxKey < length)
        {
            return null;
        }

        try
        {
            var key = reader.GetString()!;
            return key == Tokens || IsWanted(key) ? key : null;
        }
        catch (InvalidOperationException)
        {
            return null; // Its bytes are no UTF-8.
        }
    }
}
