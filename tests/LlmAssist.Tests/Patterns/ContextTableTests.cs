using System.Runtime.InteropServices;
using LlmAssist.Engine;
using LlmAssist.Engine.Patterns;
using LlmAssist.Tests.Support;

namespace LlmAssist.Tests.Patterns;

public class ContextTableTests
{
    private static readonly uint[] Ids = [0, 1, 2];

    // 400 contexts were seen once, 400 twice, and so on; what is planned must be what is written, to the byte.
    [Fact]
    public void ThePlanFitsAndCouldNotBeLarger()
    {
        using var folder = new TempFolder();
        using var counter = new PatternCounter(folder.Path, long.MaxValue, 1 << 14);
        for (var context = 0; context < 20 * 400; context++)
        {
            for (var seen = 0; seen <= context % 20; seen++)
            {
                counter.Add(SymbolHash.Finish((ulong)context + 1), (uint)(seen % (1 + (context % 3))));
            }
        }

        // Exactly the bytes of each threshold are enough for it, and one less is not.
        for (var threshold = 20; 1 <= threshold; threshold--)
        {
            var bytes = Written(folder, counter, ContextTablePlan.For(counter, Ids, PatternFormat.MaximumSuccessors, threshold, long.MaxValue, CancellationToken.None));
            var plan = ContextTablePlan.For(counter, Ids, PatternFormat.MaximumSuccessors, 1, bytes, CancellationToken.None);
            Assert.Equal((threshold, (21 - threshold) * 400L), (plan.Prune, plan.Contexts));
            if (threshold < 20)
            {
                Assert.Equal(threshold + 1, ContextTablePlan.For(counter, Ids, PatternFormat.MaximumSuccessors, 1, bytes - 1, CancellationToken.None).Prune);
            }
        }

        Assert.Equal(20, ContextTablePlan.For(counter, Ids, PatternFormat.MaximumSuccessors, 20, long.MaxValue, CancellationToken.None).Prune);
    }

    [Fact]
    public void WhatDoesNotFitAtAllIsTold()
    {
        using var folder = new TempFolder();
        using var counter = new PatternCounter(folder.Path, long.MaxValue, 64);
        counter.Add(1, 1, 1 << 20);
        Assert.Contains("--max-megabytes", Assert.Throws<UserException>(() => ContextTablePlan.For(counter, Ids, PatternFormat.MaximumSuccessors, 1, 100, CancellationToken.None)).Phrase.Spanish, StringComparison.Ordinal);
    }

    // Bytes of both sections, as the file's own table has them.
    private static long Written(TempFolder folder, PatternCounter counter, ContextTablePlan plan)
    {
        using var draft = PatternStore.CreateScratch(folder.Path);
        var writer = new PatternModelWriter(draft);
        var stored = new ContextTableWriter(writer, Ids, PatternFormat.MaximumSuccessors, folder.Path).Write(counter, plan, CancellationToken.None);
        Assert.True(plan.Contexts <= stored);
        writer.Finish();
        var sections = new byte[2 * PatternFormat.SectionRecordLength];
        draft.Position = PatternFormat.HeaderLength;
        draft.ReadExactly(sections);
        return MemoryMarshal.Cast<byte, SectionRecord>(sections).ToArray().Sum(section => (long)(section.Count * section.ElementSize));
    }
}
