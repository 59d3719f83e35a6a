# ./dev build. Sourced by ./dev.
# shellcheck shell=bash

build_usage() {
  cat <<'EOF'
usage: ./dev build [--preset P] [TARGET...]

Configures and builds into build/P. Presets: dev (the default; debug checks on), release (what the container ships and
the benchmarks measure), asan-ubsan (sanitizers), tsan (ThreadSanitizer), fuzz (libFuzzer, with clang). Without targets
everything is built; of tsan and fuzz, what their tests need.
EOF
}

build_main() {
  local preset=dev
  local -a targets=()
  while (($#)); do
    case $1 in
      -h | --help) build_usage; return ;;
      --preset) preset=${2:?--preset wants a name}; shift ;;
      --preset=*) preset=${1#*=} ;;
      -*) die "build: unknown option '$1'" ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
  need_packages build
  [[ $preset != fuzz ]] || need_packages fuzz
  build_preset "$preset" "${targets[@]}" || die "the build of the preset $preset failed"
  say "built into build/$preset"
}
