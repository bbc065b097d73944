"""What httpx and httpx2 share: one code, to which the library is a parameter.

httpx2 goes on where httpx stopped and has nearly the same API. So everything here is written, and
checked by mypy, in the terms of httpx, and imports neither: each library's own room hands over its
`Library`, and names its classes to users. `mypy --always-true HTTPX2` checks the same against
httpx2.
"""
