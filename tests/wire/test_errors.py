"""`ChallengeSyntaxError` as a value that travels between processes."""

import pickle

import pytest

import relogin


def test_an_error_that_was_pickled_says_the_same() -> None:
    with pytest.raises(relogin.ChallengeSyntaxError) as caught:
        relogin.parse('Basic realm="api" charset="UTF-8"')
    loaded = pickle.loads(pickle.dumps(caught.value))
    assert (str(loaded), vars(loaded)) == (str(caught.value), vars(caught.value))
