#!/usr/bin/env bash
# Behind PgBouncer, whoever listens hears nothing, and a client that never listened gets the notifications.
#
# Versions:  PgBouncer 1.18.0 with pool_mode = transaction, PostgreSQL 15.18 (Debian's), psycopg 3.3.9. Needs postgresql
#            and pgbouncer installed; run as root, it runs both as the user postgres, since they refuse to run as root.
# Behaviour: LISTEN succeeds. It belongs to the server's connection, which PgBouncer gives to the next client, and which
#            listens on until it is closed. What is notified while another client has a transaction on it goes to that
#            client; what is notified while it is idle goes to nobody, and PgBouncer logs a warning each time.
# Seen:      listener heard [], bystander heard ['during its transaction']
#            the connection that PgBouncer gives the bystander listens to ['jobs']
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi; }
cleanup() {
    [ ! -s "$folder/db/pid" ] || kill "$(cat "$folder/db/pid")"
    as "$bin/pg_ctl" -D "$folder/db/data" -m immediate stop >/dev/null 2>&1 || true
    wait
    rm -rf "$folder"
}
trap cleanup EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --disable-pip-version-check "psycopg[binary]==3.3.9" 2>/dev/null
mkdir "$folder/db"
[ "$(id -u)" != 0 ] || chown postgres "$folder/db"
chmod 711 "$folder"
cd "$folder/db"

as "$bin/initdb" -D data -U postgres --auth=trust --no-sync >/dev/null
as "$bin/pg_ctl" -D data -w -l log -o "-c listen_addresses='' -c unix_socket_directories=$folder/db -c fsync=off" start >/dev/null
echo '"postgres" ""' > users
cat > pgbouncer.ini <<INI
[databases]
postgres = host=$folder/db user=postgres
[pgbouncer]
auth_type = trust
auth_file = $folder/db/users
pool_mode = transaction
listen_addr =
unix_socket_dir = $folder/db
pidfile = $folder/db/pid
INI
as pgbouncer --quiet pgbouncer.ini 2>/dev/null &
until [ -S .s.PGSQL.6432 ]; do sleep 0.05; done

cat > listen.py <<'PYTHON'
import sys
import time

import psycopg

direct = f"host={sys.argv[1]} dbname=postgres user=postgres"


def connect(to):
    return psycopg.connect(to, autocommit=True, prepare_threshold=None)


def hears(connection):
    heard = []
    connection.add_notify_handler(lambda notify: heard.append(notify.payload))
    return heard


listener, bystander = connect(f"{direct} port=6432"), connect(f"{direct} port=6432")
sender = connect(f"{direct} port=5432")
mine, others = hears(listener), hears(bystander)
listener.execute("LISTEN jobs")
sender.execute("SELECT pg_notify('jobs', 'while all are idle')")
time.sleep(0.3)
listener.execute("SELECT 1")
with bystander.transaction():
    bystander.execute("SELECT 1")
    sender.execute("SELECT pg_notify('jobs', 'during its transaction')")
    time.sleep(0.3)  # until it has arrived
listener.execute("SELECT 1")
print(f"listener heard {mine}, bystander heard {others}")
(channels,) = bystander.execute("SELECT array_agg(name) FROM pg_listening_channels() AS name").fetchone()
print(f"the connection that PgBouncer gives the bystander listens to {channels}")
PYTHON
"$folder/venv/bin/python" listen.py "$folder/db" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
listener heard [], bystander heard ['during its transaction']
the connection that PgBouncer gives the bystander listens to ['jobs']
SEEN
