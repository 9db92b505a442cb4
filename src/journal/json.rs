//! Events as JSON: stable fields, values as fingerprints only (docs/JSON.md).

use serde_json::{Map, Value as Json};

use super::event::Event;

impl Event {
    /// One object: `event`, `cause`, `time_ns`, `kind`, then the fields that its kind has.
    pub fn to_json(&self) -> Json {
        let mut all = Map::new();
        all.insert("event".into(), self.number.into());
        all.insert("cause".into(), self.cause.into());
        all.insert("time_ns".into(), self.at.0.to_string().into());
        all.insert("kind".into(), self.what.word().into());
        self.what.tell(&mut all);
        Json::Object(all)
    }
}
