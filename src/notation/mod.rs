//! The notation: terms, lines, protocols, narrations of attacks. Parsing, projection to
//! roles, static checks. Knows no cryptography, no tasks, no files.

pub mod attack;
mod bound;
mod compile;
mod declare;
pub mod edits;
pub mod fault;
pub mod goal;
pub mod parse;
pub mod plan;
pub mod program;
pub mod project;
pub mod protocol;
pub mod slips;
pub mod table;
pub mod term;
pub mod warning;

pub use attack::Attack;
pub use fault::{Fault, Quoted};
pub use goal::{Claim, Goal};
pub use plan::{Op, Planner, Rights, Source};
pub use program::{Action, Program, Step};
pub use protocol::{Draft, KeyUses, Origin, Protocol, Role, Service};
pub use table::{Id, Node, Table, Type};
pub use term::{Name, Term};
pub use warning::{Slip, Warning};

pub use crate::algebra::Func;
pub use crate::wire::Kind;
