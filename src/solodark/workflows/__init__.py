"""What each command does: it opens frames, lets the rooms do their work, and writes files."""
