# fish completion of mintmark. In ~/.config/fish/config.fish:
#
#     mintmark completion fish | source
#
# or as the file ~/.config/fish/completions/mintmark.fish.

function __mintmark_ask
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    command mintmark __complete $before[2..-1] "=$typed" 2>/dev/null
end

function __mintmark_kind
    set -l kind (__mintmark_ask)[1]
    test "$argv[1]" = "$kind"
end

function __mintmark_words
    __mintmark_ask | tail -n +2
end

complete -c mintmark -e
complete -c mintmark -n 'not __mintmark_kind file; and not __mintmark_kind dir' -f -a '(__mintmark_words)'
complete -c mintmark -n '__mintmark_kind dir' -f -a '(__fish_complete_directories (commandline -ct | string replace -r "^-[^=]*=" ""))'
