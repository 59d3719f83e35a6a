# Shared by the parts of ./dev: messages, the system check, installing what is missing. Sourced, never run.
# shellcheck shell=bash

export PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3 # another python3 may come first in PATH and lack Debian's modules
jobs=$(nproc)

say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf './dev: %s\n' "$*" >&2
  exit 1
}

# need_debian_12: ends with one sentence on a system whose package names and versions we do not know.
need_debian_12() {
  local id='' version=''
  if [[ -r /etc/os-release ]]; then
    # shellcheck disable=SC1091
    id=$(. /etc/os-release && printf %s "${ID:-}")
    # shellcheck disable=SC1091
    version=$(. /etc/os-release && printf %s "${VERSION_ID:-}")
  fi
  [[ $id == debian && $version == 12 ]] ||
    die "this is ${id:-an unknown system} ${version:-}, and the packages are named for Debian 12 only; use a Debian 12 machine or container"
}

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "installing packages needs root, and there is no sudo; as root run: $*"
  fi
}

# package_names GROUP...: the packages of tools/debian-packages.txt that these groups need.
package_names() {
  awk -v groups=" $* " '!/^#/ && NF {
    n = split(NF > 1 ? $2 : "build", of, ",")
    for (i = 1; i <= n; ++i) if (index(groups, " " of[i] " ")) { print $1; break }
  }' tools/debian-packages.txt
}

# need_packages GROUP...: installs the missing ones; asks dpkg only, and is silent, when there is none.
need_packages() {
  need_debian_12
  local wanted missing removed
  wanted=$(package_names "$@" | sort)
  # shellcheck disable=SC2086
  missing=$(comm -23 <(printf '%s\n' "$wanted") \
    <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
      awk '$2 == "installed" { print $1 }' | sort -u))
  [[ -n $missing ]] || return 0
  say "installing Debian packages: ${missing//$'\n'/ }"
  if [[ -z ${apt_is_fresh:-} ]]; then
    as_root apt-get update -qq
    apt_is_fresh=yes
  fi
  # shellcheck disable=SC2086
  removed=$(apt-get install -s --no-install-recommends $missing | awk '$1 == "Remv" { print $2 }' | xargs)
  if [[ -n $removed ]]; then
    say "apt removes these, which conflict (libboost1.81-dev excludes Debian's default Boost 1.74): $removed"
  fi
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 $missing </dev/null >&2
}

# need_venv FOLDER REQUIREMENTS: a virtual environment with exactly these versions, made anew when the file changes.
need_venv() {
  local folder=$1 requirements=$2 stamp
  stamp="$PWD $(sha256sum <"$requirements")"
  [[ $(cat "$folder/.stamp" 2>/dev/null) != "$stamp" ]] || return 0
  say "making the Python environment $folder from $requirements"
  rm -rf "$folder"
  "$python" -m venv "$folder"
  "$folder/bin/pip" install -q --no-input --disable-pip-version-check -r "$requirements" >&2
  printf '%s\n' "$stamp" >"$folder/.stamp"
}

need_integration_venv() { need_venv .venv integration_tests/requirements.txt; }
need_old_sdk_venv() { need_venv .venv-old-sdk integration_tests/requirements-old-sdk.txt; }
need_perfetto_venv() { need_venv .venv-perfetto tools/requirements-perfetto.txt; }

# need_kafka [--pin]: Kafka's jars in .cache/kafka/libs, checked against the list in the tree (--pin writes that list).
need_kafka() {
  local libs=.cache/kafka/libs list=tools/kafka/jars.sha256 stamp
  stamp=$(cat tools/kafka/pom.xml "$list" | sha256sum)
  if [[ ${1:-} != --pin ]]; then
    [[ $(cat .cache/kafka/.stamp 2>/dev/null) != "$stamp" ]] || return 0
  fi
  say "fetching Kafka's jars with Maven into $libs"
  rm -rf "$libs"
  mkdir -p "$libs"
  mvn -q -B -Dstyle.color=never -f tools/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$libs" </dev/null >&2 ||
    die "Maven could not fetch Kafka's jars; its words are above"
  if [[ ${1:-} == --pin ]]; then
    (cd "$libs" && LC_ALL=C sha256sum -- *.jar) >"$list"
    stamp=$(cat tools/kafka/pom.xml "$list" | sha256sum)
  fi
  diff <(cd "$libs" && LC_ALL=C sha256sum -- *.jar) "$list" >&2 ||
    die "the jars in $libs are not those of $list (differences above); nothing was started from them"
  printf '%s\n' "$stamp" >.cache/kafka/.stamp
}

# build_preset PRESET [TARGET...]: configures and builds; without targets, everything. Returns non-zero on failure.
build_preset() {
  local preset=$1 configure_log
  shift
  local -a targets=()
  (($# == 0)) || targets=(--target "$@")
  configure_log=$(mktemp)
  if ! cmake --preset "$preset" >"$configure_log" 2>&1; then
    cat "$configure_log" >&2
    rm -f "$configure_log"
    say "configuring the preset $preset failed; CMake's words are above"
    return 1
  fi
  rm -f "$configure_log"
  cmake --build --preset "$preset" -j "$jobs" "${targets[@]}"
}
