"""Accounts and the entries that move money between them."""

from dataclasses import dataclass, field


class LedgerError(Exception):
    pass


@dataclass
class Entry:
    account: str
    amount: int
    note: str = ""


@dataclass
class Ledger:
    entries: list = field(default_factory=list)
    balances: dict = field(default_factory=dict)

    def post(self, account, amount, note=""):
        if amount == 0:
            raise LedgerError("amount is zero")
        entry = Entry(account, amount, note)
        self.entries.append(entry)
        self.balances[account] = self.balances.get(account, 0) + amount
        return entry

    def transfer(self, source, target, amount, note=""):
        if amount <= 0:
            raise LedgerError("amount is not positive")
        if self.balance(source) < amount:
            raise LedgerError("balance is too low")
        self.post(source, -amount, note)
        self.post(target, amount, note)

    def balance(self, account):
        return self.balances.get(account, 0)

    def history(self, account):
        return [entry for entry in self.entries if entry.account == account]

    def total(self):
        return sum(entry.amount for entry in self.entries)
