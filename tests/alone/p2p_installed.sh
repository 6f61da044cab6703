#!/bin/sh
# Installs the development files into a folder of its own, and builds the example with pkg-config alone: nothing else of this
# project is needed. It is asked for a list where no node is.
# usage: p2p_installed.sh BUILD EXAMPLE CC...
set -eu
build=$1 example=$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
meson install -C "$build" --no-rebuild --quiet --tags devel --destdir "$root"
pc=$(find "$root" -name kettle-p2p.pc)
export PKG_CONFIG_PATH="${pc%/*}" KETTLE_P2P_SOCKET="$root/none"
flags=$(pkg-config --define-variable=prefix="${pc%/lib*}" --cflags --libs kettle-p2p)
# shellcheck disable=SC2086
"$@" "$example" $flags -o "$root/peers"
status=0
said=$("$root/peers" 0x5FbDB2315678afecb367f032d93F642f64180aa3 tls peers 2>&1) || status=$?
[ "$status $said" = "1 $root/none: No such file or directory" ] || { echo "p2p_installed: $status $said"; exit 1; }
