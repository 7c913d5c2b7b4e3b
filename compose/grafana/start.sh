#!/bin/sh
# Gives Grafana the password of its "admin": that of secrets/grafana/admin_password or, where there is none, one that is made
# up at the first start and kept in Grafana's own volume. A fresh clone comes up whole, and no password is known to others.
#
# To see it:  docker compose exec grafana cat /var/lib/grafana/admin_password
set -eu

given=/run/secrets/admin_password
made=${GF_PATHS_DATA:-/var/lib/grafana}/admin_password

if [ -s "$given" ]; then
  if [ ! -r "$given" ]; then
    echo "secrets/grafana/admin_password cannot be read by user $(id -u): chmod 644 it, and keep others out of its folder." >&2
    exit 1
  fi
  export GF_SECURITY_ADMIN_PASSWORD__FILE="$given"
else
  if [ ! -s "$made" ]; then
    umask 077
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$made.new"
    mv "$made.new" "$made"
  fi
  export GF_SECURITY_ADMIN_PASSWORD__FILE="$made"
fi

exec "$@"
