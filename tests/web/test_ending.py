"""A server that ends waits for nobody."""

import asyncio
import socket

from instrec import web
from instrec.web.protocol import Protocol
from tests.tone_model import model


def test_who_is_let_in_while_it_ends_is_hung_up_on():
    """A connection can be accepted before the server ends, and reach its protocol afterwards."""

    async def answer() -> bytes:
        server = web.server(model())
        with web.bound(0) as listening:
            running = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            server.should_exit = True
            await running
        ours, theirs = socket.socketpair()
        protocol = server.config.http
        assert isinstance(protocol, type) and issubclass(protocol, Protocol)
        late = protocol(server.config, server.server_state, {})
        await asyncio.get_running_loop().create_connection(lambda: late, sock=theirs)
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()

    assert asyncio.run(answer()) == b""
