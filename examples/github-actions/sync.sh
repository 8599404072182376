#!/usr/bin/env bash
# One sync that remembers: the tap into a target, from the state that the last sync left.
#
#   STATE_DIR   folder of state.json; made when it is not there (default: state)
#   TARGET      the target's command line (default: target-jsonl)
#
# The tap takes its settings from the environment (TAP_BILLING_REPORTS_...). The exit status is 0 only if tap and
# target both ended well. The state is kept in any case: what a target lets through is stored.
set -uo pipefail

folder=${STATE_DIR:-state}
state=$folder/state.json
mkdir -p "$folder"
arguments=(--config=ENV)
if [ -s "$state" ]; then
    arguments+=(--state "$state")
else
    echo "No state in $folder: everything since the start date is read." >&2
fi

# TARGET is a command line and splits at blanks.
# shellcheck disable=SC2086
tap-billing-reports "${arguments[@]}" | ${TARGET:-target-jsonl} >"$folder/states.jsonl"
ended=("${PIPESTATUS[@]}")

# The last whole line; a target that was killed may have left a part of one.
python3 - "$folder/states.jsonl" "$state" <<'PYTHON'
import json, os, sys

said, kept = sys.argv[1:]
last = None
with open(said, encoding="utf-8", errors="replace") as lines:
    for line in lines:
        try:
            last = json.loads(line)
        except ValueError:
            continue
if isinstance(last, dict):
    with open(kept + ".new", "w", encoding="utf-8") as file:
        json.dump(last, file)
    os.replace(kept + ".new", kept)
PYTHON
saved=$?
rm -f "$folder/states.jsonl"

outcome="tap: exit status ${ended[0]}, target: exit status ${ended[1]}"
[ "$saved" -eq 0 ] || outcome="$outcome, the state could not be kept"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    echo "Billing sync: $outcome" >>"$GITHUB_STEP_SUMMARY"
fi
if [ "$((ended[0] + ended[1] + saved))" -ne 0 ]; then
    echo "::error title=Billing sync failed::$outcome. The tap's last lines above name what failed."
    exit 1
fi
echo "Billing sync: $outcome" >&2
