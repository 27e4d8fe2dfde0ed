//! `xinheng-lake score`: from two files and a model to a file of points and levels.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use xinheng_core::history::Kinds;
use xinheng_core::record::Day;
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::load::{RuleFile, Rulebook};
use xinheng_core::rulebook::model::Model;
use xinheng_core::score::Kernel;
use xinheng_core::score::cut::cuts;

use crate::flat_model::{self, Translated};
use crate::layout::{FieldColumn, Layout};
use crate::output::{Form, Names, Output};
use crate::plan::{End, KindColumns, Plan};
use crate::readings::{CreditCodes, Ids, Integers, Small};
use crate::run::Run;
use crate::scoring::{NO_KEY, Scoring};
use crate::stream::{EnterpriseSource, RecordSource};
use crate::table::Table;

/// What is to be scored.
pub struct Job {
    /// File of enterprises.
    pub enterprises: PathBuf,
    /// File of records.
    pub records: PathBuf,
    /// File of results.
    pub out: PathBuf,
    /// File of what every record contributes, if that is asked.
    pub contributions: Option<PathBuf>,
    /// The day of scoring.
    pub as_of: Day,
    /// How many threads at once.
    pub threads: usize,
}

/// By what it is scored.
pub struct Rules {
    /// The model.
    pub model: Model,
    /// The kinds of record.
    pub kinds: Vec<Kind>,
    /// Where things are in the files.
    pub layout: Layout,
    /// Numbers of the indicators that may lead, when these are named by numbers.
    pub numbers: Option<BTreeMap<(usize, usize), i32>>,
}

impl Rules {
    /// From a flat model.
    pub fn flat(text: &str) -> Result<Self> {
        let Translated { model, kinds, layout, numbers } = flat_model::read(text)?;
        Ok(Self { model, kinds, layout, numbers: Some(numbers) })
    }

    /// From a folder of rules: the kinds of the day, and a model of that id or in that file.
    pub fn of_rulebook(folder: &Path, model: &Path, day: Day, layout: Layout) -> Result<Self> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(inner) = folders.pop() {
            let name = || format!("读取规则库文件夹 {}", inner.display());
            for entry in std::fs::read_dir(&inner).with_context(name)? {
                let path = entry.with_context(name)?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).with_context(|| format!("读取 {}", path.display()))?;
                let relative = path.strip_prefix(folder).context("路径")?.to_string_lossy().replace('\\', "/");
                files.push(RuleFile { path: relative, text });
            }
        }
        // A model in a file of its own joins the others, so that it is checked as they are.
        let mut id = model.to_string_lossy().into_owned();
        if model.is_file() {
            let text = std::fs::read_to_string(model).with_context(|| format!("读取 {}", model.display()))?;
            let own: Model =
                serde_saphyr::from_str(&text).with_context(|| format!("模型文件 {} 不合格式", model.display()))?;
            id = own.rule.id.value;
            files.push(RuleFile { path: format!("county/models/{id}.yaml"), text });
        }
        let book = Rulebook::load(&files).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("规则文件有 {} 处问题：\n{}", errors.len(), lines.join("\n"))
        })?;
        let model = book.model(&id, day).cloned().with_context(|| {
            let known: Vec<_> = book.models(day).map(|model| model.rule.id.value.as_str()).collect();
            format!("规则库在 {day} 没有模型“{id}”，也没有这个文件；有效的模型有：{}", known.join("、"))
        })?;
        Ok(Self { model, kinds: book.kinds(day).cloned().collect(), layout, numbers: None })
    }
}

/// Scores.
pub fn score(job: &Job, rules: &Rules) -> Result<()> {
    let kinds = Kinds::new(&rules.kinds);
    let kernel = Kernel::new(&rules.model, &kinds);
    let cuts = cuts(&rules.model, &kinds, job.as_of);
    let layout = &rules.layout;
    let named = |name: &str| kinds.get(name);

    let enterprises = Table::open(&job.enterprises)?;
    let of_enterprise = layout.enterprises.kind.as_deref().and_then(named).map(|kind| KindColumns {
        kind,
        fields: &layout.enterprises.fields,
        ended: None,
        repaired_on: None,
        repairs: false,
        is_dated: false,
        is_seen: true,
    });
    let enterprise_plan = Plan::new(&enterprises, &kinds, &[of_enterprise], &cuts, job.as_of, 1)?;

    let records = Table::open(&job.records)?;
    let file = &layout.records;
    // Kinds that the model looks at must be in one of the files, or it would be asked about half a ledger.
    for kind in kinds.iter().map(|kind| kind.rule.id.value.as_str()) {
        let is_used = kinds.number(kind).is_some_and(|number| kernel.looks_at(number));
        if is_used && !file.kinds.iter().any(|one| one == kind) && layout.enterprises.kind.as_deref() != Some(kind) {
            bail!("模型要用种类“{kind}”的记录，而文件没有这一种类；文件中的种类有：{}", file.kinds.join("、"));
        }
    }
    let repair = Repair::new(&kinds, layout)?;
    let no_fields = BTreeMap::new();
    let in_file: Vec<Option<KindColumns>> = file
        .kinds
        .iter()
        .map(|name| {
            let kind = named(name)?;
            let fields = file.fields.get(name).unwrap_or(&no_fields);
            let last_day = kind.ends.as_ref().and_then(|ends| ends.on.as_ref()).and_then(|field| fields.get(field));
            let by_field = last_day.map(|column| (column.column.as_str(), End::LastDay));
            Some(KindColumns {
                kind,
                fields,
                ended: file.ended_on.as_deref().map(|column| (column, End::EndedOn)).or(by_field),
                repaired_on: file.repaired_on.as_deref(),
                repairs: repair.is_some() && kind.repaired.is_some(),
                is_dated: true,
                is_seen: repair.as_ref().is_some_and(|repair| repair.kind == *name),
            })
        })
        .collect();
    if file.kinds.len() > 254 {
        bail!("文件中的种类多于 254 种");
    }
    let record_plan = Plan::new(&records, &kinds, &in_file, &cuts, job.as_of, 1)?;
    let leads = |place: (usize, usize)| rules.numbers.as_ref().is_none_or(|numbers| numbers.contains_key(&place));
    let contributions = job.contributions.is_some();
    let scoring = Scoring::new(&kernel, &leads, job.as_of, record_plan, enterprise_plan, contributions, job.threads)?;

    let id_of = |table: &Table, name: &str| -> Result<(usize, Ids)> {
        let column = table.column(name)?;
        Ok((column, Ids(table.holds(column)?)))
    };
    let (id_column, ids) = id_of(&enterprises, &layout.enterprises.id)?;
    let credit_code = layout.enterprises.credit_code.as_deref();
    let credit_code = credit_code.map(|name| -> Result<_> {
        let column = enterprises.column(name)?;
        Ok((column, CreditCodes(enterprises.holds(column)?)))
    });
    let credit_code = credit_code.transpose()?;
    let by_credit_code = credit_code.is_some();
    let enterprises = EnterpriseSource { id_column, ids, credit_code, table: enterprises };
    let records = record_source(records, layout, repair.as_ref(), scoring.needs_seq(), contributions)?;

    let progress = ProgressBar::new(records.table.rows());
    progress.set_style(ProgressStyle::with_template("计分 {bar:40} {human_pos}/{human_len} 条记录，还需 {eta}")?);
    let run = Run {
        scoring: &scoring,
        enterprises: &enterprises,
        records: &records,
        threads: job.threads,
        progress: &progress,
    };
    run.score(|| Output::create(&job.out, job.contributions.as_deref(), form(rules, by_credit_code)))?;
    progress.finish_and_clear();
    Ok(())
}

fn form(rules: &Rules, by_credit_code: bool) -> Form {
    let mut places = Vec::new();
    for (dimension, rule) in rules.model.dimensions.iter().enumerate() {
        places.extend((0..rule.indicators.len()).map(|within| (dimension, within)));
    }
    let id =
        |&(dimension, within): &(usize, usize)| rules.model.dimensions[dimension].indicators[within].id.value.clone();
    let indicators: Vec<String> = places.iter().map(id).collect();
    let names = match &rules.numbers {
        Some(numbers) => {
            let number = |place| numbers.get(place).and_then(|number| i8::try_from(*number).ok()).unwrap_or(-1);
            Names::Numbers(places.iter().map(number).collect())
        }
        None => Names::Ids(indicators.clone()),
    };
    Form {
        by_credit_code,
        levels: rules.model.levels.iter().map(|level| level.code.value.clone()).collect(),
        names,
        indicators,
        optional: !rules.model.applies.is_empty(),
    }
}

/// Records of one kind that repair others with the same value in a column.
struct Repair {
    kind: String,
    column: FieldColumn,
}

impl Repair {
    fn new(kinds: &Kinds, layout: &Layout) -> Result<Option<Self>> {
        let file = &layout.records;
        let unresolved = "请先用 xinheng facts 解析台账，再用 xinheng-lake pack 打包";
        let mut repair: Option<Self> = None;
        for kind in kinds.iter() {
            let name = &kind.rule.id.value;
            if file.ended_on.is_none() && kind.ends.as_ref().is_some_and(|ends| ends.by.is_some()) {
                bail!("种类“{name}”由别的记录终止，文件中却没有终止日期；{unresolved}");
            }
            let Some(by) = kind.repaired.as_ref().filter(|_| file.repaired_on.is_none()) else { continue };
            let mut pairs = by.matching.iter();
            let (Some((own, other)), None, true) = (pairs.next(), pairs.next(), by.conditions.is_empty()) else {
                bail!("种类“{name}”的修复规则不止一个对应字段；{unresolved}");
            };
            let column = |kind: &str, field: &str| file.fields.get(kind).and_then(|fields| fields.get(field));
            let columns = column(name, own).zip(column(&by.kind, other));
            let (own, other) =
                columns.with_context(|| format!("种类“{name}”的修复规则所用的字段不在文件中；{unresolved}"))?;
            let one = Self { kind: by.kind.clone(), column: other.clone() };
            let is_same = repair.as_ref().is_none_or(|known| known.kind == one.kind && known.column == one.column);
            if own != other || !is_same {
                bail!("种类“{name}”的修复规则与别的种类不同；{unresolved}");
            }
            repair = Some(one);
        }
        Ok(repair)
    }
}

fn record_source(
    table: Table,
    layout: &Layout,
    repair: Option<&Repair>,
    needs_seq: bool,
    wants_seq: bool,
) -> Result<RecordSource> {
    let file = &layout.records;
    let id_column = table.column(&file.enterprise)?;
    let ids = Ids(table.holds(id_column)?);
    let kind_column = table.column(&file.kind)?;
    let count = u8::try_from(file.kinds.len()).context("种类过多")?;
    let kinds = Small { holds: table.holds(kind_column)?, count, beyond: Some(count), absent: None };
    let day_column = table.column(&file.occurred_on)?;
    if table.holds(day_column)? != crate::table::Holds::Days {
        bail!("{} 的列“{}”应为日期", table.name(), file.occurred_on);
    }
    let key = repair
        .map(|repair| -> Result<_> {
            let column = table.column(&repair.column.column)?;
            Ok((column, Small { holds: table.holds(column)?, count: NO_KEY, beyond: None, absent: Some(NO_KEY) }))
        })
        .transpose()?;
    let repairer = repair.and_then(|repair| file.kinds.iter().position(|kind| *kind == repair.kind));
    let repairer = repairer.and_then(|kind| u8::try_from(kind).ok());
    let seq = match (&file.seq, needs_seq) {
        (Some(name), _) if needs_seq || wants_seq => {
            let column = table.column(name)?;
            Some((column, Integers(table.holds(column)?)))
        }
        (None, true) => bail!("模型要分辨同一日记录的先后，而文件没有台账序号一列"),
        _ => None,
    };
    Ok(RecordSource { table, id_column, ids, kind_column, kinds, day_column, key, repairer, seq })
}
