# ./dev test. Sourced by ./dev.
# shellcheck shell=bash

test_usage() {
  cat <<'EOF'
usage: ./dev test [--long] [--only PART] [-- PYTEST ARGUMENTS]

Builds everything and runs every test:
  ctest         the C++ tests
  sanitizers    the same under AddressSanitizer and UndefinedBehaviorSanitizer, and the real binary killed at random moments
  threads       the tests of what has threads (delivery, spool, sessions) under ThreadSanitizer
  fuzz          each fuzz target for 10 s; ./dev fuzz runs them longer
  complexity    instructions of decoding hostile traces, counted by callgrind: twice the input, at most 2.2 times the work
  proto         our .proto files, and a trace of the profiling client, against the official descriptors
  property      random traces: the decoder against a naive model in Python
  integration   the real binary over HTTP, with a real Kafka and its real consumers
A part that fails does not keep the others from running; the command then fails. Docker is ./dev container's.

  --long        also what takes minutes (thousands of random traces, longer random input)
  --only PART   one of the parts above; what follows -- goes to pytest, e.g.  ./dev test --only integration -- -k spool
EOF
}

timings=()
failures=()

# part NAME COMMAND...: runs one part, keeps its time and how it ended; the status is the command's.
part() {
  local name=$1 begin=$SECONDS status=0
  shift
  say "$name"
  "$@" || status=$?
  local word=passed
  ((status == 0)) || { word=FAILED; failures+=("$name"); }
  timings+=("$(printf '%5d s  %-6s  %s' $((SECONDS - begin)) "$word" "$name")")
  return "$status"
}

failed_logs=() # of ctest, one a preset with failures

# run_ctest PRESET: what it prints stays in the build folder too, so that failures can be told again at the end.
run_ctest() {
  local preset=$1 log=build/$1/ctest.log status=0
  ctest --preset "$preset" -j "$(nproc)" 2>&1 | tee "$log" || status=$?
  ((status == 0)) || failed_logs+=("$log")
  return "$status"
}

# tell_failed_tests LOG: the begin of what each failed test printed once more, and ctest's list of them: a log of this length
# is often cut in its middle, and the reason of a rare failure must not go with it.
tell_failed_tests() {
  say "failed in $1"
  sed '/^[0-9]*% tests passed/,$d' "$1" | grep -E -A60 'Test +#[0-9]+:.*\*\*\*' >&2
  sed -n '/^[0-9]*% tests passed/,$p' "$1" >&2
}

test_ctest() {
  part "build dev" build_preset dev || return 0
  part "ctest dev" run_ctest dev || return 0
}

# test_sanitizers [--long]. Left out (see the preset) is the test that forks while the profiler's threads start: the allocator
# of AddressSanitizer in GCC 12 knows no fork, and its locks, held by those threads, stay held in the child. The plain build
# runs it.
test_sanitizers() {
  part "build asan-ubsan" build_preset asan-ubsan || return 0
  part "ctest asan-ubsan" run_ctest asan-ubsan || true
  need_packages test
  need_integration_venv
  need_kafka
  part "crashes asan-ubsan" env CRASH_ROUNDS=6 .venv/bin/python -m pytest -p no:cacheprovider integration_tests/test_crash.py \
    -k killed_server --binary build/asan-ubsan/profile-relay "$@" || return 0
}

# Builds these few programs only, see the preset. Left out is the test that fails each call of the disk in turn: hundreds
# of spools one after another, which tell ThreadSanitizer no more than the first and take longer than all the rest.
test_threads() {
  part "build tsan" build_preset tsan || return 0
  part "ctest tsan" run_ctest tsan || return 0
}

# In a process of its own: ./dev fuzz ends with what it found.
test_fuzz() {
  part "fuzz, 10 s a target" ./dev fuzz --seconds 10 || return 0
}

test_complexity() {
  part "build dev" build_preset dev decode-cost || return 0
  need_perfetto_venv
  part "pytest tests/complexity" env DECODE_COST="$PWD/build/dev/decode-cost" \
    .venv-perfetto/bin/python -m pytest -p no:cacheprovider tests/complexity || return 0
}

test_proto() {
  part "build dev" build_preset dev || return 0
  need_perfetto_venv
  part "pytest tests/proto" env PROFILE_RELAY_DESC="$PWD/build/dev/proto/profile_relay.desc" \
    .venv-perfetto/bin/python -m pytest -p no:cacheprovider tests/proto || true
  part "pytest tests/sdk" env SDK_PROFILE_SELF="$PWD/build/dev/sdk-profile-self" \
    .venv-perfetto/bin/python -m pytest -p no:cacheprovider tests/sdk || return 0
}

test_property() {
  part "build dev" build_preset dev profile-relay || return 0
  need_perfetto_venv
  part "pytest tests/property" env PROFILE_RELAY_BINARY="$PWD/build/dev/profile-relay" \
    .venv-perfetto/bin/python -m pytest -p no:cacheprovider tests/property "$@" || return 0
}

test_integration() {
  part "build dev" build_preset dev || return 0
  need_packages test
  need_integration_venv
  need_old_sdk_venv
  need_kafka
  part "pytest integration_tests" .venv/bin/python -m pytest -p no:cacheprovider integration_tests "$@" || return 0
}

test_main() {
  local -a parts=(ctest sanitizers threads fuzz complexity proto property integration) pytest_arguments=() long=()
  while (($#)); do
    case $1 in
      -h | --help) test_usage; return ;;
      --long) pytest_arguments+=(--long); long=(--long) ;;
      --only)
        parts=("${2:?--only wants a part}")
        [[ " ctest sanitizers threads fuzz complexity proto property integration " == *" $2 "* ]] || die "test: no part '$2'; see ./dev test --help"
        shift
        ;;
      --) shift; pytest_arguments+=("$@"); break ;;
      *) die "test: unknown option '$1'" ;;
    esac
    shift
  done
  need_packages build test
  local name
  for name in "${parts[@]}"; do
    case $name in
      property | integration) "test_$name" "${pytest_arguments[@]}" ;;
      sanitizers) test_sanitizers "${long[@]}" ;;
      *) "test_$name" ;;
    esac
  done
  local log
  for log in "${failed_logs[@]}"; do tell_failed_tests "$log"; done
  printf '%s\n' "${timings[@]}" >&2
  ((${#failures[@]} == 0)) || die "these parts failed:$(printf ' [%s]' "${failures[@]}")"
}
