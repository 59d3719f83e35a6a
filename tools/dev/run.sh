# ./dev run. Sourced by ./dev.
# shellcheck shell=bash

run_usage() {
  cat <<'EOF'
usage: ./dev run [--kafka] [--profile-self] [--once] [--port N]

Builds the server, writes a demo configuration into demo/ (kept and used again if it is there), starts the server on
127.0.0.1, sends one Perfetto chunk through the real HTTP route and shows what became of it. Then it serves until
Ctrl-C.

  --kafka    start a real local Kafka first; the message is shown as read back from its topic
  --profile-self
             the server profiles itself and sends what it finds to itself: one chunk a minute, and one when it ends
  --once     end after showing
  --port N   listen on port N; default: 3000, or the next free one
EOF
}

relay=build/release/profile-relay
demo=demo
run_pids=()

# run_cleanup: ends what this command started, nothing else.
run_cleanup() {
  local pid
  for pid in "${run_pids[@]}"; do
    kill -TERM "$pid" 2>/dev/null || true
  done
  for pid in "${run_pids[@]}"; do
    wait "$pid" 2>/dev/null || true
  done
  [[ -z ${run_kafka_folder:-} ]] || tools/kafka/local_kafka.py stop --folder "$run_kafka_folder"
}

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# run_server PORT SETTING...: starts the server, waits for its line "ready"; fails if it ends before.
run_server() {
  local port=$1 deadline=$((SECONDS + 30)) setting
  shift
  local -a settings=(--set "relay.port=$port")
  for setting in "$@"; do settings+=(--set "$setting"); done
  : >"$demo/server.log"
  "$relay" run -c "$demo" "${settings[@]}" 2>>"$demo/server.log" &
  server_pid=$!
  run_pids+=("$server_pid")
  until grep -q 'ready http=' "$demo/server.log"; do
    if ! kill -0 "$server_pid" 2>/dev/null || ((SECONDS > deadline)); then
      cat "$demo/server.log" >&2
      die "the server did not start; its words are above"
    fi
    sleep 0.05
  done
}

run_show() {
  local stored=$1
  say "the ten hottest functions"
  "$relay" top "$stored/payload.json" -n 10
  say "samples, threads, losses"
  "$relay" inspect "$demo/trace.pftrace"
}

run_main() {
  local with_kafka='' profile_self='' once='' port=''
  while (($#)); do
    case $1 in
      -h | --help) run_usage; return ;;
      --kafka) with_kafka=yes ;;
      --profile-self) profile_self=yes ;;
      --once) once=yes ;;
      --port) port=${2:?--port wants a number}; shift ;;
      *) die "run: unknown option '$1'" ;;
    esac
    shift
  done
  need_packages build
  build_preset release profile-relay make-trace || die "the build failed"

  if [[ ! -e $demo/config.yml ]]; then
    say "writing a demo configuration into $PWD/$demo"
    "$relay" config init -c "$demo" >/dev/null
  fi
  if [[ -n $port ]]; then
    ! port_is_taken "$port" || die "port $port is in use"
  else
    port=3000
    while port_is_taken "$port"; do port=$((port + 1)); done
  fi

  trap run_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local -a settings=()
  if [[ -n $with_kafka ]]; then
    need_packages test
    need_integration_venv
    need_kafka
    run_kafka_folder=$(mktemp -d "${TMPDIR:-/tmp}/profile-relay-kafka.XXXXXX")
    say "starting Kafka"
    kafka_address=$(tools/kafka/local_kafka.py start --folder "$run_kafka_folder")
    export RELAY_KAFKA_BROKER_URL=$kafka_address
  fi
  local key dsn
  key=$(grep -oE '"publicKey": *"[0-9a-f]{32}"' "$demo/projects/1.json" | grep -oE '[0-9a-f]{32}' | head -n 1)
  dsn="http://$key@127.0.0.1:$port/1"
  [[ -z $profile_self ]] || settings+=("profiling.self_dsn=$dsn")
  run_server "$port" "${settings[@]}"

  say "the server listens on 127.0.0.1:$port, its log is $demo/server.log; the DSN for an SDK is"
  echo "$dsn"

  say "sending one Perfetto chunk"
  build/release/make-trace --kind android --now "$(date +%s)" --metadata-out "$demo/metadata.json" -o "$demo/trace.pftrace"
  "$relay" send "$demo/trace.pftrace" --dsn "$dsn" --metadata "$demo/metadata.json"

  if [[ -n $with_kafka ]]; then
    say "the message as a consumer reads it from the topic profiles"
    rm -rf "$demo/consumed"
    .venv/bin/python tools/kafka/show_message.py --bootstrap "$kafka_address" --topic profiles --out "$demo/consumed"
    run_show "$demo/consumed"
  else
    say "the spool: no broker is configured, so records wait there, durably"
    "$relay" spool ls -c "$demo"
    rm -rf "$demo/exported"
    "$relay" spool export -c "$demo" --out "$demo/exported"
    run_show "$(find "$demo/exported" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)"
  fi
  run_what_next "$dsn" "$port" "$with_kafka"
  [[ -z $once ]] || return 0
  say "serving until Ctrl-C"
  tail -n 0 -f "$demo/server.log" --pid="$server_pid" >&2 &
  run_pids+=("$!")
  wait "$server_pid"
}

run_what_next() {
  local dsn=$1 port=$2 with_kafka=$3
  say "where things are"
  echo "  configuration   $demo/config.yml, $demo/projects/1.json (reloaded while running)"
  if [[ -n $with_kafka ]]; then
    echo "  the message     $demo/consumed/ (payload.json, profile.pftrace); the broker: $kafka_address"
  else
    echo "  the spool       $demo/spool; exported to $demo/exported/"
  fi
  echo "  the trace sent  $demo/trace.pftrace, its metadata $demo/metadata.json"
  say "what to type next"
  echo "  $relay send $demo/trace.pftrace --metadata $demo/metadata.json --dsn $dsn"
  echo "  $relay decode $demo/trace.pftrace | head -c 600"
  echo "  curl -s http://127.0.0.1:$port/metrics | grep profile_relay_chunks_total"
  echo "  ./dev run --profile-self   # the server profiles itself, and takes in what it finds"
  [[ -n $with_kafka ]] || echo "  ./dev run --kafka      # the same with a real Kafka"
}
