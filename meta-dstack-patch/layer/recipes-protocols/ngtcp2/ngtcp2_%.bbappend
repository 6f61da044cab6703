# Without the programs that come as examples, nothing of these is needed.
PACKAGECONFIG:append = " build-lib-only"
DEPENDS:remove = "brotli libev nghttp3"
