//! Columns as SVG. Only shapes are in it, so that it may be stretched to any width; what is written
//! around it keeps its size.

use maud::{Markup, Render, html};

use super::figures::{Measure, Percent, Unit, ratio};

/// A drawing's height in its own units.
const HEIGHT: f64 = 1000.0;
const COLUMN_WIDTH: usize = 10;
/// What is there is seen, however little it is.
const COLUMN_HEIGHT_MIN: f64 = 8.0;
const STEPS_MAX: u64 = 5;

/// Columns with a scale beside them and ticks below.
pub(in crate::tool) struct Plot {
    /// What is to be seen, in a sentence.
    pub(in crate::tool) label: String,
    pub(in crate::tool) scale: Scale,
    pub(in crate::tool) shapes: Shapes,
    pub(in crate::tool) ticks: Vec<Tick>,
}

/// Columns of layers that stand on one another.
pub(in crate::tool) struct Shapes {
    /// The class of each layer, from the lowest on.
    pub(in crate::tool) layers: Vec<&'static str>,
    pub(in crate::tool) columns: Vec<Stack>,
    /// What a column of full height stands for.
    pub(in crate::tool) top: u64,
}

pub(in crate::tool) struct Stack {
    /// What is shown to who points at it.
    pub(in crate::tool) title: String,
    pub(in crate::tool) counts: Vec<u64>,
}

/// A text below the columns.
#[derive(Debug, Clone)]
pub(in crate::tool) struct Tick {
    /// From the left, 0 to 100.
    pub(in crate::tool) percent: f64,
    pub(in crate::tool) text: String,
}

/// Round numbers beside columns, the largest of which has full height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tool) struct Scale {
    pub(in crate::tool) step: u64,
    pub(in crate::tool) top: u64,
    pub(in crate::tool) unit: Unit,
}

impl Scale {
    pub(in crate::tool) fn to(largest: u64, unit: Unit) -> Self {
        let fits = |step: &u64| largest / step <= STEPS_MAX;
        Self {
            step: one_two_five().find(fits).unwrap_or(u64::MAX),
            top: largest.max(1),
            unit,
        }
    }
}

/// 1, 2, 5, 10, 20, 50 and so on.
pub(in crate::tool) fn one_two_five() -> impl Iterator<Item = u64> {
    (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)))
}

impl Render for Plot {
    fn render(&self) -> Markup {
        let Scale { step, top, unit } = self.scale;
        html! {
            div.plot style={ "--columns:" (self.shapes.columns.len()) } {
                div.scale aria-hidden="true" {
                    @for number in (0..=top / step).map(|line| line * step) {
                        i style={ "bottom:" (Percent(number, top)) } { b { (Measure(number, unit)) } }
                    }
                }
                svg viewBox=(self.shapes.view()) preserveAspectRatio="none" role="img"
                    aria-label=(self.label) { (self.shapes) }
                div.ticks aria-hidden="true" { @for tick in &self.ticks { (tick) } }
            }
        }
    }
}

impl Render for Tick {
    fn render(&self) -> Markup {
        let edge = match self.percent {
            ..4.0 => Some("first"),
            96.0.. => Some("last"),
            _ => None,
        };
        let left = format!("left:{:.2}%", self.percent);
        html! { span class=[edge] style=(left) { (self.text) } }
    }
}

impl Shapes {
    /// The attribute of the element around them.
    pub(in crate::tool) fn view(&self) -> String {
        format!("0 0 {} {HEIGHT}", self.columns.len() * COLUMN_WIDTH)
    }

    /// A column's layers, from the lowest on: class, top and height.
    fn layers<'a>(&'a self, column: &'a Stack) -> impl Iterator<Item = (&'static str, f64, f64)> {
        let total = column.counts.iter().sum();
        let whole = (HEIGHT * ratio(total, self.top)).max(COLUMN_HEIGHT_MIN);
        let mut top = HEIGHT;
        let layers = column.counts.iter().zip(&self.layers);
        layers
            .filter(|(count, _)| **count > 0)
            .map(move |(count, class)| {
                let height = whole * ratio(*count, total);
                top -= height;
                (*class, top, height)
            })
    }
}

impl Render for Shapes {
    fn render(&self) -> Markup {
        let columns = (0..).step_by(COLUMN_WIDTH).zip(&self.columns);
        let drawn = columns.filter(|(_, column)| column.counts.iter().any(|count| *count > 0));
        html! {
            @for (left, column) in drawn {
                g {
                    title { (column.title) }
                    rect.hit x=(left) width=(COLUMN_WIDTH) height=(HEIGHT) {}
                    @for (class, top, height) in self.layers(column) {
                        rect class=(class) x={ (left) ".6" } y=(format!("{top:.1}")) width="8.8"
                            height=(format!("{height:.1}")) {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_a_few_round_steps() {
        #[track_caller]
        fn check(largest: u64, step: u64, top: u64) {
            let unit = Unit::Count;
            assert_eq!(Scale::to(largest, unit), Scale { step, top, unit });
        }
        check(0, 1, 1);
        check(5, 1, 5);
        check(6, 2, 6);
        check(99, 20, 99);
        check(1_234, 500, 1_234);
        check(u64::MAX, 5_000_000_000_000_000_000, u64::MAX);
    }

    #[test]
    fn layers_stand_on_one_another_and_little_is_still_seen() {
        let column = |counts: &[u64]| Stack {
            title: "one".to_owned(),
            counts: counts.to_vec(),
        };
        let drawn = Shapes {
            layers: vec!["a", "b"],
            columns: vec![column(&[30, 10]), column(&[0, 0]), column(&[0, 1])],
            top: 100_000,
        };
        let drawn = drawn.render().into_string();
        assert_eq!(drawn.matches("<g>").count(), 2);
        assert!(
            drawn.contains("class=\"a\" x=\"0.6\" y=\"994.0\" width=\"8.8\" height=\"6.0\""),
            "{drawn}"
        );
        assert!(
            drawn.contains("class=\"b\" x=\"0.6\" y=\"992.0\" width=\"8.8\" height=\"2.0\""),
            "{drawn}"
        );
        assert!(
            drawn.contains("class=\"b\" x=\"20.6\" y=\"992.0\" width=\"8.8\" height=\"8.0\""),
            "{drawn}"
        );
    }
}
