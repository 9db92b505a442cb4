//! What parties do every so often, counted before a play: a period of a nanosecond would take
//! all memory that there is.

use crate::limits::MAX_PERIODS;
use crate::notation::Name;
use crate::pki::Fetch;
use crate::scenario::problem::Problem;
use crate::scenario::reader::Reader;
use crate::scenario::setup::Setup;
use crate::scenario::toml_tree::Node;

/// Until the last thing that the scenario schedules, parties do it only so often.
pub fn check(setup: &Setup, table: &Reader<'_>) -> Result<(), Problem> {
    let horizon = setup.horizon();
    let mut total = 0_u64;
    for (name, party) in &setup.parties {
        let fetch = match party.trust.fetch {
            Fetch::Every(period) => Some(period),
            Fetch::OnExpiry | Fetch::AtPublication(_) | Fetch::PerConnection => None,
        };
        for (key, period) in [("fetch", fetch), ("watch_issuance", party.watch_issuance)] {
            let Some(period) = period else { continue };
            let times = horizon.0 / period.0.max(1);
            total = total.saturating_add(times);
            if total > MAX_PERIODS {
                let node = place_of(table, name, key).unwrap_or(table.node);
                return Err(node
                    .problem(format!(
                        "{name} would do this {times} times until {horizon}; all parties together may \
                         do so {MAX_PERIODS} times, the limit MAX_PERIODS"
                    ))
                    .help("let it do so less often, or end the play earlier"));
            }
        }
    }
    Ok(())
}

/// Where a file gives a party this key.
fn place_of<'a>(table: &Reader<'a>, name: &Name, key: &str) -> Option<&'a Node> {
    ["parties", "services"].into_iter().find_map(|of| {
        let parties = Reader::new(table.get(of)?).ok()?;
        Reader::new(parties.get(name)?).ok()?.get(key)
    })
}
