//! Files encrypted with SOPS, decrypted in memory with age keys.
//!
//! A SOPS file is the file itself with each value replaced by `ENC[AES256_GCM,…]`, and with metadata that hold the data
//! key, encrypted for each recipient, and a MAC over all values. [`decrypt`] opens a YAML document that was read, in
//! place; [`open`] opens a whole file, in any of the stores that SOPS has but INI. The data key is only taken from age
//! recipients: the cloud's key services and PGP would need a network or a program.
//!
//! What is decrypted is believed only when the MAC agrees: values are bound to their place by their additional data, and
//! what stands in clear beside them by the MAC.

mod age;
mod bech32;
mod dotenv;
mod fault;
mod file;
mod json;
mod key;
mod metadata;
mod session;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod yaml;

pub use file::{Opened, open};
pub use key::{KeyError, Keys};
pub use yaml::decrypt;
