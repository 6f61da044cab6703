#!/bin/sh
# The alerts as Prometheus reads them, and on made-up nodes. Usage: promtool.sh ROOT
if ! command -v promtool >/dev/null; then
    echo "skipped: no promtool here (Debian: prometheus)"
    exit 77
fi
promtool check rules "$1/contrib/prometheus/alerts.yml" && promtool test rules "$1/contrib/prometheus/alerts_test.yml"
