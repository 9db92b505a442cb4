//! What was on the wire, as a capture: read back here, and by tshark where it is installed.

mod command;

use std::path::{Path, PathBuf};
use std::process::Command;

use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use serde_json::Value as Json;

use command::mallory;

/// A packet: its interface, its time in nanoseconds, the bytes of IP, how many there were, its
/// comment.
struct Packet {
    interface: u32,
    nanos: u128,
    data: Vec<u8>,
    original: u32,
    comment: String,
}

fn capture(name: &str, scenario: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pcapng"));
    let (exit, _, complaint) = mallory(&["run", scenario, "-q", "--pcap", path.to_str().unwrap()]);
    assert_eq!(exit, 0, "{complaint}");
    path
}

fn packets(path: &Path) -> Vec<Packet> {
    let mut reader = PcapNgReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut all = Vec::new();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.unwrap() {
            let comment = packet.options.iter().find_map(|option| match option {
                EnhancedPacketOption::Comment(text) => Some(text.to_string()),
                _ => None,
            });
            all.push(Packet {
                interface: packet.interface_id,
                nanos: packet.timestamp.as_nanos(),
                data: packet.data.to_vec(),
                original: packet.original_len,
                comment: comment.unwrap(),
            });
        }
    }
    all
}

/// What JSON tells of messages, in order.
fn told(scenario: &str) -> Vec<Json> {
    let (_, text, _) = mallory(&["run", scenario, "--log", "json"]);
    let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    lines.filter(|line| line["kind"] == "sent" || line["kind"] == "injected").collect()
}

#[test]
fn a_packet_for_each_message_at_its_time_and_under_its_name() {
    let (packets, told) = (packets(&capture("dh-mitm", "dh-mitm")), told("dh-mitm"));
    assert_eq!(packets.len(), told.len());
    assert!(told.iter().any(|message| message["kind"] == "injected"));
    for (packet, message) in packets.iter().zip(&told) {
        assert_eq!(packet.data.len() as u64, 28 + message["bytes"].as_u64().unwrap(), "{message}");
        assert_eq!(packet.original as usize, packet.data.len());
        let since: u128 = message["time_ns"].as_str().unwrap().parse().unwrap();
        assert_eq!(packet.nanos, 1_767_225_600_000_000_000 + since);
        let text = message["text"].as_str().unwrap();
        let (from, to) = (message["from"].as_str().unwrap(), message["to"].as_str().unwrap());
        assert!(packet.comment.contains(&format!("{from} -> {to} : {text}")), "{}", packet.comment);
        assert_eq!(packet.comment.contains("the attacker's"), message["kind"] == "injected");
    }
    let last = packets.last().unwrap().interface;
    assert!(last > 0, "each variant is an interface of its own");
}

#[test]
fn what_does_not_fit_into_a_datagram_is_cut_and_what_others_wrote_is_shown_and_not_interpreted() {
    let order = format!("\\u001b[31mred\\n{}", "x".repeat(70_000));
    let text = format!(
        r#"
        [protocol]
        messages = ["A -> B : A, Order"]
        given    = {{ A = ["Order: data"] }}
        [[run]]
        A = "alice"
        B = "bob"
        Order = "{order}"
        "#
    );
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("long-order.toml");
    std::fs::write(&path, text).unwrap();
    let packets = packets(&capture("long-order", path.to_str().unwrap()));
    let [packet] = packets.as_slice() else { panic!("{} packets", packets.len()) };
    assert_eq!(packet.data.len(), 65_535);
    assert!(packet.original > 70_000);
    assert!(!packet.comment.contains(['\u{1b}', '\n']), "{}", packet.comment);
    assert!(packet.comment.chars().count() < 2_100);
}

#[test]
fn tshark_reads_it() {
    let path = capture("krb-golden-ticket", "krb-golden-ticket");
    let fields = ["ip.src_host", "ip.dst_host", "udp.stream", "frame.comment"];
    let fields = fields.iter().flat_map(|field| ["-e", field]);
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&path).args(["-N", "n", "-T", "fields", "-E", "separator=|"]).args(fields);
    let output = match tshark.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: there is no tshark here");
            return;
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.splitn(4, '|').collect()).collect();
    assert_eq!(rows.len(), packets(&path).len());
    for row in rows {
        let [from, to, stream, comment] = row.as_slice() else { panic!("{row:?}") };
        assert!(comment.contains(&format!("{from} -> {to} : ")), "{row:?}");
        assert!(stream.parse::<u32>().is_ok(), "{row:?}");
    }
}
