//! How long a stolen credential was of use, in lines.

use crate::time::{Clock, SimTime};
use crate::verdict::Exposure;

/// A heading, and what is known, a line each.
pub fn exposure(of: &Exposure, clock: Clock) -> (String, Vec<String>) {
    let at = |time: SimTime| clock.show(time);
    let after = |time: SimTime| format!("{} ({} after the theft)", at(time), time.since(of.at));
    let mut lines = vec![format!("stolen {}", at(of.at))];
    lines.extend(of.reported.map(|time| format!("reported {}", after(time))));
    match of.revoked {
        Some(time) => lines.push(format!("revoked {}", after(time))),
        None => lines.push("never revoked".to_owned()),
    }
    lines.extend(of.told.map(|told| {
        format!("told by the next CRL at {}, by the OCSP responder from {}", at(told.crl), at(told.ocsp))
    }));
    match of.accepted.as_slice() {
        [] => lines.push("nobody accepted the thief".to_owned()),
        [.., last] => {
            let times = match of.accepted.len() {
                1 => "once,".to_owned(),
                many => format!("{many} times, last"),
            };
            let after = match of.revoked {
                Some(revoked) if revoked <= last.at => {
                    format!(", {} after the revocation", last.at.since(revoked))
                }
                _ => String::new(),
            };
            lines.push(format!(
                "accepted {times} by {} at {} in run {}: {} after the theft{after}",
                last.by,
                at(last.at),
                last.run,
                of.span()
            ));
        }
    }
    lines.push(match &of.refused {
        Some((first, Some(reason))) => {
            format!("refused by {} at {} in run {}: {reason}", first.by, at(first.at), first.run)
        }
        Some((first, None)) => {
            format!(
                "paid no heed to by {} at {} in run {}: its session was over",
                first.by,
                at(first.at),
                first.run
            )
        }
        None if of.accepted.is_empty() => "she met nobody who could have refused her".to_owned(),
        None => "still accepted at her last try: nobody has refused her since".to_owned(),
    });
    (of.stolen.clone(), lines)
}
