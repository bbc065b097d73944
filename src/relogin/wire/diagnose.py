"""What is wrong with a field, where, and what was meant: the recovery, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from relogin.lazy import importing
from relogin.wire import MAX_LENGTH
from relogin.wire.faults import Fault, excerpt, fault
from relogin.wire.model import Challenge
from relogin.wire.remarks import MAX_REMARKS, Remark, remarks
from relogin.wire.scan import lines_of, scan_challenges, too_long

__all__ = ["Diagnosis", "Repeated", "diagnose", "diagnose_lines"]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A parameter that occurs more than once in a challenge, with different values.

    `challenge` is the index of the challenge in the `Diagnosis`. `values` are all its values in
    their order, each once; the challenge has the first one, and any of them may be the right one.

    >>> import relogin
    >>> relogin.diagnose('Basic realm="a", realm="b"').repeated
    (Repeated(challenge=0, name='realm', values=('a', 'b')),)
    """

    challenge: int
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `diagnose` finds in a field.

    `field` is the text, its lines joined with commas; the positions of the faults refer to it.
    `challenges` are what `parse(field, lenient=True)` returns. `faults` are in the order of the
    text. `repeated` lists parameters that occur more than once with different values. `str()` draws
    each fault with carets under it.

    >>> import relogin
    >>> print(relogin.diagnose("Basic realm=My Realm"))
    unquoted-spaces (RFC 9110 §11.2)
      Basic realm=My Realm
                  ^^^^^^^^
      A value with spaces needs double quotes around it.
    read as
      Basic realm="My Realm"
    """

    field: str
    challenges: tuple[Challenge, ...]
    faults: tuple[Fault, ...]
    repeated: tuple[Repeated, ...] = ()

    @property
    def wellformed(self) -> bool:
        """Whether RFC 9110 §11 allows the field, so that strict `parse` reads it."""
        return not self.faults

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """Parts of a well-formed field that are probably not meant. They are not faults."""
        return tuple(islice(remarks(self.field), MAX_REMARKS)) if self.wellformed else ()

    def __str__(self) -> str:
        drawn = [self._drawn(one, one.section) for one in self.faults]
        drawn += [self._drawn(one, "well-formed, but probably not meant") for one in self.remarks]
        read = "\n".join(f"  {challenge}" for challenge in self.challenges) or "  nothing"
        return "\n".join(
            [*drawn, f"well-formed\n{read}" if self.wellformed else f"read as\n{read}"]
        )

    def _drawn(self, one: Fault | Remark, why: str) -> str:
        line, carets = excerpt(self.field, one.start, one.end)
        return f"{one.kind} ({why})\n  {line}\n  {carets}\n  {one.sentence}"


def diagnose(field: str | Iterable[str], *, max_length: int = MAX_LENGTH) -> Diagnosis:
    """Find what is wrong with a field, where, and what the server meant.

    Takes the same `field` as `parse`; raises only if it is longer than `max_length` characters.

    >>> diagnosis = diagnose("Bearer, error='invalid_token'")
    >>> [fault.kind for fault in diagnosis.faults]
    ['comma-after-scheme', 'single-quotes']
    >>> diagnosis.challenges
    (Challenge('Bearer', {'error': 'invalid_token'}),)
    """
    text = field if isinstance(field, str) else ", ".join(field := lines_of(field))
    if len(text) > max_length:
        raise too_long(text, max_length)
    scanned = scan_challenges(text)
    if scanned is not None:
        return Diagnosis(text, tuple(map(Challenge._of, scanned)), ())
    return diagnose_lines([text] if isinstance(field, str) else list(field))


def diagnose_lines(lines: list[str]) -> Diagnosis:
    """Diagnose the lines of a field that is not what RFC 9110 allows."""
    with importing:  # these load pyparsing: only when there is a fault
        from relogin.wire.explain import explain
        from relogin.wire.recover import Recovery

    recovery, offset, text = Recovery(), 0, ", ".join(lines)
    for line in lines:
        scanned = scan_challenges(line)
        if scanned is None:
            recovery.read(line, offset)
        else:
            recovery.take(scanned)
        offset += len(line) + len(", ")
    if not recovery.faults:  # no such field is known
        at = explain("challenges", text).start
        recovery.faults.append(fault("stray-character", at, min(at + 1, len(text))))
    challenges = tuple(map(Challenge._of, recovery.challenges))
    repeated = (
        Repeated(at, name, tuple(dict.fromkeys(values)))
        for (at, name), values in recovery.repeated.items()
        if len(set(values)) > 1
    )
    return Diagnosis(text, challenges, tuple(recovery.faults_in_order()), tuple(repeated))
