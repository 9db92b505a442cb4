//! The ways to look at a play.

use std::io;

use clap::ValueEnum;
use mallory::report::{Detail, Filter, LogStyle, Sequence, chart, diagrams, log, markdown, shiviz, svg};
use mallory::scenario::PlayReport;

use super::out::Out;

/// A way to look at a play.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// An event a line, with its words
    Log,
    /// Who says what to whom, with arrows between lifelines
    Chart,
    /// The chart as a picture, of one play
    Svg,
    /// The chart as text that Mermaid draws, in Markdown for instance
    Mermaid,
    /// The chart as text that PlantUML draws
    Plantuml,
    /// A log with vector clocks, which ShiViz draws, of one play
    Shiviz,
    /// Verdicts and chart in Markdown, for a pull request
    Markdown,
}

impl View {
    /// Whether it is for people at a terminal, with headings and verdicts; the others are input
    /// to something else.
    pub fn is_read(self) -> bool {
        matches!(self, View::Log | View::Chart)
    }

    /// Whether it holds no more than one play.
    pub fn is_of_one(self) -> bool {
        matches!(self, View::Svg | View::Shiviz)
    }

    /// Shows a play.
    pub fn show(self, play: &PlayReport, filter: &Filter, detail: Detail, out: &mut Out) -> io::Result<()> {
        let color = out.color();
        let level = detail.level();
        let sequence = || Sequence::of(play, filter, level);
        match self {
            View::Log => out.text(&log::render_chosen(play, &LogStyle { color, detail }, filter)),
            View::Chart => {
                out.text(&chart(&sequence(), out.width(), color))?;
                out.line("")?;
                out.text(&log::render(play, &LogStyle { color, detail: Detail::Quiet }))
            }
            // These have no colours, and legible text only.
            View::Svg => out.raw(&svg::svg(&sequence(), &play.name)),
            View::Mermaid => out.raw(&diagrams::mermaid(&sequence(), &play.name)),
            View::Plantuml => out.raw(&diagrams::plantuml(&sequence(), &play.name)),
            View::Shiviz => out.raw(&shiviz::shiviz(play, filter, level)),
            View::Markdown => out.raw(&markdown::markdown(play, filter, level)),
        }
    }
}
