"""A command on a directory without a sidecar keeps what was set on the page: default days would delete rows."""

import subprocess
import sys
from pathlib import Path

from spanward.collector.documents import NAME, DocumentFile
from spanward.collector.retention import ID, KIND

_ASKS = """
import sys
from pathlib import Path
from spanward.collector.opening import opened
from spanward.collector.settings import Settings
with opened(Settings(data=Path(sys.argv[1]))) as store:
    sql = "SELECT create_table_query LIKE '%toIntervalDay(999)%' FROM system.tables WHERE name = 'content'"
    print(store.ask(sql).rows)
"""


def test_a_command_keeps_the_days_that_were_set(tmp_path: Path) -> None:
    documents = DocumentFile(tmp_path / NAME)
    documents.put(KIND, ID, {"content": 999, "gone": 1})
    documents.close()
    # a process of its own: chDB allows one directory a process
    done = subprocess.run(
        [sys.executable, "-c", _ASKS, str(tmp_path)], capture_output=True, text=True, check=True, timeout=250
    )
    assert done.stdout == "((1,),)\n"
