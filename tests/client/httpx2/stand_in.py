"""A plugin of pytest: httpxyz is imported first, so that from here on `import httpx` gives it."""

import httpxyz  # noqa: F401
