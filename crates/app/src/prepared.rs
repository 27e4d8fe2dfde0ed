//! What is made ready once and used by many acts: the signatures so far, and the rules of today compiled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use self_cell::self_cell;
use xinheng_core::record::{Day, Seq};
use xinheng_core::rulebook::load::Rulebook;
use xinheng_store::{CLASSIFICATION, SIGNATURE, Writing};

use crate::Bureau;
use crate::classify::{OVER_ALL, PAGE, Tools};
use crate::rules::Signatures;

/// By what levels are computed.
pub(crate) struct Basis {
    pub rulebook: Arc<Rulebook>,
    pub signatures: Signatures,
    pub as_of: Day,
}

self_cell!(
    /// The rules of a day made ready, with what they are made of.
    pub(crate) struct Ready {
        owner: Basis,
        #[covariant]
        dependent: Tools,
    }
);

impl Ready {
    /// Makes them ready, which takes far longer than to classify an enterprise by them.
    pub(crate) fn of(basis: Basis) -> Arc<Self> {
        Arc::new(Self::new(basis, |basis| Tools::new(&basis.rulebook, basis.as_of, &basis.signatures)))
    }

    pub(crate) fn tools(&self) -> &Tools<'_> {
        self.borrow_dependent()
    }
}

/// The runs of classification so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Runs {
    /// Where the newest of them stands.
    newest: Option<Seq>,
    /// The latest day that any was as of.
    pub latest: Option<Day>,
    /// The latest day that one over all enterprises was as of.
    pub over_all: Option<Day>,
}

/// What a bureau keeps ready.
#[derive(Default)]
pub(crate) struct Prepared {
    /// The signatures so far, and where the newest of them stands.
    signed: Mutex<Option<(Seq, Signatures)>>,
    ready: Mutex<Option<Arc<Ready>>>,
    runs: Mutex<Runs>,
    rulebook_is_kept: AtomicBool,
}

impl Bureau {
    /// What had been signed at a seq.
    pub(crate) async fn signatures(&self, known_up_to: Seq) -> anyhow::Result<Signatures> {
        let kept = self.prepared.signed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let kept = kept.filter(|(newest, _)| *newest <= known_up_to);
        let (newest, signed) = kept.unwrap_or((Seq(0), Signatures::default()));
        let more = self.store.system_records(SIGNATURE, newest, known_up_to).await?;
        let Some(last) = more.last() else { return Ok(signed) };
        let known = (last.seq, signed.with(&more));
        let mut kept = self.prepared.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|(newest, _)| *newest < known.0) {
            *kept = Some(known.clone());
        }
        Ok(known.1)
    }

    /// The rules of a day made ready, with what had been signed at a seq. Those of today are kept.
    pub(crate) async fn ready(&self, as_of: Day, known_up_to: Seq) -> anyhow::Result<Arc<Ready>> {
        let signatures = self.signatures(known_up_to).await?;
        Ok(self.ready_with(as_of, signatures))
    }

    /// As [`Self::ready`], with what had been signed before a transaction.
    pub(crate) async fn ready_within(&self, as_of: Day, writing: &Writing) -> anyhow::Result<Arc<Ready>> {
        let kept = self.prepared.signed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let signatures = match (writing.newest_signature(), kept) {
            (None, _) => Signatures::default(),
            (Some(newest), Some((known, signatures))) if newest == known => signatures,
            (Some(newest), _) => self.signatures(newest).await?,
        };
        Ok(self.ready_with(as_of, signatures))
    }

    fn ready_with(&self, as_of: Day, signatures: Signatures) -> Arc<Ready> {
        let mut kept = self.prepared.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |ready: &&Arc<Ready>| {
            let basis = ready.borrow_owner();
            basis.as_of == as_of && basis.signatures.same(&signatures)
        };
        if let Some(ready) = kept.as_ref().filter(fits) {
            return Arc::clone(ready);
        }
        let ready = Ready::of(Basis { rulebook: Arc::clone(&self.rulebook), signatures, as_of });
        if as_of == self.today() {
            *kept = Some(Arc::clone(&ready));
        }
        ready
    }

    /// The runs so far, of which those are read that are newer than the last time.
    pub(crate) async fn runs_so_far(&self) -> anyhow::Result<Runs> {
        let kept = *self.prepared.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut runs, mut before) = (kept, None);
        loop {
            let page = self.store.newest_system_records(CLASSIFICATION, before, PAGE).await?;
            for run in page.iter().take_while(|run| Some(run.seq) > kept.newest) {
                runs.newest = runs.newest.max(Some(run.seq));
                runs.latest = runs.latest.max(Some(run.occurred_on));
                if run.payload.text("scope") == Some(OVER_ALL) {
                    runs.over_all = runs.over_all.max(Some(run.occurred_on));
                }
            }
            before = page.last().map(|oldest| oldest.seq);
            if before <= kept.newest {
                break;
            }
        }
        let mut kept = self.prepared.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.newest < runs.newest {
            *kept = runs;
        }
        Ok(runs)
    }

    /// Whether the database has the rulebook in use.
    pub(crate) fn rulebook_is_kept(&self) -> bool {
        self.prepared.rulebook_is_kept.load(Ordering::Relaxed)
    }

    /// Puts the rulebook in use into the database, which levels are explained by ever after.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_rulebook(&self) -> anyhow::Result<()> {
        if !self.rulebook_is_kept() {
            self.store.put_rulebook(self.rulebook.version(), &serde_json::to_vec(&self.rulebook.bundle())?).await?;
            self.prepared.rulebook_is_kept.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
