"""What each program costs and how far its output is from the reference."""
