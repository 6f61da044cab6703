#!/bin/sh
# kettle verify: every option of every mode is looked at there, or refused; what is demanded of evidence is compared with it.
# Usage: test_verify_command.sh KETTLE EVIDENCE
set -eu
kettle=$1
evidence=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
none=$dir/none
root=9bcb90ec3a294591b77dd2a58e973578715cdc0e6eeeb286bc06dd120057f18b
key=02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5
url=http://127.0.0.1:9

fail() {
    echo "failed: $*"
    exit 1
}
status() { set +e; "$@" > "$dir/out" 2>&1; echo $?; set -e; }

# The modes: N of an attestation, F of a cluster's keys, Q with the quote over the newest, S of a statement, E of evidence.
run() {
    mode=$1
    shift
    case $mode in
    N) status "$kettle" verify --policy "$none" "$@" "$none" ;;
    F) status "$kettle" verify --follow --pubkey $key --setup-hash $root "$@" $url ;;
    Q) status "$kettle" verify --follow --policy "$none" --pubkey $key --setup-hash $root "$@" $url ;;
    S) status "$kettle" verify --statement "$none" --signer $key --chain-id 1 --max-age 5 "$@" ;;
    E) status "$kettle" verify --evidence "$none" --checkpoint $root "$@" ;;
    esac
}

# option, a value (-: it takes none), the modes that look at it. What chooses a mode is not tried beside another that it makes.
table="nonce $root NQ
collateral $none N
ra-tls - NQ
pubkey $key NFQ
network sepolia NQE
chain-id 1 NQSE
checkpoint $root NQE
setup-hash $root NFQSE
development - NQ
block $none N
call $none N
also $url FQ
kept $none FQ
at 1800000000 NFQSE
json - NFQSE
signer $key SE
type BlockStatement SE
request any SE
max-age 5 NSE
at-block 1 SE
min-block 1 SE
min-finality safe SE
allow-revert - SE
policy $none NQ
follow - FQ
statement $none S
evidence $none E"
echo "$table" | cut -d' ' -f1 | sort > "$dir/rows"
"$kettle" verify --help | sed -n 's/^  --\([a-z-]*\).*/\1/p' | grep -vx help | sort | cmp - "$dir/rows" || fail "an option has no row here"
for mode in N F Q S E; do
    [ "$(run $mode)" != 2 ] || fail "mode $mode alone: $(cat "$dir/out")"
    echo "$table" > "$dir/table"
    while read -r option value with; do
        case $mode$option in Fpolicy | Nfollow | [NFQS]evidence | [NFQ]statement) continue ;; esac # another mode then
        set -- "--$option"
        [ "$value" = - ] || set -- "$@" "$value"
        got=$(run $mode "$@")
        case $with in
        *$mode*)
            [ "$got" != 2 ] || [ "$option" = ra-tls ] || fail "--$option is refused in mode $mode: $(cat "$dir/out")" ;;
        *)
            [ "$got" = 2 ] && grep -q "^kettle: verify: --$option is not looked at here: it needs " "$dir/out" ||
                fail "--$option is taken in mode $mode: $got, $(cat "$dir/out")" ;;
        esac
    done < "$dir/table"
done

# A shortened option, or one with its value behind "=", makes the same mode.
[ "$(status "$kettle" verify --policy "$none" --statem="$none" --signer $key --chain-id 1 --max-age 5)" = 2 ] || fail "--statem"
[ "$(status "$kettle" verify --statem "$none" --signer $key --chain-id 1 --max-age 5)" = 3 ] || fail "--statem alone"
[ "$(status "$kettle" verify --policy "$none" --evid "$none" --checkpoint $root)" = 2 ] || fail "--evid"

# What is demanded of evidence.
judged() { status "$kettle" verify --evidence "$evidence" --checkpoint $root "$@"; }
hash=0xb5d55a8a5dcb2261af14ae514e21d67573a57b11ead11b8e77c6be92933c98d0
signer=0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a
[ "$(judged)" = 0 ] || fail "the evidence: $(cat "$dir/out")"
grep -q "^ok   block        24784163, $hash, finalized, 511 signers: any$" "$dir/out" || fail "the block is not shown"
[ "$(judged --chain-id 1 --at-block 24784163 --min-block 24784163 --min-finality finalized --type BlockStatement \
    --signer $signer --request any --max-age any)" = 0 ] || fail "true demands: $(cat "$dir/out")"
grep -q "^ok   block .*: the demanded one$" "$dir/out" || fail "the demanded block is not named"
[ "$(judged --at-block $hash)" = 0 ] || fail "by hash"
refused() {
    code=$1
    shift
    [ "$(judged "$@")" = 1 ] && grep -q "^FAIL demands      $code: " "$dir/out" && grep -qx "DOES NOT HOLD" "$dir/out" ||
        fail "$*: $(cat "$dir/out")"
}
refused wrong-chain --chain-id 7
refused wrong-block --at-block 1
refused wrong-block --at-block 0x$root
refused block-too-low --min-block 99999999
refused wrong-type --type CallStatement
refused wrong-type --request "{\"account\":\"$signer\"}"
refused expired --at 2100000000
refused expired --max-age 5
refused expired --at 2100000000 --max-age any
[ "$(judged --setup-hash $root)" = 1 ] && grep -q wrong-setup "$dir/out" || fail "a setup"
[ "$(judged --signer $key)" = 1 ] && grep -q wrong-signer "$dir/out" || fail "a signer"
[ "$(judged --request '{')" = 2 ] || fail "a request of another form"
echo "verify: ok"
