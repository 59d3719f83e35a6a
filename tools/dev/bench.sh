# ./dev bench. Sourced by ./dev.
# shellcheck shell=bash

bench_usage() {
  cat <<'EOF'
usage: ./dev bench [decode|http|delivery|sdk] [-- OPTIONS OF THE BENCHMARK]

Builds the release preset and measures; without a name all.
  decode    decode + convert + JSON of one trace against a bare scan and against protobuf's own parsing
  http      end to end against a bare path (same HTTP library, same Kafka client), with a real Kafka, its log in memory
  delivery  what each mode of acknowledgement costs against the bare path, and the spool against append + fdatasync
  sdk       what the profiling client's sampler costs a busy process of 1, 8 and 32 threads, beside gperftools' profiler
Figures are ratios from one interleaved run: on a shared machine only those can be compared.
EOF
}

bench_main() {
  local -a which=() options=()
  while (($#)); do
    case $1 in
      -h | --help) bench_usage; return ;;
      decode | http | delivery | sdk) which+=("$1") ;;
      --) shift; options=("$@"); break ;;
      *) die "bench: unknown argument '$1'; it is decode, http, delivery or sdk" ;;
    esac
    shift
  done
  ((${#which[@]})) || which=(decode http delivery sdk)
  need_packages build bench
  local name
  for name in "${which[@]}"; do
    local -a targets=("bench_$name")
    [[ $name == sdk ]] || targets+=(profile-relay)
    build_preset release "${targets[@]}" || die "the build of the benchmark $name failed"
    if [[ $name == http || $name == delivery ]]; then
      need_packages test
      need_kafka
      tools/kafka/local_kafka.py with --tmpfs -- "build/release/bench_$name" "${options[@]}"
    else
      "build/release/bench_$name" "${options[@]}"
    fi
  done
}
