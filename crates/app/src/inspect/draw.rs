//! Draws (抽查摇号): frozen before a public lottery, witnessed outside the bureau, sealed by two people with the
//! lottery's numbers; replaced or thrown away by rule. What is secret is kept encrypted and made anew from its input.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use chrono::Days;
use serde::{Deserialize, Serialize};
use xinheng_core::approval::{Action, LEAST_REASON, Stage};
use xinheng_core::audit::Outcome;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::{
    Certificate, DrawKey, EarlierDraw, EarlierState, Entropy, FreezeInput, Frozen, FrozenInspector, LedgerPlace, Line,
    Nonce, Qualification, Refusal, Sealed, Secret, Secrets, State, Time, Witness, freeze,
};
use xinheng_core::ledger::Hash;
use xinheng_core::record::{Day, Seq};
use xinheng_core::rulebook::lotteries::Lottery;
use xinheng_core::staff::Permission;
use xinheng_core::visit::{AssignedVisit, DrawStep, Team, VisitState};
use xinheng_store::{Body, DRAW_STEP, DrawState, Entry, KeptDraw, KeptPlan, Matter, NewDrawStep, NewRecord, Writing};

use super::objects::strata;
use super::{DRAW_SEAL, FellDue};

use crate::act::{Act, Actor};
use crate::approval::{LONGEST_TEXT, Proposal, known};
use crate::{Bureau, WrongInput};

/// Days ahead within which a lottery is chosen.
const DAYS_AHEAD: u64 = 14;
/// A lottery that a draw may wait for.
#[derive(Clone, Debug)]
pub struct LotteryChoice {
    /// Id of its rule.
    pub id: String,
    /// 名称
    pub source: String,
    /// The day on which it is drawn.
    pub day: Day,
    /// When its numbers are announced.
    pub due: Time,
}

/// A draw with what the bureau sees of it.
#[derive(Clone, Debug)]
pub struct DrawDetail {
    /// How it stands.
    pub draw: KeptDraw,
    /// The plan.
    pub plan: KeptPlan,
    /// The public view.
    pub certificate: Certificate,
    /// How many are listed by rule and not drawn.
    pub listed: usize,
    /// Last moment to seal it.
    pub deadline: Time,
    /// Whether it may be sealed now.
    pub due: bool,
    /// How the lottery's numbers are written, and where they are announced.
    pub lottery: Option<Lottery>,
    /// The first person's entry that waits for the second's.
    pub entered: Option<Matter>,
}

/// What a draw keeps secret: everything that it is made anew from.
#[derive(Serialize, Deserialize)]
pub(super) struct Bundle {
    input: FreezeInput,
    key: Hash,
    secret: Hash,
    pub nonce: Hash,
    /// Who is visited without a draw.
    pub listed: Vec<CreditCode>,
    /// How many of each stratum's lowest tickets are drawn without regard to level.
    pub explored: BTreeMap<String, u64>,
}

impl Bundle {
    fn secrets(&self) -> Secrets {
        Secrets { key: DrawKey::new(self.key.0), secret: Secret::new(self.secret.0), nonce: Nonce::new(self.nonce.0) }
    }
}

/// The first person's entry.
#[derive(Serialize, Deserialize)]
struct Numbers {
    draw: String,
    value: String,
}

/// Number of the draw whose numbers a matter is about.
///
/// # Errors
/// When the matter is about something else.
pub fn draw_of(matter: &Matter) -> anyhow::Result<String> {
    Ok(serde_json::from_str::<Numbers>(&matter.proposal)?.draw)
}

fn target(draw: &str) -> String {
    format!("{DRAW_SEAL}/{draw}")
}

impl Bureau {
    /// Three times 32 bytes that nobody can foresee.
    pub(super) fn draw_secrets(&self) -> anyhow::Result<Secrets> {
        Ok(Secrets {
            key: DrawKey::new(self.chance()?),
            secret: Secret::new(self.chance()?),
            nonce: Nonce::new(self.chance()?),
        })
    }

    /// Public lotteries of the next days, the nearest first.
    #[must_use]
    pub fn lottery_choices(&self) -> Vec<LotteryChoice> {
        let (today, now) = (self.today(), Time::of(self.now()));
        let mut choices: Vec<LotteryChoice> = (0..DAYS_AHEAD)
            .filter_map(|ahead| today.checked_add_days(Days::new(ahead)))
            .flat_map(|day| {
                let drawn = self.rulebook().lotteries(day).filter(move |one| one.is_drawn_on(day));
                drawn.filter_map(move |lottery| {
                    let due = moment_of(day, &lottery.announced_at)?;
                    let (id, source) = (lottery.rule.id.value.clone(), lottery.source.to_string());
                    Some(LotteryChoice { id, source, day, due })
                })
            })
            .filter(|choice| choice.due > now)
            .collect();
        choices.sort_by_key(|choice| choice.due);
        choices
    }

    /// Fixes a draw of a plan before a lottery is drawn. Gives its number.
    ///
    /// # Errors
    /// [`WrongInput`] when the plan cannot be drawn now, with the sentence that says why.
    pub async fn freeze_draw(&self, act: &Act, plan: Seq, lottery: &str, day: Day) -> anyhow::Result<String> {
        act.require(Permission::Plan)?;
        let (kept, proposal) = self.known_plan(plan).await?;
        self.check_plan(&proposal)?;
        let item = self.inspection_item(&proposal.item)?;
        let rule = self.rulebook().lottery(lottery, day).filter(|rule| rule.is_drawn_on(day));
        let rule = rule.ok_or_else(|| WrongInput("所选随机来源在那一天不开奖，请重新选择".to_owned()))?;
        self.check_acts(&format!("inspections/{}", proposal.item), &item.rule.title).await?;
        self.check_acts(&format!("lotteries/{lottery}"), &rule.rule.title).await?;
        let due = moment_of(day, &rule.announced_at).context("规则库中随机来源的开奖时刻无法识别")?;
        let mut objects = self.objects(item, &proposal).await?;
        let drawn = objects.apportion(item, &proposal)?;
        let (inspectors, _) = self.frozen_inspectors(proposal.from, proposal.until, &objects.last_teams).await?;
        // Others write while the objects are looked through; only the plan's own draws must stand still.
        let mut writing = self.store().begin().await?;
        let draws = writing.draws_of_plan(plan).await?;
        let earlier = self.earlier(&draws).await?;
        let number = format!("{}-D{}", kept.number, draws.len() + 1);
        let grounds = item.replacement_grounds.iter().map(|ground| Line::new(ground.as_str()));
        let input = FreezeInput {
            draw: Line::new(number.as_str())?,
            plan: Line::new(kept.number.as_str())?,
            follows: draws.last().map(|last| Line::new(last.number.as_str())).transpose()?,
            frozen_at: Time::of(self.now()),
            strata: strata(item, &drawn)?,
            entropy: Entropy { source: rule.source.clone(), format: rule.format.clone(), due },
            inspectors: Some(inspectors),
            replacement_grounds: grounds.collect::<Result<_, _>>()?,
        };
        let id = &item.rule.id.value;
        let explored = drawn.iter().map(|(group, _, quota)| (group.label(id).to_string(), quota.explored)).collect();
        let secrets = self.draw_secrets()?;
        let bundle = Bundle {
            input: input.clone(),
            key: Hash(*secrets.key.bytes()),
            secret: Hash(*secrets.secret.bytes()),
            nonce: Hash(*secrets.nonce.bytes()),
            listed: objects.listed.into_iter().map(|(code, _)| code).collect(),
            explored,
        };
        let frozen = freeze(input, secrets, &earlier).map_err(|refusal| WrongInput(refusal.to_string()))?;
        let deadline = due.hours_later(rule.seal_within_hours);
        writing.keep_draw_secret(&number, &serde_json::to_vec(&bundle)?).await?;
        let step = DrawStep::Freeze { deadline: deadline.to_string() };
        self.put_draw_step(&mut writing, act, &kept, Some(&number), &step, Some(frozen.certificate())).await?;
        writing.commit().await?;
        Ok(number)
    }

    /// Takes down where and when the freeze hash stood outside the bureau.
    ///
    /// # Errors
    /// [`WrongInput`] when it is too late, or says what cannot be.
    pub async fn witness_draw(&self, act: &Act, draw: &str, place: &str, at: Time) -> anyhow::Result<()> {
        act.require(Permission::Plan)?;
        let place = place.trim();
        let sentence = "请填写公布冻结校验值的地方，例如“县人民政府网站公示公告栏”加网址";
        if place.is_empty() || place.chars().count() > LONGEST_TEXT {
            return Err(WrongInput(sentence.to_owned()).into());
        }
        let place = Line::new(place).map_err(|error| WrongInput(error.to_string()))?;
        if at > Time::of(self.now()) {
            return Err(WrongInput(format!("公布时间 {at} 晚于现在，请填写实际公布的时间")).into());
        }
        let mut writing = self.store().begin().await?;
        let (kept, plan) = self.open_draw(draw).await?;
        if let Some(Witness { place, at }) = self.certificate(&kept).await?.witness {
            return Err(WrongInput(format!(
                "见证已经登记过：{place}，{at}。登记后不能更改；登记有误的，请写明情况作废"
            ))
            .into());
        }
        let (frozen, _) = self.made_anew(&kept).await?;
        let frozen = frozen.witnessed(Witness { place, at }).map_err(|refusal| WrongInput(refusal.to_string()))?;
        let certificate = frozen.certificate();
        self.put_draw_step(&mut writing, act, &plan, Some(draw), &DrawStep::Witness, Some(certificate)).await?;
        Ok(writing.commit().await?)
    }

    /// The first person's entry of the lottery's numbers, or that person's again after it came back.
    ///
    /// # Errors
    /// [`WrongInput`] when they cannot be what was drawn, or it may not be sealed now.
    pub async fn enter_numbers(&self, act: &Act, draw: &str, text: &str) -> anyhow::Result<Seq> {
        act.require(Permission::Plan)?;
        let mut writing = self.store().begin().await?;
        let (kept, plan) = self.open_draw(draw).await?;
        let value = self.numbers(&kept, text).await?;
        let open = writing.targets_in_open_matters(&[target(draw)]).await?.pop().map(|(_, matter)| matter);
        let subject = format!("录入开奖号码：抽查 {draw}（计划 {}）", plan.number);
        let proposal = Proposal {
            procedure: DRAW_SEAL,
            subject: &subject,
            targets: &[target(draw)],
            content: &serde_json::to_string(&Numbers { draw: draw.to_owned(), value })?,
            taken: &|_, other| format!("第一遍录入已在第 {other} 号事项中，请由第二人录入第二遍"),
        };
        let again = match open {
            Some(matter) => writing.matter(matter).await?.filter(|(found, _)| found.stage == Stage::Handling),
            None => None,
        };
        let matter = self.hand_in(&mut writing, act, again.map(|(found, _)| found.number), &proposal).await?;
        writing.commit().await?;
        Ok(matter)
    }

    /// The second person's entry, in the matter that the first one opened. When it is the same, the draw is sealed.
    ///
    /// # Errors
    /// [`WrongInput`] when the two differ, it is the same person, or it may not be sealed now.
    pub async fn confirm_numbers(&self, act: &Act, matter: Seq, text: &str) -> anyhow::Result<()> {
        let mut writing = self.store().begin().await?;
        let (found, steps) = known(writing.matter(matter).await?, act, matter)?;
        let first: Numbers = serde_json::from_str(&found.proposal)
            .map_err(|_| WrongInput(format!("第 {matter} 号事项不是开奖号码的录入")))?;
        let (kept, _) = self.open_draw(&first.draw).await?;
        if first.value != self.numbers(&kept, text).await? {
            let sentence = "与第一遍录入的号码不一致，没有抽取。请对照开奖公告核对；第一遍录错的，请退回";
            return Err(WrongInput(sentence.to_owned()).into());
        }
        self.take_step(&mut writing, act, &found, &steps, (Action::Review, None)).await?;
        Ok(writing.commit().await?)
    }

    /// What was drawn, as it is hashed.
    async fn numbers(&self, draw: &KeptDraw, text: &str) -> anyhow::Result<String> {
        let certificate = self.certificate(draw).await?;
        let lottery = self.lottery_of(&certificate)?;
        let value = lottery.read(text).map_err(|misread| WrongInput(misread.to_string()))?;
        let now = Time::of(self.now());
        if now < certificate.entropy.due {
            let sentence = format!("随机来源于 {} 开奖，现在还不能录入", certificate.entropy.due);
            return Err(WrongInput(sentence).into());
        }
        let last = deadline(draw)?;
        if now > last {
            let refusal = Refusal::PastDeadline { deadline: last, at: now };
            return Err(WrongInput(refusal.to_string()).into());
        }
        Ok(value.text().to_string())
    }

    fn lottery_of(&self, certificate: &Certificate) -> anyhow::Result<&Lottery> {
        let day = certificate.frozen_at.moment().day_in_china();
        let entropy = &certificate.entropy;
        let is_it = |one: &&Lottery| one.source == entropy.source && one.format == entropy.format;
        let found = self.rulebook().lotteries(day).find(is_it);
        found.with_context(|| format!("规则库没有冻结时所用的随机来源“{}”", entropy.source))
    }

    /// The draw with the numbers that two people entered.
    pub(crate) async fn record_seal(
        &self,
        writing: &mut Writing,
        actor: &Actor,
        matter: &Matter,
    ) -> anyhow::Result<()> {
        let Numbers { draw, value } = serde_json::from_str(&matter.proposal)?;
        let (kept, plan) = self.open_draw(&draw).await?;
        let (frozen, bundle) = self.made_anew(&kept).await?;
        let lottery = self.lottery_of(frozen.certificate())?;
        let value = lottery.read(&value).map_err(|misread| WrongInput(misread.to_string()))?;
        let now = Time::of(self.now());
        let sealed = frozen.seal(&value, now, deadline(&kept)?).map_err(|refusal| WrongInput(refusal.to_string()))?;
        let taken = writing.visits_of_plan(kept.plan).await?;
        let first = taken.iter().map(|visit| visit.place).max().unwrap_or_default() + 1;
        let visits = visits(&sealed, &bundle, first)?;
        let step = DrawStep::Seal { issue: value.issue().to_string(), visits };
        let new = NewDrawStep {
            plan: plan.seq,
            draw: Some(&draw),
            person: Some(actor.staff),
            step: &step,
            certificate: Some(sealed.certificate().to_json()),
            names: None,
        };
        self.append_step(writing, &new, &matter.unit).await
    }

    /// Takes the next ticket for a pick that cannot be visited, on a ground that the plan foresaw.
    ///
    /// # Errors
    /// [`WrongInput`] when there is nobody to be replaced or to come.
    pub async fn replace_visit(&self, act: &Act, plan: Seq, place: u32, reason: &str) -> anyhow::Result<()> {
        act.require(Permission::Plan)?;
        let mut writing = self.store().begin().await?;
        let (kept_plan, _) = self.known_plan(plan).await?;
        let visits = writing.visits_of_plan(plan).await?;
        let visit = visits.iter().find(|visit| visit.place == place && visit.state == VisitState::Open);
        let visit = visit.ok_or_else(|| WrongInput("这项检查任务已经办结或已被替换，不能再替换".to_owned()))?;
        if !visit.drawn {
            return Err(
                WrongInput("按规定列入的检查对象不是抽取产生的，不能用替换；请在结果中如实填写".to_owned()).into()
            );
        }
        let mut draws = writing.draws_of_plan(plan).await?;
        draws.retain(|draw| draw.state == DrawState::Sealed);
        let reason = Line::new(reason).map_err(|error| WrongInput(error.to_string()))?;
        for draw in draws {
            let (mut sealed, bundle) = self.sealed_anew(&draw).await?;
            let pair = sealed.standing().into_iter().find(|(_, code)| *code == visit.enterprise).map(|(pair, _)| pair);
            let Some(pair) = pair else { continue };
            let taken = sealed
                .replace(pair.blind, reason.clone(), Time::of(self.now()))
                .map_err(|refusal| WrongInput(refusal.to_string()))?
                .taken;
            let of_taken = sealed.frozen().enterprises().find(|(pair, _)| pair.blind == taken);
            let enterprise = of_taken.context("证书中没有递补的对象")?.1;
            let free = |team: &Team| {
                let keeps_away =
                    |person: i64| inspector(&bundle, person).is_none_or(|one| one.recusals.contains(&enterprise));
                !keeps_away(team.lead) && !keeps_away(team.second)
            };
            let next = visits.iter().map(|visit| visit.place).max().unwrap_or_default() + 1;
            let visit = AssignedVisit { place: next, enterprise, drawn: true, team: visit.team.filter(free) };
            let step = DrawStep::Replace { removed: place, visit };
            let certificate = sealed.certificate();
            self.put_draw_step(&mut writing, act, &kept_plan, Some(&draw.number), &step, Some(certificate)).await?;
            return Ok(writing.commit().await?);
        }
        Err(WrongInput("没有找到抽出这户企业的抽查".to_owned()).into())
    }

    /// Throws a frozen draw away, and publishes its secret with the reason.
    ///
    /// # Errors
    /// [`WrongInput`] when it is not frozen any more, or without a reason.
    pub async fn void_draw(&self, act: &Act, draw: &str, reason: &str) -> anyhow::Result<()> {
        act.require(Permission::Plan)?;
        let reason = reason.trim();
        if reason.chars().count() < LEAST_REASON || reason.chars().count() > LONGEST_TEXT {
            let sentence = format!("请写明作废的理由，{LEAST_REASON} 至 {LONGEST_TEXT} 个字；理由会公开");
            return Err(WrongInput(sentence).into());
        }
        let reason = Line::new(reason).map_err(|error| WrongInput(error.to_string()))?;
        let mut writing = self.store().begin().await?;
        let (kept, plan) = self.open_draw(draw).await?;
        self.put_void(&mut writing, act, &kept, &plan, reason).await?;
        Ok(writing.commit().await?)
    }

    /// Throws away, and publishes as such, every draw that was not sealed by its deadline.
    ///
    /// # Errors
    /// When the database does not say which draws are open.
    pub async fn void_overdue_draws(&self) -> anyhow::Result<FellDue> {
        let mut fell_due = FellDue::default();
        for draw in self.store().open_draws().await? {
            let voided = self.void_if_overdue(&draw).await;
            fell_due.take(draw.number, voided);
        }
        Ok(fell_due)
    }

    async fn void_if_overdue(&self, draw: &KeptDraw) -> anyhow::Result<bool> {
        let last = deadline(draw)?;
        if Time::of(self.now()) <= last {
            return Ok(false);
        }
        let mut writing = self.store().begin().await?;
        let (kept, plan) = self.open_draw(&draw.number).await?;
        let reason = Line::new(format!("到抽取期限 {last} 没有抽取，按规定作废"))?;
        self.put_void(&mut writing, &Act::by_itself("draw.void"), &kept, &plan, reason).await?;
        writing.commit().await?;
        Ok(true)
    }

    async fn put_void(
        &self,
        writing: &mut Writing,
        act: &Act,
        kept: &KeptDraw,
        plan: &KeptPlan,
        reason: Line,
    ) -> anyhow::Result<()> {
        let (frozen, _) = self.made_anew(kept).await?;
        let certificate = frozen.void(reason);
        self.put_draw_step(writing, act, plan, Some(&kept.number), &DrawStep::Void, Some(&certificate)).await
    }

    /// A draw with what the bureau sees of it.
    ///
    /// # Errors
    /// When the person may not see plans or the database fails.
    pub async fn draw(&self, act: &Act, number: &str) -> anyhow::Result<Option<DrawDetail>> {
        act.require(Permission::ReadPlans)?;
        let Some(draw) = self.store().draw(number).await? else { return Ok(None) };
        let (plan, _) = self.known_plan(draw.plan).await?;
        let bundle = self.bundle(&draw).await?;
        let certificate = self.certificate(&draw).await?;
        let entered = self.open_matter_of(&target(number)).await?;
        let deadline = deadline(&draw)?;
        let now = Time::of(self.now());
        Ok(Some(DrawDetail {
            due: draw.state == DrawState::Frozen && (certificate.entropy.due..=deadline).contains(&now),
            listed: bundle.listed.len(),
            lottery: self.lottery_of(&certificate).ok().cloned(),
            deadline,
            entered,
            certificate,
            draw,
            plan,
        }))
    }

    /// The public view of a draw as its last step left it, with its place in the ledger.
    pub(super) async fn certificate(&self, draw: &KeptDraw) -> anyhow::Result<Certificate> {
        let entry = self.store().entries_at(&[draw.step]).await?.remove(&draw.step);
        let entry = entry.context("台账缺少抽查环节的记录")?;
        let text = entry.record.payload.text("certificate").context("抽查环节的记录没有证书")?;
        recorded(text, &entry)
    }

    /// A frozen draw with its plan, for whoever acts on it.
    async fn open_draw(&self, number: &str) -> anyhow::Result<(KeptDraw, KeptPlan)> {
        let draw = self.store().draw(number).await?;
        let draw = draw.ok_or_else(|| WrongInput(format!("没有编号为“{number}”的抽查。请从抽查计划进入")))?;
        if draw.state != DrawState::Frozen {
            return Err(WrongInput(format!("抽查“{number}”{}，不能再办这一步", draw.state)).into());
        }
        let (plan, _) = self.known_plan(draw.plan).await?;
        Ok((draw, plan))
    }

    /// What a draw keeps secret.
    async fn bundle(&self, draw: &KeptDraw) -> anyhow::Result<Bundle> {
        let clear = self.store().draw_secret(&draw.number).await?.context("缺少抽查的保密数据，请从备份恢复")?;
        serde_json::from_slice(&clear).context("抽查的保密数据无法读取")
    }

    /// A draw as it was frozen and witnessed, made anew from what it keeps secret.
    pub(super) async fn made_anew(&self, draw: &KeptDraw) -> anyhow::Result<(Frozen, Bundle)> {
        let bundle = self.bundle(draw).await?;
        let draws = self.store().draws_of_plans(&[draw.plan]).await?;
        let before: Vec<KeptDraw> = draws.into_iter().filter(|one| one.frozen < draw.frozen).collect();
        let earlier = self.earlier(&before).await?;
        let mut frozen = freeze(bundle.input.clone(), bundle.secrets(), &earlier)?;
        let certificate = self.certificate(draw).await?;
        anyhow::ensure!(
            frozen.certificate().freeze_hash == certificate.freeze_hash,
            "抽查“{}”的保密数据与台账中的冻结校验值不符，可能被改动过。请从备份恢复",
            draw.number
        );
        if let Some(witness) = certificate.witness {
            frozen = frozen.witnessed(witness)?;
        }
        Ok((frozen, bundle))
    }

    /// A sealed draw with its replacements, made anew.
    pub(super) async fn sealed_anew(&self, draw: &KeptDraw) -> anyhow::Result<(Sealed, Bundle)> {
        let (frozen, bundle) = self.made_anew(draw).await?;
        let certificate = self.certificate(draw).await?;
        let State::Sealed(part) = &certificate.state else {
            anyhow::bail!("抽查“{}”还没有抽取", draw.number)
        };
        let value = self.lottery_of(&certificate)?.read(part.value.as_str())?;
        let mut sealed = frozen.seal(&value, part.sealed_at, deadline(draw)?)?;
        for one in &part.replacements {
            sealed.replace(one.removed, one.reason.clone(), one.at)?;
        }
        Ok((sealed, bundle))
    }

    async fn earlier(&self, draws: &[KeptDraw]) -> anyhow::Result<Vec<EarlierDraw>> {
        let mut earlier = Vec::with_capacity(draws.len());
        for draw in draws {
            let state = match (draw.state, &draw.issue) {
                (DrawState::Sealed, Some(issue)) => EarlierState::Sealed { issue: Line::new(issue.as_str())? },
                (DrawState::Void, _) => EarlierState::Void,
                _ => EarlierState::Open,
            };
            let entropy = self.certificate(draw).await?.entropy;
            earlier.push(EarlierDraw { draw: Line::new(draw.number.as_str())?, state, entropy });
        }
        Ok(earlier)
    }

    pub(super) async fn put_draw_step(
        &self,
        writing: &mut Writing,
        act: &Act,
        plan: &KeptPlan,
        draw: Option<&str>,
        step: &DrawStep,
        certificate: Option<&Certificate>,
    ) -> anyhow::Result<()> {
        let new = NewDrawStep {
            plan: plan.seq,
            draw,
            person: act.actor.as_ref().map(|actor| actor.staff),
            step,
            certificate: certificate.map(Certificate::to_json),
            names: None,
        };
        self.append_step(writing, &new, act.actor.as_ref().map_or(plan.unit.as_str(), |actor| &actor.unit)).await?;
        let object = draw.map_or_else(|| format!("plan/{}", plan.number), |draw| format!("draw/{draw}"));
        writing.audit(act.line(self.now(), Outcome::Done, object, &[])).await?;
        Ok(())
    }

    pub(super) async fn append_step(
        &self,
        writing: &mut Writing,
        new: &NewDrawStep<'_>,
        unit: &str,
    ) -> anyhow::Result<()> {
        let record = NewRecord {
            body: Body::System { kind: DRAW_STEP.into(), occurred_on: self.today(), payload: new.payload() },
            enterprise: None,
            supersedes: None,
            received_at: self.now(),
            source_unit: unit.into(),
        };
        writing.append(vec![record]).await?;
        Ok(())
    }
}

/// A certificate with its place in the ledger.
pub(super) fn recorded(text: &str, entry: &Entry) -> anyhow::Result<Certificate> {
    let mut certificate = Certificate::parse(text).context("证书无法读取")?;
    certificate.ledger = Some(LedgerPlace { seq: entry.record.seq.0.unsigned_abs(), hash: entry.hash });
    Ok(certificate)
}

/// The moment that a day of the lottery and its time make.
fn moment_of(day: Day, time: &str) -> Option<Time> {
    format!("{day}T{time}:00+08:00").parse().ok()
}

fn deadline(draw: &KeptDraw) -> anyhow::Result<Time> {
    draw.deadline.parse().context("抽取期限无法识别")
}

fn inspector(bundle: &Bundle, person: i64) -> Option<&FrozenInspector> {
    let id = person.to_string();
    bundle.input.inspectors.iter().flatten().find(|one| one.id.as_str() == id)
}

/// The visits of a sealed draw, with those listed by rule among them: numbered by credit code, so that the number
/// tells nothing of level, stratum or ticket.
fn visits(sealed: &Sealed, bundle: &Bundle, first: u32) -> anyhow::Result<Vec<AssignedVisit>> {
    let codes: HashMap<Hash, CreditCode> =
        sealed.standing().into_iter().map(|(pair, code)| (pair.blind, code)).collect();
    let mut load: HashMap<i64, u32> = HashMap::new();
    let mut visits: BTreeMap<CreditCode, (bool, Option<Team>)> = BTreeMap::new();
    for visit in sealed.visits() {
        let code = *codes.get(&visit.pick.blind).context("抽中的对象不在名单上")?;
        let team = Team { lead: visit.lead.as_str().parse()?, second: visit.second.as_str().parse()? };
        for person in [team.lead, team.second] {
            *load.entry(person).or_default() += 1;
        }
        visits.insert(code, (true, Some(team)));
    }
    let needs = bundle.input.strata.first().map(|stratum| stratum.needs.clone()).unwrap_or_default();
    let mut listed = bundle.listed.clone();
    listed.sort_unstable();
    for code in listed {
        let team = least_loaded(bundle, &needs, code, &mut load)?;
        visits.insert(code, (false, team));
    }
    Ok((first..)
        .zip(visits)
        .map(|(place, (enterprise, (drawn, team)))| AssignedVisit { place, enterprise, drawn, team })
        .collect())
}

/// The team of a visit that was not drawn: of those who may go, the ones with the most capacity left; none when
/// there are not two, and a person has to name them.
fn least_loaded(
    bundle: &Bundle,
    needs: &BTreeSet<Qualification>,
    code: CreditCode,
    load: &mut HashMap<i64, u32>,
) -> anyhow::Result<Option<Team>> {
    let mut free = Vec::new();
    for one in bundle.input.inspectors.iter().flatten() {
        let person: i64 = one.id.as_str().parse()?;
        let left = one.capacity.saturating_sub(load.get(&person).copied().unwrap_or_default());
        if left > 0 && needs.is_subset(&one.qualifications) && !one.recusals.contains(&code) {
            free.push((std::cmp::Reverse(left), person, one.qualifications.contains(&Qualification::lead())));
        }
    }
    free.sort_unstable();
    let Some((_, lead, _)) = free.iter().find(|(.., leads)| *leads).copied() else { return Ok(None) };
    let Some((_, second, _)) = free.iter().find(|(_, person, _)| *person != lead).copied() else { return Ok(None) };
    for person in [lead, second] {
        *load.entry(person).or_default() += 1;
    }
    Ok(Some(Team { lead, second }))
}
