SUMMARY = "Ethereum light-client node for trusted execution environments"
DESCRIPTION = "Follows Ethereum by the sync-committee protocol, proves every answer of an untrusted execution RPC, and signs it."
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

# The archive is what tools/release --source makes, with the source of blst in it: scripts/apply.sh puts it here.
SRC_URI = "file://kettle-${PV}.tar.gz file://kettle.init file://kettle.json"
# Sources are unpacked to UNPACKDIR from styhead on, and to WORKDIR before.
KSRC = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}"
S = "${KSRC}/kettle-${PV}"

DEPENDS = "curl gmp gnutls jansson libcheck libmicrohttpd libseccomp libsecp256k1 libsodium nettle ngtcp2 wslay zlib"
RDEPENDS:${PN} = "ca-certificates"

inherit meson pkgconfig python3native systemd update-rc.d

EXTRA_OEMESON = "-Dsimulator=disabled -Dhardening=enabled"
SYSTEMD_SERVICE:${PN} = "kettle.service"
INITSCRIPT_NAME = "kettle"
INITSCRIPT_PARAMS = "defaults 90"

do_install:append() {
    install -D -m 0644 ${KSRC}/kettle.json ${D}${sysconfdir}/kettle/kettle.json
    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        if [ "${systemd_system_unitdir}" != "${prefix}/lib/systemd/system" ]; then
            install -d ${D}${systemd_system_unitdir}
            mv ${D}${prefix}/lib/systemd/system/kettle.service ${D}${systemd_system_unitdir}
            rm -r ${D}${prefix}/lib/systemd
        fi
    else
        rm -r ${D}${prefix}/lib/systemd
        install -D -m 0755 ${KSRC}/kettle.init ${D}${sysconfdir}/init.d/kettle
    fi
}

FILES:${PN} += "${systemd_system_unitdir} ${datadir}/kettle ${datadir}/bash-completion"
CONFFILES:${PN} = "${sysconfdir}/kettle/kettle.json"
