//! Forms that were carried out, so that the same one is not carried out twice; and when a session's person
//! last showed the password.

use sea_orm_migration::prelude::*;

use super::{Schema, number};

/// Forms and confirmations.
pub(super) struct Forms;

impl MigrationName for Forms {
    fn name(&self) -> &'static str {
        "m20261125_000005_forms"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Forms {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schema = Schema::of(manager);
        let form = Table::create()
            .table("form")
            .col(schema.key("key").not_null().primary_key())
            .col(number("at").not_null())
            .extra(schema.without_rowid())
            .take();
        manager.create_table(form).await?;
        let confirmed = Table::alter().table("session").add_column(number("confirmed")).take();
        manager.alter_table(confirmed).await
    }
}
