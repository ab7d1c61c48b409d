//! Where tasks run: neither of the two restarts what the other started.
