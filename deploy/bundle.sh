#!/usr/bin/env bash
# Makes dist/tepat-offline-<version>-<platform>.tar: what an office without internet needs, in one file.
# It is for machines with this processor, system and Python. `make bundle` calls it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=.venv/bin/python
version=$($python -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
platform=$($python deploy/machine.py)
name=tepat-offline-$version-$platform

mkdir -p dist
echo '*' > dist/.gitignore
stage=$(mktemp -d "dist/.$name.XXXXXX")
trap 'rm -rf "$stage"' EXIT
root=$stage/$name
wheels=$root/wheels
mkdir -p "$wheels" "$root/tepat"

if [ -n "$(git status --porcelain)" ]; then
  echo "Note: this folder differs from the last commit. Files are bundled as they stand; those that Git does not know are left out."
fi
git ls-files -z | tar --create --null --files-from=- | tar --extract --directory="$root/tepat"
cp deploy/install.sh deploy/README.txt "$root/"
echo "$platform" > "$root/platform"

echo "Downloading the parts of requirements.lock ..."
for lock in requirements-bootstrap.txt requirements.lock; do
  $python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --dest "$wheels" -r $lock
done
# A part that is published as source only is built here, so that the office needs no compiler.
find "$wheels" -type f ! -name '*.whl' -print0 | while IFS= read -r -d '' source; do
  $python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$wheels" "$source"
  rm "$source"
done
# Every file was checked against the locks above; this lock names the very files that travel.
for wheel in "$wheels"/*.whl; do
  file=$(basename "$wheel")
  IFS=- read -r part number _ <<< "$file"
  echo "$part==$number --hash=sha256:$(sha256sum "$wheel" | cut -d ' ' -f 1)"
done > "$stage/lock"
mv "$stage/lock" "$wheels/wheels.lock"

(cd "$root" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
# Wheels are packed already: a packed tar would be as large, and take longer.
tar --create --file="$stage/bundle.tar" --directory="$stage" --sort=name --owner=0 --group=0 --numeric-owner \
  --mode='u+rwX,go+rX,go-w' --mtime="@$(git log -1 --format=%ct)" "$name"
mv "$stage/bundle.tar" "dist/$name.tar"
echo "dist/$name.tar: $(du -h "dist/$name.tar" | cut -f 1), $(find "$wheels" -name '*.whl' | wc -l) wheels"
