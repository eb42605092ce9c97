"""What can be found in a text. A detector reports findings and never edits."""
