"""A plugin of pytest: from here on `import httpx` gives httpx2, as an application may have it."""

import httpx2

httpx2.alias_httpx()
