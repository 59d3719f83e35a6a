# ./dev fmt. Sourced by ./dev.
# shellcheck shell=bash

fmt_usage() {
  cat <<'EOF'
usage: ./dev fmt [--check]

Formats the C++ sources that git knows with clang-format 14 and .clang-format. --check changes nothing and fails if
something would change.
EOF
}

fmt_main() {
  local -a mode=(clang-format-14 -i)
  case "${1:-}" in
    -h | --help) fmt_usage; return ;;
    --check) mode=(clang-format-14 --dry-run --Werror --ferror-limit=1) ;;
    "") ;;
    *) die "fmt: unknown option '$1'" ;;
  esac
  need_packages fmt
  git ls-files -z '*.cpp' '*.hpp' ':!tools/cmake/pure_guard' | xargs -0 -r "${mode[@]}" ||
    die "these files are not formatted: run ./dev fmt"
}
