"""What placeholders stand for, sealed on disk: keys, files, the route and command that reveal and erase."""
