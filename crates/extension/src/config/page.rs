//! Holds the table of variables on the user's page to what there is.

use expect_test::expect_file;

use super::*;

const BEGIN: &str =
    "<!-- Variables: `UPDATE_EXPECT=1 cargo test -p throughline-extension page` writes them. -->\n";
const END: &str = "<!-- Variables end. -->\n";

#[test]
fn the_page_has_the_variables_that_there_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/extension.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let ours = KEYS
        .iter()
        .filter(|key| key.name.starts_with("THROUGHLINE_"));
    let rows: String = ours
        .map(|key| {
            let default = key
                .default
                .map_or(String::new(), |default| format!("`{default}`"));
            let standard = key
                .standard
                .map_or(String::new(), |name| format!("; also `{name}`"));
            let what = key.what.replace('|', "\\|");
            format!("| `{}` | {default} | {what}{standard} |\n", key.name)
        })
        .collect();
    let table = format!("| variable | default | what it is |\n|---|---|---|\n{rows}");
    let expected = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    expect_file![path].assert_eq(&expected);
}
