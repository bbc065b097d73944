"""`ChallengeSyntaxError` as a value that travels between processes."""

import pickle

import pytest

import reauth


def test_an_error_that_was_pickled_says_the_same() -> None:
    with pytest.raises(reauth.ChallengeSyntaxError) as caught:
        reauth.parse('Basic realm="api" charset="UTF-8"')
    loaded = pickle.loads(pickle.dumps(caught.value))
    assert (str(loaded), vars(loaded)) == (str(caught.value), vars(caught.value))
