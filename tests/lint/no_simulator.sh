#!/bin/bash
# The program of a build without the simulator has no symbol of it.
#   tests/lint/no_simulator.sh KETTLE
set -euo pipefail
symbols=$(nm "$1")
grep -q ' tee_open$' <<<"$symbols" || { echo "no_simulator: $1 has no symbol tee_open to look beside" >&2; exit 1; }
found=$(grep -E ' (sim_|tee_simulator_)' <<<"$symbols") || exit 0
echo "no_simulator: $1 has symbols of the simulator:" "$found" >&2
exit 1
