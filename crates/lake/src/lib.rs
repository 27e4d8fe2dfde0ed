//! Scores Parquet files in bulk. What a model means is the kernel's alone: here every class of records that
//! the model cannot tell apart is asked about once, and the rest is reading, adding and writing.

mod flat_model;
mod hybrid;
pub mod layout;
mod letters;
mod output;
pub mod pack;
mod pages;
mod plan;
mod readings;
mod run;
pub mod score;
mod scoring;
mod stream;
mod table;
