//! Directory (名录): enterprises found by a name or code, and listed by what they are. Every page is a few
//! statements over indexes, whatever it is asked for.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use sea_orm::{DbBackend, QueryResult};
use serde::Serialize;
use xinheng_core::classify::COMBINED;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Seq};
use xinheng_core::search::Wanted;

use crate::entry::day;
use crate::error::{Result, StoreError};
use crate::graded::NO_POINTS;
use crate::reading::code;
use crate::statement::Sql;
use crate::store::Store;

/// Most enterprises that one search finds: who pages further had better type more.
pub const MOST_FOUND: usize = 200;
/// Most enterprises among which a name is looked for together with other filters.
const MOST_NAMED: u64 = 10_000;
/// Most enterprises that are counted.
const MOST_COUNTED: u64 = 10_000;
/// Signs of a credit code up to the end of its region (GB 32100-2015).
const REGION_CODE: usize = 8;
/// Rows in which initials are looked for before the index is asked: few beside a million.
const FIRST_ROWS: i64 = 25_000;
/// Up to so many graded enterprises are put in the order of their codes when they are asked for; beyond,
/// the codes are walked, and enough of them are met.
const SPARSE: i64 = 20_000;

/// The 登记状态 of most enterprises.
const OPERATING: &str = "operating";

/// How a search found an enterprise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// The whole credit code.
    Code,
    /// Begin of the name.
    NameBegin,
    /// Begin of the credit code.
    CodeBegin,
    /// Somewhere in the name or in its initials.
    Within,
}

/// An enterprise that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// 名称
    pub name: Option<String>,
    /// Code of the 登记状态.
    pub status: Option<String>,
    /// 所属乡镇
    pub town: Option<String>,
    /// How.
    pub by: MatchedBy,
}

/// A page of what a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Hits, the likeliest first.
    pub hits: Vec<Hit>,
    /// Hits to skip for the next page; none: this was the last.
    pub next: Option<usize>,
    /// More than [`MOST_FOUND`] are meant: type more.
    pub too_many: bool,
}

/// What enterprises are listed by.
#[derive(Clone, Debug, Default)]
pub struct EnterpriseFilter {
    /// Scope of the level; the combined level when none is given. One that is given lists only
    /// enterprises graded in it.
    pub scope: Option<String>,
    /// Level in that scope.
    pub level: Option<String>,
    /// 所属乡镇
    pub town: Option<String>,
    /// Code of the 登记状态.
    pub status: Option<String>,
    /// Part of the name or code.
    pub wanted: Option<Wanted>,
    /// Order.
    pub order: EnterpriseOrder,
}

/// Order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnterpriseOrder {
    /// By credit code.
    #[default]
    Code,
    /// By level, the greatest risk first, and by points within it. Only graded enterprises.
    Level,
}

/// A row of a list: the place from which the next or previous page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    level: String,
    points: i64,
    code: CreditCode,
}

/// Which page of a list. Its text (`after-D-12000-91…`) goes into the address of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// The first.
    #[default]
    First,
    /// The one after a row.
    After(Place),
    /// The one before a row.
    Before(Place),
}

/// A text that names no page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("页面地址中的翻页位置无法识别。请回到第一页重新翻页")]
pub struct NoSuchTurn;

/// An enterprise in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// 名称
    pub name: Option<String>,
    /// Code of the 登记状态.
    pub status: Option<String>,
    /// 登记主体类别
    pub type_class: Option<String>,
    /// 所属乡镇
    pub town: Option<String>,
    /// Level in the scope asked for.
    pub level: Option<String>,
    /// Points, in thousandths.
    pub total_milli: Option<i64>,
    /// Whether the level may act.
    pub in_force: bool,
    /// The run that found it.
    pub run: Option<Seq>,
    /// The day it is of.
    pub as_of: Option<Day>,
}

/// An enterprise that a scope grades or has graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EverGraded {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// 名称
    pub name: Option<String>,
    /// 所属乡镇
    pub town: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Rows.
    pub rows: Vec<Listed>,
    /// The previous page, if there is one.
    pub before: Option<Turn>,
    /// The next page, if there is one.
    pub after: Option<Turn>,
}

/// How many there are, counted up to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// More than so many.
    MoreThan(u64),
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, number) = match self {
            Self::Exactly(number) => ("", number),
            Self::MoreThan(number) => ("超过 ", number),
        };
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
        write!(f, "{words}{}", groups.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, place) = match self {
            Self::First => return f.write_str("first"),
            Self::After(place) => ("after", place),
            Self::Before(place) => ("before", place),
        };
        // The level comes last: only it may hold the sign between the parts.
        write!(f, "{word}~{}~{}~{}", place.code, place.points, place.level)
    }
}

impl FromStr for Turn {
    type Err = NoSuchTurn;

    fn from_str(text: &str) -> Result<Self, NoSuchTurn> {
        let mut parts = text.splitn(4, '~');
        let word = parts.next().unwrap_or_default();
        if matches!(word, "" | "first") {
            return Ok(Self::First);
        }
        let mut next = || parts.next().ok_or(NoSuchTurn);
        let place = Place {
            code: CreditCode::parse(next()?).map_err(|_| NoSuchTurn)?,
            points: next()?.parse().map_err(|_| NoSuchTurn)?,
            level: next()?.to_owned(),
        };
        match word {
            "after" => Ok(Self::After(place)),
            "before" => Ok(Self::Before(place)),
            _ => Err(NoSuchTurn),
        }
    }
}

impl EnterpriseFilter {
    fn shown_scope(&self) -> &str {
        self.scope.as_deref().unwrap_or(COMBINED)
    }

    /// Whether only graded enterprises are meant.
    fn graded(&self) -> bool {
        self.scope.is_some() || self.level.is_some() || self.order == EnterpriseOrder::Level
    }
}

/// What a list is drawn from: `code`, `level`, `points` and the conditions so far.
struct Source {
    sql: Sql,
    code: &'static str,
    level: &'static str,
    points: &'static str,
}

impl Store {
    /// Searches for enterprises, leaving out those of earlier pages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn search(&self, wanted: &Wanted, skip: usize, limit: usize) -> Result<Found> {
        let readers = &self.connections.readers;
        let most = MOST_FOUND as i64 + 1;
        let mut found: Vec<(String, MatchedBy)> = Vec::new();
        if let Some(begin) = &wanted.code {
            let rows = codes_beginning(begin, most).all(readers).await?;
            for row in &rows {
                let code: String = row.try_get_by_index(0)?;
                let by = if code == *begin { MatchedBy::Code } else { MatchedBy::CodeBegin };
                found.push((code, by));
            }
        }
        let mut begins = Sql::new("SELECT code FROM searched WHERE name >= ");
        begins.bind(wanted.name.as_str()).push(" AND name < ").bind(format!("{}\u{10ffff}", wanted.name));
        begins.push(" ORDER BY name, code LIMIT ").bind(most);
        for row in begins.all(readers).await? {
            found.push((row.try_get_by_index(0)?, MatchedBy::NameBegin));
        }
        // What only holds the text comes after all of these: it is not asked for when they are too many already, or when
        // the text is so much of a code that there is that no name holds it.
        let is_code = !found.is_empty() && wanted.code.as_ref().is_some_and(|begin| begin.len() >= REGION_CODE);
        if found.len() <= MOST_FOUND && !is_code {
            let mut rows = self.common(wanted, most).await?;
            if rows.len() <= MOST_FOUND {
                let mut within = Sql::new("SELECT code FROM (");
                self.holding(&mut within, wanted, most);
                rows = within.push(") AS found ORDER BY seq").all(readers).await?;
            }
            for row in rows {
                found.push((row.try_get_by_index(0)?, MatchedBy::Within));
            }
        }
        // Stable: within each way of matching, the order in which they came.
        found.sort_by_key(|(_, by)| *by);
        let mut seen = std::collections::HashSet::new();
        found.retain(|(code, _)| seen.insert(code.clone()));
        let too_many = found.len() > MOST_FOUND;
        found.truncate(MOST_FOUND);
        let next = Some(skip + limit).filter(|next| *next < found.len());
        let page: Vec<_> = found.into_iter().skip(skip).take(limit).collect();

        let mut details = Sql::new("SELECT code, name, status, town FROM enterprise WHERE code IN ");
        details.bind_all(page.iter().map(|(code, _)| code.as_str()));
        let details = details.all(readers).await?;
        let mut details: HashMap<String, &QueryResult> =
            details.iter().map(|row| Ok((row.try_get("", "code")?, row))).collect::<Result<_>>()?;
        let mut hits = Vec::with_capacity(page.len());
        for (found, by) in page {
            // Between two statements an enterprise may be struck off.
            let Some(row) = details.remove(&found) else { continue };
            let (name, status, town) = (row.try_get("", "name")?, row.try_get("", "status")?, row.try_get("", "town")?);
            hits.push(Hit { code: code(&found)?, name, status, town, by });
        }
        Ok(Found { hits, next, too_many })
    }

    /// Enterprises among the first rows whose initials hold the pairs. There are few letters, so that initials are common
    /// and enough rows are found here; PostgreSQL's index would first gather every row that has one of the pairs, and
    /// SQLite's stops by itself.
    async fn common(&self, wanted: &Wanted, most: i64) -> Result<Vec<QueryResult>> {
        let readers = &self.connections.readers;
        let initials = wanted.name.bytes().all(|letter| letter.is_ascii_lowercase());
        if !initials || readers.get_database_backend() == DbBackend::Sqlite {
            return Ok(Vec::new());
        }
        let mut first = Sql::new("SELECT code FROM (SELECT code, pairs FROM searched LIMIT ");
        first.bind(FIRST_ROWS).push(") AS first WHERE pairs LIKE ").bind(format!("%{}%", wanted.pairs.join(" ")));
        first.push(" LIMIT ").bind(most).all(readers).await
    }

    /// `code` and `seq` of up to so many enterprises whose name or initials hold the pairs.
    fn holding(&self, sql: &mut Sql, wanted: &Wanted, most: i64) {
        let phrase = wanted.pairs.join(" ");
        if self.connections.readers.get_database_backend() == DbBackend::Sqlite {
            sql.push(
                "SELECT s.code, s.seq FROM (SELECT rowid AS place FROM searched_pairs WHERE searched_pairs MATCH ",
            );
            sql.bind(format!("\"{phrase}\"")).push(" ORDER BY rowid LIMIT ").bind(most);
            sql.push(") AS hit CROSS JOIN searched AS s ON s.seq = hit.place");
        } else {
            let all: Vec<String> = wanted.pairs.iter().map(|pair| format!("'{pair}'")).collect();
            // The index knows which pairs a name has, not in which order.
            sql.push("SELECT code, seq FROM searched WHERE array_to_tsvector(string_to_array(pairs, ' ')) @@ ");
            sql.bind(all.join(" & ")).push("::tsquery AND pairs LIKE ").bind(format!("%{phrase}%"));
            sql.push(" LIMIT ").bind(most);
        }
    }

    /// A page of enterprises: two or three statements.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn list(&self, filter: &EnterpriseFilter, turn: &Turn, limit: u64) -> Result<Listing> {
        let mut source = self.source(filter).await?;
        let (forward, place) = match turn {
            Turn::First => (true, None),
            Turn::After(place) => (true, Some(place)),
            Turn::Before(place) => (false, Some(place)),
        };
        let order: Vec<&str> = match filter.order {
            EnterpriseOrder::Code => vec![source.code],
            // A level that is given is no part of the order, so that the index is entered at the place.
            EnterpriseOrder::Level if filter.level.is_some() => vec![source.points, source.code],
            EnterpriseOrder::Level => vec![source.level, source.points, source.code],
        };
        // Codes go up, risks go down.
        let up = (filter.order == EnterpriseOrder::Code) == forward;
        if let Some(place) = place {
            let sql = &mut source.sql;
            sql.push(" AND (").push(&order.join(", ")).push(if up { ") > (" } else { ") < (" });
            match order.len() {
                1 => {}
                2 => {
                    sql.bind(place.points).push(", ");
                }
                _ => {
                    sql.bind(place.level.as_str()).push(", ").bind(place.points).push(", ");
                }
            }
            sql.bind(place.code.as_str()).push(")");
        }
        let direction = if up { " ASC" } else { " DESC" };
        let by = |names: &[&str]| names.iter().map(|name| format!("{name}{direction}")).collect::<Vec<_>>().join(", ");
        let mut sql = Sql::new("");
        std::mem::swap(&mut sql, &mut source.sql);
        sql.push(" ORDER BY ").push(&by(&order)).push(" LIMIT ").bind(limit as i64 + 1);
        sql.text = format!(
            "SELECT p.code, p.level AS sorted_level, p.points, e.name, e.status, e.type_class, e.town, c.level, \
             c.total_milli, c.in_force, c.run, c.as_of FROM ({}) AS p CROSS JOIN enterprise AS e \
             LEFT JOIN current_level AS c ON c.enterprise = p.code AND c.scope = ",
            sql.text
        );
        sql.bind(filter.shown_scope()).push(" WHERE e.code = p.code ORDER BY ");
        let outer: &[&str] = match filter.order {
            EnterpriseOrder::Code => &["p.code"],
            EnterpriseOrder::Level => &["p.level", "p.points", "p.code"],
        };
        let rows = sql.push(&by(outer)).all(&self.connections.readers).await?;
        let mut listed: Vec<(Listed, Place)> = rows.iter().map(listed).collect::<Result<_>>()?;
        let more = listed.len() as u64 > limit;
        listed.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        if !forward {
            listed.reverse();
        }
        let first = listed.first().map(|(_, place)| place.clone());
        let last = listed.last().map(|(_, place)| place.clone());
        Ok(Listing {
            before: first.filter(|_| if forward { place.is_some() } else { more }).map(Turn::Before),
            after: last.filter(|_| if forward { more } else { true }).map(Turn::After),
            rows: listed.into_iter().map(|(row, _)| row).collect(),
        })
    }

    /// A page of those who are graded in a scope or were before, in the order of their codes after one of them; and the
    /// code after which the next page begins, if there is one. One statement.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn ever_graded(
        &self,
        scope: &str,
        after: Option<CreditCode>,
        limit: u64,
    ) -> Result<(Vec<EverGraded>, Option<CreditCode>)> {
        let mut sql = Sql::new(
            "SELECT ever.code, e.name, e.town FROM (SELECT code FROM (\
             SELECT g.enterprise AS code FROM graded AS g WHERE g.scope = ",
        );
        sql.bind(scope).push(
            " UNION ALL SELECT c.enterprise FROM current_level AS c CROSS JOIN enterprise AS r \
             WHERE c.level IS NULL AND r.code = c.enterprise AND c.scope = ",
        );
        sql.bind(scope).push(") AS graded_or_ended");
        if let Some(after) = after {
            sql.push(" WHERE code > ").bind(after.as_str());
        }
        sql.push(" ORDER BY code LIMIT ").bind(limit as i64 + 1);
        sql.push(") AS ever CROSS JOIN enterprise AS e WHERE e.code = ever.code ORDER BY ever.code");
        let rows = sql.all(&self.connections.readers).await?;
        let ever = |row: &QueryResult| {
            let code = code(&row.try_get::<String>("", "code")?)?;
            Ok(EverGraded { code, name: row.try_get("", "name")?, town: row.try_get("", "town")? })
        };
        let mut page: Vec<EverGraded> = rows.iter().map(ever).collect::<Result<_>>()?;
        let more = page.len() as u64 > limit;
        page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = page.last().filter(|_| more).map(|last| last.code);
        Ok((page, next))
    }

    /// How many enterprises a filter finds, counted up to a bound.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_count(&self, filter: &EnterpriseFilter) -> Result<Count> {
        let mut sql = self.source(filter).await?.sql;
        sql.text = format!("SELECT count(*) FROM ({}", sql.text);
        sql.push(" LIMIT ").bind(MOST_COUNTED as i64 + 1).push(") AS counted");
        let number = sql.number(&self.connections.readers).await?.unsigned_abs();
        Ok(if number > MOST_COUNTED { Count::MoreThan(MOST_COUNTED) } else { Count::Exactly(number) })
    }

    /// Whether so many names hold what is looked for that a list with it is not complete.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_too_common(&self, wanted: &Wanted) -> Result<bool> {
        let mut sql = Sql::new("SELECT count(*) FROM (");
        self.holding(&mut sql, wanted, MOST_NAMED as i64 + 1);
        Ok(sql.push(") AS found").number(&self.connections.readers).await?.unsigned_abs() > MOST_NAMED)
    }

    /// Towns that enterprises are registered in, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn towns(&self) -> Result<Vec<String>> {
        // From town to town over the index: a step for each, however many enterprises are there.
        let mut sql = Sql::new(
            "WITH RECURSIVE step(town) AS (SELECT (SELECT town FROM enterprise WHERE town IS NOT NULL ORDER BY town LIMIT 1) \
             UNION ALL SELECT (SELECT e.town FROM enterprise AS e WHERE e.town > step.town ORDER BY e.town LIMIT 1) \
             FROM step WHERE step.town IS NOT NULL) SELECT town FROM step WHERE town IS NOT NULL",
        );
        let rows = sql.all(&self.connections.readers).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    async fn source(&self, filter: &EnterpriseFilter) -> Result<Source> {
        if filter.wanted.is_none() && filter.graded() {
            let by_code = filter.order == EnterpriseOrder::Code;
            if !by_code || self.graded_count(filter).await? <= SPARSE {
                return Ok(graded(filter));
            }
        }
        Ok(self.registered(filter))
    }

    async fn graded_count(&self, filter: &EnterpriseFilter) -> Result<i64> {
        let mut sql = Sql::new("SELECT CAST(sum(enterprises) AS BIGINT) FROM level_count WHERE scope = ");
        sql.bind(filter.shown_scope());
        for (column, value) in [("town", &filter.town), ("level", &filter.level)] {
            if let Some(value) = value {
                sql.push(&format!(" AND {column} = ")).bind(value.as_str());
            }
        }
        sql.number(&self.connections.readers).await
    }

    /// Drawn from registered enterprises in the order of their codes, or from those with a name.
    fn registered(&self, filter: &EnterpriseFilter) -> Source {
        let points = "coalesce(c.total_milli, -1)";
        debug_assert_eq!(NO_POINTS, -1);
        let mut sql = Sql::new(&format!("SELECT e.code AS code, c.level AS level, {points} AS points FROM "));
        match &filter.wanted {
            None => {
                sql.push("enterprise AS e");
            }
            Some(wanted) => {
                sql.push("(SELECT code FROM (");
                self.holding(&mut sql, wanted, MOST_NAMED as i64);
                sql.push(") AS held");
                if let Some(begin) = &wanted.code {
                    sql.push(" UNION SELECT code FROM (SELECT code FROM enterprise WHERE code BETWEEN ");
                    sql.bind(begin.as_str()).push(" AND ").bind(format!("{begin}~"));
                    sql.push(" ORDER BY code LIMIT ").bind(MOST_NAMED as i64).push(") AS begun");
                }
                sql.push(") AS named CROSS JOIN enterprise AS e");
            }
        }
        if filter.graded() {
            sql.push(
                " CROSS JOIN current_level AS c WHERE c.enterprise = e.code AND c.level IS NOT NULL AND c.scope = ",
            );
        } else {
            sql.push(" LEFT JOIN current_level AS c ON c.enterprise = e.code AND c.scope = ");
        }
        sql.bind(filter.shown_scope());
        if !filter.graded() {
            sql.push(" WHERE TRUE");
        }
        if filter.wanted.is_some() {
            sql.push(" AND e.code = named.code");
        }
        for (column, value) in [("e.town", &filter.town), ("e.status", &filter.status), ("c.level", &filter.level)] {
            if let Some(value) = value {
                sql.push(&format!(" AND {column} = ")).bind(value.as_str());
            }
        }
        // Spelt out: an index is only of those who are not, see the migration `listing`.
        if filter.status.as_deref().is_some_and(|status| status != OPERATING) {
            sql.push(&format!(" AND e.status <> '{OPERATING}'"));
        }
        Source { sql, code: "e.code", level: "c.level", points }
    }
}

/// Drawn from graded enterprises in the order of their risk.
fn graded(filter: &EnterpriseFilter) -> Source {
    let mut sql =
        Sql::new("SELECT g.enterprise AS code, g.level AS level, g.points AS points FROM graded AS g WHERE g.scope = ");
    sql.bind(filter.shown_scope());
    for (column, value) in [("g.town", &filter.town), ("g.level", &filter.level), ("g.status", &filter.status)] {
        if let Some(value) = value {
            sql.push(&format!(" AND {column} = ")).bind(value.as_str());
        }
    }
    Source { sql, code: "g.enterprise", level: "g.level", points: "g.points" }
}

/// A credit code sorts below `~`, whatever it begins with.
fn codes_beginning(begin: &str, most: i64) -> Sql {
    let mut sql = Sql::new("SELECT code FROM enterprise WHERE code BETWEEN ");
    sql.bind(begin).push(" AND ").bind(format!("{begin}~")).push(" ORDER BY code LIMIT ").bind(most);
    sql
}

fn listed(row: &QueryResult) -> Result<(Listed, Place)> {
    let code = code(&row.try_get::<String>("", "code")?)?;
    let as_of: Option<String> = row.try_get("", "as_of")?;
    let damaged = || StoreError::DamagedProjection { table: "current_level" };
    let place = Place {
        level: row.try_get::<Option<String>>("", "sorted_level")?.unwrap_or_default(),
        points: row.try_get("", "points")?,
        code,
    };
    let listed = Listed {
        code,
        name: row.try_get("", "name")?,
        status: row.try_get("", "status")?,
        type_class: row.try_get("", "type_class")?,
        town: row.try_get("", "town")?,
        level: row.try_get("", "level")?,
        total_milli: row.try_get("", "total_milli")?,
        in_force: row.try_get::<Option<bool>>("", "in_force")?.unwrap_or(false),
        run: row.try_get::<Option<i64>>("", "run")?.map(Seq),
        as_of: as_of.map(|text| day(&text).ok_or_else(damaged)).transpose()?,
    };
    Ok((listed, place))
}
