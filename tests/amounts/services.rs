//! Services whose work never ends: periods, histories, requests, guesses.

use crate::Ask;

/// Certificates between alice and bob, who looks up who is revoked.
fn papers(ca: &str, bob: &str, top: &str) -> String {
    format!(
        "{top}[protocol]\nmessages = [\"A -> B : A, Na, sign(sk(A), B, Na), cert(A)\"]\nfresh = {{ A = [\"Na: nonce\"] }}\n\
         [services.ca]\n{ca}\n[parties.bob]\nrevocation = \"crl\"\n{bob}\n[[run]]\nat = \"1h\"\nA = \"alice\"\nB = \"bob\"\n"
    )
}

fn centre(keys: &str, requests: &str) -> String {
    format!(
        "[services.kdc.keys]\n{keys}\n[[request]]\nat = \"1s\"\nby = \"alice\"\nask = \"generate\"\nkey = \"orders\"\n{requests}"
    )
}

pub fn asks() -> Vec<Ask> {
    let mut all = Vec::new();
    for period in ["1ns", "1ms", "1s", "1m", "1h"] {
        for until in ["2h", "30d", "36500d"] {
            let until_line = format!("until = \"{until}\"\n");
            for (what, ca, bob) in [
                ("fetch-every", String::new(), format!("fetch = \"every {period}\"")),
                ("watch-every", String::new(), format!("watch_issuance = \"{period}\"")),
                (
                    "lists-every",
                    format!("crl_period = \"{period}\""),
                    "fetch = \"at-publication\"".to_owned(),
                ),
            ] {
                all.push(Ask::new(what, format!("{period}-{until}"), papers(&ca, &bob, &until_line)));
            }
        }
        all.push(Ask::new(
            "deltas-every",
            period,
            papers(&format!("delta_period = \"{period}\""), "deltas = true", ""),
        ));
        all.push(Ask::new(
            "presigned-every",
            period,
            papers(&format!("ocsp_presign = \"{period}\""), "", ""),
        ));
        let retry = format!(
            "[[request]]\nat = \"2s\"\nby = \"alice\"\nask = \"rotate\"\nkey = \"orders\"\ncode = \"guess\"\nattempts = 1000000\nevery = \"{period}\"\n"
        );
        all.push(Ask::new(
            "guesses-every",
            period,
            centre("one_time_codes = [\"alice\"]\nsecond_factor = [\"rotate\"]", &retry),
        ));
        let rotated = format!(
            "auto_rotate = \"{period}\"\n[[request]]\nat = \"36000d\"\nby = \"alice\"\nask = \"describe\"\nkey = \"orders\"\n"
        );
        all.push(Ask::new("rotates-every", period, centre("", &rotated)));
    }
    for n in [0, 1_000, 100_000, 200_000, 200_001, 4_000_000_000_u64] {
        all.push(Ask::new("history", n, papers(&format!("crl_history = {n}"), "", "")));
        all.push(Ask::new(
            "history-fetched-each-time",
            n,
            papers(&format!("crl_history = {n}"), "fetch = \"every 1m\"", "until = \"2d\"\n"),
        ));
    }
    for n in [1, 3, 4, 4_000_000_000_u64] {
        all.push(Ask::new("intermediates", n, papers(&format!("intermediates = {n}"), "", "")));
    }
    for time in ["1s", "100d", "36500d", "100000d", "200000000d"] {
        all.push(Ask::new(
            "certificates-for",
            time,
            papers(&format!("certificate_lifetime = \"{time}\""), "", ""),
        ));
        all.push(Ask::new("lists-for", time, papers(&format!("crl_lifetime = \"{time}\""), "", "")));
        all.push(Ask::new("until", time, papers("", "", &format!("until = \"{time}\"\n"))));
        all.push(Ask::new("clock", time, papers("", &format!("clock_offset = \"-{time}\""), "")));
        all.push(Ask::new(
            "run-at",
            time,
            papers("", "", "").replace("at = \"1h\"", &format!("at = \"{time}\"")),
        ));
        let wait = format!(
            "[[request]]\nat = \"2s\"\nby = \"alice\"\nask = \"schedule-destruction\"\nkey = \"orders\"\nwait = \"{time}\"\n"
        );
        all.push(Ask::new("destruction-in", time, centre("", &wait)));
    }
    for n in [10, 1_000, 9_000] {
        let down: Vec<String> = (0..n).map(|i| format!("\"{i}s..{}s\"", i + 1)).collect();
        all.push(Ask::new("down", n, papers(&format!("down = [{}]", down.join(", ")), "", "")));
        for ask in ["encrypt", "rotate", "describe", "sign", "list", "read-audit"] {
            let requests: String = (0..n)
                .map(|_| {
                    format!("[[request]]\nat = \"2s\"\nby = \"alice\"\nask = \"{ask}\"\n")
                        + match ask {
                            "list" | "read-audit" => "",
                            "encrypt" | "sign" => "key = \"orders\"\ntext = \"x\"\n",
                            _ => "key = \"orders\"\n",
                        }
                })
                .collect();
            all.push(Ask::new("requests", format!("{ask}-{n}"), centre("rate_limit = false", &requests)));
        }
        let keys: String = (0..n)
            .map(|i| {
                format!("[[request]]\nat = \"2s\"\nby = \"alice\"\nask = \"generate\"\nkey = \"k{i}\"\n")
            })
            .collect();
        all.push(Ask::new("keys", n, centre("rate_limit = false", &keys)));
        let renew: String = (0..n)
            .map(|_| "[[request]]\nat = \"2s\"\nby = \"alice\"\nask = \"rekey\"\n".to_owned())
            .collect();
        all.push(Ask::new("renewals", n, papers("", "", "") + &renew));
    }
    for n in [1_000, 500_000, 999_000] {
        let text = format!(
            "[[request]]\nat = \"2s\"\nby = \"alice\"\nask = \"encrypt\"\nkey = \"orders\"\ntext = \"{}\"\n",
            "x".repeat(n)
        );
        all.push(Ask::new("text", n, centre("", &text)));
    }
    for shares in ["2 of 3", "255 of 255", "2 of 256", "4000000000 of 4000000000"] {
        all.push(Ask::new("shares", shares, centre(&format!("shares = \"{shares}\""), "")));
    }
    for rate in ["1 in 1ns", "4294967295 in 1ns", "4294967295 in 200000000d", "99999999999 in 1s"] {
        all.push(Ask::new("rate", rate, centre(&format!("requests = \"{rate}\""), "")));
        all.push(Ask::new("strength", rate, papers("", &format!("strength = \"{rate}\""), "")));
    }
    all
}
