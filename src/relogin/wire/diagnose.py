"""What is wrong with a field, where, and what was meant: the recovery, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from relogin.wire.faults import Fault, excerpt, fault
from relogin.wire.model import Challenge
from relogin.wire.scan import scan_challenges

__all__ = ["Diagnosis", "diagnose_lines"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `diagnose` says of a field.

    `field` is the text that was read, its lines joined with commas, and the spans of the faults
    refer to it. `challenges` are those that could be read, as `parse(field, lenient=True)` returns
    them; `faults` stand in the order of the text. `str()` draws each fault with carets under it.

    >>> import relogin
    >>> print(relogin.diagnose("Basic realm=My Realm"))
    unquoted-spaces (RFC 9110 §11.2)
      Basic realm=My Realm
                  ^^^^^^^^
      A text with spaces is no token: put it between double quotes.
    read as
      Basic realm="My Realm"
    """

    field: str
    challenges: tuple[Challenge, ...]
    faults: tuple[Fault, ...]

    @property
    def wellformed(self) -> bool:
        """Whether the field is what RFC 9110 §11 allows, so that strict `parse` reads it."""
        return not self.faults

    def __str__(self) -> str:
        drawn = [self._drawn(fault) for fault in self.faults]
        read = "\n".join(f"  {challenge}" for challenge in self.challenges) or "  nothing"
        return "\n".join([*drawn, f"read as\n{read}" if drawn else f"well-formed\n{read}"])

    def _drawn(self, fault: Fault) -> str:
        line, carets = excerpt(self.field, fault.start, fault.end)
        return f"{fault.kind} ({fault.section})\n  {line}\n  {carets}\n  {fault.sentence}"


def diagnose_lines(lines: list[str]) -> Diagnosis:
    """Diagnose the lines of a field that is not what RFC 9110 allows."""
    # These load pyparsing: only when there is a fault.
    from relogin.wire.explain import explain
    from relogin.wire.recover import Recovery

    recovery, offset, text = Recovery(), 0, ", ".join(lines)
    for line in lines:
        scanned = scan_challenges(line)
        if scanned is None:
            recovery.read(line, offset)
        else:
            recovery.challenges += scanned
        offset += len(line) + len(", ")
    if not recovery.faults:  # all was read, and yet it is none of RFC 9110: then say where
        error = explain("challenges", text)
        recovery.faults.append(fault(error.fault, error.start, error.end))
    challenges = tuple(map(Challenge._of, recovery.challenges))
    return Diagnosis(text, challenges, tuple(recovery.faults_in_order()))
