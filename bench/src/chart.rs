//! The chart: one bar for each kind of request, split into floor, signature and the rest.

use std::fmt::Write as _;

use crate::Result;
use crate::results::{ROWS, Results};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 64.0;
const STEP: f64 = 26.0;
const BAR: f64 = 16.0;
/// Fill and name of each part, readable on light and dark backgrounds.
const PARTS: [(&str, &str); 3] = [
    ("#8a94a6", "floor: a bare handler"),
    ("#3b82c4", "signature by itself"),
    ("#e08a1e", "what Grantor adds"),
];

/// The chart as SVG.
pub(crate) fn svg(results: &Results) -> Result<String> {
    let bars: Vec<_> = ROWS
        .iter()
        .filter(|row| row.name != row.floor)
        .filter_map(|row| {
            let (cpu, _) = results.rounds.cpu_us(row.name)?;
            let (floor, signature) = results.least_us(row)?;
            // A request can cost less than its floor, such as a document that is ready; it has no rest.
            let floor = floor.min(cpu);
            let signature = signature.min(cpu - floor);
            Some((row.name, cpu, [floor, signature, cpu - floor - signature]))
        })
        .collect();
    let most = bars.iter().map(|(_, cpu, _)| *cpu).fold(1.0, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    #[expect(clippy::cast_precision_loss, reason = "about twenty bars")]
    let height = TOP + STEP * bars.len() as f64 + 12.0;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"CPU time of a request\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"16\" font-weight=\"600\">Server CPU time of one request, µs</text>\n"
    );
    let mut x = 12.0;
    for (fill, name) in PARTS {
        writeln!(
            svg,
            "<rect x=\"{x}\" y=\"38\" width=\"12\" height=\"12\" fill=\"{fill}\"/><text x=\"{}\" y=\"49\">{name}</text>",
            x + 18.0
        )?;
        x += 190.0;
    }
    let mut y = TOP;
    for (name, cpu, parts) in bars {
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>",
            LEFT - 8.0,
            y + 13.0
        )?;
        let mut x = LEFT;
        for (part, (fill, _)) in parts.into_iter().zip(PARTS) {
            let width = part * scale;
            writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{fill}\"/>"
            )?;
            x += width;
        }
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\">{cpu:.0}</text>",
            x + 6.0,
            y + 13.0
        )?;
        y += STEP;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
