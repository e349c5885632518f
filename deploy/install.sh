#!/usr/bin/env bash
# Installs Tepat from the folder that this file lies in, without a network: ./install.sh [folder], else /opt/tepat.
# On a folder that has Tepat it is an upgrade: data/, mlruns/ and reports/ stay.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${1:-/opt/tepat}
python=${PYTHON:-python3}

refuse() {
  echo "Refused. $*" >&2
  exit 2
}

command -v "$python" > /dev/null || refuse "Found: no $python. What to do: install Python 3.11, or name it: PYTHON=python3.11 ./install.sh"
"$python" -c 'import ensurepip, venv' 2> /dev/null \
  || refuse "Found: $python cannot make a .venv. What to do: install the package python3-venv from the system's own disc."
needed=$(cat "$here/platform")
found=$("$python" "$here/tepat/deploy/machine.py")
[ "$found" = "$needed" ] \
  || refuse "Found: $python is $found. Allowed: $needed. What to do: name another Python (PYTHON=python3.11 ./install.sh), or make the bundle on a machine like this one."
(cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) \
  || refuse "Found: files that are not as they were made (above). What to do: copy the bundle again."
if [ -d "$target" ] && [ -n "$(ls -A "$target")" ] && ! grep -qs '^name = "tepat"$' "$target/pyproject.toml"; then
  refuse "Found: $target holds something else. Allowed: a new or empty folder, or one with Tepat. What to do: name another folder."
fi

mkdir -p "$target"
cd "$target"
if [ -f params.yaml ] && ! cmp -s params.yaml "$here/tepat/params.yaml"; then
  cp params.yaml params.yaml.before
  echo "params.yaml is the new one; yours is params.yaml.before. Write your changes into the new one."
fi
# A module that the new version no longer has must not stay behind.
rm -rf .venv features training targeting serving tests benchmarks docs deploy
cp -a --no-preserve=ownership "$here/tepat/." .
mkdir -p data mlruns reports
# The service writes nothing here, but takes registers that are handed over on its page.
if [ -f run.yaml ] && [ ! -L run.yaml ]; then
  mv run.yaml data/run.yaml
fi
ln -sfn data/run.yaml run.yaml

"$python" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --no-index --find-links "$here/wheels" --require-hashes \
  -r requirements-bootstrap.txt
export UV_OFFLINE=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
# Compiled now, as the service may not write here.
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-index --find-links "$here/wheels" --require-hashes \
  --compile-bytecode -r "$here/wheels/wheels.lock"
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-index --no-deps --no-build-isolation -e .
# The office's folder is no Git repository, and DVC need not look for one.
DVC_NO_ANALYTICS=1 GIT_PYTHON_REFRESH=quiet .venv/bin/dvc config --local core.no_scm true
touch .venv/.installed
echo "Tepat is in $target. Next: $target/docs/deployment.md"
