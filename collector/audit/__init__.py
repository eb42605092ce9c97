"""What people did to the guards: a log on disk, its rows in the store, and the ways to write to it."""
