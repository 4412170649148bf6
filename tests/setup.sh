# Sourced by tests/run, examples/run and .ci/run: installs packages and runs a workflow preset.

say() { printf 'recoup: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# install_packages NAME...: those of the Debian packages that are missing. On other systems it does nothing.
install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this is no Debian or Ubuntu, so nothing is installed; CMake takes what is there and fetches the rest."
    return 0
  fi
  missing=
  for package in "$@"; do
    dpkg-query --show --showformat '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing="$missing $package"
  done
  [ -n "$missing" ] || return 0

  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif command -v sudo >/dev/null; then
    as_root=sudo
  else
    say "going on without$missing: only root can install them, and there is no sudo here."
    return 0
  fi
  say "installing$missing"
  # The lists of names are meant to be split.
  # shellcheck disable=SC2086
  $as_root apt-get update -qq >&2 || fail "apt-get update failed; is there a network?"
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2 ||
    fail "apt-get could not install$missing."
}

# run_workflow PRESET: from the project's folder.
run_workflow() {
  for tool in cmake ninja; do
    command -v $tool >/dev/null || fail "$tool is missing; install it and run this again."
  done
  version=$(cmake --version | sed -n '1s/^cmake version \([0-9]*\.[0-9]*\).*/\1/p')
  [ "${version%.*}" -gt 3 ] || { [ "${version%.*}" -eq 3 ] && [ "${version#*.}" -ge 25 ]; } ||
    fail "CMake 3.25 or newer is needed, and this is $version; cmake.org/download has a newer one."
  say "cmake --workflow --preset $1"
  cmake --workflow --preset "$1" || fail "the workflow $1 failed; see above."
}
