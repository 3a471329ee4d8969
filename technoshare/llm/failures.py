"""The openai client's many ways to fail, told in our words."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import httpx2
import openai
from openai import APIConnectionError, APIStatusError, APITimeoutError
from pydantic import JsonValue

from technoshare.llm.wire import Failed
from technoshare.logs import scrub

# Besides its own tree the client lets these out: pydantic's ValidationError is a ValueError, a closed pool ends in
# RuntimeError, and a body that it did not expect in AttributeError or AssertionError.
MODEL_ERRORS = (
    openai.OpenAIError,
    httpx2.HTTPError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    RuntimeError,
)

_log = logging.getLogger(__name__)

_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance", "credit_balance_too_low"}
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|(?:maximum|max|exceeds?).{0,30}context|prompt is too long"
)
_STATUS_OF = {"rate_limit_exceeded": 429, "rate_limit_error": 429, "invalid_prompt": 400, "invalid_api_key": 401}
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
        return Failed("the model did not answer in time", again="now", obstacle="model_late")
    if isinstance(error, APIConnectionError | httpx2.HTTPError):
        return _broken(error.__cause__ or error)
    _log.warning("the model server's answer cannot be read (%s)", type(error).__name__)
    return Failed("the model server sent something that is not an answer", again="now", obstacle="model_not_json")


def _broken(cause: BaseException) -> Failed:
    """Tell a server that is not there from one that hangs up, before or in the middle of its answer."""
    if isinstance(cause, httpx2.ConnectError):
        return Failed("the model cannot be reached", again="now", obstacle="model_unreachable")
    if isinstance(cause, httpx2.RemoteProtocolError) and "complete message body" in str(cause):
        return Failed("the model's answer was cut off on the way", again="now", obstacle="model_cut_body")
    return Failed("the connection to the model broke off", again="now", obstacle="model_reset")


# ---------------------------------------------------------------- what servers say


def _refused(error: APIStatusError) -> Failed:
    headers = error.response.headers
    _log.warning("the model server answered %s: %s", error.status_code, _words(error))
    codes = _codes((error.code, error.type), _key(error))
    failed = _meant(error.status_code, codes, error.message, str(error.status_code))
    if failed.obstacle == "model_quota":
        return failed
    failed.after = retry_after(headers)
    match headers.get("x-should-retry"):
        case "true":
            failed.again = "now"
        case "false" if failed.again == "now":
            failed.again = "later"
    return failed


def failure_told(error: JsonValue, where: str) -> Failed:
    """Return what an error means that came with a status of 200, `where` somebody found it."""
    told = error if isinstance(error, dict) else {"message": error}
    _log.warning("the model server reported an error %s: %s", where, scrub(str(told.get("message")))[:_TOLD])
    codes = _codes((told.get("code"), told.get("type")), " ")
    status = next((int(code) for code in codes if code.isdecimal() and 400 <= int(code) <= 599), None)
    status = status or next((_STATUS_OF[code] for code in codes if code in _STATUS_OF), 500)
    return _meant(status, codes, str(told.get("message")), f"{status} {where}")


def _meant(status: int, codes: tuple[str, ...], message: str, mark: str) -> Failed:
    """Return what a refusal means; `mark` ends the reason, so that whoever runs the server finds it."""
    if status == 402 or not _NO_CREDIT.isdisjoint(codes):
        return Failed(f"the model's account has no credit left ({mark})", again="never", obstacle="model_quota")
    if status == 413 or _TOO_LONG.search(" ".join((*codes, message.lower()))):
        return Failed(f"the page is too long for the model ({mark})", again="never", obstacle="model_context")
    if status == 429:
        return Failed(f"the model is busy ({mark})", again="now", obstacle="model_busy")
    if status in _WORTH_ANOTHER_TRY or status >= 500:
        return Failed(f"the model server is in trouble ({mark})", again="now", obstacle="model_trouble")
    code = next((code for code in codes if not code.isdecimal()), "")
    hint, obstacle = _HINTS.get(status, (code, "model_refused"))
    told = f"{mark}: {hint}" if hint else mark
    return Failed(f"the model refused the request ({told})", again="never", obstacle=obstacle)


def _codes(values: Iterable[object], key: str) -> tuple[str, ...]:
    """Return the server's machine-readable codes; a sentence, or anything with the key in it, is not repeated."""
    texts = (str(value) for value in values)  # some servers' codes are numbers
    return tuple(text for text in texts if text != "None" and _CODE.fullmatch(text) and key not in text)


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
