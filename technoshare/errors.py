"""The tree of errors: a class exists only where a caller acts differently.

    TechnoShareError
    ├── ConfigError        a setting or a file is missing or wrong     → one line that names it, exit 2
    │   └── Damaged        a SQLite file is not whole                  → a new one begins
    ├── FetchError         a page could not be had                     → the adapter tries its next source
    │   └── FetchRefused   the address is forbidden                    → never tried again
    ├── Unusable           nothing honest can be said about this link  → tell the thread why, never retry
    ├── Transient          it may work later                           → park the job until `after`
    │   └── Undelivered    the reply is ready, Slack takes none now    → park at no cost: the work is done
    ├── Refused            Slack said a definite no                    → nothing was posted: release the reservation
    ├── Ambiguous          it may have happened                        → look before repeating
    └── ClaimLost          the job is no longer ours                   → stop without another write

Vendor errors are translated into these at the edge of the room that knows the vendor.
"""

from collections.abc import Mapping
from types import MappingProxyType


class TechnoShareError(Exception):
    """Whatever this program raises on purpose; `metrics` tells what was spent for nothing, for the stage's trail."""

    metrics: Mapping[str, float] = MappingProxyType({})


class ConfigError(TechnoShareError):
    """A setting or a file at start is missing or wrong; the message names it."""


class Damaged(ConfigError):
    """A SQLite file is not whole: `how` says which and why, the message also what to do about one that matters."""

    def __init__(self, how: str, advice: str) -> None:
        super().__init__(f"{how}; {advice}")
        self.how = how


class FetchError(TechnoShareError):
    """A page could not be had. `transient` says that asking later may help (time-out, 5xx, reset)."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class FetchRefused(FetchError):
    """The address is forbidden by the guard: private network, wrong port or scheme, userinfo."""


WITHDRAWN = "withdrawn"
"""The obstacle of a job whose message is gone: nobody is to be told."""


class Unusable(TechnoShareError):
    """The link cannot be commented; `str(error)` is the plain reason for the thread.

    `obstacle` is a short machine name such as `not_found`, `login_wall`, `forbidden_address`; `preview` is what Slack
    itself shows of the page, if anything.
    """

    def __init__(self, reason: str, *, obstacle: str = "unreadable", preview: str = "") -> None:
        super().__init__(reason)
        self.obstacle = obstacle
        self.preview = preview


class Transient(TechnoShareError):
    """It may work later: the job is parked. `after` is seconds from now, None lets the engine back off."""

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Undelivered(Transient):
    """The reply is ready, and Slack does not take it now. No failure of the job: it waits for as long as a day."""


class Refused(TechnoShareError):
    """Slack answered with a definite no; `code` is Slack's own, `after` its Retry-After in seconds."""

    def __init__(self, code: str, *, after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class Ambiguous(TechnoShareError):
    """A request was sent and its outcome is unknown: time-out, dropped connection, 5xx."""


class ClaimLost(TechnoShareError):
    """Another claim of the job is newer than this one: every further write is refused."""
