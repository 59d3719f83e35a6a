# ./dev container. Sourced by ./dev.
# shellcheck shell=bash

container_usage() {
  cat <<'EOF'
usage: ./dev container [--keep]

Proves docker/: builds the image, brings docker/docker-compose.yml up unchanged, sends a chunk, reads it back from
Kafka, runs the Python tests against the container, and takes everything down again. It uses the Docker daemon that
runs; without one it starts its own (as root, data in .cache/container) and stops it afterwards. Where the official
images cannot be pulled it makes stand-ins under the same names from Debian packages and the pinned Kafka jars.

  --keep   leave containers, volumes and daemon running
EOF
}

base_image=debian:bookworm-slim
kafka_image=apache/kafka:3.9.1
relay_image=profile-relay:local
demo_dsn=http://3f6a1e0b9c5d4a7284c1d0e9b8a7f6e5@127.0.0.1:3000/1
container_work=.cache/container
container_daemon_run='' # folder of the daemon that this command started
container_is_up=''

compose() { docker-compose -p profile-relay -f docker/docker-compose.yml "$@"; }

container_cleanup() {
  [[ -z $container_is_up ]] || compose down --volumes --remove-orphans >/dev/null 2>&1 || true
  [[ -z $container_daemon_run ]] || container_stop_daemon
}

# container_stop_daemon: by the pid that dockerd itself wrote; sudo may stand between it and this shell.
container_stop_daemon() {
  local pid deadline=$((SECONDS + 30))
  pid=$(cat "$container_daemon_run/pid" 2>/dev/null) || return 0
  as_root kill -TERM "$pid" 2>/dev/null || true
  while [[ -d /proc/$pid ]] && ((SECONDS < deadline)); do sleep 0.1; done
  as_root umount "$container_daemon_run/exec/netns/default" 2>/dev/null || true # dockerd leaves it mounted
  as_root rm -rf "$container_daemon_run"
}

# container_daemon: a daemon to talk to, ours if there is none.
container_daemon() {
  if docker info >/dev/null 2>&1; then
    say "using the Docker daemon that runs"
    return
  fi
  local run job deadline=$((SECONDS + 40)) log=$container_work/dockerd.log
  mkdir -p "$container_work"
  run=$(mktemp -d "${TMPDIR:-/tmp}/dockerd.XXXXXX") # a socket's path must be short
  export DOCKER_HOST=unix://$run/docker.sock
  say "starting a Docker daemon, its log is $log"
  # No bridge and no iptables: the compose file uses the host's network, and so the daemon needs fewer rights.
  as_root dockerd --iptables=false --ip6tables=false --bridge=none --group "$(id -gn)" \
    --data-root "$PWD/$container_work/data" --exec-root "$run/exec" -H "$DOCKER_HOST" -p "$run/pid" >"$log" 2>&1 &
  job=$!
  container_daemon_run=$run
  until docker info >/dev/null 2>&1; do
    if ! kill -0 "$job" 2>/dev/null || ((SECONDS > deadline)); then
      die "no Docker daemon runs and none can be started here ($(grep -oE 'failed to .*' "$log" | tail -n 1 | head -c 200)); see $log"
    fi
    sleep 0.2
  done
}

# container_standin_base: Debian's minimal system under the name that the Dockerfile builds on.
container_standin_base() {
  local root=$container_work/bookworm
  say "$base_image cannot be pulled: making a stand-in with debootstrap"
  as_root rm -rf "$root"
  as_root debootstrap --variant=minbase bookworm "$root" >"$container_work/debootstrap.log" 2>&1 ||
    die "debootstrap failed; see $container_work/debootstrap.log"
  as_root rm -rf "$root/var/cache/apt/archives"
  as_root mkdir -p "$root/var/cache/apt/archives/partial"
  # The security updates that the official image has too.
  as_root cp -r /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/" 2>/dev/null || true
  as_root tar -C "$root" -c . | docker import - "$base_image" >/dev/null
  as_root rm -rf "$root"
}

container_standin_kafka() {
  say "$kafka_image cannot be pulled: making a stand-in from the pinned jars"
  rm -rf "$container_work/kafka"
  mkdir -p "$container_work/kafka"
  cp -r .cache/kafka/libs docker/standin/bin "$container_work/kafka/"
  docker build -q --network=host -f docker/standin/kafka.Dockerfile -t "$kafka_image" "$container_work/kafka" >/dev/null
}

have_image() { docker image inspect "$1" >/dev/null 2>&1 || timeout 120 docker pull -q "$1" >/dev/null 2>&1; }

# container_wait_healthy: until the HEALTHCHECK of the image says so.
container_wait_healthy() {
  local id deadline=$((SECONDS + 90))
  id=$(compose ps -q profile-relay)
  until [[ $(docker inspect -f '{{.State.Health.Status}}' "$id") == healthy ]]; do
    if ((SECONDS > deadline)); then
      compose logs --tail 50 profile-relay >&2
      die "the container did not become healthy; its words are above"
    fi
    sleep 0.2
  done
}

container_main() {
  local keep=''
  case "${1:-}" in
    -h | --help) container_usage; return ;;
    --keep) keep=yes ;;
    "") ;;
    *) die "container: unknown option '$1'" ;;
  esac
  need_packages test container
  need_integration_venv
  need_old_sdk_venv
  need_kafka
  [[ -n $keep ]] || trap container_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  container_daemon
  have_image "$base_image" || container_standin_base
  have_image "$kafka_image" || container_standin_kafka

  say "building $relay_image"
  docker build --network=host -f docker/Dockerfile -t "$relay_image" . || die "the image does not build"

  say "docker-compose up, the file unchanged"
  container_is_up=yes
  compose up -d
  container_wait_healthy
  say "sending a chunk with the documented command"
  compose exec -T profile-relay profile-relay send /usr/share/profile-relay/demo.pftrace \
    --metadata /usr/share/profile-relay/demo.json --dsn "$demo_dsn"
  .venv/bin/python tools/kafka/show_message.py --bootstrap 127.0.0.1:9092 --out "$container_work/consumed"

  say "the Python tests against the container"
  export PROFILE_RELAY_CONFIG=$PWD/$container_work/config
  rm -rf "$PROFILE_RELAY_CONFIG"
  (cd integration_tests && ../.venv/bin/python -m support.projects "$PROFILE_RELAY_CONFIG")
  chmod -R a+rX "$container_work/config"
  compose up -d
  container_wait_healthy
  .venv/bin/python -m pytest integration_tests --target container --url http://127.0.0.1:3000 --bootstrap 127.0.0.1:9092
  say "the container does what the binary does"
}
