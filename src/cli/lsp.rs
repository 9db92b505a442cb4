//! `mallory lsp`: a language server for scenario and protocol files, on standard input and output
//! (Language Server Protocol 3.17).

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::ops::Range as Bytes;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use lsp_server::{Connection, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{Completion, GotoDefinition, HoverRequest, Request as _};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionOptions, CompletionParams, CompletionResponse, Diagnostic,
    DiagnosticSeverity, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    GotoDefinitionParams, GotoDefinitionResponse, Hover, HoverContents, HoverParams, HoverProviderCapability,
    Location, MarkupContent, MarkupKind, OneOf, Position, PublishDiagnosticsParams, Range,
    ServerCapabilities, TextDocumentPositionParams, TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use mallory::legible::{legible, legible_lines};
use mallory::limits::{MAX_FILE_BYTES, MAX_LSP_DOCUMENTS};
use mallory::scenario::{Insight, Problem, Problems, Suggestion, Text, check_text};
use serde_json::Value as Json;

use super::Exit;
use super::out::complain;

const ABOUT: &str = "\
A language server on standard input and output, for editors: what `mallory check` says as one
types, what each role has after a line, what a key means, completion of keys, words and
names, and the way to where a name is declared. docs/CI.md sets editors up.";

/// A language server for editors
#[derive(Args)]
#[command(long_about = ABOUT)]
pub struct Arguments {}

/// Serves one editor, until it says that it is enough.
pub fn lsp(_: &Arguments) -> io::Result<Exit> {
    let (connection, threads) = Connection::stdio();
    let done = serve(&connection);
    drop(connection);
    match done {
        Ok(()) => threads.join().map(|()| Exit::Expected),
        // The threads may wait for an editor that is gone.
        Err(error) => {
            complain(&format!("the editor and this server do not understand one another: {error}"));
            Ok(Exit::Input)
        }
    }
}

fn serve(connection: &Connection) -> Result<(), Box<dyn Error + Send + Sync>> {
    let capabilities = ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::FULL)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec!["\"".to_owned(), "{".to_owned(), "(".to_owned()]),
            ..CompletionOptions::default()
        }),
        ..ServerCapabilities::default()
    };
    connection.initialize(serde_json::to_value(capabilities)?)?;
    let mut desk = Desk::default();
    for message in &connection.receiver {
        match message {
            Message::Request(request) if connection.handle_shutdown(&request)? => return Ok(()),
            Message::Request(request) => {
                let answer = desk.answer(request);
                connection.sender.send(Message::Response(answer))?;
            }
            Message::Notification(notification) => {
                if let Some(found) = desk.hear(notification)? {
                    let params = serde_json::to_value(found)?;
                    let method = PublishDiagnostics::METHOD.to_owned();
                    connection.sender.send(Message::Notification(Notification { method, params }))?;
                }
            }
            Message::Response(_) => {}
        }
    }
    Ok(())
}

/// A document as the editor has it.
struct Document {
    text: Arc<Text>,
    /// Of the last state that was TOML.
    insight: Option<Insight>,
}

#[derive(Default)]
struct Desk {
    documents: BTreeMap<String, Document>,
}

impl Desk {
    /// Takes what the editor says; what is wrong with a document that it wrote.
    fn hear(&mut self, of: Notification) -> Result<Option<PublishDiagnosticsParams>, serde_json::Error> {
        match of.method.as_str() {
            DidOpenTextDocument::METHOD => {
                let params: DidOpenTextDocumentParams = serde_json::from_value(of.params)?;
                Ok(Some(self.read(params.text_document.uri, params.text_document.text)))
            }
            DidChangeTextDocument::METHOD => {
                let params: DidChangeTextDocumentParams = serde_json::from_value(of.params)?;
                let whole = params.content_changes.into_iter().next_back();
                Ok(whole.map(|whole| self.read(params.text_document.uri, whole.text)))
            }
            DidCloseTextDocument::METHOD => {
                let params: DidCloseTextDocumentParams = serde_json::from_value(of.params)?;
                self.documents.remove(params.text_document.uri.as_str());
                Ok(Some(PublishDiagnosticsParams::new(params.text_document.uri, Vec::new(), None)))
            }
            _ => Ok(None),
        }
    }

    fn read(&mut self, uri: Uri, text: String) -> PublishDiagnosticsParams {
        let key = uri.as_str().to_owned();
        let is_new = !self.documents.contains_key(&key);
        let refusal = match text.len() {
            long if long > MAX_FILE_BYTES => {
                Some(format!("it has more than MAX_FILE_BYTES, {MAX_FILE_BYTES}"))
            }
            _ if is_new && self.documents.len() >= MAX_LSP_DOCUMENTS => {
                Some(format!("more documents are open than MAX_LSP_DOCUMENTS, {MAX_LSP_DOCUMENTS}"))
            }
            _ => None,
        };
        if let Some(refusal) = refusal {
            self.documents.remove(&key);
            let problem = Problem::nowhere(refusal);
            return PublishDiagnosticsParams::new(uri, vec![diagnostic(&problem, "")], None);
        }
        let path = path_of(&key);
        let text = Arc::new(Text { name: path.display().to_string(), text });
        let found = match check_text(&text, &path) {
            Ok(warnings) => warnings,
            Err(Problems(problems)) => problems,
        };
        // What is wrong with another file is said where this one names it.
        let shown = found.iter().map(|problem| match problem.file.name == text.name {
            true => diagnostic(problem, &text.text),
            false => diagnostic(
                &Problem { range: 0..0, message: problem.to_string(), help: None, ..problem.clone() },
                "",
            ),
        });
        let shown = shown.collect();
        let before = self.documents.remove(&key).and_then(|document| document.insight);
        let insight = match Insight::of(&text) {
            Some(insight) => Some(insight.after(before)),
            None => before,
        };
        self.documents.insert(key, Document { text, insight });
        PublishDiagnosticsParams::new(uri, shown, None)
    }

    fn answer(&self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let answer = match method.as_str() {
            HoverRequest::METHOD => self.hover(params),
            GotoDefinition::METHOD => self.definition(params),
            Completion::METHOD => self.completion(params),
            _ => {
                let unknown = lsp_server::ErrorCode::MethodNotFound as i32;
                return Response::new_err(id, unknown, format!("there is no `{}` here", legible(&method)));
            }
        };
        match answer {
            Ok(answer) => Response::new_ok(id, answer),
            Err(error) => {
                let code = lsp_server::ErrorCode::InvalidParams as i32;
                Response::new_err(id, code, legible(&error.to_string()).into_owned())
            }
        }
    }

    /// The document and the byte that are meant.
    fn place(&self, at: &TextDocumentPositionParams) -> Option<(&Document, usize)> {
        let document = self.documents.get(at.text_document.uri.as_str())?;
        Some((document, byte_of(&document.text.text, at.position)))
    }

    fn hover(&self, params: Json) -> Result<Json, serde_json::Error> {
        let params: HoverParams = serde_json::from_value(params)?;
        let hover = self.place(&params.text_document_position_params).and_then(|(document, at)| {
            let insight = document.insight.as_ref()?;
            let (told, bytes) = insight.hover(at)?;
            // Names are others' text: none is read as Markdown.
            let value = legible_lines(&told).into_owned();
            let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::PlainText, value });
            Some(Hover { contents, range: Some(range_of(&document.text.text, &bytes)) })
        });
        serde_json::to_value(hover)
    }

    fn definition(&self, params: Json) -> Result<Json, serde_json::Error> {
        let params: GotoDefinitionParams = serde_json::from_value(params)?;
        let at = &params.text_document_position_params;
        let found = self.place(at).and_then(|(document, byte)| {
            let bytes = document.insight.as_ref()?.definition(byte)?;
            let range = range_of(&document.text.text, &bytes);
            Some(GotoDefinitionResponse::Scalar(Location::new(at.text_document.uri.clone(), range)))
        });
        serde_json::to_value(found)
    }

    fn completion(&self, params: Json) -> Result<Json, serde_json::Error> {
        let params: CompletionParams = serde_json::from_value(params)?;
        let found = self
            .place(&params.text_document_position)
            .and_then(|(document, at)| Some(document.insight.as_ref()?.suggestions(&document.text.text, at)));
        let items = found.unwrap_or_default().into_iter().map(item).collect();
        serde_json::to_value(CompletionResponse::Array(items))
    }
}

fn item(of: Suggestion) -> CompletionItem {
    CompletionItem {
        label: legible(&of.word).into_owned(),
        kind: Some(if of.is_key { CompletionItemKind::PROPERTY } else { CompletionItemKind::VALUE }),
        detail: Some(legible(&of.about).into_owned()),
        ..CompletionItem::default()
    }
}

fn diagnostic(problem: &Problem, text: &str) -> Diagnostic {
    let mut message = legible(&problem.message).into_owned();
    if let Some(help) = &problem.help {
        message.push_str(&format!(" ({})", legible(help)));
    }
    if !problem.variants.is_empty() {
        message.push_str(&format!(", in variants {}", legible(&problem.variants.join(", "))));
    }
    let severity = if problem.is_warning { DiagnosticSeverity::WARNING } else { DiagnosticSeverity::ERROR };
    Diagnostic {
        range: range_of(text, &problem.range),
        severity: Some(severity),
        source: Some("mallory".to_owned()),
        message,
        ..Diagnostic::default()
    }
}

/// The path of a document, if it lies in a file: protocols that it names are beside it.
fn path_of(uri: &str) -> PathBuf {
    let Some(path) = uri.strip_prefix("file://") else { return PathBuf::from("untitled.toml") };
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, others @ ..] = rest {
        let digits = others.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

/// Columns count UTF-16, as the protocol has it.
fn byte_of(text: &str, at: Position) -> usize {
    let start: usize = text.split_inclusive('\n').take(at.line as usize).map(str::len).sum();
    let line = text[start..].split('\n').next().unwrap_or_default();
    let mut column = 0;
    for (byte, c) in line.char_indices() {
        if column >= at.character as usize {
            return start + byte;
        }
        column += c.len_utf16();
    }
    start + line.len()
}

fn position_of(text: &str, byte: usize) -> Position {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position::new(number(before.matches('\n').count()), number(line.encode_utf16().count()))
}

fn range_of(text: &str, bytes: &Bytes<usize>) -> Range {
    Range::new(position_of(text, bytes.start), position_of(text, bytes.end))
}
