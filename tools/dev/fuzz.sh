# ./dev fuzz. Sourced by ./dev.
# shellcheck shell=bash

fuzz_usage() {
  cat <<'EOF'
usage: ./dev fuzz [--minutes N | --seconds N] [--jobs N] [TARGET...]

Builds the preset fuzz (clang, libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer) and runs each target for that
time; default: a minute each. Targets; without a name all of them:
  trace       decode a trace, convert it, write its JSON, read that back
  bundle      traces inside zlib, gzip and zstd
  wire        the wire reader against protobuf's, field by field
  sample_v2   a plain JSON chunk: read, write, read again
  http_chunks chunked request bodies: in pieces and whole, against Beast's parser
What is learned stays in build/fuzz/corpus/TARGET and is where the next run starts; logs are in build/fuzz/logs. An
input that breaks something is kept in build/fuzz/artifacts/TARGET, and the command fails: mend the cause and put the
input into tests/fuzz/regressions/TARGET, where every test run replays it.

  --jobs N   run N targets at a time; default 1
EOF
}

fuzz_targets=(trace bundle wire sample_v2 http_chunks)
declare -A fuzz_running=() # process -> target

# fuzz_cleanup: ends what this command started, nothing else.
fuzz_cleanup() {
  local pid
  for pid in "${!fuzz_running[@]}"; do
    kill -TERM "$pid" 2>/dev/null || true
  done
}

# fuzz_start TARGET SECONDS: in the background. A finding ends it with a status other than 0.
fuzz_start() {
  local name=$1 seconds=$2 dictionary=build/fuzz/fuzz-seeds/trace.dict
  local -a folders=("build/fuzz/corpus/$name" "build/fuzz/fuzz-seeds/$name")
  [[ ! -e tests/fuzz/$name.dict ]] || dictionary=tests/fuzz/$name.dict
  [[ ! -d tests/fuzz/regressions/$name ]] || folders+=("tests/fuzz/regressions/$name")
  mkdir -p "build/fuzz/corpus/$name" "build/fuzz/artifacts/$name" build/fuzz/logs
  # Golden inputs have up to 8 KB; more bytes only make each execution slower. 256 MB in one block is beyond any limit.
  "build/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=8192 -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=256 \
    -print_final_stats=1 -dict="$dictionary" -artifact_prefix="build/fuzz/artifacts/$name/" \
    "${folders[@]}" >"build/fuzz/logs/$name.log" 2>&1 &
  fuzz_running[$!]=$name
}

# fuzz_row TARGET: one line of the table, from the target's log.
fuzz_row() {
  local log=build/fuzz/logs/$1.log
  awk -v name="$1" -v found="${fuzz_found[$1]:-none}" '
    match($0, /cov: [0-9]+/) { cov = substr($0, RSTART + 5, RLENGTH - 5) }
    match($0, /ft: [0-9]+/) { ft = substr($0, RSTART + 4, RLENGTH - 4) }
    match($0, /corp: [0-9]+/) { corpus = substr($0, RSTART + 6, RLENGTH - 6) }
    match($0, /^#[0-9]+/) { executions = substr($0, 2, RLENGTH - 1) }
    /stat::number_of_executed_units/ { executions = $2 }
    /stat::average_exec_per_sec/ { rate = $2 }
    /^Done [0-9]+ runs in/ { seconds = $5 }
    END {
      if (seconds == "") seconds = "-" # it ended early
      printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", name, seconds, executions, rate, cov, ft, corpus, found
    }
  ' "$log"
}

# fuzz_wait: until one of those that run has ended; keeps what it found.
fuzz_wait() {
  local pid status=0 name artifact
  wait -n -p pid "${!fuzz_running[@]}" || status=$?
  name=${fuzz_running[$pid]}
  unset "fuzz_running[$pid]"
  ((status != 0)) || return 0
  artifact=$(sed -n 's/.*Test unit written to //p' "build/fuzz/logs/$name.log" | tail -n 1)
  fuzz_found[$name]=${artifact:-"no input kept, see build/fuzz/logs/$name.log"}
  # What broke and where; the whole story is in the log.
  grep -E -A 24 "FUZZ_CHECK|ERROR: |runtime error" "build/fuzz/logs/$name.log" | cut -c 1-300 | head -n 30 >&2 || true
}

fuzz_main() {
  local seconds=60 at_once=1 name
  local -a targets=()
  while (($#)); do
    case $1 in
      -h | --help) fuzz_usage; return ;;
      --minutes | --seconds | --jobs)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "fuzz: $1 wants a whole number above 0"
        case $1 in
          --minutes) seconds=$(($2 * 60)) ;;
          --seconds) seconds=$2 ;;
          --jobs) at_once=$2 ;;
        esac
        shift
        ;;
      -*) die "fuzz: unknown option '$1'" ;;
      *)
        [[ " ${fuzz_targets[*]} " == *" $1 "* ]] || die "fuzz: no target '$1'; there are: ${fuzz_targets[*]}"
        targets+=("$1")
        ;;
    esac
    shift
  done
  ((${#targets[@]})) || targets=("${fuzz_targets[@]}")
  need_packages build fuzz
  build_preset fuzz || die "the build of the fuzzers failed"

  declare -gA fuzz_found=()
  trap fuzz_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  for name in "${targets[@]}"; do
    ((${#fuzz_running[@]} < at_once)) || fuzz_wait
    say "fuzzing $name for $seconds s"
    fuzz_start "$name" "$seconds"
  done
  while ((${#fuzz_running[@]})); do fuzz_wait; done

  echo "| target | seconds | executions | per second | edges | features | corpus | finding |"
  echo "|---|---|---|---|---|---|---|---|"
  for name in "${targets[@]}"; do fuzz_row "$name"; done
  ((${#fuzz_found[@]} == 0)) || die "fuzzing broke: ${!fuzz_found[*]}; the inputs that do it: ${fuzz_found[*]}"
}
