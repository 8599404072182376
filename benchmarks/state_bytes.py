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
    subjects = run("-m", "benchmarks.bigbring", 1, SUBJECTS)
    results[f"state.{SUBJECTS}_subjects_bytes"] = subjects["state_bytes"]
    results[f"state.{SUBJECTS}_subjects_messages"] = subjects["states"]
    results[f"state.{SUBJECTS}_subjects_seconds"] = round(subjects["seconds"], 2)
    invoices = run("-m", "benchmarks.bigbring", 1, INVOICES, "unspecified")
    results[f"state.{INVOICES}_invoices_bytes"] = invoices["state_bytes"]
    results[f"state.{INVOICES}_invoices_messages"] = invoices["states"]
    results[f"state.{INVOICES}_invoices_seconds"] = round(invoices["seconds"], 2)
    return results
