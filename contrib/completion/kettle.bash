# bash completion for kettle: what the program's own --help says.
_kettle() {
  local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ] || { [ "$COMP_CWORD" = 2 ] && [ "$command" = help ]; }; then
    mapfile -t COMPREPLY < <(compgen -W "$(kettle --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  .*/\1/p') help --help --version" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(kettle help "$command" 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _kettle kettle
