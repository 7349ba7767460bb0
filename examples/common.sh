# What the examples' `run` have in common. Sourced, in the folder of the example.
house=$(cd ../.. && pwd)

# All that is missing, before anything is built.
need() { # a program and what it is for, each
  local missing=0
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null || { echo "$1 is needed: $2" >&2; missing=1; }
    shift 2
  done
  [ $missing = 0 ] || exit 1
}

# Where cargo builds: CARGO_TARGET_DIR and cargo's own settings count.
target_folder() {
  cargo metadata --quiet --no-deps --format-version 1 --manifest-path "$house/Cargo.toml" |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}

is_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets `ports` to so many: from PORT_BASE on, or free ones where it is 0. Without PORT_BASE, the first of 8080, 8090, … from
# which on all are free; another example that starts at the same time gets others.
take_ports() { # COUNT
  local base=${PORT_BASE:-8080} port
  ports=()
  if [ "$base" = 0 ]; then
    while [ ${#ports[@]} -lt "$1" ]; do
      # Below those that the system gives to whoever asks it for one.
      port=$((10000 + RANDOM % 20000))
      if [[ " ${ports[*]} " != *" $port "* ]] && is_free "$port"; then ports+=("$port"); fi
    done
    return
  fi
  until ports_from "$base" "$1"; do
    if [ -n "${PORT_BASE:-}" ]; then
      echo "a port from $base on is in use: set PORT_BASE to another, or to 0 for free ones" >&2
      exit 1
    fi
    base=$((base + 10))
  done
}

ports_from() { # BASE COUNT
  local port
  ports=()
  # Held until this process and those that it starts have ended. Without flock, two that start at once may meet.
  if command -v flock >/dev/null; then
    mkdir -p "$house/examples/.ports"
    exec 8>"$house/examples/.ports/$1"
    flock --nonblock 8 || return 1
  fi
  for ((port = $1; port < $1 + $2; port++)); do
    is_free "$port" || return 1
    ports+=("$port")
  done
}
