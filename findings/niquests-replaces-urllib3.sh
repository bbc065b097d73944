#!/usr/bin/env bash
# Installing niquests gives requests another transport: `import urllib3` is urllib3-future from then on.
#
# Versions:  niquests 3.21.2 (urllib3-future 2.25.904), requests 2.34.2, urllib3 2.8.0.
# Behaviour: urllib3-future installs its files over the module `urllib3`. pip still lists urllib3 2.8.0, `pip check`
#            finds nothing wrong, and requests runs on the other transport. So a test or a measurement of requests in
#            that environment is one of urllib3-future. If you uninstall both again, pip still lists urllib3 2.8.0, but
#            its files are gone and requests can no longer be imported.
# Seen:
#   after requests   pip lists 2.8.0, import gives 2.8.0, requests imports; pip check finds nothing wrong
#   after niquests   pip lists 2.8.0, import gives 2.25.904, requests imports; pip check finds nothing wrong
#   after uninstall  pip lists 2.8.0, import gives nothing, requests does not import; pip check finds nothing wrong
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cd "$folder"
python=venv/bin/python
pip() { "$python" -m pip --disable-pip-version-check "$@"; }

look() {
    local listed imported runs="requests imports" check
    listed=$(pip show urllib3 2>/dev/null | sed -n 's/^Version: //p')
    imported=$("$python" -c 'import urllib3; print(urllib3.__version__)' 2>/dev/null || echo nothing)
    "$python" -c 'import requests' 2>/dev/null || runs="requests does not import"
    check="finds something wrong"
    if pip check >/dev/null 2>&1; then check="finds nothing wrong"; fi
    echo "$1  pip lists $listed, import gives $imported, $runs; pip check $check"
}

{
    pip install -qq requests==2.34.2 urllib3==2.8.0
    look "after requests "
    pip install -qq niquests==3.21.2 urllib3-future==2.25.904
    look "after niquests "
    pip uninstall -qq --yes niquests urllib3-future
    look "after uninstall"
} | tee seen

# What is compared is the text under "Seen" above.
diff seen - <<'SEEN'
after requests   pip lists 2.8.0, import gives 2.8.0, requests imports; pip check finds nothing wrong
after niquests   pip lists 2.8.0, import gives 2.25.904, requests imports; pip check finds nothing wrong
after uninstall  pip lists 2.8.0, import gives nothing, requests does not import; pip check finds nothing wrong
SEEN
