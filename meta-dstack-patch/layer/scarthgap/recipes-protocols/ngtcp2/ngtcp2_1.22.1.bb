SUMMARY = "QUIC (RFC 9000) with a helper for GnuTLS"
HOMEPAGE = "https://nghttp2.org/ngtcp2"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://COPYING;md5=de0966c8ff4f62661a3da92967a75434"

SRC_URI = "gitsm://github.com/ngtcp2/ngtcp2;protocol=https;nobranch=1"
SRCREV = "716e64b05f4a3709dfc0b0522cf9fd4456d055e5"
S = "${WORKDIR}/git"

inherit cmake pkgconfig

PACKAGECONFIG ?= "gnutls"
PACKAGECONFIG[build-lib-only] = "-DENABLE_LIB_ONLY=ON,-DENABLE_LIB_ONLY=OFF"
PACKAGECONFIG[gnutls] = "-DENABLE_GNUTLS=ON,-DENABLE_GNUTLS=OFF,gnutls"
EXTRA_OECMAKE = "-DENABLE_OPENSSL=OFF -DENABLE_STATIC_LIB=OFF"
