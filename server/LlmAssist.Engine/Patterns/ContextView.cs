// What stands before a position, read once for all contexts of it.
using System.Runtime.CompilerServices;

namespace LlmAssist.Engine.Patterns;

/// <summary>
/// The symbols before a position, taken apart: everything that a kind of context is made of. A function of the last
/// <see cref="Reach"/> symbols, so that an edit changes no context beyond that. Reused; touched by one thread at a time.
/// </summary>
internal sealed class ContextView
{
    /// <summary>How many symbols back a view looks.</summary>
    public const int Reach = 64;

    /// <summary>How many symbols back rare ones are numbered.</summary>
    public const int RenamedReach = 48;

    /// <summary>The longest run of symbols that a context names.</summary>
    public const int MaximumRun = 16;

    private const int IndexSize = 128;
    private const ulong ShapeSalt = 0x5A17_0000;
    private const ulong RenamedSalt = 0x2B0E_0000;

    private readonly ulong[] _symbols = new ulong[MaximumRun + 1];
    private readonly ulong[] _runs = new ulong[MaximumRun + 1];
    private readonly ulong[] _renamed = new ulong[MaximumRun + 1];
    private readonly ulong[] _shapes = new ulong[MaximumRun + 1];
    private readonly SymbolTraits[] _traits = new SymbolTraits[4];
    private readonly ulong[] _slots = new ulong[RenamedReach];
    private readonly byte[] _slotIndex = new byte[IndexSize]; // one more than the slot; 0 for none
    private readonly byte[] _touched = new byte[RenamedReach];

    /// <summary>The hash of the symbol <paramref name="back"/> symbols back, 1..<see cref="MaximumRun"/>; a line end before the beginning.</summary>
    public ulong Symbol(int back) => _symbols[back];

    /// <summary>Its traits, for 1..3.</summary>
    public SymbolTraits Traits(int back) => _traits[back];

    /// <summary>The last <paramref name="length"/> symbols.</summary>
    public ulong Run(int length) => _runs[length];

    /// <summary>The last symbols, the rare ones replaced by their numbers.</summary>
    public ulong Renamed(int length) => _renamed[length];

    /// <summary>The last symbols, the rare ones replaced by their classes.</summary>
    public ulong Shape(int length) => _shapes[length];

    /// <summary>The name before the innermost open bracket; what bracket it is where none stands before it; 0 where none is open.</summary>
    public ulong Call { get; private set; }

    /// <summary>Its traits, where it is not 0.</summary>
    public SymbolTraits CallTraits { get; private set; }

    /// <summary>How many commas stand between that bracket and here, at most 7.</summary>
    public int Argument { get; private set; }

    /// <summary>The first symbol of the statement; 0 at its beginning.</summary>
    public ulong StatementFirst { get; private set; }

    /// <summary>Its traits, where it is not 0.</summary>
    public SymbolTraits StatementTraits { get; private set; }

    /// <summary>The second one; 0 if there is none.</summary>
    public ulong StatementSecond { get; private set; }

    /// <summary>How many symbols of the statement stand before here.</summary>
    public int StatementLength { get; private set; }

    /// <summary>The first symbol of the statement before.</summary>
    public ulong PreviousFirst { get; private set; }

    public ulong PreviousSecond { get; private set; }

    /// <summary>The last name, not counting keywords.</summary>
    public ulong Name { get; private set; }

    /// <summary>Its traits; those of a line end if there is none.</summary>
    public SymbolTraits NameTraits { get; private set; }

    /// <summary>The one before it.</summary>
    public ulong PreviousName { get; private set; }

    /// <summary>The rare symbols before here, the nearest first, each once: what the numbers of <see cref="Renamed"/> stand for.</summary>
    public ReadOnlySpan<ulong> Slots => _slots.AsSpan(0, SlotCount);

    private int SlotCount { get; set; }

    /// <summary>The number of a rare symbol; -1 if it has none.</summary>
    public int SlotOf(ulong symbol)
    {
        for (var probe = (int)(symbol >> 40) & (IndexSize - 1); ; probe = (probe + 1) & (IndexSize - 1))
        {
            var slot = _slotIndex[probe] - 1;
            if (slot < 0 || _slots[slot] == symbol)
            {
                return slot;
            }
        }
    }

    /// <summary>Reads the position behind <paramref name="before"/>, of which the last <see cref="Reach"/> symbols count.</summary>
    public void Read(ReadOnlySpan<Symbol> before)
    {
        ForgetSlots();
        (Call, Argument, Name, PreviousName) = (0, 0, 0, 0);
        (NameTraits, CallTraits, StatementTraits) = (Newline, Newline, Newline);
        var statement = new Statement();
        var previous = new Statement();
        var (isInStatement, isInPrevious, isInCall) = (true, false, true);
        var depth = 0;
        var (run, renamed, shapes) = (0UL, RenamedSalt, ShapeSalt);
        var reach = Math.Min(before.Length, Reach);
        for (var back = 1; back <= reach; back++)
        {
            ref readonly var symbol = ref before[^back];
            var traits = symbol.Traits;
            if (back <= RenamedReach)
            {
                var slot = traits.IsCommon ? -1 : SlotFor(symbol.Hash);
                if (back <= MaximumRun)
                {
                    run = SymbolHash.Add(run, symbol.Hash);
                    renamed = SymbolHash.Add(renamed, slot < 0 ? symbol.Hash : ((ulong)slot * SymbolTraits.Classes) + (traits.IsName ? 0 : (ulong)traits.Class));
                    shapes = SymbolHash.Add(shapes, slot < 0 ? symbol.Hash : (ulong)traits.Class);
                    (_symbols[back], _runs[back], _renamed[back], _shapes[back]) = (symbol.Hash, run, renamed, shapes);
                    if (back < _traits.Length)
                    {
                        _traits[back] = traits;
                    }
                }
            }

            if (traits.IsName)
            {
                if (Name == 0)
                {
                    (Name, NameTraits) = (symbol.Hash, traits);
                }
                else if (PreviousName == 0)
                {
                    PreviousName = symbol.Hash;
                }
            }

            if (isInCall)
            {
                switch (traits.Role)
                {
                    case SymbolRole.Closes or SymbolRole.ClosesBlock:
                        depth++;
                        break;
                    case SymbolRole.Opens or SymbolRole.OpensBlock when depth == 0:
                        ref readonly var called = ref before[^(back < before.Length && before[^(back + 1)].Traits.IsName ? back + 1 : back)];
                        (Call, CallTraits) = (called.Hash, called.Traits);
                        isInCall = false;
                        break;
                    case SymbolRole.Opens or SymbolRole.OpensBlock:
                        depth--;
                        break;
                    case SymbolRole.Comma when depth == 0:
                        Argument = Math.Min(Argument + 1, 7);
                        break;
                }
            }

            if (isInStatement || isInPrevious)
            {
                var ends = traits.Role is SymbolRole.EndsStatement or SymbolRole.OpensBlock or SymbolRole.ClosesBlock;
                if (isInStatement && ends)
                {
                    (isInStatement, isInPrevious) = (false, true);
                }
                else if (isInStatement)
                {
                    statement.Prepend(symbol.Hash);
                    StatementTraits = traits;
                }
                else if (!ends)
                {
                    previous.Prepend(symbol.Hash);
                }
                else if (previous.Length != 0)
                {
                    isInPrevious = false;
                }
            }
            else if (RenamedReach <= back && !isInCall)
            {
                break;
            }
        }

        (StatementFirst, StatementSecond, StatementLength) = (statement.First, statement.Second, statement.Length);
        (PreviousFirst, PreviousSecond) = (previous.First, previous.Second);
        for (var back = reach + 1; back <= MaximumRun; back++)
        {
            run = SymbolHash.Add(run, Patterns.Symbol.NewlineHash);
            renamed = SymbolHash.Add(renamed, Patterns.Symbol.NewlineHash);
            shapes = SymbolHash.Add(shapes, Patterns.Symbol.NewlineHash);
            (_symbols[back], _runs[back], _renamed[back], _shapes[back]) = (Patterns.Symbol.NewlineHash, run, renamed, shapes);
            if (back < _traits.Length)
            {
                _traits[back] = Newline;
            }
        }
    }

    private static readonly SymbolTraits Newline = SymbolTraits.Of(Text.TokenKind.Newline, "\n");

    private void ForgetSlots()
    {
        foreach (var probe in _touched.AsSpan(0, SlotCount))
        {
            _slotIndex[probe] = 0;
        }

        SlotCount = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SlotFor(ulong symbol)
    {
        for (var probe = (int)(symbol >> 40) & (IndexSize - 1); ; probe = (probe + 1) & (IndexSize - 1))
        {
            var slot = _slotIndex[probe] - 1;
            if (slot < 0)
            {
                _slots[SlotCount] = symbol;
                _touched[SlotCount] = (byte)probe;
                _slotIndex[probe] = (byte)++SlotCount;
                return SlotCount - 1;
            }

            if (_slots[slot] == symbol)
            {
                return slot;
            }
        }
    }

    // Of a statement read backward, its first two symbols.
    private struct Statement
    {
        public ulong First;
        public ulong Second;
        public int Length;

        public void Prepend(ulong symbol)
        {
            (Second, First) = (First, symbol);
            Length++;
        }
    }
}
