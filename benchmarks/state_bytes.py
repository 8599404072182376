"""STATE bytes of a whole sync, by the number of accounts: invoices and a report of each. All STATEs together."""

from __future__ import annotations

from benchmarks.measure import run

ACCOUNTS = (10, 100, 500)
SUBJECTS = 2000
INVOICES = 100_000


def measure():
    results = {}
    for accounts in ACCOUNTS:
        results[f"state_bytes.{accounts}"] = run("-m", "benchmarks.bigbring", accounts, 1)["state_bytes"]
    few, many = ACCOUNTS[0], ACCOUNTS[-1]
    growth = (results[f"state_bytes.{many}"] / many) / (results[f"state_bytes.{few}"] / few)
    results[f"state.bytes_an_account_{many}_to_{few}"] = round(growth, 3)
    for what, words in {f"{SUBJECTS}_subjects": (SUBJECTS,), f"{INVOICES}_invoices": (INVOICES, "unspecified")}.items():
        told = run("-m", "benchmarks.bigbring", 1, *words)
        results[f"state.{what}_bytes"] = told["state_bytes"]
        results[f"state.{what}_messages"] = told["states"]
        results[f"state.{what}_seconds"] = round(told["seconds"], 2)
    return results
