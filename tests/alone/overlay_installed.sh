#!/bin/sh
# Installs the development files into a folder of its own, builds the chat with pkg-config alone, and lets three of it talk. The
# archive must hold nothing of Ethereum.
# usage: overlay_installed.sh BUILD EXAMPLE CHAT CC...
set -eu
build=$1 example=$2 chat=$3
shift 3
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
meson install -C "$build" --no-rebuild --quiet --tags devel --destdir "$root"
pc=$(find "$root" -name kettle-overlay.pc)
export PKG_CONFIG_PATH="${pc%/*}"
flags=$(pkg-config --define-variable=prefix="${pc%/lib*}" --cflags --libs kettle-overlay)
# shellcheck disable=SC2086
"$@" "$example" $flags -o "$root/attested_chat"
archive=$(find "$root" -name libkettle-overlay.a)
inside=$(nm "$archive" 2>/dev/null | grep -E ' [TD] (evm_|lc_|ssz_|rlp_|mpt_|bls_|ex_)' || true)
[ -z "$inside" ] || { echo "overlay_installed: of Ethereum: $inside"; exit 1; }
"$chat" "$root/attested_chat"
