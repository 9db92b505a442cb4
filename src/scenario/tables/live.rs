//! `[live]`: in whose place a program stands, and what is spoken on which port.

use crate::notation::{Name, parse};
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, key_problem, one_of};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::setup::live::{LiveSpec, Speaks};

/// Reads `[live]`.
pub fn read(table: &Reader<'_>, setup: &Setup) -> Result<Option<LiveSpec>, Problem> {
    let Some(node) = table.get("live") else { return Ok(None) };
    let live = Reader::of(node, &schema::LIVE)?;
    let program = live.get("program").ok_or_else(|| live.missing("program"))?;
    let ports = live.get("ports").ok_or_else(|| live.missing("ports"))?;
    let name = setup.known_party(program)?;
    let begins = setup.runs.iter().find(|run| {
        let protocol = setup.protocol_named(&run.protocol);
        protocol.is_some_and(|protocol| run.names.get(protocol.initiator()) == Some(&name))
    });
    let Some(run) = begins else {
        return Err(program
            .problem(format!("{name} begins no run"))
            .help("a program stands in the place of who begins a run: a client of TLS"));
    };
    let protocol = setup.protocol_named(&run.protocol).unwrap_or(setup.protocol());
    if !protocol.has_certificates {
        return Err(program
            .problem(format!("in {} nobody shows a certificate", protocol.name))
            .help("a run that goes live is one in which the other side does, as in tls13-server-only"));
    }
    let peers: Vec<&str> = run.names.values().filter(|peer| **peer != name).map(|peer| &**peer).collect();
    let (mut server, mut list, mut status) = (None, None, None);
    for (key, node) in Reader::new(ports)?.entries() {
        let speaks = one_of(node, "protocol for a port", &Speaks::ALL, Speaks::word)?;
        if !parse::is_name(&key.name) {
            let message = format!("`{}` cannot be a port's name", key.name);
            return Err(Problem::at(&node.file, key.range.clone(), message));
        }
        let slot = match speaks {
            Speaks::Tls if !peers.contains(&key.name.as_str()) => {
                let message = format!("{name} talks to no `{}`", key.name);
                return Err(key_problem(ports, key, message, &peers));
            }
            Speaks::Tls => &mut server,
            Speaks::Crl => &mut list,
            Speaks::Ocsp => &mut status,
        };
        if slot.replace(Name::from(key.name.as_str())).is_some() {
            return Err(node.problem(format!("a second port for {}", speaks.word())));
        }
    }
    live.finish()?;
    let Some(server) = server else {
        let example = peers.first().copied().unwrap_or("bob");
        return Err(ports
            .problem("no port speaks `tls`")
            .help(format!("it bears the name of whom the program connects to: `{example} = \"tls\"`")));
    };
    Ok(Some(LiveSpec { program: name, server, list, status }))
}
