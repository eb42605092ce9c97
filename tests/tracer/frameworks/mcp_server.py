"""A real MCP server to call: started as a program it speaks stdio, with a port as its argument HTTP."""

import sys
from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context, Image
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("tools", version="1.2")
asked: list[Any] = []
"""What was sent beside the arguments of each call (`_meta`)."""


@server.tool()
def letter(to: str, context: Context) -> str:
    """Write a letter."""
    meta = context.request_context.meta
    asked.append(dict(meta) if meta else {})
    return f"Dear {to}"


@server.tool()
def person(mail: str) -> dict[str, str]:
    """Structured content."""
    return {"mail": mail}


@server.tool()
def picture() -> Image:
    return Image(data=b"\x89PNG\r\n\x1a\n", format="png")


@server.tool()
def fails(mail: str) -> str:
    raise ToolError(f"no mail to {mail}")


@server.tool()
async def slow() -> str:
    await anyio.sleep(30)
    return "done"


@server.resource("letters://{name}")
def letters(name: str) -> str:
    return f"A letter of {name} to ada@example.com"


@server.prompt()
def greet(name: str) -> str:
    return f"Greet {name}, please"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")
