"""What people may ask of the store in their own SQL.

The embedded engine has no users, and its functions reach files, other servers and paid models. So a statement is
parsed, checked and written anew; only functions that compute are let through, by name, whatever the parser made of it.
"""

import logging
import re
from collections.abc import Set as AbstractSet

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from .functions import COMPUTING, REACHING
from .schema import SQL, TABLES

_DIALECT = "clickhouse"
_LONGEST = 50_000

_BEFORE_PARENTHESIS = frozenset(
    re.findall(
        r"\w+",
        "in and or not as from where having prewhere qualify on using over by select distinct union all "
        "except intersect join when then else case between like ilike is values with partition rows range "
        "limit offset array any asof set interval sets rollup cube final global",
    )
)
"""Keywords after which `(` opens no argument list."""
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "microsecond millisecond second minute hour day week month quarter year both leading trailing by fill "
        "step ties inf nan sample",
    )
)
"""Words that the tokenizer takes for names."""
_COLUMNS = frozenset(
    name
    for file in SQL.glob("[0-9]*.sql")
    for name in re.findall(r"^    (\w+) [A-Z]\w+[ (,]", file.read_text(), re.MULTILINE)
)
"""Columns of our tables, read where they are made."""


class NotAllowed(Exception):  # noqa: N818  the answer itself
    """The statement is not one SELECT over our own tables; the text says what is in the way."""


def check(sql: str) -> str:
    """The statement, checked, to be run as it is returned. Raises `NotAllowed`."""
    tree = _parse(sql)
    tables = frozenset(TABLES) | {cte.alias for cte in tree.find_all(exp.CTE)}
    names = tables | _COLUMNS | _made_up(tree)
    for node in tree.walk():
        _check_node(node, tables, names)
    checked = tree.sql(dialect=_DIALECT, comments=False)
    words = sqlglot.tokenize(checked, read=_DIALECT)
    for before, token, after in zip([None, *words], words, [*words[1:], None], strict=False):
        if after and after.token_type == TokenType.L_PAREN:
            _check_call(token)
        elif not (before and before.token_type == TokenType.DOT):
            _check_name(token, names)
    return checked


def _parse(sql: str) -> exp.Query:
    if len(sql) > _LONGEST:
        raise NotAllowed(f"the statement is longer than {_LONGEST} characters")
    if any("\ud800" <= character <= "\udfff" for character in sql):
        raise NotAllowed("the statement holds half of a character (a lone surrogate)")
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it would print the statement to say what it does not know
    try:
        statements = sqlglot.parse(sql, dialect=_DIALECT)
    except SqlglotError as error:
        raise NotAllowed(_said(error)) from None
    except RecursionError:
        raise NotAllowed("the statement is nested too deep") from None
    if len(statements) != 1 or statements[0] is None:
        raise NotAllowed("give one statement")
    if not isinstance(statements[0], exp.Query):
        raise NotAllowed("only SELECT is allowed")
    return statements[0]


def _said(error: SqlglotError) -> str:
    for place in getattr(error, "errors", ()):
        return f"line {place['line']}, column {place['col']}: {place['description']}"
    return "the statement cannot be read"


def _made_up(tree: exp.Query) -> set[str]:
    """Names that the statement itself gives."""
    aliases = {node.alias for node in tree.walk() if node.alias}
    aliases |= {name.name for node in tree.find_all(exp.Lambda) for name in node.expressions}
    aliases |= {name.name for alias in tree.find_all(exp.Aliases) for name in alias.expressions}
    aliases |= {name.name for alias in tree.find_all(exp.TableAlias) for name in alias.columns}
    for alias in aliases:
        if REACHING.fullmatch(alias):
            raise NotAllowed(f"the name {alias} is not allowed here; call it something else")
    return aliases


def _check_node(node: exp.Expr, tables: AbstractSet[str], names: AbstractSet[str]) -> None:
    if isinstance(node, exp.Table):
        _check_table(node, tables)
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and not node.table:
        _check_known(node.name, names)
    if isinstance(node, exp.Query):
        for clause in ("settings", "format", "into"):
            if node.args.get(clause):
                raise NotAllowed(f"{clause.upper()} is not allowed here")
    if isinstance(node, exp.Command | exp.DDL | exp.DML) and not isinstance(node, exp.Query):
        raise NotAllowed("only SELECT is allowed")
    if isinstance(node, exp.In):
        # ClickHouse reads a name to the right of IN as a table
        right = [*node.expressions, node.args.get("field")]
        if any(isinstance(inner, exp.Column) and inner.table for item in right if item for inner in item.walk()):
            raise NotAllowed("a name with a dot cannot stand to the right of IN; compare with =, or use a subquery")


def _check_table(table: exp.Table, tables: AbstractSet[str]) -> None:
    if not isinstance(table.this, exp.Identifier):
        raise NotAllowed(f"table functions are not allowed: {table.name or table.this.sql(_DIALECT)[:40]}")
    if table.db or table.catalog:
        raise NotAllowed(f"give table names without a database: {table.name}, not {table.db}.{table.name}")
    if table.name not in tables:
        raise NotAllowed(f"there is no table {table.name}; there are {', '.join(TABLES)}")


def _check_call(token: Token) -> None:
    """An argument list follows: only functions that compute, also in quotes."""
    quoted = token.token_type == TokenType.IDENTIFIER
    word = token.token_type not in {TokenType.STRING, TokenType.NUMBER} and re.fullmatch(r"\w+", token.text)
    if (quoted or (word and token.text.lower() not in _BEFORE_PARENTHESIS)) and not COMPUTING.fullmatch(token.text):
        raise NotAllowed(f"the function {token.text} is not allowed here")


def _check_name(token: Token, names: AbstractSet[str]) -> None:
    """As `_check_known`, for what the parser does not see as a column."""
    if token.token_type in {TokenType.VAR, TokenType.IDENTIFIER}:
        _check_known(token.text, names)


def _check_known(name: str, names: AbstractSet[str]) -> None:
    """ClickHouse takes the bare name of a function as an argument: `arrayMap(file, …)` reads files."""
    if name not in names and name.partition(".")[0] not in names and name.lower() not in _WORDS:
        raise NotAllowed(f"there is no column {name}")
