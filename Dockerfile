# The sidecar, with the page built in. docker-compose.yml runs it beside a ClickHouse server.
FROM python:3.11-slim AS build
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source

FROM python:3.11-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir "$(ls /wheels/spanward-*.whl)[sidecar]" && rm -r /wheels \
 && useradd --create-home --uid 10001 spanward \
 && install --directory --owner spanward /data
USER spanward
VOLUME /data
EXPOSE 4318
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:4318/healthz', headers={'Authorization': 'Bearer ' + os.environ['SPANWARD_INGEST_KEY']}), timeout=4)"]
ENTRYPOINT ["spanward"]
CMD ["serve", "--data", "/data", "--host", "0.0.0.0"]
