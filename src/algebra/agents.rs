//! What agents have for the long term: key pairs, shared keys, passwords, certificates. They are
//! nobody's computation; who may use them is the reader's and the party's business.

use super::{Definition, Form, Gives, Syntax, Told};
use crate::wire::Kind;

const fn of_agents(name: &'static str, count: usize, kind: Kind) -> Definition {
    Definition {
        name,
        syntax: Syntax::Agents(count),
        unordered: count > 1,
        gives: Gives::Kind(kind),
        form: Form::OfAgents,
        costs_public_key_operation: false,
        told: Told { verb: "takes", between: ", " },
    }
}

pub(super) static PK: Definition = of_agents("pk", 1, Kind::Public);
pub(super) static SK: Definition = of_agents("sk", 1, Kind::Private);
pub(super) static K: Definition = of_agents("k", 2, Kind::Key);
pub(super) static PW: Definition = of_agents("pw", 2, Kind::Key);
pub(super) static CERT: Definition = of_agents("cert", 1, Kind::Certificate);
