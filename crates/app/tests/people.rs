//! People: from the first start to everybody's own sign-in, and what those meet who should not come in.
#![allow(clippy::unwrap_used)]

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use totp_rs::{Builder, Secret};
use xinheng_app::act::{Act, Actor, NotPermitted};
use xinheng_app::audit::{AuditEntry, AuditFilter};
use xinheng_app::people::{DirectoryText, NewStaff, OneTimeSecret, StaffFile, UnitChange};
use xinheng_app::rules::{embedded, load};
use xinheng_app::setup::Step;
use xinheng_app::sign_in::{Credentials, Due, PasswordCost, PasswordPolicy, Refusal, SignIn, SignedIn};
use xinheng_app::{Bureau, Surroundings, WrongInput};
use xinheng_core::audit::Outcome;
use xinheng_core::inspector::RecusalGround;
use xinheng_core::ledger::{Hash, Head};
use xinheng_core::record::{Moment, Reason, Seq};
use xinheng_core::staff::{Duties, Permission, Role};
use xinheng_core::unit::UnitKind;
use xinheng_store::testing::databases;

const PASSWORD: &str = "Tian-qi7bucuo";
const HERE: &str = "10.1.2.3";

/// A bureau with a clock that the test moves.
struct Office {
    bureau: Bureau,
    clock: Arc<AtomicI64>,
    folder: TempDir,
    name: &'static str,
    secrets: Vec<OneTimeSecret>,
}

/// Runs a test on both databases, after the first start.
async fn both(mut test: impl AsyncFnMut(Office)) {
    for database in databases().await {
        let folder = tempfile::tempdir().unwrap();
        let url = match database.name {
            "SQLite" => format!("sqlite:{}", folder.path().join("xinheng.db").display()),
            _ => database.url.clone(),
        };
        // 2026-11-24 09:00 in China.
        let clock = Arc::new(AtomicI64::new(1_795_482_000_000_000));
        let hands = Arc::clone(&clock);
        let surroundings = Surroundings {
            now: Arc::new(move || Moment::from_micros(hands.load(Ordering::Relaxed)).unwrap()),
            password_cost: PasswordCost { memory: 64 },
            ..Surroundings::real()
        };
        let key = folder.path().join("key");
        let bureau = Bureau::open(&url, &key, load(&embedded()).unwrap(), surroundings).await.unwrap();
        let secrets = bureau.first_start(&Act::on_command_line("setup.first_start")).await.unwrap().to_vec();
        test(Office { bureau, clock, folder, name: database.name, secrets }).await;
    }
}

fn act(actor: &Actor) -> Act {
    Act { event: "test", actor: Some(actor.clone()), source: HERE.to_owned(), request: "1".to_owned(), form: None }
}

fn from(source: &str) -> Act {
    Act { event: "session.sign_in", actor: None, source: source.to_owned(), request: "1".to_owned(), form: None }
}

/// A business role without a session, for use cases that do not ask for one.
fn officer(roles: impl IntoIterator<Item = Role>, unit: &str) -> Actor {
    Actor {
        staff: 999,
        account: "officer".to_owned(),
        name: "某人".to_owned(),
        unit: unit.to_owned(),
        unit_name: String::new(),
        duties: Duties::new(roles).unwrap(),
        session: None,
    }
}

fn wrong<T>(result: anyhow::Result<T>) -> String {
    result.err().unwrap().downcast::<WrongInput>().unwrap().0
}

fn not_permitted<T>(result: anyhow::Result<T>) -> String {
    result.err().unwrap().downcast::<NotPermitted>().unwrap().0
}

impl Office {
    fn wait(&self, minutes: i64) {
        self.clock.fetch_add(minutes * 60_000_000, Ordering::Relaxed);
    }

    fn code(&self, secret: &str) -> String {
        let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
        totp.generate(self.clock.load(Ordering::Relaxed).unsigned_abs() / 1_000_000).to_string()
    }

    async fn sign_in_from(&self, source: &str, account: &str, password: &str, code: Option<&str>) -> SignIn {
        let credentials = Credentials { account, password, code };
        self.bureau.sign_in(&from(source), &credentials, "Chromium 90").await.unwrap()
    }

    async fn welcome(&self, account: &str, password: &str, code: Option<&str>) -> SignedIn {
        match self.sign_in_from(HERE, account, password, code).await {
            SignIn::Welcome(signed_in) => *signed_in,
            SignIn::Refused(refusal) => panic!("{}: {account}: {refusal}", self.name),
        }
    }

    async fn refusal(&self, account: &str, password: &str, code: Option<&str>) -> Refusal {
        match self.sign_in_from(HERE, account, password, code).await {
            SignIn::Welcome(_) => panic!("{}: {account} came in", self.name),
            SignIn::Refused(refusal) => refusal,
        }
    }

    async fn actor(&self, token: &str) -> Option<Actor> {
        self.bureau.session(token).await.unwrap().map(|session| session.actor)
    }

    /// An administrator with a password and a second factor; gives the token, the actor, and the factor's secret.
    async fn administrator(&self, role: Role) -> (String, Actor, String) {
        let place = [Role::SystemAdministrator, Role::SecurityAdministrator, Role::AuditAdministrator];
        let secret = &self.secrets[place.iter().position(|one| *one == role).unwrap()];
        let token = self.welcome(&secret.account, &secret.secret, None).await.token;
        let actor = self.actor(&token).await.unwrap();
        self.bureau.change_password(&act(&actor), None, PASSWORD).await.unwrap();
        let enrolment = self.bureau.enrol_second_factor(&act(&actor)).await.unwrap();
        self.bureau.confirm_second_factor(&act(&actor), &self.code(&enrolment.secret)).await.unwrap();
        let actor = self.actor(&token).await.unwrap();
        assert!(actor.duties.roles().eq([role]));
        (token, actor, enrolment.secret)
    }

    /// A member of staff with a password of their own and these roles.
    async fn person(&self, account: &str, roles: &[Role]) -> i64 {
        let at_the_machine = Act::on_command_line("test");
        if self.bureau.units().await.unwrap().is_empty() {
            let unit = UnitChange { name: "城关所", other_names: &[], kind: UnitKind::Station, in_use: true };
            self.bureau.add_unit(&at_the_machine, "5101", &unit).await.unwrap();
        }
        let new = NewStaff { account, name: "某某", unit: "城关所", proposed: Vec::new() };
        let secret = self.bureau.add_staff(&at_the_machine, &new).await.unwrap().secret;
        let number = self.bureau.staff_by_account(account).await.unwrap().unwrap().number;
        self.bureau.grant_roles(&at_the_machine, number, roles.iter().copied()).await.unwrap();
        let token = self.welcome(account, &secret, None).await.token;
        let actor = self.actor(&token).await.unwrap();
        self.bureau.change_password(&act(&actor), None, PASSWORD).await.unwrap();
        number
    }
}

#[tokio::test]
async fn the_first_start_makes_three_administrators_and_nobody_else_once() {
    both(async |office| {
        let staff = office.bureau.staff(None, 0, 100).await.unwrap();
        let accounts: Vec<&str> = staff.iter().map(|person| person.account.as_str()).collect();
        assert_eq!(accounts, ["sysadmin", "secadmin", "auditadmin"]);
        assert!(staff.iter().all(|person| person.duties.roles().count() == 1 && !person.has_password));
        let secrets: std::collections::HashSet<&str> = office.secrets.iter().map(|one| one.secret.as_str()).collect();
        assert_eq!(secrets.len(), 3);
        let again = office.bureau.first_start(&Act::on_command_line("setup.first_start")).await;
        assert!(wrong(again).contains("已完成首次启动"));
        assert_eq!(office.bureau.staff(None, 0, 100).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_one_time_secret_is_good_once_and_for_72_hours() {
    both(async |office| {
        let [first, second, _] = &office.secrets[..] else { panic!("three") };
        let signed_in = office.welcome(&first.account, &first.secret, None).await;
        assert_eq!(signed_in.session.due, Some(Due::Password));
        assert_eq!(office.refusal(&first.account, &first.secret, None).await, Refusal::Wrong);
        office.wait(72 * 60 + 1);
        assert_eq!(office.refusal(&second.account, &second.secret, None).await, Refusal::SecretExpired);
    })
    .await;
}

#[tokio::test]
async fn until_password_and_second_factor_are_there_an_administrator_may_do_nothing() {
    both(async |office| {
        let secret = &office.secrets[0];
        let token = office.welcome(&secret.account, &secret.secret, None).await.token;
        let actor = office.actor(&token).await.unwrap();
        assert!(actor.may(Permission::OwnAccount) && !actor.may(Permission::ManageStaff));
        not_permitted(office.bureau.name_bureau(&act(&actor), "410122", "某局").await);
        for weak in ["short-A1", "Password2026!", "sysadmin-Sysadmin1", "nodigitsnorcapitals"] {
            wrong(office.bureau.change_password(&act(&actor), None, weak).await);
        }
        office.bureau.change_password(&act(&actor), None, PASSWORD).await.unwrap();
        let session = office.bureau.session(&token).await.unwrap().unwrap();
        assert_eq!(session.due, Some(Due::SecondFactor));
        assert!(!session.actor.may(Permission::ManageStaff));
        let enrolment = office.bureau.enrol_second_factor(&act(&actor)).await.unwrap();
        assert!(enrolment.uri.starts_with("otpauth://totp/"), "{}", enrolment.uri);
        wrong(office.bureau.confirm_second_factor(&act(&actor), "000000x").await);
        office.bureau.confirm_second_factor(&act(&actor), &office.code(&enrolment.secret)).await.unwrap();
        let session = office.bureau.session(&token).await.unwrap().unwrap();
        assert_eq!(session.due, None);
        assert!(session.actor.may(Permission::ManageStaff) && !session.actor.may(Permission::ManageRoles));
        wrong(office.bureau.enrol_second_factor(&act(&actor)).await);
    })
    .await;
}

#[tokio::test]
async fn a_code_works_once_and_without_one_an_administrator_does_not_come_in() {
    both(async |office| {
        let (_, _, secret) = office.administrator(Role::SecurityAdministrator).await;
        let used = office.code(&secret);
        assert_eq!(office.refusal("secadmin", PASSWORD, Some(&used)).await, Refusal::Wrong, "it confirmed the factor");
        assert_eq!(office.refusal("secadmin", PASSWORD, None).await, Refusal::Wrong);
        office.wait(1);
        let code = office.code(&secret);
        office.welcome("secadmin", PASSWORD, Some(&code)).await;
        assert_eq!(office.refusal("secadmin", PASSWORD, Some(&code)).await, Refusal::Wrong);
    })
    .await;
}

#[tokio::test]
async fn who_adds_people_grants_no_roles_and_who_grants_roles_adds_nobody() {
    both(async |office| {
        let system = office.administrator(Role::SystemAdministrator).await.1;
        let security = office.administrator(Role::SecurityAdministrator).await.1;
        let bureau = &office.bureau;
        let unit =
            UnitChange {
                name: "城关所", other_names: &["一所".to_owned()], kind: UnitKind::Station, in_use: true
            };
        not_permitted(bureau.add_unit(&act(&security), "5101", &unit).await);
        bureau.add_unit(&act(&system), "5101", &unit).await.unwrap();
        assert!(wrong(bureau.add_unit(&act(&system), "5101", &unit).await).contains("已被使用"));
        let namesake = UnitChange { name: "一所", other_names: &[], kind: UnitKind::Station, in_use: true };
        assert!(wrong(bureau.add_unit(&act(&system), "5102", &namesake).await).contains("城关所"));

        let new = NewStaff { account: "Zhang.san", name: "张三", unit: "一所", proposed: vec![Role::Handler] };
        not_permitted(bureau.add_staff(&act(&security), &new).await);
        bureau.add_staff(&act(&system), &new).await.unwrap();
        assert!(wrong(bureau.add_staff(&act(&system), &new).await).contains("已被使用"));
        let person = bureau.staff_by_account("zhang.san").await.unwrap().unwrap();
        assert_eq!(person.unit.as_deref(), Some("5101"));
        assert_eq!((person.duties.roles().count(), &person.proposed[..]), (0, &[Role::Handler][..]));

        not_permitted(bureau.grant_roles(&act(&system), person.number, [Role::Handler]).await);
        let mixed =
            bureau.grant_roles(&act(&security), person.number, [Role::SystemAdministrator, Role::Handler]).await;
        assert!(wrong(mixed).contains("三员分立"));
        bureau.grant_roles(&act(&security), person.number, [Role::Handler, Role::Reviewer]).await.unwrap();
        let person = bureau.staff_member(person.number).await.unwrap().unwrap();
        assert!(person.duties.permit(Permission::Review) && person.proposed.is_empty());

        // Nobody changes what they themselves may do, and none of the three roles is left without anybody.
        wrong(bureau.grant_roles(&act(&security), security.staff, [Role::Leader]).await);
        wrong(bureau.reset_second_factor(&act(&security), security.staff).await);
        wrong(bureau.grant_roles(&act(&security), system.staff, []).await);
        wrong(bureau.set_staff_in_use(&act(&system), security.staff, false).await);
        wrong(bureau.set_staff_in_use(&act(&system), system.staff, false).await);
        bureau.grant_roles(&act(&security), person.number, [Role::SystemAdministrator]).await.unwrap();
        bureau.grant_roles(&act(&security), system.staff, []).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn five_failures_lock_an_account_whether_it_exists_or_not_with_the_same_answers() {
    both(async |office| {
        office.person("zhangsan", &[Role::Handler]).await;
        for account in ["zhangsan", "nobody"] {
            for _ in 0..4 {
                assert_eq!(office.refusal(account, "wrong", None).await, Refusal::Wrong, "{account}");
            }
        }
        // The fifth right one forgets the four wrong ones.
        office.welcome("zhangsan", PASSWORD, None).await;
        for account in ["zhangsan", "nobody"] {
            let failures = if account == "nobody" { 1 } else { 5 };
            for _ in 0..failures {
                assert_eq!(office.refusal(account, "wrong", None).await, Refusal::Wrong, "{account}");
            }
            let Refusal::AccountLocked(until) = office.refusal(account, PASSWORD, None).await else {
                panic!("{account}")
            };
            assert_eq!(until, Moment::from_micros(office.clock.load(Ordering::Relaxed)).unwrap().minutes_later(15));
        }
        let number = office.bureau.staff_by_account("zhangsan").await.unwrap().unwrap();
        assert!(number.locked_until.is_some());
        office.bureau.unlock(&Act::on_command_line("staff.unlock"), number.number).await.unwrap();
        office.welcome("zhangsan", PASSWORD, None).await;
        office.wait(16);
        assert_eq!(office.refusal("nobody", PASSWORD, None).await, Refusal::Wrong);
    })
    .await;
}

#[tokio::test]
async fn one_address_locks_a_few_accounts_and_not_a_hundred() {
    both(async |office| {
        office.person("zhangsan", &[Role::Handler]).await;
        let mut locked = 0;
        for number in 0..100 {
            for _ in 0..5 {
                office.sign_in_from("10.6.6.6", &format!("user{number}"), "wrong", None).await;
            }
        }
        for number in 0..100 {
            let answer =
                office.sign_in_from(&format!("10.7.0.{number}"), &format!("user{number}"), "wrong", None).await;
            locked += i32::from(matches!(answer, SignIn::Refused(Refusal::AccountLocked(_))));
        }
        assert_eq!(locked, 4, "{}", office.name);
        let same_place = office.sign_in_from("10.6.6.6", "zhangsan", PASSWORD, None).await;
        assert!(matches!(same_place, SignIn::Refused(Refusal::SourceLocked(_))));
        office.welcome("zhangsan", PASSWORD, None).await;
    })
    .await;
}

#[tokio::test]
async fn each_sign_in_has_a_new_session_and_ends_the_one_before() {
    both(async |office| {
        let number = office.person("zhangsan", &[Role::Handler]).await;
        let first = office.welcome("zhangsan", PASSWORD, None).await;
        let second = office.welcome("zhangsan", PASSWORD, None).await;
        assert_ne!(first.token, second.token);
        assert_eq!(office.actor(&first.token).await, None);
        let actor = office.actor(&second.token).await.unwrap();
        assert_eq!((actor.staff, actor.unit_name.as_str()), (number, "城关所"));
        let open = office.bureau.own_sessions(&actor).await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].source.as_str(), open[0].agent.as_str()), (HERE, "Chromium 90"));
        not_permitted(office.bureau.end_session(&act(&officer([Role::Leader], "5101")), open[0].number).await);
        office.bureau.sign_out(&act(&actor)).await.unwrap();
        assert_eq!(office.actor(&second.token).await, None);
        for not_a_token in ["", "00", "zz", &"0".repeat(64)] {
            assert_eq!(office.actor(not_a_token).await, None);
        }
        let token = office.welcome("zhangsan", PASSWORD, None).await.token;
        assert!(office.bureau.check_csrf(&token, &office.bureau.csrf_token(&token, "page")));
        assert!(!office.bureau.check_csrf(&token, &office.bureau.csrf_token(&second.token, "page")));
        assert!(!office.bureau.check_csrf(&token, ""));
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_when_idle_and_after_ten_hours() {
    both(async |office| {
        office.person("zhangsan", &[Role::Handler]).await;
        let token = office.welcome("zhangsan", PASSWORD, None).await.token;
        office.wait(29);
        assert!(office.actor(&token).await.is_some());
        office.wait(30);
        assert!(office.actor(&token).await.is_none(), "half an hour without a request");

        let token = office.welcome("zhangsan", PASSWORD, None).await.token;
        for _ in 0..29 {
            office.wait(20);
            assert!(office.actor(&token).await.is_some());
        }
        office.wait(20);
        assert!(office.actor(&token).await.is_none(), "ten hours");

        let (token, ..) = office.administrator(Role::AuditAdministrator).await;
        office.wait(14);
        assert!(office.actor(&token).await.is_some());
        office.wait(15);
        assert!(office.actor(&token).await.is_none(), "a quarter of an hour for an administrator");
    })
    .await;
}

#[tokio::test]
async fn a_person_taken_out_of_use_is_out_at_once_and_stays_out() {
    both(async |office| {
        let number = office.person("zhangsan", &[Role::Handler]).await;
        let token = office.welcome("zhangsan", PASSWORD, None).await.token;
        let at_the_machine = Act::on_command_line("staff.out_of_use");
        office.bureau.set_staff_in_use(&at_the_machine, number, false).await.unwrap();
        assert!(office.actor(&token).await.is_none());
        assert_eq!(office.refusal("zhangsan", PASSWORD, None).await, Refusal::OutOfUse);
        assert_eq!(office.refusal("zhangsan", "wrong", None).await, Refusal::Wrong);
        office.bureau.set_staff_in_use(&at_the_machine, number, true).await.unwrap();
        office.welcome("zhangsan", PASSWORD, None).await;
        let secret = office.bureau.reset_secret(&at_the_machine, number).await.unwrap();
        assert_eq!(office.refusal("zhangsan", PASSWORD, None).await, Refusal::Wrong);
        office.welcome("zhangsan", &secret.secret, None).await;
    })
    .await;
}

#[tokio::test]
async fn a_staff_row_that_was_altered_behind_the_systems_back_is_refused() {
    both(async |office| {
        let number = office.person("zhangsan", &[Role::Handler]).await;
        let token = office.welcome("zhangsan", PASSWORD, None).await.token;
        let change = format!("UPDATE staff SET roles = 'leader' WHERE number = {number}");
        office.bureau.store().tamper(&change).await.unwrap();
        let refusal = office.bureau.session(&token).await.unwrap_err().to_string();
        assert!(refusal.contains("改动过"), "{refusal}");
        let credentials = Credentials { account: "zhangsan", password: PASSWORD, code: None };
        let refusal = office.bureau.sign_in(&from(HERE), &credentials, "").await.unwrap_err().to_string();
        assert!(refusal.contains("zhangsan") && refusal.contains("改动过"), "{refusal}");
        let shown = office.bureau.staff_member(number).await.unwrap().unwrap();
        assert!(!shown.intact && shown.duties.roles().count() == 0);
        // Nor is the change made good by another one.
        assert!(office.bureau.grant_roles(&Act::on_command_line("test"), number, [Role::Handler]).await.is_err());
        let denied = AuditFilter { outcome: Some(Outcome::Refused), ..AuditFilter::default() };
        assert_eq!(office.bureau.audit(&denied, None, 10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn passwords_are_changed_with_the_present_one_and_not_back_to_a_former_one() {
    both(async |office| {
        office.person("zhangsan", &[Role::Handler]).await;
        let token = office.welcome("zhangsan", PASSWORD, None).await.token;
        let actor = office.actor(&token).await.unwrap();
        let change =
            async |present: &str, new: &str| office.bureau.change_password(&act(&actor), Some(present), new).await;
        assert!(wrong(change("wrong", "Yun-duo9piaoguo").await).contains("当前口令"));
        assert!(wrong(change(PASSWORD, PASSWORD).await).contains("最近 5 次"));
        change(PASSWORD, "Yun-duo9piaoguo").await.unwrap();
        assert!(wrong(change("Yun-duo9piaoguo", PASSWORD).await).contains("最近 5 次"));
        // Ninety days later it has to be another one; under the other policy it has not.
        office.wait(84 * 24 * 60);
        assert_eq!(office.welcome("zhangsan", "Yun-duo9piaoguo", None).await.password_days_left, Some(6));
        office.wait(6 * 24 * 60);
        let at_the_machine = Act::on_command_line("setting.password_policy");
        office.bureau.choose_password_policy(&at_the_machine, PasswordPolicy::Asvs).await.unwrap();
        assert_eq!(office.welcome("zhangsan", "Yun-duo9piaoguo", None).await.session.due, None);
        office.bureau.choose_password_policy(&at_the_machine, PasswordPolicy::Djbh).await.unwrap();
        assert_eq!(office.welcome("zhangsan", "Yun-duo9piaoguo", None).await.session.due, Some(Due::Password));
    })
    .await;
}

#[tokio::test]
async fn no_secret_is_in_the_database_file_in_clear() {
    both(async |office| {
        let (token, _, factor) = office.administrator(Role::SystemAdministrator).await;
        office.refusal("canary-typed-as-account", "canary-password", None).await;
        let factor = Secret::try_from_base32(&factor).unwrap();
        let mut canaries: Vec<Vec<u8>> = office.secrets.iter().map(|one| one.secret.clone().into_bytes()).collect();
        canaries.extend([PASSWORD.into(), token.clone().into_bytes(), hex::decode(&token).unwrap()]);
        canaries.extend([factor.as_bytes().to_vec(), factor.to_base32().into_bytes()]);
        canaries.extend([b"canary-typed-as-account".to_vec(), b"canary-password".to_vec()]);
        if office.name == "SQLite" {
            let mut bytes = Vec::new();
            for file in std::fs::read_dir(office.folder.path()).unwrap() {
                bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
            }
            let holds = |canary: &[u8]| bytes.windows(canary.len()).any(|window| window == canary);
            assert!(holds(b"sysadmin"), "the search finds what is there");
            for canary in canaries {
                assert!(!holds(&canary), "{}", String::from_utf8_lossy(&canary));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_act_whose_audit_line_cannot_be_written_does_not_happen() {
    both(async |office| {
        let number = office.person("zhangsan", &[Role::Handler]).await;
        let bureau = &office.bureau;
        let token = office.welcome("zhangsan", PASSWORD, None).await.token;
        let actor = office.actor(&token).await.unwrap();
        let rule = "models/general";
        let signed =
            bureau.sign(&Act::on_command_line("rule.sign"), rule, "某签署人", "5101").await.unwrap().seq.unwrap();
        let (units, staff, settings) = (
            bureau.units().await.unwrap(),
            bureau.staff(None, 0, 100).await.unwrap(),
            bureau.settings().await.unwrap(),
        );
        bureau.store().break_audit().await.unwrap();

        let machine = Act::on_command_line("test");
        let unit = UnitChange { name: "北关所", other_names: &[], kind: UnitKind::Station, in_use: true };
        let new = NewStaff { account: "lisi", name: "李四", unit: "5101", proposed: Vec::new() };
        let credentials = Credentials { account: "zhangsan", password: PASSWORD, code: None };
        let unmasker = officer([Role::Handler], "5101");
        assert!(bureau.name_bureau(&machine, "410122", "某局").await.is_err());
        assert!(bureau.choose_password_policy(&machine, PasswordPolicy::Asvs).await.is_err());
        assert!(bureau.add_unit(&machine, "5102", &unit).await.is_err());
        assert!(bureau.change_unit(&machine, "5101", &unit).await.is_err());
        assert!(bureau.add_staff(&machine, &new).await.is_err());
        assert!(bureau.change_staff(&machine, number, "改名", "5101", &[]).await.is_err());
        assert!(bureau.grant_roles(&machine, number, [Role::Leader]).await.is_err());
        assert!(bureau.set_staff_in_use(&machine, number, false).await.is_err());
        assert!(bureau.reset_secret(&machine, number).await.is_err());
        assert!(bureau.reset_second_factor(&machine, number).await.is_err());
        assert!(bureau.unlock(&machine, number).await.is_err());
        assert!(bureau.enrol_second_factor(&act(&actor)).await.is_err());
        assert!(bureau.change_password(&act(&actor), Some(PASSWORD), "Yun-duo9piaoguo").await.is_err());
        assert!(bureau.sign_in(&from(HERE), &credentials, "").await.is_err());
        assert!(bureau.sign_out(&act(&actor)).await.is_err());
        assert!(bureau.unmask(&act(&unmasker), signed, "signed_by", "核对签署人身份").await.is_err());

        assert_eq!(bureau.units().await.unwrap(), units);
        assert_eq!(bureau.staff(None, 0, 100).await.unwrap(), staff);
        assert_eq!(bureau.settings().await.unwrap(), settings);
        assert_eq!(office.actor(&token).await, Some(actor), "{}", office.name);
    })
    .await;
}

#[tokio::test]
async fn a_personal_value_is_shown_for_a_reason_that_the_audit_log_keeps() {
    both(async |office| {
        let bureau = &office.bureau;
        let seq = bureau
            .sign(&Act::on_command_line("rule.sign"), "models/general", "王签署", "5101")
            .await
            .unwrap()
            .seq
            .unwrap();
        let own = act(&officer([Role::Handler], "5101"));
        assert!(wrong(bureau.unmask(&own, seq, "signed_by", "  看看  ").await).contains("至少 5 个字"));
        wrong(bureau.unmask(&own, seq, "no_such_field", "核对签署人身份").await);
        not_permitted(bureau.unmask(&act(&officer([Role::Leader], "5101")), seq, "signed_by", "核对签署人身份").await);
        not_permitted(bureau.unmask(&act(&officer([Role::Handler], "5102")), seq, "signed_by", "核对签署人身份").await);
        let clear = bureau.unmask(&own, seq, "signed_by", "核对签署人身份").await.unwrap();
        assert_eq!(clear.reveal(Reason::Unmask), "王签署");
        let object = format!("record/{seq}/signed_by");
        let filter = AuditFilter { object: Some(object), ..AuditFilter::default() };
        let lines = bureau.audit(&filter, None, 10).await.unwrap();
        let told: Vec<_> = lines.iter().map(|entry| (entry.line.outcome, entry.line.unit.as_str())).collect();
        assert_eq!(told, [(Outcome::Done, "5101"), (Outcome::Refused, "5102")]);
        assert_eq!(lines[0].line.detail.text("reason"), Some("核对签署人身份"));
        assert!(bureau.verify_audit(&[bureau.audit_head().await.unwrap()], &|_| ()).await.unwrap().findings.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_is_handed_out_part_by_part_as_long_as_it_is_what_it_was() {
    both(async |office| {
        let bureau = &office.bureau;
        let taking_out = Act::on_command_line("audit.export");
        let file = |name: &str| office.folder.path().join(name);
        let first = bureau.export_audit(&taking_out, &file("一.jsonl"), Head::EMPTY).await.unwrap();
        assert_eq!(first.head, bureau.audit_head().await.unwrap());
        let second = bureau.export_audit(&taking_out, &file("二.jsonl.zst"), first.head).await.unwrap();
        assert_eq!((second.lines, second.head.seq), (1, Seq(first.head.seq.0 + 1)), "only that it was taken out again");
        let unpacked = zstd::decode_all(std::fs::File::open(file("二.jsonl.zst")).unwrap()).unwrap();
        let line: serde_json::Value = serde_json::from_slice(&unpacked).unwrap();
        assert_eq!(line["hash"], second.head.hash.to_string());
        assert_eq!(line["object"], format!("audit/{}/二.jsonl.zst", first.head.seq));

        let forged = Head { hash: Hash::GENESIS, ..first.head };
        let beyond = Head { seq: Seq(1_000), ..first.head };
        for head in [forged, beyond] {
            let refusal = wrong(bureau.export_audit(&taking_out, &file("三.jsonl"), head).await);
            assert!(refusal.contains("与给出的凭据不符") && !file("三.jsonl").exists(), "{refusal}");
        }

        let auditor = officer([Role::AuditAdministrator], "5101");
        let filter = AuditFilter { event: Some("audit.export".to_owned()), ..AuditFilter::default() };
        let worded = |entry: AuditEntry| [(); 9].map(|()| format!("{}号", entry.seq));
        let table = file("审计.xlsx");
        let written = bureau.export_audit_table(&filter, "操作：导出", &auditor, &table, worded).await.unwrap();
        assert_eq!(written, 2);
        let mut sheet = String::new();
        let mut workbook = zip::ZipArchive::new(std::fs::File::open(&table).unwrap()).unwrap();
        workbook.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut sheet).unwrap();
        for words in ["操作：导出", "来源", &format!("{}号", second.head.seq)] {
            assert!(sheet.contains(words), "{words}");
        }

        let store = bureau.store();
        store.unguard_audit().await.unwrap();
        let newest = bureau.audit_head().await.unwrap().seq;
        store.tamper(&format!("UPDATE audit SET outcome = 'x' WHERE seq = {newest}")).await.unwrap();
        let verified = bureau.verify_audit(&[first.head], &|_| ()).await.unwrap();
        assert!(verified.findings[0].contains(&format!("第{newest}条")) && verified.head.is_none(), "{verified}");
    })
    .await;
}

#[tokio::test]
async fn staff_come_from_a_file_good_rows_in_and_bad_ones_back() {
    both(async |office| {
        let bureau = &office.bureau;
        let system = office.administrator(Role::SystemAdministrator).await.1;
        let unit =
            UnitChange {
                name: "城关所", other_names: &["一所".to_owned()], kind: UnitKind::Station, in_use: true
            };
        bureau.add_unit(&act(&system), "5101", &unit).await.unwrap();
        let file = |name: &str, text: &str| -> PathBuf {
            let path = office.folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let path = file(
            "人员.csv",
            "姓名,角色,单位,账号\n张三,经办人员、审核人员,一所,zhangsan\n李四,,5101,lisi\n王五,局长,5101,wangwu\n\
             赵六,经办人员,九所,zhaoliu\n,,5101,noname\n孙七,系统管理员、经办人员,5101,sunqi\n周八,,5101,lisi\n",
        );
        let outcome = bureau.import_staff(&act(&system), &StaffFile { path: &path, errors: None }).await.unwrap();
        assert_eq!((outcome.rows, outcome.added.len(), outcome.known, outcome.refused), (7, 2, 0, 5), "{outcome}");
        assert!(outcome.errors_file.as_ref().unwrap().exists());
        let person = bureau.staff_by_account("zhangsan").await.unwrap().unwrap();
        assert_eq!(person.proposed, [Role::Handler, Role::Reviewer]);
        assert_eq!(person.duties.roles().count(), 0);
        office.welcome("lisi", &outcome.added[1].secret, None).await;

        let again = bureau.import_staff(&act(&system), &StaffFile { path: &path, errors: None }).await.unwrap();
        assert_eq!((again.added.len(), again.known, again.refused), (0, 2, 5));
        let other = file("改名.csv", "账号,姓名,单位\nlisi,李四四,5101\n");
        let other = bureau.import_staff(&act(&system), &StaffFile { path: &other, errors: None }).await.unwrap();
        assert_eq!((other.added.len(), other.known, other.refused), (0, 0, 1));
        let headless = file("无表头.csv", "甲,乙,丙\n1,2,3\n");
        let refusal = wrong(bureau.import_staff(&act(&system), &StaffFile { path: &headless, errors: None }).await);
        assert!(refusal.contains("人员名册"), "{refusal}");
        let lacking = file("缺列.csv", "账号,姓名\nqian,钱九\n");
        let refusal = wrong(bureau.import_staff(&act(&system), &StaffFile { path: &lacking, errors: None }).await);
        assert!(refusal.contains("单位"), "{refusal}");
    })
    .await;
}

#[tokio::test]
async fn setting_up_tells_what_remains_to_be_done_and_by_whom() {
    both(async |office| {
        let bureau = &office.bureau;
        let done = async || {
            let steps = bureau.setup_steps().await.unwrap();
            steps.into_iter().filter(|progress| progress.done).map(|progress| progress.step).collect::<Vec<_>>()
        };
        assert!(bureau.is_set_up().await.unwrap());
        assert!(done().await.is_empty());
        let system = office.administrator(Role::SystemAdministrator).await.1;
        assert!(wrong(bureau.name_bureau(&act(&system), "4101", "某局").await).contains("6 位"));
        bureau.name_bureau(&act(&system), "410122", "某县市场监督管理局").await.unwrap();
        assert_eq!(done().await, [Step::Bureau]);
        office.person("zhangsan", &[Role::Leader]).await;
        assert_eq!(done().await, [Step::Bureau, Step::Units, Step::Staff, Step::Roles]);
        let steps = bureau.setup_steps().await.unwrap();
        assert_eq!(steps.last().unwrap().step.role(), Role::CreditSupervisor);
    })
    .await;
}

#[tokio::test]
async fn the_directory_of_inspectors_is_kept_by_those_who_plan_and_by_nobody_else() {
    both(async |office| {
        let bureau = &office.bureau;
        let zhang = office.person("zhangsan", &[Role::Handler]).await;
        office.person("lisi", &[Role::Handler]).await;
        let planner = officer([Role::CreditSupervisor], "XY");
        let text = |capacity: &str, recusals: &str| DirectoryText {
            enforcement_number: "41990001".to_owned(),
            enforcement_until: "2027-06-30".to_owned(),
            qualifications: "食品生产".to_owned(),
            may_lead: "是".to_owned(),
            capacity: capacity.to_owned(),
            recusals: recusals.to_owned(),
            ..DirectoryText::default()
        };
        for role in [Role::Handler, Role::Reviewer, Role::Leader, Role::Inspectorate, Role::SystemAdministrator] {
            let other = officer([role], "5101");
            not_permitted(bureau.put_inspector(&act(&other), zhang, &text("10", "")).await);
            let reads = matches!(role, Role::Leader | Role::Inspectorate);
            assert_eq!(bureau.inspectors(&act(&other), 0, 50).await.is_ok(), reads, "{role:?}");
        }
        let refusals = [
            (text("很多", ""), "户数"),
            (text("501", ""), "500"),
            (text("10", "91999901MA0000000X"), "统一社会信用代码"),
            (text("10", "91999901MA0000000L（表亲）"), "回避事由"),
            (DirectoryText { qualifications: "航天".to_owned(), ..text("10", "") }, "航天"),
            (DirectoryText { enforcement_until: "明年".to_owned(), ..text("10", "") }, "2027-06-30"),
            (DirectoryText { enforcement_number: String::new(), ..text("10", "") }, "行政执法证"),
            (DirectoryText { leave: "2026-12-10至2026-12-01".to_owned(), ..text("10", "") }, "早于"),
        ];
        for (given, told) in refusals {
            let sentence = wrong(bureau.put_inspector(&act(&planner), zhang, &given).await);
            assert!(sentence.contains(told), "{told}: {sentence}");
        }
        let administrator = bureau.staff_by_account("sysadmin").await.unwrap().unwrap().number;
        let sentence = wrong(bureau.put_inspector(&act(&planner), administrator, &text("10", "")).await);
        assert!(sentence.contains("三员"), "{sentence}");

        let outside = async |after| {
            let (outside, next) = bureau.staff_outside_directory(&act(&planner), after, 4).await.unwrap();
            (outside.into_iter().map(|person| person.account).collect::<Vec<_>>(), next)
        };
        // The three administrators come first, and inspect nothing.
        assert_eq!(outside(0).await, (vec!["zhangsan".to_owned()], Some(4)));
        assert_eq!(outside(4).await, (vec!["lisi".to_owned()], None));
        bureau.put_inspector(&act(&planner), zhang, &text("10", "91999901MA0000000L（近亲属）")).await.unwrap();
        assert_eq!(outside(0).await, (vec![], Some(4)));
        let [entry] = &bureau.inspectors(&act(&planner), 0, 50).await.unwrap()[..] else { panic!("one inspector") };
        assert_eq!((entry.staff, entry.inspector.capacity, entry.ends_soon), (zhang, 10, false));
        assert_eq!(entry.inspector.recusals.values().copied().collect::<Vec<_>>(), [RecusalGround::Kin]);
        let back = DirectoryText::of(&entry.inspector, &bureau.key_fields());
        assert_eq!(back.recusals, "91999901MA0000000L（近亲属）");

        let path = office.folder.path().join("名录.csv");
        let rows = "账号,执法证号,执法证有效期至,检查资格,组长,每批最多承担户数,请假,回避企业\n\
            zhangsan,41990001,2027-06-30,食品生产,是,10,,91999901MA0000000L（近亲属）\n\
            lisi,41990002,2026-12-31,食品生产、特殊食品,否,8,2026-12-01至2026-12-05,\n\
            wangwu,41990003,2027-06-30,,否,8,,\nlisi,41990004,2027-06-30,,否,八,,\n";
        std::fs::write(&path, rows).unwrap();
        let outcome = bureau.import_inspectors(&act(&planner), &path, None).await.unwrap();
        assert_eq!((outcome.rows, outcome.accepted, outcome.known, outcome.refused), (4, 1, 1, 2), "{outcome:?}");
        assert!(outcome.errors_file.unwrap().exists());
        let listed = bureau.inspectors(&act(&planner), 0, 50).await.unwrap();
        assert_eq!(listed.iter().map(|entry| entry.ends_soon).collect::<Vec<_>>(), [false, true]);
        bureau.remove_inspector(&act(&planner), zhang).await.unwrap();
        assert_eq!(bureau.inspectors(&act(&planner), 0, 50).await.unwrap().len(), 1);
        if office.name == "SQLite" {
            let file = std::fs::read(office.folder.path().join("xinheng.db")).unwrap();
            assert!(!String::from_utf8_lossy(&file).contains("41990002"), "the directory is encrypted");
        }
    })
    .await;
}
