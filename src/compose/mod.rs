//! Stack files → Compose: parse, interpolate, merge, validate. Every value keeps its place.
