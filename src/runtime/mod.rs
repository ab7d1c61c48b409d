//! The controller machinery: watcher, store, queue, controller, backoff, lease.
