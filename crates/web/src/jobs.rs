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
use xinheng_app::{Bureau, Stage, WrongInput};
use xinheng_core::record::Day;

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

/// Event of the audit log.
pub(crate) const HAND_IN: &str = "collection.hand_in";
const ABOUT: &str = "job.json";
/// Days for which an error workbook can be taken home, and a file waits for its table. Ours: what was in either can be
/// had anew from the file.
const RETURNED_DAYS: u64 = 90;
/// Finished jobs whose standing is remembered, so that their page leads to the outcome.
const REMEMBERED: usize = 1_000;

/// How often it is looked what has fallen due by itself.
const FALLS_DUE_EVERY: Duration = Duration::from_secs(600);

/// Does what nobody has to ask for: throws away draws that were not sealed in time, publishes whom plans visited, and
/// classifies all enterprises once a day.
async fn fall_due(bureau: &Bureau, daily: bool) {
    // From then on acts give levels in their own transaction.
    if let Err(error) = bureau.keep_rulebook().await {
        tracing::error!(error = format!("{error:#}"), "rulebook.keeping_failed");
    }
    match bureau.void_overdue_draws().await {
        Ok(draws) if draws.is_empty() => {}
        Ok(draws) => tracing::info!(draws = draws.len(), "draws.voided"),
        Err(error) => tracing::error!(error = format!("{error:#}"), "draws.voiding_failed"),
    }
    match bureau.publish_due_names().await {
        Ok(plans) if plans.is_empty() => {}
        Ok(plans) => tracing::info!(plans = plans.len(), "plans.names_published"),
        Err(error) => tracing::error!(error = format!("{error:#}"), "plans.publishing_failed"),
    }
    if !daily {
        return;
    }
    match bureau.classify_new_day().await {
        Ok(None) => {}
        Ok(Some(run)) => tracing::info!(changed = run.changed, "levels.given"),
        Err(error) => tracing::error!(error = format!("{error:#}"), "levels.giving_failed"),
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
            started.put_in_line(job);
        }
        let worker = started.clone();
        let (uploads, returned) = (uploads.to_owned(), uploads.join("returned"));
        let bureau_of_clock = Arc::clone(&bureau);
        tokio::spawn(async move {
            let mut clock = tokio::time::interval(FALLS_DUE_EVERY);
            loop {
                clock.tick().await;
                fall_due(&bureau_of_clock, daily).await;
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
                worker.give_up();
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
        // Whole at any moment, for the site may be killed in between; should the disk refuse it, the job asks on.
        let folder = self.folder.join(&job.id);
        let draft = folder.join(format!(".{ABOUT}"));
        std::fs::write(&draft, serde_json::to_vec(&job)?)?;
        std::fs::rename(&draft, folder.join(ABOUT))?;
        *standing = Standing::Waiting;
        drop(standings);
        self.put_in_line(job);
        Ok(())
    }

    /// The jobs that ask for their table, the latest first.
    pub(crate) fn asking(&self) -> Vec<Job> {
        let standings = self.lock();
        let asking = standings.values().filter(|(_, standing)| matches!(standing, Standing::Asking(_)));
        let mut jobs: Vec<Job> = asking.map(|(job, _)| job.clone()).collect();
        jobs.sort_unstable_by(|one, other| other.id.cmp(&one.id));
        jobs
    }

    /// Deletes files for which nobody has chosen the table in time.
    fn give_up(&self) {
        self.lock().retain(|id, (_, standing)| {
            let folder = self.folder.join(id);
            let given_up = matches!(standing, Standing::Asking(_)) && is_old(&folder);
            !given_up || std::fs::remove_dir_all(folder).is_err()
        });
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
    let longest = Duration::from_secs(RETURNED_DAYS * 24 * 60 * 60);
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
