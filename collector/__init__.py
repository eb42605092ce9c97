"""The sidecar process: receives OTLP, keeps it safe, puts it into ClickHouse, hosts the guards and the command line."""
