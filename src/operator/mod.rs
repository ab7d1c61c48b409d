//! Reconcile: the one function to read first.
