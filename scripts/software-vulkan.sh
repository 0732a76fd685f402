#!/usr/bin/env bash
# A Vulkan driver that runs on the CPU, for machines without a GPU: prints the environment that makes the WebGPU provider use it.
#
#   eval "$(scripts/software-vulkan.sh)" && npx vitest run test/runtime/webgpu     # lavapipe (Mesa), has shader-f16
#   eval "$(scripts/software-vulkan.sh swiftshader)"                               # from Chromium's package, no f16, 10x slower
#
# Debian and Ubuntu only, no root: packages are fetched with a private apt state (the system's own sources, and the backports suite
# where the release's Mesa is older than 24) and unpacked below $TOKENLOOM_VULKAN (default: the user's cache folder). Nothing is installed.
# Versions are whatever the suite has today. Exits 1 with the reason on stderr where the driver cannot be had.
set -euo pipefail

driver=${1:-lavapipe}
case $driver in
  lavapipe) package=mesa-vulkan-drivers library=libvulkan_lvp.so ;;
  swiftshader) package=chromium-common library=libvk_swiftshader.so ;;
  *) echo "unknown driver '$driver': lavapipe or swiftshader" >&2; exit 1 ;;
esac
root=${TOKENLOOM_VULKAN:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/tokenloom/vulkan}/$driver
state=$root/apt

fail() {
  echo "no $driver: $1" >&2
  exit 1
}

fetch() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail 'apt-get and dpkg-deb are needed (Debian or Ubuntu)'
  rm -rf "$root"
  mkdir -p "$state"/{lists/partial,cache/archives/partial,sources.list.d}
  cp -R /etc/apt/sources.list.d/. "$state/sources.list.d/" 2>/dev/null || true
  if [ -s /etc/apt/sources.list ]; then cp /etc/apt/sources.list "$state/sources.list"; else : >"$state/sources.list"; fi
  # Hooks of the system (containers clean its cache after an update) are not ours to run.
  printf '#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n' >"$state/apt.conf"
  apt=(apt-get -c "$state/apt.conf" -qq -y -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache"
    -o Dir::State::status=/var/lib/dpkg/status -o Dir::Etc::sourcelist="$state/sources.list"
    -o Dir::Etc::sourceparts="$state/sources.list.d" -o Debug::NoLocking=1 -o APT::Sandbox::User= -o Acquire::Retries=1
    -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Acquire::Languages=none)
  # A source of somebody else may fail; what counts is whether the package can be had.
  "${apt[@]}" update >&2 || true
  local suite=()
  if [ "$driver" = lavapipe ] && [ "$(major)" -lt 24 ]; then
    local name mirror
    name=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    mirror=$("${apt[@]}" indextargets --format '$(ORIGIN) $(CODENAME) $(SITE) $(REPO_URI)' |
      awk -v n="$name" '$1 == "Debian" && $2 == n { print $4; exit }')
    [ -n "$mirror" ] || fail 'the release has an old one and the backports of a Debian mirror cannot be reached'
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s-backports main\n' "$mirror" "$name" >>"$state/sources.list"
    "${apt[@]}" update >&2 || true
    suite=(-t "$name-backports")
  fi
  if [ "$driver" = lavapipe ]; then
    # The system's status decides which dependencies are missing or too old; only those come.
    "${apt[@]}" "${suite[@]}" --download-only --no-install-recommends install "$package" >&2 || fail "$package cannot be downloaded"
  else
    (cd "$state/cache/archives" && "${apt[@]}" download "$package" >&2) || fail "$package cannot be downloaded"
    "${apt[@]}" --download-only --no-install-recommends install libvulkan1 >&2 || fail 'libvulkan1 cannot be downloaded'
  fi
  local deb found=0
  for deb in "$state"/cache/archives/*.deb; do
    [ -e "$deb" ] || break
    found=1
    case $driver:${deb##*/} in
      swiftshader:chromium-common_*) dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --wildcards '*swiftshader*' ;;
      *) dpkg-deb -x "$deb" "$root" ;;
    esac
  done
  [ "$found" = 1 ] || echo "$package is installed already" >&2
  rm -rf "$state"
  touch "$root/complete"
}

# Mesa's major version in the sources as they are; 0 where there is none.
major() {
  local version
  version=$(apt-cache -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" -o Dir::Etc::sourcelist="$state/sources.list" \
    -o Dir::Etc::sourceparts="$state/sources.list.d" policy "$package" | awk '/Candidate:/ { print $2 }')
  version=${version#*:}
  case $version in [0-9]*) echo "${version%%.*}" ;; *) echo 0 ;; esac
}

locate() { find "$root" /usr/lib /usr/share -name "$library" -print -quit 2>/dev/null; }

[ -e "$root/complete" ] || fetch
so=$(locate)
[ -n "$so" ] || fail "$library is not in what was downloaded"
icd=$root/$driver.json
printf '{"file_format_version":"1.0.0","ICD":{"library_path":"%s","api_version":"1.3.0"}}\n' "$so" >"$icd"
mkdir -p "$root/run" && chmod 700 "$root/run"
libraries=$(find "$root/usr/lib" -maxdepth 2 -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd: || true)
printf 'export VK_ICD_FILENAMES=%q\n' "$icd"
printf 'export XDG_RUNTIME_DIR=%q\n' "${XDG_RUNTIME_DIR:-$root/run}"
[ -z "$libraries" ] || printf 'export LD_LIBRARY_PATH=%q\n' "$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
