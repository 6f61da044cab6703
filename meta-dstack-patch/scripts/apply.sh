#!/bin/sh
# Adds the layer to a build of bitbake: nothing of another layer is changed.
#   meta-dstack-patch/scripts/apply.sh      in a shell with bitbake's environment (. oe-init-build-env), from its build folder
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
layer=$here/../layer
command -v bitbake-layers >/dev/null || { echo "apply: no bitbake-layers: run it after '. oe-init-build-env'" >&2; exit 1; }
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
"$here/../../tools/release" --source "$source"
cp "$source"/kettle-*.tar.gz "$layer/recipes-core/kettle/files/"
bitbake-layers add-layer "$layer"
