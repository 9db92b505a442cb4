//! How long a stolen credential was of use, in lines.

use crate::time::SimTime;
use crate::verdict::Exposure;

/// A heading, and what is known, a line each.
pub fn exposure(of: &Exposure) -> (String, Vec<String>) {
    let after = |at: SimTime| format!("{at} ({} after the theft)", at.since(of.at));
    let mut lines = vec![format!("stolen {}", of.at)];
    lines.extend(of.reported.map(|at| format!("reported {}", after(at))));
    match of.revoked {
        Some(at) => lines.push(format!("revoked {}", after(at))),
        None => lines.push("never revoked".to_owned()),
    }
    lines.extend(of.told.map(|told| {
        format!("told by the next CRL at {}, by the OCSP responder from {}", told.crl, told.ocsp)
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
                last.at,
                last.run,
                of.span()
            ));
        }
    }
    lines.push(match &of.refused {
        Some((first, Some(reason))) => {
            format!("refused by {} at {} in run {}: {reason}", first.by, first.at, first.run)
        }
        Some((first, None)) => {
            format!("paid no heed to by {} at {} in run {}: its session was over", first.by, first.at, first.run)
        }
        None if of.accepted.is_empty() => "she met nobody who could have refused her".to_owned(),
        None => "still accepted at her last try: nobody has refused her since".to_owned(),
    });
    (of.stolen.clone(), lines)
}
