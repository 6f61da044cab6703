#!/bin/bash
# `kettle config`: exit statuses, and what goes where.
#   test_config_command.sh KETTLE EXAMPLES COMPLETION
kettle=$1 examples=$2 failed=0
expect() { # status, part of what is printed, arguments...
  local text status
  text=$("$kettle" "${@:3}" 2>&1 <<<'{"development":true}')
  status=$?
  if [ $status != "$1" ] || [[ $text != *"$2"* ]]; then
    echo "kettle ${*:3}: status $status: $text"
    failed=1
  fi
}
for file in "$examples"/*.json; do
  expect 0 "right; a setup has to bring: peers, port, execution_rpc" config --check "$file"
  expect 0 "\"sha256\": \"0x$(sha256sum "$file" | cut -c1-64)\"" config "$file"
done
"$kettle" config "$examples/mainnet.json" | python3 -c 'import json, sys; assert json.load(sys.stdin)["network"]["chain_id"] == 1' || failed=1
expect 0 '"development": true' config -
expect 0 "right; a setup has to bring: peers, port, execution_rpc, and checkpoint when peers is empty" config --check -
[[ $("$kettle" config --check "$examples/mainnet.json") == *execution_rpc ]] || failed=1 # which has a quorum
expect 3 "/nonexistent: " config --check /nonexistent
expect 1 "$0: " config "$0"
expect 2 "config needs" config
expect 0 "usage: kettle config" help config
expect 2 "unknown command nonsense" help nonsense
types="CallStatement, BlockStatement, AccountStatement, StorageStatement, CheckpointStatement, LogsStatement or RpcStatement"
expect 2 "--type call: must be $types" verify --type call
expect 2 "listen: must be an IPv4 or IPv6 address" run --development --tee simulator --listen localhost

# What `kettle run` is given wrongly is named, and none of it is silently nothing.
sim=(run --development --tee simulator)
expect 2 "unknown option -x" run -xy
expect 2 "unknown option --nonsense" run --nonsense
expect 2 "--development takes no value" run --development=yes
expect 2 "--help takes no value" run --help=all
expect 2 "-n needs a value" "${sim[@]}" -n
for option in --config --state-dir --execution-rpc --network --checkpoint --listen --tee-socket; do
  expect 2 "$option: what is given is empty" "${sim[@]}" "$option" ""
done
expect 2 "--setup-port and --api-port are both 3032" "${sim[@]}" --setup-port 3032
expect 2 "checkpoint: is not valid JSON" "${sim[@]}" -w '{"quorum":3'
expect 2 "port: must be between 1 and 65535" "${sim[@]}" --port 0
expect 1 "/nonexistent: No such file" run --config /nonexistent
expect 1 "execution_rpc_file: /nonexistent: No such file" "${sim[@]}" --execution-rpc-file /nonexistent
expect 1 "--state-dir: $0: the folder cannot be opened" "${sim[@]}" --state-dir "$0"

# Completion offers what --help says.
PATH=$(dirname "$kettle"):$PATH
source "$3"
complete_line() { # words... of which the last is completed
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  _kettle
  echo " ${COMPREPLY[*]} "
}
[[ $(complete_line kettle co) == " config " ]] || failed=1
[[ $(complete_line kettle config --) == *" --check "* ]] || failed=1
[[ $(complete_line kettle run --l) == *" --listen "* ]] || failed=1
[[ $(complete_line kettle p2) == " p2p " ]] || failed=1
[[ $(complete_line kettle p2p re) == " register " ]] || failed=1
[[ $(complete_line kettle run --log-level d) == " debug " ]] || failed=1
[[ $(complete_line kettle run --tee "") == " auto dstack tdx simulator " ]] || failed=1
[[ $(complete_line kettle run -n ho) == " hoodi " ]] || failed=1
[ $failed = 0 ] || echo "see above, or completion"
exit $failed
