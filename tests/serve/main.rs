//! `mallory serve` as its clients see it: the binary on free ports, curl at the other end. A
//! sandbox without curl skips these tests, and says so; without openssl, those that ask it.

mod certificates;
mod clients;
mod guards;
mod hvac;
mod input;
mod own;
mod state;
mod support;
