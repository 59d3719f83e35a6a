# ./dev setup. Sourced by ./dev.
# shellcheck shell=bash

setup_usage() {
  cat <<'EOF'
usage: ./dev setup [--pin-kafka-jars]

Installs what the other commands need and is missing: Debian packages (tools/debian-packages.txt, through sudo when
not root), three Python environments (.venv, .venv-old-sdk, .venv-perfetto: their packages exclude each other), and
Kafka's jars (.cache/kafka/libs, checked against tools/kafka/jars.sha256). The other commands do their part of it by
themselves.

  --pin-kafka-jars   write tools/kafka/jars.sha256 anew after a change of tools/kafka/pom.xml
EOF
}

setup_main() {
  local pin=''
  while (($#)); do
    case $1 in
      -h | --help) setup_usage; return ;;
      --pin-kafka-jars) pin=--pin ;;
      *) die "setup: unknown option '$1'" ;;
    esac
    shift
  done
  need_packages build test bench fmt fuzz
  need_integration_venv
  need_old_sdk_venv
  need_perfetto_venv
  # shellcheck disable=SC2086
  need_kafka $pin
  say "everything is in place"
}
