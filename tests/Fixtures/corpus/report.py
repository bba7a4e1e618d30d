"""Prints what is in a ledger."""

import sys

from ledger import Ledger


def load(path):
    ledger = Ledger()
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            account, amount, note = line.split(",")
            ledger.post(account, int(amount), note)
    return ledger


def print_balances(ledger, file=sys.stdout):
    for account, balance in sorted(ledger.balances.items()):
        print(f"{account:20} {balance:10}", file=file)


def print_history(ledger, account, file=sys.stdout):
    for entry in ledger.history(account):
        print(f"{entry.amount:10} {entry.note}", file=file)


def main(arguments):
    if len(arguments) != 2:
        print("usage: report.py FILE", file=sys.stderr)
        return 2
    ledger = load(arguments[1])
    print_balances(ledger)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
