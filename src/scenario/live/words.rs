//! What a program's end of a handshake says, as a reason of ours and in words. Must not know the
//! scenario.

use rustls::AlertDescription;

use crate::live::stage::Met;
use crate::reason::Reason;

/// What a program made of the certificates that it was shown; nothing if it did not come to that.
pub fn ended(met: &Met) -> Option<Result<(), Reason>> {
    match met {
        Met::Spoke => Some(Ok(())),
        Met::Alert(alert) => Some(Err(reason(*alert))),
        Met::Left => Some(Err(Reason::RefusedByProgram)),
        Met::Silent | Met::Failed(_) => None,
    }
}

/// Programs choose alerts freely (RFC 8446 §6.2): only those that say one thing are taken at it.
fn reason(alert: AlertDescription) -> Reason {
    match alert {
        AlertDescription::CertificateExpired => Reason::CertificateExpired,
        AlertDescription::CertificateRevoked => Reason::CertificateRevoked,
        AlertDescription::UnknownCA => Reason::CertificateUntrusted,
        AlertDescription::DecryptError => Reason::BadSignature,
        _ => Reason::RefusedByProgram,
    }
}

/// What a connection came to, in words.
pub fn explained(met: &Met) -> String {
    match met {
        Met::Spoke => "finished the handshake and spoke".to_owned(),
        Met::Alert(alert) => format!("ended the handshake with alert {}", name(*alert)),
        Met::Left => "went away without a word".to_owned(),
        Met::Silent => "said nothing in time (LIVE_JUDGING_SECONDS)".to_owned(),
        Met::Failed(why) => format!("could not be served: {why}"),
    }
}

/// An alert as RFC 8446 writes it: `unknown_ca`.
fn name(alert: AlertDescription) -> String {
    let mut text = String::new();
    for (nth, letter) in format!("{alert:?}").chars().enumerate() {
        let after_capital = text.ends_with(|c: char| c.is_ascii_uppercase());
        if letter.is_ascii_uppercase() && nth > 0 && !after_capital {
            text.push('_');
        }
        text.push(letter);
    }
    text.to_ascii_lowercase()
}
