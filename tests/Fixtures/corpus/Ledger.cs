using System;
using System.Collections.Generic;
using System.Linq;

namespace Corpus;

/// <summary>An amount that an account received or gave.</summary>
public sealed record Entry(string Account, long Amount, string Note);

/// <summary>Accounts and the entries that move money between them.</summary>
public sealed class Ledger
{
    private readonly List<Entry> _entries = new();
    private readonly Dictionary<string, long> _balances = new();

    public IReadOnlyList<Entry> Entries => _entries;

    public Entry Post(string account, long amount, string note = "")
    {
        if (amount == 0)
        {
            throw new ArgumentException("The amount is zero.", nameof(amount));
        }

        var entry = new Entry(account, amount, note);
        _entries.Add(entry);
        _balances[account] = Balance(account) + amount;
        return entry;
    }

    public void Transfer(string source, string target, long amount, string note = "")
    {
        if (Balance(source) < amount)
        {
            throw new InvalidOperationException("The balance is too low.");
        }

        Post(source, -amount, note);
        Post(target, amount, note);
    }

    public long Balance(string account) => _balances.GetValueOrDefault(account);

    public IEnumerable<Entry> History(string account) => _entries.Where(entry => entry.Account == account);

    public long Total() => _entries.Sum(entry => entry.Amount);
}
