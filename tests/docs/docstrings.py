"""Run the examples of every docstring of the installed package; exit code 1 if one is wrong.

In a process of its own, since Django is configured once per process and its modules can only be
imported after that:

    python -W error -m tests.docs.docstrings
"""

import doctest
import importlib
import importlib.util
import pkgutil
import sys

import django
from django.conf import settings

import relogin

if __name__ == "__main__":
    settings.configure(SECRET_KEY="for the examples", INSTALLED_APPS=["django.contrib.sessions"])
    django.setup()
    names = [
        "relogin",
        *(found.name for found in pkgutil.walk_packages(relogin.__path__, "relogin.")),
    ]
    if importlib.util.find_spec("niquests") is None:  # it takes the place of urllib3
        names = [name for name in names if not name.startswith("relogin.client.niquests")]
    results = [doctest.testmod(importlib.import_module(name)) for name in names]
    print(sum(attempted for _, attempted in results), "examples in", len(names), "modules")
    sys.exit(any(failed for failed, _ in results))
