"""What the Policies and the SQL page ask of the sidecar: the policy commands, and the schema, as operations."""
