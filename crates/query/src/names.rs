//! The names of a statement: which tables and attributes it asks for.
//!
//! An attribute is a column by its key. Keys have dots, which SQL takes for `table.column`, and
//! capitals, which SQL takes for small letters; so each name that is no table, alias or column of
//! the dataset is put in quotes as it was written before the statement is planned:
//!
//! ```sql
//! select http.route, count(*) from spans where faas.coldstart group by http.route
//! select "http.route", count(*) from spans where "faas.coldstart" group by "http.route"
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SelectItem, Statement, TableAlias, TableFactor,
    VisitMut, VisitorMut,
};

use crate::Dataset;

/// What a statement asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The datasets that it reads, and the attributes of each.
    pub(crate) datasets: BTreeMap<Dataset, BTreeSet<String>>,
}

/// Finds the names of a statement and puts its attributes in quotes.
pub(crate) fn resolve(statement: &mut Statement) -> Names {
    let mut defined = Defined::default();
    let _ = VisitMut::visit(statement, &mut defined);
    let mut quoting = Quoting {
        names: Names::default(),
        defined,
    };
    for dataset in quoting.defined.datasets() {
        quoting.names.datasets.entry(dataset).or_default();
    }
    let _ = VisitMut::visit(statement, &mut quoting);
    quoting.names
}

/// What a statement gives names to.
#[derive(Default)]
struct Defined {
    /// Tables by the names that columns are qualified with.
    tables: BTreeMap<String, Table>,
    /// Names of results, which may stand where a column may.
    aliases: BTreeSet<String>,
}

/// What a name of a table stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Of(Dataset),
    /// A subquery or something that does not exist.
    Other,
}

impl Defined {
    fn datasets(&self) -> Vec<Dataset> {
        let datasets = self.tables.values().filter_map(|table| match table {
            Table::Of(dataset) => Some(*dataset),
            Table::Other => None,
        });
        datasets.collect()
    }

    fn alias(&mut self, alias: &Ident) {
        self.aliases.insert(folded(alias));
    }

    fn table(&mut self, table: Table, alias: Option<&TableAlias>, name: Option<&ObjectName>) {
        if let Some(alias) = alias {
            self.tables.insert(folded(&alias.name), table);
            alias
                .columns
                .iter()
                .for_each(|column| self.alias(&column.name));
        } else if let Some(last) = name.and_then(last_part) {
            // The name of a common table expression was noted before, and wins.
            self.tables.entry(folded(last)).or_insert(table);
        }
    }
}

impl VisitorMut for Defined {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.table(Table::Other, Some(&table.alias), None);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => self.alias(alias),
                SelectItem::ExprWithAliases { aliases, .. } => {
                    aliases.iter().for_each(|alias| self.alias(alias));
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                let part = last_part(name).map(folded);
                let dataset = part.as_deref().and_then(dataset_of);
                // `with spans as (...) select .. from spans` means the expression.
                let shadowed = part.is_some_and(|part| {
                    matches!(self.tables.get(&part), Some(Table::Other)) && name.0.len() == 1
                });
                let table = match dataset {
                    Some(dataset) if !shadowed => Table::Of(dataset),
                    _ => Table::Other,
                };
                self.table(table, alias.as_ref(), Some(name));
            }
            TableFactor::Derived { alias, .. } => self.table(Table::Other, alias.as_ref(), None),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

struct Quoting {
    names: Names,
    defined: Defined,
}

impl Quoting {
    /// A name without a table in front.
    fn bare(&mut self, name: &mut Ident) {
        let plain = folded(name);
        if self.defined.aliases.contains(&plain) {
            return;
        }
        let datasets: Vec<Dataset> = self.names.datasets.keys().copied().collect();
        if datasets
            .iter()
            .any(|dataset| dataset.column(&plain).is_some())
        {
            return;
        }
        for dataset in datasets {
            self.attribute(dataset, &name.value);
        }
        name.quote_style = Some('"');
    }

    fn attribute(&mut self, dataset: Dataset, key: &str) {
        let attributes = self.names.datasets.entry(dataset).or_default();
        attributes.insert(key.to_owned());
    }

    /// A name with dots: a column of a table, or a key, or a key of a table.
    fn dotted(&mut self, parts: &mut Vec<Ident>) -> Option<Ident> {
        let table = self.defined.tables.get(&folded(&parts[0])).copied();
        let Some(table) = table else {
            let mut whole = joined(parts);
            self.bare(&mut whole);
            return Some(whole);
        };
        if let Table::Of(dataset) = table {
            let mut rest = joined(&parts[1..]);
            let column = parts.len() == 2 && dataset.column(&folded(&rest)).is_some();
            if !column {
                self.attribute(dataset, &rest.value);
                rest.quote_style = Some('"');
                parts.truncate(1);
                parts.push(rest);
            }
        }
        None
    }
}

impl VisitorMut for Quoting {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => self.bare(name),
            Expr::CompoundIdentifier(parts) => {
                if let Some(whole) = self.dotted(parts) {
                    *expr = Expr::Identifier(whole);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// A name as SQL compares it.
fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

fn joined(parts: &[Ident]) -> Ident {
    let texts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
    let mut whole = Ident::new(texts.join("."));
    whole.quote_style = parts.iter().find_map(|part| part.quote_style);
    whole
}

fn last_part(name: &ObjectName) -> Option<&Ident> {
    name.0.last().and_then(|part| part.as_ident())
}

fn dataset_of(name: &str) -> Option<Dataset> {
    Dataset::ALL
        .into_iter()
        .find(|dataset| dataset.name() == name)
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;
    use expect_test::{Expect, expect};

    use super::*;

    #[allow(clippy::needless_pass_by_value)]
    fn check(sql: &str, expect: Expect) {
        let mut statements = Parser::parse_sql(&GenericDialect {}, sql).unwrap();
        let names = resolve(&mut statements[0]);
        let mut seen = format!("{}\n", statements[0]);
        for (dataset, attributes) in &names.datasets {
            seen += &format!("{}: {attributes:?}\n", dataset.name());
        }
        expect.assert_eq(&seen);
    }

    #[test]
    fn keys_with_dots_and_capitals_are_quoted() {
        check(
            "select http.route, userId, Name, count(*) as n from spans group by http.route order by n",
            expect![[r#"
                SELECT "http.route", "userId", Name, count(*) AS n FROM spans GROUP BY "http.route" ORDER BY n
                spans: {"http.route", "userId"}
            "#]],
        );
    }

    #[test]
    fn tables_and_their_aliases_are_told_from_keys() {
        check(
            "select s.name, s.http.route, l.body from spans s join logs l on s.trace_id = l.trace_id",
            expect![[r#"
                SELECT s.name, s."http.route", l.body FROM spans s JOIN logs l ON s.trace_id = l.trace_id
                spans: {"http.route"}
                logs: {}
            "#]],
        );
    }

    #[test]
    fn names_of_results_stay() {
        check(
            "with slow as (select service as svc, db.system from spans where duration_ms > 5) \
             select svc, slow.\"db.system\" from slow",
            expect![[r#"
                WITH slow AS (SELECT service AS svc, "db.system" FROM spans WHERE duration_ms > 5) SELECT svc, slow."db.system" FROM slow
                spans: {"db.system"}
            "#]],
        );
    }
}
