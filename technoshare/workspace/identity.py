"""Who lives in the local workspace: fixed, because there is one workspace with one app and nothing to keep secret."""

TEAM = "T0LOCAL0001"
TEAM_NAME = "Local workspace"
DOMAIN = "local-workspace"
APP = "A0TECHNO001"
BOT = "B0TECHNO001"
BOT_USER = "U0TECHNO001"
BOT_NAME = "TechnoShare"
PERSON = "U0YOU000001"
"""Who types on the page."""
PEOPLE = {PERSON: "You", "U0ADA000001": "Ada", "U0LIN000001": "Lin"}

BOT_TOKEN = "xoxb-local-workspace"  # noqa: S105 - opens nothing but this program's own loopback server
APP_TOKEN = "xapp-local-workspace"  # noqa: S105 - as above
