//! What is made ready once and used by many acts: the signatures so far, and the rules of today compiled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use self_cell::self_cell;
use xinheng_core::record::{Day, Seq};
use xinheng_core::rulebook::load::Rulebook;

use crate::Bureau;
use crate::classify::Tools;
use crate::rules::{SIGNATURE, Signatures};

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

/// What a bureau keeps ready.
#[derive(Default)]
pub(crate) struct Prepared {
    /// The signatures so far, and where the newest of them stands.
    signed: Mutex<Option<(Seq, Signatures)>>,
    ready: Mutex<Option<Arc<Ready>>>,
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
        let mut kept = self.prepared.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |ready: &&Arc<Ready>| {
            let basis = ready.borrow_owner();
            basis.as_of == as_of && basis.signatures.same(&signatures)
        };
        if let Some(ready) = kept.as_ref().filter(fits) {
            return Ok(Arc::clone(ready));
        }
        let ready = Ready::of(Basis { rulebook: Arc::clone(&self.rulebook), signatures, as_of });
        if as_of == self.today() {
            *kept = Some(Arc::clone(&ready));
        }
        Ok(ready)
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
