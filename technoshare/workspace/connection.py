"""One open socket of a bot, as the server sees it."""

from aiohttp import web

from technoshare.workspace.shapes import Json


class Connection:
    """A WebSocket over which envelopes leave and acks come back."""

    def __init__(self, number: int, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.number = number
        """1 for the first connection of the workspace's life, then counting up."""
        self.deaf = False
        """Envelopes are taken and vanish."""
        self.leaving = False
        """It was told to go: nothing new is sent over it."""
        self._socket = socket
        self._request = request

    async def send(self, frame: Json) -> None:
        """Send one frame. Raises `ConnectionError` when the other side has gone."""
        await self._socket.send_json(frame)

    async def dismiss(self, reason: str) -> None:
        """Announce the end; the client closes when it is ready."""
        self.leaving = True
        await self.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}})

    async def close(self) -> None:
        """Close the socket in the regular way."""
        await self._socket.close()

    def cut(self) -> None:
        """Break the connection without a closing handshake."""
        self.leaving = True
        if self._request.transport is not None:
            self._request.transport.abort()
