# Shared by start, start-capella and workload: Node.js and packages at hand, processes listed in DIR/pids.
# Expects $here, the folder of the devnet.
node=$("$here/node20" --where)
"$here/packages" clients >/dev/null

prepare_dir() { # DIR: stops what runs there, empties it, makes the Engine API's secret
  [ ! -f "$1/pids" ] || "$here/stop" --dir "$1"
  rm -rf "$1"
  mkdir -p "$1"
  head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$1/jwt.hex"
}

need_free_ports() { # PORT...
  local port
  for port in "$@"; do
    if (exec 8<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "devnet: port $port on 127.0.0.1 is taken; choose others with --base-port" >&2
      exit 1
    fi
  done
}

chain_id_of() { # SEED
  echo $((1337000 + $(printf %s "$1" | cksum | cut -d' ' -f1) % 1000))
}

launch() { # DIR NAME COMMAND...: in the background, in its own session, log in DIR/NAME.log
  local dir=$1 name=$2
  shift 2
  (cd "${workdir:-$dir}" && exec setsid "$@") >>"$dir/$name.log" 2>&1 </dev/null 9>&- &
  echo "$name $!" >>"$dir/pids"
}

start_execution() { # DIR BASE-PORT: returns when its RPC answers
  launch "$1" el "$node" --max-old-space-size=3072 --import "$here/lib/preload.mjs" \
    "$here/../node_modules/@ethereumjs/client/dist/esm/bin/cli.js" \
    --gethGenesis "$1/genesis.json" --dataDir "$1/el" --rpc --rpcAddr 127.0.0.1 --rpcPort "$2" \
    --rpcEngine --rpcEngineAddr 127.0.0.1 --rpcEnginePort $(($2 + 1)) --jwtSecret "$1/jwt.hex" --saveReceipts \
    --isSingleNode --port $(($2 + 3)) --extIP 127.0.0.1 --discV4 false --discDns false --logFile false
  wait_for rpc "http://127.0.0.1:$2" 180
}

wait_for() { # WHAT URL SECONDS: see lib/wait.mjs
  "$node" "$here/lib/wait.mjs" "$1" "$2" "$3" "$dir/pids" && return
  echo "devnet: the chain did not come up; logs in $dir" >&2
  tail -n 5 "$dir"/*.log >&2
  "$here/stop" --dir "$dir"
  exit 1
}
