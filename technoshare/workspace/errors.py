"""How the local Slack says no."""


class ApiError(Exception):
    """A definite no, as the Web API words it: `code` is Slack's error code."""

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
