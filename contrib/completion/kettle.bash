# bash completion for kettle: what the program's own --help says.
_kettle() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} values=
  COMPREPLY=()
  case $command$before in
    run--network | run-n) values="mainnet sepolia hoodi" ;;
    run--tee) values="auto dstack tdx simulator" ;;
    run--log-level) values="error warn info debug" ;;
    run--log-format) values="text json" ;;
    p2pp2p) [[ $current == -* ]] || values="address register peers watch status" ;;
  esac
  if [ "$COMP_CWORD" = 1 ] || { [ "$COMP_CWORD" = 2 ] && [ "$command" = help ]; }; then
    mapfile -t COMPREPLY < <(compgen -W "$(kettle --help 2>/dev/null | sed -n 's/^  \([a-z0-9]*\)  .*/\1/p') help --help --version" -- "$current")
  elif [ -n "$values" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(kettle help "$command" 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _kettle kettle
