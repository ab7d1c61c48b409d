//! Desired × live × last applied → plan.
