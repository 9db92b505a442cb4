//! An independent judge: what every scenario with certificates puts on the wire, held before
//! OpenSSL and before our relying party, at the same times. They must agree.

mod court;
mod exhibit;
mod lists;
mod responses;
mod stories;
mod tool;

use mallory::Scenario;
use mallory::scenario::scenarios;

use court::{Counts, Court};
use tool::Tool;

#[test]
fn openssl_agrees() {
    let Some(tool) = Tool::find() else {
        println!("openssl is not installed: nothing to compare with");
        return;
    };
    let mut court = Court::new(tool);
    let library = scenarios().into_iter().map(|entry| {
        Scenario::named(&entry.name).unwrap_or_else(|problems| panic!("{}: {problems}", entry.name))
    });
    for scenario in library.chain(stories::stories()) {
        let report = scenario.run().unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
        for play in report.plays() {
            court.hear(play);
        }
    }
    let Court { counts, disagreements, .. } = court;
    println!("{counts:#?}");
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    let Counts {
        plays,
        certificates,
        refused_certificates,
        requests,
        crls,
        forged_crls,
        certificates_with_crls,
        revoked_by_crl,
        with_deltas,
        responses,
        revoked_by_response,
        forged_responses,
        other_certificate,
        ..
    } = counts;
    for (count, what) in [
        (plays, "plays"),
        (certificates, "certificates"),
        (refused_certificates, "refused certificates"),
        (requests, "requests"),
        (crls, "CRLs"),
        (forged_crls, "forged CRLs"),
        (certificates_with_crls, "certificates with CRLs"),
        (revoked_by_crl, "certificates that a CRL revokes"),
        (with_deltas, "certificates with delta CRLs"),
        (responses, "OCSP responses"),
        (revoked_by_response, "OCSP responses that say revoked"),
        (forged_responses, "forged OCSP responses"),
        (other_certificate, "OCSP responses for other certificates"),
    ] {
        assert!(count > 0, "no {what} were compared");
    }
}
