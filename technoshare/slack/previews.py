"""What Slack's own servers found behind a link: the preview that stands under the message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.models import Job
from technoshare.retrieval.urls import canonical_url
from technoshare.slack.web import NO_ANSWER

_LONGEST = 4_000  # characters; Slack itself shows a few hundred


@dataclass(frozen=True)
class SlackPreviews:
    """The `Previews` of one workspace."""

    client: AsyncWebClient

    async def of(self, job: Job) -> str:
        """Return title and text of the link's preview; empty when there is none, or Slack does not say."""
        try:
            page = await self.client.conversations_history(
                channel=job.channel, oldest=job.ts, latest=job.ts, inclusive=True, limit=1
            )
        except (SlackApiError, *NO_ANSWER):
            return ""
        return next((preview for message in page["messages"] for preview in previews_in(message, job.url)), "")


def previews_in(message: Mapping[str, Any], url: str) -> Iterator[str]:
    """Yield what the attachments of a message say about `url`; quoted Slack messages say nothing."""
    attachments = message.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        if not isinstance(attachment, dict) or attachment.get("is_msg_unfurl"):
            continue
        if canonical_url(url) in {canonical_url(_text(attachment, name)) for name in ("from_url", "original_url")}:
            yield from filter(None, [": ".join(filter(None, (_text(attachment, name) for name in ("title", "text"))))])


def _text(attachment: Mapping[str, Any], name: str) -> str:
    value = attachment.get(name)
    return value[:_LONGEST].encode("utf-8", "replace").decode() if isinstance(value, str) else ""
