"""Celery tasks over a broker that is a folder."""

import os
from pathlib import Path

from asking import ask  # type: ignore[import-not-found]  # beside this file
from celery import Celery  # type: ignore[import-untyped]  # has no types

folder = Path(os.environ["BROKER"])
(folder / "queue").mkdir(parents=True, exist_ok=True)

app = Celery("jobs", broker="filesystem://", backend=f"file://{folder / 'results'}")
(folder / "results").mkdir(exist_ok=True)
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
    },
    worker_max_tasks_per_child=1,
    worker_concurrency=2,
    worker_prefetch_multiplier=1,
    task_acks_late=False,
    broker_connection_retry_on_startup=True,
)


@app.task  # type: ignore[untyped-decorator]  # as above
def answer(name: str) -> str:
    return f"{os.getpid()} {ask(name)}"
