#!/bin/sh
# Installs the development files into a folder of its own, builds the example with pkg-config alone, and runs it.
# usage: evm_installed.sh BUILD EXAMPLE CC...
set -eu
build=$1 example=$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
meson install -C "$build" --no-rebuild --quiet --tags devel --destdir "$root"
pc=$(find "$root" -name kettle-evm.pc)
export PKG_CONFIG_PATH="${pc%/*}"
flags=$(pkg-config --define-variable=prefix="${pc%/lib*}" --cflags --libs kettle-evm)
# shellcheck disable=SC2086
"$@" "$example" $flags -o "$root/evm_call"
answer=$("$root/evm_call" 35)
[ "$answer" = "42, 23263 gas" ] || { echo "evm_installed: $answer"; exit 1; }
