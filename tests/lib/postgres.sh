# shellcheck shell=bash
# A PostgreSQL of the tests' own: new, empty, on loopback, gone at the end. Sourced by tests/run.

postgres_folder=
postgres_as=()

# Prints the folder with initdb and pg_ctl.
postgres_programs() {
    local folder
    for folder in "${HUB_POSTGRES_BIN:-/nowhere}" /usr/lib/postgresql/*/bin; do
        if [[ -x $folder/initdb && -x $folder/pg_ctl ]]; then
            echo "$folder"
            return 0
        fi
    done
    folder=$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")
    [[ -x $folder/initdb && -x $folder/pg_ctl ]] && echo "$folder"
}

# Starts it and exports HUB_TEST_POSTGRES, unless that is set already: then the caller's own server is used.
start_postgres() {
    [[ -z ${HUB_TEST_POSTGRES:-} ]] || return 0
    local programs password port attempt
    programs=$(postgres_programs) || return 1
    postgres_folder=$(mktemp -d /tmp/hub-postgres.XXXXXX)
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '%s\n' "$password" >"$postgres_folder/password"
    if [[ $(id -u) == 0 ]]; then # the server refuses to run as root
        id postgres >/dev/null 2>&1 || return 1
        chown -R postgres "$postgres_folder"
        postgres_as=(runuser -u postgres --)
    fi
    (
        cd "$postgres_folder"
        "${postgres_as[@]}" "$programs/initdb" -D "$postgres_folder/data" -U hub -A scram-sha-256 --pwfile="$postgres_folder/password" \
            -E UTF8 --locale=C.UTF-8 --no-sync >"$logs/postgres-init.log" 2>&1 </dev/null
    ) || {
        cat "$logs/postgres-init.log"
        return 1
    }
    # A free port cannot be asked for, so: try some.
    for attempt in 1 2 3 4 5 6 7 8; do
        port=$((20000 + (RANDOM % 20000)))
        if (
            cd "$postgres_folder"
            "${postgres_as[@]}" "$programs/pg_ctl" -D "$postgres_folder/data" -l "$postgres_folder/server.log" -w -t 60 start -o \
                "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$postgres_folder -c max_connections=500 -c fsync=off -c synchronous_commit=off -c full_page_writes=off" \
                >"$logs/postgres-start.log" 2>&1 </dev/null
        ); then
            export HUB_TEST_POSTGRES="postgres://hub:$password@127.0.0.1:$port/postgres"
            echo "PostgreSQL listens on 127.0.0.1:$port (try $attempt)"
            return 0
        fi
    done
    cat "$logs/postgres-start.log" "$postgres_folder/server.log"
    return 1
}

# Stops it and removes its folder. Safe to call twice, and when it was never started.
stop_postgres() {
    [[ -n $postgres_folder ]] || return 0
    local programs
    programs=$(postgres_programs) || return 0
    (cd / && "${postgres_as[@]}" "$programs/pg_ctl" -D "$postgres_folder/data" -m immediate stop >/dev/null 2>&1 </dev/null) || true
    rm -rf "$postgres_folder"
    postgres_folder=
}
