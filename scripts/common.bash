# Sourced by the scripts beside it: where the repository is, their manuals, and how they keep quiet.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export root

# The manual of a script is the comment at its head, which begins with "Usage:".
print_manual() {
    awk '/^# Usage:/ { found = 1 } !found { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
}

# refuse MESSAGE: ends the script because of its arguments.
refuse() {
    echo "${0##*/}: $1" >&2
    print_manual | sed '/^$/q' >&2
    exit 2
}

# accept_arguments LEAST MOST ARGUMENT...: call it first, with the arguments of the script. Answers --help,
# and refuses other options and a wrong number of arguments, before anything is installed or built.
accept_arguments() {
    local least=$1 most=$2 argument
    shift 2
    for argument in "$@"; do
        case $argument in
        -h | --help)
            print_manual
            exit 0
            ;;
        -*) refuse "unknown option: $argument" ;;
        esac
    done
    [ $# -ge "$least" ] || refuse 'an argument is missing'
    [ $# -le "$most" ] || refuse "unexpected argument: ${*:most + 1:1}"
}

# quietly NAME COMMAND...: the output of the command goes to build/NAME.log, and is shown only if the command
# fails.
quietly() {
    local log=$root/build/$1.log status=0
    shift
    mkdir -p "$root/build"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
    fi
    return "$status"
}

# configure_and_build PRESET [TARGET]: two builds of one preset would write the same files, so the second one
# waits.
configure_and_build() (
    cd "$root"
    mkdir -p build
    exec 9>"build/$1.lock"
    flock 9
    # Joined by &&, because `set -e` has no effect where the caller is in a condition.
    cmake --preset "$1" &&
        cmake --build --preset "$1" ${2:+--target "$2"}
)
