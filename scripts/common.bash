# Sourced by the scripts beside it: where the repository is, and how they are quiet.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export root
mkdir -p "$root/build"

# quietly NAME COMMAND...: the command's output goes to build/NAME.log, and is shown only if the command
# fails.
quietly() {
    local log=$root/build/$1.log status=0
    shift
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
    fi
    return "$status"
}

# configure_and_build PRESET [TARGET]: two at a time would write the same files, so the second one waits.
configure_and_build() (
    cd "$root"
    exec 9>"build/$1.lock"
    flock 9
    # Joined, because whoever calls this in a condition switches off `set -e` for it.
    cmake --preset "$1" &&
        cmake --build --preset "$1" ${2:+--target "$2"}
)
