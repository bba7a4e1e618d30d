using System.Collections.Generic;

namespace Corpus;

/// <summary>Forgets what was not used for longest.</summary>
public sealed class Cache<TKey, TValue>
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<KeyValuePair<TKey, TValue>>> _nodes = new();
    private readonly LinkedList<KeyValuePair<TKey, TValue>> _order = new();
    private readonly int _limit;

    public Cache(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        _limit = limit;
    }

    public int Count => _nodes.Count;

    public bool TryGet(TKey key, out TValue? value)
    {
        if (!_nodes.TryGetValue(key, out var node))
        {
            value = default;
            return false;
        }

        _order.Remove(node);
        _order.AddFirst(node);
        value = node.Value.Value;
        return true;
    }

    public void Set(TKey key, TValue value)
    {
        if (_nodes.TryGetValue(key, out var node))
        {
            _order.Remove(node);
        }

        _nodes[key] = _order.AddFirst(new KeyValuePair<TKey, TValue>(key, value));
        while (_limit < _nodes.Count)
        {
            _nodes.Remove(_order.Last!.Value.Key);
            _order.RemoveLast();
        }
    }

    public void Clear()
    {
        _nodes.Clear();
        _order.Clear();
    }
}
