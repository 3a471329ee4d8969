"""Start the bot: settings → logging → everything open in one `async with` → run until a signal."""

import asyncio
import sys

from technoshare.bot import run_bot
from technoshare.errors import ConfigError
from technoshare.logs import start_logging
from technoshare.settings import load_settings


def main() -> int:
    """Run until SIGTERM or SIGINT; return 0, 1 when a second signal cut the end short, 2 for a wrong setting."""
    try:
        settings = load_settings()
        start_logging(settings.log_level, settings.log_format, settings.secrets)
        asyncio.run(run_bot(settings))
    except ConfigError as error:
        print(f"technoshare: {error}", file=sys.stderr)
        return 2
    except asyncio.CancelledError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
