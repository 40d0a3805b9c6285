# Completion of ratelimitd in bash. The binary knows its flags: it is asked, so that this cannot be out of
# date.
# shellcheck shell=bash disable=SC2034 # _init_completion sets what is not used here

_ratelimitd() {
    local cur prev words cword split flag value choices flags=()
    _init_completion -s -n : || return

    while read -r flag value choices; do
        if [[ $flag == "$prev" && -n $value ]]; then
            if [[ $value == FILE ]]; then
                _filedir
            else
                mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
            fi
            return
        fi
        flags+=("$flag")
    done < <("${words[0]}" --help=completion 2>/dev/null)

    $split || mapfile -t COMPREPLY < <(compgen -W "${flags[*]}" -- "$cur")
} && complete -F _ratelimitd ratelimitd
