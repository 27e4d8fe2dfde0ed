//! The loop of an inspection, from the plan to the level, on both databases.
#![allow(clippy::unwrap_used)]

mod county;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use county::{County, both_in, day, entities, surroundings};
use xinheng_app::act::{Act, Actor};
use xinheng_app::audit::AuditFilter;
use xinheng_app::inspect::{DrawState, FellDue, PlanProposal, VisitResult};
use xinheng_app::people::{DirectoryText, NewStaff};
use xinheng_app::{Surroundings, WrongInput};
use xinheng_core::approval::{Action, Stage};
use xinheng_core::draw::{Certificate, Published, State, Time, verify};
use xinheng_core::record::{Moment, Seq};
use xinheng_core::staff::{Duties, Permission, Role};
use xinheng_core::visit::{Team, VisitState};
use xinheng_store::{KeptVisit, OpenClocks, VisitFilter};

/// 2026-11-24 09:00 in China, a Tuesday: that evening the lottery is drawn.
const START: i64 = 1_795_482_000_000_000;
const HOUR: i64 = 3_600_000_000;
const NUMBERS: &str = "双色球 2026136 03 09 14 21 27 33 + 08";

/// The county with a clock that the test moves.
struct Loop {
    county: County,
    clock: Arc<AtomicI64>,
}

impl Loop {
    fn pass(&self, hours: i64) {
        self.clock.fetch_add(hours * HOUR, Ordering::SeqCst);
    }

    /// Who acts: the account's own person, with a role that the person need not hold.
    async fn act(&self, account: &str, role: Role) -> Act {
        let person = self.county.bureau.staff_by_account(account).await.unwrap().unwrap();
        let actor = Actor {
            staff: person.number,
            account: account.to_owned(),
            name: person.name,
            unit: "SC".to_owned(),
            unit_name: String::new(),
            duties: Duties::new([role]).unwrap(),
            session: None,
        };
        Act { event: "test", actor: Some(actor), source: "127.0.0.1".to_owned(), request: "1".to_owned(), form: None }
    }

    async fn planner(&self) -> Act {
        self.act("planner", Role::CreditSupervisor).await
    }

    async fn reviewer(&self) -> Act {
        self.act("reviewer", Role::Reviewer).await
    }

    async fn leader(&self) -> Act {
        self.act("leader", Role::Leader).await
    }

    /// Forty producers of food with levels, four inspectors, three others, signed rules.
    async fn filled(county: County, clock: Arc<AtomicI64>) -> Self {
        county.fill().await;
        let mut licences =
            String::from("统一社会信用代码,许可文件编号,许可机关,许可内容,状态,有效期自,有效期至,许可领域\n");
        for row in entities(40).1 {
            licences += &format!("{0},SC{0},某局,糕点,有效,2022-01-01,2027-12-31,食品生产\n", row[0]);
        }
        let licences = county.write("食品生产许可.csv", licences.as_bytes());
        assert_eq!(county.import_as_of(&licences, Some(day("2026-11-02"))).await.unwrap().accepted, 40);
        county.bureau.classify_touched(&|_| ()).await.unwrap().unwrap();
        let act = Act::on_command_line("test");
        county.bureau.first_start(&act).await.unwrap();
        let this = Self { county, clock };
        let bureau = &this.county.bureau;
        let unit = xinheng_app::people::UnitChange {
            name: "食品生产股",
            other_names: &[],
            kind: xinheng_core::unit::UnitKind::Division,
            in_use: true,
        };
        bureau.add_unit(&act, "SC", &unit).await.unwrap();
        for account in ["planner", "reviewer", "leader", "first", "second", "third", "fourth"] {
            let new = NewStaff { account, name: account, unit: "SC", proposed: vec![Role::Handler] };
            bureau.add_staff(&act, &new).await.unwrap();
        }
        for (account, may_lead) in [("first", "是"), ("second", "是"), ("third", "否"), ("fourth", "否")] {
            let person = bureau.staff_by_account(account).await.unwrap().unwrap();
            let text = DirectoryText {
                enforcement_number: format!("4199{}", person.number),
                enforcement_until: "2028-12-31".to_owned(),
                qualifications: "food_production".to_owned(),
                may_lead: may_lead.to_owned(),
                capacity: "20".to_owned(),
                ..DirectoryText::default()
            };
            bureau.put_inspector(&this.planner().await, person.number, &text).await.unwrap();
        }
        this
    }

    async fn signed(&self) {
        for rule in ["inspections/food_production_daily", "lotteries/double_colour"] {
            self.county.bureau.sign(&Act::on_command_line("test"), rule, "某局长", "局领导").await.unwrap();
        }
    }

    async fn planned(&self) -> Seq {
        let bureau = &self.county.bureau;
        let matter = bureau.propose_plan(&self.planner().await, None, &plan()).await.unwrap();
        bureau.decide_matter(&self.reviewer().await, matter, Action::Review, None).await.unwrap();
        let stage = bureau.decide_matter(&self.leader().await, matter, Action::Approve, None).await.unwrap();
        assert_eq!(stage, Stage::Passed);
        bureau.store().plans(None, 1).await.unwrap()[0].seq
    }

    async fn frozen(&self, plan: Seq) -> String {
        let bureau = &self.county.bureau;
        let choices = bureau.lottery_choices();
        let choice = choices.iter().find(|one| one.id == "double_colour").unwrap();
        bureau.freeze_draw(&self.planner().await, plan, &choice.id, choice.day).await.unwrap()
    }

    async fn sealed(&self, plan: Seq) -> String {
        self.all_sealed(&[plan]).await.remove(0)
    }

    /// A draw of each plan, by one lottery.
    async fn all_sealed(&self, plans: &[Seq]) -> Vec<String> {
        let bureau = &self.county.bureau;
        let mut draws = Vec::new();
        for plan in plans {
            let draw = self.frozen(*plan).await;
            let now = Time::of(bureau.now());
            bureau.witness_draw(&self.planner().await, &draw, "县政府网站", now).await.unwrap();
            draws.push(draw);
        }
        self.pass(24);
        for draw in &draws {
            let matter = bureau.enter_numbers(&self.planner().await, draw, NUMBERS).await.unwrap();
            bureau.confirm_numbers(&self.reviewer().await, matter, NUMBERS).await.unwrap();
        }
        draws
    }

    /// What an enemy or a broken disk does: a draw's secret is gone.
    async fn without_secret(&self, draw: &str) {
        let gone = format!("DELETE FROM draw_secret WHERE draw = '{draw}'");
        self.county.bureau.store().tamper(&gone).await.unwrap();
    }

    async fn visits(&self, plan: Seq) -> Vec<KeptVisit> {
        self.county.bureau.store().visits(&VisitFilter::Plan(plan)).await.unwrap()
    }

    async fn certificate(&self, draw: &str) -> Certificate {
        let certificate = self.county.bureau.public_draw(draw).await.unwrap().unwrap().certificate;
        let again = Certificate::parse(&certificate.to_json()).unwrap();
        assert_eq!(again, certificate);
        let found = verify(&certificate, &Published::default());
        assert!(found.holds(), "{:?}", found.faults().collect::<Vec<_>>());
        certificate
    }

    /// The leader of the team says what was found, the planner checks it.
    async fn done(&self, visit: &KeptVisit, result: &str) {
        let bureau = &self.county.bureau;
        let lead = bureau.staff_member(visit.team.unwrap().lead).await.unwrap().unwrap();
        let act = self.act(&lead.account, Role::Handler).await;
        let matter = bureau.enter_result(&act, None, &self.result(visit, result)).await.unwrap();
        bureau.decide_matter(&self.planner().await, matter, Action::Review, None).await.unwrap();
    }

    fn result(&self, visit: &KeptVisit, result: &str) -> VisitResult {
        VisitResult {
            plan: visit.plan,
            place: visit.place,
            inspected_on: self.county.bureau.today(),
            result: result.to_owned(),
            chapters: BTreeMap::from([("chapter_02".to_owned(), "9/10".to_owned())]),
            rectification_due: Some(self.county.bureau.today()),
            remark: Some("地面积水，负责人张三在场".to_owned()),
        }
    }
}

fn plan() -> PlanProposal {
    PlanProposal {
        title: "第四季度食品生产监督检查".to_owned(),
        item: "food_production_daily".to_owned(),
        from: day("2026-11-24"),
        until: day("2026-12-20"),
        ratio: 2_000,
        leave_out_low: false,
        by_town: false,
        list_due: false,
        note: None,
    }
}

fn sentence<T: std::fmt::Debug>(result: anyhow::Result<T>) -> String {
    result.unwrap_err().downcast_ref::<WrongInput>().expect("a sentence for the person").to_string()
}

/// Runs a test on a filled county of each database.
async fn each(mut test: impl AsyncFnMut(Loop)) {
    let clock = Arc::new(AtomicI64::new(START));
    let moving = Arc::clone(&clock);
    let around = move || {
        let clock = Arc::clone(&moving);
        clock.store(START, Ordering::SeqCst);
        let now = move || Moment::from_micros(clock.load(Ordering::SeqCst)).unwrap();
        Surroundings { now: Arc::new(now), ..surroundings() }
    };
    both_in(around, async |county| test(Loop::filled(county, Arc::clone(&clock)).await).await).await;
}

#[tokio::test]
async fn from_plan_to_level_each_step_by_whom_it_is_for() {
    each(async |this: Loop| {
        let bureau = &this.county.bureau;
        let unsigned = sentence(bureau.propose_plan(&this.planner().await, None, &plan()).await);
        assert!(unsigned.contains("还没有经本局签署"), "{unsigned}");
        this.signed().await;

        let preview = bureau.preview_plan(&this.planner().await, &plan()).await.unwrap();
        assert_eq!(preview.objects, 40);
        let quota: u64 = preview.groups.iter().map(|line| line.quota.total()).sum();
        assert_eq!(preview.visits, quota + preview.listed.iter().map(|line| line.count as u64).sum::<u64>());
        assert!(preview.feasibility.is_ok(), "{:?}", preview.feasibility);
        let too_few = PlanProposal { ratio: 1, ..plan() };
        assert!(sentence(bureau.propose_plan(&this.planner().await, None, &too_few).await).contains("下限"));

        let plan_seq = this.planned().await;
        let kept = bureau.store().plan(plan_seq).await.unwrap().unwrap();
        assert_eq!(kept.number, "2026-001");
        let draw = this.frozen(plan_seq).await;
        assert_eq!(draw, "2026-001-D1");
        let choice = bureau.lottery_choices().pop().unwrap();
        let lottery = format!("lotteries/{}", choice.id);
        if choice.id != "double_colour" {
            bureau.sign(&Act::on_command_line("test"), &lottery, "某局长", "局领导").await.unwrap();
        }
        let twice = sentence(bureau.freeze_draw(&this.planner().await, plan_seq, &choice.id, choice.day).await);
        assert!(twice.contains("2026-001-D1"), "{twice}");

        let early = sentence(bureau.enter_numbers(&this.planner().await, &draw, NUMBERS).await);
        assert!(early.contains("还不能录入"), "{early}");
        let future = Time::of(bureau.now()).hours_later(1);
        assert!(
            sentence(bureau.witness_draw(&this.planner().await, &draw, "县政府网站", future).await)
                .contains("晚于现在")
        );
        let now = Time::of(bureau.now());
        bureau.witness_draw(&this.planner().await, &draw, "县政府网站", now).await.unwrap();
        let again = sentence(bureau.witness_draw(&this.planner().await, &draw, "别处", now).await);
        assert!(again.contains("已经登记过"), "{again}");
        this.pass(24);
        let wrong = sentence(bureau.enter_numbers(&this.planner().await, &draw, "双色球 2026136 03").await);
        assert!(wrong.contains("红球"), "{wrong}");
        let matter = bureau.enter_numbers(&this.planner().await, &draw, NUMBERS).await.unwrap();
        assert!(sentence(bureau.enter_numbers(&this.planner().await, &draw, NUMBERS).await).contains("第二人"));
        let other = NUMBERS.replace("+ 08", "+ 09");
        assert!(sentence(bureau.confirm_numbers(&this.reviewer().await, matter, &other).await).contains("不一致"));
        let same = sentence(bureau.confirm_numbers(&this.planner().await, matter, NUMBERS).await);
        assert!(same.contains("不能再由您办理"), "{same}");
        bureau.confirm_numbers(&this.reviewer().await, matter, NUMBERS).await.unwrap();

        let certificate = this.certificate(&draw).await;
        let picks = certificate.sealed().unwrap().picks.len();
        let visits = this.visits(plan_seq).await;
        assert_eq!(visits.iter().filter(|visit| visit.drawn).count(), picks);
        assert!(visits.windows(2).all(|pair| pair[0].enterprise < pair[1].enterprise), "numbers tell nothing");
        for visit in &visits {
            let team = visit.team.unwrap();
            assert_ne!(team.lead, team.second);
        }

        // Whoever does not go enters nothing; whoever goes enters, another checks.
        let visit = visits.iter().find(|visit| visit.drawn).unwrap();
        let stranger = this.act("reviewer", Role::Handler).await;
        assert!(bureau.enter_result(&stranger, None, &this.result(visit, "05")).await.is_err());
        assert!(bureau.visit(&stranger, plan_seq, visit.place).await.unwrap().is_none());
        let lead = bureau.staff_member(visit.team.unwrap().lead).await.unwrap().unwrap();
        let act = this.act(&lead.account, Role::Handler).await;
        // A matter comes back to what it is about, and to nothing else.
        let other = bureau.propose_plan(&this.planner().await, None, &plan()).await.unwrap();
        let why = Some("比例请再核对一次");
        bureau.decide_matter(&this.reviewer().await, other, Action::SendBack, why).await.unwrap();
        let mixed = bureau.enter_result(&this.planner().await, Some(other), &this.result(visit, "05")).await;
        assert!(sentence(mixed).contains("另一类事项"));
        let without_due = VisitResult { rectification_due: None, ..this.result(visit, "05") };
        assert!(sentence(bureau.enter_result(&act, None, &without_due).await).contains("整改期限"));
        let points = async || {
            let levels = bureau.store().levels_of(visit.enterprise).await.unwrap();
            levels.into_iter().find(|kept| kept.level.scope == "food_production").unwrap().level.total_milli
        };
        let before = points().await;
        this.done(visit, "05").await;
        assert!(points().await > before, "nine tenths of a chapter failed");
        let wanted = OpenClocks { limit: 500, ..OpenClocks::default() };
        let clocks = bureau.store().open_clocks(&wanted).await.unwrap();
        let clock = clocks.iter().find(|listed| listed.clock.start.rule == "inspection_publication").unwrap();
        assert_eq!(clock.document_number.as_deref(), Some(format!("2026-001-{:04}", visit.place).as_str()));
        let standing = bureau.store().visit(plan_seq, visit.place).await.unwrap().unwrap();
        assert_eq!((standing.state, standing.result), (VisitState::Done, Some(clock.clock.start.seq)));

        // Until the visits are over nobody outside learns whom the plan visits, nor an enterprise whether it is one.
        let planner = this.planner().await;
        assert!(sentence(bureau.opening(&planner, &draw, visit.enterprise).await).contains("还没有公布"));
        assert_eq!(bureau.public_draw(&draw).await.unwrap().unwrap().visited, None);
        for visit in this.visits(plan_seq).await.iter().filter(|visit| visit.state == VisitState::Open) {
            this.done(visit, "01").await;
        }
        assert_eq!(
            bureau.publish_due_names().await.unwrap().whole().unwrap(),
            Vec::<String>::new(),
            "the window is still open"
        );
        this.pass(24 * 30);
        assert_eq!(bureau.publish_due_names().await.unwrap().whole().unwrap(), ["2026-001"]);
        assert_eq!(bureau.publish_due_names().await.unwrap().whole().unwrap(), Vec::<String>::new());
        let opening = bureau.opening(&planner, &draw, visit.enterprise).await.unwrap();
        assert_eq!(xinheng_core::draw::blind(opening.salt, visit.enterprise), opening.blind);
        bureau.auditor_view(&Act::on_command_line("draw.audit"), &draw).await.unwrap();
        let given = bureau.audit(&AuditFilter::default(), None, 2).await.unwrap();
        let given: Vec<_> = given.iter().map(|entry| (entry.line.event.as_str(), entry.line.object.clone())).collect();
        assert_eq!(given[0], ("draw.audit", format!("draw/{draw}")));
        assert_eq!(given[1], (planner.event, format!("draw/{draw}/{}", visit.enterprise)));
        assert!(
            certificate.candidates.iter().any(|pair| (pair.stratum, pair.blind) == (opening.stratum, opening.blind))
        );
        let public = bureau.public_draw(&draw).await.unwrap().unwrap();
        assert_eq!(public.visited.unwrap().len(), visits.len());
        assert!(visits.iter().all(|visit| visit.drawn), "nobody was listed, so that the file of names is published");
        let published = Published { names: Some(public.names.unwrap()), ..Published::default() };
        assert!(verify(&public.certificate, &published).holds());

        let live = bureau.store().dump_projections().await.unwrap();
        assert_eq!(bureau.rebuild(&|_| ()).await.unwrap().findings, Vec::<String>::new());
        assert_eq!(bureau.store().dump_projections().await.unwrap(), live);
    })
    .await;
}

#[tokio::test]
async fn a_draw_that_is_not_sealed_in_time_is_void_and_shown_for_it_and_another_follows() {
    each(async |this: Loop| {
        let bureau = &this.county.bureau;
        this.signed().await;
        let plan = this.planned().await;
        let draw = this.frozen(plan).await;
        assert_eq!(bureau.void_overdue_draws().await.unwrap().whole().unwrap(), Vec::<String>::new());
        this.pass(24 * 5);
        let late = sentence(bureau.enter_numbers(&this.planner().await, &draw, NUMBERS).await);
        assert!(late.contains("抽取期限"), "{late}");
        assert_eq!(bureau.void_overdue_draws().await.unwrap().whole().unwrap(), std::slice::from_ref(&draw));
        let certificate = this.certificate(&draw).await;
        let State::Void { reason, .. } = certificate.state else { panic!("{:?}", certificate.state) };
        assert!(reason.as_str().contains("没有抽取"), "{reason}");

        let second = this.sealed(plan).await;
        assert_eq!(second, "2026-001-D2");
        let certificate = this.certificate(&second).await;
        assert_eq!(certificate.follows.unwrap().as_str(), draw);
        let draws = bureau.store().draws_of_plans(&[plan]).await.unwrap();
        assert_eq!(draws.iter().map(|one| one.state).collect::<Vec<_>>(), [DrawState::Void, DrawState::Sealed]);
    })
    .await;
}

#[tokio::test]
async fn a_draw_that_cannot_be_thrown_away_keeps_no_other_from_it() {
    each(async |this: Loop| {
        let bureau = &this.county.bureau;
        this.signed().await;
        let mut draws = Vec::new();
        for _ in 0..3 {
            let plan = this.planned().await;
            draws.push(this.frozen(plan).await);
        }
        this.without_secret(&draws[0]).await;
        let unreadable = format!("UPDATE draw SET deadline = '?' WHERE number = '{}'", draws[1]);
        bureau.store().tamper(&unreadable).await.unwrap();
        this.pass(24 * 5);
        let FellDue { done, failed } = bureau.void_overdue_draws().await.unwrap();
        assert_eq!(done, draws[2..]);
        let mut failed: Vec<String> = failed.into_iter().map(|(draw, why)| format!("{draw}：{why}")).collect();
        failed.sort();
        assert_eq!(
            failed,
            [format!("{}：缺少抽查的保密数据，请从备份恢复", draws[0]), format!("{}：抽取期限无法识别", draws[1]),]
        );
        // What failed is tried again, and told again.
        let again = bureau.void_overdue_draws().await.unwrap();
        assert_eq!((again.done.len(), again.failed.len()), (0, 2));
        assert!(again.whole().is_err());
    })
    .await;
}

#[tokio::test]
async fn a_plan_whose_names_cannot_be_published_keeps_no_other_from_it() {
    each(async |this: Loop| {
        let bureau = &this.county.bureau;
        this.signed().await;
        let plans = [this.planned().await, this.planned().await];
        let draws = this.all_sealed(&plans).await;
        for plan in plans {
            for visit in this.visits(plan).await {
                assert!(visit.drawn);
                this.done(&visit, "01").await;
            }
        }
        this.without_secret(&draws[0]).await;
        this.pass(24 * 30);
        let FellDue { done, failed } = bureau.publish_due_names().await.unwrap();
        assert_eq!(done, ["2026-002"]);
        let failed: Vec<String> = failed.into_iter().map(|(plan, why)| format!("{plan}：{why}")).collect();
        assert_eq!(failed, ["2026-001：缺少抽查的保密数据，请从备份恢复"]);
        assert!(bureau.public_draw(&draws[1]).await.unwrap().unwrap().visited.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_pick_that_is_gone_gives_way_to_the_next_ticket_and_a_team_that_cannot_go_to_another() {
    each(async |this: Loop| {
        let bureau = &this.county.bureau;
        this.signed().await;
        let plan = this.planned().await;
        let draw = this.sealed(plan).await;
        let visits = this.visits(plan).await;
        let gone = visits.iter().find(|visit| visit.drawn).unwrap();
        let planner = this.planner().await;
        let unforeseen = sentence(bureau.replace_visit(&planner, plan, gone.place, "太远").await);
        assert!(unforeseen.contains("预定"), "{unforeseen}");
        let ground = bureau.plan(&planner, plan).await.unwrap().unwrap().replacement_grounds[0].clone();
        bureau.replace_visit(&planner, plan, gone.place, &ground).await.unwrap();
        let certificate = this.certificate(&draw).await;
        assert_eq!(certificate.sealed().unwrap().replacements.len(), 1);
        let after = this.visits(plan).await;
        assert_eq!(after.len(), visits.len() + 1);
        assert_eq!(after.iter().filter(|visit| visit.state == VisitState::Replaced).count(), 1);
        let came = after.last().unwrap();
        assert!(visits.iter().all(|visit| visit.enterprise != came.enterprise));
        assert!(sentence(bureau.replace_visit(&planner, plan, gone.place, &ground).await).contains("已被替换"));

        let person = async |account: &str| bureau.staff_by_account(account).await.unwrap().unwrap().number;
        let (third, fourth) = (person("third").await, person("fourth").await);
        let team = Team { lead: third, second: fourth };
        let why = Some("原检查组临时有紧急任务");
        assert!(sentence(bureau.assign_team(&planner, plan, came.place, team, None).await).contains("理由"));
        assert!(sentence(bureau.assign_team(&planner, plan, came.place, team, why).await).contains("组长"));
        let team = Team { lead: person("first").await, second: fourth };
        bureau.assign_team(&planner, plan, came.place, team, why).await.unwrap();
        assert_eq!(bureau.store().visit(plan, came.place).await.unwrap().unwrap().team, Some(team));
        let handler = this.act("first", Role::Handler).await;
        assert!(!handler.signed_in().unwrap().may(Permission::Plan));
        assert!(bureau.assign_team(&handler, plan, came.place, team, why).await.is_err());

        let live = bureau.store().dump_projections().await.unwrap();
        bureau.rebuild(&|_| ()).await.unwrap();
        assert_eq!(bureau.store().dump_projections().await.unwrap(), live);
    })
    .await;
}
