// The lease of LoadLease as it lies on the disk. Every step is one stay in the guard; who may take it over when is decided by the caller.
using System.Text.Json;

namespace LlmAssist.Engine.Sharing;

/// <summary>What stands in the file.</summary>
/// <param name="Token">Names one acquisition; random.</param>
/// <param name="Process">Whose.</param>
/// <param name="Model">What is loaded.</param>
/// <param name="Since">Since when.</param>
/// <param name="Renewals">How often it was renewed.</param>
internal sealed record LeaseRecord(string Token, ProcessMark Process, ModelId Model, DateTimeOffset Since, long Renewals)
{
    // One object for the whole life of an acquisition: a seat is compared by it.
    public LeaseHolder Holder { get; } = new(Process.ProcessId, Model, Since);
}

/// <summary>How a step ended.</summary>
internal enum LeaseAnswerKind
{
    /// <summary>The lease is ours.</summary>
    Taken,

    /// <summary>Somebody else has it, or has had it.</summary>
    Held,

    /// <summary>Somebody else was in the guard all the time, or kept us from reading. To be tried again.</summary>
    Busy,

    /// <summary>Nothing can be written there.</summary>
    Unusable,
}

/// <summary>How an attempt to take the lease ended.</summary>
/// <param name="Kind">So.</param>
/// <param name="Holder">Who has it, if it is held.</param>
internal readonly record struct LeaseAnswer(LeaseAnswerKind Kind, LeaseHolder? Holder = null);

/// <summary>The file <c>load.lease</c> of a folder.</summary>
internal sealed class LeaseFile(string folder, TimeSpan patience)
{
    private readonly string _path = Path.Combine(folder, "load.lease");
    private readonly string _guard = Path.Combine(folder, "load.guard");

    /// <summary>Takes the lease if nobody has it, or whoever has it is dead or <paramref name="isForsaken"/>.</summary>
    public LeaseAnswer TryTake(LeaseRecord ours, Func<LeaseRecord, bool> isForsaken)
    {
        using var guard = FileGuard.TryEnter(_guard, patience, out var entry);
        if (guard is null)
        {
            return new(Refusal(entry));
        }

        if (!TryRead(out var held))
        {
            return new(LeaseAnswerKind.Busy);
        }

        if (held is not null && !isForsaken(held) && held.Process.Life() != ProcessLife.Dead)
        {
            return new(LeaseAnswerKind.Held, held.Holder);
        }

        return new(Write(ours));
    }

    /// <summary>Writes the lease again.</summary>
    /// <param name="ours">With one renewal more.</param>
    /// <param name="mayBeMissing">Whether it is still ours if nobody has it.</param>
    public LeaseAnswerKind Renew(LeaseRecord ours, bool mayBeMissing)
    {
        using var guard = FileGuard.TryEnter(_guard, patience, out var entry);
        if (guard is null)
        {
            return Refusal(entry);
        }

        if (!TryRead(out var held))
        {
            return LeaseAnswerKind.Busy;
        }

        var isOurs = held is null || held.Process.Life() == ProcessLife.Dead ? mayBeMissing : held.Token == ours.Token;
        return isOurs ? Write(ours) : LeaseAnswerKind.Held;
    }

    /// <summary>Removes the lease if it is still ours.</summary>
    public void Remove(string token)
    {
        // There is no second chance: what stays makes the next one wait for seconds.
        using var guard = FileGuard.TryEnter(_guard, FileGuard.Patience, out _);
        if (guard is not null && TryRead(out var held) && held?.Token == token)
        {
            SharedFile.TryDelete(_path);
        }
    }

    private static LeaseAnswerKind Refusal(GuardEntry entry) => entry == GuardEntry.Busy ? LeaseAnswerKind.Busy : LeaseAnswerKind.Unusable;

    // Null if nobody has it, or what stands there makes no sense. False for a file that is there and is kept from us: somebody may have it.
    private bool TryRead(out LeaseRecord? held)
    {
        held = null;
        if (SharedFile.TryRead(_path) is not { } content)
        {
            return FileStamp.Of(_path) is not { Length: <= SharedFile.MostBytes };
        }

        if (SharedFile.TryParse(content, SharingJson.Default.LeaseWire) is { Token: { Length: not 0 } token } wire && ModelId.TryParse(wire.Model, out var model))
        {
            held = new(token, wire.Process.ToMark(), model, wire.Since, wire.Renewals);
        }

        return true;
    }

    private LeaseAnswerKind Write(LeaseRecord record)
    {
        var wire = new LeaseWire
        {
            Token = record.Token,
            Process = ProcessWire.Of(record.Process),
            Model = record.Model.ToString(),
            Since = record.Since,
            Renewals = record.Renewals,
        };

        // In place, because a renewal must not fail when the disk is full, and only the guard lets anybody read.
        return SharedFile.TryOverwrite(_path, JsonSerializer.SerializeToUtf8Bytes(wire, SharingJson.Default.LeaseWire)) ? LeaseAnswerKind.Taken : LeaseAnswerKind.Unusable;
    }
}
