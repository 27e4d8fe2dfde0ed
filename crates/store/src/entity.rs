//! The tables as types; their constraints, indexes and triggers are made in [`crate::migration`].
//! Days are ISO text, as the chain hashes them; moments are microseconds since 1970 in UTC.

/// A module per table, as sea-orm wants it. Nothing here has relations: look-ups are sets of keys.
macro_rules! tables {
    ($($(#[$about:meta])* $table:ident = $name:literal { $($(#[$key:meta])* $column:ident: $type:ty,)* })*) => {$(
        $(#[$about])*
        #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "some tables are written by SQL and dumped by tests"))]
        pub(crate) mod $table {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model {
                $($(#[$key])* pub $column: $type,)*
            }

            #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    )*};
}

tables! {
    /// The ledger (台账).
    record = "record" {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        submission: i64,
        line: i64,
        part: i16,
        enterprise: Option<String>,
        kind: String,
        occurred_on: String,
        version: Option<String>,
        received_at: i64,
        source_unit: String,
        document_number: Option<String>,
        supersedes: Option<i64>,
        withdrawn: bool,
        payload: String,
        commitments: String,
        identity: Option<Vec<u8>>,
        content: Option<Vec<u8>>,
        mark: Vec<u8>,
        hash: Vec<u8>,
    }

    /// Personal values, encrypted with their salts. Deleting a row erases the person.
    personal = "personal" {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        field: String,
        nonce: Vec<u8>,
        ciphertext: Vec<u8>,
        lookup: Vec<u8>,
    }

    /// Projection: the current row of each identity.
    current_record = "current_record" {
        #[sea_orm(primary_key, auto_increment = false)]
        identity: Vec<u8>,
        seq: i64,
    }

    /// Projection: registered enterprises.
    enterprise = "enterprise" {
        #[sea_orm(primary_key, auto_increment = false)]
        code: String,
        name: Option<String>,
        status: Option<String>,
        type_class: Option<String>,
        region: Option<String>,
        town: Option<String>,
        established_on: Option<String>,
        main_identity: Option<String>,
        registration_number: Option<String>,
        seq: i64,
    }

    /// Projection: records that wait for their enterprise, with the key that will identify it.
    waiting = "waiting" {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        key_column: Option<String>,
        given: Option<String>,
    }

    /// Projection: records whose enterprise a later record (`seq`) has told.
    matched = "matched" {
        #[sea_orm(primary_key, auto_increment = false)]
        record: i64,
        enterprise: String,
        seq: i64,
    }

    /// Projection: levels that were, until a later run put another into `current_level`.
    past_level = "past_level" {
        #[sea_orm(primary_key, auto_increment = false)]
        enterprise: String,
        #[sea_orm(primary_key, auto_increment = false)]
        scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        run: i64,
        as_of: String,
        level: Option<String>,
        total_milli: Option<i64>,
        in_force: bool,
        model: String,
    }

    /// Projection: the newest level of each enterprise and scope. A level of NULL: no longer graded in that scope.
    current_level = "current_level" {
        #[sea_orm(primary_key, auto_increment = false)]
        enterprise: String,
        #[sea_orm(primary_key, auto_increment = false)]
        scope: String,
        run: i64,
        as_of: String,
        level: Option<String>,
        total_milli: Option<i64>,
        in_force: bool,
        model: String,
    }

    /// Projection: what enterprises are found by; `seq` is the registration's, which names one enterprise.
    /// The index over `pairs` is a table of its own on SQLite, kept by triggers.
    searched = "searched" {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        code: String,
        name: String,
        pairs: String,
    }

    /// Projection: graded and registered enterprises in the order of a list, see [`crate::graded`].
    graded = "graded" {
        #[sea_orm(primary_key, auto_increment = false)]
        scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        level: String,
        #[sea_orm(primary_key, auto_increment = false)]
        points: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        enterprise: String,
        town: String,
        status: String,
    }

    /// Projection: how many of them stand at a level.
    level_count = "level_count" {
        #[sea_orm(primary_key, auto_increment = false)]
        scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        town: String,
        #[sea_orm(primary_key, auto_increment = false)]
        level: String,
        enterprises: i64,
    }

    /// Projection: enterprises whose received level is another than our general one.
    differing = "differing" {
        #[sea_orm(primary_key, auto_increment = false)]
        enterprise: String,
        received: String,
        own: String,
    }

    /// Projection: the runs' levels that are another than the enterprise had before, by run.
    level_change = "level_change" {
        #[sea_orm(primary_key, auto_increment = false)]
        run: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        enterprise: String,
        before: Option<String>,
        after: Option<String>,
    }

    /// Projection: the last record of each day. A day ends with the first record of a later one.
    day_head = "day_head" {
        #[sea_orm(primary_key, auto_increment = false)]
        day: String,
        seq: i64,
        hash: Vec<u8>,
    }

    /// Projection: clocks (期限), by the record that started them.
    deadline = "deadline" {
        #[sea_orm(primary_key, auto_increment = false)]
        rule: String,
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        kind: String,
        match_key: String,
        enterprise: Option<String>,
        owed_by: String,
        started_on: String,
        done_on: Option<String>,
        due_on: String,
        provisional: bool,
        paused_on: Option<String>,
        ended_on: Option<String>,
        in_time: bool,
        yellow_on: String,
        red_on: String,
    }

    /// Projection: what happened to the clocks of a key.
    deadline_event = "deadline_event" {
        #[sea_orm(primary_key, auto_increment = false)]
        match_key: String,
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        effect: String,
        happened_on: String,
        enterprise: Option<String>,
    }

    /// Projection: records that reached us too late.
    late_submission = "late_submission" {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        kind: String,
        unit: String,
        formed_on: String,
        due_on: String,
        received_on: String,
        days_late: i64,
        provisional: bool,
    }

    /// Which rulebook a projection was computed with; no row before its first.
    projection_basis = "projection_basis" {
        #[sea_orm(primary_key, auto_increment = false)]
        projection: String,
        rulebook: String,
    }

    /// Projection: matters of approval (审批事项), as their last step left them.
    matter = "matter" {
        #[sea_orm(primary_key, auto_increment = false)]
        number: i64,
        procedure: String,
        subject: String,
        unit: String,
        handler: i64,
        stage: String,
        opened_at: i64,
        last: i64,
        proposal: String,
    }

    /// Projection: the steps of matters.
    matter_step = "matter_step" {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        matter: i64,
        action: String,
        capacity: String,
        stage: String,
        person: i64,
        at: i64,
        opinion: Option<String>,
    }

    /// Projection: what matters are about, so that two of them do not propose the same.
    matter_target = "matter_target" {
        #[sea_orm(primary_key, auto_increment = false)]
        target: String,
        #[sea_orm(primary_key, auto_increment = false)]
        matter: i64,
    }

    /// Projection: plans of inspections (抽查计划) that were approved. `names`: the step that published whom it visited.
    plan = "plan" {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        number: String,
        title: String,
        item: String,
        unit: String,
        window_from: String,
        window_until: String,
        proposal: String,
        names: Option<i64>,
    }

    /// Projection: draws (抽查), as their last step left them. Its certificate is in the record of that step.
    draw = "draw" {
        #[sea_orm(primary_key, auto_increment = false)]
        number: String,
        plan: i64,
        state: String,
        deadline: String,
        issue: Option<String>,
        frozen: i64,
        step: i64,
    }

    /// Projection: visits (检查任务).
    visit = "visit" {
        #[sea_orm(primary_key, auto_increment = false)]
        plan: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        place: i64,
        enterprise: String,
        drawn: bool,
        lead: Option<i64>,
        second: Option<i64>,
        state: String,
        result: Option<i64>,
    }

    /// What draws keep secret: who stands behind the blinds, and the random bytes. Encrypted; the chain has the hashes.
    draw_secret = "draw_secret" {
        #[sea_orm(primary_key, auto_increment = false)]
        draw: String,
        sealed: Vec<u8>,
    }

    /// Files and forms that were handed in.
    submission = "submission" {
        #[sea_orm(primary_key, auto_increment = false)]
        number: i64,
        file_name: String,
        file_digest: Vec<u8>,
        table_id: String,
        unit: String,
        edition: Option<String>,
        received_at: i64,
        finished: bool,
        counts: Option<String>,
    }

    /// Every version of the rules that anything was computed with.
    rulebook = "rulebook" {
        #[sea_orm(primary_key, auto_increment = false)]
        version: String,
        bundle: Vec<u8>,
    }

    /// Settings of the bureau.
    bureau_setting = "bureau_setting" {
        #[sea_orm(primary_key, auto_increment = false)]
        name: String,
        value: String,
    }

    /// Units (单位). Other names as a JSON array.
    unit = "unit" {
        #[sea_orm(primary_key, auto_increment = false)]
        code: String,
        name: String,
        other_names: String,
        kind: String,
        in_use: bool,
    }

    /// Staff (工作人员). The tag covers all other columns.
    staff = "staff" {
        #[sea_orm(primary_key, auto_increment = false)]
        number: i64,
        account: String,
        name: String,
        unit: Option<String>,
        roles: String,
        proposed: String,
        in_use: bool,
        password: Option<String>,
        password_set_at: Option<i64>,
        secret_until: Option<i64>,
        must_change: bool,
        previous: String,
        second_factor: Option<Vec<u8>>,
        second_factor_confirmed: bool,
        last_step: i64,
        tag: Vec<u8>,
    }

    /// The directory of inspectors (执法检查人员名录库), encrypted.
    inspector = "inspector" {
        #[sea_orm(primary_key, auto_increment = false)]
        staff: i64,
        sealed: Vec<u8>,
    }

    /// Sessions (会话). Only a keyed digest of the token is kept.
    session = "session" {
        #[sea_orm(primary_key, auto_increment = false)]
        number: i64,
        token: Vec<u8>,
        staff: i64,
        started: i64,
        last_seen: i64,
        source: String,
        agent: String,
        ended: Option<i64>,
        confirmed: Option<i64>,
    }

    /// Failed sign-ins by what they are counted for: a source or an account, be it one that exists or not.
    attempt = "attempt" {
        #[sea_orm(primary_key, auto_increment = false)]
        name: String,
        failures: i64,
        since: i64,
        last: i64,
        locks: i64,
        locked_until: Option<i64>,
    }

    /// Forms that were carried out.
    form = "form" {
        #[sea_orm(primary_key, auto_increment = false)]
        key: String,
        at: i64,
    }

    /// The audit log (审计日志).
    audit = "audit" {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        at: i64,
        staff: Option<i64>,
        account: String,
        roles: String,
        unit: String,
        source: String,
        event: String,
        object: String,
        outcome: String,
        detail: String,
        request: String,
        hash: Vec<u8>,
        mark: Vec<u8>,
    }
}
