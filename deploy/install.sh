#!/usr/bin/env bash
# Install tradingd as a systemd service on this machine: a user, a virtual environment under /opt/tradingd, the default
# configuration under /etc/tradingd (never overwritten), and the unit. Run as root from a checkout; repeating it upgrades.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
prefix=${PREFIX:-/opt/tradingd}
config=${CONFIG:-/etc/tradingd}
unit=${UNIT:-/etc/systemd/system/tradingd.service}

if [ "$(id -u)" -ne 0 ]; then
  echo "deploy/install.sh creates a user and a service: run it as root." >&2
  exit 1
fi
command -v python3 >/dev/null || { echo "python3 is missing: install Python 3.11 or newer." >&2; exit 1; }

id tradingd >/dev/null 2>&1 || useradd --system --home-dir /var/lib/tradingd --shell /usr/sbin/nologin tradingd
[ -x "$prefix/bin/python" ] || python3 -m venv "$prefix"
"$prefix/bin/python" -m pip install --quiet --upgrade -c "$here/constraints.txt" "$here[embedded]"

install -d -m 0750 -o root -g tradingd "$config"
for file in tradingd.yaml processes.yaml strategies.yaml; do
  [ -e "$config/$file" ] || install -m 0640 -o root -g tradingd "$here/config/$file" "$config/$file"
done

sed "s|/opt/tradingd|$prefix|g; s|/etc/tradingd|$config|g" "$here/systemd/tradingd.service" > "$unit"
ln -sf "$prefix/bin/tradectl" /usr/local/bin/tradectl
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable tradingd.service
fi
echo "Installed. Edit $config, then: tradectl start"
