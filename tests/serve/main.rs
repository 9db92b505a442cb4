//! `mallory serve` as its clients see it: the binary on free ports, curl at the other end. A
//! sandbox without curl skips these tests, and says so; without openssl, those that ask it.
//! Those who attack it send what they like over TLS of their own (`raw`).

mod backup;
mod certificates;
mod clients;
mod enrolled;
mod floods;
mod framing;
mod fuzzed;
mod guards;
mod hvac;
mod identity;
mod input;
mod kills;
mod own;
mod pki;
mod prompt;
mod raw;
mod secrets;
mod state;
mod support;
mod unwritable;
