//! The use of levels, on both databases: alerts once and answered, adjustments by three people with an end, measures,
//! what is to come, the yearly list, the ledger as facts.
#![allow(clippy::unwrap_used)]

mod county;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use county::{County, both, both_in, day, entities, gb18030, request, surroundings};
use xinheng_app::act::{Act, Actor};
use xinheng_app::adjustment::LevelAdjustment;
use xinheng_app::collect::{ImportRequest, WhichTable};
use xinheng_app::measures::MeasureTaken;
use xinheng_app::people::{NewStaff, UnitChange};
use xinheng_app::rules::{embedded, load};
use xinheng_app::{Bureau, Surroundings, WrongInput};
use xinheng_core::approval::{Action, Stage};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Moment, Seq};
use xinheng_core::staff::{Duties, Role};
use xinheng_core::unit::UnitKind;

const SIGNED: [&str; 10] = [
    "models/general",
    "models/food_production",
    "combinations/levels",
    "alerts/penalties",
    "alerts/level_raised",
    "relations/same_address",
    "relations/linked_serious",
    "measures/general",
    "measures/food_production",
    "deadlines/alert_answer",
];

async fn act(county: &County, account: &str, role: Role) -> Act {
    let person = county.bureau.staff_by_account(account).await.unwrap().unwrap();
    let actor = Actor {
        staff: person.number,
        account: account.to_owned(),
        name: person.name,
        unit: "XY".to_owned(),
        unit_name: String::new(),
        duties: Duties::new([role]).unwrap(),
        session: None,
    };
    Act { event: "test", actor: Some(actor), source: "127.0.0.1".to_owned(), request: "1".to_owned(), form: None }
}

/// Forty producers of food with three old penalties each, everything signed, and three people of the credit desk.
async fn filled(county: &County) -> CreditCode {
    let code = county.fill().await.code;
    let bureau = &county.bureau;
    let mut licences =
        String::from("统一社会信用代码,许可文件编号,许可机关,许可内容,状态,有效期自,有效期至,许可领域\n");
    for row in entities(40).1 {
        licences += &format!("{0},SC{0},某局,糕点,有效,2022-01-01,2027-12-31,食品生产\n", row[0]);
    }
    let licences = county.write("食品生产许可.csv", licences.as_bytes());
    county.import_as_of(&licences, Some(day("2026-11-02"))).await.unwrap();
    let on_line = Act::on_command_line("test");
    bureau.first_start(&on_line).await.unwrap();
    let unit = UnitChange { name: "信用监管股", other_names: &[], kind: UnitKind::Division, in_use: true };
    bureau.add_unit(&on_line, "XY", &unit).await.unwrap();
    for account in ["handler", "reviewer", "leader"] {
        let new = NewStaff { account, name: account, unit: "XY", proposed: vec![Role::Handler] };
        bureau.add_staff(&on_line, &new).await.unwrap();
    }
    for rule in SIGNED {
        for signer in ["某局长", "某副局长"] {
            bureau.sign(&on_line, rule, signer, "局领导").await.unwrap();
        }
    }
    bureau.classify_all(bureau.today(), &|_| ()).await.unwrap();
    code
}

async fn penalise(county: &County, code: CreditCode, numbers: std::ops::Range<u32>) {
    let mut rows = String::from("统一社会信用代码,纳税人名称,行政处罚文号,处罚原因,处罚时间,处罚结果\n");
    for number in numbers {
        rows += &format!("{code},某店,新罚〔2026〕{number}号,违法经营,2026-10-1{number},罚款\n");
    }
    let file = county.write("新处罚.csv", rows.as_bytes());
    county.import(&file).await.unwrap();
    county.bureau.classify_touched(&|_| ()).await.unwrap();
}

async fn level(county: &County, code: CreditCode) -> String {
    let bureau = &county.bureau;
    bureau.explain(code, bureau.today(), None, None).await.unwrap().level.unwrap()
}

fn sentence(error: &anyhow::Error) -> &str {
    &error.downcast_ref::<WrongInput>().unwrap().0
}

#[tokio::test]
async fn an_alert_is_raised_once_at_its_desk_and_runs_until_it_is_answered() {
    both(async |county| {
        let code = filled(&county).await;
        let bureau = &county.bureau;
        let handler = act(&county, "handler", Role::Handler).await;
        let open = async || bureau.open_alerts(handler.actor.as_ref().unwrap(), None, 50).await.unwrap().lines;
        let before = open().await.len();
        penalise(&county, code, 1..3).await;
        let raised = open().await;
        let of_penalties: Vec<_> = raised.iter().filter(|line| line.reason.contains("行政处罚两次")).collect();
        assert_eq!(of_penalties.len(), 1, "two penalties within twelve months: {raised:?}");
        let alert = of_penalties[0];
        assert_eq!(alert.clock.enterprise.as_ref().unwrap().0, code);
        assert_eq!(alert.clock.owed_by, "XY");
        // Ten working days from 2026-11-24, a Tuesday.
        assert_eq!(alert.clock.due_on, day("2026-12-08"));
        assert!(alert.clock.in_force);
        // The same cause again, by a run over everything: nothing new.
        bureau.classify_all(bureau.today(), &|_| ()).await.unwrap();
        assert_eq!(open().await.len(), raised.len());
        // A further penalty is another cause.
        penalise(&county, code, 3..4).await;
        assert_eq!(open().await.iter().filter(|line| line.reason.contains("行政处罚两次")).count(), 2);
        let wrong = bureau.answer_alert(&handler, alert.clock.seq, "nothing", "已核查并约谈负责人").await.unwrap_err();
        assert_eq!(sentence(&wrong), "请选择核查结果");
        let wrong = bureau.answer_alert(&handler, alert.clock.seq, "handled", "好").await.unwrap_err();
        assert_eq!(sentence(&wrong), "请写明核查情况，至少 5 个字");
        bureau.answer_alert(&handler, alert.clock.seq, "handled", "已核查并约谈负责人").await.unwrap();
        let left = open().await;
        assert!(left.iter().all(|line| line.clock.seq != alert.clock.seq));
        assert!(left.len() >= before);
    })
    .await;
}

#[tokio::test]
async fn a_new_day_classifies_all_once() {
    let micros = Arc::new(AtomicI64::new(0));
    let fixed = || {
        let first = surroundings();
        micros.store((first.now)().micros(), Ordering::Relaxed);
        let micros = Arc::clone(&micros);
        let now = move || Moment::from_micros(micros.load(Ordering::Relaxed)).unwrap();
        Surroundings { now: Arc::new(now), ..first }
    };
    both_in(fixed, async |county| {
        let bureau = &county.bureau;
        let (headings, rows) = entities(40);
        county.import(&county.write("市场主体.csv", &gb18030(&headings, &rows))).await.unwrap();
        bureau.classify_touched(&|_| ()).await.unwrap().unwrap();
        assert!(bureau.classify_new_day().await.unwrap().is_none(), "nobody has had all classified yet");
        bureau.classify_all(bureau.today(), &|_| ()).await.unwrap();
        assert!(bureau.classify_new_day().await.unwrap().is_none(), "all were classified today");
        micros.fetch_add(24 * 3_600 * 1_000_000, Ordering::Relaxed);
        // What somebody hands in that day touches one enterprise, not all.
        penalise(&county, CreditCode::parse(&rows[0][0]).unwrap(), 1..2).await;
        let run = bureau.classify_new_day().await.unwrap().unwrap();
        assert_eq!((run.as_of, run.levels.values().sum::<u64>() + run.unclassified), (bureau.today(), 40));
        assert!(bureau.classify_new_day().await.unwrap().is_none(), "once a day");
        // A day that is over is only tried.
        assert_eq!(bureau.classify_all(day("2026-11-24"), &|_| ()).await.unwrap().seq, None);
    })
    .await;
}

#[tokio::test]
async fn without_a_signature_no_alert_is_raised() {
    both(async |county| {
        county.fill().await;
        let runs = county.bureau.store().system_records("alert", Seq(0), Seq(i64::MAX)).await.unwrap();
        assert!(runs.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_level_is_moved_by_three_people_within_limits_and_until_a_day() {
    both(async |county| {
        let code = filled(&county).await;
        let bureau = &county.bureau;
        let before = level(&county, code).await;
        let (handler, reviewer, leader) = (
            act(&county, "handler", Role::Handler).await,
            act(&county, "reviewer", Role::Reviewer).await,
            act(&county, "leader", Role::Leader).await,
        );
        let proposed = LevelAdjustment {
            enterprise: code,
            steps: 1,
            until: day("2027-01-31"),
            grounds: "专项检查发现原料来源不清，尚未结案".to_owned(),
            evidence: "专项检查记录 2026-17".to_owned(),
        };
        for (change, said) in [
            (LevelAdjustment { steps: 2, ..proposed.clone() }, "一次最多调整 1 级，请选择调高或调低"),
            (
                LevelAdjustment { until: day("2026-11-24"), ..proposed.clone() },
                "“有效期至”2026-11-24 不晚于今天，请核对",
            ),
            (
                LevelAdjustment { until: day("2027-05-24"), ..proposed.clone() },
                "“有效期至”最晚为 2027-05-23，到期后如仍有理由可以再提",
            ),
            (LevelAdjustment { grounds: "不好".to_owned(), ..proposed.clone() }, "请写明理由，至少 10 个字"),
            (LevelAdjustment { evidence: " ".to_owned(), ..proposed.clone() }, "请填写依据材料的编号或存放位置"),
        ] {
            let refused = bureau.propose_adjustment(&handler, None, &change).await.unwrap_err();
            assert_eq!(sentence(&refused), said);
        }
        let matter = bureau.propose_adjustment(&handler, None, &proposed).await.unwrap();
        let twice = bureau.propose_adjustment(&handler, None, &proposed).await.unwrap_err();
        assert_eq!(sentence(&twice), format!("这家企业的等级调整已在第 {matter} 号事项中待审，不能同时提出两件"));
        bureau.decide_matter(&reviewer, matter, Action::Review, None).await.unwrap();
        assert_eq!(level(&county, code).await, before, "a proposal moves nothing");
        let stage = bureau.decide_matter(&leader, matter, Action::Approve, None).await.unwrap();
        assert_eq!(stage, Stage::Passed);
        let explained = bureau.explain(code, bureau.today(), None, None).await.unwrap();
        let line = explained.adjustment.unwrap();
        assert_eq!((line.from.as_str(), line.barred), (before.as_str(), false));
        assert_eq!(explained.level.as_deref(), Some(line.to.as_str()));
        assert!(line.to > line.from);
        let kept = bureau.store().levels_of(code).await.unwrap();
        let combined = kept.iter().find(|kept| kept.level.scope == "combined").unwrap();
        assert_eq!(combined.level.level.as_deref(), Some(line.to.as_str()), "the run after the approval kept it");
        // The last day itself still counts.
        let on = async |text: &str| bureau.explain(code, day(text), None, None).await.unwrap().adjustment.is_some();
        assert!(on("2027-01-31").await);
        assert!(!on("2027-02-01").await);
    })
    .await;
}

#[tokio::test]
async fn measures_of_the_level_are_offered_and_their_use_recorded() {
    both(async |county| {
        let code = filled(&county).await;
        let bureau = &county.bureau;
        let handler = act(&county, "handler", Role::Handler).await;
        let profile = bureau.profile(code, None, None).await.unwrap();
        let offered = bureau.measures_offered(&profile.levels).await.unwrap();
        assert!(offered.iter().all(|one| one.in_force));
        let one = offered.iter().find(|one| one.field == "food_production").unwrap();
        let taken = MeasureTaken {
            enterprise: code,
            field: one.field.to_owned(),
            measure: one.measures[0].id.value.clone(),
            taken_on: day("2026-11-23"),
            text: "已上门指导并留下清单".to_owned(),
        };
        let wrong = MeasureTaken { measure: "closure".to_owned(), ..taken.clone() };
        let refused = bureau.record_measure(&handler, &wrong).await.unwrap_err();
        assert_eq!(sentence(&refused), "请选择本级可采取的措施。等级可能刚有变化，请刷新页面");
        let wrong = MeasureTaken { taken_on: day("2026-11-25"), ..taken.clone() };
        let refused = bureau.record_measure(&handler, &wrong).await.unwrap_err();
        assert_eq!(sentence(&refused), "“采取日期”2026-11-25 晚于今天，请填写实际采取的日期");
        bureau.record_measure(&handler, &taken).await.unwrap();
        assert!(!bureau.store().any_touched().await.unwrap(), "the level of it is in the same transaction");
        let after = bureau.profile(code, None, None).await.unwrap();
        assert!(after.timeline.iter().any(|item| item.kind == "level_measure"));
    })
    .await;
}

#[tokio::test]
async fn what_is_to_come_the_yearly_list_and_the_facts() {
    both(async |county| {
        let code = filled(&county).await;
        penalise(&county, code, 1..2).await;
        let bureau = &county.bureau;
        let outlook = bureau.outlook(code).await.unwrap();
        assert!(!outlook.to_come.is_empty());
        assert!(outlook.to_come.windows(2).all(|pair| pair[0].on < pair[1].on && pair[0].after == pair[1].before));
        // The licences end on 2027-12-31: the day after, no model of food grades the enterprise any more.
        assert!(outlook.to_come.iter().any(|one| one.on == day("2028-01-01")), "{:?}", outlook.to_come);
        let grading = bureau.grading("food_production", 2026, None, 100).await.unwrap();
        assert_eq!((grading.lines.len(), grading.as_of), (40, bureau.today()));
        assert!(
            grading.lines.iter().all(|line| line.before.is_some() && line.now.as_ref().is_some_and(|now| now.in_force))
        );
        let refused = bureau.grading("food_production", 2028, None, 100).await.unwrap_err();
        assert_eq!(sentence(&refused), "2028 年还没有到，不能评定");
        let refused = bureau.grading("food_production", i32::MIN, None, 100).await.unwrap_err();
        assert_eq!(sentence(&refused), format!("没有 {} 年，请核对年份", i32::MIN));
        let refused = bureau.grading("drugs", 2026, None, 100).await.unwrap_err();
        assert_eq!(sentence(&refused), "没有给“drugs”评级的模型，请从页面选择领域");
        let mut facts = Vec::new();
        assert_eq!(bureau.write_facts(bureau.today(), &mut facts, &|_| ()).await.unwrap(), 40);
        let text = String::from_utf8(facts).unwrap();
        let penalties = text.lines().filter(|line| line.contains("\"kind\":\"penalty\"")).count();
        assert_eq!(penalties, 121);
        assert!(text.lines().next().unwrap().starts_with("{\"as_of\":\"2026-11-24\",\"kinds\":{"));
        assert!(!text.contains("given_"), "only what the kinds declare");
        let person = &entities(1).1[0][5];
        assert!(!text.contains(person.as_str()), "the legal representative is nowhere in clear");
    })
    .await;
}

#[tokio::test]
async fn who_had_a_level_the_year_before_and_has_none_now_is_in_the_yearly_list() {
    both(async |county| {
        filled(&county).await;
        let bureau = &county.bureau;
        // The licence of one producer ended this spring.
        let code = entities(1).1[0][0].clone();
        let licences = format!(
            "统一社会信用代码,许可文件编号,许可机关,许可内容,状态,有效期自,有效期至,许可领域\n\
             {code},SC{code},某局,糕点,有效,2022-01-01,2026-03-31,食品生产\n"
        );
        let licences = county.write("许可2.csv", licences.as_bytes());
        county.import_as_of(&licences, Some(day("2026-11-20"))).await.unwrap();
        bureau.classify_all(bureau.today(), &|_| ()).await.unwrap();
        let (mut lines, mut after) = (Vec::new(), None);
        loop {
            let page = bureau.grading("food_production", 2026, after, 3).await.unwrap();
            lines.extend(page.lines);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(lines.len(), 40);
        let gone: Vec<_> = lines.iter().filter(|line| line.now.is_none()).collect();
        assert_eq!(gone.len(), 1);
        assert_eq!((gone[0].code.as_str(), gone[0].before.is_some()), (code.to_uppercase().as_str(), true));
        let of_2025 = bureau.grading("food_production", 2025, None, 100).await.unwrap().lines;
        assert!(of_2025.len() == 40 && of_2025.iter().all(|line| line.now.is_some()));
        // Before the licences began nobody had a level, neither at the end of the year nor before.
        assert_eq!(bureau.grading("food_production", 2021, None, 100).await.unwrap().lines.len(), 0);

        let file = county.folder().join("评定.xlsx");
        let actor = act(&county, "handler", Role::Handler).await.actor.unwrap();
        assert_eq!(bureau.export_grading("food_production", 2026, &actor, &file, &|_| ()).await.unwrap(), 40);
        let mut workbook = zip::ZipArchive::new(std::fs::File::open(&file).unwrap()).unwrap();
        let mut text = String::new();
        workbook.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text.matches("不再分类").count(), 1);
    })
    .await;
}

/// Registrations of firms at one address, and of two firms of one person, of which one is revoked.
fn related_entities(version: &str, revoked: &str, at_hall: usize) -> String {
    let mut rows =
        String::from("统一社会信用代码,企业名称,登记状态（中文）,成立日期,核准日期,addr,法定代表人证件号码\n");
    for number in 0..8 {
        let code = CreditCode::compose("91999901", &format!("MB{number:06}")).unwrap();
        let address = if number < at_hall { "某县城关镇人民路12号3幢201室" } else { "某县城关镇" };
        let person = if number < 2 { "99990119800101123X".to_owned() } else { format!("9999011980010112{number:02}") };
        let status = if number == 1 { revoked } else { "存续" };
        rows += &format!("{code},关联{number}号有限公司,{status},2010-07-07,{version},{address},{person}\n");
    }
    rows
}

#[tokio::test]
async fn relations_are_on_record_before_the_levels_that_rest_on_them() {
    both(async |county| {
        filled(&county).await;
        let bureau = &county.bureau;
        let first = CreditCode::compose("91999901", "MB000000").unwrap();
        let points = async |as_of, indicator: &str| {
            let explanation = bureau.explain(first, as_of, None, None).await.unwrap();
            let general = explanation.assessments.iter().find(|one| one.field == "general");
            let lines = general.into_iter().flat_map(|one| &one.contributions);
            lines.filter(|line| line.indicator == indicator).map(|line| line.milli).sum::<i64>()
        };
        let import = async |text: String, edition| {
            let file = county.write("关联登记.csv", text.as_bytes());
            county.import_as_of(&file, Some(edition)).await.unwrap();
        };
        let (today, tomorrow) = (bureau.today(), bureau.today().succ_opt().unwrap());
        import(related_entities("2026-11-01", "吊销", 6), day("2026-11-10")).await;
        bureau.classify_all(today, &|_| ()).await.unwrap();
        // Five running firms at the address: B2 from five; the person's other firm is revoked: L1.
        assert_eq!(points(today, "B2").await, 1_000);
        assert_eq!(points(today, "L1").await, 6_000);
        // Nothing has changed: nothing is said again.
        let before = bureau.head().await.unwrap().seq;
        let run = bureau.classify_all(today, &|_| ()).await.unwrap();
        assert_eq!(run.known_up_to, before, "the run alone");
        // One moves away, and the other firm runs again.
        import(related_entities("2026-11-20", "存续", 4), today).await;
        bureau.classify_all(tomorrow, &|_| ()).await.unwrap();
        assert_eq!(points(tomorrow, "B2").await, 0);
        assert_eq!(points(tomorrow, "L1").await, 0);
        // The day before is as it was.
        assert_eq!(points(today, "B2").await, 1_000);
    })
    .await;
}

#[tokio::test]
async fn a_level_of_five_or_six_is_kept_as_stated_and_acts_as_one_of_our_four() {
    both(async |county| {
        let code = county.fill().await.code;
        let bureau = &county.bureau;
        let import = async |table: Option<&str>, level: &str, month: &str| {
            let file = county.write(
                "省级等级.csv",
                format!("统一社会信用代码,等级,月份,版本\n{code},{level},{month},省2026版\n").as_bytes(),
            );
            let request = ImportRequest { table, ..request(&file) };
            bureau.import(&request, &|_| ()).await
        };
        let line = async || bureau.explain(code, bureau.today(), None, None).await.unwrap().received.unwrap();
        // By its headings the file is any of the three, whatever words are in it.
        let before = bureau.head().await.unwrap();
        for level in ["E", "A+", "较高"] {
            let asked = import(None, level, "2026-08").await.unwrap_err();
            let WhichTable { sentence, tables } = asked.downcast_ref().unwrap();
            assert!(sentence.ends_with("请用 --table 指明是哪一张，例如 --table received_levels"), "{sentence}");
            let ids: Vec<&str> = tables.iter().map(|(id, _)| id.as_str()).collect();
            assert_eq!(ids, ["received_levels", "received_levels_five", "received_levels_six"]);
        }
        assert_eq!(bureau.head().await.unwrap(), before);
        for (table, level, month, acts, stated) in [
            (Some("received_levels"), "较高", "2026-08", "C", "上级所定“较高”，四级（低、一般、较高、高），省2026版，"),
            (Some("received_levels_five"), "C", "2026-09", "B", "上级所定“C”，五级（A、B、C、D、E），省2026版，"),
            (Some("received_levels_five"), "中高", "2026-10", "C", "上级所定“中高”，五级（A、B、C、D、E），省2026版，"),
            (Some("received_levels_six"), "A+", "2026-11", "A", "上级所定“A+”，六级（A+、A、B、C、D、E），省2026版，"),
        ] {
            assert_eq!(import(table, level, month).await.unwrap().accepted, 1, "{level}");
            let line = line().await;
            assert_eq!((line.level.as_str(), line.stated.as_str()), (acts, stated));
        }
    })
    .await;
}

#[tokio::test]
async fn an_enterprise_is_told_its_level_only_where_the_model_that_leads_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let county = County::in_folder(folder.path()).await;
    let code = filled(&county).await;
    let refused = county.bureau.notice(code).await.unwrap_err();
    assert!(sentence(&refused).contains("不告知企业"));
    let mut files = embedded();
    let model = files.iter_mut().find(|file| file.path.ends_with("models/food_production.yaml")).unwrap();
    model.text = model.text.replace("told_to_enterprise: false", "told_to_enterprise: true");
    let database = format!("sqlite:{}", folder.path().join("xinheng.db").display());
    let key = folder.path().join("xinheng.db.key");
    let telling = Bureau::open(&database, &key, load(&files).unwrap(), surroundings()).await.unwrap();
    // Another wording, which nobody has signed.
    assert!(telling.notice(code).await.is_err());
    for signer in ["某局长", "某副局长"] {
        telling.sign(&Act::on_command_line("test"), "models/food_production", signer, "局领导").await.unwrap();
    }
    let notice = telling.notice(code).await.unwrap();
    assert_eq!(notice.explanation.model.as_deref(), Some("food_production"));
    assert!(notice.explanation.level.is_some());
}
