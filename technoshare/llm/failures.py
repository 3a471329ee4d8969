"""The openai client's many ways to fail, told in our words."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import openai
from openai import APIConnectionError, APIStatusError, APITimeoutError

from technoshare.llm.wire import Again, Failed
from technoshare.logs import scrub

# Besides its own tree the client lets these out: a 200 with a web page ends in AttributeError or AssertionError,
# a body that is not JSON in ValueError (pydantic's ValidationError is one too), a closed pool in RuntimeError.
MODEL_ERRORS = (openai.OpenAIError, ValueError, TypeError, AttributeError, AssertionError, RuntimeError)

_log = logging.getLogger(__name__)

_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}
_WORTH_ANOTHER_TRY = {408, 409, 429}
_HINTS = {
    401: ("check OPENAI_API_KEY", "model_key"),
    403: ("the key may not use this model", "model_key"),
    404: ("check LLM_MODEL and OPENAI_BASE_URL", "model_unknown"),
}
_CODE = re.compile(r"[a-z0-9_.]{3,60}")
_TOLD = 500  # characters of a server's own words in the log: enough to act on, too few to hold a prompt


@contextmanager
def failing() -> Iterator[None]:
    """Turn whatever the client raises in the block into `Failed`.

    `from None`, because a vendor's message may quote the key or the prompt and a traceback would print it.
    """
    try:
        yield
    except MODEL_ERRORS as error:
        raise failure_of(error) from None


def failure_of(error: Exception) -> Failed:
    """Return what an error of the client means for the request."""
    if isinstance(error, APIStatusError):
        return _refused(error)
    if isinstance(error, APITimeoutError):
        return Failed("the model did not answer in time", again="now")
    if isinstance(error, APIConnectionError):
        return Failed("the model cannot be reached", again="now")
    _log.warning("the model server's answer cannot be read (%s)", type(error).__name__)
    return Failed("the model server sent something that is not an answer", again="now")


def _refused(error: APIStatusError) -> Failed:
    status, code, headers = error.status_code, _code(error), error.response.headers
    _log.warning("the model server answered %s: %s", status, _words(error))
    if code in _NO_CREDIT:
        return Failed(f"the model's account has no credit left ({status})", again="never", obstacle="model_quota")
    if status in _WORTH_ANOTHER_TRY or status >= 500:
        again: Again = "later" if headers.get("x-should-retry") == "false" else "now"
        reason = "the model is busy" if status == 429 else "the model server is in trouble"
        return Failed(f"{reason} ({status})", again=again, after=retry_after(headers))
    hint, obstacle = _HINTS.get(status, (code, "model_refused"))
    told = f"{status}: {hint}" if hint else str(status)
    return Failed(f"the model refused the request ({told})", again="never", obstacle=obstacle)


def _code(error: APIStatusError) -> str:
    """Return the server's machine-readable code; a sentence, or anything with the key in it, is not repeated."""
    for value in (error.code, error.type):
        if value and _CODE.fullmatch(value) and _key(error) not in value:
            return value
    return ""


def _words(error: APIStatusError) -> str:
    """Return what the server said, without the key that it may have repeated."""
    return scrub(error.message.replace(_key(error), "[key]"))[:_TOLD]


def _key(error: APIStatusError) -> str:
    """Return the key that the request carried; a space, which no code or word contains, when it carried none."""
    return error.request.headers.get("authorization", "").removeprefix("Bearer ") or " "


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError):
        return None
