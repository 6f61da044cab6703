#!/bin/bash
# tools/clock: tells that a command goes on and how far ninja is, shows what it said only when it fails, and has its status.
clock=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0
wrong() { echo "$1:"; cat "$out/told" "$out/why"; failed=1; }

# The command ends when a line is there, so that no length of time decides.
waits='echo "[3/10] Compiling C object a.o"; echo "a warning"; until grep -q "^build: 3 of 10, [0-9]* s$" "$0/told"; do sleep 0.05; done'
CLOCK_S=1 timeout 60 "$clock" build bash -c "$waits; echo '[10/10] Linking target a'; sleep 1" "$out" >"$out/told" 2>"$out/why" || wrong "status of what went well"
tail -n 1 "$out/told" | grep -q '^build: 10 of 10, [0-9]* s$' || wrong "the last line"
[ ! -s "$out/why" ] && ! grep -qv '^build: ' "$out/told" || wrong "more than the clock's lines"

"$clock" build true >"$out/told" 2>"$out/why"
[ ! -s "$out/told" ] && [ ! -s "$out/why" ] || wrong "of what is there already"

"$clock" build bash -c 'echo "[1/2] Compiling C object a.o"; echo "FAILED: a.o"; echo "a.c:1: error" >&2; exit 7' >"$out/told" 2>"$out/why"
[ $? = 7 ] && [ "$(cat "$out/why")" = $'FAILED: a.o\na.c:1: error' ] || wrong "of what failed"
exit $failed
