#compdef mintmark

# zsh completion of mintmark. In ~/.zshrc, after compinit:
#
#     source <(mintmark completion zsh)
#
# or as the file _mintmark in a directory of $fpath.

_mintmark() {
    local line kind text shown
    local -a before lines open open_shown whole whole_shown
    before=("${(@Q)words[2,CURRENT-1]}")
    lines=("${(@f)$(command mintmark __complete "${before[@]}" "=${(Q)PREFIX}" 2>/dev/null; print -r -- .)}")
    lines[-1]=()
    kind=$lines[1]
    for line in "${(@)lines[2,-1]}"; do
        text=${line%%$'\t'*}
        shown="$text  ${line#*$'\t'}"
        shown=$shown[1,COLUMNS-1]
        if [[ $text == *[=:] ]]; then # more of it is expected
            open+=("$text")
            open_shown+=("$shown")
        else
            whole+=("$text")
            whole_shown+=("$shown")
        fi
    done
    (( $#open )) && compadd -S '' -l -d open_shown -a open
    (( $#whole )) && compadd -l -d whole_shown -a whole
    case $kind in
    file | dir)
        compset -P '*[=,]'
        if [[ $kind == dir ]]; then _files -/; else _files; fi
        ;;
    esac
}

if [[ $funcstack[1] == _mintmark ]]; then
    _mintmark "$@"
else
    compdef _mintmark mintmark
fi
