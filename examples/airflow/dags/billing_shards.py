"""Shards: one set of the tap's settings made into one a (source, account), each with a STATE of its own.

Nothing here needs Airflow or the tap. A shard that travels between tasks names an account and holds no credential.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

Settings = Mapping[str, Any]

# A line for each source: the settings that leave one of its accounts. A source of your own needs one too.
ONLY: Mapping[str, Callable[[Settings, str], dict[str, Any]]] = {
    "bring": lambda _settings, account: {"bring_customers": [account]},
    "brp": lambda _settings, account: {"brp_company_ids": [account]},
    "stripe": lambda settings, account: (
        {"stripe_connected_accounts": []}
        if account == settings["stripe_account_id"]
        else {"stripe_connected_accounts": [account], "stripe_read_platform": False}
    ),
}
SOURCES: tuple[str, ...] = tuple(ONLY)

# Report runs at once for one credential, where the settings say nothing: the tap's own defaults.
BUDGETS = {"bring": 10, "stripe": 2}


@dataclass(frozen=True, order=True)
class Shard:
    """One account of one source."""

    source: str
    account_id: str

    @classmethod
    def of(cls, facts: Mapping[str, str]) -> Shard:
        """From what `facts` gave."""
        return cls(facts["source"], facts["account_id"])

    @property
    def facts(self) -> dict[str, str]:
        """What travels between tasks, as JSON."""
        return {"source": self.source, "account_id": self.account_id}

    @property
    def name(self) -> str:
        """Different for different shards, and fit for a file's name."""
        plain = re.sub(r"[^A-Za-z0-9_]", "_", self.account_id)
        if plain != self.account_id:
            plain += "-" + hashlib.sha256(self.account_id.encode()).hexdigest()[:8]
        return f"{self.source}-{plain}"


def of_source(settings: Settings, source: str) -> dict[str, Any]:
    """The settings without those of the other sources; empty when this source is not configured."""
    others = tuple(f"{name}_" for name in SOURCES if name != source)
    left = {name: value for name, value in settings.items() if not name.startswith(others)}
    return left if any(name.startswith(f"{source}_") for name in left) else {}


def of_shard(settings: Settings, shard: Shard, *, at_once: int) -> dict[str, Any]:
    """The settings of one shard, of which `at_once` may run with the same credential.

    The credential's budget of report runs is divided among them, and each keeps its files in a place of its own:
    the tap lets only one sync at a time use a `storage_url`. `accounts` is left to the listing, which knows names.
    """
    only = of_source(settings, shard.source)
    only |= ONLY[shard.source](settings, shard.account_id)
    if shard.source in BUDGETS:
        name = f"{shard.source}_max_concurrent_runs"
        only[name] = max(1, int(settings.get(name) or BUDGETS[shard.source]) // at_once)
    if settings.get("storage_url"):
        only["storage_url"] = f"{str(settings['storage_url']).rstrip('/')}/{shard.name}"
    only["stream_maps"] = {**(settings.get("stream_maps") or {}), "accounts": "__NULL__"}
    return only


def for_listing(settings: Settings, source: str) -> dict[str, Any]:
    """The settings with which the accounts of one source are listed: nothing is kept, so nothing is locked."""
    return {name: value for name, value in of_source(settings, source).items() if name != "storage_url"}


def listed(messages: Iterable[bytes]) -> list[Shard]:
    """The shards in the Singer messages of the stream `accounts`, in order, each once.

    A Bring customer may be listed under two numbers: each is an account with a STATE of its own.
    """
    parsed = (json.loads(line) for line in messages if line.strip())
    records = [m["record"] for m in parsed if m.get("type") == "RECORD" and m.get("stream") == "accounts"]
    return sorted({Shard(record["source"], str(record["account_id"])) for record in records})


# -- catalogs and tables -------------------------------------------------------------------------------


def selecting(catalog: Mapping[str, Any], *streams: str) -> dict[str, Any]:
    """The catalog with only these streams selected."""
    chosen = [stream for stream in catalog["streams"] if stream["tap_stream_id"] in streams]
    for stream in chosen:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = True
    return {"streams": chosen}


def schema_messages(catalog: Mapping[str, Any]) -> bytes:
    """A SCHEMA message for each stream: targets make their tables from it, before shards race to make them."""
    messages = [
        {
            "type": "SCHEMA",
            "stream": stream["tap_stream_id"],
            "schema": stream["schema"],
            "key_properties": stream["key_properties"],
        }
        for stream in catalog["streams"]
    ]
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


# -- STATE ---------------------------------------------------------------------------------------------


class States:
    """The STATE of every shard, an object each, in a folder or below any fsspec URL that all workers reach.

    An object is replaced as a whole: in a folder by a rename, in an object store by one PUT.
    """

    def __init__(self, url: str) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url)

    def load(self, shard: Shard) -> str | None:
        """The last STATE, None before the first one."""
        try:
            found: bytes = self._files.cat_file(self._path(shard))
        except FileNotFoundError:
            return None
        return found.decode()

    def save(self, shard: Shard, state: str) -> None:
        """Replace the STATE.

        Raises:
            ValueError: it is no JSON object; the earlier one stays.
        """
        if not isinstance(json.loads(state), dict):
            raise ValueError(f"{shard.name}: the target has passed on a STATE that is no JSON object")  # noqa: TRY004
        path = self._path(shard)
        if isinstance(self._files, LocalFileSystem):
            _replace(Path(path), state)
        else:
            self._files.pipe_file(path, state.encode())

    def _path(self, shard: Shard) -> str:
        return f"{self._root}/{shard.name}.json"


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(file, "w") as output:
            output.write(text)
            output.flush()
            os.fsync(output.fileno())
        Path(partial).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(partial).unlink()
        raise


# -- the summary ---------------------------------------------------------------------------------------


def problems(
    shards: Mapping[str, Sequence[Mapping[str, str]] | None],
    done: Mapping[str, Iterable[Mapping[str, Any]] | None],
) -> Iterator[str]:
    """What is wrong with a run, a line each.

    Args:
        shards: source -> its shards, None where they could not be listed.
        done: source -> the results of the shards that ended well, None if there are none.
    """
    expected = 0
    for source, found in shards.items():
        if found is None:
            yield f"{source}: its accounts could not be listed, so none of them was read"
            continue
        expected += len(found)
        well = {Shard.of(result) for result in done.get(source) or ()}
        for shard in sorted(set(map(Shard.of, found)) - well):
            yield f"{shard.source} {shard.account_id}: failed; the next run goes on where its STATE ends"
    if not expected and None not in shards.values():
        yield "the settings name no account at all"
