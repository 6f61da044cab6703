#!/bin/bash
# ./run checks its options before it installs or builds anything, in any order.
run=$1
failed=0
refuses() { # sentence, options...
  local text
  text=$("$run" "${@:2}" 2>&1 </dev/null)
  if [ $? != 2 ] || [[ $text != *"$1"* ]] || [[ $text == *setup:* ]]; then
    echo "./run ${*:2}: $text"
    failed=1
  fi
}
refuses "unknown option --nonsense" --nonsense
refuses "unknown option --nonsense" --build-only --nonsense
refuses "unknown option mainnet" --once mainnet
refuses "--nodes needs a value" --build-only --nodes
refuses "--network needs --execution-rpc URL" --network mainnet --build-only
refuses "need --network NAME" --once --checkpoint 0x12
refuses "need --network NAME" --execution-rpc http://a
refuses "need --network NAME" --state-dir /tmp/a --once
refuses "--tee needs a value" --network mainnet --execution-rpc http://a --tee
refuses "--tee must be auto, dstack, tdx or simulator" --tee sgx
refuses "--nodes must be between 1 and 8" --nodes 9 --once
refuses "--api-port must be between 1 and 65535" --api-port 70000
refuses "exclude each other" --checkpoint-urls a,b --network mainnet --checkpoint 0x12 --execution-rpc http://a
"$run" --once --help | grep -q '^usage: ./run' || failed=1
"$run" --help | grep -q -- '--build-only' || failed=1
for option in --tee --state-dir --checkpoint-urls; do "$run" --help | grep -q -- "^  $option " || failed=1; done
exit $failed
