//! Service, tasks, nodes and what was seen before → verdict.
