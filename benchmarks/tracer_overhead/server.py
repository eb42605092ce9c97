"""The provider on loopback, which answers at once from memory, and whoever takes spans. `python server.py` prints
its port.
"""

import asyncio

from cases import answer

HEAD = "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n"

SPANS = "post /v1/traces "
TAKEN = "application/x-protobuf", b""


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0])
            asked = await reader.readexactly(length)
            kind, body = TAKEN if head.startswith(SPANS) else answer(asked)
            writer.write(HEAD.format(kind, len(body)).encode() + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
