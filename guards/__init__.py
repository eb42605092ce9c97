"""Policy, pipeline and detectors. Knows nothing of OpenTelemetry, HTTP or ClickHouse."""
