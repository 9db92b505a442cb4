//! A row of the table of routes, by which requests are dispatched and the service describes
//! itself. Must not know which routes there are.

use super::answer::{Reply, Style};
use super::engine::{Client, Engine};
use super::request::{Call, Refusal};

/// Something that can be asked for.
pub struct Route {
    /// The method of HTTP.
    pub method: &'static str,
    /// The path, with `{…}` for names.
    pub path: &'static str,
    /// What the audit log calls it.
    pub word: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What it takes to be heard.
    pub guard: Guard,
    /// Whose form its errors have.
    pub style: Style,
    /// Fields of the JSON body.
    pub fields: &'static [Field],
    /// What is done.
    pub work: Work,
}

impl Route {
    /// One of the service's own, for a client with a certificate.
    pub const fn own(
        method: &'static str,
        path: &'static str,
        word: &'static str,
        summary: &'static str,
        fields: &'static [Field],
        work: Work,
    ) -> Route {
        Route { method, path, word, summary, guard: Guard::Certificate, style: Style::Own, fields, work }
    }

    /// The same in Vault's form, for a client who has logged in as well.
    pub const fn vault(
        method: &'static str,
        path: &'static str,
        word: &'static str,
        summary: &'static str,
        fields: &'static [Field],
        work: Work,
    ) -> Route {
        let own = Route::own(method, path, word, summary, fields, work);
        Route { guard: Guard::Token, style: Style::Vault, ..own }
    }
}

/// What is done on the engine's thread.
pub type Work = fn(&mut Engine, &Client, &Call) -> Result<Reply, Refusal>;

/// What it takes to be heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// Nothing.
    Open,
    /// A client certificate.
    Certificate,
    /// A client certificate, and a token of the same client.
    Token,
}

/// A field of a body.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type, as JSON Schema has it.
    pub kind: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it is.
    pub about: &'static str,
}

/// A field that must be there.
pub const fn needed(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, kind, required: true, about }
}

/// A field that may be there.
pub const fn optional(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, kind, required: false, about }
}
