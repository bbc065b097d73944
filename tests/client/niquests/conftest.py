"""These run where niquests is installed: see `tests.client.test_niquests`."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("niquests") else ["test_*.py"]
