//! People (人员): units, staff, sessions, failed sign-ins, and the settings of the bureau.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use sea_orm::{ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};
use xinheng_core::ledger::{Hash, commitment};
use xinheng_core::record::{Moment, Personal, Seq};
use xinheng_core::staff::{Duties, Role};
use xinheng_core::unit::UnitKind;

use crate::entity::{attempt, bureau_setting, personal, record, session, staff, unit};
use crate::error::{Result, StoreError};
use crate::keys::{Keys, random};
use crate::store::Store;
use crate::writing::Writing;

/// A unit (单位).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Code, by which records name it.
    pub code: String,
    /// 名称
    pub name: String,
    /// Former and short names, by which files name it too.
    pub other_names: Vec<String>,
    /// 股室、所、大队、成员单位
    pub kind: UnitKind,
    /// Whether people can belong to it and hand in for it.
    pub in_use: bool,
}

/// A staff member (工作人员) with everything that sign-in needs. Its `Debug` shows the account only.
#[derive(Clone, PartialEq, Eq)]
pub struct Staff {
    /// Number, dense from 1.
    pub number: i64,
    /// 账号
    pub account: String,
    /// 姓名
    pub name: String,
    /// Code of the unit.
    pub unit: Option<String>,
    /// What the person may do.
    pub duties: Duties,
    /// Roles that were asked for and not granted yet.
    pub proposed: Vec<Role>,
    /// Whether the person may sign in.
    pub in_use: bool,
    /// Hash of the password or the one-time secret; none once that secret was used.
    pub password: Option<String>,
    /// When it was set.
    pub password_set_at: Option<Moment>,
    /// Until when a one-time secret may be used; none for a password of the person's own.
    pub secret_until: Option<Moment>,
    /// Whether a password has to be chosen before anything else.
    pub must_change: bool,
    /// Hashes of the last passwords, the newest first.
    pub previous: Vec<String>,
    /// TOTP.
    pub second_factor: Option<SecondFactor>,
    /// Whether all is as it was written with the bureau's key.
    pub intact: bool,
}

impl Staff {
    /// A person who is new: without a secret yet, and with a password to choose at the first sign-in.
    #[must_use]
    pub fn new(number: i64, account: String, name: String, unit: Option<String>) -> Self {
        Self {
            number,
            account,
            name,
            unit,
            duties: Duties::default(),
            proposed: Vec::new(),
            in_use: true,
            password: None,
            password_set_at: None,
            secret_until: None,
            must_change: true,
            previous: Vec::new(),
            second_factor: None,
            intact: true,
        }
    }
}

impl fmt::Debug for Staff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staff({})", self.account)
    }
}

/// A second factor; the database holds its secret encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The shared secret.
    pub secret: Vec<u8>,
    /// Whether a code has shown that the person has it.
    pub confirmed: bool,
    /// The newest time step of which a code was used: none of it or before is taken again.
    pub last_step: i64,
}

/// A session (会话).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Number, dense from 1.
    pub number: i64,
    /// Number of the staff member.
    pub staff: i64,
    /// Since.
    pub started: Moment,
    /// Last request, to the minute.
    pub last_seen: Moment,
    /// Address.
    pub source: String,
    /// Browser.
    pub agent: String,
    /// When the person last showed the password.
    pub confirmed: Moment,
}

/// Failed sign-ins of one source or account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What is counted.
    pub name: String,
    /// How many failed since.
    pub failures: i64,
    /// The first of them.
    pub since: Moment,
    /// The last of them.
    pub last: Moment,
    /// How often it was locked.
    pub locks: i64,
    /// Until when it is.
    pub locked_until: Option<Moment>,
}

type StaffRow = (
    i64,
    String,
    String,
    Option<String>,
    String,
    String,
    bool,
    Option<String>,
    Option<i64>,
    Option<i64>,
    bool,
    String,
    Option<Vec<u8>>,
    bool,
    i64,
    Vec<u8>,
);

/// The columns of a [`StaffRow`], in the order of the entity.
const STAFF: &str = "SELECT number, account, name, unit, roles, proposed, in_use, password, password_set_at, \
                     secret_until, must_change, previous, second_factor, second_factor_confirmed, last_step, tag \
                     FROM staff";

impl Unit {
    fn read(row: unit::Model) -> Result<Self> {
        let damaged = || StoreError::DamagedPeople { table: "unit" };
        Ok(Self {
            other_names: serde_json::from_str(&row.other_names).map_err(|_| damaged())?,
            kind: UnitKind::parse(&row.kind).ok_or_else(damaged)?,
            code: row.code,
            name: row.name,
            in_use: row.in_use,
        })
    }

    fn row(&self) -> unit::Model {
        unit::Model {
            code: self.code.clone(),
            name: self.name.clone(),
            other_names: json(&self.other_names),
            kind: self.kind.to_string(),
            in_use: self.in_use,
        }
    }
}

impl Staff {
    /// A row that was altered is read as far as it can be, marked as not intact and without any duty.
    pub(crate) fn read(row: staff::Model, keys: &Keys) -> Self {
        let intact = keys.is_tag("staff", &covered(&row), &row.tag);
        let roles = parse_roles(&row.roles);
        Self {
            number: row.number,
            duties: Duties::new(roles.filter(|_| intact).unwrap_or_default()).unwrap_or_default(),
            proposed: parse_roles(&row.proposed).unwrap_or_default(),
            unit: row.unit,
            name: row.name,
            in_use: row.in_use,
            password: row.password,
            password_set_at: row.password_set_at.and_then(Moment::from_micros),
            secret_until: row.secret_until.and_then(Moment::from_micros),
            must_change: row.must_change,
            previous: serde_json::from_str(&row.previous).unwrap_or_default(),
            second_factor: row.second_factor.and_then(|sealed| {
                let (nonce, ciphertext) = sealed.split_first_chunk::<12>()?;
                Some(SecondFactor {
                    secret: keys.decrypt(&second_factor_of(&row.account), nonce, ciphertext)?,
                    confirmed: row.second_factor_confirmed,
                    last_step: row.last_step,
                })
            }),
            account: row.account,
            intact,
        }
    }

    fn row(&self, keys: &Keys) -> Result<staff::Model> {
        let second_factor = match &self.second_factor {
            None => None,
            Some(factor) => {
                let nonce: [u8; 12] = random()?;
                let sealed = keys.encrypt(&second_factor_of(&self.account), &nonce, &factor.secret);
                Some([nonce.as_slice(), &sealed].concat())
            }
        };
        let mut row = staff::Model {
            number: self.number,
            account: self.account.clone(),
            name: self.name.clone(),
            unit: self.unit.clone(),
            roles: join_roles(self.duties.roles()),
            proposed: join_roles(self.proposed.iter().copied()),
            in_use: self.in_use,
            password: self.password.clone(),
            password_set_at: self.password_set_at.map(Moment::micros),
            secret_until: self.secret_until.map(Moment::micros),
            must_change: self.must_change,
            previous: json(&self.previous),
            second_factor,
            second_factor_confirmed: self.second_factor.as_ref().is_some_and(|factor| factor.confirmed),
            last_step: self.second_factor.as_ref().map_or(0, |factor| factor.last_step),
            tag: Vec::new(),
        };
        row.tag = keys.tag("staff", &covered(&row)).to_vec();
        Ok(row)
    }

    /// The person, unless the row was altered.
    ///
    /// # Errors
    /// When it was.
    pub fn unaltered(self) -> Result<Self> {
        if self.intact { Ok(self) } else { Err(StoreError::AlteredStaff(self.account)) }
    }
}

/// Everything that the tag covers: all columns but itself.
fn covered(row: &staff::Model) -> Vec<u8> {
    let columns = (
        (row.number, &row.account, &row.name, &row.unit, &row.roles, &row.proposed, row.in_use),
        (&row.password, row.password_set_at, row.secret_until, row.must_change, &row.previous),
        (&row.second_factor, row.second_factor_confirmed, row.last_step),
    );
    serde_json::to_vec(&columns).expect("columns hold plain values")
}

/// What the secret of a second factor is bound to.
fn second_factor_of(account: &str) -> String {
    format!("\u{1}second factor of {account}")
}

fn parse_roles(names: &str) -> Option<Vec<Role>> {
    names.split(',').filter(|name| !name.is_empty()).map(Role::parse).collect()
}

fn join_roles(roles: impl Iterator<Item = Role>) -> String {
    roles.map(|role| role.to_string()).collect::<Vec<_>>().join(",")
}

fn json(texts: &[String]) -> String {
    serde_json::to_string(texts).expect("texts are JSON")
}

impl Session {
    fn read(row: session::Model) -> Result<Self> {
        let damaged = || StoreError::DamagedPeople { table: "session" };
        Ok(Self {
            number: row.number,
            staff: row.staff,
            started: Moment::from_micros(row.started).ok_or_else(damaged)?,
            last_seen: Moment::from_micros(row.last_seen).ok_or_else(damaged)?,
            source: row.source,
            agent: row.agent,
            // A session of before the column was confirmed when it began.
            confirmed: Moment::from_micros(row.confirmed.unwrap_or(row.started)).ok_or_else(damaged)?,
        })
    }
}

impl Attempt {
    fn read(
        (name, failures, since, last, locks, locked_until): (String, i64, i64, i64, i64, Option<i64>),
    ) -> Result<Self> {
        let damaged = || StoreError::DamagedPeople { table: "attempt" };
        Ok(Self {
            name,
            failures,
            since: Moment::from_micros(since).ok_or_else(damaged)?,
            last: Moment::from_micros(last).ok_or_else(damaged)?,
            locks,
            locked_until: locked_until.and_then(Moment::from_micros),
        })
    }
}

impl Store {
    /// A keyed tag (HMAC-SM3) of bytes for a purpose: of no use for any other.
    #[must_use]
    pub fn tag(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        self.keys.tag(purpose, bytes)
    }

    /// Whether it is the tag of the bytes, in the same time for any answer.
    #[must_use]
    pub fn is_tag(&self, purpose: &str, bytes: &[u8], tag: &[u8]) -> bool {
        self.keys.is_tag(purpose, bytes, tag)
    }

    /// All settings that were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settings(&self) -> Result<BTreeMap<String, String>> {
        let rows = bureau_setting::Entity::find().all(&self.connections.readers).await?;
        Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
    }

    /// All units, in the order of their codes. A bureau has some dozens.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn units(&self) -> Result<Vec<Unit>> {
        let rows = unit::Entity::find().order_by_asc(unit::Column::Code).all(&self.connections.readers).await?;
        rows.into_iter().map(Unit::read).collect()
    }

    /// Staff in the order of their numbers, after one, of a unit or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff(&self, unit: Option<&str>, after: i64, limit: u64) -> Result<Vec<Staff>> {
        let of_unit = unit.map(|unit| staff::Column::Unit.eq(unit));
        let rows = staff::Entity::find()
            .filter(staff::Column::Number.gt(after))
            .filter(Condition::all().add_option(of_unit))
            .order_by_asc(staff::Column::Number)
            .limit(limit)
            .all(&self.connections.readers)
            .await?;
        Ok(rows.into_iter().map(|row| Staff::read(row, &self.keys)).collect())
    }

    /// The names of some staff, by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff_names(&self, numbers: &[i64]) -> Result<HashMap<i64, String>> {
        let names = staff::Entity::find()
            .select_only()
            .column(staff::Column::Number)
            .column(staff::Column::Name)
            .filter(staff::Column::Number.is_in(numbers.iter().copied()));
        Ok(names.into_tuple::<(i64, String)>().all(&self.connections.readers).await?.into_iter().collect())
    }

    /// Staff by account or number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff_member(&self, account: Option<&str>, number: Option<i64>) -> Result<Option<Staff>> {
        let wanted = Condition::any()
            .add_option(account.map(|account| staff::Column::Account.eq(account)))
            .add_option(number.map(|number| staff::Column::Number.eq(number)));
        let row = staff::Entity::find().filter(wanted).one(&self.connections.readers).await?;
        Ok(row.map(|row| Staff::read(row, &self.keys)))
    }

    /// The open session of a token, with its person and the person's unit. Two queries.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn session(&self, token: &[u8; 32]) -> Result<Option<(Session, Staff, Option<Unit>)>> {
        let readers = &self.connections.readers;
        let open = session::Entity::find()
            .filter(session::Column::Token.eq(token.to_vec()))
            .filter(session::Column::Ended.is_null())
            .one(readers)
            .await?;
        let Some(open) = open else { return Ok(None) };
        let of_unit = staff::Entity::belongs_to(unit::Entity).from(staff::Column::Unit).to(unit::Column::Code).into();
        let found = staff::Entity::find_by_id(open.staff)
            .join(JoinType::LeftJoin, of_unit)
            .select_also(unit::Entity)
            .one(readers)
            .await?;
        let Some((person, unit)) = found else { return Ok(None) };
        let person = Staff::read(person, &self.keys);
        Ok(Some((Session::read(open)?, person, unit.map(Unit::read).transpose()?)))
    }

    /// Open sessions, the newest first, before one; of a person or of all, with the person.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn sessions(
        &self,
        person: Option<i64>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<(Session, Option<Staff>)>> {
        let wanted = Condition::all()
            .add(session::Column::Ended.is_null())
            .add_option(person.map(|person| session::Column::Staff.eq(person)))
            .add_option(before.map(|before| session::Column::Number.lt(before)));
        let of_staff =
            session::Entity::belongs_to(staff::Entity).from(session::Column::Staff).to(staff::Column::Number).into();
        let rows = session::Entity::find()
            .filter(wanted)
            .join(JoinType::LeftJoin, of_staff)
            .select_also(staff::Entity)
            .order_by_desc(session::Column::Number)
            .limit(limit)
            .all(&self.connections.readers)
            .await?;
        rows.into_iter()
            .map(|(open, person)| Ok((Session::read(open)?, person.map(|row| Staff::read(row, &self.keys)))))
            .collect()
    }

    /// Failed sign-ins that are counted under these names.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn attempts(&self, names: &[String]) -> Result<Vec<Attempt>> {
        let rows =
            attempt::Entity::find().filter(attempt::Column::Name.is_in(names)).all(&self.connections.readers).await?;
        let read = |row: attempt::Model| {
            Attempt::read((row.name, row.failures, row.since, row.last, row.locks, row.locked_until))
        };
        rows.into_iter().map(read).collect()
    }

    /// One personal value of one record in clear, as the ledger commits to it; `None` when there is none,
    /// because the record has no such field or it was erased. Who calls this tells the audit log.
    ///
    /// # Errors
    /// When the database fails, or the value is not the one that the ledger commits to.
    pub async fn open_personal(&self, seq: Seq, field: &str) -> Result<Option<Personal>> {
        let readers = &self.connections.readers;
        let sealed = personal::Entity::find_by_id((seq.0, field.to_owned())).one(readers).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let committed: Option<String> = record::Entity::find_by_id(seq.0)
            .select_only()
            .column(record::Column::Commitments)
            .into_tuple()
            .one(readers)
            .await?;
        let damaged = || StoreError::Damaged { seq, column: "个人信息" };
        let committed: BTreeMap<String, Hash> =
            serde_json::from_str(&committed.ok_or_else(damaged)?).map_err(|_| damaged())?;
        let clear = self.keys.decrypt(field, &sealed.nonce, &sealed.ciphertext).ok_or_else(damaged)?;
        let (salt, text) = clear.split_first_chunk::<16>().ok_or_else(damaged)?;
        let text = std::str::from_utf8(text).map_err(|_| damaged())?;
        if committed.get(field) != Some(&commitment(salt, field, text)) {
            return Err(damaged());
        }
        Ok(Some(Personal::new(text)))
    }
}

impl Writing {
    /// Makes a setting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_setting(&mut self, name: &str, value: &str) -> Result<()> {
        let row = bureau_setting::Model { name: name.to_owned(), value: value.to_owned() };
        self.transaction.replace(vec![row]).await
    }

    /// Adds or changes units.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_units(&mut self, units: &[Unit]) -> Result<()> {
        self.transaction.replace(units.iter().map(Unit::row).collect()).await
    }

    /// All units as they are in this transaction.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn units(&mut self) -> Result<Vec<Unit>> {
        let rows: Vec<(String, String, String, String, bool)> = self
            .transaction
            .look_up("SELECT code, name, other_names, kind, in_use FROM unit ORDER BY code", &[], &[])
            .await?;
        rows.into_iter()
            .map(|(code, name, other_names, kind, in_use)| {
                Unit::read(unit::Model { code, name, other_names, kind, in_use })
            })
            .collect()
    }

    /// Adds or changes staff.
    ///
    /// # Errors
    /// When the database fails, or a row had been altered: that must not be covered up by a new tag.
    pub async fn put_staff(&mut self, staff: Vec<Staff>) -> Result<()> {
        let rows: Result<Vec<_>> = staff.into_iter().map(|person| person.unaltered()?.row(&self.keys)).collect();
        self.transaction.replace(rows?).await
    }

    /// A staff member as of this transaction.
    ///
    /// # Errors
    /// When the database fails, or the row was altered.
    pub async fn staff_member(&mut self, number: i64) -> Result<Option<Staff>> {
        let rows: Vec<StaffRow> =
            self.transaction.look_up(&format!("{STAFF} WHERE number = $1"), &[number], &[]).await?;
        Ok(self.read_staff(rows)?.pop())
    }

    /// Staff with these accounts.
    ///
    /// # Errors
    /// When the database fails, or a row was altered.
    pub async fn staff_by_account(&mut self, accounts: &[String]) -> Result<Vec<Staff>> {
        let sql = format!("{STAFF} WHERE account IN {{keys}} ORDER BY number");
        let rows: Vec<StaffRow> = self.transaction.look_up(&sql, &[], accounts).await?;
        self.read_staff(rows)
    }

    /// Staff in use who hold this role and no other, as each administrator does.
    ///
    /// # Errors
    /// When the database fails, or a row was altered.
    pub async fn holders(&mut self, role: Role) -> Result<Vec<Staff>> {
        let sql = format!("{STAFF} WHERE in_use AND roles IN {{keys}} ORDER BY number");
        let rows: Vec<StaffRow> = self.transaction.look_up(&sql, &[], &[role.to_string()]).await?;
        self.read_staff(rows)
    }

    /// The number that the next staff member gets.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_staff_number(&mut self) -> Result<i64> {
        self.next_number("staff").await
    }

    fn read_staff(&self, rows: Vec<StaffRow>) -> Result<Vec<Staff>> {
        rows.into_iter()
            .map(|row| {
                let (number, account, name, unit, roles, proposed, in_use, password, ..) = row;
                let (.., password_set_at, secret_until, must_change, previous, sealed, confirmed, last_step, tag) = row;
                let model = staff::Model {
                    number,
                    account,
                    name,
                    unit,
                    roles,
                    proposed,
                    in_use,
                    password,
                    password_set_at,
                    secret_until,
                    must_change,
                    previous,
                    second_factor: sealed,
                    second_factor_confirmed: confirmed,
                    last_step,
                    tag,
                };
                Staff::read(model, &self.keys).unaltered()
            })
            .collect()
    }

    async fn next_number(&mut self, table: &str) -> Result<i64> {
        let sql = format!("SELECT coalesce(max(number), 0) + 1 FROM {table}");
        let rows: Vec<(i64,)> = self.transaction.look_up(&sql, &[], &[]).await?;
        Ok(rows.first().map_or(1, |(number,)| *number))
    }

    /// Opens a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start_session(
        &mut self,
        token: &[u8; 32],
        person: i64,
        at: Moment,
        source: &str,
        agent: &str,
    ) -> Result<i64> {
        let number = self.next_number("session").await?;
        let row = session::Model {
            number,
            token: token.to_vec(),
            staff: person,
            started: at.micros(),
            last_seen: at.micros(),
            source: source.to_owned(),
            agent: agent.to_owned(),
            ended: None,
            confirmed: Some(at.micros()),
        };
        self.transaction.insert(vec![row]).await?;
        Ok(number)
    }

    /// Whose an open session is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_owner(&mut self, number: i64) -> Result<Option<i64>> {
        let rows: Vec<(i64,)> = self
            .transaction
            .look_up("SELECT staff FROM session WHERE number = $1 AND ended IS NULL", &[number], &[])
            .await?;
        Ok(rows.first().map(|(staff,)| *staff))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&mut self, number: i64, at: Moment) -> Result<()> {
        let sql = "UPDATE session SET ended = $1 WHERE number = $2 AND ended IS NULL";
        self.transaction.execute(sql, &[at.micros(), number], &[]).await
    }

    /// Ends all sessions of a person but one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sessions(&mut self, person: i64, but: Option<i64>, at: Moment) -> Result<()> {
        let sql = "UPDATE session SET ended = $1 WHERE staff = $2 AND number <> $3 AND ended IS NULL";
        self.transaction.execute(sql, &[at.micros(), person, but.unwrap_or(0)], &[]).await
    }

    /// Notes a request of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&mut self, number: i64, at: Moment) -> Result<()> {
        let sql = "UPDATE session SET last_seen = $1 WHERE number = $2 AND last_seen < $1";
        self.transaction.execute(sql, &[at.micros(), number], &[]).await
    }

    /// Notes that the person of a session showed the password again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_session(&mut self, number: i64, at: Moment) -> Result<()> {
        let sql = "UPDATE session SET confirmed = $1 WHERE number = $2";
        self.transaction.execute(sql, &[at.micros(), number], &[]).await
    }

    /// Forgets sessions and failed sign-ins that have not moved since, and forms of sessions that have ended long
    /// since; the audit log keeps what happened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_before(&mut self, sessions: Moment, attempts: Moment) -> Result<()> {
        self.transaction.execute("DELETE FROM form WHERE at < $1", &[attempts.micros()], &[]).await?;
        self.transaction.execute("DELETE FROM session WHERE last_seen < $1", &[sessions.micros()], &[]).await?;
        self.transaction.execute("DELETE FROM attempt WHERE last < $1", &[attempts.micros()], &[]).await
    }

    /// Failed sign-ins that are counted under these names.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn attempts(&mut self, names: &[String]) -> Result<Vec<Attempt>> {
        let sql = "SELECT name, failures, since, last, locks, locked_until FROM attempt WHERE name IN {keys}";
        let rows: Vec<(String, i64, i64, i64, i64, Option<i64>)> = self.transaction.look_up(sql, &[], names).await?;
        rows.into_iter().map(Attempt::read).collect()
    }

    /// Counts failed sign-ins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_attempts(&mut self, attempts: Vec<Attempt>) -> Result<()> {
        let row = |attempt: Attempt| attempt::Model {
            name: attempt.name,
            failures: attempt.failures,
            since: attempt.since.micros(),
            last: attempt.last.micros(),
            locks: attempt.locks,
            locked_until: attempt.locked_until.map(Moment::micros),
        };
        self.transaction.replace(attempts.into_iter().map(row).collect()).await
    }

    /// Forgets failed sign-ins of these names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear_attempts(&mut self, names: &[String]) -> Result<()> {
        self.transaction.execute("DELETE FROM attempt WHERE name IN {keys}", &[], names).await
    }
}
