"""A sync of BRP that ends by SIGKILL after each call loses nothing: the next one has it all."""

from __future__ import annotations

import pytest

from tests.killing import merged, sync


@pytest.mark.parametrize("keeps_state", [True, False], ids=["last STATE", "no STATE"])
def test_killed_after_each_call(brp, tmp_path, keeps_state):
    settings = brp.settings(brp_person_ids=["101", "103"], brp_states=[3, 7])
    now = brp.control.now()
    whole = sync(settings, tmp_path, now=now)
    assert whole.code == 0, whole.log
    calls = len(brp.control.requests())
    assert calls == 1 + 2 * 2 * 2
    for call in range(calls):
        brp.control.reset()
        rule = brp.control

        def arrange(pid, rule=rule, call=call):
            rule.fault({"signal": {"pid": pid, "signal": "KILL", "when": "after"}}, skip=call, times=1)

        killed = sync(settings, tmp_path, now=now, kill_after=arrange)
        brp.control.clear_faults()
        again = sync(settings, tmp_path, now=now, state=killed.state if keeps_state else None)
        assert (killed.code, again.code) == (-9, 0), call
        assert merged(killed, again)["invoices"] == whole.records["invoices"], call
