//! The flat indicator model of the scoring benchmark, a JSON file with one indicator a line: read strictly,
//! and translated into a model of the rule files, kinds of record, and a layout. From there on nothing
//! knows about it any more.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::model::Model;

use crate::layout::{EnterpriseColumns, FieldColumn, Layout, RecordColumns};

/// The kind of an enterprise's own row.
const ENTERPRISE: &str = "enterprise";
/// A cap that no sum reaches.
const NO_CAP: f64 = 1e9;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatModel {
    name: String,
    #[serde(rename = "version")]
    _version: u32,
    unit: String,
    kinds: Vec<String>,
    repair_kind: usize,
    repair_scope: String,
    indicators: Vec<Indicator>,
    vetoes: Vec<Veto>,
    start_milli: i64,
    favourable_cap_milli: i64,
    age_days: Additions,
    capital: Additions,
    status_add_milli: Vec<i64>,
    sector_permille: BTreeMap<String, u32>,
    sector_default_permille: u32,
    levels: Levels,
    min_milli: i64,
    max_milli: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Indicator {
    name: String,
    kind: usize,
    direction: Direction,
    severity: [u8; 2],
    state: State,
    base_milli: Vec<i64>,
    cap_milli: i64,
    amount: Option<Amount>,
    decay: Decay,
    ended_permille: u32,
    repair_max_severity: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Adverse,
    Favourable,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Any,
    Active,
    Ended,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    #[serde(rename = "type")]
    _form: AmountForm,
    thresholds: Vec<f64>,
    permille: Vec<u32>,
    null: u32,
}

/// Both are bounds written out; the word only says where they came from.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum AmountForm {
    Log10,
    Step,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Decay {
    None {},
    Linear { months: u32 },
    Bands { bands: Vec<(u32, u32)> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Veto {
    indicator: usize,
    min_severity: u8,
    within_months: Option<u32>,
    min_count: u32,
    level: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Additions {
    thresholds: Vec<f64>,
    add_milli: Vec<i64>,
    null: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Levels {
    names: Vec<String>,
    thresholds_milli: Vec<i64>,
}

/// What a flat model means.
pub struct Translated {
    pub model: Model,
    pub kinds: Vec<Kind>,
    pub layout: Layout,
    /// For each indicator of the model that can be among the leading ones, its number in the flat model.
    pub numbers: BTreeMap<(usize, usize), i32>,
}

/// Reads and translates.
pub fn read(text: &str) -> Result<Translated> {
    let flat: FlatModel = serde_json::from_str(text).context("模型文件不合格式")?;
    flat.check()?;
    let repairer = flat.kinds.get(flat.repair_kind).context("repair_kind 不在 kinds 之中")?;
    let mut kinds = Vec::new();
    for (number, name) in flat.kinds.iter().enumerate() {
        let is_repaired = flat.indicators.iter().any(|one| one.kind == number && one.repair_max_severity.is_some());
        let mut kind = json!({
            "rule": head(name, name),
            "nature": "event",
            "ends": {"on": "until"},
            "fields": [
                {"name": "severity", "title": "轻重", "type": "integer"},
                {"name": "amount", "title": "金额", "type": "amount"},
                {"name": "until", "title": "至", "type": "end_day"},
                {"name": "source", "title": "来源", "type": "integer"},
            ],
        });
        if is_repaired {
            kind["repaired"] = json!({"kind": repairer, "matching": {"source": "source"}});
        }
        kinds.push(rule(kind).with_context(|| format!("种类 {name}"))?);
    }
    kinds.push(rule(json!({
        "rule": head(ENTERPRISE, "企业"),
        "nature": "state",
        "fields": [
            {"name": "established", "title": "成立日期", "type": "day"},
            {"name": "status", "title": "状态", "type": "integer"},
            {"name": "industry", "title": "行业", "type": "code"},
            {"name": "registered_capital", "title": "注册资本", "type": "integer"},
        ],
    }))?);
    let numbers = flat.numbers();
    let model = rule(flat.model()?).context("模型文件无法换成本系统的格式")?;
    Ok(Translated { model, kinds, layout: flat.layout(), numbers })
}

impl FlatModel {
    fn check(&self) -> Result<()> {
        if self.unit != "milli-points" || self.repair_scope != "same enterprise and source" {
            bail!("只认得 unit 为 milli-points、repair_scope 为 same enterprise and source 的模型");
        }
        if self.kinds.len() > 250 || self.kinds.iter().any(|kind| kind == ENTERPRISE) {
            bail!("kinds 最多 250 种，且不能叫 {ENTERPRISE}");
        }
        for (place, one) in self.indicators.iter().enumerate() {
            let name = || format!("指标 {}", one.name);
            if one.kind >= self.kinds.len() {
                bail!("{}：kind {} 不在 kinds 之中", name(), one.kind);
            }
            if one.severity[0] > one.severity[1] || usize::from(one.severity[1]) >= one.base_milli.len() {
                bail!("{}：severity 的范围应在 base_milli 之内", name());
            }
            if one.cap_milli < 0 || one.base_milli.iter().any(|points| *points < 0) {
                bail!("{}：分值不能为负", name());
            }
            // A record has one indicator at most; the first in the file would hide the second.
            let overlaps = |other: &&Indicator| {
                other.kind == one.kind
                    && other.severity[0] <= one.severity[1]
                    && one.severity[0] <= other.severity[1]
                    && (other.state == State::Any || one.state == State::Any || other.state == one.state)
            };
            if let Some(other) = self.indicators[..place].iter().find(overlaps) {
                bail!("{} 与指标 {} 会算到同一条记录", name(), other.name);
            }
        }
        Ok(())
    }

    fn layout(&self) -> Layout {
        let column = |name: &str| (name.to_owned(), FieldColumn::new(name));
        let mut amount = FieldColumn::new("amount");
        amount.scale =
            scale(self.indicators.iter().filter_map(|one| one.amount.as_ref()).flat_map(|one| &one.thresholds));
        let mut capital = FieldColumn::new("registered_capital");
        capital.scale = scale(&self.capital.thresholds);
        let fields: BTreeMap<_, _> =
            [column("severity"), column("until"), column("source"), ("amount".to_owned(), amount)].into();
        Layout {
            enterprises: EnterpriseColumns {
                id: "id".into(),
                credit_code: None,
                kind: Some(ENTERPRISE.into()),
                fields: [
                    column("established"),
                    column("status"),
                    column("industry"),
                    ("registered_capital".to_owned(), capital),
                ]
                .into(),
            },
            records: RecordColumns {
                enterprise: "enterprise_id".into(),
                kind: "kind".into(),
                kinds: self.kinds.clone(),
                occurred_on: "occurred".into(),
                seq: None,
                ended_on: None,
                repaired_on: None,
                fields: self.kinds.iter().map(|kind| (kind.clone(), fields.clone())).collect(),
            },
        }
    }

    /// Adverse indicators are the second dimension, in the file's order.
    fn numbers(&self) -> BTreeMap<(usize, usize), i32> {
        let adverse = (0..).zip(&self.indicators).filter(|(_, one)| one.direction == Direction::Adverse);
        adverse.enumerate().map(|(within, (number, _))| ((1, within), number)).collect()
    }

    fn model(&self) -> Result<Value> {
        let mut decays = BTreeMap::new();
        for (number, one) in self.indicators.iter().enumerate() {
            match &one.decay {
                Decay::None {} => {}
                Decay::Linear { months } => {
                    decays.insert(format!("d{number}"), json!({"linear_months": months}));
                }
                Decay::Bands { bands } => {
                    let step = |&(below, permille): &(u32, u32)| json!({"below_months": below, "permille": permille});
                    decays.insert(format!("d{number}"), json!({"steps": bands.iter().map(step).collect::<Vec<_>>()}));
                }
            }
        }
        let of = |direction: Direction| -> Result<Vec<Value>> {
            let all = self.indicators.iter().enumerate().filter(|(_, one)| one.direction == direction);
            all.map(|(number, one)| self.indicator(number, one)).collect()
        };
        let row = json!({"kinds": [ENTERPRISE]});
        let own = |id: &str, part: Value| {
            let mut part = part;
            part["records"] = row.clone();
            json!({"id": id, "title": id, "cap": NO_CAP, "parts": [part]})
        };
        let status: BTreeMap<String, f64> =
            self.status_add_milli.iter().enumerate().map(|(code, milli)| (code.to_string(), points(*milli))).collect();
        let levels: Vec<Value> = self
            .levels
            .names
            .iter()
            .enumerate()
            .map(|(place, name)| {
                let mut level = json!({"code": name, "title": name});
                if let Some(bound) = self.levels.thresholds_milli.get(place) {
                    level["below"] = json!(points(*bound));
                }
                level
            })
            .collect();
        if self.levels.thresholds_milli.len() + 1 != self.levels.names.len() {
            bail!("levels 的界限应比名称少一个");
        }
        Ok(json!({
            "rule": head("flat", &self.name),
            "field": "general",
            "scale": {"min": points(self.min_milli), "max": points(self.max_milli)},
            "levels": levels,
            "decays": decays,
            "dimensions": [
                {"id": "enterprise", "title": "企业", "cap": NO_CAP, "indicators": [
                    own("start", json!({"each": points(self.start_milli)})),
                    own("age", json!({"bands": self.age_days.bands("days_since", "established", 1)?})),
                    own("capital", json!({"bands": self.capital.bands("integer", "registered_capital", scale(&self.capital.thresholds))?})),
                    own("status", json!({"table": {"field": "status", "points": status}})),
                ]},
                {"id": "adverse", "title": "不利", "cap": NO_CAP,
                    "multiplier": {"records": row, "field": "industry", "permille": self.sector_permille,
                        "otherwise": self.sector_default_permille},
                    "indicators": of(Direction::Adverse)?},
                {"id": "favourable", "title": "有利", "cap": points(self.favourable_cap_milli),
                    "indicators": of(Direction::Favourable)?},
            ],
            "overrides": self.vetoes.iter().enumerate().map(|(number, veto)| self.veto(number, veto)).collect::<Result<Vec<_>>>()?,
        }))
    }

    fn filter(&self, one: &Indicator) -> Value {
        let mut filter = json!({
            "kinds": [self.kinds[one.kind]],
            "where": [{"field": "severity", "at_least": one.severity[0]}, {"field": "severity", "at_most": one.severity[1]}],
        });
        match one.state {
            State::Any => {}
            State::Active => filter["state"] = json!("active"),
            State::Ended => filter["state"] = json!("ended"),
        }
        match one.repair_max_severity {
            None => filter["repaired"] = json!("included"),
            Some(most) => filter["repairable"] = json!([{"field": "severity", "at_most": most}]),
        }
        filter
    }

    fn indicator(&self, number: usize, one: &Indicator) -> Result<Value> {
        let sign = if one.direction == Direction::Adverse { 1 } else { -1 };
        let table: BTreeMap<String, f64> = one
            .base_milli
            .iter()
            .enumerate()
            .map(|(severity, milli)| (severity.to_string(), points(sign * milli)))
            .collect();
        let mut part = json!({
            "records": self.filter(one),
            "table": {"field": "severity", "points": table},
            "ended_permille": one.ended_permille,
        });
        if !matches!(one.decay, Decay::None {}) {
            part["decay"] = json!(format!("d{number}"));
        }
        if let Some(amount) = &one.amount {
            let all = self.indicators.iter().filter_map(|one| one.amount.as_ref()).flat_map(|one| &one.thresholds);
            let bounds = bounds(&amount.thresholds, scale(all))?;
            if amount.permille.len() != bounds.len() + 1 {
                bail!("指标 {}：amount 的 permille 应比 thresholds 多一个", one.name);
            }
            let steps: Vec<Value> = steps(&bounds, &amount.permille, "permille");
            part["factor"] = json!({"of": {"integer": "amount"}, "steps": steps, "otherwise": amount.null});
        }
        Ok(json!({"id": one.name, "title": one.name, "cap": points(one.cap_milli), "parts": [part]}))
    }

    fn veto(&self, number: usize, veto: &Veto) -> Result<Value> {
        let one = self.indicators.get(veto.indicator).with_context(|| format!("第{}条否决的指标不存在", number + 1))?;
        if one.state == State::Ended {
            bail!("第{}条否决只数未终止的记录，而指标 {} 只有已终止的", number + 1, one.name);
        }
        let mut records = self.filter(one);
        records["state"] = json!("active");
        records["where"]
            .as_array_mut()
            .context("条件")?
            .push(json!({"field": "severity", "at_least": veto.min_severity}));
        if let Some(months) = veto.within_months {
            records["below_months"] = json!(months);
        }
        if !self.levels.names.contains(&veto.level) {
            bail!("第{}条否决的等级 {} 不存在", number + 1, veto.level);
        }
        Ok(json!({
            "id": format!("veto_{number}"),
            "title": one.name,
            "when": [{"records": records, "at_least": veto.min_count}],
            "effect": {"floor": veto.level},
        }))
    }
}

impl Additions {
    fn bands(&self, measure: &str, field: &str, scale: u32) -> Result<Value> {
        let bounds = bounds(&self.thresholds, scale)?;
        if self.add_milli.len() != bounds.len() + 1 {
            bail!("{field} 的 add_milli 应比 thresholds 多一个");
        }
        let values: Vec<f64> = self.add_milli.iter().map(|milli| points(*milli)).collect();
        Ok(json!({"of": {measure: field}, "steps": steps(&bounds, &values, "points"), "otherwise": points(self.null)}))
    }
}

/// As if it had been read from a rule file.
fn rule<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    Ok(serde_json::from_value(value)?)
}

fn head(id: &str, title: &str) -> Value {
    json!({"id": id, "title": title, "from": "1900-01-01", "status": "default"})
}

/// Bands from bounds and one value more.
fn steps<T: serde::Serialize>(bounds: &[i64], values: &[T], name: &str) -> Vec<Value> {
    let bounds = bounds.iter().copied().map(Some).chain([None]);
    bounds.zip(values).map(|(below, value)| json!({"below": below, name: value})).collect()
}

/// Points as rule files write them.
#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn points(milli: i64) -> f64 {
    milli as f64 / 1000.0
}

/// The least power of ten that makes all bounds whole.
fn scale<'b>(bounds: impl IntoIterator<Item = &'b f64>) -> u32 {
    let bounds: Vec<f64> = bounds.into_iter().copied().collect();
    let whole = |scale: &u32| bounds.iter().all(|bound| (bound * f64::from(*scale)).fract() == 0.0);
    [1, 10, 100, 1000].into_iter().find(whole).unwrap_or(1)
}

/// Bounds in those units. A bound must come back as it was written, because it is compared in the column's.
fn bounds(written: &[f64], scale: u32) -> Result<Vec<i64>> {
    let whole = |bound: &f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the way back is checked")]
        let (number, back) = {
            let number = (bound * f64::from(scale)).round() as i64;
            (number, number as f64 / f64::from(scale))
        };
        (back == *bound).then_some(number).with_context(|| format!("界限 {bound} 的小数位过多"))
    };
    let bounds: Vec<i64> = written.iter().map(whole).collect::<Result<_>>()?;
    if !bounds.is_sorted_by(|a, b| a < b) {
        bail!("界限应从小到大");
    }
    Ok(bounds)
}
