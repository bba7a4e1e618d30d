// Decides what may be loaded and what must leave. Arithmetic on records: no I/O, no clock, no memory of its own. Who asks carries it out.
namespace LlmAssist.Engine.Memory;

/// <summary>
/// The rules. A load is let in if all models then take no more than the limit and the machine keeps its reserve. If not, idle models
/// leave first, the least recently used before others and pattern models last, no more than are needed; never one that is pinned or
/// busy. If that does not help either, the load is refused.
/// </summary>
/// <remarks>
/// Two marks keep models from coming and going: above the limit models leave until 90 % of it is reached, if that can be reached;
/// and they leave for lack of memory only below half of the reserve that a load must keep.
/// </remarks>
public static class MemoryGovernor
{
    // One in ten seconds in which nothing else went on, or one in four in which somebody waited: systems begin to feel slow.
    private const double FullPressure = 10;
    private const double SomePressure = 25;
    private const double PressureRoom = 2; // with more than so many reserves left it is not our models that press

    private static readonly TimeSpan PressureIdle = TimeSpan.FromMinutes(1);

    /// <summary>Says whether a model may be loaded, and with which context.</summary>
    /// <param name="residents">What is in memory. The newcomer itself may be among them; it then makes room for itself.</param>
    public static Verdict Judge(Newcomer newcomer, IReadOnlyList<Resident> residents, MemoryBudget budget)
    {
        var room = new Room([.. residents.Where(resident => resident.Id != newcomer.Id)], newcomer.Replaces, budget);
        var first = newcomer.IsContextFree ? FirstWithin(newcomer.Choices, room.TierFor(ByteSize.Zero)) : 0;
        for (var index = first; index < newcomer.Choices.Count; index++)
        {
            var choice = newcomer.Choices[index];
            if (room.VictimsFor(choice.Bytes) is not { } victims)
            {
                continue;
            }

            if (victims.Count == 0)
            {
                return new Verdict.Admit(choice);
            }

            // What they give back may be enough for a larger context, if the same have to leave for it.
            var freed = Sum(victims, static victim => victim.Freed);
            for (var larger = newcomer.IsContextFree ? FirstWithin(newcomer.Choices, room.TierFor(freed)) : index; larger < index; larger++)
            {
                if (room.VictimsFor(newcomer.Choices[larger].Bytes) is { } same && same.SequenceEqual(victims))
                {
                    choice = newcomer.Choices[larger];
                    break;
                }
            }

            return new Verdict.EvictFirst([.. victims.Select(victim => victim.Id)], choice);
        }

        var needed = newcomer.Choices[^1].Bytes;
        var (byLimit, byMachine) = room.Most();
        var most = byMachine is { } machine ? ByteSize.Min(byLimit, machine) : byLimit;
        return new Verdict.Refuse(needed, ByteSize.Max(ByteSize.Zero, most), IsByLimit: byLimit < needed);
    }

    /// <summary>Says which models should leave now, although nobody loads anything.</summary>
    /// <returns>Null if all is well.</returns>
    public static Relief? Relieve(IReadOnlyList<Resident> residents, MemoryBudget budget, DateTimeOffset now)
    {
        var room = new Room(residents, ByteSize.Zero, budget);
        if (budget.Limit < Sum(residents, static resident => resident.Bytes))
        {
            // Even if the limit cannot be reached, all that helps leaves.
            return new(ReliefCause.AboveLimit, Ids(room.VictimsForLimit()));
        }

        if (budget.Available < budget.Scarce)
        {
            return new(ReliefCause.LowMemory, Ids(room.VictimsForReserve()));
        }

        if (budget.Pressure is { } pressure && (FullPressure <= pressure.Full || SomePressure <= pressure.Some) && budget.Available < budget.Reserve * PressureRoom)
        {
            // One at a time: the figure speaks of the last ten seconds and does not fall at once.
            return new(ReliefCause.Pressure, Ids(room.Evictable.Where(resident => ByteSize.Zero < resident.Freed && resident.LastUsed + PressureIdle <= now).Take(1)));
        }

        return null;
    }

    private static int FirstWithin(IReadOnlyList<ContextChoice> choices, int tokens)
    {
        var index = 0;
        while (index < choices.Count - 1 && tokens < choices[index].Tokens)
        {
            index++;
        }

        return index;
    }

    private static IReadOnlyList<ModelId> Ids(IEnumerable<Resident> residents) => [.. residents.Select(resident => resident.Id)];

    private static ByteSize Sum(IEnumerable<Resident> residents, Func<Resident, ByteSize> bytes) =>
        residents.Aggregate(ByteSize.Zero, (sum, resident) => sum + bytes(resident));

    // What is in memory, what may leave and in which order, and what would be left then.
    private sealed class Room(IReadOnlyList<Resident> residents, ByteSize replaced, MemoryBudget budget)
    {
        private readonly ByteSize _total = Sum(residents, static resident => resident.Bytes);

        public IReadOnlyList<Resident> Evictable { get; } =
        [
            .. residents.Where(resident => !resident.IsPinned && !resident.IsBusy && (budget.Scope == EvictionScope.All || resident.IsOurs))
                .OrderBy(static resident => resident.Id.Source == ModelSource.Pattern)
                .ThenBy(static resident => resident.LastUsed)
                .ThenBy(static resident => resident.Id.Name, StringComparer.Ordinal),
        ];

        public int TierFor(ByteSize freed) =>
            budget.Available is { } available ? ContextTier.TokensFor(available + replaced + freed) : ContextTier.Unknown;

        /// <summary>Who must leave for a load of this size: nobody, or the fewest that suffice; null if not even all of them do.</summary>
        public IReadOnlyList<Resident>? VictimsFor(ByteSize needed)
        {
            if (Suffices([], needed, budget.Limit))
            {
                return [];
            }

            return Suffices(Evictable, needed, budget.LowMark) ? Fewest(victims => Suffices(victims, needed, budget.LowMark))
                : Suffices(Evictable, needed, budget.Limit) ? Fewest(victims => Suffices(victims, needed, budget.Limit))
                : null;
        }

        public IReadOnlyList<Resident> VictimsForLimit()
        {
            var mark = TotalWithout(Evictable) <= budget.LowMark ? budget.LowMark : budget.Limit;
            return Fewest(victims => TotalWithout(victims) <= mark);
        }

        public IReadOnlyList<Resident> VictimsForReserve() =>
            Fewest(victims => budget.Reserve <= budget.Available!.Value + Sum(victims, static victim => victim.Freed), static victim => ByteSize.Zero < victim.Freed);

        public bool Suffices(IReadOnlyList<Resident> victims, ByteSize needed, ByteSize mark) =>
            TotalWithout(victims) + needed <= mark
            && (budget.Available is not { } available || budget.Reserve <= available + replaced + Sum(victims, static victim => victim.Freed) - needed);

        /// <summary>The largest load that the limit, and that the machine could bear, everything evictable gone.</summary>
        public (ByteSize ByLimit, ByteSize? ByMachine) Most() => (
            budget.Limit - TotalWithout(Evictable),
            budget.Available is { } available ? available + replaced + Sum(Evictable, static victim => victim.Freed) - budget.Reserve : null);

        private ByteSize TotalWithout(IReadOnlyList<Resident> victims) => _total - Sum(victims, static victim => victim.Bytes);

        // The least recently used until it suffices; then those stay after all without whom it suffices too, the latest first.
        private List<Resident> Fewest(Func<IReadOnlyList<Resident>, bool> suffices, Func<Resident, bool>? helps = null)
        {
            var victims = new List<Resident>();
            foreach (var candidate in Evictable.Where(helps ?? (static victim => ByteSize.Zero < victim.Bytes)))
            {
                if (suffices(victims))
                {
                    break;
                }

                victims.Add(candidate);
            }

            if (!suffices(victims))
            {
                return victims;
            }

            for (var index = victims.Count - 1; 0 <= index; index--)
            {
                var candidate = victims[index];
                victims.RemoveAt(index);
                if (!suffices(victims))
                {
                    victims.Insert(index, candidate);
                }
            }

            return victims;
        }
    }
}
