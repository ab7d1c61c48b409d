//! `skep run` on a real swarm: what git says comes out, and what fails on the way does no harm.
//!
//! A swarm has one lease, so each test has a swarm of its own: two seconds, and the tests run beside each other.

mod as_is;
mod brake;
mod contents;
mod correct;
mod crash;
mod deploy;
mod drift;
mod failover;
mod faults;
mod hold;
mod hooks;
mod idle;
mod ownership;
mod private;
mod remote;
mod repository;
mod rollout;
mod scene;
mod waves;
