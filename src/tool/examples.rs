//! The examples in the help of commands, whose lines somebody copies.

use clap::Command;

const HEADING: &str = "Examples:\n";
/// As clap's own template begins.
const BEFORE: &str = "{before-help}{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}";

/// Clap breaks all that stands after the options where a terminal is narrow, but nothing that stands
/// in its template itself.
pub(super) fn keep_whole(command: Command) -> Command {
    let command = command.mut_subcommands(keep_whole);
    let after = command.get_after_help().map(ToString::to_string);
    let Some(after) = after.filter(|after| after.starts_with(HEADING)) else {
        return command;
    };
    let (examples, rest) = after.split_once("\n\n").unwrap_or((&after, ""));
    command
        .help_template(format!("{BEFORE}\n\n{examples}{{after-help}}"))
        .after_help(rest.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::tool::Arguments;

    fn helps(command: &Command) -> Vec<String> {
        let below = command.get_subcommands().flat_map(helps);
        let help = command.clone().render_help().to_string();
        [help].into_iter().chain(below).collect()
    }

    #[test]
    fn a_narrow_terminal_breaks_what_is_read_and_not_what_is_copied() {
        let [wide, narrow] = [100, 40].map(|columns| {
            let mut nozzle = keep_whole(Arguments::command()).term_width(columns);
            nozzle.build();
            helps(&nozzle)
        });
        let mut plain = Arguments::command().term_width(100);
        plain.build();
        assert_eq!(wide, helps(&plain));
        let mut examples = 0;
        for (wide, narrow) in wide.iter().zip(&narrow) {
            let Some((options, after)) = wide.split_once(HEADING) else {
                continue;
            };
            let (copied, read) = after.split_once("\n\n").unwrap_or((after, ""));
            examples += copied.lines().count();
            assert!(narrow.contains(copied.trim_end()), "{narrow}");
            assert!(!narrow.contains(options), "{narrow}");
            assert!(read.is_empty() || !narrow.contains(read), "{narrow}");
        }
        assert!(examples > 50, "{examples}");
    }
}
