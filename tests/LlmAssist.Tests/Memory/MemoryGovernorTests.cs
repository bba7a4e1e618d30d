// What may be loaded and what must leave: cases by hand, then many at random against a judge that tries everything.
using System.Globalization;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;

namespace LlmAssist.Tests.Memory;

public sealed class MemoryGovernorTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 20, 20, 0, 0, TimeSpan.Zero);

    // Residents as NAME:SIZE@MINUTES since their last use, with ! for pinned, * for busy, ? for loaded by others; p- marks a pattern model.
    // Sizes in tenths of a GiB. What the machine has left, - for unknown. The load's choices as TOKENS:SIZE. The verdict.
    [Theory]
    [InlineData("", "80", "8000:44", "admit 8000")]
    [InlineData("", "90", "8000:44 6000:42 4000:40", "admit 8000")]
    [InlineData("", "60", "8000:44 6000:42 4000:40", "admit 6000")] // the tier of 6 GiB
    [InlineData("", "50", "6000:42 4000:40 2000:36", "admit 4000")] // the next one leaves the reserve
    [InlineData("", "-", "8000:44 6000:42 4000:40 2000:38", "admit 2000")] // a machine that does not tell
    [InlineData("", "80", "8000:66 6000:63 4000:59", "admit 4000")]
    [InlineData("", "160", "8000:66 6000:63", "refuse 63 of 60 by limit")]
    [InlineData("", "50", "1000:44", "refuse 44 of 40 by machine")]
    [InlineData("a:44@5", "120", "8000:10", "admit 8000")]
    [InlineData("a:44@5", "120", "8000:20", "evict a, 8000")]
    [InlineData("a:44@5 b:10@9", "120", "8000:10", "evict b, 8000")] // the limit is reached without, the mark only if b leaves
    [InlineData("a:20@5 b:20@9 c:10@1", "120", "8000:20", "evict b, 8000")]
    [InlineData("a:10@5 b:10@9 c:30@1", "120", "8000:30", "evict c, 8000")] // b and a, being older, do not suffice; with c gone they can stay
    [InlineData("a:44@5!", "120", "8000:20", "refuse 20 of 16 by limit")]
    [InlineData("a:44@5*", "120", "8000:20", "refuse 20 of 16 by limit")]
    [InlineData("a:44@5!", "120", "8000:20 6000:15", "admit 6000")]
    [InlineData("a:44@5", "20", "8000:44 6000:42 4000:40 2000:38", "evict a, 6000")] // what a gives back allows more than the tier of 2 GiB
    [InlineData("p-a:2@9 b:44@1", "120", "8000:20", "evict b, 8000")] // pattern models last
    [InlineData("p-a:2@9 b:44@1*", "120", "8000:16", "evict p-a, 8000")]
    [InlineData("me:44@5", "20", "8000:50", "admit 8000")] // loaded anew with another context, it makes room for itself
    public void Judges(string residents, string available, string choices, string expected)
    {
        var newcomer = new Newcomer(Id("me"), [.. Split(choices).Select(ChoiceOf)])
        {
            IsContextFree = true,
            Replaces = ResidentsOf(residents).FirstOrDefault(resident => resident.Id == Id("me"))?.Bytes ?? ByteSize.Zero,
        };
        Assert.Equal(expected, Text(MemoryGovernor.Judge(newcomer, ResidentsOf(residents), BudgetOf(available))));
    }

    [Theory]
    [InlineData("a:44@5?", EvictionScope.Ours, "refuse 20 of 16 by limit")]
    [InlineData("a:44@5?", EvictionScope.All, "evict a, 0")]
    [InlineData("a:44@5? b:10@1", EvictionScope.Ours, "refuse 20 of 16 by limit")]
    [InlineData("a:30@5? b:20@1", EvictionScope.Ours, "evict b, 0")]
    public void Models_of_others_leave_only_where_they_may(string residents, EvictionScope scope, string expected) =>
        Assert.Equal(expected, Text(MemoryGovernor.Judge(new(Id("me"), [new(0, Tenths(20))]), ResidentsOf(residents), BudgetOf("120") with { Scope = scope })));

    [Theory]
    [InlineData("a:40@5 b:20@9", "100", "")] // at the limit is not above it
    [InlineData("a:40@5 b:21@9", "100", "AboveLimit: b")]
    [InlineData("a:40@5 b:21@9!", "100", "AboveLimit: a")]
    [InlineData("a:40@5* b:21@9!", "100", "AboveLimit: ")]
    [InlineData("a:40@5* b:30@9! c:5@1", "100", "AboveLimit: c")] // the limit is out of reach; what helps leaves
    [InlineData("a:30@5 b:30@9 c:5@1", "100", "AboveLimit: b")]
    [InlineData("a:20@5", "6", "")] // a reserve of 1 GiB is gone, half of it is not
    [InlineData("a:20@5 b:3@9", "4", "LowMemory: a")] // b alone would not bring the reserve back, a alone does
    [InlineData("a:20@5 b:9@9", "4", "LowMemory: b")]
    [InlineData("p-a:20@5", "4", "LowMemory: ")] // the system takes mapped pages back by itself
    public void Relieves(string residents, string available, string expected) => Assert.Equal(expected, Text(Relieved(residents, BudgetOf(available))));

    [Theory]
    [InlineData(12, 3, "15", "Pressure: b")]
    [InlineData(3, 30, "15", "Pressure: b")]
    [InlineData(3, 3, "15", "")]
    [InlineData(12, 3, "30", "")] // so much is left that it is not our models that press
    public void Under_pressure_one_model_leaves_that_is_not_in_use(double full, double some, string available, string expected) =>
        Assert.Equal(expected, Text(Relieved("a:20@9! b:20@2 c:20@0", BudgetOf(available) with { Pressure = new(some, full) })));

    [Theory]
    [InlineData(8, "low")]
    [InlineData(12, "medium")]
    [InlineData(16, "medium")]
    [InlineData(32, "high")]
    [InlineData(64, "veryHigh")]
    [InlineData(2, "low")]
    public void The_preset_that_suits_a_machine(double gibibytes, string expected) => Assert.Equal(expected, MemoryBudget.PresetFor(ByteSize.GiB(gibibytes)));

    // 10,000 random cases. A slow judge looks at every set of models that could leave.
    [Fact]
    public void Victims_suffice_and_are_needed_and_refusals_are_right()
    {
        var random = new Random(20261120);
        for (var round = 0; round < 10_000; round++)
        {
            var residents = Enumerable.Range(0, random.Next(7)).Select(number => RandomResident(random, number)).ToList();
            ByteSize? available = random.Next(8) == 0 ? null : Tenths(random.Next(200));
            var budget = new MemoryBudget(Tenths(random.Next(5, 120)), available, Tenths(10)) { Scope = (EvictionScope)random.Next(2) };
            var largest = random.Next(1, 90);
            var newcomer = new Newcomer(Id("me"), [.. new[] { 8000, 6000, 4000 }.Select((tokens, index) => new ContextChoice(tokens, Tenths(Math.Max(1, largest - (index * 2)))))])
            {
                IsContextFree = random.Next(2) == 0,
            };
            var naive = new NaiveJudge(residents, budget);
            switch (MemoryGovernor.Judge(newcomer, residents, budget))
            {
                case Verdict.Admit admit:
                    Assert.True(naive.Fits([], admit.Choice.Bytes, budget.Limit));
                    break;
                case Verdict.EvictFirst evict:
                    naive.CheckVictims(evict.Victims, evict.Choice.Bytes);
                    break;
                case Verdict.Refuse refuse:
                    Assert.All(newcomer.IsContextFree ? newcomer.Choices.TakeLast(1) : newcomer.Choices, choice => Assert.False(naive.CanFit(choice.Bytes, budget.Limit)));
                    Assert.True(refuse.Room < refuse.Needed);
                    break;
            }

            if (MemoryGovernor.Relieve(residents, budget, Now) is { } relief)
            {
                naive.CheckRelief(relief);
            }
        }
    }

    private static Relief? Relieved(string residents, MemoryBudget budget) => MemoryGovernor.Relieve(ResidentsOf(residents), budget, Now);

    private static Resident RandomResident(Random random, int number) =>
        new(random.Next(4) == 0 ? ModelId.Pattern($"p{number}") : Id($"m{number}"), Tenths(random.Next(40)), Now - TimeSpan.FromMinutes(random.Next(60)))
        {
            IsPinned = random.Next(5) == 0,
            IsBusy = random.Next(5) == 0,
            IsOurs = random.Next(2) == 0,
        };

    private static MemoryBudget BudgetOf(string available) =>
        new(Tenths(60), available == "-" ? null : Tenths(int.Parse(available, CultureInfo.InvariantCulture)), Tenths(10));

    private static List<Resident> ResidentsOf(string text) => [.. Split(text).Select(one =>
    {
        var flags = one[one.TrimEnd('!', '*', '?').Length..];
        var parts = one.TrimEnd('!', '*', '?').Split(':', '@');
        var isPattern = parts[0].StartsWith("p-", StringComparison.Ordinal);
        var bytes = Tenths(int.Parse(parts[1], CultureInfo.InvariantCulture));
        return new Resident(Id(parts[0]), bytes, Now - TimeSpan.FromMinutes(int.Parse(parts[2], CultureInfo.InvariantCulture)))
        {
            IsPinned = flags.Contains('!'),
            IsBusy = flags.Contains('*'),
            IsOurs = !flags.Contains('?'),
            Mapped = isPattern ? bytes : ByteSize.Zero,
        };
    })];

    private static ContextChoice ChoiceOf(string text)
    {
        var parts = text.Split(':');
        return new(int.Parse(parts[0], CultureInfo.InvariantCulture), Tenths(int.Parse(parts[1], CultureInfo.InvariantCulture)));
    }

    private static ModelId Id(string name) => new(name.StartsWith("p-", StringComparison.Ordinal) ? ModelSource.Pattern : ModelSource.Ollama, name);

    private static ByteSize Tenths(int tenths) => ByteSize.MiB(100) * tenths;

    private static string[] Split(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Text(Verdict verdict) => verdict switch
    {
        Verdict.Admit admit => $"admit {admit.Choice.Tokens}",
        Verdict.EvictFirst evict => $"evict {string.Join(' ', evict.Victims.Select(victim => victim.Name))}, {evict.Choice.Tokens}",
        Verdict.Refuse refuse => $"refuse {refuse.Needed.Bytes / Tenths(1).Bytes} of {refuse.Room.Bytes / Tenths(1).Bytes} by {(refuse.IsByLimit ? "limit" : "machine")}",
        _ => "",
    };

    private static string Text(Relief? relief) => relief is null ? "" : $"{relief.Cause}: {string.Join(' ', relief.Victims.Select(victim => victim.Name))}";

    // The rules once more, by trying all sets.
    private sealed class NaiveJudge(IReadOnlyList<Resident> residents, MemoryBudget budget)
    {
        private readonly List<Resident> _evictable =
            [.. residents.Where(resident => !resident.IsPinned && !resident.IsBusy && (resident.IsOurs || budget.Scope == EvictionScope.All))];

        public bool Fits(IEnumerable<ModelId> gone, ByteSize needed, ByteSize mark)
        {
            var left = residents.Where(resident => !gone.Contains(resident.Id)).Sum(resident => resident.Bytes.Bytes);
            var freed = residents.Where(resident => gone.Contains(resident.Id)).Sum(resident => resident.Freed.Bytes);
            return left + needed.Bytes <= mark.Bytes && (budget.Available is not { } available || budget.Reserve.Bytes <= available.Bytes + freed - needed.Bytes);
        }

        public bool CanFit(ByteSize needed, ByteSize mark) => Subsets().Any(set => Fits(set, needed, mark));

        public void CheckVictims(IReadOnlyList<ModelId> victims, ByteSize needed)
        {
            Assert.False(Fits([], needed, budget.Limit));
            CheckNeeded(victims, set => Fits(set, needed, CanFit(needed, budget.LowMark) ? budget.LowMark : budget.Limit));
            Assert.NotEmpty(victims);
        }

        public void CheckRelief(Relief relief)
        {
            if (relief.Cause == ReliefCause.AboveLimit)
            {
                var mark = Subsets().Any(set => Left(set) <= budget.LowMark.Bytes) ? budget.LowMark : budget.Limit;
                if (Subsets().Any(set => Left(set) <= mark.Bytes))
                {
                    CheckNeeded(relief.Victims, set => Left(set) <= mark.Bytes);
                }
                else
                {
                    Assert.Equal(_evictable.Where(resident => 0 < resident.Bytes.Bytes).Select(resident => resident.Id).ToHashSet(), relief.Victims.ToHashSet());
                }
            }

            Assert.All(relief.Victims, victim => Assert.Contains(_evictable, resident => resident.Id == victim));
        }

        private long Left(IEnumerable<ModelId> gone) => residents.Where(resident => !gone.Contains(resident.Id)).Sum(resident => resident.Bytes.Bytes);

        private void CheckNeeded(IReadOnlyList<ModelId> victims, Func<IEnumerable<ModelId>, bool> suffices)
        {
            Assert.All(victims, victim => Assert.Contains(_evictable, resident => resident.Id == victim));
            Assert.True(suffices(victims));
            Assert.All(victims, victim => Assert.False(suffices(victims.Where(other => other != victim))));
        }

        private IEnumerable<List<ModelId>> Subsets() => Enumerable.Range(0, 1 << _evictable.Count)
            .Select(set => _evictable.Where((_, index) => (set & (1 << index)) != 0).Select(resident => resident.Id).ToList());
    }
}
