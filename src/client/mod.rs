//! The kube-like client of the Engine API.
