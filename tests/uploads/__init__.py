"""Does a refusal arrive? Real servers, behind real proxies, and an upload whose session has died.

    python -m tests.uploads --servers gunicorn-sync --routes nginx --sizes 50M

prints a table, one row a cell. Every server keeps a log of the bodies that it applied, so a body
that arrived short, mixed up or twice is found whatever its client believes.
"""
