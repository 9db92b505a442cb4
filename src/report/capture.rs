//! What was on the wire, as a capture that Wireshark opens: pcapng (draft-ietf-opsawg-pcapng),
//! an interface for each play, a datagram of IPv4 and UDP for each message, with its name in the
//! notation as a comment. Times are virtual; names of parties stand beside their addresses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use etherparse::PacketBuilder;
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::name_resolution::{Ipv4Record, NameResolutionBlock, Record};

use crate::journal::{Sight, What};
use crate::legible::legible;
use crate::notation::Name;
use crate::scenario::PlayReport;
use crate::verdict::place_of;

/// What of a message fits into a datagram: 65,535 bytes less the headers of IPv4 (20) and UDP (8).
/// Of a longer one so much is captured.
pub const MAX_CAPTURED_BYTES: usize = 65_535 - 20 - 8;

/// How much of a message's text is shown beside it.
pub const MAX_COMMENT_CHARS: usize = 2_000;

/// The first of the ports that say of which run a message is: run 1 has this and the next one's
/// is one more. They are of those that no protocol has (RFC 6335 §6).
const PORTS: u16 = 49_152;

/// Nanoseconds, as negative powers of ten say it.
const NANOSECONDS: u8 = 9;

/// The capture of some plays, one interface each.
///
/// # Errors
/// What could not be written, which is a defect: it goes to memory.
pub fn capture<'a>(plays: impl IntoIterator<Item = &'a PlayReport>) -> Result<Vec<u8>, String> {
    let plays: Vec<&PlayReport> = plays.into_iter().collect();
    write(&plays).map_err(|error| error.to_string())
}

fn write(plays: &[&PlayReport]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut file = PcapNgWriter::new(Vec::new())?;
    let addresses = addresses(plays);
    for play in plays {
        let name = format!("{} · seed {}", play.name, play.seed);
        file.write_pcapng_block(InterfaceDescriptionBlock {
            linktype: DataLink::RAW,
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName(name.into()),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        })?;
    }
    let records = addresses.iter().map(|(name, address)| {
        let name = legible(name).into_owned();
        Record::Ipv4(Ipv4Record { ip_addr: Cow::Owned(address.to_vec()), names: vec![name.into()] })
    });
    file.write_pcapng_block(NameResolutionBlock { records: records.collect(), options: Vec::new() })?;
    for (interface, play) in (0..).zip(plays) {
        for event in play.journal().events() {
            let (message, how) = match &event.what {
                What::Sent { message } => (message, String::new()),
                What::Injected { message, instead_of: None } => (message, " [the attacker's]".to_owned()),
                What::Injected { message, instead_of: Some(id) } => {
                    (message, format!(" [the attacker's, in place of message {id}]"))
                }
                _ => continue,
            };
            let data = datagram(message, &addresses)?;
            let time = crate::time::EPOCH.0 + event.at.0;
            let original = data.len() + message.bytes.len().saturating_sub(MAX_CAPTURED_BYTES);
            file.write_pcapng_block(EnhancedPacketBlock {
                interface_id: interface,
                timestamp: Duration::from_nanos(time),
                original_len: u32::try_from(original)?,
                data: data.into(),
                options: vec![EnhancedPacketOption::Comment(comment(play, message, &how).into())],
            })?;
        }
    }
    Ok(file.into_inner())
}

/// An address for each who sends or receives, of those that are private (RFC 1918).
fn addresses(plays: &[&PlayReport]) -> BTreeMap<Name, [u8; 4]> {
    let mut all = BTreeMap::new();
    for event in plays.iter().flat_map(|play| play.journal().events()) {
        if let What::Sent { message } | What::Injected { message, .. } = &event.what {
            for name in [&message.from, &message.to] {
                let nth = all.len() as u32 + 1;
                let [_, b, c, d] = nth.to_be_bytes();
                all.entry(name.clone()).or_insert([10, b, c, d]);
            }
        }
    }
    all
}

fn datagram(
    message: &Sight,
    addresses: &BTreeMap<Name, [u8; 4]>,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let address = |name: &Name| addresses.get(name).copied().unwrap_or_default();
    // Both sides of a run have one port, so that a run is a stream.
    let port = PORTS + (message.run.saturating_sub(1) % u32::from(u16::MAX - PORTS)) as u16;
    let bytes = &message.bytes[..message.bytes.len().min(MAX_CAPTURED_BYTES)];
    let mut data = Vec::new();
    PacketBuilder::ipv4(address(&message.from), address(&message.to), 64)
        .udp(port, port)
        .write(&mut data, bytes)?;
    Ok(data)
}

fn comment(play: &PlayReport, message: &Sight, how: &str) -> String {
    let Sight { from, to, .. } = message;
    let text = format!("{} {from} -> {to} : {}{how}", place_of(message), message.shown.text());
    let text = play.journal().prints().in_text(&text);
    let shown = legible(&text);
    match shown.char_indices().nth(MAX_COMMENT_CHARS) {
        None => shown.into_owned(),
        Some((cut, _)) => format!("{}…{how}", &shown[..cut]),
    }
}
