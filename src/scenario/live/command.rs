//! A program's command, with the rehearsal's addresses and files in it. Must not know what the
//! program does.

use crate::live::stage::{Ends, Fetched, Papers, Program};
use crate::notation::fault::suggest;
use crate::scenario::setup::live::LiveSpec;
use crate::scenario::{Problem, Problems};

use super::HOST;

/// The file with the authority's certificate.
pub const ROOT: &str = "ca.pem";
/// The file with its list.
const LIST: &str = "crl.pem";

/// A command as a user writes it, with placeholders.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// Its words: `curl`, `--cacert`, `{ca.pem}`, `https://{bob}/`.
    pub words: Vec<String>,
    /// What it reads from its standard input; what this process has there, if none.
    pub input: Option<String>,
    /// Whether nobody sees what it writes.
    pub is_quiet: bool,
}

/// What may stand in braces, with what it stands for.
fn meanings(spec: &LiveSpec, ends: &Ends, papers: &Papers) -> Vec<(String, String)> {
    let (server, port) = (&spec.server, ends.tls_at().port());
    let status = ends.status_at();
    let file = |name: &str| papers.path(name).display().to_string();
    let mut all = vec![
        (server.to_string(), format!("{HOST}:{port}")),
        (format!("{server}.host"), HOST.to_owned()),
        (format!("{server}.port"), port.to_string()),
        (ROOT.to_owned(), file(ROOT)),
    ];
    if let Some(list) = &spec.list {
        all.push((list.to_string(), format!("http://{status}/crl.der")));
        all.push((format!("{list}.pem"), file(LIST)));
    }
    if let Some(name) = &spec.status {
        all.push((name.to_string(), format!("http://{status}/ocsp")));
    }
    all
}

/// What may stand in braces in a command for a scenario, and what it stands for.
pub fn placeholders(spec: &LiveSpec) -> Vec<(String, &'static str)> {
    let server = &spec.server;
    let mut all = vec![
        (format!("{{{server}}}"), "host and port with TLS"),
        (format!("{{{server}.host}}"), "the host"),
        (format!("{{{server}.port}}"), "the port"),
        (format!("{{{ROOT}}}"), "a file with the authority's certificate"),
    ];
    if let Some(list) = &spec.list {
        all.push((format!("{{{list}}}"), "the URL of its list"));
        all.push((format!("{{{list}.pem}}"), "a file with its list, fetched before the command starts"));
    }
    if let Some(status) = &spec.status {
        all.push((format!("{{{status}}}"), "the URL of its OCSP responder"));
    }
    all
}

impl Command {
    /// The program, with everything put in.
    ///
    /// # Errors
    /// A placeholder that there is not, with the nearest.
    pub(super) fn program(&self, spec: &LiveSpec, ends: &Ends, papers: &Papers) -> Result<Program, Problems> {
        let meanings = meanings(spec, ends, papers);
        let mut words = Vec::with_capacity(self.words.len());
        for word in &self.words {
            words.push(filled(word, &meanings)?);
        }
        let list = spec.list.as_ref().map(|list| format!("{{{list}.pem}}"));
        let wants_list = list.is_some_and(|list| self.words.iter().any(|word| word.contains(&list)));
        let fetched =
            wants_list.then(|| Fetched { at: ends.status_at(), path: "/crl.der", into: papers.path(LIST) });
        let root = papers.path(ROOT).display().to_string();
        let mut environment: Vec<(String, String)> =
            ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
                .map(|key| (key.to_owned(), root.clone()))
                .into();
        environment.extend(meanings.into_iter().map(|(name, meaning)| {
            let name: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect();
            (format!("MALLORY_{name}"), meaning)
        }));
        Ok(Program { words, environment, input: self.input.clone(), fetched, is_quiet: self.is_quiet })
    }
}

/// A word with its placeholders filled in. Braces that hold anything but a name stay.
fn filled(word: &str, meanings: &[(String, String)]) -> Result<String, Problems> {
    let mut text = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest[1..].split('}').next().unwrap_or_default();
        let is_name = !name.is_empty()
            && rest[1..].len() > name.len()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if !is_name {
            text.push('{');
            rest = &rest[1..];
            continue;
        }
        let Some((_, meaning)) = meanings.iter().find(|(known, _)| known == name) else {
            let mut problem = Problem::nowhere(format!("there is no placeholder `{{{name}}}` here"));
            problem.help = suggest(name, meanings.iter().map(|(known, _)| known.as_str()));
            return Err(problem.into());
        };
        text.push_str(meaning);
        rest = &rest[name.len() + 2..];
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_filled_in_and_nothing_else() {
        let meanings = [("bob".to_owned(), "localhost:1".to_owned())];
        assert_eq!(filled("https://{bob}/{}", &meanings).unwrap(), "https://localhost:1/{}");
        assert_eq!(filled("{\"a\": {bob}}", &meanings).unwrap(), "{\"a\": localhost:1}");
        assert_eq!(filled("{bob", &meanings).unwrap(), "{bob");
        let wrong = filled("{bbo}", &meanings).unwrap_err().to_string();
        assert!(wrong.contains("there is no placeholder `{bbo}`"), "{wrong}");
    }
}
