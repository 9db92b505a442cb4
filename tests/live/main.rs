//! `mallory live` as its users see it: real clients on real sockets. The client by rustls is built
//! in; of others, those that are here take part, and who is missing is named.

#[path = "../command/mod.rs"]
mod command;

mod clients;
mod input;
mod served;
mod verdicts;
