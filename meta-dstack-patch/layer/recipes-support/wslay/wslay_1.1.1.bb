SUMMARY = "Frames of WebSockets (RFC 6455)"
HOMEPAGE = "https://github.com/tatsuhiro-t/wslay"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://COPYING;md5=a3ce54bb6affd4d8851f1526229d6d0b"

SRC_URI = "git://github.com/tatsuhiro-t/wslay;protocol=https;nobranch=1"
SRCREV = "c9a84aa6df8512584c77c8cd15be9536b89c35aa"
KSRC = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}"
S = "${@d.getVar('KSRC') + '/' + (d.getVar('BB_GIT_DEFAULT_DESTSUFFIX') or 'git')}"

inherit cmake

EXTRA_OECMAKE = "-DWSLAY_STATIC=OFF -DWSLAY_SHARED=ON -DWSLAY_TESTS=OFF"
