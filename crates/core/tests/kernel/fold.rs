//! A model made flat concludes as the kernel does.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::record::Statement;
use xinheng_core::score::fold::{Fold, Sheet, Target};
use xinheng_core::score::{Kept, Kernel, Tally};

use crate::random::{ENTERPRISES, choices, drawn, drawn_record, kinds, model, on};

proptest! {
    /// The flat form by itself, on what the kernel says that records give: some as the enterprise's own row,
    /// the others one by one.
    #[test]
    fn a_model_made_flat_concludes_as_the_kernel_does(
        choice in choices(), drawn in drawn(), own in any::<u64>(), leads in any::<u8>(),
    ) {
        let (model, kinds) = (model(&choice), kinds());
        let numbers = Kinds::new(&kinds);
        let kernel = Kernel::new(&model, &numbers);
        let leads = |place: (usize, usize)| leads >> place.0 & 1 == 1;
        let Some(fold) = Fold::new(&kernel, leads) else { return Ok(()) };
        for enterprise in 0..ENTERPRISES {
            let own_drawn = (1..).zip(&drawn).filter(|(_, one)| one.0 == enterprise);
            let records: Vec<Statement> = own_drawn.map(|(seq, one)| drawn_record(seq, one)).collect();
            let facts = Facts::new(&records, on(), &numbers);
            let mut tallies = vec![Tally::default(); kernel.slots().len()];
            let (mut first, mut sheet, mut added) = (Vec::new(), Sheet::default(), [false; 256]);
            let mut together = Vec::new();
            for kind in 0..numbers.count() {
                for fact in facts.of(kind) {
                    let (day, seq) = (fact.record.occurred_on, fact.record.seq);
                    kernel.gifts(fact, kind, on(), |slot, gift| {
                        tallies[slot].add(kernel.slots()[slot].gather, Kept { day, seq, gift });
                        match fold.targets()[slot] {
                            Target::Multiplier(_) => {}
                            _ if own >> (seq.0 % 64) & 1 == 1 => first.push((slot, gift)),
                            Target::Count(count) => sheet.count(count),
                            Target::Points(indicator) => {
                                added[usize::from(indicator)] = true;
                                let one = (indicator, gift.points().milli());
                                if seq.0 % 2 == 0 { together.push(one) } else { sheet.add(one.0, one.1) }
                            }
                        }
                    });
                }
            }
            sheet.add_all(together.into_iter());
            for (slot, target) in fold.targets().iter().enumerate() {
                if matches!(target, Target::Multiplier(_)) {
                    first.extend(tallies[slot].kept.map(|kept| (slot, kept.gift)));
                }
            }
            let start = fold.start(&first, |indicator| added[usize::from(indicator)]);
            let flat = fold.conclude(&start, &mut sheet);
            let expected = kernel.conclude(&tallies).map(|conclusion| {
                let mut leading = Vec::new();
                let mut number = 0;
                for (dimension, points) in conclusion.dimensions.iter().enumerate() {
                    for (within, (_, capped)) in points.indicators.iter().enumerate() {
                        assert_eq!(fold.place(number), (dimension, within));
                        if capped.milli() > 0 && leads((dimension, within)) {
                            leading.push((std::cmp::Reverse(*capped), number));
                        }
                        number += 1;
                    }
                }
                leading.sort_unstable();
                (conclusion.total, conclusion.level, [0, 1, 2].map(|place| leading.get(place).map(|one| one.1)))
            });
            let flat = flat.map(|outcome| (outcome.total, usize::from(outcome.level), outcome.leading));
            prop_assert_eq!(flat, expected);
        }
    }
}

/// The property above, and the lake's, would say little of the flat form if few of the models drawn had one.
#[test]
fn models_that_are_drawn_often_have_a_flat_form() {
    let (mut runner, kinds) = (proptest::test_runner::TestRunner::deterministic(), kinds());
    let numbers = Kinds::new(&kinds);
    let (mut flat, mut with_multiplier) = (0, 0);
    for _ in 0..300 {
        let choice = choices().new_tree(&mut runner).unwrap().current();
        let model = model(&choice);
        if Fold::new(&Kernel::new(&model, &numbers), |_| true).is_some() {
            flat += 1;
            with_multiplier += usize::from(choice.multiplier);
        }
    }
    // Files whose records say a multiplier are scored by the kernel's own conclusion.
    assert!(flat - with_multiplier >= 60 && with_multiplier >= 20, "{flat} of 300, {with_multiplier} with multiplier");
}
