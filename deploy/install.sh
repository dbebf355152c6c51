#!/usr/bin/env bash
# Install tradingd as a systemd service on this machine: a user, a virtual environment under /opt/tradingd, the default
# configuration under /etc/tradingd (never overwritten; no strategy, since the shipped ones trade only where there is
# none), and the units. Run as root from a checkout; repeating it upgrades.
# ROOT=DIR puts the files below DIR and touches neither accounts nor services (for packages, and to look at first).
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
root=${ROOT:-}
prefix=${PREFIX:-/opt/tradingd}
config=${CONFIG:-/etc/tradingd}
units=$root${UNITS:-/etc/systemd/system}
python=${PYTHON:-python3}
files=(tradingd.yaml processes.yaml)

install_program() {
  [ -x "$prefix/bin/python" ] || "$python" -m venv "$prefix"
  "$prefix/bin/python" -m pip install --quiet --upgrade -c "$here/constraints.txt" "$here[embedded]"
}

install_documents() {
  install -d -m 0755 "$root$prefix/share/doc/tradingd"
  cp -R "$here/README.md" "$here/CHANGELOG.md" "$here/docs" "$here/config" "$root$prefix/share/doc/tradingd/"
}

install_configuration() { # the daemon writes here too: tradectl schedule apply
  install -d -m 0770 "${owner[@]}" "$root$config" "$root$config/strategies"
  for file in "${files[@]}"; do
    [ -e "$root$config/$file" ] || install -m 0660 "${owner[@]}" "$here/config/$file" "$root$config/$file"
  done
}

install_units() {
  install -d -m 0755 "$units"
  for unit in tradingd.service tradingd@.service tradingd-watchdog.service tradingd-watchdog@.service; do
    sed "s|/opt/tradingd|$prefix|g; s|/etc/tradingd|$config|g" "$here/systemd/$unit" > "$units/$unit"
    chmod 0644 "$units/$unit"
  done
}

if [ -n "$root" ]; then
  owner=()
else
  if [ "$(id -u)" -ne 0 ]; then
    echo "deploy/install.sh creates a user and a service: run it as root." >&2
    exit 1
  fi
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    { echo "tradingd needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python3." >&2; exit 1; }
  owner=(-o root -g tradingd)
  id tradingd >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/tradingd --shell /usr/sbin/nologin tradingd
  install_program
fi

install_documents
install_configuration
install_units

if [ -z "$root" ]; then
  ln -sf "$prefix/bin/tradectl" /usr/local/bin/tradectl
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable tradingd.service tradingd-watchdog.service
  fi
fi
echo "Installed. Edit $root$config, then: tradectl start; tradectl watchdog start"
