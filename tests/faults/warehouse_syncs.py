"""`billing-reports sync` of the vendors of a world, ended at a statement or after some work, and the sync after it."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.faults.bench import config_of
from tests.faults.canaries import Canaries
from tests.faults.cases import Case, Verdict
from tests.faults.forks import CUSTOMER, known_runs
from tests.faults.houses import PASSWORD
from tests.faults.loads import Blow, Done, Harm, Way, load
from tests.faults.worlds import ORDERED, WORLDS, World

if TYPE_CHECKING:
    from contextlib import ExitStack
    from datetime import datetime
    from pathlib import Path

    from tap_billing_reports.sandbox.core import Sandbox
    from tests.faults.houses import Held, House

KILLS = 40  # at statements that are evenly spread
CUTS = 10
TERMS = 5
CRASHES = 3
RANDOM_KILLS = 10
# What is sent is committed alike, whoever it is of: of the second world every so manieth of these.
EVERY = 4


@dataclass(frozen=True)
class Steadily:
    """The same statements every time: a STATE whenever one may go out, nothing by the machine's clock."""

    now: datetime

    def __call__(self) -> None:
        from tap_billing_reports.singer.state_writer import Pace
        from tap_billing_reports.singer.tap import TapBillingReports
        from tests.faults.dying import StillClock

        random.seed(1)
        Pace.allows = lambda self, *, at_once: True  # type: ignore[method-assign]
        TapBillingReports.clock = StillClock(self.now)


def cases(stack: ExitStack, houses: list[House], folder: Path) -> list[Case]:
    """Kills at statements and after some work; with a server, cut connections, too."""
    return [case for world in WORLDS for case in of_world(stack, world, houses, folder)]


def of_world(stack: ExitStack, world: World, houses: list[House], folder: Path) -> list[Case]:
    """The cases of the vendors that share a sandbox."""
    box = stack.enter_context(world.sandbox(**world.at_once))
    step = 1 if world is ORDERED else EVERY
    found = []
    for house in houses:
        syncs = Syncs(box, world, house, folder)
        name = world.cell(f"{house.engine} / sync")
        # The last few come and go with the order in which files are fetched ahead.
        made = [*enumerate(syncs.whole_load.statements[:-4])]
        every = [at for at, _ in made]
        commits = [at for at, what in made if what == "commit"]
        blows = [(Harm.KILL, KILLS, every), (Harm.TERM, TERMS, every)]
        if house.engine == "postgres":
            blows += [(Harm.CUT, CUTS, every), (Harm.CRASH, CRASHES, every), (Harm.UNHEARD, CUTS, commits)]
        for harm, number, places in blows:
            last = len(places) - 1
            found += [
                Case(f"{name} / {harm.value} at statement {at + 1}", partial(run, syncs, Blow(harm, at)))
                for at in sorted({places[place * last // (number - 1)] for place in range(0, number, step)})
            ]
        found += [
            Case(f"{name} / a random kill, {seed}", partial(random_kill, syncs, seed))
            for seed in range(0, RANDOM_KILLS, step)
        ]
    return found


class Syncs:
    """Syncs of one sandbox into one database.

    Attributes:
        whole: what an undisturbed sync leaves.
        whole_load: how that ended.
        needed: what it ordered.
    """

    def __init__(self, box: Sandbox, world: World, house: House, folder: Path) -> None:
        self.box, self.world, self.house, self.folder = box, world, house, folder
        config = config_of(box, world, start_date=world.killed_since, bring_customers=[CUSTOMER])
        self.canaries = Canaries(box, config, PASSWORD)
        self._config = folder / f"{world.vendors[0]}.json"
        self._config.write_text(json.dumps(config))
        self.begin()
        self.whole_load: Done = self.sync()
        assert self.whole_load.code == 0, self.whole_load.log
        self.whole: Held = house.held().money()
        # The vendors of the second world have no invoices.
        empty = [table for table, rows in self.whole.rows.items() if not rows]
        assert empty == ([] if world is ORDERED else ["invoices"]), "there are rows to lose"
        self.needed = self.orders()

    def begin(self) -> None:
        self.box.control.reset()
        self.box.control.clock.set(self.world.now)
        self._place = self.house.fresh()

    def sync(self, blow: Blow = Blow()) -> Done:  # noqa: B008 - it cannot change
        url, schema = self._place
        arguments = ["--config", str(self._config), "--into", url, "--schema", schema]
        prepare = Steadily(self.box.control.now())
        return load(Way.SYNC, arguments, b"", self.folder, blow, prepare)

    def orders(self) -> dict[str, Counter[str]]:
        """Vendor -> what was ordered -> how often."""
        found = self.box.control.counters()["orders"]
        return {vendor: Counter(found.get(vendor, {}).get("by_key", {})) for vendor in ("stripe", "bring")}


def run(syncs: Syncs, blow: Blow, verdict: Verdict) -> None:
    """One sync with its harm, then one without."""
    syncs.begin()
    done = syncs.sync(blow)
    if blow.harm is Harm.KILL and done.code != -9:
        verdict.remarks.append(f"the kill did not hit: {done.log[-500:]}")
    if blow.harm is Harm.TERM and done.code != 143:
        verdict.remarks.append(f"it did not end as terminated: {done.log[-500:]}")
    judge(syncs, done, verdict)


def random_kill(syncs: Syncs, seed: int, verdict: Verdict) -> None:
    """Ended by its own timer; a sync that was done before that is ended earlier."""
    seconds = syncs.whole_load.seconds * random.Random(seed).uniform(0.01, 0.95)
    done = None
    while done is None or done.code == 0:
        syncs.begin()
        done = syncs.sync(Blow(Harm.WORK, seconds))
        seconds /= 2
    judge(syncs, done, verdict)


def judge(syncs: Syncs, done: Done, verdict: Verdict) -> None:
    """Hold what is there against what should be, before and after the next sync."""
    verdict.ended = f"exit {done.code}"
    found = syncs.house.held().money()
    for table, rows in found.rows.items():
        twice = [row for row, number in rows.items() if number > 1]
        verdict.doubled += len(twice)
        if twice:
            verdict.remarks.append(f"{table} has rows twice")
    if done.code == 0:
        verdict.silent = int(syncs.whole.differs(found) != (0, 0))
    text = found.states.get("default")
    state: dict[str, Any] | None = None if text is None else json.loads(text)
    before = syncs.orders()
    second = syncs.sync()
    if second.code:
        verdict.remarks.append(f"the next sync ended with {second.code}: {second.log[-800:]}")
    found = syncs.house.held().money()
    lost, doubled = syncs.whole.differs(found)
    verdict.lost += lost
    verdict.doubled += doubled
    if lost or doubled:
        verdict.remarks.append(f"not the same: {', '.join(syncs.whole.differing(found))}")
    verdict.leaked += syncs.canaries.count(done.log, done.out, second.log, second.out)
    if "Traceback" in done.log:
        verdict.remarks.append(f"a traceback: {done.log[-1500:]}")
    after = syncs.orders()
    if after["stripe"] != syncs.needed["stripe"]:
        verdict.remarks.append(f"Stripe's orders: {after['stripe']} instead of {syncs.needed['stripe']}")
    # Bring knows no key of an order: only one whose STATE was not committed may be placed again.
    allowed = before["bring"].total() - known_runs(state)
    more = after["bring"].total() - syncs.needed["bring"].total()
    if after["bring"].keys() != syncs.needed["bring"].keys() or more > allowed:
        verdict.remarks.append(f"Bring: {more} orders more than needed, {allowed} allowed")
