#!/bin/bash
# ./run checks its options before it installs or builds anything, in any order.
run=$1
failed=0
refuses() { # sentence, options...
  local text
  text=$("$run" "${@:2}" 2>&1 </dev/null)
  if [ $? != 2 ] || [[ $text != *"$1"* ]] || [[ $text == *"== "* ]]; then
    echo "./run ${*:2}: $text"
    failed=1
  fi
}
refuses "unknown option --nonsense" --nonsense
refuses "unknown option --nonsense" --build-only --nonsense
refuses "unexpected argument mainnet" --once mainnet
refuses "--nodes needs a value" --build-only --nodes
refuses "--network needs --execution-rpc URL" --network mainnet --build-only
refuses "need --network NAME" --once --checkpoint 0x$(printf '%064d' 7)
refuses "need --network NAME" --execution-rpc http://a
refuses "need --network NAME" --state-dir /tmp/a --once
refuses "--tee needs a value" --network mainnet --execution-rpc http://a --tee
refuses "--tee must be auto, dstack, tdx or simulator" --tee sgx
refuses "--nodes must be between 1 and 8" --nodes 9 --once
refuses "--api-port must be between 1 and 65535" --api-port 70000
refuses "--api-port must be between 1 and 65535" --api-port 08080
refuses "--setup-port must be between 1 and 65535" --setup-port 0
root=0x$(printf '%064d' 7)
real=(--network mainnet --execution-rpc https://a,http://b:8545)
refuses "exclude each other" --checkpoint-urls https://a,https://b "${real[@]}" --checkpoint "$root"
refuses "--network needs --checkpoint ROOT or --checkpoint-urls" "${real[@]}" --once
refuses "--network must be mainnet, sepolia or hoodi" --network main --execution-rpc http://a --checkpoint "$root"
refuses "--network sepolia needs --consensus-rpc URL" --network sepolia --execution-rpc http://a --checkpoint "$root"
refuses "--checkpoint must be 0x and 64 hex digits" "${real[@]}" --checkpoint 0x12
refuses "--execution-rpc must be a URL" --network mainnet --execution-rpc localhost:8545 --checkpoint "$root"
refuses "--execution-rpc must be a URL" --network mainnet --execution-rpc "" --checkpoint "$root"
refuses "--checkpoint-urls must be a URL" "${real[@]}" --checkpoint-urls https://a,b
refuses "--checkpoint-urls names a.example twice" "${real[@]}" --checkpoint-urls https://a.example,https://b.example,https://A.example:443/key
refuses "--nodes is for the local chain" "${real[@]}" --checkpoint "$root" --nodes 2
refuses "--nodes is for --tee simulator" --nodes 3 --tee tdx
refuses "--api-port and --setup-port both come to port 3034" --nodes 3 --setup-port 3034
refuses "goes beyond 65535" --nodes 2 --overlay-port 65535
refuses "goes beyond 65535" --base-port 65533
"$run" --once --help | grep -q '^usage: ./run' || failed=1
"$run" --help | grep -q -- '--build-only' || failed=1
for option in --tee --state-dir --checkpoint-urls; do "$run" --help | grep -q -- "^  $option " || failed=1; done
exit $failed
