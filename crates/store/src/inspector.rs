//! The directory of inspectors (执法检查人员名录库). What it says of a person, kin among it, is encrypted.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};
use xinheng_core::inspector::Inspector;

use crate::entity::{inspector, staff};
use crate::error::{Result, StoreError};
use crate::keys::Keys;
use crate::people::Staff;
use crate::store::Store;
use crate::writing::Writing;

impl Store {
    /// The inspectors who are in use, in the order of their numbers, after one.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn inspectors(&self, after: i64, limit: u64) -> Result<Vec<(Staff, Inspector)>> {
        self.directory(inspector::Column::Staff.gt(after), limit).await
    }

    /// Those of some staff who are inspectors and in use.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn inspectors_among(&self, staff: &[i64]) -> Result<Vec<(Staff, Inspector)>> {
        self.directory(inspector::Column::Staff.is_in(staff.iter().copied()), staff.len() as u64).await
    }

    async fn directory(&self, wanted: SimpleExpr, limit: u64) -> Result<Vec<(Staff, Inspector)>> {
        let of_staff = inspector::Entity::belongs_to(staff::Entity)
            .from(inspector::Column::Staff)
            .to(staff::Column::Number)
            .into();
        let query = inspector::Entity::find()
            .join(JoinType::InnerJoin, of_staff)
            .select_also(staff::Entity)
            .filter(staff::Column::InUse.eq(true))
            .filter(wanted)
            .order_by_asc(inspector::Column::Staff)
            .limit(limit);
        let rows = query.all(&self.connections.readers).await?;
        rows.into_iter()
            .filter_map(|(row, person)| Some((row, person?)))
            .map(|(row, person)| Ok((Staff::read(person, &self.keys), read(&row, &self.keys)?)))
            .collect()
    }
}

impl Writing {
    /// Adds or changes what the directory says of some staff.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_inspectors(&mut self, inspectors: &[(i64, Inspector)]) -> Result<()> {
        let rows: Vec<inspector::Model> =
            inspectors.iter().map(|(staff, inspector)| row(*staff, inspector, &self.keys)).collect::<Result<_>>()?;
        self.transaction.replace(rows).await
    }

    /// Takes a person out of the directory.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_inspector(&mut self, person: i64) -> Result<()> {
        self.transaction.execute("DELETE FROM inspector WHERE staff = $1", &[person], &[]).await
    }
}

fn purpose(staff: i64) -> String {
    format!("inspector {staff}")
}

fn row(staff: i64, inspector: &Inspector, keys: &Keys) -> Result<inspector::Model> {
    let clear = serde_json::to_vec(inspector).expect("a directory entry is JSON");
    Ok(inspector::Model { staff, sealed: keys.seal(&purpose(staff), &clear)? })
}

fn read(row: &inspector::Model, keys: &Keys) -> Result<Inspector> {
    let damaged = || StoreError::DamagedPeople { table: "inspector" };
    let clear = keys.unseal(&purpose(row.staff), &row.sealed).ok_or_else(damaged)?;
    serde_json::from_slice(&clear).map_err(|_| damaged())
}
