import unittest

from ledger import Entry, Ledger, LedgerError


class LedgerTest(unittest.TestCase):
    def setUp(self):
        self.ledger = Ledger()

    def test_post(self):
        entry = self.ledger.post("cash", 100)
        self.assertEqual(entry, Entry("cash", 100))
        self.assertEqual(self.ledger.balance("cash"), 100)

    def test_post_of_nothing(self):
        with self.assertRaises(LedgerError):
            self.ledger.post("cash", 0)

    def test_transfer(self):
        self.ledger.post("cash", 100)
        self.ledger.transfer("cash", "bank", 40)
        self.assertEqual(self.ledger.balance("cash"), 60)
        self.assertEqual(self.ledger.balance("bank"), 40)
        self.assertEqual(self.ledger.total(), 100)

    def test_transfer_of_too_much(self):
        self.ledger.post("cash", 10)
        with self.assertRaises(LedgerError):
            self.ledger.transfer("cash", "bank", 40)
        self.assertEqual(self.ledger.balance("cash"), 10)

    def test_history(self):
        self.ledger.post("cash", 100)
        self.ledger.post("bank", 50)
        self.assertEqual(len(self.ledger.history("cash")), 1)
        self.assertEqual(len(self.ledger.history("none")), 0)


if __name__ == "__main__":
    unittest.main()
