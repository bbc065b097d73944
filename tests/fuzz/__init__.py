"""What generated input must never break: the laws, a generator of fields, two ways to run them.

    python -m tests.fuzz --count 1000000         generated fields, in two processes
    python -m tests.fuzz --coverage-guided 600   so many seconds of atheris (`pip install atheris`)

What is found becomes a row of tests/vectors/ or an example of a property.
"""
