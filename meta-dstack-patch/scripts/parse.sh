#!/bin/sh
# Checks the layer: by bitbake where its metadata are at hand, else by a lint of its own.
#   meta-dstack-patch/scripts/parse.sh [DIR]   DIR has bitbake, openembedded-core and meta-openembedded, of wrynose or scarthgap; bitbake
#   runs as an ordinary user in a folder of its own, offline: all recipes are parsed, and all tasks of kettle planned
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
layer=$(cd "$here/../layer" && pwd)
python3 "$here/lint.py" "$layer" "$here/../.."
[ $# = 1 ] || { echo "skipped: bitbake: no folder with bitbake, openembedded-core and meta-openembedded was named"; exit 0; }
dir=$(cd "$1" && pwd)
[ "$(id -u)" != 0 ] || { echo "parse: bitbake refuses to run as root" >&2; exit 1; }
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
mkdir "$build/conf"
cat >"$build/conf/bblayers.conf" <<END
POKY_BBLAYERS_CONF_VERSION = "2"
BBPATH = "\${TOPDIR}"
BBFILES ?= ""
BBLAYERS = "$dir/openembedded-core/meta $dir/meta-openembedded/meta-oe $dir/meta-openembedded/meta-python \
  $dir/meta-openembedded/meta-networking $layer"
END
cat >"$build/conf/local.conf" <<END
MACHINE = "qemux86-64"
DISTRO = "nodistro"
BB_NO_NETWORK = "1"
CONNECTIVITY_CHECK_URIS = ""
END
PATH=$dir/openembedded-core/scripts:$dir/bitbake/bin:$PATH
BUILDDIR=$build LC_ALL=en_US.UTF-8
export PATH BUILDDIR LC_ALL
cd "$build"
bitbake -p
bitbake -n kettle
