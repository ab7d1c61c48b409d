//! Carries out a plan, step by step.
