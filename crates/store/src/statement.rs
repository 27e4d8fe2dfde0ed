//! A statement in the making, for what the query builder cannot say: the same text on both databases.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement, Value};

use crate::error::Result;

/// SQL with its values; a value's place is `$1`, `$2` ….
#[derive(Clone, Default)]
pub(crate) struct Sql {
    pub(crate) text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let _ = write!(self.text, "${}", self.values.len());
        self
    }

    /// Values in brackets.
    pub(crate) fn bind_all<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        let mut between = "(";
        for value in values {
            self.push(between).bind(value);
            between = ", ";
        }
        // A list of nothing is no SQL.
        self.push(if between == "(" { "(NULL)" } else { ")" })
    }

    /// The rows; the statement is spent.
    pub(crate) async fn all(&mut self, connection: &DatabaseConnection) -> Result<Vec<QueryResult>> {
        let Self { text, values } = std::mem::take(self);
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), text, values);
        Ok(connection.query_all_raw(statement).await?)
    }

    /// The number in the only row.
    pub(crate) async fn number(&mut self, connection: &DatabaseConnection) -> Result<i64> {
        let rows = self.all(connection).await?;
        Ok(rows.first().map(|row| row.try_get_by_index::<Option<i64>>(0)).transpose()?.flatten().unwrap_or(0))
    }
}
