//! Compose → swarm objects.
