SUMMARY = "ECDSA on the curve secp256k1, with recovery of public keys"
HOMEPAGE = "https://github.com/bitcoin-core/secp256k1"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://COPYING;md5=67330c75f8bf6a92f6f8a36ae669ba74"

SRC_URI = "git://github.com/bitcoin-core/secp256k1;protocol=https;nobranch=1"
SRCREV = "1a53f4961f337b4d166c25fce72ef0dc88806618"
KSRC = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}"
S = "${@d.getVar('KSRC') + '/' + (d.getVar('BB_GIT_DEFAULT_DESTSUFFIX') or 'git')}"

inherit autotools pkgconfig

EXTRA_OECONF = "--enable-module-recovery --disable-tests --disable-exhaustive-tests --disable-benchmark --disable-static"
