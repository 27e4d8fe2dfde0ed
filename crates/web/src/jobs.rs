//! Jobs (后台任务): files that were handed in are taken in one after the other while the person goes on.
//! A job is a folder with its file and what was said about it; it outlives the process, so that a site
//! that was killed carries on where it was. What an import commits stays, and is recognised again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use xinheng_app::act::{Act, Actor};
use xinheng_app::collect::{ImportRequest, WhichTable};
use xinheng_app::inspect::FellDue;
use xinheng_app::{Bureau, Stage, WrongInput};
use xinheng_core::record::{Day, Moment};

/// A file to be taken in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Its name in addresses.
    pub id: String,
    /// The file's name.
    pub file_name: String,
    /// The unit that hands it in.
    pub unit: String,
    /// Table, when the header row is not to be trusted to tell.
    pub table: Option<String>,
    /// The day that the data is of.
    pub edition: Option<Day>,
    /// Who handed it in.
    pub actor: Actor,
    /// From where.
    pub source: String,
    /// Number of the request.
    pub request: String,
    /// Whether nobody said in time of which table it is, so that its file was deleted.
    #[serde(default)]
    pub given_up: bool,
}

impl Job {
    /// A name that nobody guesses. By their names jobs are in the order in which they were handed in.
    pub(crate) fn name(received_at: Moment, token: &str) -> String {
        format!("{:020}-{token:.8}", received_at.micros())
    }

    fn received_micros(&self) -> Option<i64> {
        self.id.split_once('-')?.0.parse().ok()
    }

    /// The last day for which its file is kept while nobody says of which table it is.
    pub(crate) fn kept_until(&self) -> Option<Day> {
        Some(Moment::from_micros(self.received_micros()? + RETURNED_DAYS * DAY_MICROS)?.day_in_china())
    }

    /// Whole days since it was handed in.
    fn days(&self, now: Moment) -> i64 {
        self.received_micros().map_or(0, |received| (now.micros() - received) / DAY_MICROS)
    }
}

/// How a job stands.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// It waits for those before it.
    Waiting,
    /// It is being worked on.
    Running(Stage),
    /// It was taken in as this submission.
    Done(i64),
    /// It waits for a person to say of which of these tables (id and title) it is; nothing was changed.
    Asking(Vec<(String, String)>),
    /// Nobody said so in time: its file was deleted, and nothing was changed.
    GivenUp,
    /// It could not be read, with the sentence that says why; nothing was changed.
    Refused(String),
    /// The system failed; the job is tried again when the site starts again.
    Failed,
}

impl Standing {
    /// Whether the file is still needed.
    fn keeps_file(&self) -> bool {
        matches!(self, Self::Waiting | Self::Running(_) | Self::Asking(_) | Self::Failed)
    }
}

/// The jobs of this site.
#[derive(Clone)]
pub(crate) struct Jobs {
    folder: PathBuf,
    standings: Arc<Mutex<HashMap<String, (Job, Standing)>>>,
    queue: mpsc::UnboundedSender<Job>,
}

/// Events of the audit log.
pub(crate) const HAND_IN: &str = "collection.hand_in";
pub(crate) const GIVE_UP: &str = "collection.give_up";
const ABOUT: &str = "job.json";
/// Days for which an error workbook can be taken home, and a file waits for its table. Ours: what was in either can be
/// had anew from the file. That a file was given up is told for as long again.
pub(crate) const RETURNED_DAYS: i64 = 90;
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
/// Jobs without an answer in one list.
const LISTED: usize = 20;
/// Finished jobs whose standing is remembered, so that their page leads to the outcome.
const REMEMBERED: usize = 1_000;

/// Jobs that wait for somebody to say of which table they are, or have waited too long.
pub(crate) struct Unanswered {
    /// A page of them, the latest first, and whether they were given up.
    pub jobs: Vec<(Job, bool)>,
    /// How many there are in all.
    pub all: usize,
    /// How many come after the page.
    pub more: usize,
}

/// How often it is looked what has fallen due by itself.
const FALLS_DUE_EVERY: Duration = Duration::from_secs(600);

/// Does what nobody has to ask for: throws away draws that were not sealed in time, publishes whom plans visited, and
/// classifies all enterprises once a day.
async fn fall_due(bureau: &Bureau, daily: bool) {
    // From then on acts give levels in their own transaction.
    if let Err(error) = bureau.keep_rulebook().await {
        tracing::error!(error = format!("{error:#}"), "rulebook.keeping_failed");
    }
    tell(bureau.void_overdue_draws().await, "draws.voided", "draws.voiding_failed");
    tell(bureau.publish_due_names().await, "plans.names_published", "plans.publishing_failed");
    if !daily {
        return;
    }
    match bureau.classify_new_day().await {
        Ok(None) => {}
        Ok(Some(run)) => tracing::info!(changed = run.changed, "levels.given"),
        Err(error) => tracing::error!(error = format!("{error:#}"), "levels.giving_failed"),
    }
}

fn tell(fell_due: anyhow::Result<FellDue>, done_event: &'static str, failed_event: &'static str) {
    match fell_due {
        Ok(FellDue { done, failed }) => {
            if !done.is_empty() {
                tracing::info!(count = done.len(), "{done_event}");
            }
            for (which, error) in failed {
                tracing::error!(which, error = format!("{error:#}"), "{failed_event}");
            }
        }
        Err(error) => tracing::error!(error = format!("{error:#}"), "{failed_event}"),
    }
}

impl Jobs {
    /// Starts working, first on what an earlier run of the site left.
    pub(crate) fn start(bureau: Arc<Bureau>, uploads: &Path, daily: bool) -> anyhow::Result<Self> {
        let folder = uploads.join("jobs");
        std::fs::create_dir_all(&folder)?;
        std::fs::create_dir_all(uploads.join("returned"))?;
        let (queue, mut jobs) = mpsc::unbounded_channel::<Job>();
        let started = Self { folder, standings: Arc::default(), queue };
        let mut left: Vec<Job> = std::fs::read_dir(&started.folder)?
            .filter_map(|entry| std::fs::read(entry.ok()?.path().join(ABOUT)).ok())
            .filter_map(|about| serde_json::from_slice(&about).ok())
            .collect();
        left.sort_by(|one: &Job, other| one.id.cmp(&other.id));
        for job in left {
            if job.given_up {
                // Nearly always it is gone; the site may have been killed just before.
                let _ = started.delete_file(&job);
                started.lock().insert(job.id.clone(), (job, Standing::GivenUp));
            } else {
                started.put_in_line(job);
            }
        }
        let worker = started.clone();
        let (uploads, returned) = (uploads.to_owned(), uploads.join("returned"));
        let (jobs_of_clock, bureau_of_clock) = (started.clone(), Arc::clone(&bureau));
        tokio::spawn(async move {
            let mut clock = tokio::time::interval(FALLS_DUE_EVERY);
            loop {
                clock.tick().await;
                fall_due(&bureau_of_clock, daily).await;
                jobs_of_clock.give_up(&bureau_of_clock).await;
            }
        });
        tokio::spawn(async move {
            clear_away(&[&uploads, &returned]);
            while let Some(job) = jobs.recv().await {
                let standing = worker.work(&bureau, &job, &returned).await;
                if !standing.keeps_file() {
                    let _ = std::fs::remove_dir_all(worker.folder.join(&job.id));
                }
                worker.say(&job.id, standing);
                worker.forget();
                worker.give_up(&bureau).await;
                clear_away(&[&uploads, &returned]);
            }
        });
        Ok(started)
    }

    /// Takes a file over, which is then safe, and puts it in line.
    pub(crate) fn accept(&self, job: Job, file: &Path) -> anyhow::Result<()> {
        // Complete before it is seen under its name: a job is there or not.
        let draft = self.folder.join(format!(".{}", job.id));
        std::fs::create_dir_all(&draft)?;
        std::fs::rename(file, draft.join(&job.file_name))?;
        std::fs::write(draft.join(ABOUT), serde_json::to_vec(&job)?)?;
        std::fs::rename(&draft, self.folder.join(&job.id))?;
        self.put_in_line(job);
        Ok(())
    }

    fn put_in_line(&self, job: Job) {
        self.lock().insert(job.id.clone(), (job.clone(), Standing::Waiting));
        // The worker lives as long as this process.
        let _ = self.queue.send(job);
    }

    /// Says what a job that asks for its table is, and puts it in line again. One that no longer asks stays as it is.
    pub(crate) fn choose(&self, job: Job) -> anyhow::Result<()> {
        let mut standings = self.lock();
        let Some((_, standing @ Standing::Asking(_))) = standings.get_mut(&job.id) else { return Ok(()) };
        // Should the disk refuse it, the job asks on.
        self.rewrite(&job)?;
        *standing = Standing::Waiting;
        drop(standings);
        self.put_in_line(job);
        Ok(())
    }

    /// Whole at any moment, for the site may be killed in between.
    fn rewrite(&self, job: &Job) -> anyhow::Result<()> {
        let folder = self.folder.join(&job.id);
        let draft = folder.join(format!(".{ABOUT}"));
        std::fs::write(&draft, serde_json::to_vec(job)?)?;
        std::fs::rename(&draft, folder.join(ABOUT))?;
        Ok(())
    }

    /// The jobs that somebody sees and nobody answered, before one.
    pub(crate) fn unanswered(&self, sees: impl Fn(&Job) -> bool, before: Option<&str>) -> Unanswered {
        let standings = self.lock();
        let mut found: Vec<(&Job, bool)> = standings
            .values()
            .filter(|(job, standing)| matches!(standing, Standing::Asking(_) | Standing::GivenUp) && sees(job))
            .map(|(job, standing)| (job, matches!(standing, Standing::GivenUp)))
            .collect();
        let all = found.len();
        found.retain(|(job, _)| before.is_none_or(|before| job.id.as_str() < before));
        found.sort_unstable_by(|(one, _), (other, _)| other.id.cmp(&one.id));
        let more = found.len().saturating_sub(LISTED);
        let jobs = found.into_iter().take(LISTED).map(|(job, given_up)| (job.clone(), given_up)).collect();
        Unanswered { jobs, all, more }
    }

    /// Deletes files of which nobody said in time of which table they are, and forgets those that were told long enough.
    async fn give_up(&self, bureau: &Bureau) {
        let now = bureau.now();
        let mut due = Vec::new();
        self.lock().retain(|id, (job, standing)| match standing {
            Standing::Asking(_) if job.days(now) > RETURNED_DAYS => {
                // From now on nobody can choose.
                due.push((job.clone(), std::mem::replace(standing, Standing::GivenUp)));
                true
            }
            Standing::GivenUp if job.days(now) > 2 * RETURNED_DAYS => {
                std::fs::remove_dir_all(self.folder.join(id)).is_err()
            }
            _ => true,
        });
        for (mut job, asking) in due {
            let told = bureau.record_given_up(&Act::by_itself(GIVE_UP), &job.id, &job.file_name, &job.unit).await;
            if let Err(error) = told {
                tracing::error!(job = job.id, error = format!("{error:#}"), "job.giving_up_failed");
                self.say(&job.id, asking);
                continue;
            }
            job.given_up = true;
            if let Err(error) = self.rewrite(&job).and_then(|()| self.delete_file(&job)) {
                tracing::error!(job = job.id, error = format!("{error:#}"), "job.deleting_failed");
            }
        }
    }

    fn delete_file(&self, job: &Job) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.folder.join(&job.id).join(&job.file_name))?)
    }

    /// A job and how it stands.
    pub(crate) fn get(&self, id: &str) -> Option<(Job, Standing)> {
        self.lock().get(id).cloned()
    }

    fn say(&self, id: &str, standing: Standing) {
        if let Some((_, kept)) = self.lock().get_mut(id) {
            *kept = standing;
        }
    }

    /// Forgets the oldest of those that are finished.
    fn forget(&self) {
        let mut standings = self.lock();
        let over = standings.iter().filter(|(_, (_, standing))| !standing.keeps_file());
        let mut over: Vec<_> = over.map(|(id, _)| id.clone()).collect();
        over.sort_unstable_by(|one, other| other.cmp(one));
        for id in over.iter().skip(REMEMBERED) {
            standings.remove(id);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Job, Standing)>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work(&self, bureau: &Bureau, job: &Job, returned: &Path) -> Standing {
        let file = self.folder.join(&job.id).join(&job.file_name);
        let errors = returned.join(format!("{}.xlsx", job.id));
        let act = Act {
            event: HAND_IN,
            actor: Some(job.actor.clone()),
            source: job.source.clone(),
            request: job.request.clone(),
            form: None,
        };
        let request = ImportRequest {
            table: job.table.as_deref(),
            edition: job.edition,
            errors: Some(&errors),
            act: Some(&act),
            ..ImportRequest::new(&file, &job.unit)
        };
        let watch = |stage| self.say(&job.id, Standing::Running(stage));
        let taken = async {
            let outcome = bureau.import(&request, &watch).await?;
            bureau.classify_touched(&watch).await?;
            anyhow::Ok(outcome)
        };
        match taken.await {
            Ok(outcome) => outcome.submission.map_or(Standing::Failed, Standing::Done),
            Err(error) => match (error.downcast_ref(), error.downcast_ref()) {
                (Some(WhichTable { tables, .. }), _) => Standing::Asking(tables.clone()),
                // The person knows the file by its name, and need not learn where we keep it.
                (_, Some(WrongInput(sentence))) => {
                    Standing::Refused(sentence.replace(&file.display().to_string(), &job.file_name))
                }
                (None, None) => {
                    tracing::error!(job = job.id, error = format!("{error:#}"), "job.failed");
                    Standing::Failed
                }
            },
        }
    }
}

/// Deletes error workbooks whose time is over. What cannot be deleted now is tried again after the next job.
fn clear_away(folders: &[&Path]) {
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    for entry in entries {
        let path = entry.path();
        let is_workbook = path.extension().is_some_and(|extension| extension == "xlsx");
        if is_workbook && is_old(&path) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whether something has been kept as long as it is kept.
fn is_old(path: &Path) -> bool {
    let longest = Duration::from_micros((RETURNED_DAYS * DAY_MICROS).unsigned_abs());
    let since = path.metadata().and_then(|about| about.modified()).ok();
    since.and_then(|since| since.elapsed().ok()).is_some_and(|age| age > longest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn an_error_workbook_is_deleted_when_its_time_is_over_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        for (name, days) in [("old.xlsx", 91), ("new.xlsx", 89), ("old.json", 91)] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - day * days).unwrap();
        }
        clear_away(&[folder.path(), &folder.path().join("missing")]);
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["new.xlsx", "old.json"]);
    }
}
