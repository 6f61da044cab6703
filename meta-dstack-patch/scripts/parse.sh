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
# The archive of the source is only looked at by name when tasks are planned: where apply.sh has not made it, an empty one stands for it.
cp -r "$layer" "$build/layer"
for recipe in "$build"/layer/recipes-core/kettle/kettle_*.bb; do
  version=$(basename "$recipe" .bb | cut -d_ -f2)
  [ -f "$build/layer/recipes-core/kettle/files/kettle-$version.tar.gz" ] ||
    tar -czf "$build/layer/recipes-core/kettle/files/kettle-$version.tar.gz" -T /dev/null
done
cat >"$build/conf/bblayers.conf" <<END
POKY_BBLAYERS_CONF_VERSION = "2"
BBPATH = "\${TOPDIR}"
BBFILES ?= ""
BBLAYERS = "$dir/openembedded-core/meta $dir/meta-openembedded/meta-oe $dir/meta-openembedded/meta-python \
  $dir/meta-openembedded/meta-networking $build/layer"
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
