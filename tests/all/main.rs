//! The tests that need more than the library.

mod corpus;
