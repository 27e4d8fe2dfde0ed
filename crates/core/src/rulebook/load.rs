//! Reading and checking the rule files. To be written.
