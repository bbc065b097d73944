"""A Sphinx extension: the site's search finds numbers, and guides before the fine print.

Sphinx leaves numbers out of its index. Here people search for 401, 419 and 440, so the index and
the query both hold them with a letter in front, which Sphinx does not take for a number.
"""  # noqa: INP001 - found by docs/conf.py, in no package

import re

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish


class EnglishWithNumbers(SearchEnglish):
    """English, with statuses and RFC numbers as words."""

    js_splitter_code = r"""
var splitQuery = (query) =>
  (query.match(/[\p{Letter}\p{Number}_]+/gu) ?? []).map((word) => word.replace(/^\d+$/, "n$&"))
"""

    def split(self, input: str) -> list[str]:  # noqa: A002  its name in Sphinx
        """The words of a text, as `splitQuery` above finds those of a query."""
        return [re.sub(r"^\d+$", r"n\g<0>", word) for word in super().split(input)]


def setup(app: Sphinx) -> None:
    """Take the place of Sphinx's own English."""
    app.add_search_language(EnglishWithNumbers)
