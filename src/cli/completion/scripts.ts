/**
 * What a shell sources so that it completes `gatehouse`. Each asks the command itself for what may come next: the words after the
 * command's name, the last one as far as it is typed. `:files` means that the shell completes a path.
 */

export const FILES_MARK = ":files";

const BASH = `# gatehouse completion for bash. Put this into ~/.bashrc:
#   source <(gatehouse completion bash)
_gatehouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" value _rest
  # An alias such as "npx gatehouse" is run as what it stands for.
  local -a run=(\${BASH_ALIASES[$1]:-$1})
  COMPREPLY=()
  while IFS=$'\\t' read -r value _rest; do
    if [[ $value == "${FILES_MARK}" ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("$value")
    fi
  done < <("\${run[@]}" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
}
complete -F _gatehouse gatehouse
`;

const ZSH = `#compdef gatehouse
# gatehouse completion for zsh. Put this into ~/.zshrc, behind compinit:
#   source <(gatehouse completion zsh)
_gatehouse() {
  local value description
  local -a found run
  # An alias such as "npx gatehouse" is run as what it stands for.
  run=(\${=aliases[\${words[1]}]:-\${words[1]}})
  while IFS=$'\\t' read -r value description; do
    if [[ $value == "${FILES_MARK}" ]]; then
      _files
      return
    fi
    found+=("\${value//:/\\\\:}\${description:+:$description}")
  done < <("\${run[@]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null </dev/null)
  _describe gatehouse found
}
compdef _gatehouse gatehouse
`;

const FISH = `# gatehouse completion for fish. Save it once:
#   gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish
function __gatehouse_words
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    for line in (gatehouse completion words -- $typed[2..-1] "$current" 2>/dev/null </dev/null)
        if test "$line" = "${FILES_MARK}"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c gatehouse -f -a '(__gatehouse_words)'
`;

export const COMPLETION_SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
