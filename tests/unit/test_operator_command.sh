#!/bin/sh
# kettle operator sign: what curl gets. Usage: test_operator_command.sh KETTLE
set -eu
kettle=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo 0101010101010101010101010101010101010101010101010101010101010101 > "$dir/key"
node=0x02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5
sign() { "$kettle" operator sign --key "$dir/key" --node-key "$node" --counter 7 --not-after 1800000300 "$@"; }

fail() {
    echo "failed: $*"
    exit 1
}

# The same command has the same signature; 65 bytes; the terms stand first in the body, in the query of a GET.
echo '{"level": "debug"}' | sign --body - /v1/log-level > "$dir/post"
echo '{"level": "debug"}' | sign --body - /v1/log-level | cmp - "$dir/post" || fail "not the same twice"
grep -qx 'url = "http://127.0.0.1:3032/v1/log-level"' "$dir/post" || fail "url"
grep -qxE 'header = "Kettle-Operator: 0x[0-9a-f]{128}(1b|1c)"' "$dir/post" || fail "header"
grep -qxF 'data-binary = "{\"counter\":7,\"not_after\":1800000300,\"level\": \"debug\"}\n"' "$dir/post" || fail "body"
echo '{}' | sign --body - /v1/log-level | grep -qF '{\"counter\":7,\"not_after\":1800000300}' || fail "an empty body"
sign --url http://node:1 '/v1/log?after=5' > "$dir/get"
grep -qx 'url = "http://node:1/v1/log?after=5&counter=7&not_after=1800000300"' "$dir/get" || fail "query"
[ "$(wc -l < "$dir/get")" = 2 ] || fail "a GET has a body"

# What is wrong is said, with its status.
status() { set +e; "$@" > /dev/null 2>&1; echo $?; set -e; }
[ "$(status sign --body "$dir/none" /v1/log-level)" = 3 ] || fail "no body"
echo '[]' > "$dir/list"
[ "$(status sign --body "$dir/list" /v1/log-level)" = 1 ] || fail "a list"
echo '{"counter":1}' > "$dir/twice"
[ "$(status sign --body "$dir/twice" /v1/log-level)" = 1 ] || fail "a counter of its own"
[ "$(status sign v1/log)" = 2 ] || fail "no path"
[ "$(status "$kettle" operator sign --key "$dir/key" /v1/log)" = 2 ] || fail "no node"
[ "$(status "$kettle" operator)" = 2 ] || fail "no action"
echo zz > "$dir/key"
[ "$(status sign /v1/log)" = 1 ] || fail "a bad key"
echo "operator sign: ok"
