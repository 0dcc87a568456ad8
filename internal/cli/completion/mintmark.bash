# bash completion of mintmark. In ~/.bashrc:
#
#     source <(mintmark completion bash)
#
# or, for bash 3.2 of macOS: eval "$(mintmark completion bash)"

_mintmark() {
    local i word last typed prefix kind text _
    local -a words
    words=()
    COMPREPLY=()
    # readline breaks words at = and :, and mintmark does not.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((${#words[@]} > 0)) && [[ $word == [=:]* || ${COMP_WORDS[i - 1]} == [=:] ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
    done
    last=${COMP_WORDS[COMP_CWORD]}
    if [[ $last == [=:] ]]; then last=; fi
    i=$((${#words[@]} - 1))
    typed=${words[i]}
    prefix=${typed%"$last"}
    words[i]="=$typed"

    while IFS=$'\t' read -r text _; do
        if [[ -z ${kind+set} ]]; then
            kind=$text
            continue
        fi
        text=${text#"$prefix"}
        case $text in
        *[=:]) COMPREPLY+=("$text") ;; # more of it is expected
        *) COMPREPLY+=("$text ") ;;
        esac
    done < <(command mintmark __complete "${words[@]}" 2>/dev/null)

    case ${kind-} in
    file) compopt -o default +o nospace 2>/dev/null || _mintmark_names -f "$last" ;;
    dir) compopt -o dirnames +o nospace 2>/dev/null || _mintmark_names -d "$last" ;;
    esac
}

# _mintmark_names KIND PREFIX completes names of files where bash cannot be told to.
_mintmark_names() {
    local name
    while IFS= read -r name; do
        COMPREPLY+=("$name")
    done < <(compgen "$1" -- "$2")
}

complete -o nospace -F _mintmark mintmark
